// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PURE: from sizes, table and scores to the next step; retry and back-off
 * arithmetic.  Decides, never does.  May call virtio_mem_bb and what
 * virtio_mem_core.h offers.
 */
#include "virtio_mem_plan.h"

/* Upper bits of a rank: cheaper classes come first whatever is below. */
#define RANK_SHIFT	60
#define RANK_OFFLINE	0ULL
#define RANK_FREE	1ULL
#define RANK_USED	2ULL
#define RANK_FAILED	3ULL

/* Shares of a big block in use that offlining may move while it holds locks. */
#define FEW_USED	32
#define FEW_USED_ZEROED	8

/**
 * virtio_mem_plan_stays() - why a big block can't go, judged by a look
 * @score: what the look found
 * @unplug_online: whether online big blocks may be unplugged
 *
 * Return: the cause, or VIRTIO_MEM_CAUSE_NONE if it is worth trying.
 */
enum virtio_mem_cause
virtio_mem_plan_stays(const struct virtio_mem_score *score, bool unplug_online)
{
	if (score->online_pages && !unplug_online)
		return VIRTIO_MEM_CAUSE_KEPT_ONLINE;
	if (score->stuck_pages)
		return score->stuck_cause;
	return VIRTIO_MEM_CAUSE_NONE;
}

/**
 * virtio_mem_plan_rank() - what it costs to take a big block out of Linux
 * @score: what a look at it found
 * @unplug_online: whether online big blocks may be unplugged
 *
 * Offline ones first, then wholly free ones, then those with the fewest pages
 * to migrate; among equals ZONE_MOVABLE first.  A page that is held may be let
 * go at once or never: worth migrating a quarter of a big block instead.
 *
 * Return: smaller is cheaper; VIRTIO_MEM_RANK_NEVER if it can't go.
 */
u64 virtio_mem_plan_rank(const struct virtio_mem_score *score,
			 bool unplug_online)
{
	u64 class = RANK_USED, cost = score->used_pages;

	if (virtio_mem_plan_stays(score, unplug_online))
		return VIRTIO_MEM_RANK_NEVER;
	if (!score->online_pages)
		class = RANK_OFFLINE;
	else if (!score->used_pages)
		class = RANK_FREE;
	if (score->held_pages)
		cost += score->online_pages / 4;
	return class << RANK_SHIFT | cost << 1 | score->kernel_zone;
}

/**
 * virtio_mem_plan_demote() - let a big block wait until others were tried
 * @rank: from virtio_mem_plan_rank()
 *
 * For one that has failed before, by a cause that no look can see: it may well
 * be nearly empty by now, and would always come first.
 *
 * Return: a rank after all of those that have not failed.
 */
u64 virtio_mem_plan_demote(u64 rank)
{
	return rank == VIRTIO_MEM_RANK_NEVER ? rank :
	       (rank & ~(~0ULL << RANK_SHIFT)) | RANK_FAILED << RANK_SHIFT;
}

/**
 * virtio_mem_plan_fits() - whether the guest can do without a big block
 * @score: what a look at the big block found
 * @p: what memory the guest has left
 *
 * With the big block go its free pages, and the pages in use take as many
 * free ones elsewhere: first in ZONE_MOVABLE, then in the kernel's zones.
 * Those must keep a reserve for the kernel's own allocations.
 *
 * Return: true if the unplug can't drive the guest out of memory.
 */
bool virtio_mem_plan_fits(const struct virtio_mem_score *score,
			  const struct virtio_mem_pressure *p)
{
	unsigned long loss = score->free_pages + score->used_pages;
	unsigned long elsewhere = p->movable_free;
	unsigned long spill = 0;

	if (!score->online_pages)
		return true;
	if (p->available < loss + p->reserve)
		return false;
	if (!score->kernel_zone)
		elsewhere -= min(elsewhere, score->free_pages);
	if (score->used_pages > elsewhere)
		spill = score->used_pages - elsewhere;
	if (score->kernel_zone)
		spill += score->free_pages;
	return !spill || p->kernel_avail >= spill + p->kernel_reserve;
}

