// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/zoneinfo and /proc/meminfo: how much of the guest's memory is for what.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"
#include "zones.h"

/* Return: false if it can't be read. */
bool zones_read(struct zones *out)
{
	FILE *file = sys_fopen("/proc/zoneinfo");
	char line[256], zone[32] = "";
	uint64_t pages;

	*out = (struct zones){ 0 };
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		bool movable = !strcmp(zone, "Movable");

		if (sscanf(line, "Node %*u, zone %31s", zone) == 1)
			continue;
		if (sscanf(line, " managed %" SCNu64, &pages) == 1)
			*(movable ? &out->movable : &out->kernel) += pages * PAGE_BYTES;
		else if (sscanf(line, " pages free %" SCNu64, &pages) == 1 && !movable)
			out->kernel_free += pages * PAGE_BYTES;
		else if ((sscanf(line, " nr_zone_active_file %" SCNu64, &pages) == 1 ||
			  sscanf(line, " nr_zone_inactive_file %" SCNu64, &pages) == 1) && !movable)
			out->kernel_cache += pages * PAGE_BYTES;
	}
	fclose(file);
	return true;
}

/* Return: bytes of a line of meminfo, such as "MemTotal:"; 0 if there is none. */
uint64_t memory_info(const char *key)
{
	char *text = sys_read("/proc/meminfo");
	const char *at = text ? strstr(text, key) : NULL;
	uint64_t kib = at ? strtoull(at + strlen(key), NULL, 10) : 0;

	free(text);
	return kib * 1024;
}
