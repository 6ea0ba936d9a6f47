// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Linux's side of a big block: add, claim, offline and remove; memory
 * notifier, resource, memory group.  This file knows nothing of the device.
 *
 * Claims.  The worker claims a BB by making it FAKE_OFFLINE under
 * hotplug_mutex, and then works without the mutex.  While the claim lasts,
 * nobody else can online or offline any part of the BB, because the notifier
 * returns EBUSY.  Conversely, the notifier marks a BB that somebody else is
 * onlining or offlining as changing, from GOING_* to the closing call, and the
 * worker skips such a BB.  At most one BB is changing, because mem_hotplug_lock
 * serialises memory hotplug in the whole system.  A closing call can come
 * without its GOING_*, because an earlier notifier may have refused.
 *
 * Only the core onlines pages of a claimed BB, when it backs out of an
 * offlining that failed half-way; the driver then gives back everything else,
 * too.  There is no online-page callback here, because the allocator may have
 * these pages at once.
 */
#include <linux/bitmap.h>
#include <linux/ktime.h>
#include <linux/memory.h>
#include <linux/mmzone.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/virtio.h>

#include "virtio_mem_compat.h"
#include "virtio_mem_device.h"
#include "virtio_mem_memmap.h"
#include "virtio_mem_pages.h"
#include "virtio_mem_stats.h"
#include "virtio_mem_table.h"
#include "virtio_mem_trace.h"

static unsigned long block_pages(void)
{
	return PHYS_PFN(memory_block_size_bytes());
}

/* The BB that contains this page; NO_BB if no BB contains it. */
static unsigned long bb_of_pfn(const struct virtio_mem *vm, unsigned long pfn)
{
	u64 addr = PFN_PHYS(pfn);
	unsigned long id;

	if (addr < vm->geo.base)
		return VIRTIO_MEM_NO_BB;
	id = (addr - vm->geo.base) >> ilog2(vm->geo.bb_size);
	return id < vm->geo.nr_bbs ? id : VIRTIO_MEM_NO_BB;
}

/* Number of a memory block within the claimed BB. */
static unsigned long taken_bit(const struct virtio_mem *vm, unsigned long pfn)
{
	return (pfn - virtio_mem_bb_pfn(vm, vm->mm.claimed)) / block_pages();
}

static bool may_online(const struct virtio_mem *vm, unsigned long id)
{
	if (id == VIRTIO_MEM_NO_BB)
		return false;
	if (id == vm->mm.adding)
		return true;
	switch (virtio_mem_bbt_state(&vm->bbt, id)) {
	case VIRTIO_MEM_BB_ADDED:
		return true;
	case VIRTIO_MEM_BB_FAKE_OFFLINE:
		/* The core backs out of the worker's own offlining. */
		return current == vm->task;
	default:
		return false;
	}
}

static int going_online(struct virtio_mem *vm, unsigned long id,
			unsigned long pfn)
{
	lockdep_assert_held(&vm->hotplug_mutex);
	if (may_online(vm, id)) {
		vm->mm.changing = id;
		return 0;
	}
	if (id != VIRTIO_MEM_NO_BB && id == vm->mm.claimed) {
		dev_dbg(&vm->vdev->dev,
			"onlining 0x%llx refused: its big block is being unplugged\n",
			(u64)PFN_PHYS(pfn));
		return -EBUSY;
	}
	/* Parts may be unplugged, and touching these would crash the guest. */
	dev_warn_ratelimited(&vm->vdev->dev,
			     "onlining 0x%llx refused: not known to be wholly plugged\n",
			     (u64)PFN_PHYS(pfn));
	return -EPERM;
}

static int going_offline(struct virtio_mem *vm, unsigned long id)
{
	lockdep_assert_held(&vm->hotplug_mutex);
	if (id != VIRTIO_MEM_NO_BB && id == vm->mm.claimed && current != vm->task)
		return -EBUSY;
	vm->mm.changing = id;
	return 0;
}

/* Whether vm->offline_bytes includes this BB. */
static bool is_counted(const struct virtio_mem *vm, unsigned long id)
{
	enum virtio_mem_bb_state state = virtio_mem_bbt_state(&vm->bbt, id);

	lockdep_assert_held(&vm->hotplug_mutex);
	return id != VIRTIO_MEM_NO_BB &&
	       (id == vm->mm.adding || state == VIRTIO_MEM_BB_ADDED ||
		state == VIRTIO_MEM_BB_FAKE_OFFLINE);
}

