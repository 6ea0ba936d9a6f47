// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The virtio-mem guest driver, Big Block Mode with safe unplug: registration,
 * probe, remove, features, configuration changes, power management, module
 * parameters.  No policy.  May call virtio_mem_work and everything below it.
 */
#include <linux/acpi.h>
#include <linux/crash_dump.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "virtio_mem.h"
#include "virtio_mem_compat.h"

bool virtio_mem_safe_unplug = true;
module_param_named(bbm_safe_unplug, virtio_mem_safe_unplug, bool, 0444);
MODULE_PARM_DESC(bbm_safe_unplug,
		 "Move what is in use out of a big block, or take all its pages, before it is offlined (default: Y)");

bool virtio_mem_unplug_online = true;
module_param_named(unplug_online, virtio_mem_unplug_online, bool, 0644);
MODULE_PARM_DESC(unplug_online,
		 "Unplug memory that is online, too; N: offline memory only (default: Y)");

unsigned int virtio_mem_unplug_timeout_ms = VIRTIO_MEM_UNPLUG_TIMEOUT_MS;

/* Below, the core's own waits alone take longer; above, a typing error. */
#define UNPLUG_TIMEOUT_MIN_MS	100
#define UNPLUG_TIMEOUT_MAX_MS	3600000

static int set_unplug_timeout(const char *val, const struct kernel_param *kp)
{
	int rc = param_set_uint_minmax(val, kp, UNPLUG_TIMEOUT_MIN_MS,
				       UNPLUG_TIMEOUT_MAX_MS);

	if (rc)
		pr_err("virtio_mem: unplug_timeout_ms=%.*s refused: not a number from %u to %u\n",
		       (int)strcspn(val, "\n"), val, UNPLUG_TIMEOUT_MIN_MS,
		       UNPLUG_TIMEOUT_MAX_MS);
	return rc;
}

static const struct kernel_param_ops unplug_timeout_ops = {
	.set = set_unplug_timeout,
	.get = param_get_uint,
};

module_param_cb(unplug_timeout_ms, &unplug_timeout_ops,
		&virtio_mem_unplug_timeout_ms, 0644);
__MODULE_PARM_TYPE(unplug_timeout_ms, "uint");
MODULE_PARM_DESC(unplug_timeout_ms,
		 "How long unplugging one big block may take before it is given up, in ms, 100 to 3600000; a quarter of it at most is for offlining, with the locks of memory hotplug held (default: 40000)");

int virtio_mem_unplug_reserve_mib = -1;

static int set_unplug_reserve(const char *val, const struct kernel_param *kp)
{
	int mib, rc = kstrtoint(val, 0, &mib);

	if (rc || mib < -1 || mib > VIRTIO_MEM_RESERVE_LIMIT_MIB) {
		pr_err("virtio_mem: unplug_reserve_mib=%.*s refused: not a number from -1 to %u\n",
		       (int)strcspn(val, "\n"), val,
		       VIRTIO_MEM_RESERVE_LIMIT_MIB);
		return -EINVAL;
	}
	WRITE_ONCE(*(int *)kp->arg, mib);
	return 0;
}

static const struct kernel_param_ops unplug_reserve_ops = {
	.set = set_unplug_reserve,
	.get = param_get_int,
};

module_param_cb(unplug_reserve_mib, &unplug_reserve_ops,
		&virtio_mem_unplug_reserve_mib, 0644);
__MODULE_PARM_TYPE(unplug_reserve_mib, "int");
MODULE_PARM_DESC(unplug_reserve_mib,
		 "What an unplug must leave the guest free, reclaimable or as swap, in MiB, up to 1048576; 0: no matter what it leaves; -1: a 64th of the memory, 32 to 256 MiB (default: -1)");

static unsigned long bbm_block_size;

static int set_block_size(const char *val, const struct kernel_param *kp)
{
	unsigned long long size;
	char *end;

	size = memparse(val, &end);
	if (*end == '\n')
		end++;
	if (end == val || *end) {
		pr_err("virtio_mem: bbm_block_size=%s refused: not a size such as 256M\n",
		       val);
		return -EINVAL;
	}
	if (size && !is_power_of_2(size)) {
		pr_err("virtio_mem: bbm_block_size=%s refused: not a power of two\n",
		       val);
		return -EINVAL;
	}
	*(unsigned long *)kp->arg = size;
	return 0;
}

