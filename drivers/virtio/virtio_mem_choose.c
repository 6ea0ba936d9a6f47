// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PURE: chooses which big block goes next, how, for how long, and whether the
 * guest can do without it; and how much memory growing needs.  It never acts.
 *
 * A scan only orders candidates and forbids none.  virtio_mem_choose_stays()
 * forbids by a state and by the user's word; virtio_mem_choose_fit() forbids by
 * one number, because the guest must not run out of memory.
 */
#include "virtio_mem_choose.h"

/*
 * A rank consists of class, failed tries, unlikeliness and cost.  The tries
 * come before the likelihood, because otherwise a candidate that always fails
 * would keep all those behind it from being tried.
 */
#define RANK_CLASS_SHIFT	60
#define RANK_TRIES_SHIFT	48
#define RANK_TRIES_MAX		0xfffU
#define RANK_UNLIKELY_SHIFT	46
#define RANK_COST_MAX		(BIT_ULL(RANK_UNLIKELY_SHIFT) - 1)

/**
 * virtio_mem_choose_stays() - the cause that forbids to unplug a big block
 * @score: what a scan of it found
 * @usable: whether the device can unplug it (if not, offlining helps nobody)
 * @unplug_online: whether online big blocks may be unplugged
 *
 * Considers only known facts, never what a scan of pages suggests.
 *
 * Return: the cause, or VIRTIO_MEM_CAUSE_NONE.
 */
enum virtio_mem_cause
virtio_mem_choose_stays(const struct virtio_mem_score *score, bool usable,
			bool unplug_online)
{
	if (!usable)
		return VIRTIO_MEM_CAUSE_OUTSIDE;
	if (score->online_pages && !unplug_online)
		return VIRTIO_MEM_CAUSE_KEPT_ONLINE;
	return VIRTIO_MEM_CAUSE_NONE;
}

static unsigned int lasts(enum virtio_mem_cause cause)
{
	switch (cause) {
	case VIRTIO_MEM_CAUSE_UNMOVABLE:
		return 2;
	case VIRTIO_MEM_CAUSE_HUGETLB:
		return 1;
	default:
		return 0;
	}
}

/**
 * virtio_mem_choose_stuck() - count pages that are in use and not movable
 * @score: the score of their big block
 * @pfn: the first of them
 * @nr: how many
 * @cause: why they are not movable
 *
 * The score names the cause that lasts longest, because a big block with pins
 * and a page of the kernel stays when the pins have gone.
 */
void virtio_mem_choose_stuck(struct virtio_mem_score *score, unsigned long pfn,
			     unsigned long nr, enum virtio_mem_cause cause)
{
	if (!score->stuck_pages || lasts(cause) > lasts(score->stuck_cause)) {
		score->stuck_cause = cause;
		score->stuck_same = 0;
		score->stuck_pfn = pfn;
	}
	if (cause == score->stuck_cause)
		score->stuck_same += nr;
	score->stuck_pages += nr;
}

/**
 * virtio_mem_choose_doubt() - why a try would probably fail
 * @score: what a scan of the big block found
 * @past: what earlier scans and tries found
 *
 * Return: the cause, or VIRTIO_MEM_CAUSE_NONE if nothing speaks against it.
 */
enum virtio_mem_cause
virtio_mem_choose_doubt(const struct virtio_mem_score *score,
			const struct virtio_mem_history *past)
{
	if (score->stuck_pages)
		return score->stuck_cause;
	if (past->held)
		return VIRTIO_MEM_CAUSE_PINNED;
	return VIRTIO_MEM_CAUSE_NONE;
}

/**
 * virtio_mem_choose_reason() - why a try has failed, as exactly as is known
 * @score: what a scan of the big block found
 * @past: what earlier scans and tries found
 * @cause: what the core says
 *
 * A doubt replaces the core's cause, because the core can't tell which page was
 * in the way, it says "no memory" for a gigantic page, and a doubtful try runs
 * out of less time than the user allows.
 *
 * Return: the cause.
 */
enum virtio_mem_cause
virtio_mem_choose_reason(const struct virtio_mem_score *score,
			 const struct virtio_mem_history *past,
			 enum virtio_mem_cause cause)
{
	enum virtio_mem_cause doubt = virtio_mem_choose_doubt(score, past);

