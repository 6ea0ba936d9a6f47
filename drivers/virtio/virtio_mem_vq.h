/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request in flight, its answer or its end (timeout, broken, removed).
 * This file knows nothing of Linux's memory.
 */
#ifndef _VIRTIO_MEM_VQ_H
#define _VIRTIO_MEM_VQ_H

#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/wait.h>

#include "virtio_mem_proto.h"

struct virtio_mem_stats;

/**
 * struct virtio_mem_io - buffers that the device reads and writes
 * @req: the request
 * @resp: the answer
 */
struct virtio_mem_io {
	struct virtio_mem_req req;
	struct virtio_mem_resp resp;
};

/**
 * struct virtio_mem_request - the request that is out, or the last one
 * @out: the request is out
 * @type: VIRTIO_MEM_REQ_*
 * @nb_blocks: device blocks
 * @addr: first device block, bytes
 * @sent: when the driver sent it
 */
struct virtio_mem_request {
	bool out;
	u16 type;
	u16 nb_blocks;
	u64 addr;
	ktime_t sent;
};

/**
 * struct virtio_mem_vq - the guest-request queue
 * @vdev: the device
 * @wake: wait queue of those that wait for answers
 * @interrupt: the function that the virtio core calls
 * @lock: guards @vq, @request and @gone; held for each touch of the queue
 * @vq: the queue, NULL while there is none
 * @request: the request that is out
 * @stats: counts requests
 * @io: buffers, allocated on their own because the device may own them
 * @gone: nobody may touch the queue any more
 * @rang: the device has interrupted since the last poll
 * @len: bytes that the device wrote for the last answer
 */
struct virtio_mem_vq {
	struct virtio_device *vdev;
	wait_queue_head_t *wake;
	vq_callback_t *interrupt;
	spinlock_t lock;	/* held for each touch of the queue */
	struct virtqueue *vq;
	struct virtio_mem_request request;
	struct virtio_mem_stats *stats;
	struct virtio_mem_io *io;
	bool gone;
	bool rang;
	u32 len;
};

int virtio_mem_vq_init(struct virtio_mem_vq *q, struct virtio_device *vdev,
		       wait_queue_head_t *wake, vq_callback_t *interrupt,
		       struct virtio_mem_stats *stats);
void virtio_mem_vq_ring(struct virtio_mem_vq *q);
int virtio_mem_vq_open(struct virtio_mem_vq *q);
void virtio_mem_vq_shut(struct virtio_mem_vq *q);
void virtio_mem_vq_close(struct virtio_mem_vq *q);
void virtio_mem_vq_free(struct virtio_mem_vq *q);
enum virtio_mem_answer virtio_mem_vq_request(struct virtio_mem_vq *q, u16 type,
					     u64 addr, u16 nb_blocks);
enum virtio_mem_answer virtio_mem_vq_poll(struct virtio_mem_vq *q);
bool virtio_mem_vq_pending(struct virtio_mem_vq *q);
bool virtio_mem_vq_rang(struct virtio_mem_vq *q);
int virtio_mem_vq_ask_state(struct virtio_mem_vq *q, u64 addr, u16 nb_blocks);

#endif /* _VIRTIO_MEM_VQ_H */
