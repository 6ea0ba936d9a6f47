// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PURE: decides the next step from sizes, table and candidates, takes in how it
 * ended, and tells when a long call has become needless.  It never acts.
 */
#include "virtio_mem_plan.h"

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
 * virtio_mem_plan_needless() - whether unplugging one more would be too much
 * @requested: bytes that the hypervisor wants
 * @plugged: bytes that are plugged, as the device says
 * @bb_size: bytes in a big block
 *
 * Return: true if a long call that unplugs one had better end.
 */
bool virtio_mem_plan_needless(u64 requested, u64 plugged, u64 bb_size)
{
	return requested + bb_size > plugged;
}

/**
 * virtio_mem_pass_begin() - forget all that the last pass has learned
 * @pass: the pass
 *
 * The caller also calls virtio_mem_bbt_clear_tried().
 */
void virtio_mem_pass_begin(struct virtio_mem_pass *pass)
{
	memset(pass, 0, sizeof(*pass));
}

/**
 * virtio_mem_pass_unfit() - record that the guest can't do without a big block
 * @pass: the pass
 * @c: the big block; the pass excludes all of its class that are as large
 */
void virtio_mem_pass_unfit(struct virtio_mem_pass *pass,
			   const struct virtio_mem_candidate *c)
{
	unsigned long *unfit = &pass->unfit[c->kernel_zone];

	if (!*unfit || c->online_pages < *unfit)
		*unfit = c->online_pages;
}

/**
 * virtio_mem_pass_is_unfit() - whether the guest can't do without a big block
 * @pass: the pass
 * @c: the big block
 *
 * Return: true if virtio_mem_pass_unfit() excludes it.
 */
bool virtio_mem_pass_is_unfit(const struct virtio_mem_pass *pass,
			      const struct virtio_mem_candidate *c)
{
	unsigned long unfit = pass->unfit[c->kernel_zone];

	return unfit && c->online_pages >= unfit;
}

static void hold_cause(struct virtio_mem_pass *pass,
		       enum virtio_mem_cause cause)
{
	if (!pass->cause)
		pass->cause = cause;
}

/*
 * Adds plugged big blocks first, because plugged memory alone helps nobody.
 * Keeps wanted ones plugged while too much added memory waits to be onlined.
 */
static bool plan_add(const struct virtio_mem_situation *in,
		     const struct virtio_mem_bbt *t,
		     struct virtio_mem_pass *pass,
		     struct virtio_mem_step *step, unsigned long want)
{
	if (pass->add_held || t->count[VIRTIO_MEM_BB_ADDED] >= want ||
	    !virtio_mem_bbt_run(t, VIRTIO_MEM_BB_PLUGGED, ULONG_MAX, 1,
				&step->first))
		return false;
	if (!in->online_room) {
		hold_cause(pass, VIRTIO_MEM_CAUSE_ONLINE_LIMIT);
		pass->plug_held = true;
		return false;
	}
	if (!in->add_trust) {
		hold_cause(pass, VIRTIO_MEM_CAUSE_ADD_FAILED);
		pass->add_held = true;
		return false;
	}
	step->type = VIRTIO_MEM_STEP_ADD;
	step->nr = 1;
	return true;
}

/* How many plugged big blocks go back though they could be added. */
static unsigned long surplus(const struct virtio_mem_bbt *t,
			     const struct virtio_mem_pass *pass,
			     unsigned long want)
{
	unsigned long own = owned(t);

	if (pass->add_held)
		return ULONG_MAX;
	return own > want ? own - want : 0;
}

static bool plan_give_back(const struct virtio_mem_situation *in,
			   const struct virtio_mem_bbt *t,
			   struct virtio_mem_pass *pass,
			   struct virtio_mem_step *step, unsigned long max)
{
	max = min(max, pass->single ? 1UL : in->max_run);
	if (pass->unplug_held)
		return false;
	step->nr = virtio_mem_bbt_quarantined(t, VIRTIO_MEM_BB_PLUGGED,
					      in->usable_bbs, &step->first);
	if (!step->nr && max)
		step->nr = virtio_mem_bbt_run(t, VIRTIO_MEM_BB_PLUGGED,
					      in->usable_bbs, max,
					      &step->first);
	if (step->nr)
		step->type = VIRTIO_MEM_STEP_UNPLUG;
	return step->nr;
}

