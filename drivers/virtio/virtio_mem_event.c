// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * uevents: tells udev when a request is met or waits, and when the device is
 * stopped.  docs/ABI/sysfs-virtio-mem describes the variables.
 */
#include <linux/kobject.h>
#include <linux/virtio.h>

#include "virtio_mem_device.h"
#include "virtio_mem_event.h"

/**
 * virtio_mem_event_send() - tell udev how far a request is
 * @vm: the device, which is not being removed
 * @event: what has happened
 * @requested: bytes
 * @plugged: bytes
 * @cause: why it waits, or VIRTIO_MEM_CAUSE_NONE
 *
 * Context: the worker; may sleep.
 */
void virtio_mem_event_send(struct virtio_mem *vm, enum virtio_mem_event event,
			   u64 requested, u64 plugged,
			   enum virtio_mem_cause cause)
{
	static const char *const names[] = {
		[VIRTIO_MEM_EVENT_MET] = "met",
		[VIRTIO_MEM_EVENT_STUCK] = "stuck",
		[VIRTIO_MEM_EVENT_BROKEN] = "broken",
	};
	char env[4][48];
	char *envp[5] = { env[0], env[1], env[2], env[3], NULL };

	snprintf(env[0], sizeof(env[0]), "VIRTIO_MEM_EVENT=%s", names[event]);
	snprintf(env[1], sizeof(env[1]), "VIRTIO_MEM_REQUESTED=%llu",
		 requested);
	snprintf(env[2], sizeof(env[2]), "VIRTIO_MEM_PLUGGED=%llu", plugged);
	snprintf(env[3], sizeof(env[3]), "VIRTIO_MEM_CAUSE=%s",
		 virtio_mem_cause_token(cause));
	/* No error matters, because perhaps nobody listens. */
	kobject_uevent_env(&vm->vdev->dev.kobj, KOBJ_CHANGE, envp);
}
