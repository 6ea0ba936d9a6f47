// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest's virtio-mem devices, and what either driver tells of them.
 *
 * Three sources, the best that can be read first: the driver's own sysfs files
 * (this project's driver only), the device's configuration (root), /proc/iomem.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "devices.h"
#include "iomem.h"
#include "memblocks.h"
#include "options.h"
#include "sys.h"

#define DEVICES "/sys/bus/virtio/devices"
#define VIRTIO_ID_MEM 24
/* Between two looks at a size; a big block takes less when nothing is in its way. */
#define LEAVES_US 500000

static uint64_t attr(const char *device, const char *name)
{
	uint64_t value;

	return sys_number(&value, 10, DEVICES "/%s/virtio_mem/%s", device, name) ? value : UNKNOWN;
}

/*
 * Whether the request is not met and a pass has said why: a state says so only
 * until the next try begins.
 */
static bool has_cause(const struct device *dev)
{
	char *cause;
	bool has;

	if (!dev->state)
		return false;
	if (!strcmp(dev->state, "waiting") || !strcmp(dev->state, "broken"))
		return true;
	/* The last pass's result describes this request, or the one before. */
	if (attr(dev->name, "stats/last_requested") != dev->requested)
		return false;
	cause = sys_read(DEVICES "/%s/virtio_mem/stats/last_cause", dev->name);
	has = cause && strcmp(cause, "-");
	free(cause);
	return has;
}

/* The driver's own files. */
static void ask_driver(struct device *dev)
{
	uint64_t since_ms = attr(dev->name, "stats/last_cause_ms");
	char *error;

	dev->device_block = attr(dev->name, "device_block_size");
	dev->unit = attr(dev->name, "big_block_size");
	dev->requested = attr(dev->name, "requested_size");
	dev->plugged = attr(dev->name, "plugged_size");
	dev->usable_size = attr(dev->name, "usable_region_size");
	dev->state = sys_read(DEVICES "/%s/virtio_mem/state", dev->name);
	error = sys_read(DEVICES "/%s/virtio_mem/last_error", dev->name);
	/* It stays after success: only a request that is not met has a cause. */
	if (error && *error && has_cause(dev)) {
		dev->cause = error;
		dev->since = since_ms == UNKNOWN ? UNKNOWN : since_ms / 1000;
	} else {
		free(error);
	}
}

static void ask_device(struct device *dev)
{
	struct vmem_config config;
	struct range region;

	if (iomem_region(dev->name, &region)) {
		dev->addr = region.start;
		dev->region_size = region.end - region.start;
	}
	if (dev->ours || !config_read(dev->name, &config))
		return;
	dev->addr = config.addr;
	dev->region_size = config.region_size;
	dev->device_block = config.block_size;
	dev->usable_size = config.usable_region_size;
	dev->requested = config.requested_size;
	dev->plugged = config.plugged_size;
}

/* Another driver works in memory blocks at least, or in larger device blocks. */
static void guess(struct device *dev)
{
	struct ranges added;

	if (dev->unit == UNKNOWN) {
		dev->unit = memblock_size();
		if (dev->device_block != UNKNOWN && dev->device_block > dev->unit)
			dev->unit = dev->device_block;
	}
	if (dev->plugged == UNKNOWN && dev->addr != UNKNOWN && iomem_added(&added)) {
		dev->plugged = ranges_inside(&added, dev->addr, dev->addr + dev->region_size);
		free(added.r);
	}
	if (dev->state)
		return;
	if (!dev->driver)
		dev->state = xprintf("no-driver");
	else if (dev->requested == UNKNOWN || dev->plugged == UNKNOWN)
		dev->state = xprintf("unknown");
	else if (dev->requested == dev->plugged)
		dev->state = xprintf("idle");
	else
		dev->state = xprintf(dev->requested > dev->plugged ? "growing" : "shrinking");
}

static void read_one(struct device *dev, const char *name)
{
	char *link = sys_link(DEVICES "/%s/driver", name);
	const char *slash = link ? strrchr(link, '/') : NULL;

	*dev = (struct device){
		.name = xprintf("%s", name), .addr = UNKNOWN, .region_size = UNKNOWN,
		.usable_size = UNKNOWN, .device_block = UNKNOWN, .unit = UNKNOWN,
		.requested = UNKNOWN, .plugged = UNKNOWN, .since = UNKNOWN,
	};
	if (slash)
		dev->driver = xprintf("%s", slash + 1);
	free(link);
	dev->ours = sys_exists(DEVICES "/%s/virtio_mem", name);
	if (dev->ours)
		ask_driver(dev);
	ask_device(dev);
	guess(dev);
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct device *)a)->name, ((const struct device *)b)->name);
}

