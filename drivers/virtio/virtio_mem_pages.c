// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes pages out of the allocator and gives them back, and hands them over to
 * the core while it offlines them.  Draining and sweeping are here, too,
 * because they take pages for a moment.
 *
 * A taken page is allocated to the driver: refcount 1, PageOffline, out of the
 * managed count.  A page handed over to the core has refcount 0, because the
 * core's offlining skips PageOffline pages that nobody refers to.  Such pages
 * must be in the managed count until 6.10, because the core then subtracts all
 * pages of the memory that it offlines; later it leaves these pages out.
 */
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/sched.h>

#include "virtio_mem_compat.h"
#include "virtio_mem_pages.h"
#include "virtio_mem_policy.h"
#include "virtio_mem_scan.h"

/* Lets others run once every 65,536 pages (256 MiB with 4 KiB pages). */
static void breathe(unsigned long i)
{
	if (!(i & 0xffff))
		cond_resched();
}

/**
 * virtio_mem_pages_take() - turn freshly allocated pages into taken ones
 * @pfn: first page
 * @nr: pages, all in one zone, from alloc_contig_range()
 *
 * Context: may sleep.
 */
void virtio_mem_pages_take(unsigned long pfn, unsigned long nr)
{
	unsigned long i;

	page_offline_begin();
	for (i = 0; i < nr; i++) {
		__SetPageOffline(pfn_to_page(pfn + i));
		breathe(i);
	}
	page_offline_end();
	adjust_managed_page_count(pfn_to_page(pfn), -(long)nr);
}

/**
 * virtio_mem_pages_give_back() - give taken pages back to the allocator
 * @pfn: first page
 * @nr: pages, all in one zone
 *
 * Context: may sleep.
 */
void virtio_mem_pages_give_back(unsigned long pfn, unsigned long nr)
{
	unsigned long i;

	page_offline_begin();
	for (i = 0; i < nr; i++) {
		__ClearPageOffline(pfn_to_page(pfn + i));
		breathe(i);
	}
	page_offline_end();
	adjust_managed_page_count(pfn_to_page(pfn), nr);
	/*
	 * Not free_contig_range(), because it warns if somebody looks at one of
	 * the pages just now; that somebody then frees the page.
	 */
	for (i = 0; i < nr; i++) {
		__free_page(pfn_to_page(pfn + i));
		breathe(i);
	}
}

/**
 * virtio_mem_pages_hand_over() - hand taken pages over to the core's offlining
 * @pfn: first page
 * @nr: pages, all in one zone
 *
 * Context: GOING_OFFLINE; may sleep.
 * Return: 0; -EBUSY, with nothing changed, if somebody just looks at one of the
 * pages, because that somebody would free the page after a blind decrement.
 */
int virtio_mem_pages_hand_over(unsigned long pfn, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		if (!page_ref_freeze(pfn_to_page(pfn + i), 1))
			goto undo;
		breathe(i);
	}
	if (VIRTIO_MEM_OFFLINING_UNMANAGES_ALL)
		adjust_managed_page_count(pfn_to_page(pfn), nr);
	return 0;
undo:
	while (i-- > 0)
		page_ref_unfreeze(pfn_to_page(pfn + i), 1);
	return -EBUSY;
}

/**
 * virtio_mem_pages_take_over() - take pages back after the core has failed
 * @pfn: first page
 * @nr: pages, handed over before
 *
 * Context: CANCEL_OFFLINE; may sleep.
 */
void virtio_mem_pages_take_over(unsigned long pfn, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		page_ref_unfreeze(pfn_to_page(pfn + i), 1);
		breathe(i);
	}
	if (VIRTIO_MEM_OFFLINING_UNMANAGES_ALL)
		adjust_managed_page_count(pfn_to_page(pfn), -(long)nr);
}

/**
 * virtio_mem_pages_drain() - bring the pages in each CPU's batches to the lists
 * @pfn: a page, online, that was free just now
 *
 * A page on its way to or from an LRU list has a reference until the CPU is
 * done with its batch, which may never happen on an idle CPU.  Modules can't
 * call the functions that drain the batches.  But alloc_contig_range() drains
 * them before it moves anything (6.1 to 6.12), and does little else for a page
 * that is free.
 *
 * Context: nobody else offlines the page; may sleep.
 * Return: 0; else an error of alloc_contig_range(), in which case the batches
 * may not be drained.
 */
