/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One virtio-mem device: its state, who may touch which part of it, and what
 * the shell's files offer each other.  May include every header of ours.
 */
#ifndef _VIRTIO_MEM_DEVICE_H
#define _VIRTIO_MEM_DEVICE_H

#include <linux/completion.h>
#include <linux/ioport.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pfn.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "virtio_mem_bb.h"
#include "virtio_mem_bound.h"
#include "virtio_mem_config.h"
#include "virtio_mem_param.h"
#include "virtio_mem_plan.h"
#include "virtio_mem_pm.h"
#include "virtio_mem_policy.h"
#include "virtio_mem_proto.h"
#include "virtio_mem_retry.h"
#include "virtio_mem_scan.h"
#include "virtio_mem_vq.h"

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
 * @mgid: W: memory group, registered by the first add
 * @parent: I: the resource above our memory
 * @res_name: I: name of the resources of our memory
 * @adopted: I: @parent was made by an earlier driver
 *
 * @config: the configuration (own lock)
 * @pm: suspend and hibernation
 *
 * @hotplug_mutex: guards what is marked M, and the memmap of what is online of
 *	ours, see virtio_mem_scan.c.  Held for table updates and for a look at
 *	one section, never while waiting for the device or for the memory
 *	hotplug core.
 *	Order: device_hotplug_lock > mem_hotplug_lock > notifier chain >
 *	hotplug_mutex.  Never call add, remove or offline with it held.
 * @bbt: M: the table of big blocks
 * @adding: M: BB that the worker is adding: PLUGGED, but onlining is allowed
 * @claimed: M: BB in FAKE_OFFLINE: only the worker may on- or offline it
 * @changing: M: BB that somebody is onlining or offlining right now
 * @taken: W: memory blocks of @claimed whose pages the driver has taken
 * @handed: W: the block being offlined is taken, its pages are with the core
 * @offline_bytes: M: added, but not online
 * @recount: M: the next change of that may have begun before we listened
 * @refused: M: onlining a part of @adding was begun, and has failed
 * @last_error: M: why the last thing went wrong, for people
 * @noted: M: this pass has written it
 * @foreign: M: bytes plugged but in no BB of ours
 *
 * @task: I: the worker
 * @exited: the worker has ended
 * @ended: M: the worker is about to end
 * @orphaned: M: remove() did not wait: the worker tidies up behind itself
 * @orphan: in the list of those, guarded by its lock
 * @wait: the worker sleeps here
 * @events: atomic: VIRTIO_MEM_EV_*
 * @bound: bounds the worker's long calls (own lock)
 * @activity: written by the worker, read by anybody
 * @paused: written by the worker: it saw VIRTIO_MEM_EV_PAUSE
 *
 * @pass: W: what the worker has learned in this pass
 * @cand: W: candidates for unplug
 * @held: W: by BB, what earlier looks and tries found: see virtio_mem_held.c
 * @drains: W: how often the CPUs' batches were drained to tell what is held
 * @backoff: W: delay before the next retry
 * @doubt: W: time for tries that a look advises against
 * @refusals: W: what Linux has refused to add
 * @pressure: W: what memory the guest had left when the last pass ended, or the
 *	least since
 * @hasty: W: the last pass began before its time
 * @failed_ms: W: time spent in this pass on looking, and on unplugs that failed
 * @out_ms: W: when the first of the big blocks began to leave Linux that now
 *	wait for their UNPLUG
 * @refused_ms: W: when the device refused a big block by ERROR last
 * @step: W: the step whose request is out; if that is STATE, it is to find out
 *	what became of the step
 * @unplug_all: W: the device must unplug everything first
 * @broken: W: stopped for good
 * @told_requested: W: request that was announced, bytes
 * @told_cause: W: cause that was announced
 * @told_met: W: that the request is met was announced
 * @told_mismatch: W: that device and table disagree was announced
 * @last_plugged: W: plugged size at the end of the last pass, bytes
 * @started_ms: W: when the request arrived
 *
 * @memory_nb: memory notifier
 * @debugfs: I: our directory
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
	int mgid;
	struct resource *parent;
	const char *res_name;
	bool adopted;

	struct virtio_mem_accepted config;
	struct virtio_mem_sleep pm;

	struct mutex hotplug_mutex;	/* guards what is marked M above */
	struct virtio_mem_bbt bbt;
	unsigned long adding;
	unsigned long claimed;
	unsigned long changing;
	unsigned long *taken;
	bool handed;
	s64 offline_bytes;
	bool recount;
	bool refused;
	char last_error[256];
	bool noted;
	u64 foreign;

	struct task_struct *task;
	struct completion exited;
	bool ended;
	bool orphaned;
	struct list_head orphan;
	wait_queue_head_t wait;
	unsigned long events;
	struct virtio_mem_bound bound;
	enum virtio_mem_activity activity;
	bool paused;

	struct virtio_mem_pass pass;
	struct virtio_mem_candidates cand;
	struct xarray held;
	unsigned long drains;
	struct virtio_mem_backoff backoff;
	struct virtio_mem_doubt doubt;
	struct virtio_mem_refusals refusals;
	struct virtio_mem_pressure pressure;
	bool hasty;
	u64 failed_ms;
	u64 out_ms;
	u64 refused_ms;
	struct virtio_mem_step step;
	bool unplug_all;
	bool broken;
	u64 told_requested;
	enum virtio_mem_cause told_cause;
	bool told_met;
	bool told_mismatch;
	u64 last_plugged;
	u64 started_ms;

	struct notifier_block memory_nb;
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