/**
 * virtio_mem_plan_add_fits() - whether a big block's memmap can be had
 * @memmap_pages: pages that the memmap of one big block takes
 * @p: what memory the guest has left
 *
 * The memmap comes out of the kernel's zones, and what is added may well not
 * help these: so the kernel must keep its reserve.
 *
 * Return: true if adding can't drive the guest out of memory.
 */
bool virtio_mem_plan_add_fits(unsigned long memmap_pages,
			      const struct virtio_mem_pressure *p)
{
	return p->kernel_avail >= memmap_pages + p->kernel_reserve;
}

/**
 * virtio_mem_plan_method() - how to take a big block out of Linux
 * @score: what a look at it found
 * @safe: bbm_safe_unplug
 * @blocks: memory blocks in a big block
 * @zeroes: whether taken pages are zeroed (init_on_alloc, the default of
 * Debian's kernels)
 *
 * Offlining moves the pages in use, but holds the locks of memory hotplug the
 * while, and goes on about a page that is held until the deadline.  Taking the
 * pages first does neither, and keeps what is moved out of one memory block
 * from landing in the next; but it makes the host back pages that are about to
 * be unplugged if it zeroes them.  So offline directly what is offline or
 * wholly free; try that, for a short while, where few pages must move, or
 * where it spares zeroing much more than it moves.
 *
 * Return: the method.
 */
enum virtio_mem_method
virtio_mem_plan_method(const struct virtio_mem_score *score, bool safe,
		       unsigned long blocks, bool zeroes)
{
	unsigned long few = score->online_pages / FEW_USED;

	if (!safe || !score->used_pages)
		return VIRTIO_MEM_METHOD_DIRECT;
	if (score->held_pages)
		return VIRTIO_MEM_METHOD_TAKE;
	if (blocks == 1 && zeroes)
		few = score->online_pages / FEW_USED_ZEROED;
	/* The kernel may take a page of a block that is yet to be offlined. */
	if (blocks > 1 && score->kernel_zone)
		few = 0;
	return score->used_pages <= few ? VIRTIO_MEM_METHOD_TRY :
					  VIRTIO_MEM_METHOD_TAKE;
}

/**
 * virtio_mem_candidates_reset() - a new scan begins
 * @cand: the candidates
 */
void virtio_mem_candidates_reset(struct virtio_mem_candidates *cand)
{
	cand->nr = 0;
	cand->next = 0;
}

/**
 * virtio_mem_candidates_offer() - keep a big block if it is among the cheapest
 * @cand: the candidates
 * @rank: from virtio_mem_plan_rank(); VIRTIO_MEM_RANK_NEVER is not kept
 * @id: the big block
 *
 * Among equals the one that was offered first comes first.
 */
void virtio_mem_candidates_offer(struct virtio_mem_candidates *cand, u64 rank,
				 unsigned long id)
{
	unsigned int i;

	if (rank == VIRTIO_MEM_RANK_NEVER)
		return;
	if (cand->nr == VIRTIO_MEM_MAX_CANDIDATES) {
		if (rank >= cand->c[cand->nr - 1].rank)
			return;
		cand->nr--;
	}
	for (i = cand->nr; i > 0 && cand->c[i - 1].rank > rank; i--)
		cand->c[i] = cand->c[i - 1];
	cand->c[i].rank = rank;
	cand->c[i].id = id;
	cand->nr++;
}

/**
 * virtio_mem_candidates_enough() - whether a scan can stop
 * @cand: the candidates
 * @nr: how many big blocks are to go
 *
 * Return: true if as many are kept that cost no migration at all.
 */
bool virtio_mem_candidates_enough(const struct virtio_mem_candidates *cand,
				  unsigned long nr)
{
	return nr && nr <= cand->nr &&
	       cand->c[nr - 1].rank >> RANK_SHIFT < RANK_USED;
}

/* Big blocks that are plugged, whether Linux has them or not. */
static unsigned long owned(const struct virtio_mem_bbt *t)
{
	return t->count[VIRTIO_MEM_BB_PLUGGED] +
	       t->count[VIRTIO_MEM_BB_ADDED] +
	       t->count[VIRTIO_MEM_BB_FAKE_OFFLINE];
}