static void count_offline(struct virtio_mem *vm)
{
	s64 offline = 0;
	unsigned long id;

	lockdep_assert_held(&vm->hotplug_mutex);
	for (id = 0; id < vm->bbt.nr; id++)
		if (is_counted(vm, id))
			offline += vm->geo.bb_size -
				   PFN_PHYS(virtio_mem_mm_online_pages(vm, id,
								       NULL));
	vm->offline_bytes = offline;
}

/*
 * Counts one memory block of a BB as offlined; as onlined if @sign is -1.  All of
 * it, though events leave out the memmap that it may hold.
 */
static void changed(struct virtio_mem *vm, unsigned long id, int sign)
{
	vm->mm.changing = VIRTIO_MEM_NO_BB;
	if (vm->mm.recount)
		count_offline(vm);
	else if (is_counted(vm, id))
		vm->offline_bytes += sign * (s64)memory_block_size_bytes();
	vm->mm.recount = false;
}

/*
 * Hands taken pages to the core and back during the worker's own offlining.
 * Needs no lock, because the worker itself runs this, and nobody else changes
 * the BB that the worker has claimed.
 */
static int notify_claimed(struct virtio_mem *vm, unsigned long action,
			  unsigned long pfn, unsigned long nr)
{
	int rc = 0;

	switch (action) {
	case MEM_GOING_OFFLINE:
		if (!test_bit(taken_bit(vm, pfn), vm->mm.taken))
			break;
		rc = virtio_mem_pages_hand_over(pfn, nr);
		vm->mm.handed = !rc;
		break;
	case MEM_CANCEL_OFFLINE:
		/* Without GOING_OFFLINE before, no page was handed over. */
		if (vm->mm.handed)
			virtio_mem_pages_take_over(pfn, nr);
		vm->mm.handed = false;
		break;
	case MEM_OFFLINE:
		/* The memmap of these pages is void from now on. */
		if (vm->mm.handed)
			clear_bit(taken_bit(vm, pfn), vm->mm.taken);
		vm->mm.handed = false;
		break;
	default:
		break;
	}
	return rc;
}

static int on_memory_event(struct notifier_block *nb, unsigned long action,
			   void *arg)
{
	struct virtio_mem *vm = container_of(nb, struct virtio_mem, mm.nb);
	const struct memory_notify *mhp = arg;
	unsigned long pfn = mhp->start_pfn, nr = mhp->nr_pages;
	u64 start = PFN_PHYS(pfn);
	unsigned long id;
	bool event = false, own;
	int rc = 0;

	if (start > vm->region.end || start + PFN_PHYS(nr) <= vm->region.start)
		return NOTIFY_DONE;

	mutex_lock(&vm->hotplug_mutex);
	id = bb_of_pfn(vm, pfn);
	/* Names only, because the numbers differ between stable releases. */
	switch (action) {
	case MEM_GOING_ONLINE:
		rc = going_online(vm, id, pfn);
		break;
	case MEM_GOING_OFFLINE:
		rc = going_offline(vm, id);
		break;
	case MEM_CANCEL_ONLINE:
		vm->mm.refused |= id != VIRTIO_MEM_NO_BB && id == vm->mm.adding;
		fallthrough;
	case MEM_CANCEL_OFFLINE:
		vm->mm.changing = VIRTIO_MEM_NO_BB;
		break;
	case MEM_ONLINE:
		changed(vm, id, -1);
		event = true;
		break;
	case MEM_OFFLINE:
		changed(vm, id, 1);
		event = true;
		break;
	default:
		/* 6.12 has more actions than we need. */
		break;
	}
	own = current == vm->task && id == vm->mm.claimed &&
	      id != VIRTIO_MEM_NO_BB;
	mutex_unlock(&vm->hotplug_mutex);

	if (own && !rc)
		rc = notify_claimed(vm, action, pfn, nr);
	if (event && current != vm->task)
		virtio_mem_kick(vm, VIRTIO_MEM_EV_MEMORY);
	return notifier_from_errno(rc);
}

