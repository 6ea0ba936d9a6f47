// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's parameters, each with its check.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/module.h>

#include "virtio_mem_param.h"
#include "virtio_mem_policy.h"

bool virtio_mem_safe_unplug = true;
module_param_named(bbm_safe_unplug, virtio_mem_safe_unplug, bool, 0444);
MODULE_PARM_DESC(bbm_safe_unplug,
		 "Move what is in use out of a big block, or take all its pages, before it is offlined (default: Y)");

bool virtio_mem_unplug_online = true;
module_param_named(unplug_online, virtio_mem_unplug_online, bool, 0644);
MODULE_PARM_DESC(unplug_online,
		 "Unplug memory that is online, too; N: offline memory only (default: Y)");

bool virtio_mem_memmap_on_memory = true;
module_param_named(memmap_on_memory, virtio_mem_memmap_on_memory, bool, 0644);
MODULE_PARM_DESC(memmap_on_memory,
		 "Added memory holds its own memmap, where the kernel supports it and memory_hotplug.memmap_on_memory=1 was set at boot (default: Y)");

unsigned int virtio_mem_unplug_timeout_ms = VIRTIO_MEM_UNPLUG_TIMEOUT_MS;

static int set_unplug_timeout(const char *val, const struct kernel_param *kp)
{
	int rc = param_set_uint_minmax(val, kp,
				       VIRTIO_MEM_UNPLUG_TIMEOUT_MIN_MS,
				       VIRTIO_MEM_UNPLUG_TIMEOUT_MAX_MS);

	if (rc)
		pr_err("virtio_mem: unplug_timeout_ms=%.*s refused: not a number from %u to %u\n",
		       (int)strcspn(val, "\n"), val,
		       VIRTIO_MEM_UNPLUG_TIMEOUT_MIN_MS,
		       VIRTIO_MEM_UNPLUG_TIMEOUT_MAX_MS);
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

unsigned long virtio_mem_bbm_block_size;

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

module_param_cb(bbm_block_size, &block_size_ops, &virtio_mem_bbm_block_size, 0444);
__MODULE_PARM_TYPE(bbm_block_size, "ulong");
MODULE_PARM_DESC(bbm_block_size,
		 "Size of a big block in bytes, suffixes K, M, G; a power of two, at least the device's block and Linux's memory block (default: 0, the larger of these)");
