// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sleep: does the device's part of suspend and hibernation, tells the driver,
 * and decides whether plugged memory survives.  May call virtio_mem_mock's
 * model and record.
 */
#include <linux/suspend.h>
#include <linux/virtio_config.h>

#include "mock.h"
#include "mock_compat.h"

static void wake(struct work_struct *work)
{
	pm_system_wakeup();
}

/**
 * mock_sleep_init() - begin awake, with nothing that ends a sleep
 * @m: the device
 */
void mock_sleep_init(struct mock *m)
{
	m->wake_ms = -1;
	INIT_DELAYED_WORK(&m->wake_work, wake);
}

/**
 * mock_sleep_exit() - end no sleep any more
 * @m: the device
 */
void mock_sleep_exit(struct mock *m)
{
	cancel_delayed_work_sync(&m->wake_work);
}

#ifdef CONFIG_PM_SLEEP
/*
 * Whether the device keeps plugged memory.  Suspend to idle cuts no power;
 * memory survives a deeper suspend if the feature was negotiated; a machine
 * that is off, as in hibernation, has lost it.
 */
static bool keeps(const struct mock *m)
{
	switch (pm_suspend_target_state) {
	case PM_SUSPEND_TO_IDLE:
		return true;
	case PM_SUSPEND_ON:
		return false;
	default:
		return virtio_has_feature(m->vdev,
					  VIRTIO_MEM_F_PERSISTENT_SUSPEND);
	}
}

/*
 * Nothing wakes a guest that hibernates: it has no sleep to end, and a wake-up
 * while it writes its image makes the hibernation fail with -EBUSY.
 */
static bool woken_after_freeze(void)
{
	return pm_suspend_target_state != PM_SUSPEND_TO_IDLE &&
	       pm_suspend_target_state != PM_SUSPEND_ON;
}

static void fall_asleep(struct mock *m)
{
	if (m->plugged && !keeps(m)) {
		mock_record_violation(m, MOCK_V_ASLEEP, "0x%llx bytes plugged",
				      m->plugged);
		/* Linux keeps its memory, as the guest must live to tell. */
		mock_model_system_reset(m);
	}
	/* A wake-up before all sleep would make the suspend fail. */
	if (m->wake_ms >= 0 && woken_after_freeze())
		schedule_delayed_work(&m->wake_work,
				      msecs_to_jiffies(m->wake_ms));
}

/**
 * mock_sleep_last() - all devices are asleep
 * @m: the device
 *
 * Context: suspend_noirq; a deeper suspend than to idle has been ended by now.
 */
void mock_sleep_last(struct mock *m)
{
	if (m->wake_ms >= 0 && pm_suspend_target_state == PM_SUSPEND_TO_IDLE)
		schedule_delayed_work(&m->wake_work,
				      msecs_to_jiffies(m->wake_ms));
}

/**
 * mock_sleep_freeze() - put the device to sleep
 * @m: the device
 *
 * Context: may sleep; no order is under way, or with register_lock.
 * Return: 0 or the driver's error if it refuses.
 */
int mock_sleep_freeze(struct mock *m)
{
	int rc;

	if (!m->vdev)
		return 0;
	rc = virtio_device_freeze(m->vdev);
	mutex_lock(&m->lock);
	if (rc)
		m->refused++;
	else
		m->frozen++;
	if (!rc)
		fall_asleep(m);
	mutex_unlock(&m->lock);
	return rc;
}

/**
 * mock_sleep_restore() - wake the device up
 * @m: the device
 *
 * Context: as mock_sleep_freeze().
 * Return: 0 or the driver's error if it can't go on.
 */
int mock_sleep_restore(struct mock *m)
{
	int rc;

	if (!m->vdev)
		return 0;
	rc = virtio_device_restore(m->vdev);
	mutex_lock(&m->lock);
	m->restored++;
	mutex_unlock(&m->lock);
	return rc;
}
#else
void mock_sleep_last(struct mock *m) { }
int mock_sleep_freeze(struct mock *m) { return -EOPNOTSUPP; }
int mock_sleep_restore(struct mock *m) { return -EOPNOTSUPP; }
#endif
