// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes room for what adding a big block takes out of the guest.  May call
 * virtio_mem_scan, virtio_mem_choose, virtio_mem_retry, virtio_mem_bound and
 * virtio_mem_table.
 *
 * The memmap comes out of the zones that the kernel allocates from.  Where it
 * runs out half-way, x86's add_pages() warns and leaves sections behind, so that
 * the same range can't be added before a reboot (6.1 to 7.3).  A guest that
 * needs memory is just the one that has little free, though much of it can be
 * reclaimed: no look can tell how much.  So where it does not look plenty, the
 * pages are allocated here first, one by one, which reclaims, swaps, and gives
 * up by itself without calling the OOM killer; then they are freed, and the core
 * finds them.  But for that moment others lack them, and these do call it: so
 * where all that the allocator could reclaim looks too little, it is tried at
 * once and then once a minute, like all that a look advises against.
 */
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "virtio_mem.h"

/* Not below the minimum watermarks, which the core's page tables may go below. */
#define ROOM_GFP	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

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

/**
 * virtio_mem_room_make() - see to it that a big block can be added
 * @vm: the device
 *
 * Others may take what was freed: then there is the margin of
 * VIRTIO_MEM_ROOM_PAGES.
 *
 * Context: the worker, hotplug_mutex not held; sleeps, for VIRTIO_MEM_ROOM_MS at
 * most and one page's reclaim.
 * Return: 0; -ENOMEM if the guest lacks the memory, -EINTR if something newer
 * ended it.
 */
int virtio_mem_room_make(struct virtio_mem *vm)
{
	unsigned long memmap = virtio_mem_scan_memmap(vm);
	unsigned long takes = virtio_mem_choose_takes(memmap);
	struct virtio_mem_pressure pressure;
	unsigned long need, got;
	struct page *page, *next;
	LIST_HEAD(pages);
	bool doubted;

	virtio_mem_scan_pressure(&pressure);
	if (virtio_mem_choose_plenty(memmap, PHYS_PFN(SZ_1M), &pressure))
		return 0;
	need = virtio_mem_choose_need(memmap, PHYS_PFN(SZ_1M), &pressure);
	got = virtio_mem_choose_has(&pressure);
	doubted = got < need;
	if (doubted && !virtio_mem_doubt_may(&vm->doubt,
					     ktime_to_ms(ktime_get())))
		goto lacking;
	if (!virtio_mem_bound_begin(&vm->bound, VIRTIO_MEM_ROOM_MS))
		return -EINTR;
	got = gather(vm, &pages, takes);
	list_for_each_entry_safe(page, next, &pages, lru)
		__free_page(page);
	if (virtio_mem_bound_end(&vm->bound) == VIRTIO_MEM_CAUSE_INTERRUPTED)
		return -EINTR;
	if (got == takes)
		return 0;
	/* Not again before the longest back-off is over. */
	if (doubted)
		virtio_mem_doubt_spend(&vm->doubt, VIRTIO_MEM_RETRY_MAX_MS);
	need = takes;
lacking:
	virtio_mem_note(vm,
			"adding a big block takes %lu KiB of the kernel's memory, of which only %lu can be had; it is tried again",
			need << (PAGE_SHIFT - 10), got << (PAGE_SHIFT - 10));
	return -ENOMEM;
}
