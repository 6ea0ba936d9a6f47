// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looks at the pages of a big block, without locks: free, movable, stuck, and
 * by what; and at what memory the guest has left.  May call nothing of ours.
 *
 * All answers are hints: pages change while we look.  What the look calls
 * movable may still fail; what it calls stuck must be so in the core's eyes as
 * well (has_unmovable_pages(), 6.1 and 6.12), or a big block that can go would
 * wait for nothing.
 */
#include <linux/hugetlb.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/swap.h>

#include "virtio_mem.h"
#include "virtio_mem_compat.h"

/* Reserves that an unplug must leave, as shares of the guest's memory. */
#define RESERVE_SHARE		32
#define KERNEL_RESERVE_SHARE	64

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
 * on a CPU that is idle, but the next try drains it.
 */
static bool looks_held(struct folio *folio)
{
	int maps = virtio_mem_compat_mapcount(folio);
	int cache = 0;

	if (maps < 0 || folio_test_hugetlb(folio))
		return false;
	if (folio_test_anon(folio))
		cache = folio_test_swapcache(folio) ? folio_nr_pages(folio) : 0;
	else if (READ_ONCE(folio->mapping))
		cache = folio_nr_pages(folio) + folio_test_private(folio);
	if (!folio_test_lru(folio))
		cache++;
	return folio_ref_count(folio) > maps + cache;
}

/* Judges the page at @pfn; returns how many pages the verdict is about. */
static unsigned long look(struct page *page, unsigned long pfn,
			  unsigned long left, bool movable_zone,
			  struct virtio_mem_score *score)
{
	unsigned long nr = 1;
	struct folio *folio;

	if (PageBuddy(page)) {
		unsigned long order = READ_ONCE(page->private);

		if (order <= ilog2(MAX_ORDER_NR_PAGES))
			nr = min(1UL << order, left);
		if (!score->free_pfn)
			score->free_pfn = pfn;
		score->free_pages += nr;
		return nr;
	}
	if (PageReserved(page)) {
		stuck(score, pfn, 1, VIRTIO_MEM_CAUSE_UNMOVABLE);
		return 1;
	}
	if (!page_count(page) && !PageCompound(page)) {
		/* On its way to or from the allocator's lists. */
		score->free_pages++;
		return 1;
	}
	if (PageOffline(page) && !movable_zone) {
		stuck(score, pfn, 1, VIRTIO_MEM_CAUSE_UNMOVABLE);
		return 1;
	}
	folio = page_folio(page);
	nr = rest_of_folio(page, folio, left);
	if (PageHuge(&folio->page)) {
		/* alloc_contig_range() says ENOMEM for these, by design. */
		if (folio_nr_pages(folio) > MAX_ORDER_NR_PAGES)
			stuck(score, pfn, nr, VIRTIO_MEM_CAUSE_HUGETLB);
		else
			score->used_pages += nr;
		return nr;
	}
	if (folio_test_lru(folio) && looks_pinned(folio)) {
		stuck(score, pfn, nr, VIRTIO_MEM_CAUSE_PINNED);
		return nr;
	}
	/* Not on an LRU list, but mapped or in a cache: in a batch to one. */
	if (!movable_zone && !folio_test_lru(folio) &&
	    (folio_test_slab(folio) || !READ_ONCE(folio->mapping))) {
		stuck(score, pfn, nr, VIRTIO_MEM_CAUSE_UNMOVABLE);
		return nr;
	}
	if (looks_held(folio)) {
		if (!score->held_pages)
			score->held_pfn = pfn;
		score->held_pages += nr;
	}
	score->used_pages += nr;
	return nr;
}

/**
 * virtio_mem_scan_held() - whether something holds a page
 * @pfn: the page, in memory that is added
 *
 * Context: the worker.
 * Return: true if it is in use, and referred to by more than its mappings and
 * its cache.
 */
bool virtio_mem_scan_held(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	if (!page || PageBuddy(page) || PageReserved(page))
		return false;
	return looks_held(page_folio(page));
}

/**
 * virtio_mem_scan_bb() - look at the pages of a big block
 * @vm: the device
 * @id: the big block, ADDED
 * @score: out
 *
 * The memmap can't go while we look: only the worker removes this memory.
 *
 * Context: the worker; may sleep.
 */
void virtio_mem_scan_bb(struct virtio_mem *vm, unsigned long id,
			struct virtio_mem_score *score)
{
	unsigned long pfn = virtio_mem_bb_pfn(vm, id);
	unsigned long end = pfn + virtio_mem_bb_pages(vm);

	memset(score, 0, sizeof(*score));
	while (pfn < end) {
		unsigned long stop = min(end, pfn + PAGES_PER_SECTION);
		struct page *page = pfn_to_online_page(pfn);
		bool movable_zone;

		cond_resched();
		if (!page) {
			pfn = stop;
			continue;
		}
		score->online_pages += stop - pfn;
		movable_zone = page_zonenum(page) == ZONE_MOVABLE;
		if (!movable_zone)
			score->kernel_zone = true;
		while (pfn < stop)
			pfn += look(pfn_to_page(pfn), pfn, stop - pfn,
				    movable_zone, score);
	}
}

/**
 * virtio_mem_scan_memmap() - what adding a big block takes out of the guest
 * @vm: the device
 *
 * The memmap, and a little for page tables and memory block devices.
 *
 * Return: pages.
 */
unsigned long virtio_mem_scan_memmap(struct virtio_mem *vm)
{
	unsigned long pages = virtio_mem_bb_pages(vm);
	unsigned long memmap;

	memmap = DIV_ROUND_UP(pages * sizeof(struct page), PAGE_SIZE);
	/* KASAN shadows what comes online, one byte for eight. */
	if (IS_ENABLED(CONFIG_KASAN_GENERIC))
		memmap += pages / 8;
	return memmap + memmap / 64 + 16;
}

static void add_zone(struct zone *zone, struct virtio_mem_pressure *p)
{
	unsigned long free, cache, high;

	if (!populated_zone(zone))
		return;
	free = zone_page_state(zone, NR_FREE_PAGES);
	if (zone_idx(zone) == ZONE_MOVABLE) {
		p->movable_free += free;
		return;
	}
	high = high_wmark_pages(zone);
	cache = zone_page_state(zone, NR_ZONE_INACTIVE_FILE) / 2;
	p->kernel_avail += free > high ? free - high : 0;
	p->kernel_avail += cache;
}

/**
 * virtio_mem_scan_pressure() - what memory the guest has left
 * @p: out
 *
 * Context: any.
 */
void virtio_mem_scan_pressure(struct virtio_mem_pressure *p)
{
	long available = si_mem_available();
	int nid, i;

	memset(p, 0, sizeof(*p));
	p->available = max(available, 0L);
	p->reserve = totalram_pages() / RESERVE_SHARE;
	p->kernel_reserve = totalram_pages() / KERNEL_RESERVE_SHARE;
	for_each_online_node(nid)
		for (i = 0; i < MAX_NR_ZONES; i++)
			add_zone(&NODE_DATA(nid)->node_zones[i], p);
}