static const struct kernel_param_ops block_size_ops = {
	.set = set_block_size,
	.get = param_get_ulong,
};

module_param_cb(bbm_block_size, &block_size_ops, &bbm_block_size, 0444);
__MODULE_PARM_TYPE(bbm_block_size, "ulong");
MODULE_PARM_DESC(bbm_block_size,
		 "Size of a big block in bytes, suffixes K, M, G; a power of two, at least the device's block and Linux's memory block (default: 0, the larger of these)");

/* Devices that were removed, but whose workers have not ended. */
static LIST_HEAD(orphans);
static DEFINE_MUTEX(orphans_lock);	/* guards that, and whoever waits */

static void free_device(struct kref *ref)
{
	struct virtio_mem *vm = container_of(ref, struct virtio_mem, ref);

	virtio_mem_vq_free(&vm->vq);
	kvfree(vm->bbt.entry);
	virtio_mem_candidates_reset(&vm->cand);
	kvfree(virtio_mem_candidates_replace(&vm->cand, NULL, 0));
	put_device(&vm->vdev->dev);
	kfree(vm);
}

/**
 * virtio_mem_put() - drop a reference
 * @vm: the device; freed with the last one
 *
 * Context: may sleep.
 */
void virtio_mem_put(struct virtio_mem *vm)
{
	kref_put(&vm->ref, free_device);
}

static void read_raw_config(struct virtio_device *vdev,
			    struct virtio_mem_cfg *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	virtio_cread_le(vdev, struct virtio_mem_config, block_size,
			&cfg->block_size);
	if (virtio_has_feature(vdev, VIRTIO_MEM_F_ACPI_PXM))
		virtio_cread_le(vdev, struct virtio_mem_config, node_id,
				&cfg->node_id);
	virtio_cread_le(vdev, struct virtio_mem_config, addr, &cfg->addr);
	virtio_cread_le(vdev, struct virtio_mem_config, region_size,
			&cfg->region_size);
	virtio_cread_le(vdev, struct virtio_mem_config, usable_region_size,
			&cfg->usable_region_size);
	virtio_cread_le(vdev, struct virtio_mem_config, plugged_size,
			&cfg->plugged_size);
	virtio_cread_le(vdev, struct virtio_mem_config, requested_size,
			&cfg->requested_size);
}

/**
 * virtio_mem_read_config() - read the configuration space again
 * @vm: the device
 *
 * What makes no sense is not taken over: the last configuration that did stays
 * in force, and the message is kept as the last error.
 *
 * Context: process; must not be called once the queue is shut.
 * Return: 0 or -EPROTO.
 */
int virtio_mem_read_config(struct virtio_mem *vm)
{
	struct virtio_mem_cfg now;
	const char *why;

	if (READ_ONCE(vm->vq.gone))
		return -EPROTO;
	read_raw_config(vm->vdev, &now);
	why = virtio_mem_proto_check(&now, PAGE_SIZE);
	if (!why)
		why = virtio_mem_proto_check_update(&vm->cfg, &now);
	if (why) {
		dev_warn_ratelimited(&vm->vdev->dev,
				     "new configuration ignored: %s\n", why);
		virtio_mem_note(vm, "new configuration ignored: %s", why);
		return -EPROTO;
	}
	spin_lock_irq(&vm->cfg_lock);
	vm->cfg = now;
	spin_unlock_irq(&vm->cfg_lock);
	return 0;
}

/**
 * virtio_mem_get_config() - the configuration as read last
 * @vm: the device
 * @cfg: out
 *
 * Context: any process context.
 */
void virtio_mem_get_config(struct virtio_mem *vm, struct virtio_mem_cfg *cfg)
{
	spin_lock_irq(&vm->cfg_lock);
	*cfg = vm->cfg;
	spin_unlock_irq(&vm->cfg_lock);
}

/*
 * The configuration interrupt may not read the configuration.  This does, and
 * ends the worker's long call if the new request has made it needless.
 */
