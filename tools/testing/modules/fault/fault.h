/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points where the kernel shall fail, the census of pages, and the functions
 * that the files of this module share.
 *
 *   main --> order --> point --> act
 *     \----> census --> pcp
 */
#ifndef _FAULT_H
#define _FAULT_H

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/seq_file.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#define FAULT_NAME		"virtio_mem_fault"
/* Functions that one point can have. */
#define FAULT_MAX_FUNCTIONS	16
#define FAULT_NAME_LEN		48

/**
 * enum fault_what - the fault at a point
 * @FAULT_RETURN: the function returns a value and does nothing
 * @FAULT_SIGNAL: the caller gets SIGKILL, and then the function runs
 * @FAULT_HOLD: the module refers to a page for a while, and the function runs
 */
enum fault_what {
	FAULT_RETURN,
	FAULT_SIGNAL,
	FAULT_HOLD,
};

struct fault_point;

/**
 * struct fault_function - one probed function
 * @probe: its kprobe
 * @name: its name
 * @armed: this kernel has it, and it is probed
 * @point: the point that it belongs to
 */
struct fault_function {
	struct kprobe probe;
	char name[FAULT_NAME_LEN];
	bool armed;
	struct fault_point *point;
};

/**
 * struct fault_hold - a reference to somebody else's page
 * @taken: the module has the reference
 * @page: the page
 * @drop: drops the reference
 */
struct fault_hold {
	atomic_t taken;
	struct page *page;
	struct delayed_work drop;
};

/**
 * struct fault_point - functions, and the fault when they are called
 * @list: entry in the list of all points
 * @function: the functions; they share the counters
 * @functions: how many
 * @armed: how many of them this kernel has
 * @what: the fault
 * @value: FAULT_RETURN: the value; FAULT_HOLD: the page's address
 * @ms: FAULT_HOLD: for how long
 * @task: first letters of the caller's name; empty: anybody
 * @within: only while this function is among the callers; empty: always
 * @after: so many matching calls stay as usual before the first fault
 * @times: so many faults follow; 0: without end
 * @calls: matching calls so far
 * @fired: faults so far
 * @irq: does the work that a kprobe's handler may not do
 * @hold: FAULT_HOLD: the reference
 */
struct fault_point {
	struct list_head list;
	struct fault_function function[FAULT_MAX_FUNCTIONS];
	unsigned int functions;
	unsigned int armed;
	enum fault_what what;
	u64 value;
	unsigned int ms;
	char task[16];
	char within[FAULT_NAME_LEN];
	int after;
	int times;
	atomic_t calls;
	atomic_t fired;
	struct irq_work irq;
	struct fault_hold hold;
};

/* fault_order.c */
int fault_order(char *line);
void fault_order_clear(void);
void fault_order_show(struct seq_file *s);

/* fault_point.c */
int fault_point_arm(struct fault_point *p);
void fault_point_disarm(struct fault_point *p);

/* fault_act.c */
int fault_act(struct fault_point *p, struct pt_regs *regs);
void fault_act_init(struct fault_point *p);
void fault_act_end(struct fault_point *p);

/* fault_census.c */
int fault_census_range(char *line);
int fault_census_show(struct seq_file *s);
int fault_census_init(void);
void fault_census_exit(void);

/* fault_pcp.c */
void fault_pcp_count(unsigned long start, unsigned long nr, u32 *count,
		     unsigned long block);

#endif /* _FAULT_H */