int virtio_mem_pages_drain(unsigned long pfn)
{
	int rc = virtio_mem_compat_alloc_range(pfn, pfn + 1);

	if (!rc)
		__free_page(pfn_to_page(pfn));
	return rc;
}

/*
 * Allocates one page of a run, preferably one that is free; returns 0 if it
 * gets none.  A failed attempt goes on with the next page block, because others
 * take free pages, too, and in the kernel's zones a whole page block must be
 * movable.
 */
static unsigned long take_plug(unsigned long pfn, unsigned long nr)
{
	unsigned long end = pfn + nr, at = pfn;
	int attempt;

	for (attempt = 0; attempt < VIRTIO_MEM_PLUG_ATTEMPTS && at < end;
	     attempt++) {
		unsigned long found = virtio_mem_scan_free_page(at, end);

		/* Without a free page it takes the first, whose data moves. */
		if (!found)
			found = at;
		if (!virtio_mem_compat_alloc_range(found, found + 1))
			return found;
		at = ALIGN(found + 1, pageblock_nr_pages);
	}
	return 0;
}

/**
 * virtio_mem_pages_drain_run() - drain as virtio_mem_pages_drain(), by any page
 * @pfn: first page
 * @nr: pages, online, all in one zone
 *
 * The kernel's zones need this before the run is taken, because isolation there
 * refuses a page that is in a CPU's batch before anything drains the batches.
 *
 * Context: nobody else offlines them; may sleep.
 */
void virtio_mem_pages_drain_run(unsigned long pfn, unsigned long nr)
{
	unsigned long plug = take_plug(pfn, nr);

	if (plug)
		__free_page(pfn_to_page(plug));
}

/**
 * virtio_mem_pages_drain_zone() - bring the CPUs' free pages to a zone's lists
 * @page: any page of the zone, allocated, and nobody else's
 *
 * Modules can't call the function that drains the batches.  But
 * alloc_contig_range() drains them once it has isolated the page's block.  It
 * can't isolate a block that has a page which can't move; a page without a
 * reference is no such page (6.1 to 7.3).  The call always fails, because the
 * page is not free.
 *
 * Context: the caller holds no lock of memory hotplug; may sleep.
 */
void virtio_mem_pages_drain_zone(struct page *page)
{
	unsigned long pfn = page_to_pfn(page);

	if (!page_ref_freeze(page, 1))
		return;
	WARN_ON_ONCE(!virtio_mem_compat_alloc_range(pfn, pfn + 1));
	page_ref_unfreeze(page, 1);
}

/**
 * virtio_mem_pages_sweep() - move the data in use out of pages, and take none
 * @pfn: first page
 * @nr: pages, online, all in one zone, and all of whole page blocks
 *
 * alloc_contig_range() isolates the pages, so that nothing new comes, and moves
 * the data in use.  It then takes and zeroes the pages; but it fails and takes
 * none if any of them is not free by then (6.1 to 7.3).  So the driver takes
 * one page before the call.  It drops the reference to that page, because the
 * page then looks as if it were on its way to the allocator: the isolation
 * accepts it in the kernel's zones, too, while the test whether all pages are
 * free does not.
 *
 * Some pages may still be in use afterwards, and others may use free pages
 * again at once.  Linux zeroes all of the free chunk that the one page comes
 * from, which is a page block at most.
 *
 * Context: nobody else offlines the pages; may sleep, and ends early if a fatal
 * signal is pending.
 * Return: 0 if it was tried; -EBUSY if there was no page to take for it;
 * -EINTR; -ENOMEM if there was no room for the data that moves.
 */
int virtio_mem_pages_sweep(unsigned long pfn, unsigned long nr)
{
	unsigned long plug = take_plug(pfn, nr);
	struct page *page;
	int rc;

	if (!plug)
		return -EBUSY;
	page = pfn_to_page(plug);
	/* Somebody else refers to the page just now. */
	if (!page_ref_freeze(page, 1)) {
		__free_page(page);
		return -EBUSY;
	}
	rc = virtio_mem_compat_alloc_range(pfn, pfn + nr);
	page_ref_unfreeze(page, 1);
	__free_page(page);
	/* Success is impossible, because one page is allocated already. */
	if (WARN_ON_ONCE(!rc))
		return -EBUSY;
	return rc == -EBUSY ? 0 : rc;
}