/* Stores the parent of the first busy resource (memory) in the region. */
static int first_child(struct resource *res, void *arg)
{
	*(struct resource **)arg = res->parent;
	return 1;
}

/*
 * The name that memory below @parent already has.  New memory gets the same
 * one, because the core merges resources only if they share their name.
 */
static const char *memory_name(const struct resource *parent)
{
	const struct resource *child = parent->child;

	while (child && !(child->flags & IORESOURCE_SYSRAM))
		child = child->sibling;
	return child ? child->name : NULL;
}

static int request_region_resource(struct virtio_mem *vm)
{
	struct resource *parent = NULL;
	const char *name;

	walk_iomem_res_desc(IORES_DESC_NONE,
			    IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
			    vm->region.start, vm->region.end, &parent,
			    first_child);
	if (parent && parent->start == vm->region.start &&
	    parent->end == vm->region.end) {
		/* An earlier driver left memory added, and this resource. */
		vm->mm.parent = parent;
		vm->mm.res_name = memory_name(parent);
		vm->adopted = true;
		return 0;
	}
	/* Copies, because both outlive the module if memory stays added. */
	name = kstrdup(vm->name, GFP_KERNEL);
	vm->mm.res_name = kstrdup("System RAM (virtio_mem)", GFP_KERNEL);
	if (!name || !vm->mm.res_name) {
		kfree(name);
		return -ENOMEM;
	}
	vm->mm.parent = __request_region(&iomem_resource, vm->region.start,
					 range_len(&vm->region), name,
					 IORESOURCE_SYSTEM_RAM |
					 IORESOURCE_EXCLUSIVE);
	if (!vm->mm.parent) {
		kfree(name);
		dev_err(&vm->vdev->dev,
			"region 0x%llx-0x%llx is in use by something else; device not used\n",
			vm->region.start, vm->region.end);
		return -EBUSY;
	}
	/* Not busy, because the memory that is added must nest inside. */
	vm->mm.parent->flags &= ~IORESOURCE_BUSY;
	return 0;
}

static void release_region_resource(struct virtio_mem *vm)
{
	const char *name = vm->mm.parent->name;

	release_resource(vm->mm.parent);
	kfree(vm->mm.parent);
	/* _const, because a built-in driver may have left constants. */
	kfree_const(name);
	kfree_const(vm->mm.res_name);
	vm->mm.parent = NULL;
}

/**
 * virtio_mem_mm_init() - prepare for adding memory
 * @vm: the device; geo, region, nid and name are set
 *
 * Context: probe; may sleep.
 * Return: 0, -EBUSY if something else uses the region, -ENOMEM.
 */
int virtio_mem_mm_init(struct virtio_mem *vm)
{
	int rc;

	vm->mm.adding = VIRTIO_MEM_NO_BB;
	vm->mm.claimed = VIRTIO_MEM_NO_BB;
	vm->mm.changing = VIRTIO_MEM_NO_BB;
	vm->mm.mgid = VIRTIO_MEM_NO_GROUP;
	vm->mm.taken = bitmap_zalloc(vm->geo.bb_size / memory_block_size_bytes(),
				     GFP_KERNEL);
	if (!vm->mm.taken)
		return -ENOMEM;
	rc = request_region_resource(vm);
	if (!rc)
		return 0;
	kfree(vm->mm.res_name);
	bitmap_free(vm->mm.taken);
	return rc;
}

/**
 * virtio_mem_mm_start() - hear of memory being onlined and offlined
 * @vm: the device
 *
 * Memory that was taken over may be changing right now, and the first count
 * may or may not include that change.  So the first MEM_ONLINE or MEM_OFFLINE
 * after it counts everything once more.  The earlier change is done by then,
 * because changes come one at a time.
 *
 * Context: probe, before the worker starts; may sleep.
 */
void virtio_mem_mm_start(struct virtio_mem *vm)
{
	vm->mm.nb.notifier_call = on_memory_event;
	register_memory_notifier(&vm->mm.nb);
	mutex_lock(&vm->hotplug_mutex);
	count_offline(vm);
	vm->mm.recount = vm->adopted;
	mutex_unlock(&vm->hotplug_mutex);
}

/**
 * virtio_mem_mm_stop() - no longer hear of memory being onlined and offlined
 * @vm: the device
 *
 * Context: the worker has ended; hotplug_mutex not held; may sleep.
 */
