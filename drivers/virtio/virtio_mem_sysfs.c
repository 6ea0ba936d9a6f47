// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sysfs group virtio_mem/ of the virtio device: sizes, state, counts,
 * last error.  Read-only views; docs/ABI/sysfs-virtio-mem describes them.
 *
 * The group exists only between probe and remove, so that the device is there.
 * Nothing here waits for the worker: a removal may hold device_hotplug_lock.
 */
#include <linux/device.h>
#include <linux/sysfs.h>
#include <linux/virtio.h>

#include "virtio_mem_device.h"
#include "virtio_mem_view.h"

static struct virtio_mem *to_vm(struct device *dev)
{
	return dev_to_virtio(dev)->priv;
}

/**
 * virtio_mem_activity_name() - what a device is doing, as users read it
 * @activity: what
 *
 * Return: a constant string.
 */
const char *virtio_mem_activity_name(enum virtio_mem_activity activity)
{
	static const char *const names[] = {
		[VIRTIO_MEM_IDLE] = "idle",
		[VIRTIO_MEM_GROWING] = "growing",
		[VIRTIO_MEM_SHRINKING] = "shrinking",
		[VIRTIO_MEM_WAITING] = "waiting",
		[VIRTIO_MEM_BROKEN] = "broken",
	};

	return activity <= VIRTIO_MEM_BROKEN ? names[activity] : "?";
}

static ssize_t device_block_size_show(struct device *dev,
				      struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", to_vm(dev)->block_size);
}
static DEVICE_ATTR_RO(device_block_size);

static ssize_t big_block_size_show(struct device *dev,
				   struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", to_vm(dev)->geo.bb_size);
}
static DEVICE_ATTR_RO(big_block_size);

static ssize_t requested_size_show(struct device *dev,
				   struct device_attribute *attr, char *buf)
{
	struct virtio_mem_cfg cfg;

	virtio_mem_config_get(to_vm(dev), &cfg);
	return sysfs_emit(buf, "%llu\n", cfg.requested_size);
}
static DEVICE_ATTR_RO(requested_size);

static ssize_t usable_region_size_show(struct device *dev,
				       struct device_attribute *attr, char *buf)
{
	struct virtio_mem_cfg cfg;

	virtio_mem_config_get(to_vm(dev), &cfg);
	return sysfs_emit(buf, "%llu\n", cfg.usable_region_size);
}
static DEVICE_ATTR_RO(usable_region_size);

static ssize_t plugged_size_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	struct virtio_mem_situation in = { };
	struct virtio_mem *vm = to_vm(dev);
	u64 plugged;

	in.bb_size = vm->geo.bb_size;
	mutex_lock(&vm->hotplug_mutex);
	in.foreign = vm->foreign;
	plugged = virtio_mem_plan_plugged(&in, &vm->bbt);
	mutex_unlock(&vm->hotplug_mutex);
	return sysfs_emit(buf, "%llu\n", plugged);
}
static DEVICE_ATTR_RO(plugged_size);

static ssize_t state_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	struct virtio_mem *vm = to_vm(dev);

	return sysfs_emit(buf, "%s\n",
			  virtio_mem_activity_name(READ_ONCE(vm->activity)));
}
static DEVICE_ATTR_RO(state);

static ssize_t show_count(struct device *dev, char *buf,
			  enum virtio_mem_bb_state state)
{
	struct virtio_mem *vm = to_vm(dev);
	unsigned long nr;

	mutex_lock(&vm->hotplug_mutex);
	nr = vm->bbt.count[state];
	/* Those that the table does not know yet are UNUSED. */
	if (state == VIRTIO_MEM_BB_UNUSED)
		nr += vm->geo.nr_bbs - vm->bbt.nr;
	mutex_unlock(&vm->hotplug_mutex);
	return sysfs_emit(buf, "%lu\n", nr);
}

static ssize_t blocks_unused_show(struct device *dev,
				  struct device_attribute *attr, char *buf)
{
	return show_count(dev, buf, VIRTIO_MEM_BB_UNUSED);
}
static DEVICE_ATTR_RO(blocks_unused);

static ssize_t blocks_plugged_show(struct device *dev,
				   struct device_attribute *attr, char *buf)
{
	return show_count(dev, buf, VIRTIO_MEM_BB_PLUGGED);
}
static DEVICE_ATTR_RO(blocks_plugged);

static ssize_t blocks_added_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	return show_count(dev, buf, VIRTIO_MEM_BB_ADDED);
}
static DEVICE_ATTR_RO(blocks_added);

static ssize_t blocks_fake_offline_show(struct device *dev,
					struct device_attribute *attr,
					char *buf)
{
	return show_count(dev, buf, VIRTIO_MEM_BB_FAKE_OFFLINE);
}
static DEVICE_ATTR_RO(blocks_fake_offline);

static ssize_t last_error_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	struct virtio_mem *vm = to_vm(dev);
	ssize_t len;

	mutex_lock(&vm->hotplug_mutex);
	len = sysfs_emit(buf, "%s\n", vm->last_error);
	mutex_unlock(&vm->hotplug_mutex);
	return len;
}
static DEVICE_ATTR_RO(last_error);

static struct attribute *attrs[] = {
	&dev_attr_device_block_size.attr,
	&dev_attr_big_block_size.attr,
	&dev_attr_requested_size.attr,
	&dev_attr_plugged_size.attr,
	&dev_attr_usable_region_size.attr,
	&dev_attr_state.attr,
	&dev_attr_blocks_unused.attr,
	&dev_attr_blocks_plugged.attr,
	&dev_attr_blocks_added.attr,
	&dev_attr_blocks_fake_offline.attr,
	&dev_attr_last_error.attr,
	NULL,
};

static const struct attribute_group group = {
	.name = "virtio_mem",
	.attrs = attrs,
};

const struct attribute_group *virtio_mem_groups[] = {
	&group,
	NULL,
};
