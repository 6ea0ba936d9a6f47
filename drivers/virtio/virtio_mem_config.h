/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration that the driver accepted last.
 */
#ifndef _VIRTIO_MEM_CONFIG_H
#define _VIRTIO_MEM_CONFIG_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "virtio_mem_proto.h"

struct virtio_device;
struct virtio_mem;

/**
 * struct virtio_mem_accepted - the configuration in force
 * @reading: held from a read until its result is in @cfg, so that an older one
 *	replaces none that is newer
 * @lock: guards @cfg
 * @cfg: the configuration that the driver read and accepted last
 * @work: reads it again, and ends a long call that a change makes needless
 */
struct virtio_mem_accepted {
	struct mutex reading;	/* one reader at a time */
	spinlock_t lock;	/* guards cfg */
	struct virtio_mem_cfg cfg;
	struct work_struct work;
};

void virtio_mem_config_raw(struct virtio_device *vdev,
			   struct virtio_mem_cfg *cfg);
void virtio_mem_config_init(struct virtio_mem *vm,
			    const struct virtio_mem_cfg *cfg);
int virtio_mem_config_read(struct virtio_mem *vm);
void virtio_mem_config_get(struct virtio_mem *vm, struct virtio_mem_cfg *cfg);
void virtio_mem_config_changed(struct virtio_mem *vm);
void virtio_mem_config_stop(struct virtio_mem *vm);

#endif /* _VIRTIO_MEM_CONFIG_H */