/**
 * struct virtio_mem_attempt - how to take a big block out of Linux this time
 * @method: how
 * @suspect: PFN of a page in it that a look found held, 0 for none
 * @ms: how long it may take in all
 */
struct virtio_mem_attempt {
	enum virtio_mem_method method;
	unsigned long suspect;
	unsigned int ms;
};

/* virtio_mem_mm.c: Linux's side of a big block */
int virtio_mem_mm_init(struct virtio_mem *vm);
void virtio_mem_mm_start(struct virtio_mem *vm);
void virtio_mem_mm_stop(struct virtio_mem *vm);
unsigned long virtio_mem_mm_exit(struct virtio_mem *vm);
int virtio_mem_mm_add(struct virtio_mem *vm, unsigned long id);
int virtio_mem_mm_drain(struct virtio_mem *vm, unsigned long id,
			unsigned long pfn);
enum virtio_mem_cause
virtio_mem_mm_shrink(struct virtio_mem *vm, unsigned long id,
		     const struct virtio_mem_attempt *how);
unsigned long virtio_mem_mm_online_pages(struct virtio_mem *vm,
					 unsigned long id, int *zone);

/* virtio_mem_adopt.c: memory that an earlier driver has left added */
int virtio_mem_adopt(struct virtio_mem *vm);

/* virtio_mem_room.c: what adding takes out of the guest */
int virtio_mem_room_make(struct virtio_mem *vm);

/* virtio_mem_held.c: what earlier looks and tries found */
void virtio_mem_held_init(struct virtio_mem *vm);
void virtio_mem_held_exit(struct virtio_mem *vm);
void virtio_mem_held_pardon(struct virtio_mem *vm);
void virtio_mem_held_history(struct virtio_mem *vm, unsigned long id,
			     struct virtio_mem_history *past);
void virtio_mem_held_suspect(struct virtio_mem *vm, unsigned long id,
			     unsigned long pfn);
bool virtio_mem_held_confirm(struct virtio_mem *vm, unsigned long id,
			     unsigned long free_pfn);
void virtio_mem_held_record_failure(struct virtio_mem *vm, unsigned long id,
				    enum virtio_mem_cause cause);
bool virtio_mem_held_any_released(struct virtio_mem *vm);
void virtio_mem_held_forget(struct virtio_mem *vm, unsigned long id);

/* virtio_mem_snapshot.c: what a decision rests on */
bool virtio_mem_shall_end(struct virtio_mem *vm);
void virtio_mem_snapshot_sizes(struct virtio_mem *vm,
			       struct virtio_mem_situation *in);
void virtio_mem_snapshot(struct virtio_mem *vm,
			 struct virtio_mem_situation *in);

/* virtio_mem_rest.c: the wait between two passes */
void virtio_mem_rest(struct virtio_mem *vm, u32 delay);

/* virtio_mem_table.c: the table with its lock and its buffer */
int virtio_mem_table_reserve(struct virtio_mem *vm, unsigned long nr);
int virtio_mem_table_set(struct virtio_mem *vm, unsigned long id,
			 enum virtio_mem_bb_state state);
int virtio_mem_table_set_run(struct virtio_mem *vm, unsigned long first,
			     unsigned long nr, enum virtio_mem_bb_state state);
__printf(2, 3)
void virtio_mem_note(struct virtio_mem *vm, const char *fmt, ...);

/* virtio_mem_work.c: the worker */
int virtio_mem_work_start(struct virtio_mem *vm);
bool virtio_mem_work_stop(struct virtio_mem *vm);
void virtio_mem_teardown(struct virtio_mem *vm);
int virtio_mem_work_pause(struct virtio_mem *vm);
void virtio_mem_work_resume(struct virtio_mem *vm);

/* virtio_mem_sysfs.c, virtio_mem_debugfs.c: what people and tools read */
extern const struct attribute_group *virtio_mem_groups[];
const char *virtio_mem_activity_name(enum virtio_mem_activity activity);
void virtio_mem_debugfs_init(void);
void virtio_mem_debugfs_exit(void);
void virtio_mem_debugfs_add(struct virtio_mem *vm);
void virtio_mem_debugfs_del(struct virtio_mem *vm);

/* virtio_mem_vmcore.c: in a kdump kernel */
int virtio_mem_vmcore_start(struct virtio_mem *vm);
void virtio_mem_vmcore_stop(struct virtio_mem *vm);

#endif /* _VIRTIO_MEM_DEVICE_H */
