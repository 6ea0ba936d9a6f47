// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bounds one long call into the memory hotplug core.
 *
 * offline_pages() goes on until a signal is pending for its caller, and
 * alloc_contig_range() until a fatal one is (6.1 and 6.12).  So the worker is a
 * kthread of its own that lets the kernel, and only the kernel, send it
 * SIGKILL; with such a handler the signal ends the call, not the thread.
 * virtio_mem_bound_end() always clears the signal, after it has stopped all
 * that could send one, because a signal left behind would cut short the next
 * allocation.
 */
#include <linux/jiffies.h>
#include <linux/sched/signal.h>

#include "virtio_mem_bound.h"

static void bound_raise(struct virtio_mem_bound *b, enum virtio_mem_cause why)
{
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	if (b->open && !b->why) {
		b->why = why;
		send_sig(SIGKILL, b->task, 1);
	}
	spin_unlock_irqrestore(&b->lock, flags);
}

static void bound_deadline(struct timer_list *timer)
{
	struct virtio_mem_bound *b =
		container_of(timer, struct virtio_mem_bound, timer);

	bound_raise(b, VIRTIO_MEM_CAUSE_DEADLINE);
}

/**
 * virtio_mem_bound_init() - set up the bound before the worker starts
 * @b: the bound
 *
 * Context: probe.
 */
void virtio_mem_bound_init(struct virtio_mem_bound *b)
{
	memset(b, 0, sizeof(*b));
	spin_lock_init(&b->lock);
	timer_setup(&b->timer, bound_deadline, 0);
}

/**
 * virtio_mem_bound_adopt() - make the calling kthread the one that is bounded
 * @b: the bound
 *
 * Context: the worker, once, before anything else.
 */
void virtio_mem_bound_adopt(struct virtio_mem_bound *b)
{
	b->task = current;
	allow_kernel_signal(SIGKILL);
}

/**
 * virtio_mem_bound_begin() - begin to bound a long call
 * @b: the bound
 * @ms: deadline
 *
 * Context: the worker.
 * Return: true if the call may begin; false if the caller must neither make the
 * call nor end the bound.
 */
bool virtio_mem_bound_begin(struct virtio_mem_bound *b, unsigned int ms)
{
	unsigned long flags;
	bool go;

	spin_lock_irqsave(&b->lock, flags);
	go = !b->stop && !b->late;
	b->open = go;
	b->why = VIRTIO_MEM_CAUSE_NONE;
	spin_unlock_irqrestore(&b->lock, flags);
	if (go)
		mod_timer(&b->timer, jiffies + msecs_to_jiffies(ms));
	return go;
}

/**
 * virtio_mem_bound_end() - stop bounding a long call that has ended
 * @b: the bound
 *
 * Context: the worker, once for every begin that returned true.  May sleep.
 * Return: the cause that ended the call, VIRTIO_MEM_CAUSE_NONE if it ended by
 * itself.
 */
enum virtio_mem_cause virtio_mem_bound_end(struct virtio_mem_bound *b)
{
	unsigned long flags;
	enum virtio_mem_cause why;

	spin_lock_irqsave(&b->lock, flags);
	b->open = false;
	why = b->why;
	spin_unlock_irqrestore(&b->lock, flags);
	timer_delete_sync(&b->timer);
	flush_signals(current);
	return why;
}

/**
 * virtio_mem_bound_why() - whether the call under way shall end
 * @b: the bound
 *
 * Context: any.
 * Return: the cause why it shall end, VIRTIO_MEM_CAUSE_NONE if it may go on.
 */
enum virtio_mem_cause virtio_mem_bound_why(struct virtio_mem_bound *b)
{
	return READ_ONCE(b->why);
}

/**
 * virtio_mem_bound_raise() - end the call under way because of a newer request
 * @b: the bound
 *
 * No other call begins until the worker has looked at the request.
 *
 * Context: any; after virtio_mem_kick().
 */
void virtio_mem_bound_raise(struct virtio_mem_bound *b)
{
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	b->late = true;
	spin_unlock_irqrestore(&b->lock, flags);
	bound_raise(b, VIRTIO_MEM_CAUSE_INTERRUPTED);
}

/**
 * virtio_mem_bound_look() - let calls begin again after a newer request
 * @b: the bound
 *
 * Context: the worker, before it checks whether it was kicked.
 */
void virtio_mem_bound_look(struct virtio_mem_bound *b)
{
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	b->late = false;
	spin_unlock_irqrestore(&b->lock, flags);
}

/**
 * virtio_mem_bound_stop() - end the call under way, and let none begin
 * @b: the bound
 * @stop: true to stop, false to let calls begin again
 *
 * Context: any.
 */
void virtio_mem_bound_stop(struct virtio_mem_bound *b, bool stop)
{
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	b->stop = stop;
	spin_unlock_irqrestore(&b->lock, flags);
	if (stop)
		bound_raise(b, VIRTIO_MEM_CAUSE_INTERRUPTED);
}
