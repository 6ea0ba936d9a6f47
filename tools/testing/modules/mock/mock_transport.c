// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The virtio transport: registers the virtio device and provides its struct
 * virtio_config_ops.  This file knows nothing of requests.
 */
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "mock.h"
#include "mock_compat.h"

/**
 * struct mock_vdev - a virtio device, which may outlive its registration
 * @vdev: the virtio device
 * @mock: the device behind it
 */
struct mock_vdev {
	struct virtio_device vdev;
	struct mock *mock;
};

static struct mock *to_mock(struct virtio_device *vdev)
{
	return container_of(vdev, struct mock_vdev, vdev)->mock;
}

static void mock_get(struct virtio_device *vdev, unsigned int offset,
		     void *buf, unsigned int len)
{
	struct mock *m = to_mock(vdev);
	unsigned long flags;

	memset(buf, READ_ONCE(m->gone) ? 0xff : 0, len);
	if (READ_ONCE(m->gone) || offset >= sizeof(m->shown))
		return;
	len = min_t(size_t, len, sizeof(m->shown) - offset);
	spin_lock_irqsave(&m->config_lock, flags);
	memcpy(buf, (u8 *)&m->shown + offset, len);
	spin_unlock_irqrestore(&m->config_lock, flags);
}

static void mock_set(struct virtio_device *vdev, unsigned int offset,
		     const void *buf, unsigned int len)
{
	struct mock *m = to_mock(vdev);

	mutex_lock(&m->lock);
	mock_record_violation(m, MOCK_V_CONFIG, "%u bytes at offset %u", len,
			      offset);
	mutex_unlock(&m->lock);
}

static u32 mock_generation(struct virtio_device *vdev)
{
	return READ_ONCE(to_mock(vdev)->generation);
}

static u8 mock_get_status(struct virtio_device *vdev)
{
	return READ_ONCE(to_mock(vdev)->status);
}

static void mock_set_status(struct virtio_device *vdev, u8 status)
{
	struct mock *m = to_mock(vdev);

	WRITE_ONCE(m->status, status);
	/* Look for requests that came before DRIVER_OK. */
	mock_ring_kick(m);
}

/* Resets the device; block states and configuration, lies too, survive. */
static void mock_reset(struct virtio_device *vdev)
{
	struct mock *m = to_mock(vdev);

	mutex_lock(&m->lock);
	WRITE_ONCE(m->status, 0);
	mock_ring_reset(m);
	mutex_unlock(&m->lock);
}

static bool mock_notify(struct virtqueue *vq)
{
	mock_ring_kick(to_mock(vq->vdev));
	return true;
}

/**
 * mock_transport_find() - find_vqs() with arguments of any kernel version
 * @vdev: the virtio device
 * @nvqs: how many queues the driver wants; there is one
 * @vqs: out
 * @callback: for answers
 * @name: of the first queue
 *
 * Return: 0; -EINVAL if there is no such queue; -ENOMEM.
 */
int mock_transport_find(struct virtio_device *vdev, unsigned int nvqs,
			struct virtqueue **vqs, vq_callback_t *callback,
			const char *name)
{
	struct mock *m = to_mock(vdev);

	if (nvqs != 1 || !name)
		return -EINVAL;
	vqs[0] = vring_create_virtqueue(0, MOCK_QUEUE_SIZE, PAGE_SIZE, vdev,
					true, false, false, mock_notify,
					callback, name);
	if (!vqs[0])
		return -ENOMEM;
	vqs[0]->num_max = MOCK_QUEUE_SIZE;
	mutex_lock(&m->lock);
	mock_ring_open(m, vqs[0]);
	mutex_unlock(&m->lock);
	return 0;
}

static void mock_del_vqs(struct virtio_device *vdev)
{
	struct mock *m = to_mock(vdev);
	struct virtqueue *vq;

	mutex_lock(&m->lock);
	vq = m->vq;
	/* Buffers that stay attached leak their mappings. */
	if (vq && vq->num_free != vq->num_max)
		mock_record_violation(m, MOCK_V_ATTACHED, "%u descriptors",
				      vq->num_max - vq->num_free);
	mock_ring_open(m, NULL);
	mutex_unlock(&m->lock);
	if (vq)
		vring_del_virtqueue(vq);
}

/* Taking the lock waits for callbacks, because they run with it held. */
static void mock_synchronize_cbs(struct virtio_device *vdev)
{
	struct mock *m = to_mock(vdev);

	mutex_lock(&m->lock);
	mutex_unlock(&m->lock);
}

static u64 mock_get_features(struct virtio_device *vdev)
{
	return to_mock(vdev)->features;
}

