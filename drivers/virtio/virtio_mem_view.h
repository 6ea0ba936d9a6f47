/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysfs and debugfs: the files that people and tools read.
 */
#ifndef _VIRTIO_MEM_VIEW_H
#define _VIRTIO_MEM_VIEW_H

#include "virtio_mem_device.h"

void virtio_mem_sysfs_add(struct virtio_mem *vm);
void virtio_mem_sysfs_del(struct virtio_mem *vm);
void virtio_mem_sysfs_notify(struct virtio_mem *vm);
const char *virtio_mem_activity_name(enum virtio_mem_activity activity);
void virtio_mem_debugfs_init(void);
void virtio_mem_debugfs_exit(void);
void virtio_mem_debugfs_add(struct virtio_mem *vm);
void virtio_mem_debugfs_del(struct virtio_mem *vm);

#endif /* _VIRTIO_MEM_VIEW_H */
