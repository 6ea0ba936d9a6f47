/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells a kdump kernel which pages it can read.
 */
#ifndef _VIRTIO_MEM_VMCORE_H
#define _VIRTIO_MEM_VMCORE_H

struct virtio_mem;

int virtio_mem_vmcore_start(struct virtio_mem *vm);
void virtio_mem_vmcore_stop(struct virtio_mem *vm);

#endif /* _VIRTIO_MEM_VMCORE_H */
