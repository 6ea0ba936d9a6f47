// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looks at the pages of a big block, without their locks: free, movable,
 * stuck, and by what; and at what memory the guest has left.  Observes only,
 * decides nothing.
 *
 * A memmap is void once its memory is offline: with CONFIG_DEBUG_VM the core
 * fills it with a pattern that the macros of page flags BUG at.  So each section
 * is looked at with hotplug_mutex held.  What is online then stays so until the
 * notifier has had the mutex in MEM_OFFLINE, and the core voids the memmap after
 * that (6.1 to 7.3); what is not online any more has no page to look at.
 *
 * All answers are hints: pages change while we look.  What the look calls
 * movable may still fail, and what it calls stuck may still go, though it shall
 * be what the core calls so, too (has_unmovable_pages(), 6.1 and 6.12).
 */
#include <linux/hugetlb.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/swap.h>

#include "virtio_mem_compat.h"
#include "virtio_mem_device.h"

static void stuck(struct virtio_mem_score *score, unsigned long pfn,
		  unsigned long nr, enum virtio_mem_cause cause)
{
	if (!score->stuck_pages) {
		score->stuck_pfn = pfn;
		score->stuck_cause = cause;
	}
	score->stuck_pages += nr;
}

/* The rest of a compound page from @page on; 1 if it is none any more. */
static unsigned long rest_of_folio(struct page *page, struct folio *folio,
				   unsigned long left)
{
	unsigned long nr = folio_nr_pages(folio);
	unsigned long index = folio_page_idx(folio, page);

	/* It may be freed and reused under our eyes: trust no number. */
	if (index >= nr || nr > MAX_ORDER_NR_PAGES * 512UL)
		return 1;
	return min(nr - index, left);
}

/*
 * For small folios the core can't tell pins from many other references, and a
 * page that a thousand processes map is movable: leave out the mappings.
 */
static bool looks_pinned(struct folio *folio)
{
	int extra = folio_ref_count(folio) -
		    (atomic_read(&folio->_mapcount) + 1);

	if (!folio_maybe_dma_pinned(folio))
		return false;
	return folio_test_large(folio) || extra >= GUP_PIN_COUNTING_BIAS;
}

/*
 * Whether something refers to the folio beside its mappings and its cache.
 * What is not on the LRU is about to be: a batch of some CPU refers to it, or
 * who isolated it, and a try that fails leaves pages there.  A batch can last,
 * on a CPU that is idle, but the next try drains it.  Pages of shared memory
 * that were read ahead from swap are in its cache, and have no mapping.
 */
static bool looks_held(struct folio *folio)
{
	int maps = virtio_mem_compat_mapcount(folio);
	int cache = 0;

	if (maps < 0 || folio_test_hugetlb(folio))
		return false;
	if (folio_test_swapcache(folio))
		cache = folio_nr_pages(folio);
	else if (!folio_test_anon(folio) && READ_ONCE(folio->mapping))
		cache = folio_nr_pages(folio) + folio_test_private(folio);
	if (!folio_test_lru(folio))
		cache++;
	return folio_ref_count(folio) > maps + cache;
}

static unsigned long look_free(struct page *page, unsigned long pfn,
			       unsigned long left,
			       struct virtio_mem_score *score)
{
	unsigned long order = READ_ONCE(page->private), nr = 1;

	if (order <= ilog2(MAX_ORDER_NR_PAGES))
		nr = min(1UL << order, left);
	if (!score->free_pfn)
		score->free_pfn = pfn;
	score->free_pages += nr;
	return nr;
}

/* In use, and movable as far as can be seen. */
static void look_used(struct folio *folio, unsigned long pfn, unsigned long nr,
		      struct virtio_mem_score *score)
{
	if (looks_held(folio)) {
		if (!score->held_pages)
			score->held_pfn = pfn;
		score->held_pages += nr;
	}
	/* Migration waits for these, and no signal ends that. */
	if (folio_test_locked(folio) || folio_test_writeback(folio))
		score->busy_pages += nr;
	score->used_pages += nr;
}

static unsigned long look_folio(struct page *page, unsigned long pfn,
				unsigned long left, bool movable_zone,
				struct virtio_mem_score *score)
{
	struct folio *folio = page_folio(page);
	unsigned long nr = rest_of_folio(page, folio, left);

