/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removed devices whose workers have not ended yet.
 */
#ifndef _VIRTIO_MEM_ORPHAN_H
#define _VIRTIO_MEM_ORPHAN_H

struct virtio_mem;

void virtio_mem_orphan_begin(struct virtio_mem *vm);
void virtio_mem_orphan_end(struct virtio_mem *vm);
int virtio_mem_orphan_wait(struct virtio_mem *vm);

#endif /* _VIRTIO_MEM_ORPHAN_H */
