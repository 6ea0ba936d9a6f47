// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The directory virtio_mem/ of the virtio device in sysfs: sizes, state,
 * counts, last error, statistics.  All files are read-only;
 * docs/ABI/sysfs-virtio-mem describes them.
 *
 * The device is there in every function, because the directory exists only
 * between probe and remove.  Nothing here waits for the worker, because a
 * removal may hold device_hotplug_lock.
 */
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/virtio.h>

#include "virtio_mem_device.h"
#include "virtio_mem_view.h"

/* The directory.  vm outlives its use, because nobody reads a deleted one. */
struct view {
	struct kobject kobj;
	struct virtio_mem *vm;
};

static struct virtio_mem *to_vm(struct kobject *kobj)
{
	return container_of(kobj, struct view, kobj)->vm;
}

/**
 * virtio_mem_activity_name() - name of what a device is doing, for users
 * @activity: what the device is doing
 *
 * Context: any.
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

static ssize_t device_block_size_show(struct kobject *kobj,
				      struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", to_vm(kobj)->block_size);
}

static struct kobj_attribute device_block_size_attr = __ATTR_RO(device_block_size);

static ssize_t big_block_size_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", to_vm(kobj)->geo.bb_size);
}

static struct kobj_attribute big_block_size_attr = __ATTR_RO(big_block_size);

static ssize_t requested_size_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	struct virtio_mem_cfg cfg;

	virtio_mem_config_get(to_vm(kobj), &cfg);
	return sysfs_emit(buf, "%llu\n", cfg.requested_size);
}

static struct kobj_attribute requested_size_attr = __ATTR_RO(requested_size);

static ssize_t usable_region_size_show(struct kobject *kobj,
				       struct kobj_attribute *attr, char *buf)
{
	struct virtio_mem_cfg cfg;

	virtio_mem_config_get(to_vm(kobj), &cfg);
	return sysfs_emit(buf, "%llu\n", cfg.usable_region_size);
}

static struct kobj_attribute usable_region_size_attr = __ATTR_RO(usable_region_size);

static ssize_t plugged_size_show(struct kobject *kobj,
				 struct kobj_attribute *attr, char *buf)
{
	struct virtio_mem_situation in = { };
	struct virtio_mem *vm = to_vm(kobj);
	u64 plugged;

	in.bb_size = vm->geo.bb_size;
	mutex_lock(&vm->hotplug_mutex);
	in.foreign = vm->foreign;
	plugged = virtio_mem_plan_plugged(&in, &vm->bbt);
	mutex_unlock(&vm->hotplug_mutex);
	return sysfs_emit(buf, "%llu\n", plugged);
}

static struct kobj_attribute plugged_size_attr = __ATTR_RO(plugged_size);

static ssize_t state_show(struct kobject *kobj,
			  struct kobj_attribute *attr, char *buf)
{
	struct virtio_mem *vm = to_vm(kobj);

	return sysfs_emit(buf, "%s\n",
			  virtio_mem_activity_name(READ_ONCE(vm->activity)));
}

static struct kobj_attribute state_attr = __ATTR_RO(state);

static ssize_t show_count(struct kobject *kobj, char *buf,
			  enum virtio_mem_bb_state state)
{
	struct virtio_mem *vm = to_vm(kobj);
	unsigned long nr;

	mutex_lock(&vm->hotplug_mutex);
	nr = vm->bbt.count[state];
	/* Big blocks beyond the end of the table are UNUSED. */
	if (state == VIRTIO_MEM_BB_UNUSED)
		nr += vm->geo.nr_bbs - vm->bbt.nr;
	mutex_unlock(&vm->hotplug_mutex);
	return sysfs_emit(buf, "%lu\n", nr);
}

static ssize_t blocks_unused_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	return show_count(kobj, buf, VIRTIO_MEM_BB_UNUSED);
}

static struct kobj_attribute blocks_unused_attr = __ATTR_RO(blocks_unused);

static ssize_t blocks_plugged_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return show_count(kobj, buf, VIRTIO_MEM_BB_PLUGGED);
}

static struct kobj_attribute blocks_plugged_attr = __ATTR_RO(blocks_plugged);

static ssize_t blocks_added_show(struct kobject *kobj,
				 struct kobj_attribute *attr, char *buf)
{
	return show_count(kobj, buf, VIRTIO_MEM_BB_ADDED);
}

static struct kobj_attribute blocks_added_attr = __ATTR_RO(blocks_added);

static ssize_t blocks_fake_offline_show(struct kobject *kobj,
					struct kobj_attribute *attr, char *buf)
{
	return show_count(kobj, buf, VIRTIO_MEM_BB_FAKE_OFFLINE);
}

static struct kobj_attribute blocks_fake_offline_attr = __ATTR_RO(blocks_fake_offline);

static ssize_t last_error_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	struct virtio_mem *vm = to_vm(kobj);
	ssize_t len;

	mutex_lock(&vm->hotplug_mutex);
	len = sysfs_emit(buf, "%s\n", vm->notes.shown);
	mutex_unlock(&vm->hotplug_mutex);
	return len;
}

static struct kobj_attribute last_error_attr = __ATTR_RO(last_error);

static struct attribute *attrs[] = {
	&device_block_size_attr.attr,
	&big_block_size_attr.attr,
	&requested_size_attr.attr,
	&plugged_size_attr.attr,
	&usable_region_size_attr.attr,
	&state_attr.attr,
	&blocks_unused_attr.attr,
	&blocks_plugged_attr.attr,
	&blocks_added_attr.attr,
	&blocks_fake_offline_attr.attr,
	&last_error_attr.attr,
	NULL,
};

static const struct attribute_group group = {
	.attrs = attrs,
};

/*
 * Statistics.
 */

