/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uevents: what udev is told of a request.
 */
#ifndef _VIRTIO_MEM_EVENT_H
#define _VIRTIO_MEM_EVENT_H

#include "virtio_mem_cause.h"

struct virtio_mem;

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

void virtio_mem_event_send(struct virtio_mem *vm, enum virtio_mem_event event,
			   u64 requested, u64 plugged,
			   enum virtio_mem_cause cause);

#endif /* _VIRTIO_MEM_EVENT_H */
