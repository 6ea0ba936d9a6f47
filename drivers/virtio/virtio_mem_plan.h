/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: from sizes, table and scores to the next step; retry and back-off
 * arithmetic.  Time is an argument.  Includes virtio_mem_bb.h only.
 */
#ifndef _VIRTIO_MEM_PLAN_H
#define _VIRTIO_MEM_PLAN_H

#include "virtio_mem_bb.h"

/* Delay before the first retry, and the longest one, in ms. */
#define VIRTIO_MEM_RETRY_MIN_MS		250
#define VIRTIO_MEM_RETRY_MAX_MS		60000

/* While a request can't be met: the time between two looks whether it can. */
#define VIRTIO_MEM_LOOK_MIN_MS		200
#define VIRTIO_MEM_LOOK_MAX_MS		1000

/* How many candidates for unplug one scan keeps. */
#define VIRTIO_MEM_MAX_CANDIDATES	256

/*
 * How many big blocks that have left Linux wait for each other, to be unplugged
 * with one request, and how long, in ms.
 */
#define VIRTIO_MEM_UNPLUG_BATCH		16UL
#define VIRTIO_MEM_UNPLUG_WAIT_MS	2000

/* How long a big block is not tried, in s, if its page always looks held. */
#define VIRTIO_MEM_BELIEVED_S		300

/* So many big blocks in a row refused by the device: growing waits. */
#define VIRTIO_MEM_MAX_REFUSALS		8

/* Rank of a big block that can't go now. */
#define VIRTIO_MEM_RANK_NEVER		U64_MAX

/**
 * struct virtio_mem_score - what a look at the pages of a big block found
 * @online_pages: pages that are online; 0: the big block is offline
 * @free_pages: of these, free
 * @free_pfn: the first of these that is on the allocator's lists, 0: none
 * @used_pages: of these, in use and as far as can be seen movable
 * @stuck_pages: of these, in use and not movable
 * @stuck_pfn: the first of these
 * @stuck_cause: why that one is not
 * @held_pages: of the used ones, those that something holds at this moment
 * @held_pfn: the first of these
 * @kernel_zone: some online page is in a zone other than ZONE_MOVABLE
 */
struct virtio_mem_score {
	unsigned long online_pages;
	unsigned long free_pages;
	unsigned long free_pfn;
	unsigned long used_pages;
	unsigned long stuck_pages;
	unsigned long stuck_pfn;
	enum virtio_mem_cause stuck_cause;
	unsigned long held_pages;
	unsigned long held_pfn;
	bool kernel_zone;
};

/**
 * struct virtio_mem_pressure - what memory the guest has left
 * @available: pages that could be allocated without swapping (MemAvailable)
 * @reserve: pages of these that must stay available
 * @movable_free: free pages in ZONE_MOVABLE
 * @kernel_avail: pages free or easily reclaimed in the other zones, above
 *	their high watermarks
 * @kernel_reserve: pages of these that must stay
 */
struct virtio_mem_pressure {
	unsigned long available;
	unsigned long reserve;
	unsigned long movable_free;
	unsigned long kernel_avail;
	unsigned long kernel_reserve;
};

/**
 * enum virtio_mem_method - how to take a big block out of Linux
 * @VIRTIO_MEM_METHOD_TAKE: take all its pages first, then offline it
 * @VIRTIO_MEM_METHOD_TRY: offline it, for a short while only; if that fails as TAKE
 * @VIRTIO_MEM_METHOD_DIRECT: offline it, bounded by a deadline
 */
enum virtio_mem_method {
	VIRTIO_MEM_METHOD_TAKE,
	VIRTIO_MEM_METHOD_TRY,
	VIRTIO_MEM_METHOD_DIRECT,
};

/**
 * struct virtio_mem_candidates - the cheapest big blocks that a scan found
 * @nr: how many are kept
 * @next: the first that has not been handed out
 * @c: sorted by rank, cheapest first
 * @c.rank: see virtio_mem_plan_rank()
 * @c.id: the big block
 */
struct virtio_mem_candidates {
	unsigned int nr;
	unsigned int next;
	struct {
		u64 rank;
		unsigned long id;
	} c[VIRTIO_MEM_MAX_CANDIDATES];
};

/**
 * enum virtio_mem_step_type - what the worker shall do next
 * @VIRTIO_MEM_STEP_NONE: nothing: the request is met as well as can be
 * @VIRTIO_MEM_STEP_WAIT: nothing now: see the pass's cause
 * @VIRTIO_MEM_STEP_UNPLUG_ALL: ask the device to unplug everything
 * @VIRTIO_MEM_STEP_PLUG: ask the device to plug a run of UNUSED BBs
 * @VIRTIO_MEM_STEP_UNPLUG: ask the device to unplug a run of PLUGGED BBs
 * @VIRTIO_MEM_STEP_ADD: add one PLUGGED BB to Linux
 * @VIRTIO_MEM_STEP_SCAN: look at ADDED BBs, offer those that can go
 * @VIRTIO_MEM_STEP_SHRINK: take one ADDED BB out of Linux
 */
enum virtio_mem_step_type {
	VIRTIO_MEM_STEP_NONE,
	VIRTIO_MEM_STEP_WAIT,
	VIRTIO_MEM_STEP_UNPLUG_ALL,
	VIRTIO_MEM_STEP_PLUG,
	VIRTIO_MEM_STEP_UNPLUG,
	VIRTIO_MEM_STEP_ADD,
	VIRTIO_MEM_STEP_SCAN,
	VIRTIO_MEM_STEP_SHRINK,
};