	if (PageHuge(&folio->page)) {
		/* alloc_contig_range() says ENOMEM for these, by design. */
		if (folio_nr_pages(folio) > MAX_ORDER_NR_PAGES)
			stuck(score, pfn, nr, VIRTIO_MEM_CAUSE_HUGETLB);
		else
			score->used_pages += nr;
	} else if (folio_test_lru(folio) && looks_pinned(folio)) {
		stuck(score, pfn, nr, VIRTIO_MEM_CAUSE_PINNED);
	} else if (!movable_zone && !folio_test_lru(folio) &&
		   !virtio_mem_compat_movable_ops(page) &&
		   !folio_test_swapcache(folio) &&
		   (folio_test_slab(folio) || !READ_ONCE(folio->mapping))) {
		/* Others are in a cache or mapped: in a batch to an LRU list. */
		stuck(score, pfn, nr, VIRTIO_MEM_CAUSE_UNMOVABLE);
	} else {
		look_used(folio, pfn, nr, score);
	}
	return nr;
}

/* Judges the page at @pfn; returns how many pages the verdict is about. */
static unsigned long look(struct page *page, unsigned long pfn,
			  unsigned long left, bool movable_zone,
			  struct virtio_mem_score *score)
{
	if (PageBuddy(page))
		return look_free(page, pfn, left, score);
	if (PageHWPoison(page)) {
		score->poisoned_pages++;
		return 1;
	}
	if (PageReserved(page)) {
		stuck(score, pfn, 1, VIRTIO_MEM_CAUSE_UNMOVABLE);
		return 1;
	}
	/* From 6.15 on slab pages have no refcount, either. */
	if (!page_count(page) && !PageCompound(page) && !PageSlab(page)) {
		/* On its way to or from the allocator's lists. */
		score->free_pages++;
		return 1;
	}
	/* What a balloon has taken can move (VIRTIO_BALLOON since 3.8). */
	if (PageOffline(page) && !virtio_mem_compat_movable_ops(page)) {
		if (movable_zone)
			score->used_pages++;
		else
			stuck(score, pfn, 1, VIRTIO_MEM_CAUSE_UNMOVABLE);
		return 1;
	}
	return look_folio(page, pfn, left, movable_zone, score);
}

static bool page_held(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	if (!page || PageBuddy(page) || PageReserved(page))
		return false;
	return looks_held(page_folio(page));
}

/**
 * virtio_mem_scan_held() - whether something holds a page
 * @vm: the device
 * @pfn: the page, in memory of the device that is added
 *
 * Context: takes hotplug_mutex; may sleep.
 * Return: true if it is in use, and referred to by more than its mappings and
 * its cache.
 */
bool virtio_mem_scan_held(struct virtio_mem *vm, unsigned long pfn)
{
	bool held;

	mutex_lock(&vm->hotplug_mutex);
	held = page_held(pfn);
	mutex_unlock(&vm->hotplug_mutex);
	return held;
}

/* All of a section: it is online, or it is not. */
static void look_section(unsigned long pfn, struct virtio_mem_score *score)
{
	unsigned long end = pfn + PAGES_PER_SECTION;
	struct page *page = pfn_to_online_page(pfn);
	bool movable_zone;

	if (!page)
		return;
	score->online_pages += PAGES_PER_SECTION;
	movable_zone = page_zonenum(page) == ZONE_MOVABLE;
	if (!movable_zone) {
		score->kernel_zone = true;
		score->kernel_pages += PAGES_PER_SECTION;
	}
	while (pfn < end)
		pfn += look(pfn_to_page(pfn), pfn, end - pfn, movable_zone,
			    score);
}

/**
 * virtio_mem_scan_pages() - look at pages
 * @vm: the device
 * @pfn: the first, at the start of a section, in added memory of the device
 * @end: and up to here, at the end of one
 * @score: out
 *
 * Others can on- and offline memory between two sections: they wait for one at
 * most.
 *
 * Context: takes hotplug_mutex; may sleep.
 */
void virtio_mem_scan_pages(struct virtio_mem *vm, unsigned long pfn,
			   unsigned long end, struct virtio_mem_score *score)
{
	memset(score, 0, sizeof(*score));
	for (; pfn < end; pfn += PAGES_PER_SECTION) {
		mutex_lock(&vm->hotplug_mutex);
		look_section(pfn, score);
		mutex_unlock(&vm->hotplug_mutex);
		cond_resched();
	}
}

/**
 * virtio_mem_scan_bb() - look at the pages of a big block
 * @vm: the device
 * @id: the big block, ADDED or claimed
 * @score: out
 *
 * Context: takes hotplug_mutex; may sleep.
 */
