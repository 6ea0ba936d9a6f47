// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmem check: whether this guest could shrink, and grow, before anybody asks.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocks.h"
#include "iomem.h"
#include "memblocks.h"
#include "options.h"
#include "sys.h"
#include "table.h"
#include "zones.h"

#define MIB (1ULL << 20)
#define MEMORY "/sys/devices/system/memory"

/* A struct page a page: what adding memory takes. */
#define MEMMAP_PER_PAGE 64
/* Less of the memory than that for the kernel, in percent, is little. */
#define KERNEL_PERCENT 25

enum { CHECK, DEVICE, RESULT, TEXT, COMMAND, BYTES };

static const struct column columns[] = {
	[CHECK] = { "CHECK", COLUMN_WORD, false },
	[DEVICE] = { "DEVICE", COLUMN_WORD, true },
	[RESULT] = { "RESULT", COLUMN_WORD, false },
	[TEXT] = { "TEXT", COLUMN_TEXT, false },
	[COMMAND] = { "COMMAND", COLUMN_TEXT, false },
	[BYTES] = { "BYTES", COLUMN_SIZE, true },
};

struct check {
	struct table *table;
	const char *device;
	int worst;
};

/* One line. @status: STATUS_OK, STATUS_WARNING, STATUS_FAILED; @command may be NULL. */
static void say(struct check *check, const char *name, int status, char *text,
		const char *command)
{
	static const char *const results[] = { "ok", "warning", "bad" };

	table_row(check->table);
	table_text(check->table, CHECK, name);
	table_text(check->table, DEVICE, check->device);
	table_text(check->table, RESULT, results[status]);
	table_text(check->table, TEXT, text);
	table_text(check->table, COMMAND, command);
	table_text(check->table, BYTES, NULL);
	free(text);
	if (status > check->worst)
		check->worst = status;
}

/* What sets the policy for good, early enough for what the host asks for at boot. */
static const char *policy_command(void)
{
	/* Its settings stay when the package is removed, its program does not. */
	return sys_exists("/lib/udev/virtio-mem-online") ?
	       "ONLINE=online_movable in /etc/default/virtio-mem-dkms, update-initramfs -u, reboot" :
	       "apt install virtio-mem-dkms, or boot with memhp_default_state=online_movable";
}

static void check_policy(struct check *check)
{
	char *how = sys_read(MEMORY "/auto_online_blocks");
	char *policy = sys_read("/sys/module/memory_hotplug/parameters/online_policy");

	if (!how)
		say(check, "online", STATUS_FAILED, xprintf("this kernel has no memory hotplug"), NULL);
	else if (!strcmp(how, "online_movable"))
		say(check, "online", STATUS_OK, xprintf("added memory becomes movable"), NULL);
	else if (!strcmp(how, "online") && policy && !strcmp(policy, "auto-movable"))
		say(check, "online", STATUS_OK, xprintf("auto-movable: as far as its ratio allows"), NULL);
	else
		say(check, "online", STATUS_WARNING,
		    xprintf("auto_online_blocks is %s, not online_movable: %s", how, !strcmp(how, "offline") ?
			    "added memory waits until somebody onlines it" :
			    "the kernel may use added memory, and it then stays"),
		    policy_command());
	free(how);
	free(policy);
}

static void check_ratio(struct check *check)
{
	char a[SIZE_TEXT], b[SIZE_TEXT];
	struct zones zones;
	uint64_t all;

	if (!zones_read(&zones))
		return;
	all = zones.kernel + zones.movable;
	say(check, "ratio", zones.kernel < all / 100 * KERNEL_PERCENT ? STATUS_WARNING : STATUS_OK,
	    xprintf("the kernel can use %s of %s", size_text(a, zones.kernel), size_text(b, all)),
	    zones.kernel < all / 100 * KERNEL_PERCENT ?
	    "more boot memory, or boot with memhp_default_state=online memory_hotplug.online_policy=auto-movable" : NULL);
}

static void check_kdump(struct check *check)
{
	uint64_t loaded = 0, hotplug = 0;

	sys_number(&loaded, 10, "/sys/kernel/kexec_crash_loaded");
	sys_number(&hotplug, 10, MEMORY "/crash_hotplug");
	if (!loaded)
		say(check, "kdump", STATUS_OK, xprintf("no crash kernel is loaded"), NULL);
	else if (hotplug)
		say(check, "kdump", STATUS_OK, xprintf("the kernel tells the crash kernel of each resize"),
		    NULL);
	else
		say(check, "kdump", STATUS_WARNING,
		    xprintf("the crash kernel doesn't learn of a resize"),
		    "after each resize, or by a udev rule: kdump-config reload");
}

