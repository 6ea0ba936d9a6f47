/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/iomem: where devices have their regions, and what they added to Linux.
 */
#ifndef _VMEM_IOMEM_H
#define _VMEM_IOMEM_H

#include <stdbool.h>
#include <stdint.h>

struct range {
	uint64_t start, end;  /* bytes; end exclusive */
};

struct ranges {
	struct range *r;
	int nr;
};

bool iomem_added(struct ranges *out);
bool iomem_region(const char *name, struct range *out);
uint64_t ranges_inside(const struct ranges *ranges, uint64_t start, uint64_t end);
void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end);

#endif
