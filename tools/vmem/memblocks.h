/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux's memory blocks: which are there, online, and in which zone.
 */
#ifndef _VMEM_MEMBLOCKS_H
#define _VMEM_MEMBLOCKS_H

#include <stdbool.h>
#include <stdint.h>

enum memblock_state {
	MEMBLOCK_ABSENT,
	MEMBLOCK_OFFLINE,
	MEMBLOCK_KERNEL,   /* online in a zone for everything */
	MEMBLOCK_MOVABLE,  /* online in ZONE_MOVABLE */
};

uint64_t memblock_size(void);
enum memblock_state memblock_state(uint64_t addr);

#endif
