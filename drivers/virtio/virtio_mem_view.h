/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysfs and debugfs: the files that people and tools read.
 */
#ifndef _VIRTIO_MEM_VIEW_H
#define _VIRTIO_MEM_VIEW_H

#include "virtio_mem_device.h"

/**
 * enum virtio_mem_event - an event for udev
 * @VIRTIO_MEM_EVENT_MET: a request is met
 * @VIRTIO_MEM_EVENT_STUCK: a request waits, for a new cause
 * @VIRTIO_MEM_EVENT_BROKEN: the device is stopped for good
 */
enum virtio_mem_event {
	VIRTIO_MEM_EVENT_MET,
	VIRTIO_MEM_EVENT_STUCK,
	VIRTIO_MEM_EVENT_BROKEN,
};

void virtio_mem_sysfs_add(struct virtio_mem *vm);
void virtio_mem_sysfs_del(struct virtio_mem *vm);
void virtio_mem_sysfs_notify(struct virtio_mem *vm);
void virtio_mem_sysfs_event(struct virtio_mem *vm, enum virtio_mem_event event,
			    u64 requested, u64 plugged,
			    enum virtio_mem_cause cause);
const char *virtio_mem_activity_name(enum virtio_mem_activity activity);
void virtio_mem_debugfs_init(void);
void virtio_mem_debugfs_exit(void);
void virtio_mem_debugfs_add(struct virtio_mem *vm);
void virtio_mem_debugfs_del(struct virtio_mem *vm);

#endif /* _VIRTIO_MEM_VIEW_H */
