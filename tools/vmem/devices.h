/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's virtio-mem devices, and what either driver tells of them.
 */
#ifndef _VMEM_DEVICES_H
#define _VMEM_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

/* A number that is not known. */
#define UNKNOWN UINT64_MAX

struct device {
	char *name;        /* "virtio0" */
	char *driver;      /* "virtio_mem"; NULL if it has none */
	bool ours;         /* the driver of this project, with its sysfs files */
	uint64_t addr, region_size, usable_size;
	uint64_t device_block, unit;   /* unit: in which the guest grows and shrinks */
	uint64_t requested, plugged;
	char *state;       /* idle, growing, shrinking, waiting, broken, no-driver, unknown */
	char *cause;       /* for people; NULL: nothing is wrong, or nobody says */
	uint64_t since;    /* for how many seconds; UNKNOWN */
};

struct devices {
	struct device *d;
	int nr;
};

int devices_find(struct devices *out);
int devices_refresh(struct devices *devices);
bool device_wants_less(const struct device *dev);
bool device_wants_more(const struct device *dev);
bool devices_memory_leaves(void);
void devices_free(struct devices *devices);

#endif
