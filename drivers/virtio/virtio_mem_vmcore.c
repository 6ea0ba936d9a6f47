// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tells a kdump kernel which pages of the device's region are safe to read for
 * the dump.  It neither plugs nor unplugs anything, least of all by UNPLUG_ALL,
 * because the dump needs the crashed kernel's memory.
 */
#include <linux/crash_dump.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "virtio_mem_device.h"
#include "virtio_mem_known.h"
#include "virtio_mem_vmcore.h"

#ifdef CONFIG_PROC_VMCORE
struct vmcore {
	struct vmcore_cb cb;
	struct virtio_mem *vm;
	struct mutex mutex;	/* one request at a time; guards @known, too */
	struct virtio_mem_known known;
};

static struct vmcore *to_vmcore(struct vmcore_cb *cb)
{
	return container_of(cb, struct vmcore, cb);
}

/* Asks until @block is known, or the device says nothing of use. */
static void ask(struct vmcore *v, unsigned long block)
{
	struct virtio_mem *vm = v->vm;
	unsigned long first, nr;
	int state;

	if (virtio_mem_vq_pending(&vm->vq) &&
	    virtio_mem_vq_poll(&vm->vq) == VIRTIO_MEM_ANSWER_SILENT)
		return;
	nr = virtio_mem_known_range(&v->known, block, &first);
	for (;;) {
		state = virtio_mem_vq_ask_state(&vm->vq,
						vm->region.start + first * vm->block_size,
						nr);
		switch (state) {
		case VIRTIO_MEM_STATE_PLUGGED:
		case VIRTIO_MEM_STATE_UNPLUGGED:
			virtio_mem_known_keep(&v->known, first, nr,
					      state == VIRTIO_MEM_STATE_PLUGGED);
			return;
		case VIRTIO_MEM_STATE_MIXED:
		case -EPROTO:
			/* An ERROR may be about another block of the range. */
			if (nr > 1)
				break;
			virtio_mem_known_doubt(&v->known, block);
			return;
		default:
			return;
		}
		nr = virtio_mem_known_half(block, &first, nr);
	}
}

/* Pages of unknown state are not read: better a gap than a dead dump. */
static bool pfn_is_ram(struct vmcore_cb *cb, unsigned long pfn)
{
	struct vmcore *v = to_vmcore(cb);
	struct virtio_mem *vm = v->vm;
	u64 addr = PFN_PHYS(pfn);
	unsigned long block;
	bool plugged;

	if (addr < vm->region.start || addr > vm->region.end)
		return true;
	block = div64_u64(addr - vm->region.start, vm->block_size);
	if (block >= v->known.nr)
		return false;
	mutex_lock(&v->mutex);
	if (virtio_mem_known_get(&v->known, block) == VIRTIO_MEM_KNOWN_NOT)
		ask(v, block);
	plugged = virtio_mem_known_get(&v->known, block) ==
		  VIRTIO_MEM_KNOWN_PLUGGED;
	mutex_unlock(&v->mutex);
	return plugged;
}

/**
 * virtio_mem_vmcore_start() - answer for the device's region
 * @vm: the device, its queue open
 *
 * Context: probe in a kdump kernel; may sleep.
 * Return: 0 or -ENOMEM.
 */
int virtio_mem_vmcore_start(struct virtio_mem *vm)
{
	struct vmcore *v = kzalloc(sizeof(*v), GFP_KERNEL);

	if (!v)
		return -ENOMEM;
	v->vm = vm;
	v->known.nr = div64_u64(vm->config.cfg.usable_region_size,
				vm->block_size);
	/* Without it, the driver only asks more often. */
	v->known.map = kvzalloc(virtio_mem_known_bytes(v->known.nr),
				GFP_KERNEL | __GFP_NOWARN);
	v->cb.pfn_is_ram = pfn_is_ram;
	mutex_init(&v->mutex);
	vm->vmcore = v;
	/* Ready first, because the core may ask at once. */
	virtio_device_ready(vm->vdev);
	register_vmcore_cb(&v->cb);
	dev_info(&vm->vdev->dev,
		 "kdump kernel: memory is neither plugged nor unplugged\n");
	return 0;
}

/**
 * virtio_mem_vmcore_stop() - no longer answer for the device's region
 * @vm: the device
 *
 * Context: remove; may sleep.
 */
void virtio_mem_vmcore_stop(struct virtio_mem *vm)
{
	struct vmcore *v = vm->vmcore;

	unregister_vmcore_cb(&v->cb);
	kvfree(v->known.map);
	kfree(v);
	vm->vmcore = NULL;
}
#else
int virtio_mem_vmcore_start(struct virtio_mem *vm)
{
	return -EOPNOTSUPP;
}

void virtio_mem_vmcore_stop(struct virtio_mem *vm)
{
}
#endif
