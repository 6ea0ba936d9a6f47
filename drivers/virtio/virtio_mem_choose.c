// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PURE: which big block goes next, how, for how long, and whether the guest
 * can do without it; what growing needs.  Never does.
 *
 * A look orders candidates; it forbids none.  What does is in
 * virtio_mem_choose_stays() and, against running out of memory, in
 * virtio_mem_choose_fit(): a state, the user's word, and one number.
 */
#include "virtio_mem_choose.h"

/*
 * A rank: class, failed tries, how unlikely, cost.  The tries come before the
 * likelihood, or those behind one that always fails would never be tried.
 */
#define RANK_CLASS_SHIFT	60
#define RANK_TRIES_SHIFT	48
#define RANK_TRIES_MAX		0xfffU
#define RANK_UNLIKELY_SHIFT	46
#define RANK_COST_MAX		(BIT_ULL(RANK_UNLIKELY_SHIFT) - 1)

/**
 * virtio_mem_choose_stays() - what forbids that a big block goes
 * @score: what a look at it found
 * @usable: whether the device can unplug it: else it would serve nobody
 * @unplug_online: whether online big blocks may be unplugged
 *
 * Only what is known, never what a look at pages suggests.
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

/**
 * virtio_mem_choose_doubt() - why a try would probably fail
 * @score: what a look at the big block found
 * @past: what earlier ones found
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
 * @score: what a look at the big block found
 * @past: what earlier ones found
 * @cause: what the core says
 *
 * The core can't tell what was in the way, and says that there is no memory for
 * a gigantic page; a doubtful try has less time than the user allows.
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

/* What is pinned may be let go at any moment, a kernel page hardly ever. */
static u64 unlikely_by(enum virtio_mem_cause doubt,
		       const struct virtio_mem_history *past)
{
	if (doubt != VIRTIO_MEM_CAUSE_PINNED)
		return 2;
	return past->held ? 0 : 1;
}

/**
 * virtio_mem_choose_rank() - what it costs to take a big block out of Linux
 * @score: what a look at it found
 * @past: what earlier looks and tries found
 *
 * Offline ones first, then wholly free ones, then those with the fewest pages
 * to migrate; among equals ZONE_MOVABLE first.  A page that is held or busy may
 * be let go at once or never: worth migrating a quarter of a big block instead.
 * One that has failed by a cause that no look can see may well be nearly empty
 * by now, and would always come first: so it waits until others were tried.
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
 * @score: what a look at the big block found
 * @past: what earlier looks and tries found
 *
 * Most references that a look takes for a hold are those of the CPUs' batches.
 * To drain these costs less than to move all the rest for nothing.  Outside of
 * ZONE_MOVABLE some pages can move that are held (rings of AIO).
 *
 * Return: true if so.
 */
bool virtio_mem_choose_confirms(const struct virtio_mem_score *score,
				const struct virtio_mem_history *past)
{
	return score->held_pages && !score->kernel_zone && !past->held &&
	       !score->stuck_pages;
}

/**
 * virtio_mem_choose_finding() - what a scan makes of a big block
 * @score: what a look at it found
 * @past: what earlier looks and tries found
 * @usable: whether the device can unplug it
 * @unplug_online: whether online big blocks may be unplugged
 * @f: out
 *
 * What a look found earlier is no reason any more; why a try has failed is.
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
 * virtio_mem_choose_verdict() - what to do with a big block whose turn it is
 * @score: what a look at it found just now: the scan may be long ago
 * @past: what earlier looks and tries found
 * @turn: what is asked of it
 * @cause: out: why it is put off or stays; NONE if it is only not quick
 *
 * First of all whether it costs more than its turn allows: what is dearer than
 * the scan thought comes after those that are cheaper now.  Then what forbids.
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
 * virtio_mem_choose_method() - how to take a big block out of Linux
 * @score: what a look at it found
 * @safe: bbm_safe_unplug
 * @blocks: memory blocks in a big block
 *
 * Offlining moves the pages in use, but holds the locks of memory hotplug the
 * while, waits for a page that is written back whatever signal comes, and goes
 * on about a page that is held until the deadline.  Taking the pages does none
 * of it, but zeroes all of them where init_on_alloc is on (Debian's default),
 * so that the host backs what is about to be unplugged.  Sweeping moves what is
 * in use, and takes nothing.  What it has emptied others can use again until it
 * is offline: in the kernel's zones for what can't move, so that there it must
 * not be long, as it is with several memory blocks.  Taking fails for a poisoned
 * page, offlining passes over it.
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
 * virtio_mem_choose_swap() - what free swap is worth
 * @p: what memory the guest has left
 *
 * No more than there is to swap out, and half of it where swapping out takes
 * memory, too (zram, zswap).
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
 * @score: what a look at the big block found
 * @p: what memory the guest has left
 * @mib_pages: pages in a MiB
 * @reserve_mib: MiB that must be left; 0: no matter what is; below 0: the
 *	driver's own number, see VIRTIO_MEM_RESERVE_SHARE
 * @fit: out: whether it can, and the figure that decides
 *
 * With the big block go its pages.  What is left then is all that is free, or
 * can be freed by reclaim (page cache of all zones and lists, reclaimable slab),
 * or swapped out.  What is in a kernel zone stays in these, as the core moves it,
 * so that these must keep a part of the reserve.  What spills over into them
 * from ZONE_MOVABLE does so because all else is in use: then what is left is
 * theirs anyway.
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
 * virtio_mem_choose_is_swept() - whether what is left can be offlined directly
 * @score: what a look found after sweeping
 *
 * Others may have allocated since, and offlining moves that; but neither what is
 * held nor what is busy, which it would wait for with all locks held.
 *
 * Return: true if so.
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
 * @doubted: a look advises against it
 *
 * Return: ms.
 */