static void check_hibernation(struct check *check)
{
	char *disk = sys_read("/sys/power/disk"), *resume = sys_read("/sys/power/resume");
	bool off = !disk || !strcmp(disk, "[disabled]") || !resume || !strcmp(resume, "0:0");

	say(check, "hibernation", off ? STATUS_OK : STATUS_WARNING,
	    xprintf(off ? "not set up" : "is refused while memory is plugged"),
	    off ? NULL : "noresume at boot, if nobody hibernates this guest");
	free(disk);
	free(resume);
}

/* As this project's driver has it by default; docs/operators.md explains it. */
static uint64_t reserve(uint64_t all)
{
	char *text = sys_read("/sys/module/virtio_mem/parameters/unplug_reserve_mib");
	long mib = text ? atol(text) : -1;
	uint64_t bytes = all / 64;

	free(text);
	if (mib >= 0)
		return mib * MIB;
	return bytes < 32 * MIB ? 32 * MIB : bytes > 256 * MIB ? 256 * MIB : bytes;
}

struct sums {
	uint64_t movable, kernel, stuck, offline;
	int kernel_blocks, stuck_blocks;
	bool unknown;       /* some pages could not be looked at */
};

static void add_up(const struct blocks *blocks, struct sums *sums)
{
	for (int i = 0; i < blocks->nr; i++) {
		const struct block *block = &blocks->b[i];
		bool stuck = block->cause || (block->stuck != UNKNOWN && block->stuck);

		if (block->state == BLOCK_UNUSED || block->state == BLOCK_PLUGGED)
			continue;
		sums->movable += block->movable;
		sums->kernel += block->online - block->movable;
		sums->offline += block->size - block->online;
		sums->kernel_blocks += block->online > block->movable;
		sums->stuck_blocks += stuck;
		sums->unknown |= block->online && block->stuck == UNKNOWN;
		sums->stuck += stuck ? block->size : 0;
	}
}

/* As the driver counts it: no more than could go there, and half where that takes memory. */
static uint64_t swap_worth(void)
{
	uint64_t swap = memory_info("SwapFree:"), anon = memory_info("Active(anon):") +
		memory_info("Inactive(anon):");
	char *vmstat = sys_read("/proc/vmstat"), *zspages = vmstat ? strstr(vmstat, "\nnr_zspages ") : NULL;

	if (swap > anon)
		swap = anon;
	if (zspages && strtoull(zspages + strlen("\nnr_zspages "), NULL, 10))
		swap /= 2;
	free(vmstat);
	return swap;
}

/* How far it could shrink now: what has to stay, and what would not fit. */
static void check_lowest(struct check *check, const struct device *dev, const struct sums *sums)
{
	uint64_t available = memory_info("MemAvailable:"), keep = reserve(memory_info("MemTotal:"));
	uint64_t have = available + swap_worth(), can = have > keep ? have - keep : 0, lowest;
	char a[SIZE_TEXT], b[SIZE_TEXT];

	can = can / dev->unit * dev->unit;
	lowest = dev->plugged > can ? dev->plugged - can : 0;
	if (lowest < sums->stuck)
		lowest = sums->stuck;
	say(check, "lowest", dev->plugged && lowest >= dev->plugged ? STATUS_FAILED : STATUS_OK,
	    xprintf("could shrink to %s now, of %s", size_text(a, lowest), size_text(b, dev->plugged)),
	    lowest ? "vmem why" : NULL);
	table_number(check->table, BYTES, lowest);
}

/* Where memory 0 is missing (arm64), chmem ignores the zone (util-linux 2.38). */
static char *online_command(uint64_t bytes)
{
	if (sys_exists(MEMORY "/memory0/valid_zones"))
		return xprintf("chmem -e %lluM -z Movable", (unsigned long long)(bytes / MIB));
	return xprintf("for f in $(grep -l offline " MEMORY "/memory*/state); do echo online_movable >$f; done");
}

