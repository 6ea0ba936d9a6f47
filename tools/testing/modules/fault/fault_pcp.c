// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts free pages in the CPUs' own lists, because they look like lost ones:
 * neither in use nor in the buddy allocator's lists.
 */
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/spinlock.h>

#include "fault.h"

/* The order of a list; those of huge pages follow those of small orders. */
static unsigned int order_of(unsigned int list)
{
	return list < NR_LOWORDER_PCP_LISTS ? list / MIGRATE_PCPTYPES :
					      pageblock_order;
}

static void count_cpu(struct per_cpu_pages *pcp, unsigned long start,
		      unsigned long nr, u32 *count, unsigned long block)
{
	unsigned long flags, at;
	struct page *page;
	unsigned int i;

	spin_lock_irqsave(&pcp->lock, flags);
	for (i = 0; i < NR_PCP_LISTS; i++) {
		list_for_each_entry(page, &pcp->lists[i], lru) {
			at = page_to_pfn(page) - start;
			/* A page below @start wraps to a large number. */
			if (at < nr)
				count[at / block] += 1U << order_of(i);
		}
	}
	spin_unlock_irqrestore(&pcp->lock, flags);
}

/**
 * fault_pcp_count() - count such pages of a range
 * @start: first page
 * @nr: pages
 * @count: out: for each memory block
 * @block: pages in a memory block
 *
 * Context: may sleep.
 */
void fault_pcp_count(unsigned long start, unsigned long nr, u32 *count,
		     unsigned long block)
{
	int nid, zone, cpu;

	for_each_online_node(nid) {
		for (zone = 0; zone < MAX_NR_ZONES; zone++) {
			struct zone *z = &NODE_DATA(nid)->node_zones[zone];

			if (!populated_zone(z))
				continue;
			for_each_possible_cpu(cpu)
				count_cpu(per_cpu_ptr(z->per_cpu_pageset, cpu),
					  start, nr, count, block);
			cond_resched();
		}
	}
}