static void read_all(struct devices *out)
{
	DIR *dir = sys_opendir(DEVICES);
	struct dirent *entry;
	uint64_t id;

	*out = (struct devices){ 0 };
	while (dir && (entry = readdir(dir))) {
		if (!sys_number(&id, 16, DEVICES "/%s/device", entry->d_name) || id != VIRTIO_ID_MEM)
			continue;
		if (options.device && strcmp(options.device, entry->d_name))
			continue;
		out->d = xgrow(out->d, out->nr + 1, sizeof(*out->d));
		read_one(&out->d[out->nr++], entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (out->nr)
		qsort(out->d, out->nr, sizeof(*out->d), by_name);
}

/**
 * devices_find() - look for virtio-mem devices
 * @out: what was found, at least one, to be given back with devices_free()
 *
 * Return: 0, or an exit status after a message.
 */
int devices_find(struct devices *out)
{
	read_all(out);
	if (out->nr)
		return 0;
	if (options.device)
		return fail("%s is no virtio-mem device", options.device);
	return fail("this machine has no virtio-mem device");
}

/* As devices_find(), for devices that were found before. */
int devices_refresh(struct devices *devices)
{
	devices_free(devices);
	return devices_find(devices);
}

/* Return: whether the host wants back what is plugged. */
bool device_wants_less(const struct device *dev)
{
	return dev->requested != UNKNOWN && dev->plugged != UNKNOWN &&
	       dev->requested < dev->plugged && dev->plugged - dev->requested >= dev->unit;
}

static bool device_can_hold(const struct device *dev)
{
	return sys_exists("/sys/kernel/debug/virtio_mem/%s/hold", dev->name);
}

/* Return: whether the host offers more than is plugged. */
bool device_wants_more(const struct device *dev)
{
	return dev->requested != UNKNOWN && dev->plugged != UNKNOWN && dev->requested > dev->plugged;
}

/**
 * devices_memory_leaves() - whether it is unsafe to look at pages
 *
 * The kernel's reads of page flags don't keep the memmap in place, so a read in
 * the middle of a removal can crash it, as was seen. This project's driver keeps
 * memory while its file hold is open. Another driver is safe to look at only
 * while the size does not change.
 *
 * Return: whether a size changes under such a driver.
 */
bool devices_memory_leaves(void)
{
	struct devices before, after;
	bool leaves = false, shrinks = false;

	read_all(&before);
	for (int i = 0; i < before.nr; i++)
		shrinks |= device_wants_less(&before.d[i]) && !device_can_hold(&before.d[i]);
	if (shrinks) {
		usleep(LEAVES_US);
		read_all(&after);
		leaves = before.nr != after.nr;
		for (int i = 0; !leaves && i < before.nr; i++)
			leaves = before.d[i].plugged != after.d[i].plugged &&
				 !device_can_hold(&before.d[i]);
		devices_free(&after);
	}
	devices_free(&before);
	return leaves;
}

/* Give it back. */
void devices_free(struct devices *devices)
{
	for (int i = 0; i < devices->nr; i++) {
		free(devices->d[i].name);
		free(devices->d[i].driver);
		free(devices->d[i].state);
		free(devices->d[i].cause);
	}
	free(devices->d);
	*devices = (struct devices){ 0 };
}