	if (doubt && (cause == VIRTIO_MEM_CAUSE_PINNED ||
		      cause == VIRTIO_MEM_CAUSE_DEADLINE))
		return doubt;
	if (doubt == VIRTIO_MEM_CAUSE_HUGETLB &&
	    cause == VIRTIO_MEM_CAUSE_NOMEM)
		return doubt;
	return cause;
}

/* Pins may go at any moment; the kernel hardly ever frees its own pages. */
static u64 unlikely_by(enum virtio_mem_cause doubt,
		       const struct virtio_mem_history *past)
{
	if (doubt != VIRTIO_MEM_CAUSE_PINNED)
		return 2;
	return past->held ? 0 : 1;
}

/**
 * virtio_mem_choose_rank() - the cost of taking a big block out of Linux
 * @score: what a scan of it found
 * @past: what earlier scans and tries found
 *
 * Offline BBs come first, then wholly free ones, then those with the fewest
 * pages to migrate; among equals ZONE_MOVABLE comes first.  A held or busy page
 * adds a quarter of a big block to the cost, because it may be let go at once
 * or never.  A BB that has failed by a cause that no scan can see comes after
 * the others, because it may be nearly empty by now and would always come
 * first.
 *
 * Return: smaller is cheaper.
 */
u64 virtio_mem_choose_rank(const struct virtio_mem_score *score,
			   const struct virtio_mem_history *past)
{
	enum virtio_mem_cause doubt = virtio_mem_choose_doubt(score, past);
	u64 class = VIRTIO_MEM_CLASS_USED, tries = past->tries, unlikely = 0;
	u64 cost = score->used_pages + score->stuck_pages;

	if (score->held_pages || score->busy_pages)
		cost += score->online_pages / VIRTIO_MEM_HELD_SHARE;
	if (doubt) {
		class = VIRTIO_MEM_CLASS_DOUBTED;
		unlikely = unlikely_by(doubt, past);
	} else if (tries) {
		class = VIRTIO_MEM_CLASS_FAILED;
	} else if (!score->online_pages) {
		class = VIRTIO_MEM_CLASS_OFFLINE;
	} else if (!cost) {
		class = VIRTIO_MEM_CLASS_FREE;
	}
	return class << RANK_CLASS_SHIFT |
	       min_t(u64, tries, RANK_TRIES_MAX) << RANK_TRIES_SHIFT |
	       unlikely << RANK_UNLIKELY_SHIFT |
	       min_t(u64, cost << 1 | score->kernel_zone, RANK_COST_MAX);
}

/**
 * virtio_mem_choose_class() - the class of a rank
 * @rank: from virtio_mem_choose_rank()
 *
 * Return: the class.
 */
enum virtio_mem_class virtio_mem_choose_class(u64 rank)
{
	return rank >> RANK_CLASS_SHIFT;
}

/**
 * virtio_mem_choose_confirms() - whether to find out first if a page is held
 * @score: what a scan of the big block found
 * @past: what earlier scans and tries found
 *
 * Most references that a scan takes for a hold are those of the CPUs' batches.
 * Draining the batches costs less than moving all other pages in vain.  Outside
 * of ZONE_MOVABLE some held pages can move (rings of AIO), so nothing is
 * confirmed there.
 *
 * Return: true if the worker shall find out.
 */
bool virtio_mem_choose_confirms(const struct virtio_mem_score *score,
				const struct virtio_mem_history *past)
{
	return score->held_pages && !score->kernel_zone && !past->held &&
	       !score->stuck_pages;
}

/**
 * virtio_mem_choose_finding() - evaluate the scan of a big block
 * @score: what the scan found
 * @past: what earlier scans and tries found
 * @usable: whether the device can unplug it
 * @unplug_online: whether online big blocks may be unplugged
 * @f: out
 *
 * The cause of a failed try stays valid; the finding of an earlier scan does
 * not.
 */
void virtio_mem_choose_finding(const struct virtio_mem_score *score,
			       const struct virtio_mem_history *past,
			       bool usable, bool unplug_online,
			       struct virtio_mem_finding *f)
{
	memset(f, 0, sizeof(*f));
	f->cause = virtio_mem_choose_stays(score, usable, unplug_online);
	f->stays = f->cause;
	if (!f->stays)
		f->cause = virtio_mem_choose_doubt(score, past);
	f->keep = f->cause ? f->cause : past->cause;
	if (virtio_mem_choose_confirms(score, past))
		f->suspect_pfn = score->held_pfn;
}

