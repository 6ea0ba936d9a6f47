// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pages of memory that the driver has taken out of the allocator, and
 * whose they are while it is offlined; and what else needs pages to be taken.
 *
 * A taken page is allocated to the driver: refcount 1, PageOffline, out of the
 * managed count.  Handed over to the core's offlining its refcount is 0: the
 * core skips PageOffline pages that nobody refers to.  Until 6.10 the core
 * takes all pages of what it offlines out of the managed count, so that they
 * must be in it while they are handed over; later it leaves these out.
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

/* Let others get on, now and then; 256 MiB with 4 KiB pages. */
static void breathe(unsigned long i)
{
	if (!(i & 0xffff))
		cond_resched();
}

/**
 * virtio_mem_pages_take() - make pages that were allocated just now taken ones
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
	 * Not free_contig_range(): it warns if somebody looks at one of them
	 * just now, who then is the one to free it.
	 */
	for (i = 0; i < nr; i++) {
		__free_page(pfn_to_page(pfn + i));
		breathe(i);
	}
}

/**
 * virtio_mem_pages_hand_over() - leave taken pages to the core's offlining
 * @pfn: first page
 * @nr: pages, all in one zone
 *
 * Context: GOING_OFFLINE; may sleep.
 * Return: 0; -EBUSY if somebody just looks at one of them: a blind decrement
 * would leave it to be freed by whoever does.  Then nothing has changed.
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
 * virtio_mem_pages_take_over() - the core's offlining has failed
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
 * virtio_mem_pages_drain() - take what each CPU keeps in batches to the lists
 * @pfn: a page, online, that was free just now
 *
 * Pages that are on their way to or from an LRU list have a reference that lasts
 * until the CPU is done with its batch, which an idle one never is.  What drains
 * them is not exported; alloc_contig_range() does it before it moves anything
 * (6.1 to 6.12), and a page that is free costs it nothing more.
 *
 * Context: nobody else offlines it; may sleep.
 * Return: 0; else what alloc_contig_range() says, and nothing may be drained.
 */
int virtio_mem_pages_drain(unsigned long pfn)
{
	int rc = virtio_mem_compat_alloc_range(pfn, pfn + 1);

	if (!rc)
		__free_page(pfn_to_page(pfn));
	return rc;
}

/*
 * Allocates one page of a run, preferably one that is free; 0: none to be had.
 * Others take free pages, too, and in the kernel's zones all of a page block must
 * be movable: the next page block may do.
 */
static unsigned long take_plug(unsigned long pfn, unsigned long nr)
{
	unsigned long end = pfn + nr, at = pfn;
	int attempt;

	for (attempt = 0; attempt < VIRTIO_MEM_PLUG_ATTEMPTS && at < end;
	     attempt++) {
		unsigned long found = virtio_mem_scan_free_page(at, end);

		/* Without a free one: the first, whose contents then move. */
		if (!found)
			found = at;
		if (!virtio_mem_compat_alloc_range(found, found + 1))
			return found;
		at = ALIGN(found + 1, pageblock_nr_pages);
	}
	return 0;
}

/**
 * virtio_mem_pages_drain_run() - as virtio_mem_pages_drain(), by any page
 * @pfn: first page
 * @nr: pages, online, all in one zone
 *
 * In the kernel's zones isolation refuses a page that is in a CPU's batch, before
 * anything drains these.
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
 * virtio_mem_pages_drain_zone() - take what CPUs keep in batches to a zone's lists
 * @page: any page of the zone, allocated, and nobody else's
 *
 * What does that is not exported; alloc_contig_range() does it as soon as it has
 * isolated what it was asked for, which it does not refuse for a page without a
 * reference (6.1 to 7.3).  Then it finds that this page is not free.
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
 * virtio_mem_pages_sweep() - move what is in use out of pages, and take none
 * @pfn: first page
 * @nr: pages, online, all in one zone, and all of whole page blocks
 *
 * alloc_contig_range() isolates the pages, so that nothing new comes, moves what
 * is in use, and then takes and zeroes them; or fails, and takes nothing, if any
 * of them is not free by then (6.1 to 7.3).  So one page is taken before.  With
 * no reference to it, it looks as if it were on its way to the allocator: then
 * the isolation does not mind it in the kernel's zones, either, and what looks
 * whether all are free does.
 *
 * What was in use may still be, and what is free may be in use again at once.
 * Of the free chunk that the one page comes from all is zeroed: a page block at
 * most.
 *
 * Context: nobody else offlines them; may sleep, and ends early if a fatal
 * signal is pending.
 * Return: 0 if it was tried; -EBUSY if no page could be had for it; -EINTR;
 * -ENOMEM if there was no room for what moves.
 */
int virtio_mem_pages_sweep(unsigned long pfn, unsigned long nr)
{
	unsigned long plug = take_plug(pfn, nr);
	struct page *page;
	int rc;

	if (!plug)
		return -EBUSY;
	page = pfn_to_page(plug);
	/* Somebody looks at it just now: it is not ours alone. */
	if (!page_ref_freeze(page, 1)) {
		__free_page(page);
		return -EBUSY;
	}
	rc = virtio_mem_compat_alloc_range(pfn, pfn + nr);
	page_ref_unfreeze(page, 1);
	__free_page(page);
	/* Success is impossible: a page that is allocated is none to be had. */
	if (WARN_ON_ONCE(!rc))
		return -EBUSY;
	return rc == -EBUSY ? 0 : rc;
}