void virtio_mem_scan_bb(struct virtio_mem *vm, unsigned long id,
			struct virtio_mem_score *score)
{
	unsigned long pfn = virtio_mem_bb_pfn(vm, id);

	virtio_mem_scan_pages(vm, pfn, pfn + virtio_mem_bb_pages(vm), score);
}

/**
 * virtio_mem_scan_free_page() - a page that is on the allocator's lists
 * @pfn: look from here on, in online memory
 * @end: and up to here
 *
 * One of the smallest free chunk, as all of its chunk is zeroed when it is taken.
 *
 * Context: the worker; nobody else offlines them; may sleep.
 * Return: its PFN; 0 if there is none.
 */
unsigned long virtio_mem_scan_free_page(unsigned long pfn, unsigned long end)
{
	unsigned long best = ULONG_MAX, found = 0;

	while (pfn < end && best) {
		struct page *page = pfn_to_page(pfn);
		unsigned long order;

		if (!(pfn & (PAGES_PER_SECTION - 1)))
			cond_resched();
		if (!PageBuddy(page)) {
			pfn++;
			continue;
		}
		order = READ_ONCE(page->private);
		if (order > ilog2(MAX_ORDER_NR_PAGES))
			order = 0;
		if (order < best) {
			best = order;
			found = pfn;
		}
		pfn += 1UL << order;
	}
	return found;
}

/**
 * virtio_mem_scan_memmap() - the memmap of a big block
 * @vm: the device
 *
 * Return: pages that it takes out of the guest.
 */
unsigned long virtio_mem_scan_memmap(struct virtio_mem *vm)
{
	unsigned long pages = virtio_mem_bb_pages(vm);
	unsigned long memmap;

	memmap = DIV_ROUND_UP(pages * sizeof(struct page), PAGE_SIZE);
	/* KASAN shadows what comes online, one byte for eight. */
	if (IS_ENABLED(CONFIG_KASAN_GENERIC))
		memmap += pages / 8;
	return memmap;
}

/* What the CPUs keep for themselves: reclaim drains that, too. */
static unsigned long cached_pages(struct zone *zone)
{
	unsigned long nr = 0;
	int cpu;

	for_each_online_cpu(cpu)
		nr += max(READ_ONCE(per_cpu_ptr(zone->per_cpu_pageset,
						cpu)->count), 0);
	return nr;
}

static void add_zone(struct zone *zone, struct virtio_mem_pressure *p)
{
	unsigned long free, file, kept;

	if (!populated_zone(zone))
		return;
	free = zone_page_state(zone, NR_FREE_PAGES);
	file = zone_page_state(zone, NR_ZONE_INACTIVE_FILE) +
	       zone_page_state(zone, NR_ZONE_ACTIVE_FILE);
	if (zone_idx(zone) == ZONE_MOVABLE) {
		p->movable_total += zone_managed_pages(zone);
		return;
	}
	/* What is protected from the kernel's own allocations helps none. */
	kept = zone->lowmem_reserve[ZONE_NORMAL] + min_wmark_pages(zone);
	p->kernel_room += free > kept ? free - kept : 0;
	p->kernel_room += cached_pages(zone);
	kept = zone->lowmem_reserve[ZONE_NORMAL] + high_wmark_pages(zone);
	p->kernel_free += free > kept ? free - kept : 0;
	p->kernel_file += file;
	p->kernel_anon += zone_page_state(zone, NR_ZONE_INACTIVE_ANON) +
			  zone_page_state(zone, NR_ZONE_ACTIVE_ANON);
}

/**
 * virtio_mem_scan_pressure() - what memory the guest has left
 * @p: out
 *
 * Context: any.
 */
void virtio_mem_scan_pressure(struct virtio_mem_pressure *p)
{
	long available = si_mem_available(), swap = get_nr_swap_pages();
	int nid, i;

	memset(p, 0, sizeof(*p));
	p->available = max(available, 0L);
	p->swap_free = max(swap, 0L);
	/* Whose it is a module can't ask, but whether any page was compressed. */
	p->swap_is_memory = virtio_mem_compat_compressed_pages();
	p->anon = global_node_page_state(NR_INACTIVE_ANON) +
		  global_node_page_state(NR_ACTIVE_ANON);
	p->total = totalram_pages();
	for_each_online_node(nid)
		for (i = 0; i < MAX_NR_ZONES; i++)
			add_zone(&NODE_DATA(nid)->node_zones[i], p);
	p->kernel_file += global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
			  global_node_page_state(NR_KERNEL_MISC_RECLAIMABLE);
}
