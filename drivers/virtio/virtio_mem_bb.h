/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: the table of big blocks: states, counts, the one checked setter,
 * iteration and runs.  Includes virtio_mem_cause.h only; allocates, locks and
 * prints nothing.
 */
#ifndef _VIRTIO_MEM_BB_H
#define _VIRTIO_MEM_BB_H

#include "virtio_mem_cause.h"

/*
 * The state machine of one big block (BB).  No other edge exists.
 *
 *            PLUG acked              added to Linux
 *  UNUSED ---------------> PLUGGED ------------------> ADDED <---------+
 *    ^                      |   ^                        | claim       | rollback
 *    +----------------------+   |                        v             |
 *        UNPLUG acked           +------------------ FAKE_OFFLINE ------+
 *                                removed from Linux
 */

/**
 * enum virtio_mem_bb_state - who owns the memory of a big block
 * @VIRTIO_MEM_BB_UNUSED: the hypervisor; unplugged, unknown to Linux.  Must
 *	not be touched.
 * @VIRTIO_MEM_BB_PLUGGED: the driver; plugged, unknown to Linux.  The worker
 *	adds or unplugs it, first thing in every pass.
 * @VIRTIO_MEM_BB_ADDED: Linux, online or not.
 * @VIRTIO_MEM_BB_FAKE_OFFLINE: Linux still knows it, but the worker has
 *	claimed it to remove it: nobody else may online or offline any of it.
 * @VIRTIO_MEM_BB_NR_STATES: how many there are
 */
enum virtio_mem_bb_state {
	VIRTIO_MEM_BB_UNUSED,
	VIRTIO_MEM_BB_PLUGGED,
	VIRTIO_MEM_BB_ADDED,
	VIRTIO_MEM_BB_FAKE_OFFLINE,
	VIRTIO_MEM_BB_NR_STATES,
};

/**
 * struct virtio_mem_bbt - the table of big blocks, one byte a BB
 * @entry: per BB: state, "tried in this pass", "in quarantine", cause
 * @nr: BBs that the table knows; ids from @nr on are UNUSED
 * @capacity: bytes at @entry
 * @count: how many of the @nr BBs are in each state
 * @quarantined: how many of the @nr BBs are in quarantine
 *
 * The table starts empty and its owner makes it longer as needed, because a
 * huge region must cost nothing while it is unused.  The owner serialises all
 * access.
 */
struct virtio_mem_bbt {
	u8 *entry;
	unsigned long nr;
	unsigned long capacity;
	unsigned long count[VIRTIO_MEM_BB_NR_STATES];
	unsigned long quarantined;
};

u8 *virtio_mem_bbt_replace(struct virtio_mem_bbt *t, u8 *buf,
			   unsigned long capacity);
int virtio_mem_bbt_extend(struct virtio_mem_bbt *t, unsigned long nr);
enum virtio_mem_bb_state virtio_mem_bbt_state(const struct virtio_mem_bbt *t,
					      unsigned long id);
bool virtio_mem_bb_may(enum virtio_mem_bb_state from,
		       enum virtio_mem_bb_state to);
int virtio_mem_bbt_set(struct virtio_mem_bbt *t, unsigned long id,
		       enum virtio_mem_bb_state to);
const char *virtio_mem_bb_name(enum virtio_mem_bb_state state);

int virtio_mem_bbt_set_cause(struct virtio_mem_bbt *t, unsigned long id,
			     enum virtio_mem_cause cause);
enum virtio_mem_cause virtio_mem_bbt_cause(const struct virtio_mem_bbt *t,
					   unsigned long id);
int virtio_mem_bbt_quarantine(struct virtio_mem_bbt *t, unsigned long id,
			      enum virtio_mem_cause cause);
bool virtio_mem_bbt_is_quarantined(const struct virtio_mem_bbt *t,
				   unsigned long id);
unsigned long virtio_mem_bbt_release(struct virtio_mem_bbt *t,
				     enum virtio_mem_cause cause);
int virtio_mem_bbt_set_tried(struct virtio_mem_bbt *t, unsigned long id);
bool virtio_mem_bbt_tried(const struct virtio_mem_bbt *t, unsigned long id);
void virtio_mem_bbt_clear_tried(struct virtio_mem_bbt *t);
void virtio_mem_bbt_forget_causes(struct virtio_mem_bbt *t);

unsigned long virtio_mem_bbt_run_from(const struct virtio_mem_bbt *t,
				      enum virtio_mem_bb_state state,
				      unsigned long id, unsigned long end,
				      unsigned long max, unsigned long *first);
unsigned long virtio_mem_bbt_lowest(const struct virtio_mem_bbt *t);
unsigned long virtio_mem_bbt_gap(const struct virtio_mem_bbt *t);
unsigned long virtio_mem_bbt_run(const struct virtio_mem_bbt *t,
				 enum virtio_mem_bb_state state,
				 unsigned long end, unsigned long max,
				 unsigned long *first);
bool virtio_mem_bbt_quarantined(const struct virtio_mem_bbt *t,
				enum virtio_mem_bb_state state,
				unsigned long end, unsigned long *id);
bool virtio_mem_bbt_prev(const struct virtio_mem_bbt *t,
			 enum virtio_mem_bb_state state, unsigned long *id);

#endif /* _VIRTIO_MEM_BB_H */