/* Notes that a device has shrunk its usable region, which it should not do. */
static void heed_outside(const struct virtio_mem_situation *in,
			 const struct virtio_mem_bbt *t,
			 struct virtio_mem_pass *pass)
{
	unsigned long id = ULONG_MAX;
	bool any;

	any = virtio_mem_bbt_prev(t, VIRTIO_MEM_BB_PLUGGED, &id) &&
	      id >= in->usable_bbs;
	if (!any)
		any = virtio_mem_bbt_quarantined(t, VIRTIO_MEM_BB_PLUGGED,
						 ULONG_MAX, &id) &&
		      id >= in->usable_bbs;
	if (any)
		hold_cause(pass, VIRTIO_MEM_CAUSE_OUTSIDE);
}

/**
 * virtio_mem_plan_gap() - the big block that goes first among equals
 * @in: the situation
 * @t: the table
 *
 * Whenever a memory block comes to a zone or leaves it, the core looks from the
 * start of the zone on whether the zone has a hole, and stops at the first (up to
 * Linux 7.3).  A growth by thousands of big blocks without a hole takes quadratic
 * time.  So in a large region the BB above the lowest one is plugged last and
 * unplugged first.
 *
 * Return: its id, ULONG_MAX for none.
 */
unsigned long virtio_mem_plan_gap(const struct virtio_mem_situation *in,
				  const struct virtio_mem_bbt *t)
{
	unsigned long lowest = virtio_mem_bbt_lowest(t);

	return in->gap && lowest < ULONG_MAX ? lowest + 1 : ULONG_MAX;
}

/**
 * virtio_mem_plan_scan_next() - the next big block that a scan looks at
 * @t: the table
 * @gap: from virtio_mem_plan_gap()
 * @id: in: the one before, ULONG_MAX to begin; out: the next
 *
 * A scan goes down through the BBs that can go, because it often stops early.
 * That which goes first among equals is looked at first.
 *
 * Return: true if there is one.
 */
bool virtio_mem_plan_scan_next(const struct virtio_mem_bbt *t,
			       unsigned long gap, unsigned long *id)
{
	if (*id == ULONG_MAX && gap < ULONG_MAX) {
		*id = gap + 1;
		if (virtio_mem_bbt_prev(t, VIRTIO_MEM_BB_ADDED, id) &&
		    *id == gap)
			return true;
		*id = ULONG_MAX;
	}
	if (*id == gap)
		*id = ULONG_MAX;
	do {
		if (!virtio_mem_bbt_prev(t, VIRTIO_MEM_BB_ADDED, id))
			return false;
	} while (*id == gap);
	return true;
}

/* Finds BBs to plug, the lowest first, but that which leaves a gap last. */
static unsigned long unused_run(const struct virtio_mem_situation *in,
				const struct virtio_mem_bbt *t,
				unsigned long max, unsigned long *first)
{
	unsigned long end = in->usable_bbs, nr = 0;
	unsigned long gap = virtio_mem_bbt_gap(t);

	if (in->gap && gap < end) {
		nr = virtio_mem_bbt_run(t, VIRTIO_MEM_BB_UNUSED, gap, max,
					first);
		if (!nr)
			nr = virtio_mem_bbt_run_from(t, VIRTIO_MEM_BB_UNUSED,
						     gap + 1, end, max, first);
	}
	return nr ? : virtio_mem_bbt_run(t, VIRTIO_MEM_BB_UNUSED, end, max,
					 first);
}

static bool plan_grow(const struct virtio_mem_situation *in,
		      const struct virtio_mem_bbt *t,
		      struct virtio_mem_pass *pass,
		      struct virtio_mem_step *step, unsigned long need)
{
	unsigned long max = min(need, pass->single ? 1UL : in->max_run);