/**
 * struct number - an attribute that is one number of struct virtio_mem_stats
 * @attr: the attribute
 * @offset: offset of the number in struct virtio_mem_stats
 */
struct number {
	struct kobj_attribute attr;
	size_t offset;
};

static ssize_t number_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	const struct number *n = container_of(attr, struct number, attr);
	const u64 *at = (void *)&to_vm(kobj)->stats + n->offset;

	return sysfs_emit(buf, "%llu\n", READ_ONCE(*at));
}

#define NUMBER(_name, _member) {					\
	.attr = __ATTR(_name, 0444, number_show, NULL),			\
	.offset = offsetof(struct virtio_mem_stats, _member),		\
}

#define NUMBERS(_name, _op)						\
	static struct number _name##_numbers[] = {			\
		NUMBER(_name##_ok, op[VIRTIO_MEM_OP_##_op].ok),		\
		NUMBER(_name##_failed, op[VIRTIO_MEM_OP_##_op].failed),	\
		NUMBER(_name##_us, op[VIRTIO_MEM_OP_##_op].us),		\
	}

NUMBERS(plug, PLUG);
NUMBERS(unplug, UNPLUG);
NUMBERS(unplug_all, UNPLUG_ALL);
NUMBERS(state, STATE);
NUMBERS(add, ADD);
NUMBERS(sweep, SWEEP);
NUMBERS(take, TAKE);
NUMBERS(offline, OFFLINE);
NUMBERS(give_back, GIVE_BACK);

static struct number other_numbers[] = {
	NUMBER(moved_pages, moved_pages),
	NUMBER(last_requested, last.requested),
	NUMBER(last_plugged, last.plugged),
	NUMBER(last_ms, last.ms),
};

static ssize_t last_cause_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	enum virtio_mem_cause cause = READ_ONCE(to_vm(kobj)->stats.last.cause);

	return sysfs_emit(buf, "%s\n", virtio_mem_cause_token(cause));
}

static struct kobj_attribute last_cause_attr = __ATTR_RO(last_cause);

static ssize_t last_cause_ms_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	const struct virtio_mem_stats *stats = &to_vm(kobj)->stats;

	/* Read before the time, because a later change would seem ages old. */
	u64 since = READ_ONCE(stats->cause_since_ms);

	return sysfs_emit(buf, "%llu\n", ktime_to_ms(ktime_get()) - since);
}

static struct kobj_attribute last_cause_ms_attr = __ATTR_RO(last_cause_ms);

static struct attribute *stats_attrs[] = {
	&plug_numbers[0].attr.attr,
	&plug_numbers[1].attr.attr,
	&plug_numbers[2].attr.attr,
	&unplug_numbers[0].attr.attr,
	&unplug_numbers[1].attr.attr,
	&unplug_numbers[2].attr.attr,
	&unplug_all_numbers[0].attr.attr,
	&unplug_all_numbers[1].attr.attr,
	&unplug_all_numbers[2].attr.attr,
	&state_numbers[0].attr.attr,
	&state_numbers[1].attr.attr,
	&state_numbers[2].attr.attr,
	&add_numbers[0].attr.attr,
	&add_numbers[1].attr.attr,
	&add_numbers[2].attr.attr,
	&sweep_numbers[0].attr.attr,
	&sweep_numbers[1].attr.attr,
	&sweep_numbers[2].attr.attr,
	&take_numbers[0].attr.attr,
	&take_numbers[1].attr.attr,
	&take_numbers[2].attr.attr,
	&offline_numbers[0].attr.attr,
	&offline_numbers[1].attr.attr,
	&offline_numbers[2].attr.attr,
	&give_back_numbers[0].attr.attr,
	&give_back_numbers[1].attr.attr,
	&give_back_numbers[2].attr.attr,
	&other_numbers[0].attr.attr,
	&other_numbers[1].attr.attr,
	&other_numbers[2].attr.attr,
	&other_numbers[3].attr.attr,
	&last_cause_attr.attr,
	&last_cause_ms_attr.attr,
	NULL,
};

static const struct attribute_group stats_group = {
	.name = "stats",
	.attrs = stats_attrs,
};

static const struct attribute_group *groups[] = {
	&group,
	&stats_group,
	NULL,
};

static void release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct view, kobj));
}

static const struct kobj_type type = {
	.release = release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = groups,
};

/**
 * virtio_mem_sysfs_add() - make the device's directory
 * @vm: the device
 *
 * The device works without the directory if there is no memory for it.
 *
 * Context: probe; may sleep.
 */
void virtio_mem_sysfs_add(struct virtio_mem *vm)
{
	struct view *view = kzalloc(sizeof(*view), GFP_KERNEL);
	int rc = -ENOMEM;

	if (view) {
		view->vm = vm;
		rc = kobject_init_and_add(&view->kobj, &type,
					  &vm->vdev->dev.kobj, "virtio_mem");
	}
	if (!rc) {
		vm->view = &view->kobj;
		return;
	}
	if (view)
		kobject_put(&view->kobj);
	dev_warn(&vm->vdev->dev, "no directory in sysfs (%d)\n", rc);
}

/**
 * virtio_mem_sysfs_del() - remove the directory and wait for its readers
 * @vm: the device, whose worker has ended or is about to
 *
 * Context: remove; may sleep.
 */
void virtio_mem_sysfs_del(struct virtio_mem *vm)
{
	kobject_del(vm->view);
	kobject_put(vm->view);
	vm->view = NULL;
}

/**
 * virtio_mem_sysfs_notify() - wake those that poll the state
 * @vm: the device, which is not being removed
 *
 * Context: the worker; may sleep.
 */
void virtio_mem_sysfs_notify(struct virtio_mem *vm)
{
	if (vm->view)
		sysfs_notify(vm->view, NULL, "state");
}
