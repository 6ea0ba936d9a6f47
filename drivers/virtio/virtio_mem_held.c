// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Remembers what earlier looks and tries found out about a big block: which page
 * is held, and how many tries have failed.  Only orders what is tried next.  May
 * call virtio_mem_scan, virtio_mem_mm_drain() and virtio_mem_table.
 *
 * A page that somebody refers to beside its mappings and its cache can't be
 * migrated.  Most such references last for microseconds, or until the batches
 * of each CPU are drained.  So one look proves nothing; but a page that is held
 * before these were drained and after explains why a try would fail, and while
 * the same page is held the next one probably would, too.  (Unless it has come to
 * lie in a batch since, which 6.1 can't tell.)
 *
 *	none -> SUSPECTED	the scan has found a page held
 *	SUSPECTED -> none	a later scan has not
 *	SUSPECTED -> HELD	all batches were drained since; it is still held
 *	SUSPECTED -> none	it is not: a try follows
 *	any -> HELD		a try has failed, and a page is held
 *	any -> FAILED		a try has failed, and no look tells why
 *	HELD -> none		the page was let go
 *	FAILED -> none		something has changed that may help
 *	any -> none		the big block has gone
 */
#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/xarray.h>

#include "virtio_mem_device.h"
#include "virtio_mem_table.h"

enum kind {
	SUSPECTED,
	HELD,
	FAILED,
};

/**
 * struct record - what is remembered of a big block
 * @kind: see above
 * @pfn: SUSPECTED, HELD: the page
 * @drains: SUSPECTED: how often the batches had been drained at that time
 * @tries: tries that failed
 * @cause: why the last of them did
 * @when_ms: when that was, as ktime_get()
 * @rcu: readers of debugfs may still look
 */
struct record {
	enum kind kind;
	unsigned long pfn;
	unsigned long drains;
	unsigned int tries;
	enum virtio_mem_cause cause;
	u64 when_ms;
	struct rcu_head rcu;
};

/* Without memory to remember it, the big block is just tried again. */
static struct record *record_of(struct virtio_mem *vm, unsigned long id)
{
	struct record *r = xa_load(&vm->memory.by_bb, id);

	if (r)
		return r;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return NULL;
	if (xa_is_err(xa_store(&vm->memory.by_bb, id, r, GFP_KERNEL))) {
		kfree(r);
		return NULL;
	}
	return r;
}

static void say(struct virtio_mem *vm, unsigned long id, unsigned long pfn)
{
	u64 addr = virtio_mem_bb_addr(vm, id);

	virtio_mem_note(vm,
			"0x%llx-0x%llx: the page at 0x%llx is held by something; its big block is tried again now and then, and when it is let go",
			addr, addr + vm->geo.bb_size - 1, (u64)PFN_PHYS(pfn));
}

/**
 * virtio_mem_held_init() - remember nothing yet
 * @vm: the device
 */
void virtio_mem_held_init(struct virtio_mem *vm)
{
	xa_init(&vm->memory.by_bb);
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
	struct record *r = xa_erase(&vm->memory.by_bb, id);

	if (r)
		kfree_rcu(r, rcu);
}

/**
 * virtio_mem_held_exit() - forget everything
 * @vm: the device; the worker has ended, or is the caller
 */
void virtio_mem_held_exit(struct virtio_mem *vm)
{
	unsigned long id;
	struct record *r;

	xa_for_each(&vm->memory.by_bb, id, r)
		virtio_mem_held_forget(vm, id);
	xa_destroy(&vm->memory.by_bb);
}

/**
 * virtio_mem_held_pardon() - something has changed: tries may succeed now
 * @vm: the device
 *
 * What a look can see, pages that are held, is looked at anyway.
 *
 * Context: the worker.
 */
void virtio_mem_held_pardon(struct virtio_mem *vm)
{
	unsigned long id;
	struct record *r;

	xa_for_each(&vm->memory.by_bb, id, r)
		if (r->kind == FAILED)
			virtio_mem_held_forget(vm, id);
}

/**
 * virtio_mem_held_history() - what earlier looks and tries found
 * @vm: the device
 * @id: the big block, ADDED
 * @past: out
 *
 * Forgets a page that was let go since.
 *
 * Context: the worker; may sleep.
 */
void virtio_mem_held_history(struct virtio_mem *vm, unsigned long id,
			     struct virtio_mem_history *past)
{
	struct record *r = xa_load(&vm->memory.by_bb, id);

	memset(past, 0, sizeof(*past));
	if (!r || r->kind == SUSPECTED)
		return;
	if (r->kind == HELD && !virtio_mem_scan_held(vm, r->pfn)) {
		virtio_mem_held_forget(vm, id);
		return;
	}
	past->tries = r->tries;
	past->held = r->kind == HELD;
	past->cause = r->cause;
}

/**
 * virtio_mem_held_suspect() - suspect a page, or nothing any more
 * @vm: the device
 * @id: the big block, ADDED
 * @pfn: a page that the scan has found held just now; 0 for none
 *
 * What an earlier scan suspected is forgotten: drains before this one prove
 * nothing.
 *
 * Context: the worker; may sleep.
 */
void virtio_mem_held_suspect(struct virtio_mem *vm, unsigned long id,
			     unsigned long pfn)
{
	struct record *r = xa_load(&vm->memory.by_bb, id);

	if (r && r->kind != SUSPECTED)
		return;
	if (!pfn) {
		virtio_mem_held_forget(vm, id);
		return;
	}
	r = record_of(vm, id);
	if (!r)
		return;
	r->kind = SUSPECTED;
	r->pfn = pfn;
	r->drains = vm->memory.drains;
}

/**
 * virtio_mem_held_confirm() - whether the page that was suspected is held
 * @vm: the device
 * @id: the big block, ADDED
 * @free_pfn: a page in it that was free just now, 0 if there is none
 *
 * Drains the batches of all CPUs, but only once for all that were suspected
 * before.
 *
 * Context: the worker, hotplug_mutex not held; may sleep.
 * Return: true if it is, before the draining and after.
 */
bool virtio_mem_held_confirm(struct virtio_mem *vm, unsigned long id,
			     unsigned long free_pfn)
{
	struct record *r = xa_load(&vm->memory.by_bb, id);

	if (!r || r->kind != SUSPECTED)
		return false;
	if (!virtio_mem_scan_held(vm, r->pfn))
		goto not_held;
	if (r->drains == vm->memory.drains) {
		if (!free_pfn || virtio_mem_mm_drain(vm, id, free_pfn))
			goto not_held;
		vm->memory.drains++;
		if (!virtio_mem_scan_held(vm, r->pfn))
			goto not_held;
	}
	r->kind = HELD;
	WRITE_ONCE(r->cause, VIRTIO_MEM_CAUSE_PINNED);
	WRITE_ONCE(r->when_ms, ktime_to_ms(ktime_get()));
	say(vm, id, r->pfn);
	return true;
not_held:
	virtio_mem_held_forget(vm, id);
	return false;
}

/**
 * virtio_mem_held_record_failure() - a try has failed: find and remember the page
 * @vm: the device
 * @id: the big block, ADDED
 * @cause: why it failed
 *
 * Context: the worker; may sleep.
 */
void virtio_mem_held_record_failure(struct virtio_mem *vm, unsigned long id,
				    enum virtio_mem_cause cause)
{
	struct record *r = record_of(vm, id);
	struct virtio_mem_score score;

	if (!r)
		return;
	WRITE_ONCE(r->tries, r->tries + 1);
	WRITE_ONCE(r->cause, cause);
	WRITE_ONCE(r->when_ms, ktime_to_ms(ktime_get()));
	r->kind = FAILED;
	if (cause != VIRTIO_MEM_CAUSE_PINNED &&
	    cause != VIRTIO_MEM_CAUSE_DEADLINE)
		return;
	virtio_mem_scan_bb(vm, id, &score);
	if (!score.held_pages)
		return;
	r->kind = HELD;
	r->pfn = score.held_pfn;
	say(vm, id, r->pfn);
}

/**
 * virtio_mem_held_peek() - what is remembered of a big block, for people
 * @vm: the device, set up
 * @id: the big block
 * @out: tries that failed, why the last one did, and when
 *
 * Context: any; a hint, as the worker may change it meanwhile.
 * Return: true if there is anything.
 */
bool virtio_mem_held_peek(struct virtio_mem *vm, unsigned long id,
			  struct virtio_mem_trials *out)
{
	struct record *r;
	bool any;

	rcu_read_lock();
	r = xa_load(&vm->memory.by_bb, id);
	any = r && READ_ONCE(r->cause);
	if (any) {
		out->nr = READ_ONCE(r->tries);
		out->cause = READ_ONCE(r->cause);
		out->when_ms = READ_ONCE(r->when_ms);
	}
	rcu_read_unlock();
	return any;
}

/**
 * virtio_mem_held_any_released() - whether any page that was held is let go
 * @vm: the device
 *
 * Context: the worker.
 * Return: true if so: once for each page.
 */
bool virtio_mem_held_any_released(struct virtio_mem *vm)
{
	bool released = false;
	unsigned long id;
	struct record *r;

	xa_for_each(&vm->memory.by_bb, id, r) {
		if (r->kind != HELD || virtio_mem_scan_held(vm, r->pfn))
			continue;
		virtio_mem_held_forget(vm, id);
		released = true;
	}
	return released;
}
