/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux's side of a big block: add, claim, offline, remove.
 */
#ifndef _VIRTIO_MEM_MM_H
#define _VIRTIO_MEM_MM_H

#include <linux/ioport.h>
#include <linux/notifier.h>
#include <linux/types.h>

#include "virtio_mem_choose.h"

struct virtio_mem;

/**
 * struct virtio_mem_mm - the state of Linux's side
 * @nb: memory notifier
 * @mgid: W: memory group, registered by the first add
 * @parent: I: the resource above the device's memory
 * @res_name: I: name of the resources of the device's memory
 * @adding: M: BB that the worker is adding: PLUGGED, but onlining is allowed
 * @claimed: M: BB in FAKE_OFFLINE: only the worker may on- or offline it
 * @changing: M: BB that somebody is onlining or offlining right now
 * @taken: W: memory blocks of @claimed whose pages the driver has taken
 * @handed: W: the driver has handed the taken block being offlined to the core
 * @recount: M: the next change may have begun before the notifier was there
 * @refused: M: onlining a part of @adding has begun and failed
 * @hosts: W: whether the core has added memory that holds its own memmap: 1;
 *	-1 if it refused; 0 if not tried
 *
 * I, M, W: as above struct virtio_mem.
 */
struct virtio_mem_mm {
	struct notifier_block nb;
	int mgid;
	struct resource *parent;
	const char *res_name;
	unsigned long adding;
	unsigned long claimed;
	unsigned long changing;
	unsigned long *taken;
	bool handed;
	bool recount;
	bool refused;
	int hosts;
};

/**
 * struct virtio_mem_attempt - how to take a big block out of Linux this time
 * @method: how
 * @suspect: PFN of a page in it that the last scan found held, 0 for none
 * @ms: how long it may take in all
 */
struct virtio_mem_attempt {
	enum virtio_mem_method method;
	unsigned long suspect;
	unsigned int ms;
};

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

#endif /* _VIRTIO_MEM_MM_H */
