/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every difference between the kernel versions that this module supports, and
 * nothing else.  Supported and tested: Debian's 6.1, 6.12 and 7.3.
 */
#ifndef _MOCK_COMPAT_H
#define _MOCK_COMPAT_H

#include <linux/version.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mem.h>

#include "mock.h"

#ifndef VIRTIO_MEM_F_PERSISTENT_SUSPEND
#define VIRTIO_MEM_F_PERSISTENT_SUSPEND	2
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
static inline int mock_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
				struct virtqueue *vqs[],
				vq_callback_t *callbacks[],
				const char * const names[], const bool *ctx,
				struct irq_affinity *desc)
{
	return mock_transport_find(vdev, nvqs, vqs, callbacks[0], names[0]);
}
#else
static inline int mock_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
				struct virtqueue *vqs[],
				struct virtqueue_info vqs_info[],
				struct irq_affinity *desc)
{
	return mock_transport_find(vdev, nvqs, vqs, vqs_info[0].callback,
				   vqs_info[0].name);
}
#endif

#endif /* _MOCK_COMPAT_H */
