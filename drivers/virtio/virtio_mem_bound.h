/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds one long call into the memory hotplug core: the core gives up on a
 * deadline, a newer request, suspend or removal.
 */
#ifndef _VIRTIO_MEM_BOUND_H
#define _VIRTIO_MEM_BOUND_H

#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "virtio_mem_cause.h"

/**
 * struct virtio_mem_bound - bounds the worker's long calls
 * @lock: guards all fields; taken from timers and interrupts
 * @task: the worker
 * @timer: the deadline
 * @open: a bounded call is under way
 * @stop: every bounded call shall end at once (others set and clear it)
 * @late: there is a newer request than the worker knows
 * @why: the cause that ended the bounded call, NONE if there is none
 */
struct virtio_mem_bound {
	spinlock_t lock;	/* guards all fields */
	struct task_struct *task;
	struct timer_list timer;
	bool open;
	bool stop;
	bool late;
	enum virtio_mem_cause why;
};

void virtio_mem_bound_init(struct virtio_mem_bound *b);
void virtio_mem_bound_adopt(struct virtio_mem_bound *b);
bool virtio_mem_bound_begin(struct virtio_mem_bound *b, unsigned int ms);
enum virtio_mem_cause virtio_mem_bound_end(struct virtio_mem_bound *b);
enum virtio_mem_cause virtio_mem_bound_why(struct virtio_mem_bound *b);
void virtio_mem_bound_raise(struct virtio_mem_bound *b);
void virtio_mem_bound_look(struct virtio_mem_bound *b);
void virtio_mem_bound_stop(struct virtio_mem_bound *b, bool stop);

#endif /* _VIRTIO_MEM_BOUND_H */
