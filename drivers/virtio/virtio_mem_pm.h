/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Suspend and hibernation.
 */
#ifndef _VIRTIO_MEM_PM_H
#define _VIRTIO_MEM_PM_H

#include <linux/notifier.h>

struct virtio_device;
struct virtio_mem;

/**
 * struct virtio_mem_sleep - state of suspend and hibernation
 * @nb: power management notifier
 * @prepared: the notifier has let the guest sleep; no other sleep is under way
 *	when it changes
 */
struct virtio_mem_sleep {
	struct notifier_block nb;
	bool prepared;
};

#ifdef CONFIG_PM_SLEEP
int virtio_mem_pm_freeze(struct virtio_device *vdev);
int virtio_mem_pm_restore(struct virtio_device *vdev);
void virtio_mem_pm_start(struct virtio_mem *vm);
void virtio_mem_pm_stop(struct virtio_mem *vm);
#else
static inline void virtio_mem_pm_start(struct virtio_mem *vm) { }
static inline void virtio_mem_pm_stop(struct virtio_mem *vm) { }
#endif

#endif /* _VIRTIO_MEM_PM_H */
