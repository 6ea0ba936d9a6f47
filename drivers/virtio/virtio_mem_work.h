/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker, which brings a device to its requested size.
 */
#ifndef _VIRTIO_MEM_WORK_H
#define _VIRTIO_MEM_WORK_H

#include <linux/types.h>

#include "virtio_mem_cause.h"
#include "virtio_mem_retry.h"

struct virtio_mem;

/**
 * struct virtio_mem_worker - what the worker keeps for itself
 * @ended: M: the worker is about to end
 * @orphaned: M: remove() did not wait, so the worker tidies up behind itself
 * @paused: written by the worker: it saw VIRTIO_MEM_EV_PAUSE
 * @backoff: W: delay before the next retry
 * @told_requested: W: the request that the log last announced, bytes
 * @told_cause: W: the cause that the log last announced
 * @told_met: W: the log has announced that the request is met
 * @told_mismatch: W: the log has announced that device and table disagree
 * @last_plugged: W: plugged size at the end of the last pass, bytes
 * @started_ms: W: when the request arrived
 *
 * I, M, W: as above struct virtio_mem.
 */
struct virtio_mem_worker {
	bool ended;
	bool orphaned;
	bool paused;
	struct virtio_mem_backoff backoff;
	u64 told_requested;
	enum virtio_mem_cause told_cause;
	bool told_met;
	bool told_mismatch;
	u64 last_plugged;
	u64 started_ms;
};

int virtio_mem_work_start(struct virtio_mem *vm);
bool virtio_mem_work_stop(struct virtio_mem *vm);
void virtio_mem_teardown(struct virtio_mem *vm);
int virtio_mem_work_pause(struct virtio_mem *vm);
void virtio_mem_work_resume(struct virtio_mem *vm);

#endif /* _VIRTIO_MEM_WORK_H */
