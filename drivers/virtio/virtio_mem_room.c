// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes room for the memory that adding a big block takes out of the guest.
 *
 * The memmap comes out of the zones that the kernel allocates from.  If these
 * run out half-way, x86's add_pages() warns and leaves sections behind, so that
 * the same range can't be added before a reboot (6.1 to 7.3).  A guest that
 * needs memory usually has little free, though much of its memory can be
 * reclaimed.  So unless the driver sees plenty of free memory, it first
 * allocates the pages one by one, which reclaims, swaps, and gives up without
 * calling the OOM killer.  Then it frees the pages, and the core finds them.
 *
 * Others lack these pages for that moment, and do call the OOM killer.  The
 * driver therefore allocates none where the counters say that even reclaim
 * can't find as many.  That is certain, because it is a sum and not a scan of
 * pages.
 *
 * A CPU keeps up to several thousand free pages in batches.  Below the minimum
 * watermark nobody gets these, and an allocation that finds nothing to reclaim
 * does not drain them (6.12).  The driver therefore drains them if it has not
 * got all pages, before it tries once more, and always after it has freed the
 * pages, for the core.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "virtio_mem_device.h"
#include "virtio_mem_pages.h"
#include "virtio_mem_room.h"
#include "virtio_mem_table.h"

/* Stays above the minimum watermarks; the core's page tables may go below. */
#define ROOM_GFP	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/*
 * The page that drains a zone's batches may come from below the watermarks.  It
 * comes from a movable page block, if there is any, because draining makes its
 * block movable; and never from the blocks that are reserved for atomic
 * allocations, because direct reclaim is allowed.
 */
#define KEY_GFP		(GFP_KERNEL | __GFP_HIGH | __GFP_MOVABLE | \
			 __GFP_THISNODE | __GFP_NORETRY | __GFP_NOWARN)

static unsigned long gather(struct virtio_mem *vm, struct list_head *pages,
			    unsigned long nr)
{
	unsigned long got;

	for (got = 0; got < nr; got++) {
		struct page *page = NULL;

		if (!virtio_mem_bound_why(&vm->bound))
			page = alloc_pages_node(vm->nid, ROOM_GFP, 0);
		if (!page)
			break;
		list_add(&page->lru, pages);
		cond_resched();
	}
	return got;
}

static void free_all(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru)
		__free_page(page);
	INIT_LIST_HEAD(pages);
}

/*
 * Drains the batches of one zone by a page of its own, the key.  A key drains
 * nothing if its page block also has a page that can't move.  The next key must
 * then come from another block, so no key is freed before the end.
 */
static void drain_zone(int nid, gfp_t zone_flag)
{
	unsigned long before, attempt;
	struct page *key;
	LIST_HEAD(keys);

	for (attempt = 0; attempt < VIRTIO_MEM_PLUG_ATTEMPTS; attempt++) {
		key = alloc_pages_node(nid, KEY_GFP | zone_flag, 0);
		if (!key)
			break;
		list_add(&key->lru, &keys);
		before = virtio_mem_scan_batches(page_zone(key));
		virtio_mem_pages_drain_zone(key);
		if (virtio_mem_scan_batches(page_zone(key)) <=
		    before / VIRTIO_MEM_DRAINED_SHARE)
			break;
	}
	free_all(&keys);
}

/* Drains the batches of all zones that the memmap can come from. */
static void drain(void)
{
	int nid;

	for_each_node_state(nid, N_NORMAL_MEMORY) {
		drain_zone(nid, 0);
		if (IS_ENABLED(CONFIG_ZONE_DMA32))
			drain_zone(nid, __GFP_DMA32);
	}
}

/* Allocates @nr pages and frees them again; returns how many it got. */
static unsigned long try_room(struct virtio_mem *vm, unsigned long nr)
{
	unsigned long got;
	LIST_HEAD(pages);

	got = gather(vm, &pages, nr);
	if (got < nr) {
		/* They can't move, so a key in their page block drains nothing. */
		free_all(&pages);
		drain();
		got = gather(vm, &pages, nr);
	}
	free_all(&pages);
	drain();
	return got;
}

/**
 * virtio_mem_room_make() - make room for adding a big block
 * @vm: the device
 *
 * VIRTIO_MEM_ROOM_PAGES is a margin, because others may take pages that the
 * driver has freed for the core.
 *
 * Context: the worker, hotplug_mutex not held; sleeps, for VIRTIO_MEM_ROOM_MS
 * at most and one page's reclaim.
 * Return: 0; -ENOMEM if the guest lacks the memory, -EINTR if a newer event
 * ended it.
 */
int virtio_mem_room_make(struct virtio_mem *vm)
{
	unsigned long memmap = virtio_mem_scan_memmap(vm);
	struct virtio_mem_pressure pressure;
	unsigned long need, got;

	virtio_mem_scan_pressure(&pressure);
	if (virtio_mem_choose_plenty(memmap, PHYS_PFN(SZ_1M), &pressure))
		return 0;
	need = virtio_mem_choose_need(memmap, PHYS_PFN(SZ_1M), &pressure);
	got = virtio_mem_choose_has(&pressure);
	if (got >= need) {
		need = virtio_mem_choose_takes(memmap);
		if (!virtio_mem_bound_begin(&vm->bound, VIRTIO_MEM_ROOM_MS))
			return -EINTR;
		got = try_room(vm, need);
		if (virtio_mem_bound_end(&vm->bound) ==
		    VIRTIO_MEM_CAUSE_INTERRUPTED)
			return -EINTR;
	}
	if (got >= need)
		return 0;
	virtio_mem_note(vm, VIRTIO_MEM_CAUSE_NOMEM,
			"adding a big block takes %lu KiB of the kernel's memory, of which only %lu can be had; it is tried again",
			need << (PAGE_SHIFT - 10), got << (PAGE_SHIFT - 10));
	return -ENOMEM;
}
