// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The census: counts the pages of a physical range by kind, one line for each
 * memory block.  May call fault_pcp.
 *
 * The census takes no locks of pages, so it may count moving pages wrongly;
 * read it twice.  The memmap must not go meanwhile.  Its removal begins with
 * GOING_OFFLINE and only takes memory that is no longer online, so offlining
 * and the census exclude each other.
 */
#include <linux/kernel.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/page-flags.h>
#include <linux/pfn.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <asm/cpufeature.h>

#include "fault.h"
#include "fault_compat.h"

enum kind {
	BUDDY,
	ZERO,		/* not in use, nor in the buddy's lists */
	OFFLINE,
	RESERVED,
	SLAB,
	TABLE,
	HUGETLB,
	USER,
	MEMMAP,		/* of the memory block that the page is in */
	UNKNOWN,
	KIND_NR,
};

static DEFINE_MUTEX(lock);	/* guards all below; held during a census */
static bool offlining;
static DECLARE_WAIT_QUEUE_HEAD(offlined);
static u64 from, to;
/* The kernel's lru_add_drain_all(), which modules can't call by name. */
static void (*drain)(void);

static int on_memory_event(struct notifier_block *nb, unsigned long action,
			   void *arg)
{
	if (action != MEM_GOING_OFFLINE && action != MEM_OFFLINE &&
	    action != MEM_CANCEL_OFFLINE)
		return NOTIFY_DONE;
	mutex_lock(&lock);
	offlining = action == MEM_GOING_OFFLINE;
	mutex_unlock(&lock);
	wake_up_all(&offlined);
	return NOTIFY_DONE;
}

static struct notifier_block memory_nb = { .notifier_call = on_memory_event };

static void lock_out_offlining(void)
{
	for (;;) {
		mutex_lock(&lock);
		if (!offlining)
			return;
		mutex_unlock(&lock);
		wait_event(offlined, !READ_ONCE(offlining));
	}
}

/*
 * References to a mapped or cached folio that neither the mappings nor the
 * cache hold.
 */
static unsigned long extra_of(struct folio *folio)
{
	long extra = folio_ref_count(folio) - fault_compat_mapcount(folio);

	if (!folio_test_anon(folio))
		extra -= folio_nr_pages(folio) + folio_test_private(folio);
	else if (folio_test_swapcache(folio))
		extra -= folio_nr_pages(folio);
	return max(extra, 0L);
}

/*
 * Whether the page holds a part of its own memory block's memmap.  By where it is
 * and by its flag, which means other things elsewhere; the driver goes by neither.
 */
static bool is_memmap(struct page *page)
{
	unsigned long block = PHYS_PFN(memory_block_size_bytes());

	return page_to_pfn(page) % block < block * sizeof(struct page) / PAGE_SIZE &&
	       PageVmemmapSelfHosted(page) && page_ref_count(page) == 1 &&
	       !PageLRU(page) && !PageOffline(page) && !READ_ONCE(page->mapping);
}

/* The kind of a page, and how many pages from it on are of the same. */
static enum kind look(struct page *page, unsigned long *nr,
		      unsigned long *extra)
{
	unsigned int order;

	*nr = 1;
	/* A free page with a reference is a bug of whoever holds it. */
	if (PageBuddy(page) && page_ref_count(page))
		return UNKNOWN;
	if (PageBuddy(page)) {
		order = READ_ONCE(page->private);
		*nr = order < FAULT_NR_ORDERS ? 1UL << order : 1;
		return BUDDY;
	}
	if (is_memmap(page))
		return MEMMAP;
	/* Tails have no references of their own. */
	if (PageHead(page))
		*nr = compound_nr(page);
	if (PageOffline(page))
		return OFFLINE;
	if (PageReserved(page))
		return RESERVED;
	if (PageSlab(page))
		return SLAB;
	if (PageTable(page))
		return TABLE;
	if (PageHuge(page))
		return HUGETLB;
	if (!page_ref_count(page))
		return ZERO;
	if (PageLRU(page) || READ_ONCE(page->mapping)) {
		*extra += extra_of(page_folio(page));
		return USER;
	}
	return UNKNOWN;
}

static bool is_isolated(unsigned long pfn)
{
	unsigned long nr = (pfn & ~PAGE_SECTION_MASK) >> pageblock_order;
	unsigned long bit = nr * NR_PAGEBLOCK_BITS;
	const unsigned long *words;

	/* By a pointer, because the array is declared with no elements. */
	words = __pfn_to_section(pfn)->usage->pageblock_flags;
	return fault_compat_isolated(words[bit / BITS_PER_LONG] >>
				     bit % BITS_PER_LONG);
}

