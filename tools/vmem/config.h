/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sizes that a virtio-mem device itself tells, whichever driver it has.
 */
#ifndef _VMEM_CONFIG_H
#define _VMEM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

/* As the virtio specification lays it out. */
struct vmem_config {
	uint64_t block_size;
	uint16_t node_id;
	uint8_t padding[6];
	uint64_t addr;
	uint64_t region_size;
	uint64_t usable_region_size;
	uint64_t plugged_size;
	uint64_t requested_size;
};

bool config_read(const char *virtio_name, struct vmem_config *out);

#endif
