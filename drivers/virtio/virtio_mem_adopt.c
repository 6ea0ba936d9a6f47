// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes over memory that an earlier driver, this one or the kernel's own, has
 * left added.
 *
 * The specification allows a driver to start with STATE requests instead of
 * UNPLUG_ALL while the memory is in use ("Memory Device", device
 * initialisation).  The resources below the region's own tell which memory
 * Linux has.
 */
#include <linux/memory.h>
#include <linux/virtio.h>
#ifdef CONFIG_X86_64
#include <linux/pgtable.h>
#endif

#include "virtio_mem_adopt.h"
#include "virtio_mem_device.h"
#include "virtio_mem_memmap.h"
#include "virtio_mem_table.h"

/* The BBs that Linux has wholly or partly, one bit for each BB. */
struct adoption {
	struct virtio_mem *vm;
	unsigned long *whole;
	unsigned long *partly;
};

static void mark(struct adoption *a, u64 start, u64 end)
{
	struct virtio_mem *vm = a->vm;
	unsigned long id, first, last;
	u64 top = vm->geo.base + vm->geo.nr_bbs * vm->geo.bb_size - 1;

	if (end < vm->geo.base || start > top)
		return;
	first = (max(start, vm->geo.base) - vm->geo.base) / vm->geo.bb_size;
	last = (min(end, top) - vm->geo.base) / vm->geo.bb_size;
	for (id = first; id <= last; id++) {
		u64 addr = virtio_mem_bb_addr(vm, id);

		/* A removal can't span two resources. */
		if (start <= addr && end >= addr + vm->geo.bb_size - 1)
			__set_bit(id, a->whole);
		else
			__set_bit(id, a->partly);
	}
}

static int mark_resource(struct resource *res, void *arg)
{
	mark(arg, res->start, res->end);
	return 0;
}

/*
 * On x86 the kernel crashes when it removes a part of memory that one 1 GiB
 * leaf of the direct map covers (6.1 and 6.12).
 */
static bool leaf_fits(struct virtio_mem *vm, unsigned long id)
{
#ifdef CONFIG_X86_64
	unsigned int level = PG_LEVEL_NONE;
	unsigned long va;

	va = (unsigned long)pfn_to_kaddr(virtio_mem_bb_pfn(vm, id));
	if (vm->geo.bb_size < PUD_SIZE && lookup_address(va, &level) &&
	    level >= PG_LEVEL_1G)
		return false;
#endif
	return true;
}

static void leave_alone(struct virtio_mem *vm, unsigned long id,
			const char *why)
{
	u64 addr = virtio_mem_bb_addr(vm, id);

	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_bbt_quarantine(&vm->bbt, id, VIRTIO_MEM_CAUSE_FOREIGN);
	mutex_unlock(&vm->hotplug_mutex);
	dev_warn(&vm->vdev->dev, "0x%llx-0x%llx: not taken over, left alone: %s\n",
		 addr, addr + vm->geo.bb_size - 1, why);
}

static int adopt_one(struct adoption *a, unsigned long id,
		     unsigned long usable)
{
	struct virtio_mem *vm = a->vm;
	bool added = test_bit(id, a->whole) && !test_bit(id, a->partly);
	int state;

	/* The device has shrunk its usable region, which it must not do. */
	if (id >= usable) {
		if (added || test_bit(id, a->partly))
			leave_alone(vm, id, "outside of the usable region");
		return 0;
	}
	state = virtio_mem_vq_ask_state(&vm->vq, virtio_mem_bb_addr(vm, id),
					vm->geo.bb_size / vm->block_size);
	if (state < 0)
		return state;
	if (!added && !test_bit(id, a->partly)) {
		/* Unknown to Linux: unplugged, or to be unplugged. */
		if (state == VIRTIO_MEM_STATE_PLUGGED)
			virtio_mem_table_set_run(vm, id, 1,
						 VIRTIO_MEM_BB_PLUGGED);
		else if (state == VIRTIO_MEM_STATE_MIXED)
			leave_alone(vm, id, "partly plugged");
		return 0;
	}
	if (state != VIRTIO_MEM_STATE_PLUGGED) {
		leave_alone(vm, id, "added, but not wholly plugged");
	} else if (!added) {
		leave_alone(vm, id, "only a part of it is added");
	} else if (!leaf_fits(vm, id)) {
		leave_alone(vm, id, "added in larger units; needs a larger bbm_block_size");
	} else if (!virtio_mem_memmap_fits(virtio_mem_bb_pfn(vm, id),
					   virtio_mem_bb_pages(vm))) {
		leave_alone(vm, id,
			    "holds its own memmap, and Linux can't remove all of it at once; needs a smaller bbm_block_size");
	} else {
		virtio_mem_table_set_run(vm, id, 1, VIRTIO_MEM_BB_PLUGGED);
		virtio_mem_table_set_run(vm, id, 1, VIRTIO_MEM_BB_ADDED);
	}
	return 0;
}

static unsigned long after_last(const unsigned long *map, unsigned long nr)
{
	unsigned long last = find_last_bit(map, nr);

	return last < nr ? last + 1 : 0;
}

/**
 * virtio_mem_adopt() - take over memory that is still added
 * @vm: the device; its region's resource was adopted
 *
 * Big blocks that are wholly plugged and added become ADDED; those that are
 * plugged but unknown to Linux become PLUGGED.  The driver logs the others and
 * leaves them alone, in quarantine.
 *
 * Context: probe, before the worker and the notifier start; sends requests,
 * may sleep.
 * Return: 0; -ENOMEM; or an error of virtio_mem_vq_ask_state() if the device
 * does not tell a state.
 */
int virtio_mem_adopt(struct virtio_mem *vm)
{
	unsigned long usable = virtio_mem_proto_usable_bbs(&vm->geo, &vm->config.cfg);
	struct adoption a = { .vm = vm };
	unsigned long id, end;
	int rc = -ENOMEM;

	a.whole = bitmap_zalloc(vm->geo.nr_bbs, GFP_KERNEL);
	a.partly = bitmap_zalloc(vm->geo.nr_bbs, GFP_KERNEL);
	if (!a.whole || !a.partly)
		goto out;
	walk_iomem_res_desc(IORES_DESC_NONE,
			    IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
			    vm->region.start, vm->region.end, &a,
			    mark_resource);
	end = max3(usable, after_last(a.whole, vm->geo.nr_bbs),
		   after_last(a.partly, vm->geo.nr_bbs));
	rc = virtio_mem_table_reserve(vm, end);
	for (id = 0; id < end && !rc; id++)
		rc = adopt_one(&a, id, usable);
	if (rc)
		goto out;
	/* All plugged memory outside of adopted big blocks is foreign. */
	vm->foreign = vm->config.cfg.plugged_size -
		      min(vm->config.cfg.plugged_size,
			  (vm->bbt.count[VIRTIO_MEM_BB_ADDED] +
			   vm->bbt.count[VIRTIO_MEM_BB_PLUGGED]) *
			  vm->geo.bb_size);
	dev_info(&vm->vdev->dev,
		 "took over %llu MiB that an earlier driver has left added; %llu MiB are left alone\n",
		 (u64)vm->bbt.count[VIRTIO_MEM_BB_ADDED] * vm->geo.bb_size >> 20,
		 vm->foreign >> 20);
out:
	bitmap_free(a.partly);
	bitmap_free(a.whole);
	return rc;
}
