/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device's region in units in which it grows and shrinks: what each is now.
 */
#ifndef _VMEM_BLOCKS_H
#define _VMEM_BLOCKS_H

#include "devices.h"

enum block_state {
	BLOCK_UNUSED,   /* not plugged */
	BLOCK_PLUGGED,  /* plugged, unknown to Linux */
	BLOCK_ADDED,    /* known to Linux, online or not */
	BLOCK_TAKEN,    /* the driver is taking it back just now */
};

struct block {
	uint64_t start, size;
	enum block_state state;
	uint64_t online, movable;  /* bytes: online, and that in ZONE_MOVABLE */
	uint64_t free, stuck;      /* bytes, by page flags; UNKNOWN */
	char *cause;               /* a word, from this project's driver; NULL */
	struct details *details;   /* from details_read(); NULL: not known */
};

struct blocks {
	struct block *b;
	int nr;
};

bool blocks_read(const struct device *dev, struct blocks *out);
void blocks_count_pages(struct blocks *blocks, bool pins);
const char *block_state_name(const struct block *block);
const char *block_zone_name(const struct block *block);
void blocks_free(struct blocks *blocks);

#endif
