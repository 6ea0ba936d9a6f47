/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes room for the memory that adding a big block takes out of the guest.
 */
#ifndef _VIRTIO_MEM_ROOM_H
#define _VIRTIO_MEM_ROOM_H

struct virtio_mem;

int virtio_mem_room_make(struct virtio_mem *vm);

#endif /* _VIRTIO_MEM_ROOM_H */