void virtio_mem_mm_stop(struct virtio_mem *vm)
{
	unregister_memory_notifier(&vm->mm.nb);
}

/**
 * virtio_mem_mm_exit() - undo virtio_mem_mm_init()
 * @vm: the device; the worker has ended
 *
 * While memory stays added, the resource and the names stay as well, and so
 * does the memory group if some of that memory was added with it.
 *
 * Context: may sleep.
 * Return: how many big blocks stay added.
 */
unsigned long virtio_mem_mm_exit(struct virtio_mem *vm)
{
	unsigned long added = vm->bbt.count[VIRTIO_MEM_BB_ADDED] +
			      vm->bbt.count[VIRTIO_MEM_BB_FAKE_OFFLINE];

	bitmap_free(vm->mm.taken);
	vm->mm.taken = NULL;
	/* -EBUSY leaks the group, because its memory still counts with it. */
	if (vm->mm.mgid != VIRTIO_MEM_NO_GROUP)
		memory_group_unregister(vm->mm.mgid);
	/* A child is memory, taken over or not, that needs this resource. */
	if (added || vm->mm.parent->child)
		return added;
	release_region_resource(vm);
	return 0;
}

/**
 * virtio_mem_mm_online_pages() - how much of a big block is online
 * @vm: the device
 * @id: the big block, ADDED or claimed
 * @zone: out, may be NULL: index of the zone, -1 if none, -2 if several
 *
 * Context: any; only a hint while others can online and offline it.  Of each
 * page only the zone is read, because nothing checks that access for a void
 * memmap.
 * Return: pages, with those that hold the memmap of their memory block.
 */
unsigned long virtio_mem_mm_online_pages(struct virtio_mem *vm,
					 unsigned long id, int *zone)
{
	unsigned long pfn = virtio_mem_bb_pfn(vm, id);
	unsigned long end = pfn + virtio_mem_bb_pages(vm);
	unsigned long online = 0;
	int seen = -1;

	for (; pfn < end; pfn += block_pages()) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page)
			continue;
		online += block_pages();
		if (seen == -1)
			seen = page_zonenum(page);
		else if (seen != page_zonenum(page))
			seen = -2;
	}
	if (zone)
		*zone = seen;
	return online;
}

/* Counts and traces an operation on a big block. */
static void count_op(struct virtio_mem *vm, enum virtio_mem_op op,
		     unsigned long id, int rc, ktime_t begin)
{
	u64 us = virtio_mem_stats_count(&vm->stats, op, !rc, begin);

	trace_virtio_mem_op(vm->name, op, virtio_mem_bb_addr(vm, id),
			    vm->geo.bb_size, rc, us);
}

/*
 * Registered late, because a group with memory outlives the driver, and the
 * next load can't find it again.  A load that only takes over memory and adds
 * none thus registers no group.
 */
static int need_group(struct virtio_mem *vm)
{
	int rc;

	if (vm->mm.mgid != VIRTIO_MEM_NO_GROUP)
		return 0;
	rc = memory_group_register_dynamic(vm->nid, virtio_mem_bb_pages(vm));
	if (rc < 0)
		return rc;
	vm->mm.mgid = rc;
	return 0;
}

static int add_with(struct virtio_mem *vm, unsigned long id, mhp_t more)
{
	return add_memory_driver_managed(vm->mm.mgid, virtio_mem_bb_addr(vm, id),
					 vm->geo.bb_size, vm->mm.res_name,
					 MHP_MERGE_RESOURCE | MHP_NID_IS_MGID |
					 more);
}

/*
 * Adds a BB, if possible with its memmap in it.  A kernel that can't be asked for
 * that is asked by the first add.
 */
static int add(struct virtio_mem *vm, unsigned long id)
{
	int rc;

	if (vm->mm.hosts < 0 ||
	    !virtio_mem_memmap_may_host(virtio_mem_bb_pages(vm)))
		return add_with(vm, id, 0);
	rc = add_with(vm, id, MHP_MEMMAP_ON_MEMORY);
	if (!rc && !vm->mm.hosts)
		dev_info(&vm->vdev->dev, "added memory holds its own memmap\n");
	if (!rc)
		vm->mm.hosts = 1;
	if (rc != -EINVAL || vm->mm.hosts)
		return rc;
	rc = add_with(vm, id, 0);
	if (!rc)
		vm->mm.hosts = -1;
	return rc;
}

