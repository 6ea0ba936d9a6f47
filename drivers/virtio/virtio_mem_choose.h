/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: chooses which big block goes next, how, for how long, and whether the
 * guest can do without it; and how much memory growing needs.  A scan only
 * orders candidates; only virtio_mem_choose_stays() and virtio_mem_choose_fit()
 * forbid.  Includes virtio_mem_cause.h and virtio_mem_policy.h.
 */
#ifndef _VIRTIO_MEM_CHOOSE_H
#define _VIRTIO_MEM_CHOOSE_H

#include "virtio_mem_cause.h"
#include "virtio_mem_policy.h"

/**
 * struct virtio_mem_score - what a scan of the pages of a big block found
 * @online_pages: pages that are online; 0: the big block is offline
 * @free_pages: of these, free
 * @used_pages: of these, in use and as far as can be seen movable
 * @stuck_pages: of these, in use and not movable
 * @stuck_cause: why, the one that lasts longest if there are several
 * @stuck_same: stuck pages for that cause
 * @stuck_pfn: the first of these
 * @held_pages: of the used ones, those that something holds at this moment
 * @held_pfn: the first of these
 * @busy_pages: of the used ones, those that are locked or being written back
 * @poisoned_pages: neither free nor used, because offlining skips them
 * @free_pfn: the first page that is on the allocator's lists, 0: none
 * @kernel_pages: of the online ones, those in zones other than ZONE_MOVABLE
 * @kernel_zone: @kernel_pages is not 0
 */
struct virtio_mem_score {
	unsigned long online_pages;
	unsigned long free_pages;
	unsigned long used_pages;
	unsigned long stuck_pages;
	enum virtio_mem_cause stuck_cause;
	unsigned long stuck_same;
	unsigned long stuck_pfn;
	unsigned long held_pages;
	unsigned long held_pfn;
	unsigned long busy_pages;
	unsigned long poisoned_pages;
	unsigned long free_pfn;
	unsigned long kernel_pages;
	bool kernel_zone;
};

/**
 * struct virtio_mem_history - what earlier scans and tries found
 * @tries: tries that failed since the record of the big block began
 * @held: a page in it was held both before and after a drain of all batches, or
 *	after a try that failed, and it still is
 * @cause: why the last try failed
 */
struct virtio_mem_history {
	unsigned int tries;
	bool held;
	enum virtio_mem_cause cause;
};

/**
 * struct virtio_mem_pressure - what memory the guest has left, in pages
 * @available: pages that could be allocated without swapping (MemAvailable)
 * @swap_free: free swap
 * @swap_is_memory: some of the swap is compressed memory
 * @anon: pages that could be swapped out
 * @movable_total: all of ZONE_MOVABLE
 * @kernel_free: free in the other zones, above their high watermarks and above
 *	the part that the kernel's own allocations can't have
 * @kernel_room: the same above their minimum watermarks
 * @kernel_file: page cache and reclaimable slab in the other zones
 * @kernel_anon: pages that could be swapped out of the other zones
 * @total: all memory
 */
struct virtio_mem_pressure {
	unsigned long available;
	unsigned long swap_free;
	bool swap_is_memory;
	unsigned long anon;
	unsigned long movable_total;
	unsigned long kernel_free;
	unsigned long kernel_room;
	unsigned long kernel_file;
	unsigned long kernel_anon;
	unsigned long total;
};

/**
 * struct virtio_mem_fit - whether the guest can do without a big block, and why
 * @fits: whether it can
 * @kernel: the kernel's zones alone decided
 * @left: pages that would be left there, free or to be had
 * @reserve: pages that must be left there
 */
struct virtio_mem_fit {
	bool fits;
	bool kernel;
	unsigned long left;
	unsigned long reserve;
};

/**
 * enum virtio_mem_method - how to take a big block out of Linux
 * @VIRTIO_MEM_METHOD_OFFLINE: offline it, whatever is in use in it
 * @VIRTIO_MEM_METHOD_DIRECT: offline it, for a short while only; else as TAKE
 * @VIRTIO_MEM_METHOD_SWEEP: move what is in use out of it, then as DIRECT
 * @VIRTIO_MEM_METHOD_TAKE: take all its pages first, then offline it
 */