/**
 * virtio_mem_choose_verdict() - decide what to do with a big block in its turn
 * @score: what a fresh scan of it found, as the last one may be long ago
 * @past: what earlier scans and tries found
 * @turn: the conditions of its turn
 * @cause: out: why it is put off or stays; NONE if it is only not quick
 *
 * The cost comes first: a BB that costs more than its turn allows is put off
 * behind those that are cheaper now.  The causes that forbid come second.
 *
 * Return: the verdict.
 */
enum virtio_mem_verdict
virtio_mem_choose_verdict(const struct virtio_mem_score *score,
			  const struct virtio_mem_history *past,
			  const struct virtio_mem_turn *turn,
			  enum virtio_mem_cause *cause)
{
	*cause = VIRTIO_MEM_CAUSE_NONE;
	if (turn->quick && score->used_pages + score->stuck_pages)
		return VIRTIO_MEM_VERDICT_PUT_OFF;
	if (!turn->doubted) {
		if (!turn->confirmed && virtio_mem_choose_confirms(score, past))
			return VIRTIO_MEM_VERDICT_CONFIRM;
		*cause = virtio_mem_choose_doubt(score, past);
		if (*cause)
			return VIRTIO_MEM_VERDICT_PUT_OFF;
	}
	*cause = virtio_mem_choose_stays(score, turn->usable,
					 turn->unplug_online);
	if (!*cause && !turn->fits)
		*cause = VIRTIO_MEM_CAUSE_PRESSURE;
	return *cause ? VIRTIO_MEM_VERDICT_STAYS : VIRTIO_MEM_VERDICT_TRY;
}

/**
 * virtio_mem_choose_method() - choose how to take a big block out of Linux
 * @score: what a scan of it found
 * @safe: bbm_safe_unplug
 * @blocks: memory blocks in a big block
 *
 * Offlining moves the pages in use, but it holds the locks of memory hotplug
 * meanwhile, no signal ends its wait for a page under writeback, and it retries
 * a held page until the deadline.  Taking the pages does none of this, but it
 * zeroes all of them where init_on_alloc is on (Debian's default), so that the
 * host backs memory that is about to be unplugged.  Sweeping moves the pages in
 * use and takes none.  Others can use the swept pages again until they are
 * offline, in the kernel's zones also for data that can't move; so sweeping is
 * not for kernel zones with several memory blocks, because there it takes long
 * until all are offline.  Taking fails for a poisoned page, while offlining
 * skips it.
 *
 * Return: the method.
 */
enum virtio_mem_method
virtio_mem_choose_method(const struct virtio_mem_score *score, bool safe,
			 unsigned long blocks)
{
	if (!safe && !score->busy_pages)
		return VIRTIO_MEM_METHOD_OFFLINE;
	if (!score->used_pages && !score->stuck_pages)
		return VIRTIO_MEM_METHOD_DIRECT;
	if (score->kernel_zone && score->poisoned_pages && !score->busy_pages)
		return VIRTIO_MEM_METHOD_DIRECT;
	if (score->stuck_pages || (score->kernel_zone && blocks > 1))
		return VIRTIO_MEM_METHOD_TAKE;
	return VIRTIO_MEM_METHOD_SWEEP;
}

/**
 * virtio_mem_choose_swap() - how much memory free swap is worth
 * @p: what memory the guest has left
 *
 * Free swap is worth no more than there is to swap out, and half of that where
 * swapping out takes memory, too (zram, zswap).
 *
 * Return: pages.
 */
unsigned long virtio_mem_choose_swap(const struct virtio_mem_pressure *p)
{
	unsigned long worth = min(p->swap_free, p->anon);

	return p->swap_is_memory ? worth / VIRTIO_MEM_ZSWAP_SHARE : worth;
}

static unsigned long less(unsigned long a, unsigned long b)
{
	return a > b ? a - b : 0;
}

static unsigned long reserve_pages(const struct virtio_mem_pressure *p,
				   unsigned long mib_pages, int reserve_mib)
{
	if (reserve_mib > 0)
		return reserve_mib * mib_pages;
	return clamp(p->total / VIRTIO_MEM_RESERVE_SHARE,
		     VIRTIO_MEM_RESERVE_MIN_MIB * mib_pages,
		     VIRTIO_MEM_RESERVE_MAX_MIB * mib_pages);
}