/**
 * virtio_mem_mm_add() - give a plugged big block to Linux
 * @vm: the device
 * @id: the big block, PLUGGED; ADDED on success
 *
 * The system's policy decides whether the kernel onlines it right away.
 * Onlining that fails is no error here; a note says so.
 *
 * Context: the worker, hotplug_mutex not held; takes device_hotplug_lock.
 * Return: 0 or what memory_group_register_dynamic() and
 * add_memory_driver_managed() return: -ENOMEM; -EEXIST if something is left of
 * an earlier, failed add; -E2BIG, -EINVAL.
 */
int virtio_mem_mm_add(struct virtio_mem *vm, unsigned long id)
{
	u64 addr = virtio_mem_bb_addr(vm, id), size = vm->geo.bb_size;
	unsigned long online;
	ktime_t begin;
	bool refused;
	int rc = need_group(vm);

	if (rc)
		return rc;
	mutex_lock(&vm->hotplug_mutex);
	vm->mm.adding = id;
	vm->mm.refused = false;
	vm->offline_bytes += size;
	mutex_unlock(&vm->hotplug_mutex);

	begin = ktime_get();
	rc = add(vm, id);
	count_op(vm, VIRTIO_MEM_OP_ADD, id, rc, begin);

	mutex_lock(&vm->hotplug_mutex);
	vm->mm.adding = VIRTIO_MEM_NO_BB;
	refused = vm->mm.refused;
	if (rc)
		vm->offline_bytes -= size;
	else
		virtio_mem_table_set(vm, id, VIRTIO_MEM_BB_ADDED);
	mutex_unlock(&vm->hotplug_mutex);
	if (rc)
		return rc;

	online = PFN_PHYS(virtio_mem_mm_online_pages(vm, id, NULL));
	if ((online || refused) && online < size)
		virtio_mem_note(vm, VIRTIO_MEM_CAUSE_NONE,
				"0x%llx-0x%llx: added, but only %llu of %llu MiB came online%s; the rest waits for user space",
				addr, addr + size - 1, (u64)online >> 20,
				size >> 20,
				refused ? ", as onlining was refused" : "");
	return 0;
}

/* Whether the bound and the attempts so far allow one more attempt. */
static bool try_again(struct virtio_mem *vm, unsigned int attempt,
		      const struct virtio_mem_attempt *how, int *rc)
{
	if (virtio_mem_bound_why(&vm->bound)) {
		*rc = -EINTR;
		return false;
	}
	return virtio_mem_choose_again(attempt, how->suspect &&
				       virtio_mem_scan_held(vm, how->suspect));
}

static int take_run(struct virtio_mem *vm, unsigned long pfn, unsigned long nr,
		    const struct virtio_mem_attempt *how)
{
	unsigned int attempt;
	int rc = -EBUSY;

	for (attempt = 0; rc == -EBUSY && try_again(vm, attempt, how, &rc);
	     attempt++) {
		if (attempt && page_zonenum(pfn_to_page(pfn)) != ZONE_MOVABLE)
			virtio_mem_pages_drain_run(pfn, nr);
		rc = virtio_mem_compat_alloc_range(pfn, pfn + nr);
	}
	if (rc)
		return rc;
	virtio_mem_pages_take(pfn, nr);
	bitmap_set(vm->mm.taken, taken_bit(vm, pfn),
		   DIV_ROUND_UP(nr, block_pages()));
	return 0;
}

/* Whether so little is in use that offlining may move the rest. */
static bool is_swept(struct virtio_mem *vm, unsigned long pfn,
		     unsigned long nr)
{
	struct virtio_mem_score score;

	virtio_mem_scan_pages(vm, pfn, pfn + nr, &score);
	return virtio_mem_choose_is_swept(&score);
}

static int sweep_run(struct virtio_mem *vm, unsigned long pfn, unsigned long nr,
		     const struct virtio_mem_attempt *how)
{
	unsigned int attempt;
	int rc = 0;

	for (attempt = 0; !rc && try_again(vm, attempt, how, &rc); attempt++) {
		rc = virtio_mem_pages_sweep(pfn, nr);
		if (!rc && is_swept(vm, pfn, nr))
			break;
	}
	/* Not an error, because the caller looks at what is left. */
	return rc == -EBUSY ? 0 : rc;
}

