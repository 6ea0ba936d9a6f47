// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The faults at a point: the returned value, the signal, the reference.  All of
 * this runs in a kprobe's handler, which may neither sleep nor print.  It may
 * not take a lock, either, because it may be a breakpoint's; an interrupt that
 * comes right after it, before the function begins, does the work that needs a
 * lock.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sched/signal.h>

#include "fault.h"

/* Runs in place of an overridden function, and returns to its caller. */
static noinline notrace __no_kcsan __no_sanitize_address void go_back(void)
{
	barrier();
}

static void drop(struct work_struct *work)
{
	struct fault_hold *hold = container_of(work, struct fault_hold,
					       drop.work);

	put_page(hold->page);
	atomic_set(&hold->taken, 0);
}

/* Takes a reference as code that walks physical memory does, unasked. */
static bool take(struct fault_point *p)
{
	struct fault_hold *hold = &p->hold;
	struct page *page = pfn_to_online_page(PHYS_PFN(p->value));

	if (!page || atomic_cmpxchg(&hold->taken, 0, 1))
		return false;
	/* Only the first page of a huge one counts references. */
	page = compound_head(page);
	if (!get_page_unless_zero(page)) {
		atomic_set(&hold->taken, 0);
		return false;
	}
	hold->page = page;
	schedule_delayed_work(&hold->drop, msecs_to_jiffies(p->ms));
	return true;
}

static void on_irq(struct irq_work *irq)
{
	struct fault_point *p = container_of(irq, struct fault_point, irq);

	if (p->what == FAULT_HOLD && !take(p))
		return;
	if (p->what == FAULT_SIGNAL)
		send_sig(SIGKILL, current, 1);
	atomic_inc(&p->fired);
}

/**
 * fault_act() - make the fault happen
 * @p: the point
 * @regs: the function's registers, at its entry
 *
 * Context: a kprobe's handler.
 * Return: 1 if the function must not run, else 0.
 */
int fault_act(struct fault_point *p, struct pt_regs *regs)
{
	if (p->what != FAULT_RETURN) {
		irq_work_queue(&p->irq);
		return 0;
	}
	atomic_inc(&p->fired);
	regs_set_return_value(regs, p->value);
	instruction_pointer_set(regs, (unsigned long)go_back);
	return 1;
}

/**
 * fault_act_init() - prepare a point before it is armed
 * @p: the point
 */
void fault_act_init(struct fault_point *p)
{
	init_irq_work(&p->irq, on_irq);
	INIT_DELAYED_WORK(&p->hold.drop, drop);
}

/**
 * fault_act_end() - drop all that a point still holds
 * @p: the point, disarmed before
 *
 * Context: may sleep.
 */
void fault_act_end(struct fault_point *p)
{
	irq_work_sync(&p->irq);
	flush_delayed_work(&p->hold.drop);
}