/**
 * virtio_mem_choose_fit() - whether the guest can do without a big block
 * @score: what a scan of the big block found
 * @p: what memory the guest has left
 * @mib_pages: pages in a MiB
 * @reserve_mib: MiB that must be left; 0: nothing must; below 0: the driver's
 *	own number, see VIRTIO_MEM_RESERVE_SHARE
 * @fit: out: whether it can, and the figure that decides
 *
 * The guest loses the pages of the big block.  It keeps all other memory that
 * is free, that reclaim can free (page cache of all zones and lists,
 * reclaimable slab), or that can be swapped out.  The core moves pages of a
 * kernel zone to kernel zones only, so these must keep a part of the reserve if
 * the big block has such pages.  Pages of ZONE_MOVABLE need no such check,
 * because they spill over into the kernel's zones only when all else is in use,
 * and then all memory that is left is there anyway.
 */
void virtio_mem_choose_fit(const struct virtio_mem_score *score,
			   const struct virtio_mem_pressure *p,
			   unsigned long mib_pages, int reserve_mib,
			   struct virtio_mem_fit *fit)
{
	unsigned long have = p->available + virtio_mem_choose_swap(p);

	memset(fit, 0, sizeof(*fit));
	fit->left = less(have, score->online_pages);
	fit->reserve = reserve_pages(p, mib_pages, reserve_mib);
	fit->fits = !reserve_mib || !score->online_pages ||
		    fit->left >= fit->reserve;
	if (!fit->fits || !score->kernel_pages || !reserve_mib)
		return;
	have = p->kernel_free + p->kernel_file +
	       min(virtio_mem_choose_swap(p), p->kernel_anon);
	fit->kernel = true;
	fit->left = less(have, score->kernel_pages);
	fit->reserve /= VIRTIO_MEM_KERNEL_SHARE;
	fit->fits = fit->left >= fit->reserve;
}

/**
 * virtio_mem_choose_is_swept() - whether a swept big block can be offlined
 * @score: what a scan found after sweeping
 *
 * Offlining moves the few pages that others may have allocated since.  But it
 * would wait for held and busy pages with all locks held.
 *
 * Return: true if it can be offlined directly.
 */
bool virtio_mem_choose_is_swept(const struct virtio_mem_score *score)
{
	return !score->stuck_pages && !score->held_pages &&
	       !score->busy_pages &&
	       score->used_pages <= score->online_pages / VIRTIO_MEM_SWEPT_SHARE;
}

/**
 * virtio_mem_choose_ms() - how long an unplug may take
 * @ms: how long the user allows
 * @doubted: a scan advises against it
 *
 * Return: ms.
 */
unsigned int virtio_mem_choose_ms(unsigned int ms, bool doubted)
{
	return doubted ? min(ms, VIRTIO_MEM_DOUBT_TRY_MS) : ms;
}

/**
 * virtio_mem_choose_times() - share out the time for one unplug
 * @method: how it begins
 * @ms: how long it may take in all
 * @blocks: memory blocks in a big block
 * @t: out
 *
 * Direct offlining gets little time where taking may follow, because it holds
 * the locks of all memory hotplug and would hold them for long if somebody has
 * come to hold a page since the scan.
 */
void virtio_mem_choose_times(enum virtio_mem_method method, unsigned int ms,
			     unsigned long blocks, struct virtio_mem_times *t)
{
	unsigned int try = ms / VIRTIO_MEM_TRY_SHARE;

	t->taken = ms / VIRTIO_MEM_OFFLINE_SHARE;
	t->empty = ms - t->taken - try;
	t->direct = method == VIRTIO_MEM_METHOD_OFFLINE ? t->taken :
		    min_t(u64, try, (u64)VIRTIO_MEM_TRY_MAX_MS * blocks);
}

/**
 * virtio_mem_choose_again() - whether to try once more to empty a run of pages
 * @attempt: how many attempts there were
 * @held: the page that a scan found held still is
 *
 * A page that was held before a failed attempt and still is would make the next
 * one fail, too.
 *
 * Return: true if another attempt may follow.
 */
bool virtio_mem_choose_again(unsigned int attempt, bool held)
{
	return attempt < VIRTIO_MEM_TAKE_ATTEMPTS && !(attempt && held);
}

/**
 * virtio_mem_choose_take_after() - whether to take the pages after a failure
 * @method: the method that has failed
 * @cause: why it has failed
 * @left_ms: time that is left for taking
 *
 * Return: true if taking may succeed all the same.
 */