/**
 * virtio_mem_plan_plugged() - bytes that are plugged, as the table says
 * @in: the situation
 * @t: the table
 *
 * Return: bytes.
 */
u64 virtio_mem_plan_plugged(const struct virtio_mem_situation *in,
			    const struct virtio_mem_bbt *t)
{
	return in->foreign + (u64)owned(t) * in->bb_size;
}

/**
 * virtio_mem_plan_want() - how many big blocks should be plugged
 * @in: the situation
 * @t: the table
 *
 * A request that is no multiple of the big block is rounded towards what is
 * plugged now: down when growing, up when shrinking.
 *
 * Return: the number.
 */
unsigned long virtio_mem_plan_want(const struct virtio_mem_situation *in,
				   const struct virtio_mem_bbt *t)
{
	u64 plugged = virtio_mem_plan_plugged(in, t);
	unsigned long own = owned(t);
	u64 diff;

	if (in->requested >= plugged) {
		diff = (in->requested - plugged) >> ilog2(in->bb_size);
		return own + diff;
	}
	diff = (plugged - in->requested) >> ilog2(in->bb_size);
	return diff < own ? own - diff : 0;
}

/**
 * virtio_mem_pass_begin() - forget what the last pass has learned
 * @pass: the pass
 *
 * The caller also calls virtio_mem_bbt_clear_tried().
 */
void virtio_mem_pass_begin(struct virtio_mem_pass *pass)
{
	memset(pass, 0, sizeof(*pass));
}

static void hold_cause(struct virtio_mem_pass *pass,
		       enum virtio_mem_cause cause)
{
	if (!pass->cause)
		pass->cause = cause;
}

/* Learns that nothing can be added in this pass, whatever is tried. */
static void heed_bar(const struct virtio_mem_situation *in,
		     struct virtio_mem_pass *pass)
{
	if (in->add_barred && !pass->add_held) {
		pass->add_held = true;
		hold_cause(pass, in->add_barred);
	}
}

/* What is plugged but not added comes first: it serves nobody. */
static bool plan_plugged(const struct virtio_mem_situation *in,
			 const struct virtio_mem_bbt *t,
			 struct virtio_mem_pass *pass,
			 struct virtio_mem_step *step, unsigned long want)
{
	unsigned long max = pass->single ? 1 : in->max_run;
	unsigned long own = owned(t);
	bool quarantined;

	step->nr = virtio_mem_bbt_run(t, VIRTIO_MEM_BB_PLUGGED, ULONG_MAX,
				      max, &step->first);
	if (!step->nr)
		return false;
	quarantined = virtio_mem_bbt_is_quarantined(t, step->first);
	if (t->count[VIRTIO_MEM_BB_ADDED] < want)
		heed_bar(in, pass);
	if (!quarantined && !pass->add_held &&
	    t->count[VIRTIO_MEM_BB_ADDED] < want) {
		if (in->online_room) {
			step->type = VIRTIO_MEM_STEP_ADD;
			step->nr = 1;
			return true;
		}
		hold_cause(pass, VIRTIO_MEM_CAUSE_ONLINE_LIMIT);
		pass->plug_held = true;
		/* What is wanted is kept: somebody onlines soon. */
		if (own <= want)
			return false;
		step->nr = min(step->nr, own - want);
	}
	if (pass->unplug_held)
		return false;
	/* No device should make its usable region smaller; this one has. */
	if (step->first >= in->usable_bbs) {
		hold_cause(pass, VIRTIO_MEM_CAUSE_OUTSIDE);
		return false;
	}
	step->nr = min(step->nr, in->usable_bbs - step->first);
	step->type = VIRTIO_MEM_STEP_UNPLUG;
	if (quarantined)
		step->nr = 1;
	return true;
}

