/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes over memory that an earlier driver has left added.
 */
#ifndef _VIRTIO_MEM_ADOPT_H
#define _VIRTIO_MEM_ADOPT_H

struct virtio_mem;

int virtio_mem_adopt(struct virtio_mem *vm);

#endif /* _VIRTIO_MEM_ADOPT_H */
