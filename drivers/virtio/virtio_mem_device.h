/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One virtio-mem device: its state, and who may touch which part of it.  May
 * include every header of the driver.
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
#include "virtio_mem_hold.h"
#include "virtio_mem_mm.h"
#include "virtio_mem_note.h"
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

/* No big block, in fields that name one. */
#define VIRTIO_MEM_NO_BB	ULONG_MAX

/* No memory group yet, in the field that has its number. */
#define VIRTIO_MEM_NO_GROUP	(-1)

/**
 * enum virtio_mem_activity - what the device is doing, as users read it
 * @VIRTIO_MEM_IDLE: the request is met
 * @VIRTIO_MEM_GROWING: the worker plugs and adds memory
 * @VIRTIO_MEM_SHRINKING: the worker takes memory out of Linux
 * @VIRTIO_MEM_WAITING: the worker can't meet the request now and will retry
 * @VIRTIO_MEM_BROKEN: the device is stopped for good; its memory stays as it is
 */
enum virtio_mem_activity {
	VIRTIO_MEM_IDLE,
	VIRTIO_MEM_GROWING,
	VIRTIO_MEM_SHRINKING,
	VIRTIO_MEM_WAITING,
	VIRTIO_MEM_BROKEN,
};

/* Bits in virtio_mem.events, which the worker has to look at. */
#define VIRTIO_MEM_EV_CONFIG	0	/* the configuration may have changed */
#define VIRTIO_MEM_EV_MEMORY	1	/* others onlined or offlined memory */
#define VIRTIO_MEM_EV_STOP	2	/* end */
#define VIRTIO_MEM_EV_PAUSE	3	/* do nothing until cleared */

/**
 * struct virtio_mem - one device
 * @vq: I: the request queue (own lock)
 * @vdev: I: the virtio device; nobody may touch it once @vq is shut
 * @name: I: its name, for messages that may outlive it
 * @ref: remove() and the worker hold one each
 * @geo: I: where the big blocks lie
 * @block_size: I: device block, bytes
 * @region: I: the device region, first and last address
 * @nid: I: NUMA node
 * @adopted: I: an earlier driver has left memory added
 *
 * @config: the configuration (own lock)
 * @pm: suspend and hibernation
 * @mm: Linux's side
 * @worker: the worker's own state
 * @memory: what earlier scans and tries found, by big block
 * @watch: what the worker watches while it rests
 *
 * @hotplug_mutex: guards the members marked M, and the memmap of the device's
 *	online memory, see virtio_mem_scan.c.  The driver holds it for table
 *	updates and to scan one section, never while it waits for the device or
 *	for the memory hotplug core.
 *	Order: device_hotplug_lock > mem_hotplug_lock > notifier chain >
 *	hotplug_mutex.  Never call add, remove or offline with it held.
 * @bbt: M: the table of big blocks
 * @offline_bytes: M: bytes that are added, but not online
 * @notes: M: what went wrong and why, for people
 * @foreign: M: bytes that are plugged but in no big block of this driver
 *
 * @task: I: the worker
 * @exited: the worker has ended
 * @orphan: entry in the list of orphans, whose lock guards it
 * @wait: the worker sleeps here
 * @events: atomic: VIRTIO_MEM_EV_*
 * @bound: bounds the worker's long calls (own lock)
 * @hold: keeps memory in Linux while somebody looks at its pages (own lock)
 * @activity: written by the worker, read by anybody
 *
 * @pass: W: what the worker has learned in this pass
 * @cand: W: candidates for unplug
 * @doubt: W: time for tries that a scan advises against
 * @refusals: W: the big blocks that Linux has refused to add
 * @failed_ms: W: time that this pass has spent on scans and on failed unplugs
 * @out_ms: W: when the first of the big blocks that now wait for their UNPLUG
 *	began to leave Linux
 * @refused_ms: W: when the device last refused a big block by ERROR
 * @step: W: the step whose request is out; a STATE request that is out asks for
 *	the outcome of this step
 * @unplug_all: W: the device must unplug everything first
 * @broken: W: the device is stopped for good
 *
 * @stats: written by the worker, read by anybody
 * @view: I: the device's directory in sysfs
 * @debugfs: I: the device's directory in debugfs
 * @vmcore: I: state of virtio_mem_vmcore in a kdump kernel
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

	struct mutex hotplug_mutex;	/* guards the members marked M */
	struct virtio_mem_bbt bbt;
	s64 offline_bytes;
	struct virtio_mem_notes notes;
	u64 foreign;

	struct task_struct *task;
	struct completion exited;
	struct list_head orphan;
	wait_queue_head_t wait;
	unsigned long events;
	struct virtio_mem_bound bound;
	struct virtio_mem_hold hold;
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
