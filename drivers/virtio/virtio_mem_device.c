// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes a device, counts references to it, wakes its worker, frees it.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/virtio.h>

#include "virtio_mem_device.h"

/**
 * virtio_mem_alloc() - make a device
 * @vdev: the virtio core's device, to which the new one holds a reference
 *
 * Context: probe; may sleep.
 * Return: the device with one reference, or NULL.
 */
struct virtio_mem *virtio_mem_alloc(struct virtio_device *vdev)
{
	struct virtio_mem *vm = kzalloc(sizeof(*vm), GFP_KERNEL);

	if (!vm)
		return NULL;
	vm->vdev = vdev;
	get_device(&vdev->dev);
	strscpy(vm->name, dev_name(&vdev->dev), sizeof(vm->name));
	kref_init(&vm->ref);
	mutex_init(&vm->hotplug_mutex);
	init_completion(&vm->exited);
	init_waitqueue_head(&vm->wait);
	virtio_mem_bound_init(&vm->bound);
	virtio_mem_hold_init(&vm->hold);
	virtio_mem_candidates_reset(&vm->cand);
	vm->worker.told_requested = U64_MAX;
	return vm;
}

static void free_device(struct kref *ref)
{
	struct virtio_mem *vm = container_of(ref, struct virtio_mem, ref);

	virtio_mem_vq_free(&vm->vq);
	kvfree(vm->bbt.entry);
	virtio_mem_candidates_reset(&vm->cand);
	kvfree(virtio_mem_candidates_replace(&vm->cand, NULL, 0));
	put_device(&vm->vdev->dev);
	kfree(vm);
}

/**
 * virtio_mem_put() - drop a reference
 * @vm: the device; the last reference frees it
 *
 * Context: may sleep.
 */
void virtio_mem_put(struct virtio_mem *vm)
{
	kref_put(&vm->ref, free_device);
}

/**
 * virtio_mem_kick() - wake the worker for an event
 * @vm: the device
 * @event: VIRTIO_MEM_EV_*
 *
 * Context: any.
 */
void virtio_mem_kick(struct virtio_mem *vm, int event)
{
	set_bit(event, &vm->events);
	wake_up_all(&vm->wait);
}