	if (pass->plug_held || pass->add_held)
		return false;
	if (!in->online_room) {
		hold_cause(pass, VIRTIO_MEM_CAUSE_ONLINE_LIMIT);
		return false;
	}
	if (!in->add_trust) {
		hold_cause(pass, VIRTIO_MEM_CAUSE_ADD_FAILED);
		return false;
	}
	max = min3(max, in->online_room, max(in->add_room, 1UL));
	max = min(max, in->add_trust);
	step->nr = unused_run(in, t, max, &step->first);
	if (!step->nr) {
		hold_cause(pass, VIRTIO_MEM_CAUSE_NO_BB);
		return false;
	}
	step->type = VIRTIO_MEM_STEP_PLUG;
	return true;
}

/* Whether the next candidate can go without moving any page. */
static bool next_is_cheap(const struct virtio_mem_bbt *t,
			  const struct virtio_mem_candidates *cand)
{
	unsigned long i = cand->next;

	return i < cand->nr &&
	       virtio_mem_choose_class(cand->c[i].rank) <
	       VIRTIO_MEM_CLASS_USED &&
	       virtio_mem_bbt_state(t, cand->c[i].id) == VIRTIO_MEM_BB_ADDED &&
	       !virtio_mem_bbt_tried(t, cand->c[i].id);
}

/*
 * Big blocks that have left Linux wait for others that are about to follow,
 * because one request can unplug several.  They wait neither for long nor for a
 * migration.
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

/*
 * Picks the next candidate to try.  Time for tries is bounded, and candidates
 * without any left wait for the next pass; a long scan alone does not use it
 * up.  Doubted ones have time of their own, because otherwise they would never
 * get a try where others fail all the time.  Failed and doubted ones come after
 * all others, also after those that a scan which stopped early has not seen.
 */
static const struct virtio_mem_candidate *
pick_candidate(const struct virtio_mem_situation *in,
	       const struct virtio_mem_bbt *t,
	       struct virtio_mem_candidates *cand, struct virtio_mem_pass *pass)
{
	bool late = pass->failed && in->failed_ms >= VIRTIO_MEM_PASS_FAILED_MS;

	for (; cand->next < cand->nr; cand->next++) {
		const struct virtio_mem_candidate *c = &cand->c[cand->next];
		enum virtio_mem_class class = virtio_mem_choose_class(c->rank);

		if (virtio_mem_bbt_state(t, c->id) != VIRTIO_MEM_BB_ADDED ||
		    virtio_mem_bbt_tried(t, c->id) ||
		    virtio_mem_pass_is_unfit(pass, c))
			continue;
		if (cand->early && !late && class >= VIRTIO_MEM_CLASS_FAILED)
			return NULL;
		if (class == VIRTIO_MEM_CLASS_DOUBTED ? in->may_doubt : !late) {
			cand->next++;
			return c;
		}
		pass->late |= class != VIRTIO_MEM_CLASS_DOUBTED;
		pass->denied |= class == VIRTIO_MEM_CLASS_DOUBTED;
	}
	return NULL;
}

/*
 * Whether another scan may find more.  Scans end, because none offers again
 * what this pass has tried or found unfit.
 */
static bool needs_scan(const struct virtio_mem_candidates *cand,
		       const struct virtio_mem_pass *pass)
{
	return !pass->scanned || (cand->early && !pass->late) ||
	       (cand->full && !pass->late && !pass->denied);
}

static bool plan_shrink(const struct virtio_mem_situation *in,
			const struct virtio_mem_bbt *t,
			struct virtio_mem_candidates *cand,
			struct virtio_mem_pass *pass,
			struct virtio_mem_step *step, unsigned long excess)
{
	const struct virtio_mem_candidate *c = NULL;

