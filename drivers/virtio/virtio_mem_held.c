// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Remembers what earlier scans and tries found out about a big block: which
 * page is held, and how many tries have failed.  These records only order the
 * next tries.
 *
 * Linux can't migrate a page that somebody refers to beside its mappings and
 * its cache.  Most such references last for microseconds, or until each CPU's
 * batches are drained.  So one scan proves nothing.  But a page that is held
 * both before and after such a drain explains why a try would fail, and further
 * tries would probably fail while the same page is held.  (Unless the page has
 * come to lie in a batch since, which 6.1 can't tell.)
 *
 *	none -> SUSPECTED	a scan has found a page held
 *	SUSPECTED -> none	a later scan has found none
 *	SUSPECTED -> HELD	the page is still held after a drain
 *	SUSPECTED -> none	the page is no longer held: a try follows
 *	any -> HELD		a try has failed, and a page is held
 *	any -> FAILED		a try has failed, and no scan tells why
 *	HELD -> none		the page is no longer held
 *	FAILED -> none		a change may help the next try
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
 * struct record - what earlier scans and tries found out about a big block
 * @kind: see above
 * @pfn: SUSPECTED, HELD: the page
 * @drains: SUSPECTED: memory.drains at that time
 * @tries: tries that failed
 * @cause: why the last of them did
 * @when_ms: when that was, as ktime_get()
 * @rcu: delays freeing, because readers of debugfs may still look
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

/* Finds or makes the record; without memory for one the worker just retries. */
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

/**
 * virtio_mem_held_note() - keep a message that names a held page
 * @vm: the device
 * @id: the big block
 * @pfn: the page
 *
 * Context: takes hotplug_mutex; may sleep.
 */
void virtio_mem_held_note(struct virtio_mem *vm, unsigned long id,
			  unsigned long pfn)
{
	u64 addr = virtio_mem_bb_addr(vm, id);

	virtio_mem_note(vm, VIRTIO_MEM_CAUSE_PINNED,
			"0x%llx-0x%llx: the page at 0x%llx is held by something; its big block is tried again now and then, and when it is let go",
			addr, addr + vm->geo.bb_size - 1, (u64)PFN_PHYS(pfn));
}

/**
 * virtio_mem_held_init() - begin without records
 * @vm: the device
 *
 * Context: probe.
 */
void virtio_mem_held_init(struct virtio_mem *vm)
{
	xa_init(&vm->memory.by_bb);
}

/**
 * virtio_mem_held_forget() - forget a big block that has gone
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
 *
 * Context: may sleep.
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
 * virtio_mem_held_pardon() - forget failed tries, as a change may help new ones
 * @vm: the device
 *
 * Records of held pages stay, because these pages are looked at anyway.
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
 * virtio_mem_held_history() - get what earlier scans and tries found
 * @vm: the device
 * @id: the big block, ADDED
 * @past: out
 *
 * Forgets a page that is no longer held.
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
 * virtio_mem_held_suspect() - suspect a page, or clear a suspicion
 * @vm: the device
 * @id: the big block, ADDED
 * @pfn: a page that the scan has found held just now; 0 for none
 *
 * Replaces the suspicion of an earlier scan, because drains before this scan
 * prove nothing.
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
 * virtio_mem_held_confirm() - find out whether the suspected page is held
 * @vm: the device
 * @id: the big block, ADDED
 * @free_pfn: a page in it that was free just now, 0 if there is none
 *
 * Drains the batches of all CPUs, but only once for all pages that were
 * suspected before the drain.
 *
 * Context: the worker, hotplug_mutex not held; may sleep.
 * Return: true if the page is held both before and after the drain.
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
	virtio_mem_held_note(vm, id, r->pfn);
	return true;
not_held:
	virtio_mem_held_forget(vm, id);
	return false;
}

/**
 * virtio_mem_held_record_failure() - record a failed try and the held page
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
	virtio_mem_held_note(vm, id, r->pfn);
}

/**
 * virtio_mem_held_peek() - get the record of a big block, for people
 * @vm: the device, set up
 * @id: the big block
 * @out: tries that failed, why the last one did, and when
 *
 * Context: any; a hint, as the worker may change it meanwhile.
 * Return: true if there is a record with a cause.
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
 * virtio_mem_held_any_released() - whether any held page is no longer held
 * @vm: the device
 *
 * Context: the worker.
 * Return: true once for each such page.
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
