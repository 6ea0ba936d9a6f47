// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tells a kdump kernel which pages of the device's region are safe to read for
 * the dump.  It neither plugs nor unplugs anything, least of all by UNPLUG_ALL,
 * because the dump needs the crashed kernel's memory.
 */
#include <linux/crash_dump.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "virtio_mem_device.h"
#include "virtio_mem_vmcore.h"

#ifdef CONFIG_PROC_VMCORE
/* Caches the answer for one device block, because the core asks in order. */
struct vmcore {
	struct vmcore_cb cb;
	struct virtio_mem *vm;
	struct mutex mutex;	/* one request at a time, and the cache */
	u64 addr;
	bool known;
	bool plugged;
};

static struct vmcore *to_vmcore(struct vmcore_cb *cb)
{
	return container_of(cb, struct vmcore, cb);
}

static bool ask(struct vmcore *v, u64 addr)
{
	if (virtio_mem_vq_pending(&v->vm->vq) &&
	    virtio_mem_vq_poll(&v->vm->vq) == VIRTIO_MEM_ANSWER_SILENT)
		return false;
	return virtio_mem_vq_ask_state(&v->vm->vq, addr, 1) ==
	       VIRTIO_MEM_STATE_PLUGGED;
}

/* Pages of unknown state are not read: better a gap than a dead dump. */
static bool pfn_is_ram(struct vmcore_cb *cb, unsigned long pfn)
{
	struct vmcore *v = to_vmcore(cb);
	struct virtio_mem *vm = v->vm;
	u64 addr = PFN_PHYS(pfn) & ~(vm->block_size - 1);
	bool plugged;

	if (addr < vm->region.start || addr > vm->region.end)
		return true;
	if (addr >= vm->region.start + vm->config.cfg.usable_region_size)
		return false;
	mutex_lock(&v->mutex);
	if (!v->known || v->addr != addr) {
		v->plugged = ask(v, addr);
		v->addr = addr;
		v->known = true;
	}
	plugged = v->plugged;
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