bool virtio_mem_choose_take_after(enum virtio_mem_method method,
				  enum virtio_mem_cause cause,
				  unsigned int left_ms)
{
	if (method != VIRTIO_MEM_METHOD_DIRECT &&
	    method != VIRTIO_MEM_METHOD_SWEEP)
		return false;
	return left_ms && cause != VIRTIO_MEM_CAUSE_INTERRUPTED &&
	       cause != VIRTIO_MEM_CAUSE_NOMEM;
}

/**
 * virtio_mem_choose_remembers() - whether a failed try says something of its BB
 * @cause: why it failed
 *
 * Return: false if an unrelated event ended the try.
 */
bool virtio_mem_choose_remembers(enum virtio_mem_cause cause)
{
	return cause != VIRTIO_MEM_CAUSE_INTERRUPTED &&
	       cause != VIRTIO_MEM_CAUSE_HOTPLUG;
}

/**
 * virtio_mem_choose_takes() - how much memory adding a big block takes
 * @memmap_pages: pages of its memmap
 *
 * Return: pages of the kernel's zones, with page tables and block devices.
 */
unsigned long virtio_mem_choose_takes(unsigned long memmap_pages)
{
	return memmap_pages + memmap_pages / VIRTIO_MEM_ROOM_SHARE +
	       VIRTIO_MEM_ROOM_PAGES;
}

/* Page tables that the guest needs to use the memory in ZONE_MOVABLE. */
static unsigned long tables(unsigned long mib_pages,
			    const struct virtio_mem_pressure *p)
{
	unsigned long share = VIRTIO_MEM_ROOM_TABLES_SHARE / mib_pages;

	return min(less(p->movable_total / share,
			VIRTIO_MEM_ROOM_TABLES_FREE_MIB * mib_pages),
		   VIRTIO_MEM_ROOM_TABLES_MAX_MIB * mib_pages);
}

/**
 * virtio_mem_choose_need() - how much memory must be there to add a big block
 * @memmap_pages: pages of its memmap
 * @mib_pages: pages in a MiB
 * @p: what memory the guest has
 *
 * The need consists of the memmap, page tables and memory block devices, and of
 * page tables to use the memory in ZONE_MOVABLE.
 *
 * Return: pages of the kernel's zones.
 */
unsigned long virtio_mem_choose_need(unsigned long memmap_pages,
				     unsigned long mib_pages,
				     const struct virtio_mem_pressure *p)
{
	return virtio_mem_choose_takes(memmap_pages) + tables(mib_pages, p);
}

/**
 * virtio_mem_choose_has() - how much memory reclaim can find at most
 * @p: what memory the guest has
 *
 * The driver tries nothing if a big block takes more than this, because whoever
 * takes the last memory, even for a moment, makes others call the OOM killer.
 * The answer is certain, because it is a sum of counters and not a scan of
 * pages.
 *
 * Return: pages above the minimum watermarks, free, page cache or swappable.
 */
unsigned long virtio_mem_choose_has(const struct virtio_mem_pressure *p)
{
	/* Compressed swap counts in full, because nobody knows what it saves. */
	return p->kernel_room + p->kernel_file +
	       min(p->swap_free, p->kernel_anon);
}

/**
 * virtio_mem_choose_plenty() - whether adding a big block finds enough free
 * @memmap_pages: pages that the memmap of one big block takes
 * @mib_pages: pages in a MiB
 * @p: what memory the guest has left
 *
 * Return: true if nothing has to be reclaimed first.
 */
bool virtio_mem_choose_plenty(unsigned long memmap_pages,
			      unsigned long mib_pages,
			      const struct virtio_mem_pressure *p)
{
	return p->kernel_free >= VIRTIO_MEM_ROOM_PLENTY *
				 virtio_mem_choose_need(memmap_pages,
							mib_pages, p) +
				 VIRTIO_MEM_ROOM_PLENTY_MIB * mib_pages;
}

/**
 * virtio_mem_choose_room() - how many big blocks to plug at a time
 * @memmap_pages: pages that the memmap of one takes
 * @mib_pages: pages in a MiB
 * @p: what memory the guest has left
 *
 * Limits the plugging, because the worker must unplug again all that it can't
 * add.  The limit never forbids: one big block is always worth a try.
 *
 * Return: big blocks, at least one.
 */
