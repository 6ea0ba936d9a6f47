/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holding memory in Linux while somebody looks at its pages.
 */
#ifndef _VIRTIO_MEM_HOLD_H
#define _VIRTIO_MEM_HOLD_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

/**
 * struct virtio_mem_hold - who looks at pages, and whether some leave
 * @lock: guards the members below
 * @wait: those who wait for either side
 * @readers: how many of this round look now
 * @round: grows when the worker has waited in vain; earlier readers are overdue
 * @leaving: pages leave Linux now, or will as soon as nobody looks
 * @closed: the device goes; nobody is let in any more
 */
struct virtio_mem_hold {
	spinlock_t lock;	/* guards the other members */
	wait_queue_head_t wait;
	unsigned int readers;
	unsigned long round;
	bool leaving;
	bool closed;
};

void virtio_mem_hold_init(struct virtio_mem_hold *hold);
int virtio_mem_hold_begin(struct virtio_mem_hold *hold, unsigned long *round);
void virtio_mem_hold_end(struct virtio_mem_hold *hold, unsigned long round);
unsigned int virtio_mem_hold_leave(struct virtio_mem_hold *hold);
void virtio_mem_hold_left(struct virtio_mem_hold *hold);
void virtio_mem_hold_close(struct virtio_mem_hold *hold);

#endif /* _VIRTIO_MEM_HOLD_H */
