// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/iomem: where devices have their regions, and what they added to Linux.
 */
#include <inttypes.h>
#include <string.h>

#include "iomem.h"
#include "sys.h"

/* Both drivers' name for memory that they add; kexec-tools knows it, too. */
#define ADDED_NAME "System RAM (virtio_mem)"

/* Return: whether a line could be parsed, and was not blanked for non-root. */
static bool parse(char *line, struct range *range, char **name)
{
	int at = 0;

	if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %n", &range->start, &range->end, &at) != 2 ||
	    !at || !range->end)
		return false;
	range->end++;
	*name = line + at;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* Append a range. */
void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end)
{
	ranges->r = xgrow(ranges->r, ranges->nr + 1, sizeof(*ranges->r));
	ranges->r[ranges->nr].start = start;
	ranges->r[ranges->nr++].end = end;
}

/* Return: whether addresses can be seen; *out has what virtio-mem drivers added. */
bool iomem_added(struct ranges *out)
{
	FILE *file = sys_fopen("/proc/iomem");
	struct range range;
	char line[256], *name;
	bool seen = false;

	*out = (struct ranges){ 0 };
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (!parse(line, &range, &name))
			continue;
		seen = true;
		if (!strcmp(name, ADDED_NAME))
			ranges_add(out, range.start, range.end);
	}
	fclose(file);
	return seen;
}

/* Return: whether there is a region of that name, then in *out. */
bool iomem_region(const char *name, struct range *out)
{
	FILE *file = sys_fopen("/proc/iomem");
	char line[256], *have;
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = parse(line, out, &have) && !strcmp(have, name);
	fclose(file);
	return found;
}

/* Return: bytes of [start, end) that the ranges cover; they don't overlap. */
uint64_t ranges_inside(const struct ranges *ranges, uint64_t start, uint64_t end)
{
	uint64_t sum = 0;

	for (int i = 0; i < ranges->nr; i++) {
		uint64_t low = ranges->r[i].start > start ? ranges->r[i].start : start;
		uint64_t high = ranges->r[i].end < end ? ranges->r[i].end : end;

		if (low < high)
			sum += high - low;
	}
	return sum;
}