static void config_work(struct work_struct *work)
{
	struct virtio_mem *vm = container_of(work, struct virtio_mem,
					     config_work);
	int rc = virtio_mem_read_config(vm);
	struct virtio_mem_cfg cfg;

	virtio_mem_work_kick(vm, VIRTIO_MEM_EV_CONFIG);
	if (rc)
		return;
	virtio_mem_get_config(vm, &cfg);
	if (virtio_mem_plan_needless(cfg.requested_size, cfg.plugged_size,
				     vm->geo.bb_size))
		virtio_mem_bound_raise(&vm->bound);
}

static void config_changed(struct virtio_device *vdev)
{
	struct virtio_mem *vm = vdev->priv;

	if (vm && vm->task)
		schedule_work(&vm->config_work);
}

static int find_node(struct virtio_device *vdev,
		     const struct virtio_mem_cfg *cfg)
{
	int nid = NUMA_NO_NODE;

#ifdef CONFIG_ACPI_NUMA
	if (virtio_has_feature(vdev, VIRTIO_MEM_F_ACPI_PXM)) {
		nid = pxm_to_node(cfg->node_id);
		if (nid == NUMA_NO_NODE || !node_possible(nid)) {
			dev_warn(&vdev->dev,
				 "node of proximity domain %u does not exist; using the address's\n",
				 cfg->node_id);
			nid = NUMA_NO_NODE;
		}
	}
#endif
	if (nid == NUMA_NO_NODE)
		nid = memory_add_physaddr_to_nid(cfg->addr);
	return node_possible(nid) ? nid : first_online_node;
}

static u64 choose_bb_size(struct virtio_device *vdev,
			  const struct virtio_mem_cfg *cfg)
{
	u64 size = max_t(u64, cfg->block_size, memory_block_size_bytes());
	const char *why;

	if (!bbm_block_size)
		return size;
	why = virtio_mem_proto_check_bb_size(bbm_block_size, cfg->block_size,
					     memory_block_size_bytes());
	if (!why)
		return bbm_block_size;
	dev_warn(&vdev->dev, "bbm_block_size=%lu refused: %s; using %llu MiB\n",
		 bbm_block_size, why, size >> 20);
	return size;
}

static void tell_left_out(struct virtio_mem *vm)
{
	u64 end = vm->geo.base + vm->geo.nr_bbs * vm->geo.bb_size;

	if (vm->region.start < vm->geo.base)
		dev_warn(&vm->vdev->dev,
			 "0x%llx-0x%llx can't be used: not addressable, or no whole big block\n",
			 vm->region.start, vm->geo.base - 1);
	if (vm->region.end >= end)
		dev_warn(&vm->vdev->dev,
			 "0x%llx-0x%llx can't be used: not addressable, or no whole big block\n",
			 end, vm->region.end);
}

/* Reads, checks and lays out; anything wrong is one line in the log. */
static int init_geometry(struct virtio_mem *vm)
{
	struct virtio_device *vdev = vm->vdev;
	struct virtio_mem_cfg *cfg = &vm->cfg;
	struct range can = mhp_get_pluggable_range(true);
	const char *why;
	u64 bb_size;

	read_raw_config(vdev, cfg);
	why = virtio_mem_proto_check(cfg, PAGE_SIZE);
	if (!why) {
		bb_size = choose_bb_size(vdev, cfg);
		why = virtio_mem_proto_check_bb_size(bb_size, cfg->block_size,
						     memory_block_size_bytes());
	}
	if (!why && virtio_mem_proto_geometry(&vm->geo, cfg, bb_size,
					      can.start, can.end))
		why = "no whole big block that Linux can address fits into the region";
	if (why) {
		dev_err(&vdev->dev,
			"device refused: %s (block 0x%llx, region 0x%llx+0x%llx, usable 0x%llx, plugged 0x%llx, requested 0x%llx)\n",
			why, cfg->block_size, cfg->addr, cfg->region_size,
			cfg->usable_region_size, cfg->plugged_size,
			cfg->requested_size);
		return -EINVAL;
	}
	vm->block_size = cfg->block_size;
	vm->region.start = cfg->addr;
	vm->region.end = cfg->addr + cfg->region_size - 1;
	vm->nid = find_node(vdev, cfg);
	dev_info(&vdev->dev,
		 "region 0x%llx-0x%llx on node %d: %lu big blocks of %llu MiB, device block %llu KiB\n",
		 vm->region.start, vm->region.end, vm->nid, vm->geo.nr_bbs,
		 vm->geo.bb_size >> 20, vm->block_size >> 10);
	tell_left_out(vm);
	return 0;
}

