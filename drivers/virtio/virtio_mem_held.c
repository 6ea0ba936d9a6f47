// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Remembers which page kept a big block from going, so that the big block is
 * not isolated again for nothing while that page is still held.  May call
 * virtio_mem_scan, virtio_mem_plan and virtio_mem_table.
 *
 * A page that somebody refers to beside its mappings and its cache can't be
 * migrated.  Most such references last for microseconds, or until the batches
 * of each CPU are drained.  So a look alone proves nothing; but a page that is
 * held after a try has failed, which has drained all batches, explains it, and
 * while the same page is held the next try would end the same way.  Unless it
 * has come to lie in a batch since (6.1 can't tell that): so nothing is believed
 * for ever.
 */
#include <linux/ktime.h>
#include <linux/virtio.h>
#include <linux/xarray.h>

#include "virtio_mem.h"

/* An entry: the page's number within its BB, and when it was found, in s. */
#define PAGE_BITS	32

static void *entry_of(unsigned long page)
{
	unsigned long now = ktime_get_seconds() & (LONG_MAX >> PAGE_BITS);

	return xa_mk_value(now << PAGE_BITS | page);
}

static bool is_old(void *entry)
{
	unsigned long now = ktime_get_seconds() & (LONG_MAX >> PAGE_BITS);

	return !virtio_mem_plan_believes(xa_to_value(entry) >> PAGE_BITS, now);
}

/**
 * virtio_mem_held_init() - remember nothing yet
 * @vm: the device
 */
void virtio_mem_held_init(struct virtio_mem *vm)
{
	xa_init(&vm->held);
}

/**
 * virtio_mem_held_exit() - forget everything
 * @vm: the device; the worker has ended
 */
void virtio_mem_held_exit(struct virtio_mem *vm)
{
	xa_destroy(&vm->held);
}

/**
 * virtio_mem_held_note() - a try has failed: find and remember the page
 * @vm: the device
 * @id: the big block, ADDED
 *
 * Without memory to remember it, the big block is just tried again.
 *
 * Context: the worker; may sleep.
 */
void virtio_mem_held_note(struct virtio_mem *vm, unsigned long id)
{
	u64 addr = virtio_mem_bb_addr(vm, id);
	struct virtio_mem_score score;

	virtio_mem_scan_bb(vm, id, &score);
	if (!score.held_pages)
		return;
	xa_store(&vm->held, id,
		 entry_of(score.held_pfn - virtio_mem_bb_pfn(vm, id)),
		 GFP_KERNEL);
	virtio_mem_note(vm,
			"0x%llx-0x%llx: the page at 0x%llx is held by something; its big block stays until it is let go",
			addr, addr + vm->geo.bb_size - 1,
			(u64)PFN_PHYS(score.held_pfn));
}

/**
 * virtio_mem_held_still() - whether the page that was remembered is still held
 * @vm: the device
 * @id: the big block, ADDED
 *
 * Context: the worker.
 * Return: true if so: a try would fail again.  False after
 * VIRTIO_MEM_BELIEVED_S.
 */
bool virtio_mem_held_still(struct virtio_mem *vm, unsigned long id)
{
	void *entry = xa_load(&vm->held, id);
	unsigned long page;

	if (!entry)
		return false;
	page = xa_to_value(entry) & (BIT(PAGE_BITS) - 1);
	if (!is_old(entry) &&
	    virtio_mem_scan_held(virtio_mem_bb_pfn(vm, id) + page))
		return true;
	xa_erase(&vm->held, id);
	return false;
}

/**
 * virtio_mem_held_let_go() - whether any page that was remembered is let go
 * @vm: the device
 *
 * Context: the worker.
 * Return: true if so, or after VIRTIO_MEM_BELIEVED_S: once for each page.
 */
bool virtio_mem_held_let_go(struct virtio_mem *vm)
{
	bool let_go = false;
	unsigned long id;
	void *entry;

	xa_for_each(&vm->held, id, entry)
		if (!virtio_mem_held_still(vm, id))
			let_go = true;
	return let_go;
}

/**
 * virtio_mem_held_forget() - the big block has gone
 * @vm: the device
 * @id: the big block
 *
 * Context: the worker.
 */
void virtio_mem_held_forget(struct virtio_mem *vm, unsigned long id)
{
	xa_erase(&vm->held, id);
}