static void show_block(struct seq_file *s, unsigned long pfn,
		       unsigned long nr, u32 pcp)
{
	unsigned long count[KIND_NR] = {}, isolated = 0, extra = 0;
	unsigned long i, step, sum = 0;
	struct page *page = pfn_to_online_page(pfn);
	enum kind kind;

	seq_printf(s, "0x%llx ", (u64)PFN_PHYS(pfn));
	if (!page) {
		seq_puts(s, pfn_valid(pfn) ? "offline\n" : "absent\n");
		return;
	}
	for (i = 0; i < nr; i += pageblock_nr_pages)
		isolated += is_isolated(pfn + i);
	for (i = 0; i < nr; i += step) {
		kind = look(pfn_to_page(pfn + i), &step, &extra);
		/* A gigantic page goes on in the next memory block. */
		step = min(step, nr - i);
		count[kind] += step;
		sum += step;
		if (!(i & 0x3ff))
			cond_resched();
	}
	seq_printf(s, "online zone=%d buddy=%lu pcp=%u lost=%ld offline=%lu reserved=%lu slab=%lu user=%lu table=%lu hugetlb=%lu memmap=%lu unknown=%lu extra=%lu isolated=%lu sum=%lu\n",
		   page_zonenum(page), count[BUDDY], pcp,
		   (long)count[ZERO] - pcp, count[OFFLINE], count[RESERVED],
		   count[SLAB], count[USER], count[TABLE], count[HUGETLB],
		   count[MEMMAP], count[UNKNOWN], extra, isolated, sum);
}

static void show_zones(struct seq_file *s)
{
	int nid, zone;

	for_each_online_node(nid) {
		for (zone = 0; zone < MAX_NR_ZONES; zone++) {
			struct zone *z = &NODE_DATA(nid)->node_zones[zone];

			if (populated_zone(z))
				seq_printf(s, "zone %d %d nr_isolate=%lu\n",
					   nid, zone,
					   READ_ONCE(z->nr_isolate_pageblock));
		}
	}
}

/**
 * fault_census_range() - set the range of the census
 * @line: "START END" in bytes, END exclusive
 *
 * Return: 0 or -EINVAL.
 */
int fault_census_range(char *line)
{
	char *first = strsep(&line, " ");
	u64 start, end, block = memory_block_size_bytes();

	if (!line || kstrtou64(first, 0, &start) || kstrtou64(line, 0, &end) ||
	    start >= end || (start | end) & (block - 1))
		return -EINVAL;
	mutex_lock(&lock);
	from = start;
	to = end;
	mutex_unlock(&lock);
	return 0;
}

/**
 * fault_census_show() - take the census and print it
 * @s: the file to print to
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int fault_census_show(struct seq_file *s)
{
	unsigned long block = PHYS_PFN(memory_block_size_bytes());
	unsigned long pfn, start, nr;
	u32 *pcp;
	int rc = -ENOMEM;

	lock_out_offlining();
	start = PHYS_PFN(from);
	nr = PHYS_PFN(to) - start;
	pcp = kcalloc(nr / block + 1, sizeof(*pcp), GFP_KERNEL);
	if (!pcp)
		goto out;
	/* Drain the CPUs' batches, because they refer to their pages. */
	drain();
	fault_pcp_count(start, nr, pcp, block);
	for (pfn = start; pfn < start + nr; pfn += block)
		show_block(s, pfn, block, pcp[(pfn - start) / block]);
	show_zones(s);
	kfree(pcp);
	rc = 0;
out:
	mutex_unlock(&lock);
	return rc;
}

/**
 * fault_census_init() - set up the census, once
 *
 * Return: 0, -EOPNOTSUPP on CPUs that forbid the call of lru_add_drain_all(),
 * or an error of register_kprobe() or register_memory_notifier().
 */
int fault_census_init(void)
{
	struct kprobe probe = { .symbol_name = "lru_add_drain_all" };
	int rc;

	/* The kernel marks only functions that it calls indirectly itself. */
	if (fault_compat_tracks_branches()) {
		pr_err(FAULT_NAME ": indirect branch tracking: boot with ibt=off\n");
		return -EOPNOTSUPP;
	}
	rc = register_kprobe(&probe);
	if (rc)
		return rc;
	drain = (void *)probe.addr;
	unregister_kprobe(&probe);
	return register_memory_notifier(&memory_nb);
}

/**
 * fault_census_exit() - undo fault_census_init()
 */
void fault_census_exit(void)
{
	unregister_memory_notifier(&memory_nb);
}
