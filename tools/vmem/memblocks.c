// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Linux's memory blocks: which are there, online, and in which zone.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memblocks.h"
#include "sys.h"

#define MEMORY "/sys/devices/system/memory"

/* Return: bytes; 0 without memory hotplug. */
uint64_t memblock_size(void)
{
	static uint64_t size;

	if (!size && !sys_number(&size, 16, MEMORY "/block_size_bytes"))
		size = 0;
	return size;
}

/* Return: the state of the memory block that an address lies in. */
enum memblock_state memblock_state(uint64_t addr)
{
	uint64_t size = memblock_size(), nr = size ? addr / size : 0;
	char *state = size ? sys_read(MEMORY "/memory%" PRIu64 "/state", nr) : NULL;
	enum memblock_state is = MEMBLOCK_OFFLINE;
	char *zones;

	if (!state)
		return MEMBLOCK_ABSENT;
	/* "going-offline" is still online. */
	if (strcmp(state, "offline")) {
		zones = sys_read(MEMORY "/memory%" PRIu64 "/valid_zones", nr);
		is = zones && !strcmp(zones, "Movable") ? MEMBLOCK_MOVABLE : MEMBLOCK_KERNEL;
		free(zones);
	}
	free(state);
	return is;
}
