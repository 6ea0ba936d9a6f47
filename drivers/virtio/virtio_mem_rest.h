/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's rest between two passes.
 */
#ifndef _VIRTIO_MEM_REST_H
#define _VIRTIO_MEM_REST_H

#include <linux/types.h>

#include "virtio_mem_choose.h"

struct virtio_mem;

/**
 * struct virtio_mem_watch - what the worker watches while it rests
 * @pressure: W: memory that the guest had left when the last pass ended, or the
 *	least since
 * @hasty: W: the last pass began before its time
 *
 * I, M, W: as above struct virtio_mem.
 */
struct virtio_mem_watch {
	struct virtio_mem_pressure pressure;
	bool hasty;
};

void virtio_mem_rest(struct virtio_mem *vm, u32 delay);

#endif /* _VIRTIO_MEM_REST_H */