static int mock_finalize_features(struct virtio_device *vdev)
{
	vring_transport_features(vdev);
	return __virtio_test_bit(vdev, VIRTIO_F_VERSION_1) ? 0 : -EINVAL;
}

static const char *mock_bus_name(struct virtio_device *vdev)
{
	return "mock";
}

static const struct virtio_config_ops mock_config_ops = {
	.get = mock_get,
	.set = mock_set,
	.generation = mock_generation,
	.get_status = mock_get_status,
	.set_status = mock_set_status,
	.reset = mock_reset,
	.find_vqs = mock_find_vqs,
	.del_vqs = mock_del_vqs,
	.synchronize_cbs = mock_synchronize_cbs,
	.get_features = mock_get_features,
	.finalize_features = mock_finalize_features,
	.bus_name = mock_bus_name,
};

static void release(struct device *dev)
{
	struct mock_vdev *mv = container_of(dev_to_virtio(dev),
					    struct mock_vdev, vdev);
	struct mock *m = mv->mock;

	kfree(mv);
	if (atomic_dec_and_test(&m->live))
		wake_up_all(&m->freed);
}

/**
 * mock_transport_add() - let the device appear
 * @m: the device
 *
 * Context: may sleep; probes the driver if there is one.
 * Return: 0; -EEXIST if it is there; or an error of register_virtio_device().
 */
int mock_transport_add(struct mock *m)
{
	struct mock_vdev *mv;
	int rc = -EEXIST;

	mutex_lock(&m->register_lock);
	if (m->vdev)
		goto out;
	rc = -ENOMEM;
	mv = kzalloc(sizeof(*mv), GFP_KERNEL);
	if (!mv)
		goto out;
	mv->mock = m;
	mv->vdev.dev.parent = &m->pdev->dev;
	mv->vdev.dev.release = release;
	mv->vdev.id.device = VIRTIO_ID_MEM;
	mv->vdev.id.vendor = VIRTIO_DEV_ANY_ID;
	mv->vdev.config = &mock_config_ops;
	atomic_inc(&m->live);
	mutex_lock(&m->lock);
	WRITE_ONCE(m->gone, false);
	m->vdev = &mv->vdev;
	mutex_unlock(&m->lock);
	rc = register_virtio_device(&mv->vdev);
	if (rc) {
		mutex_lock(&m->lock);
		m->vdev = NULL;
		mutex_unlock(&m->lock);
		put_device(&mv->vdev.dev);
	}
out:
	mutex_unlock(&m->register_lock);
	return rc;
}

/**
 * mock_transport_remove() - let the device vanish
 * @m: the device
 * @surprise: it is gone before the driver hears of it
 *
 * Block states survive, so that it can appear again.
 *
 * Context: may sleep; unbinds the driver.
 * Return: 0; -ENODEV if there is none.
 */
int mock_transport_remove(struct mock *m, bool surprise)
{
	struct virtio_device *vdev;
	struct virtqueue *left;

	mutex_lock(&m->register_lock);
	vdev = m->vdev;
	if (!vdev) {
		mutex_unlock(&m->register_lock);
		return -ENODEV;
	}
	get_device(&vdev->dev);
	if (surprise) {
		mutex_lock(&m->lock);
		WRITE_ONCE(m->gone, true);
		m->dead = true;
		virtio_break_device(vdev);
		mutex_unlock(&m->lock);
	}
	unregister_virtio_device(vdev);
	mutex_lock(&m->lock);
	left = m->vq;
	if (left)
		mock_record_violation(m, MOCK_V_LEFT, "%s", left->name);
	mock_ring_open(m, NULL);
	m->vdev = NULL;
	mutex_unlock(&m->lock);
	if (left)
		vring_del_virtqueue(left);
	put_device(&vdev->dev);
	mutex_unlock(&m->register_lock);
	return 0;
}

/**
 * mock_transport_wait() - wait until nobody has a reference any more
 * @m: the device, removed before
 *
 * The module must stay until then, because its code frees the virtio device.
 *
 * Context: may sleep, for as long as a driver keeps its reference.
 */
void mock_transport_wait(struct mock *m)
{
	while (!wait_event_idle_timeout(m->freed, !atomic_read(&m->live),
					10 * HZ))
		pr_warn(MOCK_NAME ": somebody still has a reference to the device\n");
}

/**
 * mock_transport_changed() - raise the configuration change interrupt
 * @m: the device
 *
 * Context: with the lock held.
 */
void mock_transport_changed(struct mock *m)
{
	if (!m->vdev || m->gone ||
	    !(READ_ONCE(m->status) & VIRTIO_CONFIG_S_DRIVER_OK))
		return;
	m->config_interrupts++;
	virtio_config_changed(m->vdev);
}