enum virtio_mem_method {
	VIRTIO_MEM_METHOD_OFFLINE,
	VIRTIO_MEM_METHOD_DIRECT,
	VIRTIO_MEM_METHOD_SWEEP,
	VIRTIO_MEM_METHOD_TAKE,
};

/**
 * struct virtio_mem_turn - the conditions of a big block's turn
 * @usable: the device can unplug it
 * @unplug_online: online big blocks may be unplugged
 * @quick: it must cost no migration, because others wait for it
 * @doubted: it is tried though a scan advises against it
 * @confirmed: the worker has just found out whether a page in it is held
 * @fits: the guest can do without it
 */
struct virtio_mem_turn {
	bool usable;
	bool unplug_online;
	bool quick;
	bool doubted;
	bool confirmed;
	bool fits;
};

/**
 * enum virtio_mem_verdict - what to do with a big block in its turn
 * @VIRTIO_MEM_VERDICT_TRY: try to unplug it
 * @VIRTIO_MEM_VERDICT_CONFIRM: find out whether a page is held, then ask again
 * @VIRTIO_MEM_VERDICT_PUT_OFF: offer it again, at what it costs now
 * @VIRTIO_MEM_VERDICT_STAYS: leave it alone in this pass
 */
enum virtio_mem_verdict {
	VIRTIO_MEM_VERDICT_TRY,
	VIRTIO_MEM_VERDICT_CONFIRM,
	VIRTIO_MEM_VERDICT_PUT_OFF,
	VIRTIO_MEM_VERDICT_STAYS,
};

/**
 * struct virtio_mem_finding - the evaluated scan of a big block
 * @stays: it can't go, whatever is tried
 * @cause: the cause that speaks against unplugging it
 * @keep: the cause to keep with it in the table
 * @suspect_pfn: a page that may be held, 0 for none
 */
struct virtio_mem_finding {
	bool stays;
	enum virtio_mem_cause cause;
	enum virtio_mem_cause keep;
	unsigned long suspect_pfn;
};

/**
 * struct virtio_mem_times - how the time for one unplug is shared out, in ms
 * @empty: for moving pages in use and taking pages
 * @direct: for offlining without taking
 * @taken: for offlining taken pages
 */
struct virtio_mem_times {
	unsigned int empty;
	unsigned int direct;
	unsigned int taken;
};

/* Classes of rank; cheaper classes come first whatever else is known. */
enum virtio_mem_class {
	VIRTIO_MEM_CLASS_OFFLINE,	/* no page is online */
	VIRTIO_MEM_CLASS_FREE,		/* no page is in use */
	VIRTIO_MEM_CLASS_USED,		/* some pages have to move */
	VIRTIO_MEM_CLASS_FAILED,	/* a try has failed */
	VIRTIO_MEM_CLASS_DOUBTED,	/* a scan advises against a try */
};

/**
 * struct virtio_mem_candidate - a big block that could go
 * @rank: see virtio_mem_choose_rank(); smaller is cheaper
 * @id: the big block
 * @online_pages: pages that the guest loses with it
 * @kernel_zone: whether the kernel's zones lose some of them
 * @first: it comes before its equals, see virtio_mem_plan_gap()
 */
struct virtio_mem_candidate {
	u64 rank;
	unsigned long id;
	unsigned long online_pages;
	bool kernel_zone;
	bool first;
};

/**
 * struct virtio_mem_candidates - what a scan found, cheapest first once sorted
 * @c: the candidates
 * @capacity: how many there is room for
 * @nr: how many are kept
 * @next: the first that the plan has not handed out
 * @cheap: how many of them cost no migration at all
 * @early: the scan stopped early, so there may be any others
 * @full: the room did not suffice, so there are others that are no cheaper
 * @few: room for some, where there is no memory for all
 */
