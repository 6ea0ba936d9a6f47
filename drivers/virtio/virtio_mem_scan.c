// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scans the pages of a big block, without their locks: free, movable, or stuck
 * and why; and adds up the memory that the guest has left.  This file only
 * observes and decides nothing.
 *
 * A memmap is void once its memory is offline: with CONFIG_DEBUG_VM the core
 * fills it with a pattern at which the macros of page flags BUG.  So the scan
 * of each section holds hotplug_mutex.  A section that is online then has a
 * valid memmap until the mutex is free, because the core voids the memmap only
 * after the notifier has taken the mutex in MEM_OFFLINE (6.1 to 7.3).  A
 * section that is no longer online is skipped.
 *
 * All answers are hints, because pages change during a scan.  A page that the
 * scan calls movable may still fail to move, and a page that it calls stuck may
 * still go, though the scan means to call those pages stuck which the core
 * calls so (has_unmovable_pages(), 6.1 and 6.12).
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
#include "virtio_mem_memmap.h"

/* Pages in the rest of a folio from @page on; 1 if it is no folio any more. */
static unsigned long rest_of_folio(struct page *page, struct folio *folio,
				   unsigned long left)
{
	unsigned long nr = folio_nr_pages(folio);
	unsigned long index = folio_page_idx(folio, page);

	/* Trust no number, because others may free and reuse the folio. */
	if (index >= nr || nr > MAX_ORDER_NR_PAGES * 512UL)
		return 1;
	return min(nr - index, left);
}

