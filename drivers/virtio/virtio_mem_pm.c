// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Suspend and hibernation: brings the worker to rest, and refuses any sleep
 * that would lose memory.  Built with CONFIG_PM_SLEEP only.
 */
#include <linux/suspend.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "virtio_mem_device.h"
#include "virtio_mem_pm.h"
#include "virtio_mem_table.h"

/*
 * Whether memory is plugged, by the table or by the device, because each may
 * know of some that the other lacks.  The answer is final only while the worker
 * is at rest and no request is out.
 */
static bool has_memory(struct virtio_mem *vm)
{
	struct virtio_mem_cfg cfg;
	bool any;

	virtio_mem_config_read(vm);
	virtio_mem_config_get(vm, &cfg);
	mutex_lock(&vm->hotplug_mutex);
	any = cfg.plugged_size || vm->foreign ||
	      vm->bbt.count[VIRTIO_MEM_BB_UNUSED] != vm->bbt.nr;
	mutex_unlock(&vm->hotplug_mutex);
	return any;
}

/* Stops all changes, because the checks that follow need a stable state. */
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

/* Refuses while memory is plugged, because a machine that is off loses it. */
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
	/* Hibernation and the like have no state to suspend to. */
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
	struct virtio_mem *vm = container_of(nb, struct virtio_mem, pm.nb);
	int rc = 0;

	switch (action) {
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
	case PM_SUSPEND_PREPARE:
		rc = come_to_rest(vm);
		if (!rc && action != PM_SUSPEND_PREPARE)
			rc = check_hibernation(vm);
		vm->pm.prepared = !rc;
		/* Resume now, as a notifier that refused gets no POST call. */
		if (rc)
			virtio_mem_work_resume(vm);
		break;
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
	case PM_POST_SUSPEND:
		vm->pm.prepared = false;
		virtio_mem_work_resume(vm);
		break;
	}
	return notifier_from_errno(rc);
}

/**
 * virtio_mem_pm_freeze() - put the device to sleep
 * @vdev: the device
 *
 * Checks everything again, because Xen and kexec's jump call no notifier
 * before.
 *
 * Context: the virtio core's freeze; may sleep.
 * Return: 0; -EBUSY if the worker did not come to rest or a request is out,
 * -EPERM if memory would be lost.
 */
int virtio_mem_pm_freeze(struct virtio_device *vdev)
{
	struct virtio_mem *vm = vdev->priv;
	int rc = 0;

	if (vm->task)
		rc = come_to_rest(vm);
	if (!rc)
		rc = check_suspend(vm);
	if (rc) {
		if (vm->task && !vm->pm.prepared)
			virtio_mem_work_resume(vm);
		return rc;
	}
	virtio_mem_vq_shut(&vm->vq);
	virtio_mem_config_stop(vm);
	virtio_mem_vq_close(&vm->vq);
	return 0;
}

/**
 * virtio_mem_pm_restore() - wake the device up
 * @vdev: the device
 *
 * Context: the virtio core's restore; may sleep.
 * Return: 0; else an error of virtio_mem_vq_open(), and the device is stopped.
 */
int virtio_mem_pm_restore(struct virtio_device *vdev)
{
	struct virtio_mem *vm = vdev->priv;
	int rc = virtio_mem_vq_open(&vm->vq);

	if (rc) {
		dev_err(&vdev->dev,
			"not usable after sleep: no queue (%d); memory stays as it is until the driver is loaded again\n",
			rc);
		virtio_mem_note(vm, VIRTIO_MEM_CAUSE_NONE,
				"stopped: no queue after sleep (%d)", rc);
		/* No race, because the worker is at rest. */
		WRITE_ONCE(vm->broken, true);
	} else {
		virtio_device_ready(vdev);
	}
	virtio_mem_kick(vm, VIRTIO_MEM_EV_CONFIG);
	if (vm->task && !vm->pm.prepared)
		virtio_mem_work_resume(vm);
	return rc;
}

/**
 * virtio_mem_pm_start() - hear of sleep before the machine falls asleep
 * @vm: the device, whose worker runs
 *
 * Context: probe; may sleep.
 */
void virtio_mem_pm_start(struct virtio_mem *vm)
{
	vm->pm.nb.notifier_call = pm_notify;
	/* First of all notifiers, before anything is frozen. */
	vm->pm.nb.priority = INT_MAX;
	register_pm_notifier(&vm->pm.nb);
}

/**
 * virtio_mem_pm_stop() - no longer hear of sleep
 * @vm: the device
 *
 * Context: remove; may sleep.
 */
void virtio_mem_pm_stop(struct virtio_mem *vm)
{
	unregister_pm_notifier(&vm->pm.nb);
}