/* The guest has given this up already: let the host have it. */
static void plan_ending(const struct virtio_mem_situation *in,
			const struct virtio_mem_bbt *t,
			const struct virtio_mem_pass *pass,
			struct virtio_mem_step *step, unsigned long excess)
{
	unsigned long max = min(excess, pass->single ? 1UL : in->max_run);

	if (pass->unplug_held)
		return;
	step->nr = virtio_mem_bbt_run(t, VIRTIO_MEM_BB_PLUGGED, in->usable_bbs,
				      max, &step->first);
	if (step->nr)
		step->type = VIRTIO_MEM_STEP_UNPLUG;
}

static bool plan_grow(const struct virtio_mem_situation *in,
		      const struct virtio_mem_bbt *t,
		      struct virtio_mem_pass *pass,
		      struct virtio_mem_step *step, unsigned long need)
{
	unsigned long max = min(need, pass->single ? 1UL : in->max_run);

	heed_bar(in, pass);
	if (pass->plug_held || pass->add_held)
		return false;
	if (!in->online_room) {
		hold_cause(pass, VIRTIO_MEM_CAUSE_ONLINE_LIMIT);
		return false;
	}
	max = min(max, in->online_room);
	step->nr = virtio_mem_bbt_run(t, VIRTIO_MEM_BB_UNUSED, in->usable_bbs,
				      max, &step->first);
	if (!step->nr) {
		hold_cause(pass, VIRTIO_MEM_CAUSE_NO_BB);
		return false;
	}
	step->type = VIRTIO_MEM_STEP_PLUG;
	return true;
}

/* Whether the next candidate can go without any page having to move. */
static bool next_is_cheap(const struct virtio_mem_bbt *t,
			  const struct virtio_mem_candidates *cand)
{
	unsigned int i = cand->next;

	return i < cand->nr && cand->c[i].rank >> RANK_SHIFT < RANK_USED &&
	       virtio_mem_bbt_state(t, cand->c[i].id) == VIRTIO_MEM_BB_ADDED &&
	       !virtio_mem_bbt_tried(t, cand->c[i].id);
}

/*
 * One request can unplug several: so those that have left Linux wait for more,
 * if these are about to follow.  Nothing waits for long, or for a migration.
 */
static bool unplug_can_wait(const struct virtio_mem_situation *in,
			    const struct virtio_mem_bbt *t,
			    const struct virtio_mem_candidates *cand,
			    const struct virtio_mem_pass *pass)
{
	return t->count[VIRTIO_MEM_BB_PLUGGED] <
	       min(in->max_run, VIRTIO_MEM_UNPLUG_BATCH) &&
	       in->waited_ms < VIRTIO_MEM_UNPLUG_WAIT_MS && !pass->single &&
	       pass->scanned && next_is_cheap(t, cand);
}

static bool plan_shrink(const struct virtio_mem_bbt *t,
			struct virtio_mem_candidates *cand,
			struct virtio_mem_pass *pass,
			struct virtio_mem_step *step, unsigned long excess)
{
	if (pass->unplug_held || pass->shrink_held)
		return false;
	/*
	 * All of these were tried.  There may be more: the scan stops early, and
	 * keeps only so many.  Ends since what was tried is not offered again.
	 */
	if (pass->scanned && cand->nr && cand->next == cand->nr)
		pass->scanned = false;
	if (!pass->scanned) {
		pass->scanned = true;
		step->type = VIRTIO_MEM_STEP_SCAN;
		step->nr = excess;
		return true;
	}
	while (cand->next < cand->nr) {
		step->first = cand->c[cand->next++].id;
		if (virtio_mem_bbt_state(t, step->first) !=
		    VIRTIO_MEM_BB_ADDED ||
		    virtio_mem_bbt_tried(t, step->first))
			continue;
		step->type = VIRTIO_MEM_STEP_SHRINK;
		step->nr = 1;
		return true;
	}
	pass->shrink_held = true;
	hold_cause(pass, VIRTIO_MEM_CAUSE_NO_BB);
	return false;
}

/**
 * virtio_mem_plan_next() - decide the next step
 * @in: the situation
 * @t: the table
 * @cand: the candidates of this pass's scan; one is handed out for SHRINK
 * @pass: what this pass has learned; its cause is set when there is a reason
 *	to wait
 * @step: out: what to do
 *
 * Ends: every step that is reported either moves a BB towards the request or
 * holds something until the next pass.
 */