#ifdef CONFIG_PM_SLEEP
/*
 * By our books or by the device's: each may know of some that the other lacks.
 * Final only while the worker is at rest and no request is out.
 */
static bool has_memory(struct virtio_mem *vm)
{
	struct virtio_mem_cfg cfg;
	bool any;

	virtio_mem_read_config(vm);
	virtio_mem_get_config(vm, &cfg);
	mutex_lock(&vm->hotplug_mutex);
	any = cfg.plugged_size || vm->foreign ||
	      vm->bbt.count[VIRTIO_MEM_BB_UNUSED] != vm->bbt.nr;
	mutex_unlock(&vm->hotplug_mutex);
	return any;
}

/* Nothing may change from here on, or what is looked at next says nothing. */
static int come_to_rest(struct virtio_mem *vm)
{
	int rc = virtio_mem_work_pause(vm);

	if (virtio_mem_vq_pending(&vm->vq)) {
		dev_err(&vm->vdev->dev,
			"suspend refused: the device has not answered a request\n");
		rc = -EBUSY;
	} else if (rc) {
		dev_err(&vm->vdev->dev,
			"suspend refused: memory hotplug is under way\n");
	}
	return rc;
}

/* The machine will be off: what was plugged is not, under Linux's feet. */
static int check_hibernation(struct virtio_mem *vm)
{
	if (!has_memory(vm))
		return 0;
	dev_err(&vm->vdev->dev,
		"hibernation refused: memory is plugged and would be lost; shrink to 0 first\n");
	return -EPERM;
}

static int check_suspend(struct virtio_mem *vm)
{
	/* Suspend to idle leaves devices and memory powered. */
	if (pm_suspend_target_state == PM_SUSPEND_TO_IDLE)
		return 0;
	/* No state to suspend to: hibernation, and what is like it. */
	if (pm_suspend_target_state == PM_SUSPEND_ON)
		return check_hibernation(vm);
	if (virtio_has_feature(vm->vdev, VIRTIO_MEM_F_PERSISTENT_SUSPEND) ||
	    !has_memory(vm))
		return 0;
	dev_err(&vm->vdev->dev,
		"suspend refused: memory is plugged and the device can't keep it\n");
	return -EPERM;
}

static int pm_notify(struct notifier_block *nb, unsigned long action,
		     void *unused)
{
	struct virtio_mem *vm = container_of(nb, struct virtio_mem, pm_nb);
	int rc = 0;

	switch (action) {
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
	case PM_SUSPEND_PREPARE:
		rc = come_to_rest(vm);
		if (!rc && action != PM_SUSPEND_PREPARE)
			rc = check_hibernation(vm);
		vm->pm_prepared = !rc;
		/* Nobody tells those who refused that it is over. */
		if (rc)
			virtio_mem_work_resume(vm);
		break;
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
	case PM_POST_SUSPEND:
		vm->pm_prepared = false;
		virtio_mem_work_resume(vm);
		break;
	}
	return notifier_from_errno(rc);
}

/* Not everybody asks notifiers first: Xen and kexec's jump do not. */
static int virtio_mem_freeze(struct virtio_device *vdev)
{
	struct virtio_mem *vm = vdev->priv;
	int rc = 0;

	if (vm->task)
		rc = come_to_rest(vm);
	if (!rc)
		rc = check_suspend(vm);
	if (rc) {
		if (vm->task && !vm->pm_prepared)
			virtio_mem_work_resume(vm);
		return rc;
	}
	virtio_mem_vq_shut(&vm->vq);
	cancel_work_sync(&vm->config_work);
	virtio_mem_vq_close(&vm->vq);
	return 0;
}

static int virtio_mem_restore(struct virtio_device *vdev)
{
	struct virtio_mem *vm = vdev->priv;
	int rc = virtio_mem_vq_open(&vm->vq);

	if (rc) {
		dev_err(&vdev->dev,
			"not usable after sleep: no queue (%d); memory stays as it is until the driver is loaded again\n",
			rc);
		virtio_mem_note(vm, "stopped: no queue after sleep (%d)", rc);
		/* The worker is at rest. */
		WRITE_ONCE(vm->broken, true);
	} else {
		virtio_device_ready(vdev);
	}
	virtio_mem_work_kick(vm, VIRTIO_MEM_EV_CONFIG);
	if (vm->task && !vm->pm_prepared)
		virtio_mem_work_resume(vm);
	return rc;
}

