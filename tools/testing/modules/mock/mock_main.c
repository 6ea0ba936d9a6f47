// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Module parameters; the devices from load to unload.
 *
 * virtio-mem devices in software, inside the kernel whose driver they test.
 * Their memory is real, reserved at boot.  README.md says how to use the
 * module.
 */
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "mock.h"
#include "mock_compat.h"

static ulong addr;
module_param(addr, ulong, 0444);
MODULE_PARM_DESC(addr, "First address of the region, reserved by memmap=");

static char *size;
module_param(size, charp, 0444);
MODULE_PARM_DESC(size, "Size of the region, suffixes K, M, G");

static char *real;
module_param(real, charp, 0444);
MODULE_PARM_DESC(real, "How much of each device's part has memory behind it, from its start, suffixes K, M, G (default: all)");

static char *block_size = "128M";
module_param(block_size, charp, 0444);
MODULE_PARM_DESC(block_size, "The device's block, suffixes K, M, G (default: 128M)");

static char *requested = "0";
module_param(requested, charp, 0444);
MODULE_PARM_DESC(requested, "Requested size from the start (default: 0)");

static int node_id = -1;
module_param(node_id, int, 0444);
MODULE_PARM_DESC(node_id, "ACPI proximity domain; below 0: not told (default)");

static bool inaccessible = true;
module_param(inaccessible, bool, 0444);
MODULE_PARM_DESC(inaccessible, "Offer UNPLUGGED_INACCESSIBLE (default: Y)");

static bool persistent;
module_param(persistent, bool, 0444);
MODULE_PARM_DESC(persistent, "Offer PERSISTENT_SUSPEND (default: N)");

static uint devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "How many devices share the region, 1 to 8 (default: 1)");

static struct mock *mocks[MOCK_MAX_DEVICES];

/* Passes a suspend on, because the virtio bus has no suspend of its own. */
static int mock_suspend(struct device *dev)
{
	struct mock *m = dev_get_drvdata(dev);

	return m ? mock_sleep_freeze(m) : 0;
}

static int mock_resume(struct device *dev)
{
	struct mock *m = dev_get_drvdata(dev);

	return m ? mock_sleep_restore(m) : 0;
}

static int mock_suspend_noirq(struct device *dev)
{
	struct mock *m = dev_get_drvdata(dev);

	if (m)
		mock_sleep_last(m);
	return 0;
}

static const struct dev_pm_ops mock_pm = {
	SYSTEM_SLEEP_PM_OPS(mock_suspend, mock_resume)
	NOIRQ_SYSTEM_SLEEP_PM_OPS(mock_suspend_noirq, NULL)
};

static int mock_probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver mock_driver = {
	.probe = mock_probe,
	.driver = {
		.name = MOCK_NAME,
		.pm = pm_sleep_ptr(&mock_pm),
		/* No unbinding, as the device can't work without its parent. */
		.suppress_bind_attrs = true,
	},
};

static u64 bytes(const char *text)
{
	char *end;
	u64 value;

	if (!text)
		return 0;
	value = memparse(text, &end);
	return *end ? 0 : value;
}

/* Refuses senseless values, because only orders may make them so later. */
static int take_parameters(struct mock *m)
{
	m->size = div_u64(bytes(size), devices);
	m->addr = addr + m->index * m->size;
	m->real = real ? min(bytes(real), m->size) : m->size;
	m->block_size = bytes(block_size);
	m->requested = bytes(requested);
	m->node = node_id < 0 ? 0 : node_id;
	if (!is_power_of_2(m->block_size) || m->block_size < PAGE_SIZE ||
	    !m->size || (m->addr | m->size) & (m->block_size - 1) ||
	    m->requested & (m->block_size - 1) || m->requested > m->size) {
		pr_err(MOCK_NAME ": refused: addr=, requested= and each device's part of size= must be multiples of block_size=, a power of two\n");
		return -EINVAL;
	}
	m->features = BIT_ULL(VIRTIO_F_VERSION_1);
	if (node_id >= 0)
		m->features |= BIT_ULL(VIRTIO_MEM_F_ACPI_PXM);
	if (inaccessible)
		m->features |= BIT_ULL(VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE);
	if (persistent)
		m->features |= BIT_ULL(VIRTIO_MEM_F_PERSISTENT_SUSPEND);
	return 0;
}

static struct mock *create(unsigned int index)
{
	struct mock *m = kvzalloc(sizeof(*m), GFP_KERNEL);
	int rc;

	if (!m)
		return ERR_PTR(-ENOMEM);
	m->index = index;
	mutex_init(&m->register_lock);
	mutex_init(&m->lock);
	spin_lock_init(&m->config_lock);
	init_waitqueue_head(&m->freed);
	init_waitqueue_head(&m->wake);
	mock_sleep_init(m);
	rc = take_parameters(m);
	if (!rc)
		rc = mock_model_init(m);
	if (rc)
		goto err_free;
	rc = mock_ring_start(m);
	if (rc)
		goto err_model;
	return m;
err_model:
	mock_model_exit(m);
err_free:
	kvfree(m);
	return ERR_PTR(rc);
}

static void destroy(struct mock *m)
{
	mock_sleep_exit(m);
	mock_ring_stop(m);
	mock_model_exit(m);
	kvfree(m);
}

/* Removes all of a device that is there. */
static void end(unsigned int index)
{
	struct mock *m = mocks[index];

	mock_transport_remove(m, false);
	mock_transport_wait(m);
	platform_device_unregister(m->pdev);
	destroy(m);
	mocks[index] = NULL;
}

static int begin(unsigned int index)
{
	struct mock *m = create(index);
	int rc;

	if (IS_ERR(m))
		return PTR_ERR(m);
	m->pdev = platform_device_register_simple(MOCK_NAME, index, NULL, 0);
	if (IS_ERR(m->pdev)) {
		rc = PTR_ERR(m->pdev);
		destroy(m);
		return rc;
	}
	platform_set_drvdata(m->pdev, m);
	mocks[index] = m;
	rc = mock_transport_add(m);
	if (rc) {
		end(index);
		return rc;
	}
	mock_debugfs_add(m);
	return 0;
}

static int __init mock_init(void)
{
	unsigned int i;
	int rc;

	if (!devices || devices > MOCK_MAX_DEVICES) {
		pr_err(MOCK_NAME ": refused: devices= must be 1 to %u\n",
		       MOCK_MAX_DEVICES);
		return -EINVAL;
	}
	rc = platform_driver_register(&mock_driver);
	if (rc)
		return rc;
	mock_debugfs_init();
	for (i = 0; i < devices && !rc; i++)
		rc = begin(i);
	if (!rc)
		return 0;
	/* Skips the last one, which has failed to begin. */
	mock_debugfs_exit();
	while (--i)
		end(i - 1);
	platform_driver_unregister(&mock_driver);
	return rc;
}
module_init(mock_init);

static void __exit mock_exit(void)
{
	unsigned int i;

	mock_debugfs_exit();
	for (i = 0; i < devices; i++)
		end(i);
	platform_driver_unregister(&mock_driver);
}
module_exit(mock_exit);

MODULE_DESCRIPTION("virtio-mem devices in software, with faults on order");
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The virtio_mem big block driver maintainers");