void virtio_mem_plan_next(const struct virtio_mem_situation *in,
			  const struct virtio_mem_bbt *t,
			  struct virtio_mem_candidates *cand,
			  struct virtio_mem_pass *pass,
			  struct virtio_mem_step *step)
{
	unsigned long want, own;

	memset(step, 0, sizeof(*step));
	step->type = VIRTIO_MEM_STEP_WAIT;
	if (in->answer_pending) {
		pass->cause = VIRTIO_MEM_CAUSE_DEV_SILENT;
		return;
	}
	want = virtio_mem_plan_want(in, t);
	own = owned(t);
	if (in->ending) {
		if (!in->unplug_all && own > want)
			plan_ending(in, t, pass, step, own - want);
		return;
	}
	if (in->unplug_all) {
		if (!pass->unplug_held)
			step->type = VIRTIO_MEM_STEP_UNPLUG_ALL;
		return;
	}
	if (t->count[VIRTIO_MEM_BB_ADDED] > want &&
	    unplug_can_wait(in, t, cand, pass) &&
	    plan_shrink(t, cand, pass, step,
			t->count[VIRTIO_MEM_BB_ADDED] - want)) {
		step->quick = t->count[VIRTIO_MEM_BB_PLUGGED];
		return;
	}
	if (plan_plugged(in, t, pass, step, want))
		return;
	if (own < want && plan_grow(in, t, pass, step, want - own))
		return;
	if (t->count[VIRTIO_MEM_BB_ADDED] > want &&
	    plan_shrink(t, cand, pass, step,
			t->count[VIRTIO_MEM_BB_ADDED] - want))
		return;
	memset(step, 0, sizeof(*step));
	if (own == want && !t->count[VIRTIO_MEM_BB_PLUGGED])
		step->type = VIRTIO_MEM_STEP_NONE;
	else
		step->type = VIRTIO_MEM_STEP_WAIT;
}

static void report_plug(struct virtio_mem_pass *pass,
			const struct virtio_mem_step *step,
			enum virtio_mem_cause cause)
{
	if (cause != VIRTIO_MEM_CAUSE_DEV_ERROR) {
		pass->plug_held = true;
		pass->cause = cause;
		return;
	}
	if (step->nr > 1) {
		/* One of them is bad: find out which. */
		pass->single = true;
		return;
	}
	hold_cause(pass, cause);
	if (++pass->refusals >= VIRTIO_MEM_MAX_REFUSALS)
		pass->plug_held = true;
}

static void report_unplug(struct virtio_mem_pass *pass,
			  const struct virtio_mem_step *step,
			  enum virtio_mem_cause cause)
{
	if (cause != VIRTIO_MEM_CAUSE_DEV_ERROR) {
		pass->unplug_held = true;
		pass->cause = cause;
		return;
	}
	if (step->nr > 1)
		pass->single = true;
	else
		hold_cause(pass, cause);
}

/**
 * virtio_mem_plan_report() - take in how a step ended
 * @pass: what this pass has learned
 * @step: the step
 * @cause: VIRTIO_MEM_CAUSE_NONE if it was done (or put off), else why not
 *
 * The caller has brought the table up to date: states; quarantine for a single
 * UNUSED BB that the device refused with ERROR or Linux refused to add;
 * "tried" for a single PLUGGED BB whose unplug ended in ERROR and for an ADDED
 * BB that stays.
 */