static void pm_start(struct virtio_mem *vm)
{
	vm->pm_nb.notifier_call = pm_notify;
	/* First of all: nothing has been frozen yet. */
	vm->pm_nb.priority = INT_MAX;
	register_pm_notifier(&vm->pm_nb);
}

static void pm_stop(struct virtio_mem *vm)
{
	unregister_pm_notifier(&vm->pm_nb);
}
#else
static void pm_start(struct virtio_mem *vm) { }
static void pm_stop(struct virtio_mem *vm) { }
#endif

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
 * which may never happen: so the one that waits is probed from here.
 *
 * Context: the worker; may sleep.
 */
void virtio_mem_orphan_end(struct virtio_mem *vm)
{
	struct device *heir;
	int rc;

	mutex_lock(&orphans_lock);
	list_del(&vm->orphan);
	heir = vm->heir;
	mutex_unlock(&orphans_lock);
	if (!heir)
		return;
	rc = device_attach(heir);
	/* It may have gone as well. */
	if (rc < 0)
		dev_dbg(heir, "not probed again (%d)\n", rc);
	put_device(heir);
}

/* An earlier removal may still be taking the same memory out of Linux. */
static int wait_for_orphan(struct virtio_mem *vm)
{
	struct device *dev = &vm->vdev->dev;
	struct virtio_mem *o;
	int rc = 0;

	mutex_lock(&orphans_lock);
	list_for_each_entry(o, &orphans, orphan) {
		if (o->region.end < vm->region.start ||
		    o->region.start > vm->region.end)
			continue;
		rc = -EPROBE_DEFER;
		/* Whoever binds elsewhere has it probed in vain: say it once. */
		if (o->heir == dev)
			continue;
		dev_info(dev, "an earlier removal is still ending; waiting for that\n");
		put_device(o->heir);
		o->heir = get_device(dev);
	}
	mutex_unlock(&orphans_lock);
	return rc;
}

static struct virtio_mem *alloc_device(struct virtio_device *vdev)
{
	struct virtio_mem *vm = kzalloc(sizeof(*vm), GFP_KERNEL);

	if (!vm)
		return NULL;
	/* The interrupt finds the queue by vdev->priv. */
	static_assert(!offsetof(struct virtio_mem, vq));
	vm->vdev = vdev;
	get_device(&vdev->dev);
	strscpy(vm->name, dev_name(&vdev->dev), sizeof(vm->name));
	kref_init(&vm->ref);
	spin_lock_init(&vm->cfg_lock);
	mutex_init(&vm->hotplug_mutex);
	init_completion(&vm->exited);
	init_waitqueue_head(&vm->wait);
	virtio_mem_bound_init(&vm->bound);
	virtio_mem_held_init(vm);
	virtio_mem_candidates_reset(&vm->cand);
	INIT_WORK(&vm->config_work, config_work);
	vm->told_requested = U64_MAX;
	vdev->priv = vm;
	return vm;
}

/* Memory that is plugged already: in use, or left by somebody who is gone. */
static int take_stock(struct virtio_mem *vm)
{
	if (vm->adopted)
		return virtio_mem_adopt(vm);
	if (vm->cfg.plugged_size) {
		vm->unplug_all = true;
		vm->foreign = vm->cfg.plugged_size;
		dev_info(&vm->vdev->dev,
			 "%llu MiB are plugged that nobody uses: unplugging all first\n",
			 vm->foreign >> 20);
	}
	return 0;
}

static int start_device(struct virtio_mem *vm)
{
	int rc = virtio_mem_mm_init(vm);

	if (rc)
		return rc;
	virtio_device_ready(vm->vdev);
	rc = take_stock(vm);
	if (rc) {
		dev_err(&vm->vdev->dev,
			"device refused: can't find out what is plugged (%d)\n",
			rc);
		goto err_mm;
	}
	virtio_mem_mm_start(vm);
	rc = virtio_mem_work_start(vm);
	if (rc)
		goto err_notifier;
	pm_start(vm);
	virtio_mem_debugfs_add(vm);
	return 0;
err_notifier:
	virtio_mem_mm_stop(vm);
err_mm:
	virtio_mem_mm_exit(vm);
	return rc;
}