	if (pass->unplug_held || pass->shrink_held)
		return false;
	if (pass->scanned)
		c = pick_candidate(in, t, cand, pass);
	if (!c && needs_scan(cand, pass)) {
		pass->scanned = true;
		step->type = VIRTIO_MEM_STEP_SCAN;
		step->nr = excess;
		return true;
	}
	if (!c) {
		pass->shrink_held = true;
		hold_cause(pass, pass->doubt ? pass->doubt :
					       VIRTIO_MEM_CAUSE_NO_BB);
		return false;
	}
	step->type = VIRTIO_MEM_STEP_SHRINK;
	step->first = c->id;
	step->nr = 1;
	step->doubted = virtio_mem_choose_class(c->rank) ==
			VIRTIO_MEM_CLASS_DOUBTED;
	return true;
}

/**
 * virtio_mem_plan_next() - decide the next step
 * @in: the situation
 * @t: the table
 * @cand: the candidates of this pass's scan; SHRINK hands out one of them
 * @pass: what this pass has learned; its cause is set when there is a reason
 *	to wait
 * @step: out: the step
 *
 * A pass ends, because every reported step either moves a BB towards the
 * request or holds something until the next pass.
 */
void virtio_mem_plan_next(const struct virtio_mem_situation *in,
			  const struct virtio_mem_bbt *t,
			  struct virtio_mem_candidates *cand,
			  struct virtio_mem_pass *pass,
			  struct virtio_mem_step *step)
{
	unsigned long want, own, added = t->count[VIRTIO_MEM_BB_ADDED];

	memset(step, 0, sizeof(*step));
	step->type = VIRTIO_MEM_STEP_WAIT;
	if (in->answer_pending) {
		pass->cause = VIRTIO_MEM_CAUSE_DEV_SILENT;
		return;
	}
	want = virtio_mem_plan_want(in, t);
	own = owned(t);
	if (in->ending) {
		/* Give it to the host, because the guest has given it up. */
		if (!in->unplug_all && own > want)
			plan_give_back(in, t, pass, step, own - want);
		return;
	}
	if (in->unplug_all) {
		if (!pass->unplug_held)
			step->type = VIRTIO_MEM_STEP_UNPLUG_ALL;
		return;
	}
	if (added > want && unplug_can_wait(in, t, cand, pass) &&
	    plan_shrink(in, t, cand, pass, step, added - want)) {
		step->quick = t->count[VIRTIO_MEM_BB_PLUGGED];
		return;
	}
	if (plan_add(in, t, pass, step, want) ||
	    plan_give_back(in, t, pass, step, surplus(t, pass, want)))
		return;
	heed_outside(in, t, pass);
	if (own < want && plan_grow(in, t, pass, step, want - own))
		return;
	if (added > want &&
	    plan_shrink(in, t, cand, pass, step, added - want))
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
		/* Plug one by one, to find out which of them is bad. */
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
 * @cause: VIRTIO_MEM_CAUSE_NONE if it is done or put off, else why it is not
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
	if (!cause)
		return;
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
		/* The next BB would fail, too, unless only this BB is bad. */
		if (cause != VIRTIO_MEM_CAUSE_ADD_FAILED ||
		    ++pass->refusals >= VIRTIO_MEM_MAX_REFUSALS)
			pass->add_held = true;
		hold_cause(pass, cause);
		break;
	case VIRTIO_MEM_STEP_SCAN:
		/* Apart from pass->cause, because a try finds out more. */
		if (!pass->doubt)
			pass->doubt = cause;
		break;
	case VIRTIO_MEM_STEP_SHRINK:
		/* PRESSURE is no failed try, because nothing was tried. */
		if (cause != VIRTIO_MEM_CAUSE_PRESSURE)
			pass->failed = true;
		if (cause == VIRTIO_MEM_CAUSE_INTERRUPTED)
			pass->shrink_held = true;
		/* PRESSURE ends only its class, see pass->unfit. */
		if (cause == VIRTIO_MEM_CAUSE_PRESSURE ||
		    cause == VIRTIO_MEM_CAUSE_INTERRUPTED)
			pass->cause = cause;
		hold_cause(pass, cause);
		break;
	case VIRTIO_MEM_STEP_NONE:
	case VIRTIO_MEM_STEP_WAIT:
		break;
	}
}