/*
 * Subtracts the mappings of small folios, because the core can't tell their
 * pins from many other references, and a page that a thousand processes map is
 * movable.
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
 * Whether something refers to the folio beside its mappings and its cache.  A
 * folio that is not on the LRU may have one more reference, by a CPU's batch or
 * by whoever isolated it; a failed try leaves pages in batches.  A batch can
 * last on an idle CPU, but the next try drains it.  Pages of shared memory that
 * were read ahead from swap are in the swap cache, and have no mapping.
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

/* Counts pages that are in use, and movable as far as the scan can see. */
static void look_used(struct folio *folio, unsigned long pfn, unsigned long nr,
		      struct virtio_mem_score *score)
{
	if (looks_held(folio)) {
		if (!score->held_pages)
			score->held_pfn = pfn;
		score->held_pages += nr;
	}
	/* No signal ends migration's wait for such pages. */
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
		/* alloc_contig_range() returns -ENOMEM for these, by design. */
		if (folio_nr_pages(folio) > MAX_ORDER_NR_PAGES)
			virtio_mem_choose_stuck(score, pfn, nr,
						VIRTIO_MEM_CAUSE_HUGETLB);
		else
			score->used_pages += nr;
	} else if (folio_test_lru(folio) && looks_pinned(folio)) {
		virtio_mem_choose_stuck(score, pfn, nr,
					VIRTIO_MEM_CAUSE_PINNED);
	} else if (!movable_zone && !folio_test_lru(folio) &&
		   !virtio_mem_compat_movable_ops(page) &&
		   !folio_test_swapcache(folio) &&
		   (folio_test_slab(folio) || !READ_ONCE(folio->mapping))) {
		/* A page with a mapping may only be on its way to the LRU. */
		virtio_mem_choose_stuck(score, pfn, nr,
					VIRTIO_MEM_CAUSE_UNMOVABLE);
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
		virtio_mem_choose_stuck(score, pfn, 1,
					VIRTIO_MEM_CAUSE_UNMOVABLE);
		return 1;
	}
	/* Not for slab pages, which from 6.15 on have no refcount, either. */
	if (!page_count(page) && !PageCompound(page) && !PageSlab(page)) {
		/* Free, as it is on its way to or from the free lists. */
		score->free_pages++;
		return 1;
	}
	/* Pages of a balloon can move (VIRTIO_BALLOON since 3.8). */
	if (PageOffline(page) && !virtio_mem_compat_movable_ops(page)) {
		if (movable_zone)
			score->used_pages++;
		else
			virtio_mem_choose_stuck(score, pfn, 1,
						VIRTIO_MEM_CAUSE_UNMOVABLE);
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
 * Return: true if it is in use, and more than its mappings and its cache refer
 * to it.
 */
bool virtio_mem_scan_held(struct virtio_mem *vm, unsigned long pfn)
{
	bool held;

	mutex_lock(&vm->hotplug_mutex);
	held = page_held(pfn);
	mutex_unlock(&vm->hotplug_mutex);
	return held;
}

/*
 * Scans from a page to the end of its section, which is online as a whole or not
 * at all, but for the memmap that its memory block may hold.
 */
static void look_section(unsigned long pfn, struct virtio_mem_score *score)
{
	unsigned long end = ALIGN(pfn + 1, PAGES_PER_SECTION);
	struct page *page = pfn_to_online_page(pfn);
	bool movable_zone;

	if (!page)
		return;
	pfn = clamp(virtio_mem_memmap_end(pfn), pfn, end);
	score->online_pages += end - pfn;
	movable_zone = page_zonenum(page) == ZONE_MOVABLE;
	if (!movable_zone) {
		score->kernel_zone = true;
		score->kernel_pages += end - pfn;
	}
	while (pfn < end)
		pfn += look(pfn_to_page(pfn), pfn, end - pfn, movable_zone,
			    score);
}

/**
 * virtio_mem_scan_pages() - scan pages
 * @vm: the device
 * @pfn: the first, in added memory of the device
 * @end: the end, at the end of a section
 * @score: out
 *
 * Others can on- and offline memory between two sections, and wait for the scan
 * of one at most.
 *
 * Context: takes hotplug_mutex; may sleep.
 */
void virtio_mem_scan_pages(struct virtio_mem *vm, unsigned long pfn,
			   unsigned long end, struct virtio_mem_score *score)
{
	memset(score, 0, sizeof(*score));
	for (; pfn < end; pfn = ALIGN(pfn + 1, PAGES_PER_SECTION)) {
		mutex_lock(&vm->hotplug_mutex);
		look_section(pfn, score);
		mutex_unlock(&vm->hotplug_mutex);
		cond_resched();
	}
}

/**
 * virtio_mem_scan_bb() - scan the pages of a big block
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
 * virtio_mem_scan_free_page() - find a page that is on the allocator's lists
 * @pfn: the start of the search, in online memory
 * @end: the end of the search
 *
 * Takes one of the smallest free chunk, because Linux zeroes all of its chunk
 * when the driver takes it.
 *
 * Context: the worker; nobody else offlines the pages; may sleep.
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
 * virtio_mem_scan_memmap() - compute what a big block's memmap takes
 * @vm: the device
 *
 * Of a memmap that the big block itself holds only the share counts that stands
 * for page tables and memory block devices.
 *
 * Context: any.
 * Return: pages that it takes out of the guest.
 */
unsigned long virtio_mem_scan_memmap(struct virtio_mem *vm)
{
	unsigned long pages = virtio_mem_bb_pages(vm);
	unsigned long memmap = virtio_mem_memmap_size(pages);

	if (virtio_mem_memmap_may_host(pages) &&
	    (virtio_mem_memmap_can_ask() || vm->mm.hosts > 0))
		memmap /= VIRTIO_MEM_ROOM_SHARE;
	/* KASAN shadows memory that comes online, one byte for eight. */
	if (IS_ENABLED(CONFIG_KASAN_GENERIC))
		memmap += pages / 8;
	/* arm64 maps it page by page, unless told otherwise (rodata=on or off). */
	if (IS_ENABLED(CONFIG_ARM64))
		memmap += DIV_ROUND_UP(pages, PTRS_PER_PTE);
	return memmap;
}

/**
 * virtio_mem_scan_batches() - count the free pages in the CPUs' batches
 * @zone: the zone
 *
 * These pages can be had, because reclaim drains them if it finds anything.
 *
 * Context: any; a hint.
 * Return: pages.
 */
unsigned long virtio_mem_scan_batches(struct zone *zone)
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
	unsigned long free, cma, file, kept;

	if (!populated_zone(zone))
		return;
	free = zone_page_state(zone, NR_FREE_PAGES);
	cma = zone_page_state(zone, NR_FREE_CMA_PAGES);
	file = zone_page_state(zone, NR_ZONE_INACTIVE_FILE) +
	       zone_page_state(zone, NR_ZONE_ACTIVE_FILE);
	if (zone_idx(zone) == ZONE_MOVABLE) {
		p->movable_total += zone_managed_pages(zone);
		return;
	}
	/*
	 * Pages that the kernel's own allocations can't have do not count: arm64
	 * has an area for CMA by default, where only movable ones may be.
	 */
	free -= min(cma, free);
	kept = zone->lowmem_reserve[ZONE_NORMAL] + min_wmark_pages(zone);
	p->kernel_room += free > kept ? free - kept : 0;
	p->kernel_room += virtio_mem_scan_batches(zone);
	kept = zone->lowmem_reserve[ZONE_NORMAL] + high_wmark_pages(zone);
	p->kernel_free += free > kept ? free - kept : 0;
	p->kernel_file += file;
	p->kernel_anon += zone_page_state(zone, NR_ZONE_INACTIVE_ANON) +
			  zone_page_state(zone, NR_ZONE_ACTIVE_ANON);
}

/**
 * virtio_mem_scan_pressure() - add up the memory that the guest has left
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
	/* A module can only ask whether any page is compressed, not whose. */
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