void virtio_mem_plan_report(struct virtio_mem_pass *pass,
			    const struct virtio_mem_step *step,
			    enum virtio_mem_cause cause)
{
	if (!cause) {
		if (step->type != VIRTIO_MEM_STEP_SCAN)
			pass->done += step->nr;
		return;
	}
	switch (step->type) {
	case VIRTIO_MEM_STEP_PLUG:
		report_plug(pass, step, cause);
		break;
	case VIRTIO_MEM_STEP_UNPLUG:
		report_unplug(pass, step, cause);
		break;
	case VIRTIO_MEM_STEP_UNPLUG_ALL:
		pass->unplug_held = true;
		pass->cause = cause;
		break;
	case VIRTIO_MEM_STEP_ADD:
		/* The next BB would meet the same, unless it was this BB. */
		if (cause != VIRTIO_MEM_CAUSE_ADD_FAILED)
			pass->add_held = true;
		hold_cause(pass, cause);
		break;
	case VIRTIO_MEM_STEP_SCAN:
		hold_cause(pass, cause);
		break;
	case VIRTIO_MEM_STEP_SHRINK:
		/* Later candidates only cost more. */
		if (cause == VIRTIO_MEM_CAUSE_PRESSURE ||
		    cause == VIRTIO_MEM_CAUSE_INTERRUPTED) {
			pass->shrink_held = true;
			pass->cause = cause;
		}
		hold_cause(pass, cause);
		break;
	case VIRTIO_MEM_STEP_NONE:
	case VIRTIO_MEM_STEP_WAIT:
		break;
	}
}

/**
 * virtio_mem_backoff_reset() - something has changed: start over
 * @b: the back-off
 */
void virtio_mem_backoff_reset(struct virtio_mem_backoff *b)
{
	b->delay_ms = 0;
}

/**
 * virtio_mem_backoff_next() - how long to wait before the next retry
 * @b: the back-off
 *
 * Grows by a quarter each time: the wait stays about a fifth of the time that
 * has passed since the first try, so that a request is met soon after it can
 * be, at little cost.
 *
 * Return: ms, VIRTIO_MEM_RETRY_MIN_MS to VIRTIO_MEM_RETRY_MAX_MS.
 */
u32 virtio_mem_backoff_next(struct virtio_mem_backoff *b)
{
	b->delay_ms = clamp_t(u32, b->delay_ms + b->delay_ms / 4,
			      VIRTIO_MEM_RETRY_MIN_MS, VIRTIO_MEM_RETRY_MAX_MS);
	return b->delay_ms;
}

/**
 * virtio_mem_backoff_rest() - let others get on after long tries
 * @delay_ms: from virtio_mem_backoff_next()
 * @spent_ms: how long tries of the last pass took that came to nothing
 *
 * Such a try may hold the locks of memory hotplug until its deadline.  They are
 * held for half of the time at most.
 *
 * Return: ms, up to VIRTIO_MEM_RETRY_MAX_MS.
 */
u32 virtio_mem_backoff_rest(u32 delay_ms, u64 spent_ms)
{
	return min_t(u64, max_t(u64, delay_ms, spent_ms),
		     VIRTIO_MEM_RETRY_MAX_MS);
}

/**
 * virtio_mem_plan_look_ms() - how often to look while resting
 * @delay_ms: the rest
 *
 * Return: ms between two looks; they cost some microseconds each.
 */
u32 virtio_mem_plan_look_ms(u32 delay_ms)
{
	return clamp_t(u32, delay_ms / 8, VIRTIO_MEM_LOOK_MIN_MS,
		       VIRTIO_MEM_LOOK_MAX_MS);
}

/**
 * virtio_mem_plan_eased() - whether the guest has got memory that it lacked
 * @cause: why the last pass has not met the request
 * @then: what it had left at that time, or the least since; is lowered
 * @now: what it has left now
 * @bb_pages: pages in a big block
 *
 * Migration that fails for lack of memory looks like pages that are held.
 *
 * Return: true if another pass may get further.
 */
bool virtio_mem_plan_eased(enum virtio_mem_cause cause,
			   struct virtio_mem_pressure *then,
			   const struct virtio_mem_pressure *now,
			   unsigned long bb_pages)
{
	unsigned long much = bb_pages / 8;
	bool eased;

	if (cause != VIRTIO_MEM_CAUSE_PRESSURE &&
	    cause != VIRTIO_MEM_CAUSE_NOMEM &&
	    cause != VIRTIO_MEM_CAUSE_PINNED &&
	    cause != VIRTIO_MEM_CAUSE_DEADLINE)
		return false;
	eased = now->available >= then->available + much ||
		now->kernel_avail >= then->kernel_avail + much;
	then->available = min(then->available, now->available);
	then->kernel_avail = min(then->kernel_avail, now->kernel_avail);
	return eased;
}

