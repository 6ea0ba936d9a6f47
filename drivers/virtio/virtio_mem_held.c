// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Remembers which page keeps a big block from going, so that the big block is
 * not isolated for nothing while that page is held.  May call virtio_mem_scan,
 * virtio_mem_pages, virtio_mem_plan and virtio_mem_table.
 *
 * A page that somebody refers to beside its mappings and its cache can't be
 * migrated.  Most such references last for microseconds, or until the batches
 * of each CPU are drained.  So one look proves nothing; but a page that is held
 * before these were drained and after explains why a try would fail, and while
 * the same page is held the next one would fail, too.  Unless it has come to lie
 * in a batch since (6.1 can't tell that): so nothing is believed for ever.  And
 * where many pages are held for a moment each, some look finds one every time:
 * so there is a try after each page that was only looked at.
 *
 *	none -> SUSPECTED	the scan has found a page held
 *	SUSPECTED -> none	a later scan has not
 *	SUSPECTED -> SEEN	all batches were drained since; it is still held
 *	SUSPECTED -> none	it is not, or draining failed: a try follows
 *	SEEN -> DUE		it was let go, or is not believed any more
 *	DUE -> none		a try has failed by its deadline or as if for a page
 *				that is held, but none is; any other failure
 *				(a veto, memory) leaves it: a try comes next again
 *	any -> TRIED		a try has failed, and the page is held
 *	TRIED -> none		it was let go, or is not believed any more
 *	any -> none		the big block has gone
 *
 * While it is SEEN or TRIED the big block is left alone.
 */
#include <linux/bitfield.h>
#include <linux/ktime.h>
#include <linux/virtio.h>
#include <linux/xarray.h>

#include "virtio_mem.h"
#include "virtio_mem_pages.h"

enum kind {
	SUSPECTED,
	SEEN,
	DUE,
	TRIED,
};

/*
 * An entry: the page's number within its BB; the kind; when it was found, in s,
 * or for SUSPECTED after how many drains.
 */
#define ENTRY_PAGE	GENMASK_ULL(31, 0)
#define ENTRY_KIND	GENMASK_ULL(33, 32)
#define ENTRY_WHEN	GENMASK_ULL(62, 34)
#define WHEN_MAX	FIELD_MAX(ENTRY_WHEN)

static enum kind kind_of(void *entry)
{
	return FIELD_GET(ENTRY_KIND, xa_to_value(entry));
}

static unsigned long when_of(void *entry)
{
	return FIELD_GET(ENTRY_WHEN, xa_to_value(entry));
}

static unsigned long pfn_of(struct virtio_mem *vm, unsigned long id,
			    void *entry)
{
	return virtio_mem_bb_pfn(vm, id) +
	       FIELD_GET(ENTRY_PAGE, xa_to_value(entry));
}

/* Without memory to remember it, the big block is just tried again. */
static void remember(struct virtio_mem *vm, unsigned long id,
		     unsigned long pfn, enum kind kind)
{
	unsigned long page = pfn - virtio_mem_bb_pfn(vm, id);
	u64 when = kind == SUSPECTED ? vm->drains : ktime_get_seconds();

	xa_store(&vm->held, id,
		 xa_mk_value(FIELD_PREP(ENTRY_PAGE, page) |
			     FIELD_PREP(ENTRY_KIND, kind) |
			     FIELD_PREP(ENTRY_WHEN, when & WHEN_MAX)),
		 GFP_KERNEL);
}

static bool is_old(void *entry)
{
	return !virtio_mem_plan_believes(when_of(entry),
					 ktime_get_seconds() & WHEN_MAX);
}

static void say(struct virtio_mem *vm, unsigned long id, unsigned long pfn)
{
	u64 addr = virtio_mem_bb_addr(vm, id);

	virtio_mem_note(vm,
			"0x%llx-0x%llx: the page at 0x%llx is held by something; its big block stays until it is let go",
			addr, addr + vm->geo.bb_size - 1, (u64)PFN_PHYS(pfn));
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
 * virtio_mem_held_looked() - suspect a page, or nothing any more
 * @vm: the device
 * @id: the big block, ADDED
 * @score: what the scan has found there just now
 *
 * Outside of ZONE_MOVABLE some can move that are held (rings of AIO).  What an
 * earlier scan suspected is forgotten: drains before this one prove nothing.
 *
 * Context: the worker; may sleep.
 */
void virtio_mem_held_looked(struct virtio_mem *vm, unsigned long id,
			    const struct virtio_mem_score *score)
{
	void *entry = xa_load(&vm->held, id);

	if (entry && kind_of(entry) != SUSPECTED)
		return;
	if (score->held_pages && !score->kernel_zone)
		remember(vm, id, score->held_pfn, SUSPECTED);
	else if (entry)
		xa_erase(&vm->held, id);
}

/**
 * virtio_mem_held_doomed() - whether a try would fail for a page that is held
 * @vm: the device
 * @id: the big block, ADDED
 * @free_pfn: a page in it that was free just now, 0 if there is none
 *
 * Drains the batches of all CPUs, but only once for all that were suspected
 * before.
 *
 * Context: the worker, hotplug_mutex not held; may sleep.
 * Return: true if the page that was suspected is still held after that.
 */
bool virtio_mem_held_doomed(struct virtio_mem *vm, unsigned long id,
			    unsigned long free_pfn)
{
	void *entry = xa_load(&vm->held, id);
	unsigned long pfn;

	if (!entry || kind_of(entry) != SUSPECTED)
		return false;
	pfn = pfn_of(vm, id, entry);
	if (!virtio_mem_scan_held(pfn))
		goto not_held;
	if (when_of(entry) == (vm->drains & WHEN_MAX)) {
		if (!free_pfn || virtio_mem_pages_drain(free_pfn))
			goto not_held;
		vm->drains++;
		if (!virtio_mem_scan_held(pfn))
			goto not_held;
	}
	remember(vm, id, pfn, SEEN);
	say(vm, id, pfn);
	return true;
not_held:
	xa_erase(&vm->held, id);
	return false;
}

/**
 * virtio_mem_held_note() - a try has failed: find and remember the page
 * @vm: the device
 * @id: the big block, ADDED
 *
 * Context: the worker; may sleep.
 */
void virtio_mem_held_note(struct virtio_mem *vm, unsigned long id)
{
	struct virtio_mem_score score;

	virtio_mem_scan_bb(vm, id, &score);
	if (!score.held_pages) {
		xa_erase(&vm->held, id);
		return;
	}
	remember(vm, id, score.held_pfn, TRIED);
	say(vm, id, score.held_pfn);
}

/**
 * virtio_mem_held_still() - whether the page that was remembered is still held
 * @vm: the device
 * @id: the big block, ADDED
 *
 * Context: the worker; may sleep.
 * Return: true if so: a try would fail.  False after VIRTIO_MEM_BELIEVED_S.
 */
bool virtio_mem_held_still(struct virtio_mem *vm, unsigned long id)
{
	void *entry = xa_load(&vm->held, id);
	unsigned long pfn;

	if (!entry || kind_of(entry) == SUSPECTED || kind_of(entry) == DUE)
		return false;
	pfn = pfn_of(vm, id, entry);
	if (!is_old(entry) && virtio_mem_scan_held(pfn))
		return true;
	if (kind_of(entry) == SEEN)
		remember(vm, id, pfn, DUE);
	else
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
		if ((kind_of(entry) == SEEN || kind_of(entry) == TRIED) &&
		    !virtio_mem_held_still(vm, id))
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