unsigned long virtio_mem_choose_room(unsigned long memmap_pages,
				     unsigned long mib_pages,
				     const struct virtio_mem_pressure *p)
{
	unsigned long have = p->kernel_free +
			     p->kernel_file / VIRTIO_MEM_ROOM_FILE_SHARE;

	return max(1UL, less(have, tables(mib_pages, p)) /
			virtio_mem_choose_takes(memmap_pages));
}

/**
 * virtio_mem_candidates_reset() - drop all candidates before a new scan
 * @cand: the candidates
 */
void virtio_mem_candidates_reset(struct virtio_mem_candidates *cand)
{
	if (!cand->c) {
		cand->c = cand->few;
		cand->capacity = VIRTIO_MEM_FEW_CANDIDATES;
	}
	cand->nr = 0;
	cand->next = 0;
	cand->cheap = 0;
	cand->early = false;
	cand->full = false;
}

/**
 * virtio_mem_candidates_replace() - give the candidates a larger buffer
 * @cand: the candidates, just reset
 * @buf: new buffer; NULL for the small one that is always there
 * @capacity: candidates that fit into @buf
 *
 * Return: the old buffer, for the caller to free; NULL if it was the small one.
 */
struct virtio_mem_candidate *
virtio_mem_candidates_replace(struct virtio_mem_candidates *cand,
			      struct virtio_mem_candidate *buf,
			      unsigned long capacity)
{
	struct virtio_mem_candidate *old = cand->c;

	cand->c = buf ? buf : cand->few;
	cand->capacity = buf ? capacity : VIRTIO_MEM_FEW_CANDIDATES;
	return old == cand->few ? NULL : old;
}

static bool is_cheap(const struct virtio_mem_candidate *c)
{
	return virtio_mem_choose_class(c->rank) < VIRTIO_MEM_CLASS_USED;
}

/* The dearest candidate, which a cheaper one replaces if there is no room. */
static struct virtio_mem_candidate *
dearest(const struct virtio_mem_candidates *cand)
{
	unsigned long i, worst = 0;

	for (i = 1; i < cand->nr; i++)
		if (cand->c[i].rank >= cand->c[worst].rank)
			worst = i;
	return &cand->c[worst];
}

/**
 * virtio_mem_candidates_offer() - keep a big block, if it fits or is cheap
 * @cand: the candidates, not sorted yet
 * @c: the big block
 */
void virtio_mem_candidates_offer(struct virtio_mem_candidates *cand,
				 const struct virtio_mem_candidate *c)
{
	struct virtio_mem_candidate *place = &cand->c[cand->nr];

	if (cand->nr == cand->capacity) {
		cand->full = true;
		place = dearest(cand);
		if (c->rank >= place->rank)
			return;
		cand->cheap -= is_cheap(place);
		cand->nr--;
	}
	*place = *c;
	cand->nr++;
	cand->cheap += is_cheap(c);
}

/**
 * virtio_mem_candidates_put_off() - take back the candidate handed out last
 * @cand: the candidates, sorted
 * @c: the candidate, with its present cost
 *
 * The plan hands it out again after those that are cheaper.
 */
void virtio_mem_candidates_put_off(struct virtio_mem_candidates *cand,
				   const struct virtio_mem_candidate *c)
{
	unsigned long i;

	if (!cand->next)
		return;
	cand->next--;
	for (i = cand->next; i + 1 < cand->nr && cand->c[i + 1].rank <= c->rank;
	     i++)
		cand->c[i] = cand->c[i + 1];
	cand->c[i] = *c;
}

static int by_rank(const void *a, const void *b)
{
	const struct virtio_mem_candidate *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->first != y->first)
		return x->first ? -1 : 1;
	return x->id > y->id ? -1 : 1;
}

/**
 * virtio_mem_candidates_sort() - sort the candidates of a scan, cheapest first
 * @cand: the candidates
 *
 * Among equals the one that leaves a gap comes first, then the one with the
 * highest address.
 */
void virtio_mem_candidates_sort(struct virtio_mem_candidates *cand)
{
	sort(cand->c, cand->nr, sizeof(*cand->c), by_rank, NULL);
}

/**
 * virtio_mem_candidates_enough() - whether a scan can stop
 * @cand: the candidates
 * @nr: how many big blocks are to go
 * @any_offline: some memory is offline, and goes first wherever it is
 *
 * Return: true if @nr candidates are kept that cost no migration at all.
 */
bool virtio_mem_candidates_enough(const struct virtio_mem_candidates *cand,
				  unsigned long nr, bool any_offline)
{
	return nr && !any_offline && cand->cheap >= nr;
}
