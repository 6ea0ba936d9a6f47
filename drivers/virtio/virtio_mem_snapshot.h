/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snapshot that a decision rests on.
 */
#ifndef _VIRTIO_MEM_SNAPSHOT_H
#define _VIRTIO_MEM_SNAPSHOT_H

#include <linux/types.h>

struct virtio_mem;
struct virtio_mem_situation;

bool virtio_mem_shall_end(struct virtio_mem *vm);
void virtio_mem_snapshot_sizes(struct virtio_mem *vm,
			       struct virtio_mem_situation *in);
void virtio_mem_snapshot(struct virtio_mem *vm,
			 struct virtio_mem_situation *in);

#endif /* _VIRTIO_MEM_SNAPSHOT_H */