unsigned int virtio_mem_choose_ms(unsigned int ms, bool doubted)
{
	return doubted ? min(ms, VIRTIO_MEM_DOUBT_TRY_MS) : ms;
}

/**
 * virtio_mem_choose_times() - how the time for one unplug is shared out
 * @method: how it begins
 * @ms: how long it may take in all
 * @blocks: memory blocks in a big block
 * @t: out
 *
 * Offlining holds the locks of all memory hotplug: what comes to hold a page
 * after the look must not make it do so for long, where taking may follow.
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
 * @attempt: how many there were
 * @held: the page that a look found held still is
 *
 * A page that is held before an attempt and after it is why that has failed.
 *
 * Return: true if so.
 */
bool virtio_mem_choose_again(unsigned int attempt, bool held)
{
	return attempt < VIRTIO_MEM_TAKE_ATTEMPTS && !(attempt && held);
}

/**
 * virtio_mem_choose_take_after() - whether to take the pages after all
 * @method: what has failed
 * @cause: why
 * @left_ms: time that is left for that
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
 * virtio_mem_choose_remembers() - whether a failed try says something of its big block
 * @cause: why it failed
 *
 * Return: false if something else came between.
 */
bool virtio_mem_choose_remembers(enum virtio_mem_cause cause)
{
	return cause != VIRTIO_MEM_CAUSE_INTERRUPTED &&
	       cause != VIRTIO_MEM_CAUSE_HOTPLUG;
}

/**
 * virtio_mem_choose_takes() - what a big block takes when it is added
 * @memmap_pages: pages of its memmap
 *
 * Return: pages of the kernel's zones, with page tables and block devices.
 */
unsigned long virtio_mem_choose_takes(unsigned long memmap_pages)
{
	return memmap_pages + memmap_pages / VIRTIO_MEM_ROOM_SHARE +
	       VIRTIO_MEM_ROOM_PAGES;
}

/* What it takes to use what is in ZONE_MOVABLE. */
static unsigned long tables(unsigned long mib_pages,
			    const struct virtio_mem_pressure *p)
{
	return min(less(p->movable_total / VIRTIO_MEM_ROOM_TABLES_SHARE,
			VIRTIO_MEM_ROOM_TABLES_FREE_MIB * mib_pages),
		   VIRTIO_MEM_ROOM_TABLES_MAX_MIB * mib_pages);
}

/**
 * virtio_mem_choose_need() - what must be there for a big block to be added
 * @memmap_pages: pages of its memmap
 * @mib_pages: pages in a MiB
 * @p: what memory the guest has
 *
 * The memmap, page tables, memory block devices; and something to use what is in
 * ZONE_MOVABLE with.
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
 * virtio_mem_choose_has() - what the kernel can have at most, as reclaim sees it
 * @p: what memory the guest has
 *
 * Whoever takes the last of it for a moment brings the OOM killer to all others.
 * Where a big block takes more than this, nothing is tried, because it can't be
 * had: this is a sum of counters, not a look at pages.
 *
 * Return: pages above the minimum watermarks, free, page cache or swappable.
 */
unsigned long virtio_mem_choose_has(const struct virtio_mem_pressure *p)
{
	return p->kernel_room + p->kernel_file +
	       min(virtio_mem_choose_swap(p), p->kernel_anon);
}

/**
 * virtio_mem_choose_plenty() - whether adding finds its memory free
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
 * What is plugged and can't be added has to be unplugged again.  Only orders:
 * one is always worth a try.
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
 * virtio_mem_candidates_reset() - a new scan begins
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
 * Return: the old buffer, for the caller to free; NULL if that was the small one.
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

/* The dearest one, to be replaced where there is no room. */
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
 * virtio_mem_candidates_offer() - keep a big block, or the cheapest if all don't fit
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
 * virtio_mem_candidates_put_off() - take back the one that was handed out last
 * @cand: the candidates, sorted
 * @c: it, with what it costs now
 *
 * It is handed out again after those that are cheaper.
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
	return x->id > y->id ? -1 : 1;
}

/**
 * virtio_mem_candidates_sort() - the scan is over: cheapest first
 * @cand: the candidates
 *
 * Among equals the one with the highest address comes first.
 */
void virtio_mem_candidates_sort(struct virtio_mem_candidates *cand)
{
	sort(cand->c, cand->nr, sizeof(*cand->c), by_rank, NULL);
}

/**
 * virtio_mem_candidates_enough() - whether a scan can stop
 * @cand: the candidates
 * @nr: how many big blocks are to go
 * @any_offline: some memory is: it goes first, wherever it is
 *
 * Return: true if as many are kept that cost no migration at all.
 */
bool virtio_mem_candidates_enough(const struct virtio_mem_candidates *cand,
				  unsigned long nr, bool any_offline)
{
	return nr && !any_offline && cand->cheap >= nr;
}
