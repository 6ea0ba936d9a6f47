// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The virtio-mem guest driver, Big Block Mode with safe unplug: registration,
 * probe, remove, features.  This file holds no policy.
 */
#include <linux/acpi.h>
#include <linux/cc_platform.h>
#include <linux/crash_dump.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "virtio_mem_adopt.h"
#include "virtio_mem_compat.h"
#include "virtio_mem_device.h"
#include "virtio_mem_orphan.h"
#include "virtio_mem_view.h"
#include "virtio_mem_vmcore.h"

static void config_changed(struct virtio_device *vdev)
{
	struct virtio_mem *vm = vdev->priv;

	if (vm && vm->task)
		virtio_mem_config_changed(vm);
}

static void answered(struct virtqueue *vq)
{
	struct virtio_mem *vm = vq->vdev->priv;

	virtio_mem_vq_ring(&vm->vq);
}

static int find_node(struct virtio_device *vdev,
		     const struct virtio_mem_cfg *cfg)
{
	int nid = NUMA_NO_NODE;

#ifdef CONFIG_ACPI_NUMA
	/* With a devicetree the device still tells a domain, which means nothing. */
	if (!acpi_disabled && virtio_has_feature(vdev, VIRTIO_MEM_F_ACPI_PXM)) {
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

	if (!virtio_mem_bbm_block_size)
		return size;
	why = virtio_mem_proto_check_bb_size(virtio_mem_bbm_block_size, cfg->block_size,
					     memory_block_size_bytes());
	if (!why)
		return virtio_mem_bbm_block_size;
	dev_warn(&vdev->dev, "bbm_block_size=%lu refused: %s; using %llu MiB\n",
		 virtio_mem_bbm_block_size, why, size >> 20);
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

/*
 * Reads and checks the configuration and lays out big blocks; logs one line if
 * anything is wrong.
 */
static int init_geometry(struct virtio_mem *vm)
{
	struct virtio_device *vdev = vm->vdev;
	struct virtio_mem_cfg cfg;
	struct range can = mhp_get_pluggable_range(true);
	const char *why;
	u64 bb_size;

	virtio_mem_config_raw(vdev, &cfg);
	why = virtio_mem_proto_check(&cfg, PAGE_SIZE);
	if (!why) {
		bb_size = choose_bb_size(vdev, &cfg);
		why = virtio_mem_proto_check_bb_size(bb_size, cfg.block_size,
						     memory_block_size_bytes());
	}
	if (!why && virtio_mem_proto_geometry(&vm->geo, &cfg, bb_size,
					      can.start, can.end))
		why = "no whole big block that Linux can address fits into the region";
	if (why) {
		dev_err(&vdev->dev,
			"device refused: %s (block 0x%llx, region 0x%llx+0x%llx, usable 0x%llx, plugged 0x%llx, requested 0x%llx)\n",
			why, cfg.block_size, cfg.addr, cfg.region_size,
			cfg.usable_region_size, cfg.plugged_size,
			cfg.requested_size);
		return -EINVAL;
	}
	virtio_mem_config_init(vm, &cfg);
	vm->block_size = cfg.block_size;
	vm->region.start = cfg.addr;
	vm->region.end = cfg.addr + cfg.region_size - 1;
	vm->nid = find_node(vdev, &cfg);
	dev_info(&vdev->dev,
		 "region 0x%llx-0x%llx on node %d: %lu big blocks of %llu MiB, device block %llu KiB\n",
		 vm->region.start, vm->region.end, vm->nid, vm->geo.nr_bbs,
		 vm->geo.bb_size >> 20, vm->block_size >> 10);
	tell_left_out(vm);
	return 0;
}

/*
 * Whether this guest's memory is encrypted (TDX, SEV, CCA).  Linux does not accept
 * hot-added memory there (up to 7.3), and touching it may kill the guest.  arm64
 * says so by the first attribute alone, Hyper-V by the last.  Not inlined, because
 * a test makes it say otherwise.
 */
static noinline bool virtio_mem_encrypted(void)
{
	return (cc_platform_has(CC_ATTR_MEM_ENCRYPT) &&
		!cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT)) ||
	       cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
}

/*
 * Takes over plugged memory that Linux uses; plans to unplug memory that an
 * earlier guest left plugged.
 */
static int take_stock(struct virtio_mem *vm)
{
	if (vm->adopted)
		return virtio_mem_adopt(vm);
	if (vm->config.cfg.plugged_size) {
		vm->unplug_all = true;
		vm->foreign = vm->config.cfg.plugged_size;
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
	virtio_mem_held_init(vm);
	virtio_device_ready(vm->vdev);
	rc = take_stock(vm);
	if (rc) {
		dev_err(&vm->vdev->dev,
			"device refused: can't find out what is plugged (%d)\n",
			rc);
		goto err_mm;
	}
	virtio_mem_mm_start(vm);
	virtio_mem_sysfs_add(vm);
	rc = virtio_mem_work_start(vm);
	if (rc)
		goto err_view;
	virtio_mem_pm_start(vm);
	virtio_mem_debugfs_add(vm);
	return 0;
err_view:
	virtio_mem_sysfs_del(vm);
	virtio_mem_mm_stop(vm);
err_mm:
	virtio_mem_mm_exit(vm);
	return rc;
}

static int virtio_mem_probe(struct virtio_device *vdev)
{
	struct virtio_mem *vm;
	int rc;

	if (virtio_mem_encrypted()) {
		dev_err(&vdev->dev,
			"device refused: this guest's memory is encrypted, and Linux can't use added memory there\n");
		return -EOPNOTSUPP;
	}
	vm = virtio_mem_alloc(vdev);
	if (!vm)
		return -ENOMEM;
	vdev->priv = vm;
	rc = init_geometry(vm);
	if (!rc)
		rc = virtio_mem_orphan_wait(vm);
	if (rc)
		goto err_put;
	rc = virtio_mem_vq_init(&vm->vq, vdev, &vm->wait, answered,
				&vm->stats);
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

/*
 * Nobody uses vm after this function.  The worker has ended, or owns vm.  The
 * configuration interrupt, the last user of vdev->priv, is off because the
 * virtio core disables it before remove(), and config_work is cancelled after
 * that.  The reset ends the queue's interrupt.  The notifiers are unregistered.
 * sysfs and debugfs go before vm.
 */
static void virtio_mem_remove(struct virtio_device *vdev)
{
	struct virtio_mem *vm = vdev->priv;
	bool ended = true;

	if (is_kdump_kernel()) {
		virtio_mem_vmcore_stop(vm);
	} else {
		virtio_mem_pm_stop(vm);
		ended = virtio_mem_work_stop(vm);
		/* Only now, because the worker notified readers until it ended. */
		virtio_mem_sysfs_del(vm);
	}
	virtio_mem_vq_shut(&vm->vq);
	virtio_mem_config_stop(vm);
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
	.feature_table = features,
	.feature_table_size = ARRAY_SIZE(features),
	.id_table = ids,
	.probe = virtio_mem_probe,
	.remove = virtio_mem_remove,
	.config_changed = config_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = virtio_mem_pm_freeze,
	.restore = virtio_mem_pm_restore,
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
