// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Points in the kernel's functions: decides which calls match a point, and at
 * which of them it has its fault.  May call fault_act.
 */
#include <linux/kallsyms.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include "fault.h"
#include "fault_compat.h"

#define MAX_CALLERS	64

/* Compilers append ".isra.0" and the like. */
static bool same_function(const char *symbol, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(symbol, name, len) &&
	       (!symbol[len] || symbol[len] == '.' || symbol[len] == ' ');
}

static bool is_within(const char *name, struct pt_regs *regs)
{
	unsigned long callers[MAX_CALLERS];
	char symbol[KSYM_SYMBOL_LEN];
	unsigned int i, nr;

	/* The caller comes from the registers, as there is no frame yet. */
	callers[0] = fault_compat_caller(regs);
	nr = 1 + stack_trace_save(callers + 1, MAX_CALLERS - 1, 0);
	for (i = 0; i < nr; i++) {
		sprint_symbol_no_offset(symbol, callers[i]);
		if (same_function(symbol, name))
			return true;
	}
	return false;
}

/* A probe by way of a breakpoint counts as one more, non-maskable interrupt. */
static bool is_interrupt(void)
{
	unsigned long count = hardirq_count();

	if (in_nmi())
		count -= HARDIRQ_OFFSET;
	return count || in_serving_softirq();
}

static bool is_meant(const struct fault_point *p, struct pt_regs *regs)
{
	/* An interrupt's calls are not those of the current task. */
	if (is_interrupt())
		return false;
	if (strncmp(current->comm, p->task, strlen(p->task)))
		return false;
	return !p->within[0] || is_within(p->within, regs);
}

static int on_call(struct kprobe *probe, struct pt_regs *regs)
{
	struct fault_function *f = container_of(probe, struct fault_function,
						probe);
	struct fault_point *p = f->point;
	int nr;

	if (!is_meant(p, regs))
		return 0;
	nr = atomic_inc_return(&p->calls) - p->after;
	if (nr <= 0 || (p->times && nr > p->times))
		return 0;
	return fault_act(p, regs);
}

/* Empty; only with a post handler may a probe by ftrace redirect execution. */
static void after_call(struct kprobe *probe, struct pt_regs *regs,
		       unsigned long flags)
{
}

static int arm(struct fault_function *f)
{
	static const char *const suffix[] = { "", ".isra.0", ".constprop.0" };
	char symbol[FAULT_NAME_LEN + 16];
	unsigned int i;
	int rc = -ENOENT;

	for (i = 0; i < ARRAY_SIZE(suffix) && rc == -ENOENT; i++) {
		snprintf(symbol, sizeof(symbol), "%s%s", f->name, suffix[i]);
		memset(&f->probe, 0, sizeof(f->probe));
		f->probe.symbol_name = symbol;
		f->probe.pre_handler = on_call;
		f->probe.post_handler = after_call;
		rc = register_kprobe(&f->probe);
		f->probe.symbol_name = NULL;
	}
	return rc;
}

/**
 * fault_point_arm() - arm a point
 * @p: the point, with all fields set
 *
 * Leaves out functions that this kernel does not have; one must be there.
 *
 * Context: may sleep.
 * Return: 0 or an error of register_kprobe(): -ENOENT if there is no such
 * function, -EINVAL if it can't be probed.
 */
int fault_point_arm(struct fault_point *p)
{
	unsigned int i;
	int rc;

	fault_act_init(p);
	for (i = 0; i < p->functions; i++) {
		struct fault_function *f = &p->function[i];

		f->point = p;
		rc = arm(f);
		f->armed = !rc;
		p->armed += f->armed;
		if (!rc || rc == -ENOENT)
			continue;
		pr_err(FAULT_NAME ": %s can't be probed (%d)\n", f->name, rc);
		fault_point_disarm(p);
		return rc;
	}
	if (!p->armed) {
		pr_err(FAULT_NAME ": there is no %s\n", p->function[0].name);
		return -ENOENT;
	}
	return 0;
}

/**
 * fault_point_disarm() - disarm a point and drop all that it holds
 * @p: the point
 *
 * Context: may sleep.
 */
void fault_point_disarm(struct fault_point *p)
{
	struct kprobe *probes[FAULT_MAX_FUNCTIONS];
	unsigned int i, nr = 0;

	for (i = 0; i < p->functions; i++)
		if (p->function[i].armed)
			probes[nr++] = &p->function[i].probe;
	unregister_kprobes(probes, nr);
	fault_act_end(p);
}
