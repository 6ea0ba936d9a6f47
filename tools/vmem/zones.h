/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/zoneinfo and /proc/meminfo: how much of the guest's memory is for what.
 */
#ifndef _VMEM_ZONES_H
#define _VMEM_ZONES_H

#include <stdbool.h>
#include <stdint.h>

struct zones {
	uint64_t kernel, movable;   /* bytes managed */
	uint64_t kernel_free, kernel_cache;
};

bool zones_read(struct zones *out);
uint64_t memory_info(const char *key);

#endif
