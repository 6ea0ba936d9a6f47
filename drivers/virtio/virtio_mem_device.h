/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One virtio-mem device: its state, who may touch which part of it, and what
 * the shell's files offer each other.  May include every header of ours.
 */
#ifndef _VIRTIO_MEM_DEVICE_H
#define _VIRTIO_MEM_DEVICE_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/wait.h>

#include "virtio_mem_bb.h"
#include "virtio_mem_bound.h"
#include "virtio_mem_config.h"
#include "virtio_mem_held.h"
#include "virtio_mem_mm.h"
#include "virtio_mem_param.h"
#include "virtio_mem_plan.h"
#include "virtio_mem_pm.h"
#include "virtio_mem_policy.h"
#include "virtio_mem_proto.h"
#include "virtio_mem_rest.h"
#include "virtio_mem_retry.h"
#include "virtio_mem_scan.h"
#include "virtio_mem_stats.h"
#include "virtio_mem_vq.h"
#include "virtio_mem_work.h"

/* No big block: for fields that name one. */
#define VIRTIO_MEM_NO_BB	ULONG_MAX

/* No memory group yet: for the field that has its number. */
#define VIRTIO_MEM_NO_GROUP	(-1)

/**
 * enum virtio_mem_activity - what the device is doing, as users read it
 * @VIRTIO_MEM_IDLE: the request is met
 * @VIRTIO_MEM_GROWING: on its way up
 * @VIRTIO_MEM_SHRINKING: on its way down
 * @VIRTIO_MEM_WAITING: the request can't be met now; a retry is due
 * @VIRTIO_MEM_BROKEN: stopped for good; the memory stays as it is
 */
enum virtio_mem_activity {
	VIRTIO_MEM_IDLE,
	VIRTIO_MEM_GROWING,
	VIRTIO_MEM_SHRINKING,
	VIRTIO_MEM_WAITING,
	VIRTIO_MEM_BROKEN,
};

/* Bits in virtio_mem.events: what the worker has to look at. */
#define VIRTIO_MEM_EV_CONFIG	0	/* the configuration may have changed */
#define VIRTIO_MEM_EV_MEMORY	1	/* memory was onlined or offlined */
#define VIRTIO_MEM_EV_STOP	2	/* end */
#define VIRTIO_MEM_EV_PAUSE	3	/* do nothing until cleared */

/**
 * struct virtio_mem - one device
 * @vq: I: the request queue (own lock)
 * @vdev: I: the device; not to be touched once @vq is shut
 * @name: I: its name, for messages that may outlive it
 * @ref: remove() and the worker hold one each
 * @geo: I: how big blocks lie
 * @block_size: I: device block, bytes
 * @region: I: the device region, as struct resource arguments go
 * @nid: I: NUMA node
 * @adopted: I: memory that an earlier driver has added is there
 *
 * @config: the configuration (own lock)
 * @pm: suspend and hibernation
 * @mm: Linux's side
 * @worker: what the worker keeps for itself
 * @memory: what is remembered of big blocks
 * @watch: what is watched while the worker rests
 *
 * @hotplug_mutex: guards what is marked M, and the memmap of what is online of
 *	ours, see virtio_mem_scan.c.  Held for table updates and for a look at
 *	one section, never while waiting for the device or for the memory
 *	hotplug core.
 *	Order: device_hotplug_lock > mem_hotplug_lock > notifier chain >
 *	hotplug_mutex.  Never call add, remove or offline with it held.
 * @bbt: M: the table of big blocks
 * @offline_bytes: M: added, but not online
 * @last_error: M: why the last thing went wrong, for people
 * @noted: M: this pass has written it
 * @foreign: M: bytes plugged but in no BB of ours
 *
 * @task: I: the worker
 * @exited: the worker has ended
 * @orphan: in the list of those, guarded by its lock
 * @wait: the worker sleeps here
 * @events: atomic: VIRTIO_MEM_EV_*
 * @bound: bounds the worker's long calls (own lock)
 * @activity: written by the worker, read by anybody
 *
 * @pass: W: what the worker has learned in this pass
 * @cand: W: candidates for unplug
 * @doubt: W: time for tries that a look advises against
 * @refusals: W: what Linux has refused to add
 * @failed_ms: W: time spent in this pass on looking, and on unplugs that failed
 * @out_ms: W: when the first of the big blocks began to leave Linux that now
 *	wait for their UNPLUG
 * @refused_ms: W: when the device refused a big block by ERROR last
 * @step: W: the step whose request is out; if that is STATE, it is to find out
 *	what became of the step
 * @unplug_all: W: the device must unplug everything first
 * @broken: W: stopped for good
 *
 * @stats: written by the worker, read by anybody
 * @view: I: our directory in sysfs
 * @debugfs: I: our directory there
 * @vmcore: I: in a kdump kernel, what virtio_mem_vmcore keeps
 *
 * I: set while probing, then constant.  M: hotplug_mutex.
 * W: the worker only.
 */
struct virtio_mem {
	struct virtio_mem_vq vq;
	struct virtio_device *vdev;
	char name[32];
	struct kref ref;
	struct virtio_mem_geo geo;
	u64 block_size;
	struct range region;
	int nid;
	bool adopted;

	struct virtio_mem_accepted config;
	struct virtio_mem_sleep pm;
	struct virtio_mem_mm mm;
	struct virtio_mem_worker worker;
	struct virtio_mem_memory memory;
	struct virtio_mem_watch watch;

	struct mutex hotplug_mutex;	/* guards what is marked M above */
	struct virtio_mem_bbt bbt;
	s64 offline_bytes;
	char last_error[256];
	bool noted;
	u64 foreign;

	struct task_struct *task;
	struct completion exited;
	struct list_head orphan;
	wait_queue_head_t wait;
	unsigned long events;
	struct virtio_mem_bound bound;
	enum virtio_mem_activity activity;

	struct virtio_mem_pass pass;
	struct virtio_mem_candidates cand;
	struct virtio_mem_doubt doubt;
	struct virtio_mem_refusals refusals;
	u64 failed_ms;
	u64 out_ms;
	u64 refused_ms;
	struct virtio_mem_step step;
	bool unplug_all;
	bool broken;

	struct virtio_mem_stats stats;
	struct kobject *view;
	struct dentry *debugfs;
	void *vmcore;
};

/* Arithmetic between addresses and big blocks. */
static inline u64 virtio_mem_bb_addr(const struct virtio_mem *vm,
				     unsigned long id)
{
	return vm->geo.base + (u64)id * vm->geo.bb_size;
}

static inline unsigned long virtio_mem_bb_pfn(const struct virtio_mem *vm,
					      unsigned long id)
{
	return PHYS_PFN(virtio_mem_bb_addr(vm, id));
}

static inline unsigned long virtio_mem_bb_pages(const struct virtio_mem *vm)
{
	return PHYS_PFN(vm->geo.bb_size);
}

/* virtio_mem_device.c */
struct virtio_mem *virtio_mem_alloc(struct virtio_device *vdev);
void virtio_mem_put(struct virtio_mem *vm);
void virtio_mem_kick(struct virtio_mem *vm, int event);

#endif /* _VIRTIO_MEM_DEVICE_H */