/*
 * Empties all online pages of the claimed BB, each run of one zone as a whole,
 * because the core then drains the CPUs' batches only once, and moves no page
 * out of the run into another part of it.  A memmap ends a run, because its
 * pages can't be allocated.
 */
static int each_run(struct virtio_mem *vm, const struct virtio_mem_attempt *how,
		    int (*empty)(struct virtio_mem *vm, unsigned long pfn,
				 unsigned long nr,
				 const struct virtio_mem_attempt *how))
{
	unsigned long nr = virtio_mem_bb_pages(vm) / block_pages();
	unsigned long pfn = virtio_mem_bb_pfn(vm, vm->mm.claimed);
	unsigned long i, j, first;
	int rc;

	for (i = 0; i < nr; i = j) {
		struct page *page = pfn_to_online_page(pfn + i * block_pages());
		struct page *next;

		j = i + 1;
		if (!page)
			continue;
		first = virtio_mem_memmap_end(pfn + i * block_pages());
		for (; j < nr && first == pfn + i * block_pages(); j++) {
			next = pfn_to_online_page(pfn + j * block_pages());
			if (!next || page_zone(next) != page_zone(page))
				break;
		}
		rc = empty(vm, first, pfn + j * block_pages() - first, how);
		if (rc)
			return rc;
	}
	return 0;
}

/* Gives back exactly the pages that are still taken. */
static void give_back_pages(struct virtio_mem *vm)
{
	unsigned long nr = virtio_mem_bb_pages(vm) / block_pages();
	unsigned long pfn = virtio_mem_bb_pfn(vm, vm->mm.claimed);
	ktime_t begin = ktime_get();
	unsigned long bit, first;

	if (bitmap_empty(vm->mm.taken, nr))
		return;
	/* Safe, because the claim keeps others away and the core is done. */
	for_each_set_bit(bit, vm->mm.taken, nr) {
		first = virtio_mem_memmap_end(pfn + bit * block_pages());
		virtio_mem_pages_give_back(first, pfn + (bit + 1) * block_pages() -
						  first);
	}
	bitmap_zero(vm->mm.taken, nr);
	count_op(vm, VIRTIO_MEM_OP_GIVE_BACK, vm->mm.claimed, 0, begin);
}

static enum virtio_mem_cause cause_of(int rc, enum virtio_mem_cause why,
				      enum virtio_mem_cause busy)
{
	if (rc == -EINTR && why)
		return why;
	switch (rc) {
	case -ENOMEM:
		return VIRTIO_MEM_CAUSE_NOMEM;
	case -EINTR:
		return VIRTIO_MEM_CAUSE_INTERRUPTED;
	case -EBUSY:
		return busy;
	default:
		return VIRTIO_MEM_CAUSE_VETO;
	}
}

/* @left_ms is what is left of the time that sweeping and taking share. */
static int bounded_empty(struct virtio_mem *vm,
			 const struct virtio_mem_attempt *how,
			 int (*empty)(struct virtio_mem *vm, unsigned long pfn,
				      unsigned long nr,
				      const struct virtio_mem_attempt *how),
			 unsigned int *left_ms, enum virtio_mem_cause *cause)
{
	ktime_t begin = ktime_get();
	enum virtio_mem_cause why;
	int rc;

	*cause = VIRTIO_MEM_CAUSE_INTERRUPTED;
	if (!virtio_mem_bound_begin(&vm->bound, *left_ms))
		return -EINTR;
	rc = each_run(vm, how, empty);
	why = virtio_mem_bound_end(&vm->bound);
	count_op(vm, empty == take_run ? VIRTIO_MEM_OP_TAKE :
					 VIRTIO_MEM_OP_SWEEP,
		 vm->mm.claimed, rc, begin);
	*cause = cause_of(rc, why, VIRTIO_MEM_CAUSE_PINNED);
	*left_ms -= min_t(u64, *left_ms, ktime_ms_delta(ktime_get(), begin));
	return rc;
}

