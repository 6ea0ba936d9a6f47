// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The worker's rest between two passes, with an eye on what kept the last one
 * from meeting the request.  May call virtio_mem_plan, virtio_mem_scan,
 * virtio_mem_held and virtio_mem_vq.
 *
 * Nobody tells a driver that memory is free again or a page let go, and the
 * next try may be a minute away.  A look whether it could get further costs
 * microseconds, and if so the next pass begins at once.  It may come to nothing,
 * too: then the rest after it lasts several times as long as what it cost.
 */
#include <linux/jiffies.h>
#include <linux/virtio.h>
#include <linux/wait.h>

#include "virtio_mem.h"

/* After a hasty pass: so many times the time that it has wasted. */
#define HASTY_REST	8

static bool called(struct virtio_mem *vm)
{
	return READ_ONCE(vm->events) || virtio_mem_vq_rang(&vm->vq);
}

static bool may_get_further(struct virtio_mem *vm)
{
	struct virtio_mem_pressure now;

	if (virtio_mem_held_let_go(vm))
		return true;
	virtio_mem_scan_pressure(&now);
	return virtio_mem_plan_eased(vm->pass.cause, &vm->pressure, &now,
				     virtio_mem_bb_pages(vm));
}

/**
 * virtio_mem_rest() - wait for an event, or until the next pass is due
 * @vm: the device
 * @delay: ms; 0 to wait for an event only
 *
 * Context: the worker; sleeps.
 */
void virtio_mem_rest(struct virtio_mem *vm, u32 delay)
{
	u32 look = virtio_mem_plan_look_ms(delay), least = 0, passed = 0, part;

	if (vm->hasty)
		least = min_t(u64, delay, vm->failed_ms * HASTY_REST);
	vm->hasty = false;
	if (!delay) {
		wait_event_idle(vm->wait, called(vm));
		return;
	}
	virtio_mem_scan_pressure(&vm->pressure);
	for (; passed < delay; passed += part) {
		part = min(look, delay - passed);
		if (wait_event_idle_timeout(vm->wait, called(vm),
					    msecs_to_jiffies(part)))
			return;
		if (passed + part >= least && may_get_further(vm)) {
			vm->hasty = true;
			return;
		}
	}
}
