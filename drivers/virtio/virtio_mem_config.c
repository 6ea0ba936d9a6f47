// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device's configuration space, the configuration that the driver accepted
 * last, and the work that reads it again when the device reports a change.
 */
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "virtio_mem_config.h"
#include "virtio_mem_device.h"
#include "virtio_mem_table.h"

/**
 * virtio_mem_config_raw() - read the configuration space, unchecked
 * @vdev: the device
 * @cfg: out
 *
 * Context: process.
 */
void virtio_mem_config_raw(struct virtio_device *vdev,
			   struct virtio_mem_cfg *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	virtio_cread_le(vdev, struct virtio_mem_config, block_size,
			&cfg->block_size);
	/* virtio calls BUG() if asked for what the driver does not offer. */
	if (IS_ENABLED(CONFIG_ACPI_NUMA) &&
	    virtio_has_feature(vdev, VIRTIO_MEM_F_ACPI_PXM))
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

static int read_and_keep(struct virtio_mem *vm)
{
	struct virtio_mem_cfg now;
	const char *why;

	lockdep_assert_held(&vm->config.reading);
	virtio_mem_config_raw(vm->vdev, &now);
	why = virtio_mem_proto_check(&now, PAGE_SIZE);
	if (!why)
		why = virtio_mem_proto_check_update(&vm->config.cfg, &now);
	if (why) {
		dev_warn_ratelimited(&vm->vdev->dev,
				     "new configuration ignored: %s\n", why);
		virtio_mem_note(vm, VIRTIO_MEM_CAUSE_NONE,
				"new configuration ignored: %s", why);
		return -EPROTO;
	}
	spin_lock_irq(&vm->config.lock);
	vm->config.cfg = now;
	spin_unlock_irq(&vm->config.lock);
	return 0;
}

/**
 * virtio_mem_config_read() - read the configuration space again
 * @vm: the device
 *
 * A configuration that makes no sense is ignored: the last good one stays in
 * force, and a note says why.
 *
 * Context: process; may sleep; must not be called once the queue is shut.
 * Return: 0 or -EPROTO.
 */
int virtio_mem_config_read(struct virtio_mem *vm)
{
	int rc;

	if (READ_ONCE(vm->vq.gone))
		return -EPROTO;
	mutex_lock(&vm->config.reading);
	rc = read_and_keep(vm);
	mutex_unlock(&vm->config.reading);
	return rc;
}

/**
 * virtio_mem_config_get() - copy the configuration in force
 * @vm: the device
 * @cfg: out
 *
 * Context: any process context.
 */
void virtio_mem_config_get(struct virtio_mem *vm, struct virtio_mem_cfg *cfg)
{
	spin_lock_irq(&vm->config.lock);
	*cfg = vm->config.cfg;
	spin_unlock_irq(&vm->config.lock);
}

/*
 * Reads the configuration, because the configuration interrupt may not, and
 * ends the worker's long call if the new request has made it needless.
 */
static void config_work(struct work_struct *work)
{
	struct virtio_mem *vm = container_of(work, struct virtio_mem,
					     config.work);
	int rc = virtio_mem_config_read(vm);
	struct virtio_mem_cfg cfg;

	virtio_mem_kick(vm, VIRTIO_MEM_EV_CONFIG);
	if (rc)
		return;
	virtio_mem_config_get(vm, &cfg);
	if (virtio_mem_plan_needless(cfg.requested_size, cfg.plugged_size,
				     vm->geo.bb_size))
		virtio_mem_bound_raise(&vm->bound);
}

/**
 * virtio_mem_config_init() - set the configuration that the device begins with
 * @vm: the device
 * @cfg: the configuration, checked
 *
 * Context: probe.
 */
void virtio_mem_config_init(struct virtio_mem *vm,
			    const struct virtio_mem_cfg *cfg)
{
	mutex_init(&vm->config.reading);
	spin_lock_init(&vm->config.lock);
	INIT_WORK(&vm->config.work, config_work);
	vm->config.cfg = *cfg;
}

/**
 * virtio_mem_config_changed() - have the changed configuration read again
 * @vm: the device
 *
 * Context: interrupt.
 */
void virtio_mem_config_changed(struct virtio_mem *vm)
{
	schedule_work(&vm->config.work);
}

/**
 * virtio_mem_config_stop() - end the work that reads changes
 * @vm: the device, which reports no more changes
 *
 * Context: may sleep.
 */
void virtio_mem_config_stop(struct virtio_mem *vm)
{
	cancel_work_sync(&vm->config.work);
}
