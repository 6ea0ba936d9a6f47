// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The worker's rest between two passes, in which it watches the obstacle that
 * kept the last pass from meeting the request.
 *
 * The resting worker checks regularly whether it could get further, because
 * nobody tells a driver that memory is free again or that a page is no longer
 * held, and the next try may be a minute away.  A check costs microseconds; if
 * it succeeds, the next pass begins at once.  If that pass comes to nothing,
 * the rest after it lasts several times as long as the pass.
 */
#include <linux/jiffies.h>
#include <linux/virtio.h>
#include <linux/wait.h>

#include "virtio_mem_device.h"

/* A request, an answer or the end cuts short any rest. */
static bool called(struct virtio_mem *vm)
{
	return READ_ONCE(vm->events) & ~BIT(VIRTIO_MEM_EV_MEMORY) ||
	       virtio_mem_vq_rang(&vm->vq);
}

static bool called_or_memory(struct virtio_mem *vm)
{
	return READ_ONCE(vm->events) || virtio_mem_vq_rang(&vm->vq);
}

static bool may_get_further(struct virtio_mem *vm)
{
	struct virtio_mem_pressure now;

	if (virtio_mem_held_any_released(vm))
		return true;
	virtio_mem_scan_pressure(&now);
	if (!virtio_mem_retry_eased(vm->pass.cause, &vm->watch.pressure, &now,
				    virtio_mem_bb_pages(vm),
				    virtio_mem_scan_memmap(vm)))
		return false;
	virtio_mem_held_pardon(vm);
	return true;
}

/* Returns true if an event has called the worker. */
static bool sleep_for(struct virtio_mem *vm, u32 ms, bool memory_too)
{
	unsigned long ticks = msecs_to_jiffies(ms);

	if (memory_too)
		return wait_event_idle_timeout(vm->wait, called_or_memory(vm),
					       ticks);
	return wait_event_idle_timeout(vm->wait, called(vm), ticks);
}

/**
 * virtio_mem_rest() - wait for an event, or until the next pass is due
 * @vm: the device
 * @delay: ms; 0 to wait for an event only
 *
 * After a pass that has wasted time, memory that comes and goes does not end
 * the rest before as much time has passed.
 *
 * Context: the worker; sleeps.
 */
void virtio_mem_rest(struct virtio_mem *vm, u32 delay)
{
	u32 least = virtio_mem_retry_least_ms(delay, vm->failed_ms, vm->watch.hasty);
	u32 look = virtio_mem_retry_look_ms(delay), passed = 0, part;

	vm->watch.hasty = false;
	if (!delay) {
		wait_event_idle(vm->wait, called_or_memory(vm));
		return;
	}
	virtio_mem_scan_pressure(&vm->watch.pressure);
	for (; passed < delay; passed += part) {
		part = min(look, delay - passed);
		if (passed < least)
			part = min(part, least - passed);
		if (sleep_for(vm, part, passed >= least))
			return;
		if (passed + part >= least && may_get_further(vm)) {
			vm->watch.hasty = true;
			return;
		}
	}
}