struct virtio_mem_candidates {
	struct virtio_mem_candidate *c;
	unsigned long capacity;
	unsigned long nr;
	unsigned long next;
	unsigned long cheap;
	bool early;
	bool full;
	struct virtio_mem_candidate few[VIRTIO_MEM_FEW_CANDIDATES];
};

enum virtio_mem_cause
virtio_mem_choose_stays(const struct virtio_mem_score *score, bool usable,
			bool unplug_online);
void virtio_mem_choose_stuck(struct virtio_mem_score *score, unsigned long pfn,
			     unsigned long nr, enum virtio_mem_cause cause);
enum virtio_mem_cause
virtio_mem_choose_doubt(const struct virtio_mem_score *score,
			const struct virtio_mem_history *past);
enum virtio_mem_cause
virtio_mem_choose_reason(const struct virtio_mem_score *score,
			 const struct virtio_mem_history *past,
			 enum virtio_mem_cause cause);
u64 virtio_mem_choose_rank(const struct virtio_mem_score *score,
			   const struct virtio_mem_history *past);
enum virtio_mem_class virtio_mem_choose_class(u64 rank);
bool virtio_mem_choose_confirms(const struct virtio_mem_score *score,
				const struct virtio_mem_history *past);
enum virtio_mem_method
virtio_mem_choose_method(const struct virtio_mem_score *score, bool safe,
			 unsigned long blocks);
void virtio_mem_choose_finding(const struct virtio_mem_score *score,
			       const struct virtio_mem_history *past,
			       bool usable, bool unplug_online,
			       struct virtio_mem_finding *f);
enum virtio_mem_verdict
virtio_mem_choose_verdict(const struct virtio_mem_score *score,
			  const struct virtio_mem_history *past,
			  const struct virtio_mem_turn *turn,
			  enum virtio_mem_cause *cause);
unsigned int virtio_mem_choose_ms(unsigned int ms, bool doubted);
void virtio_mem_choose_times(enum virtio_mem_method method, unsigned int ms,
			     unsigned long blocks, struct virtio_mem_times *t);
bool virtio_mem_choose_again(unsigned int attempt, bool held);
bool virtio_mem_choose_take_after(enum virtio_mem_method method,
				  enum virtio_mem_cause cause,
				  unsigned int left_ms);
bool virtio_mem_choose_remembers(enum virtio_mem_cause cause);
void virtio_mem_choose_fit(const struct virtio_mem_score *score,
			   const struct virtio_mem_pressure *p,
			   unsigned long mib_pages, int reserve_mib,
			   struct virtio_mem_fit *fit);
unsigned long virtio_mem_choose_swap(const struct virtio_mem_pressure *p);
unsigned long virtio_mem_choose_takes(unsigned long memmap_pages);
unsigned long virtio_mem_choose_need(unsigned long memmap_pages,
				     unsigned long mib_pages,
				     const struct virtio_mem_pressure *p);
unsigned long virtio_mem_choose_has(const struct virtio_mem_pressure *p);
bool virtio_mem_choose_is_swept(const struct virtio_mem_score *score);
bool virtio_mem_choose_plenty(unsigned long memmap_pages,
			      unsigned long mib_pages,
			      const struct virtio_mem_pressure *p);
unsigned long virtio_mem_choose_room(unsigned long memmap_pages,
				     unsigned long mib_pages,
				     const struct virtio_mem_pressure *p);

void virtio_mem_candidates_reset(struct virtio_mem_candidates *cand);
struct virtio_mem_candidate *
virtio_mem_candidates_replace(struct virtio_mem_candidates *cand,
			      struct virtio_mem_candidate *buf,
			      unsigned long capacity);
void virtio_mem_candidates_offer(struct virtio_mem_candidates *cand,
				 const struct virtio_mem_candidate *c);
void virtio_mem_candidates_put_off(struct virtio_mem_candidates *cand,
				   const struct virtio_mem_candidate *c);
void virtio_mem_candidates_sort(struct virtio_mem_candidates *cand);
bool virtio_mem_candidates_enough(const struct virtio_mem_candidates *cand,
				  unsigned long nr, bool any_offline);

#endif /* _VIRTIO_MEM_CHOOSE_H */