/* Whether Linux still has a memmap for any of the claimed big block. */
static bool still_added(struct virtio_mem *vm)
{
	unsigned long pfn = virtio_mem_bb_pfn(vm, vm->mm.claimed);
	unsigned long end = pfn + virtio_mem_bb_pages(vm);

	for (; pfn < end; pfn += PAGES_PER_SECTION)
		if (pfn_valid(pfn))
			return true;
	return false;
}

static int bounded_offline(struct virtio_mem *vm, unsigned int ms,
			   enum virtio_mem_cause *cause)
{
	unsigned int overdue = virtio_mem_hold_leave(&vm->hold);
	enum virtio_mem_cause why;
	ktime_t begin;
	int rc = -EINTR;

	*cause = VIRTIO_MEM_CAUSE_INTERRUPTED;
	if (overdue)
		dev_warn_ratelimited(&vm->vdev->dev,
				     "debugfs' hold is open %u times for over %u s: memory leaves all the same, and no longer waits for these\n",
				     overdue, VIRTIO_MEM_HOLD_MS / 1000);
	if (!virtio_mem_bound_begin(&vm->bound, ms))
		goto left;
	begin = ktime_get();
	rc = offline_and_remove_memory(virtio_mem_bb_addr(vm, vm->mm.claimed),
				       vm->geo.bb_size);
	/* Since 7.3 it returns 0 although the removal failed. */
	if (!rc && still_added(vm))
		rc = -EBUSY;
	why = virtio_mem_bound_end(&vm->bound);
	count_op(vm, VIRTIO_MEM_OP_OFFLINE, vm->mm.claimed, rc, begin);
	*cause = cause_of(rc, why, VIRTIO_MEM_CAUSE_VETO);
left:
	virtio_mem_hold_left(&vm->hold);
	return rc;
}

static bool claim(struct virtio_mem *vm, unsigned long id)
{
	bool ok;

	mutex_lock(&vm->hotplug_mutex);
	ok = vm->mm.changing != id &&
	     virtio_mem_bbt_state(&vm->bbt, id) == VIRTIO_MEM_BB_ADDED &&
	     !virtio_mem_table_set(vm, id, VIRTIO_MEM_BB_FAKE_OFFLINE);
	if (ok)
		vm->mm.claimed = id;
	mutex_unlock(&vm->hotplug_mutex);
	return ok;
}

static void end_claim(struct virtio_mem *vm, enum virtio_mem_bb_state state)
{
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_table_set(vm, vm->mm.claimed, state);
	if (state == VIRTIO_MEM_BB_PLUGGED)
		vm->offline_bytes -= vm->geo.bb_size;
	vm->mm.claimed = VIRTIO_MEM_NO_BB;
	mutex_unlock(&vm->hotplug_mutex);
}

/**
 * virtio_mem_mm_drain() - bring each CPU's batches of free pages to the lists
 * @vm: the device
 * @id: a big block, ADDED
 * @pfn: a page in it, online, that was free just now
 *
 * The big block is claimed, because the page is taken for a moment and nobody
 * may offline it then.
 *
 * Context: the worker, hotplug_mutex not held; may sleep.
 * Return: 0; -EBUSY if somebody is on- or offlining it, else what
 * virtio_mem_pages_drain() returns.
 */
int virtio_mem_mm_drain(struct virtio_mem *vm, unsigned long id,
			unsigned long pfn)
{
	int rc;

	if (!claim(vm, id))
		return -EBUSY;
	rc = -EBUSY;
	if (virtio_mem_bound_begin(&vm->bound, VIRTIO_MEM_TRY_MAX_MS)) {
		if (pfn_to_online_page(pfn) && PageBuddy(pfn_to_page(pfn)))
			rc = virtio_mem_pages_drain(pfn);
		virtio_mem_bound_end(&vm->bound);
	}
	end_claim(vm, VIRTIO_MEM_BB_ADDED);
	return rc;
}

/*
 * Offlines the claimed big block without taking its pages; 0 if it has left
 * Linux.
 */
static int leave_directly(struct virtio_mem *vm,
			  const struct virtio_mem_attempt *how,
			  struct virtio_mem_times *left, const char **what,
			  enum virtio_mem_cause *cause)
{
	int rc;