/**
 * struct virtio_mem_step - one step
 * @type: what
 * @first: first BB, where the step names some
 * @nr: how many adjacent BBs; for SCAN: how many are to go
 * @quick: SHRINK: others wait for it, so it must cost no migration; else put
 *	it off, that is, offer it again at what it costs now
 */
struct virtio_mem_step {
	enum virtio_mem_step_type type;
	unsigned long first;
	unsigned long nr;
	bool quick;
};

/**
 * struct virtio_mem_situation - what a decision rests on, beside the table
 * @requested: bytes that the hypervisor wants
 * @foreign: bytes that are plugged but in no big block of ours
 * @bb_size: bytes
 * @usable_bbs: BBs with ids below this can be plugged now
 * @online_room: BBs that may be added before too much waits to be onlined
 * @max_run: BBs that one request can name
 * @add_barred: why not even one more BB can be added now, NONE if it can
 * @unplug_all: memory left plugged by somebody else must go first
 * @answer_pending: a request is out that has not been answered
 * @ending: the worker shall leave off: only what is out of Linux may still go
 * @waited_ms: how long BBs that have left Linux wait for their UNPLUG
 */
struct virtio_mem_situation {
	u64 requested;
	u64 foreign;
	u64 bb_size;
	unsigned long usable_bbs;
	unsigned long online_room;
	unsigned long max_run;
	enum virtio_mem_cause add_barred;
	bool unplug_all;
	bool answer_pending;
	bool ending;
	u64 waited_ms;
};

/**
 * struct virtio_mem_pass - what one pass of the worker has learned
 * @cause: why the request is not met; NONE while there is hope
 * @done: BBs that were plugged, added, removed or unplugged
 * @refusals: BBs that the device refused one by one
 * @single: name one BB a request (after one for several went wrong)
 * @plug_held: no more PLUG in this pass
 * @unplug_held: no more UNPLUG, and so no more shrinking
 * @add_held: no more ADD, and so no more PLUG
 * @shrink_held: no candidate is left
 * @scanned: the candidates are of this pass
 */
struct virtio_mem_pass {
	enum virtio_mem_cause cause;
	unsigned long done;
	unsigned int refusals;
	bool single;
	bool plug_held;
	bool unplug_held;
	bool add_held;
	bool shrink_held;
	bool scanned;
};

/**
 * struct virtio_mem_backoff - the delay before the next retry
 * @delay_ms: the last one given, 0 at first
 */
struct virtio_mem_backoff {
	u32 delay_ms;
};

u64 virtio_mem_plan_rank(const struct virtio_mem_score *score,
			 bool unplug_online);
u64 virtio_mem_plan_demote(u64 rank);
enum virtio_mem_cause
virtio_mem_plan_stays(const struct virtio_mem_score *score,
		      bool unplug_online);
bool virtio_mem_plan_fits(const struct virtio_mem_score *score,
			  const struct virtio_mem_pressure *p);
bool virtio_mem_plan_add_fits(unsigned long memmap_pages,
			      const struct virtio_mem_pressure *p);
enum virtio_mem_method
virtio_mem_plan_method(const struct virtio_mem_score *score, bool safe,
		       unsigned long blocks, bool zeroes);

void virtio_mem_candidates_reset(struct virtio_mem_candidates *cand);
void virtio_mem_candidates_offer(struct virtio_mem_candidates *cand, u64 rank,
				 unsigned long id);
bool virtio_mem_candidates_enough(const struct virtio_mem_candidates *cand,
				  unsigned long nr);

unsigned long virtio_mem_plan_want(const struct virtio_mem_situation *in,
				   const struct virtio_mem_bbt *t);
u64 virtio_mem_plan_plugged(const struct virtio_mem_situation *in,
			    const struct virtio_mem_bbt *t);
void virtio_mem_pass_begin(struct virtio_mem_pass *pass);
void virtio_mem_plan_next(const struct virtio_mem_situation *in,
			  const struct virtio_mem_bbt *t,
			  struct virtio_mem_candidates *cand,
			  struct virtio_mem_pass *pass,
			  struct virtio_mem_step *step);
void virtio_mem_plan_report(struct virtio_mem_pass *pass,
			    const struct virtio_mem_step *step,
			    enum virtio_mem_cause cause);
void virtio_mem_backoff_reset(struct virtio_mem_backoff *b);
u32 virtio_mem_backoff_next(struct virtio_mem_backoff *b);
u32 virtio_mem_backoff_rest(u32 delay_ms, u64 spent_ms);
u32 virtio_mem_plan_look_ms(u32 delay_ms);
bool virtio_mem_plan_eased(enum virtio_mem_cause cause,
			   struct virtio_mem_pressure *then,
			   const struct virtio_mem_pressure *now,
			   unsigned long bb_pages);
bool virtio_mem_plan_believes(unsigned long found_s, unsigned long now_s);
const char *virtio_mem_cause_text(enum virtio_mem_cause cause);
const char *virtio_mem_cause_token(enum virtio_mem_cause cause);

#endif /* _VIRTIO_MEM_PLAN_H */
