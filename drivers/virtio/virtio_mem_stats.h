/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts all that a device has done so far, and how long it took, for sysfs.
 * The worker counts, and probe before there is a worker; anybody reads.
 */
#ifndef _VIRTIO_MEM_STATS_H
#define _VIRTIO_MEM_STATS_H

#include <linux/ktime.h>
#include <linux/types.h>

#include "virtio_mem_cause.h"
#include "virtio_mem_proto.h"

/**
 * enum virtio_mem_op - an operation that is counted
 * @VIRTIO_MEM_OP_PLUG: the request PLUG, and whether the device acknowledged it
 * @VIRTIO_MEM_OP_UNPLUG: the request UNPLUG
 * @VIRTIO_MEM_OP_UNPLUG_ALL: the request UNPLUG_ALL
 * @VIRTIO_MEM_OP_STATE: the request STATE
 * @VIRTIO_MEM_OP_ADD: adding a big block to Linux
 * @VIRTIO_MEM_OP_SWEEP: moving the data in use out of a big block
 * @VIRTIO_MEM_OP_TAKE: taking all pages of a big block
 * @VIRTIO_MEM_OP_OFFLINE: offlining and removing a big block
 * @VIRTIO_MEM_OP_GIVE_BACK: giving taken pages back
 * @VIRTIO_MEM_OP_NR: how many there are
 */
enum virtio_mem_op {
	VIRTIO_MEM_OP_PLUG,
	VIRTIO_MEM_OP_UNPLUG,
	VIRTIO_MEM_OP_UNPLUG_ALL,
	VIRTIO_MEM_OP_STATE,
	VIRTIO_MEM_OP_ADD,
	VIRTIO_MEM_OP_SWEEP,
	VIRTIO_MEM_OP_TAKE,
	VIRTIO_MEM_OP_OFFLINE,
	VIRTIO_MEM_OP_GIVE_BACK,
	VIRTIO_MEM_OP_NR,
};

/**
 * struct virtio_mem_count - counts of one operation
 * @ok: how often it succeeded
 * @failed: how often it failed
 * @us: how long all of these took
 */
struct virtio_mem_count {
	u64 ok;
	u64 failed;
	u64 us;
};

/**
 * struct virtio_mem_resize - the last request
 * @requested: bytes
 * @plugged: bytes that were plugged at the end of the last pass
 * @ms: time from the request until then
 * @cause: why it is not met, NONE if it is
 */
struct virtio_mem_resize {
	u64 requested;
	u64 plugged;
	u64 ms;
	enum virtio_mem_cause cause;
};

/**
 * struct virtio_mem_stats - statistics of one device
 * @op: counts by operation
 * @moved_pages: pages that were in use in big blocks that have left Linux
 * @last: the last request
 * @cause_since_ms: when its cause last changed, as ktime_get()
 */
struct virtio_mem_stats {
	struct virtio_mem_count op[VIRTIO_MEM_OP_NR];
	u64 moved_pages;
	struct virtio_mem_resize last;
	u64 cause_since_ms;
};

u64 virtio_mem_stats_count(struct virtio_mem_stats *stats,
			   enum virtio_mem_op op, bool ok, ktime_t begin);
void virtio_mem_stats_moved(struct virtio_mem_stats *stats,
			    unsigned long pages);
void virtio_mem_stats_reached(struct virtio_mem_stats *stats, u64 requested,
			      u64 plugged, u64 ms, enum virtio_mem_cause cause);

#endif /* _VIRTIO_MEM_STATS_H */