	if (how->method == VIRTIO_MEM_METHOD_SWEEP) {
		*what = "moving what is in use";
		rc = bounded_empty(vm, how, sweep_run, &left->empty, cause);
		if (rc)
			return rc;
		/*
		 * Give up here, because offlining would wait for the rest with
		 * all hotplug locks held.
		 */
		if (!is_swept(vm, virtio_mem_bb_pfn(vm, vm->mm.claimed),
			      virtio_mem_bb_pages(vm))) {
			*cause = VIRTIO_MEM_CAUSE_PINNED;
			return -EBUSY;
		}
	}
	*what = "offlining";
	return bounded_offline(vm, left->direct, cause);
}

/*
 * Takes all pages of the claimed big block, then offlines it; 0 if it has left
 * Linux.
 */
static int leave_taken(struct virtio_mem *vm,
		       const struct virtio_mem_attempt *how,
		       struct virtio_mem_times *left, const char **what,
		       enum virtio_mem_cause *cause)
{
	int rc;

	*what = "taking its pages";
	rc = bounded_empty(vm, how, take_run, &left->empty, cause);
	if (rc)
		return rc;
	*what = "offlining";
	return bounded_offline(vm, left->taken, cause);
}

/**
 * virtio_mem_mm_shrink() - take a big block out of Linux
 * @vm: the device
 * @id: the big block, ADDED; PLUGGED on success, else ADDED again
 * @how: how, and for how long
 *
 * Bounded by @how, and by virtio_mem_bound_raise().  A failure leaves all as it
 * was, because the driver gives back the pages it has taken and the core
 * onlines the memory it has offlined.  But the core refuses to online a memory
 * block with a poisoned page, and a notifier can refuse.  The log then says how
 * much stays offline, and that memory counts as offline.  last_error gets a
 * message of the cause that is returned.
 *
 * Context: the worker, hotplug_mutex not held; takes device_hotplug_lock.
 * Return: VIRTIO_MEM_CAUSE_NONE if done, else why not.
 */
enum virtio_mem_cause
virtio_mem_mm_shrink(struct virtio_mem *vm, unsigned long id,
		     const struct virtio_mem_attempt *how)
{
	bool taking = how->method == VIRTIO_MEM_METHOD_TAKE;
	u64 addr = virtio_mem_bb_addr(vm, id);
	enum virtio_mem_cause cause;
	struct virtio_mem_times left;
	unsigned long online;
	const char *what = "";
	int rc = 0;

	if (!claim(vm, id)) {
		virtio_mem_note(vm, VIRTIO_MEM_CAUSE_HOTPLUG,
				"0x%llx-0x%llx: %s; it is tried again",
				addr, addr + vm->geo.bb_size - 1,
				virtio_mem_cause_text(VIRTIO_MEM_CAUSE_HOTPLUG));
		return VIRTIO_MEM_CAUSE_HOTPLUG;
	}
	online = virtio_mem_mm_online_pages(vm, id, NULL);
	virtio_mem_choose_times(how->method, how->ms,
				virtio_mem_bb_pages(vm) / block_pages(), &left);
	if (!taking) {
		rc = leave_directly(vm, how, &left, &what, &cause);
		/* If taking fails, too, its cause replaces this one. */
		taking = rc && virtio_mem_choose_take_after(how->method, cause,
							    left.empty);
	}
	if (taking)
		rc = leave_taken(vm, how, &left, &what, &cause);
	if (!rc) {
		end_claim(vm, VIRTIO_MEM_BB_PLUGGED);
		return VIRTIO_MEM_CAUSE_NONE;
	}
	give_back_pages(vm);
	online -= virtio_mem_mm_online_pages(vm, id, NULL);
	end_claim(vm, VIRTIO_MEM_BB_ADDED);
	/* The core onlines no poisoned block, and none a notifier refuses. */
	if (online)
		dev_warn(&vm->vdev->dev,
			 "0x%llx-0x%llx: not unplugged, but %llu MiB of it stay offline: a poisoned page is in there, or onlining was refused\n",
			 addr, addr + vm->geo.bb_size - 1,
			 (u64)PFN_PHYS(online) >> 20);
	virtio_mem_note(vm, cause,
			"0x%llx-0x%llx: %s failed (%d): %s; it stays, and is tried again",
			addr, addr + vm->geo.bb_size - 1, what, rc,
			virtio_mem_cause_text(cause));
	return cause;
}