static int virtio_mem_probe(struct virtio_device *vdev)
{
	struct virtio_mem *vm;
	int rc;

	vm = alloc_device(vdev);
	if (!vm)
		return -ENOMEM;
	rc = init_geometry(vm);
	if (!rc)
		rc = wait_for_orphan(vm);
	if (rc)
		goto err_put;
	rc = virtio_mem_vq_init(&vm->vq, vdev, &vm->wait);
	if (!rc)
		rc = virtio_mem_vq_open(&vm->vq);
	if (rc)
		goto err_put;
	if (is_kdump_kernel())
		rc = virtio_mem_vmcore_start(vm);
	else
		rc = start_device(vm);
	if (rc)
		goto err_queue;
	return 0;
err_queue:
	virtio_mem_vq_shut(&vm->vq);
	virtio_mem_vq_close(&vm->vq);
err_put:
	vdev->priv = NULL;
	virtio_mem_put(vm);
	return rc;
}

/**
 * virtio_mem_teardown() - let go of everything but the queue
 * @vm: the device; the worker has ended, or is the caller
 *
 * What Linux has of the device's memory stays usable; nothing of ours refers
 * to it any more, and it refers to nothing that is freed.
 *
 * Context: may sleep.
 */
void virtio_mem_teardown(struct virtio_mem *vm)
{
	unsigned long added;

	virtio_mem_mm_stop(vm);
	virtio_mem_held_exit(vm);
	added = virtio_mem_mm_exit(vm);
	if (added)
		pr_warn("virtio_mem %s: %llu MiB stay added and in use; load the driver again to unplug them\n",
			vm->name, (u64)added * vm->geo.bb_size >> 20);
}

/*
 * Who could still come, and why nobody does any more: the worker has ended (or
 * owns vm); config_work is cancelled after vdev->priv's last user, the
 * configuration interrupt, is off (the virtio core disables it before
 * remove()); the queue's interrupt ends with the reset; notifiers are
 * unregistered; sysfs is gone before remove(), debugfs before vm.
 */
static void virtio_mem_remove(struct virtio_device *vdev)
{
	struct virtio_mem *vm = vdev->priv;
	bool ended = true;

	if (is_kdump_kernel()) {
		virtio_mem_vmcore_stop(vm);
	} else {
		virtio_mem_debugfs_del(vm);
		pm_stop(vm);
		ended = virtio_mem_work_stop(vm);
	}
	virtio_mem_vq_shut(&vm->vq);
	cancel_work_sync(&vm->config_work);
	virtio_mem_vq_close(&vm->vq);
	vdev->priv = NULL;
	if (ended && !is_kdump_kernel())
		virtio_mem_teardown(vm);
	virtio_mem_put(vm);
}

static const unsigned int features[] = {
#ifdef CONFIG_ACPI_NUMA
	VIRTIO_MEM_F_ACPI_PXM,
#endif
	VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE,
	VIRTIO_MEM_F_PERSISTENT_SUSPEND,
};

static const struct virtio_device_id ids[] = {
	{ VIRTIO_ID_MEM, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, ids);

static struct virtio_driver virtio_mem_driver = {
	.driver.name = KBUILD_MODNAME,
	.driver.owner = THIS_MODULE,
	.driver.dev_groups = virtio_mem_groups,
	.feature_table = features,
	.feature_table_size = ARRAY_SIZE(features),
	.id_table = ids,
	.probe = virtio_mem_probe,
	.remove = virtio_mem_remove,
	.config_changed = config_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = virtio_mem_freeze,
	.restore = virtio_mem_restore,
#endif
};

static int __init virtio_mem_module_init(void)
{
	int rc;

	virtio_mem_debugfs_init();
	rc = register_virtio_driver(&virtio_mem_driver);
	if (rc)
		virtio_mem_debugfs_exit();
	return rc;
}
module_init(virtio_mem_module_init);

static void __exit virtio_mem_module_exit(void)
{
	unregister_virtio_driver(&virtio_mem_driver);
	virtio_mem_debugfs_exit();
}
module_exit(virtio_mem_module_exit);

MODULE_DESCRIPTION("virtio-mem guest driver, Big Block Mode with safe unplug");
MODULE_VERSION(VIRTIO_MEM_VERSION);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The virtio_mem big block driver maintainers");
