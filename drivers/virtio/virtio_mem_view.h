/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people and tools read: sysfs and debugfs.
 */
#ifndef _VIRTIO_MEM_VIEW_H
#define _VIRTIO_MEM_VIEW_H

#include "virtio_mem_device.h"

struct attribute_group;

extern const struct attribute_group *virtio_mem_groups[];
const char *virtio_mem_activity_name(enum virtio_mem_activity activity);
void virtio_mem_debugfs_init(void);
void virtio_mem_debugfs_exit(void);
void virtio_mem_debugfs_add(struct virtio_mem *vm);
void virtio_mem_debugfs_del(struct virtio_mem *vm);

#endif /* _VIRTIO_MEM_VIEW_H */
