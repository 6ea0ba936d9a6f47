// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orphans: devices that were removed, but whose workers have not ended, since a
 * call into the memory hotplug core can't be cut short.  A new device that has
 * the same memory waits for them.
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
 * @list: in the list of those
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
 * virtio_mem_orphan_begin() - the worker goes on without the device
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
 * virtio_mem_orphan_end() - the worker has let go of the memory
 * @vm: the device
 *
 * A deferred device would be probed again when some driver binds to something,
 * which may never happen: so all that wait are probed from here.  Those that
 * wait for another orphan as well do so again.
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
		/* It may have gone as well. */
		if (rc < 0)
			dev_dbg(heir->dev, "not probed again (%d)\n", rc);
		put_device(heir->dev);
		kfree(heir);
	}
}

/* Whoever binds elsewhere has it probed in vain: it waits once. */
static void add_heir(struct device *dev)
{
	struct heir *heir;

	lockdep_assert_held(&orphans_lock);
	list_for_each_entry(heir, &heirs, list)
		if (heir->dev == dev)
			return;
	dev_info(dev, "an earlier removal is still ending; waiting for that\n");
	/* Without memory for that it is as deferred as any other. */
	heir = kmalloc(sizeof(*heir), GFP_KERNEL);
	if (!heir)
		return;
	heir->dev = get_device(dev);
	list_add_tail(&heir->list, &heirs);
}

/**
 * virtio_mem_orphan_wait() - whether an earlier removal still ends
 * @vm: the device, whose region is known
 *
 * An orphan may still be taking the same memory out of Linux.
 *
 * Context: probe; may sleep.
 * Return: 0; -EPROBE_DEFER if so: then the device is probed again.
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
