/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this project's driver found in a block, and how its tries went.
 */
#ifndef _VMEM_DETAILS_H
#define _VMEM_DETAILS_H

#include <stdbool.h>
#include <stdint.h>

struct block;
struct blocks;
struct device;
struct json_object;

struct details {
	uint64_t page;       /* address of the first page in the way; UNKNOWN: none */
	char way[32];        /* why it is: a word of the driver's; "" */
	uint64_t tries;      /* that failed */
	char failed[32];     /* why the last one did; "" */
	uint64_t ms;         /* how long ago it did; UNKNOWN */
};

void details_read(const struct device *dev, struct blocks *blocks);
bool details_stays(const struct block *block);
char *details_text(const struct details *details);
void details_json(struct json_object *to, const struct details *details);

#endif