/**
 * virtio_mem_plan_believes() - whether a page that looks held is taken for held
 * @found_s: when a try that failed found it held, in s
 * @now_s: now
 *
 * The look can be wrong: so the big block is tried again now and then.
 *
 * Return: true for VIRTIO_MEM_BELIEVED_S, and false if the clock has wrapped.
 */
bool virtio_mem_plan_believes(unsigned long found_s, unsigned long now_s)
{
	return now_s - found_s < VIRTIO_MEM_BELIEVED_S;
}

static const struct {
	const char *token;
	const char *text;
} causes[VIRTIO_MEM_CAUSE_NR] = {
	[VIRTIO_MEM_CAUSE_NONE] = { "-", "none" },
	[VIRTIO_MEM_CAUSE_DEV_NACK] = {
		"nack", "the device refuses (NACK)" },
	[VIRTIO_MEM_CAUSE_DEV_ERROR] = {
		"error", "the device answers ERROR" },
	[VIRTIO_MEM_CAUSE_NOMEM] = {
		"nomem", "the guest lacks free memory for it" },
	[VIRTIO_MEM_CAUSE_ADD_FAILED] = {
		"add-failed", "Linux refuses to add the memory" },
	[VIRTIO_MEM_CAUSE_UNMOVABLE] = {
		"unmovable", "unmovable kernel pages are in the way" },
	[VIRTIO_MEM_CAUSE_HUGETLB] = {
		"hugetlb", "a gigantic hugetlb page is in the way" },
	[VIRTIO_MEM_CAUSE_PINNED] = {
		"pinned", "pages are pinned or could not be migrated" },
	[VIRTIO_MEM_CAUSE_VETO] = {
		"veto", "offlining was refused" },
	[VIRTIO_MEM_CAUSE_DEADLINE] = {
		"deadline", "offlining took longer than allowed" },
	[VIRTIO_MEM_CAUSE_KEPT_ONLINE] = {
		"kept-online", "memory is online and unplug_online is off" },
	[VIRTIO_MEM_CAUSE_FOREIGN] = {
		"foreign", "the memory was not added by this driver as a whole" },
	[VIRTIO_MEM_CAUSE_HOTPLUG] = {
		"hotplug", "user space is onlining or offlining it" },
	[VIRTIO_MEM_CAUSE_OUTSIDE] = {
		"outside", "the device's usable region has become too small" },
	[VIRTIO_MEM_CAUSE_INTERRUPTED] = {
		"interrupted", "given up for something newer" },
	[VIRTIO_MEM_CAUSE_PRESSURE] = {
		"pressure", "what is in use would not fit into the memory left" },
	[VIRTIO_MEM_CAUSE_DEV_BUSY] = {
		"busy", "the device is busy" },
	[VIRTIO_MEM_CAUSE_DEV_SILENT] = {
		"no-answer", "the device does not answer" },
	[VIRTIO_MEM_CAUSE_ONLINE_LIMIT] = {
		"online-limit", "added memory waits to be onlined" },
	[VIRTIO_MEM_CAUSE_NO_BB] = {
		"no-block", "no big block is left that could be used" },
};

/**
 * virtio_mem_cause_text() - a cause as people read it
 * @cause: the cause
 *
 * Return: a constant string, the middle of a sentence.
 */
const char *virtio_mem_cause_text(enum virtio_mem_cause cause)
{
	return cause < VIRTIO_MEM_CAUSE_NR ? causes[cause].text : "?";
}

/**
 * virtio_mem_cause_token() - a cause as tools read it
 * @cause: the cause
 *
 * Return: a constant string without white space.
 */
const char *virtio_mem_cause_token(enum virtio_mem_cause cause)
{
	return cause < VIRTIO_MEM_CAUSE_NR ? causes[cause].token : "?";
}
