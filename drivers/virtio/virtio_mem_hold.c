// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holding memory in Linux while somebody looks at its pages.  A read of
 * /proc/kpageflags takes no lock that keeps the memmap in place: 6.12 fell over
 * because the worker removed a big block in the middle of such a read.  A reader
 * therefore asks first, and the worker removes nothing until the reader is done.
 *
 * The worker waits once for each reader, for a limited time, because nobody may
 * keep it from shrinking.  Afterwards this reader is overdue and counts no more.
 * New readers wait while the worker waits or removes; once the device goes, nobody
 * is let in.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "virtio_mem_hold.h"
#include "virtio_mem_policy.h"

/**
 * virtio_mem_hold_init() - begin with nobody who looks
 * @hold: to be initialized
 *
 * Context: probe.
 */
void virtio_mem_hold_init(struct virtio_mem_hold *hold)
{
	spin_lock_init(&hold->lock);
	init_waitqueue_head(&hold->wait);
	hold->readers = 0;
	hold->round = 0;
	hold->leaving = false;
	hold->closed = false;
}

/* Return: 0; -EAGAIN: not now; -ENODEV: never again. */
static int enter(struct virtio_mem_hold *hold, unsigned long *round)
{
	int rc = 0;

	spin_lock(&hold->lock);
	if (hold->closed) {
		rc = -ENODEV;
	} else if (hold->leaving) {
		rc = -EAGAIN;
	} else {
		hold->readers++;
		*round = hold->round;
	}
	spin_unlock(&hold->lock);
	return rc;
}

/**
 * virtio_mem_hold_begin() - keep all memory in Linux
 * @hold: the device's
 * @round: the round that the reader belongs to, for virtio_mem_hold_end()
 *
 * The memory may leave all the same after VIRTIO_MEM_HOLD_MS.
 *
 * Context: may sleep, for as long as one removal lasts.
 * Return: 0, to be ended by virtio_mem_hold_end(); -ERESTARTSYS: a fatal signal;
 * -ENODEV: the device goes, and a removal that has begun may still end.
 */
int virtio_mem_hold_begin(struct virtio_mem_hold *hold, unsigned long *round)
{
	int killed, rc;

	killed = wait_event_killable(hold->wait,
				     (rc = enter(hold, round)) != -EAGAIN);
	return killed ?: rc;
}

/**
 * virtio_mem_hold_end() - let memory leave again
 * @hold: the device's
 * @round: of virtio_mem_hold_begin()
 *
 * Context: any process.
 */
void virtio_mem_hold_end(struct virtio_mem_hold *hold, unsigned long round)
{
	spin_lock(&hold->lock);
	/* An overdue reader is not counted any more. */
	if (round == hold->round)
		hold->readers--;
	spin_unlock(&hold->lock);
	wake_up_all(&hold->wait);
}

/**
 * virtio_mem_hold_leave() - wait until nobody looks, then keep readers waiting
 * @hold: the device's
 *
 * Waits for nobody once virtio_mem_hold_close() was called, because then the
 * bound that the caller begins has ended already.
 *
 * Context: the worker; sleeps for VIRTIO_MEM_HOLD_MS at most.
 * Return: how many readers are overdue since just now.
 */
unsigned int virtio_mem_hold_leave(struct virtio_mem_hold *hold)
{
	unsigned int overdue;

	spin_lock(&hold->lock);
	hold->leaving = true;
	spin_unlock(&hold->lock);
	wait_event_timeout(hold->wait,
			   !READ_ONCE(hold->readers) || READ_ONCE(hold->closed),
			   msecs_to_jiffies(VIRTIO_MEM_HOLD_MS));
	spin_lock(&hold->lock);
	overdue = hold->closed ? 0 : hold->readers;
	if (overdue) {
		hold->readers = 0;
		hold->round++;
	}
	spin_unlock(&hold->lock);
	return overdue;
}

/**
 * virtio_mem_hold_left() - let readers go on
 * @hold: the device's
 *
 * Context: the worker, after virtio_mem_hold_leave().
 */
void virtio_mem_hold_left(struct virtio_mem_hold *hold)
{
	spin_lock(&hold->lock);
	hold->leaving = false;
	spin_unlock(&hold->lock);
	wake_up_all(&hold->wait);
}

/**
 * virtio_mem_hold_close() - let nobody look any more
 * @hold: the device's
 *
 * Readers that wait get -ENODEV at once, because debugfs waits for them, maybe
 * under a lock that the worker's removal waits for.
 *
 * Context: remove, after virtio_mem_bound_stop().
 */
void virtio_mem_hold_close(struct virtio_mem_hold *hold)
{
	spin_lock(&hold->lock);
	hold->closed = true;
	spin_unlock(&hold->lock);
	wake_up_all(&hold->wait);
}
