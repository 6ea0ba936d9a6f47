// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orders: the list of points, and the conversion between a line of text and a
 * point.  May call fault_point.
 */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fault.h"

/* The driver's kthreads. */
#define WORKER		"virtio_mem/"
#define HOLD_MS		300

static DEFINE_MUTEX(lock);	/* guards points */
static LIST_HEAD(points);

static int parse_functions(struct fault_point *p, char *text)
{
	char *name;

	while ((name = strsep(&text, ","))) {
		if (p->functions == FAULT_MAX_FUNCTIONS)
			return -E2BIG;
		if (!*name ||
		    strscpy(p->function[p->functions++].name, name,
			    FAULT_NAME_LEN) < 0)
			return -EINVAL;
	}
	return 0;
}

static int parse_task(struct fault_point *p, const char *text)
{
	if (!strcmp(text, "any"))
		text = "";
	else if (!strcmp(text, "worker"))
		text = WORKER;
	return strscpy(p->task, text, sizeof(p->task)) < 0 ? -EINVAL : 0;
}

static int parse_value(struct fault_point *p, const char *text)
{
	s64 value;

	if (*text != '-')
		return kstrtou64(text, 0, &p->value);
	if (kstrtos64(text, 0, &value))
		return -EINVAL;
	p->value = value;
	return 0;
}

static int parse_word(struct fault_point *p, char *word, bool *what)
{
	char *value = strchr(word, '=');

	if (!strcmp(word, "signal")) {
		p->what = FAULT_SIGNAL;
		*what = true;
		return 0;
	}
	if (!value)
		return -EINVAL;
	*value++ = 0;
	if (!strcmp(word, "ret")) {
		p->what = FAULT_RETURN;
		*what = true;
		return parse_value(p, value);
	}
	if (!strcmp(word, "hold")) {
		p->what = FAULT_HOLD;
		*what = true;
		return parse_value(p, value);
	}
	if (!strcmp(word, "ms"))
		return kstrtouint(value, 0, &p->ms);
	if (!strcmp(word, "after"))
		return kstrtoint(value, 0, &p->after);
	if (!strcmp(word, "times"))
		return kstrtoint(value, 0, &p->times);
	if (!strcmp(word, "task"))
		return parse_task(p, value);
	if (!strcmp(word, "in"))
		return strscpy(p->within, value, FAULT_NAME_LEN) < 0 ?
		       -EINVAL : 0;
	return -EINVAL;
}

static int parse(struct fault_point *p, char *line)
{
	char *word = strsep(&line, " ");
	bool what = false;
	int rc = parse_functions(p, word);

	while (!rc && (word = strsep(&line, " ")))
		rc = parse_word(p, word, &what);
	if (!rc && (!what || p->after < 0 || p->times < 0))
		rc = -EINVAL;
	return rc;
}

/**
 * fault_order() - add a point
 * @line: the order; README.md describes it
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, -EINVAL if @line is no order, or an error of
 * fault_point_arm().
 */
int fault_order(char *line)
{
	struct fault_point *p;
	int rc;

	if (!strcmp(line, "clear")) {
		fault_order_clear();
		return 0;
	}
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	p->ms = HOLD_MS;
	parse_task(p, "worker");
	rc = parse(p, line);
	mutex_lock(&lock);
	if (!rc)
		rc = fault_point_arm(p);
	if (!rc)
		list_add_tail(&p->list, &points);
	mutex_unlock(&lock);
	if (rc)
		kfree(p);
	return rc;
}

/**
 * fault_order_clear() - remove all points
 *
 * Context: may sleep.
 */
void fault_order_clear(void)
{
	struct fault_point *p, *next;

	mutex_lock(&lock);
	list_for_each_entry_safe(p, next, &points, list) {
		list_del(&p->list);
		fault_point_disarm(p);
		kfree(p);
	}
	mutex_unlock(&lock);
}

/**
 * fault_order_show() - print one line for each point
 * @s: the file to print to
 */
void fault_order_show(struct seq_file *s)
{
	struct fault_point *p;
	unsigned int i;

	mutex_lock(&lock);
	list_for_each_entry(p, &points, list) {
		for (i = 0; i < p->functions; i++)
			if (p->function[i].armed)
				seq_printf(s, "%s ", p->function[i].name);
		seq_printf(s, "calls=%d fired=%d\n", atomic_read(&p->calls),
			   atomic_read(&p->fired));
	}
	mutex_unlock(&lock);
}
