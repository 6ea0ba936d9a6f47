// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orphans are removed devices whose workers have not ended yet, because nothing
 * can cut short their call into the memory hotplug core.  A new device with the
 * same memory waits for them.
 */
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/virtio.h>

#include "virtio_mem_device.h"
#include "virtio_mem_orphan.h"

/**
 * struct heir - a device that waits for an orphan to end
 * @list: entry in the list of heirs
 * @dev: the device
 */
struct heir {
	struct list_head list;
	struct device *dev;
};

static LIST_HEAD(orphans);
static LIST_HEAD(heirs);
static DEFINE_MUTEX(orphans_lock);	/* guards both lists */

/**
 * virtio_mem_orphan_begin() - list a device whose worker goes on without it
 * @vm: the device
 *
 * Context: remove; may sleep.
 */
void virtio_mem_orphan_begin(struct virtio_mem *vm)
{
	mutex_lock(&orphans_lock);
	list_add_tail(&vm->orphan, &orphans);
	mutex_unlock(&orphans_lock);
}

/**
 * virtio_mem_orphan_end() - probe waiting devices once the worker is done
 * @vm: the device, of whose memory the worker has let go
 *
 * All waiting devices are probed from here, because the driver core probes a
 * deferred device only when some driver binds to something, which may never
 * happen.  Devices that also wait for another orphan become heirs again.
 *
 * Context: the worker; may sleep.
 */
void virtio_mem_orphan_end(struct virtio_mem *vm)
{
	struct heir *heir, *next;
	LIST_HEAD(ready);
	int rc;

	mutex_lock(&orphans_lock);
	list_del(&vm->orphan);
	list_splice_init(&heirs, &ready);
	mutex_unlock(&orphans_lock);
	list_for_each_entry_safe(heir, next, &ready, list) {
		rc = device_attach(heir->dev);
		/* The waiting device may have gone as well. */
		if (rc < 0)
			dev_dbg(heir->dev, "not probed again (%d)\n", rc);
		put_device(heir->dev);
		kfree(heir);
	}
}

/*
 * Lists a device once, though the driver core may probe it in vain several
 * times while it waits.
 */
static void add_heir(struct device *dev)
{
	struct heir *heir;

	lockdep_assert_held(&orphans_lock);
	list_for_each_entry(heir, &heirs, list)
		if (heir->dev == dev)
			return;
	dev_info(dev, "an earlier removal is still ending; waiting for that\n");
	/* Without memory for that, it waits like any deferred device. */
	heir = kmalloc(sizeof(*heir), GFP_KERNEL);
	if (!heir)
		return;
	heir->dev = get_device(dev);
	list_add_tail(&heir->list, &heirs);
}

/**
 * virtio_mem_orphan_wait() - defer a device while an earlier removal still ends
 * @vm: the device, whose region is known
 *
 * An orphan may still be taking the same memory out of Linux.
 *
 * Context: probe; may sleep.
 * Return: 0; -EPROBE_DEFER if the device has to wait, and is probed again
 * later.
 */
int virtio_mem_orphan_wait(struct virtio_mem *vm)
{
	struct virtio_mem *o;
	int rc = 0;

	mutex_lock(&orphans_lock);
	list_for_each_entry(o, &orphans, orphan) {
		if (o->region.end < vm->region.start ||
		    o->region.start > vm->region.end)
			continue;
		rc = -EPROBE_DEFER;
	}
	if (rc)
		add_heir(&vm->vdev->dev);
	mutex_unlock(&orphans_lock);
	return rc;
}