static void check_zones(struct check *check, const struct device *dev)
{
	char a[SIZE_TEXT], b[SIZE_TEXT], *command;
	struct sums sums = { 0 };
	struct blocks blocks;

	if (!blocks_read(dev, &blocks)) {
		say(check, "zones", STATUS_WARNING, xprintf("not known: only root can see addresses"),
		    "sudo vmem check");
		return;
	}
	blocks_count_pages(&blocks, true);
	add_up(&blocks, &sums);
	say(check, "zones", sums.kernel ? STATUS_WARNING : STATUS_OK,
	    xprintf("movable: %s, in the kernel's zones: %s", size_text(a, sums.movable),
		    size_text(b, sums.kernel)),
	    sums.kernel ? "reboot with memhp_default_state=online_movable" : NULL);
	if (sums.unknown)
		say(check, "stuck", STATUS_WARNING,
		    xprintf("not known: pages can't be looked at"), "vmem why");
	else
		say(check, "stuck", sums.stuck_blocks ? STATUS_WARNING : STATUS_OK,
		    xprintf("%d blocks, %s, have pages that can't be moved", sums.stuck_blocks,
			    size_text(a, sums.stuck)), sums.stuck_blocks ? "vmem why" : NULL);
	if (sums.offline) {
		command = online_command(sums.offline);
		say(check, "offline", STATUS_WARNING,
		    xprintf("%s are plugged, but not online", size_text(a, sums.offline)), command);
		free(command);
	}
	/* Who believes a figure that pages don't stand behind shrinks too far. */
	if (dev->plugged != UNKNOWN && !sums.unknown)
		check_lowest(check, dev, &sums);
	blocks_free(&blocks);
}

/* Before 6.8 only what is added by single memory blocks can hold its own memory map. */
static bool block_can_host(const struct device *dev)
{
	char *release = sys_read("/proc/sys/kernel/osrelease");
	int major = 0, minor = 0;
	uint64_t block = 0;

	if (release)
		sscanf(release, "%d.%d", &major, &minor);
	free(release);
	return major > 6 || (major == 6 && minor >= 8) ||
	       (sys_number(&block, 16, MEMORY "/block_size_bytes") && block == dev->unit);
}

/*
 * Whether added memory holds its own memory map. The kernel's own driver has no such
 * parameter, and this one uses it on x86 only.
 */
static bool hosts_memmap(const struct device *dev)
{
	char *core = sys_read("/sys/module/memory_hotplug/parameters/memmap_on_memory");
	char *driver = sys_read("/sys/module/virtio_mem/parameters/memmap_on_memory");
	bool hosts = core && *core != 'N' && driver && *driver == 'Y';

	free(core);
	free(driver);
#ifndef __x86_64__
	hosts = false;
#endif
	return hosts && block_can_host(dev);
}

/* Adding memory takes some, unless the memory map lies in what is added. */
static void check_growth(struct check *check, const struct device *dev)
{
	uint64_t left = dev->region_size - dev->plugged, memmap = left / PAGE_BYTES * MEMMAP_PER_PAGE;
	char a[SIZE_TEXT], b[SIZE_TEXT], c[SIZE_TEXT];
	struct zones zones;
	char *text;
	bool fits;

	if (dev->region_size == UNKNOWN || dev->plugged == UNKNOWN || dev->plugged > dev->region_size ||
	    !zones_read(&zones))
		return;
	if (hosts_memmap(dev)) {
		say(check, "growth", STATUS_OK,
		    xprintf("%s more hold their own memory map", size_text(a, left)), NULL);
		return;
	}
	text = xprintf("%s more need %s for their memory map, the kernel has %s free", size_text(a, left),
		       size_text(b, memmap), size_text(c, zones.kernel_free));
	/* Page cache makes room for it, where there is too little free memory. */
	if (memmap >= zones.kernel_free && zones.kernel_cache)
		text = xappend(text, ", and %s of page cache", size_text(a, zones.kernel_cache));
	fits = memmap < zones.kernel_free + zones.kernel_cache;
	say(check, "growth", fits ? STATUS_OK : STATUS_WARNING, text,
	    fits ? NULL : "at boot: memory_hotplug.memmap_on_memory=1 (not in the kernel's own driver)");
}

/* Return: 0, or 1 with warnings, or 2 if it can't shrink. */
int cmd_check(void)
{
	struct check check = { 0 };
	struct devices devices;
	int status = devices_find(&devices);

	if (status)
		return status;
	check.table = table_new("checks", columns, sizeof(columns) / sizeof(*columns));
	check_policy(&check);
	check_ratio(&check);
	check_kdump(&check);
	check_hibernation(&check);
	for (int i = 0; i < devices.nr; i++) {
		const struct device *dev = &devices.d[i];

		check.device = dev->name;
		say(&check, dev->name, dev->driver ? STATUS_OK : STATUS_FAILED,
		    xprintf(dev->driver ? "driver %s" : "has no driver%s", dev->driver ? dev->driver : ""),
		    dev->driver ? NULL : "modprobe virtio_mem");
		check_zones(&check, dev);
		check_growth(&check, dev);
	}
	table_print(check.table);
	table_free(check.table);
	devices_free(&devices);
	return check.worst;
}
