// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmem: a line a device.
 */
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "list.h"
#include "options.h"
#include "table.h"

enum {
	DEVICE, DRIVER, REQUESTED, PLUGGED, ONLINE, MOVABLE, FREE, STATE, SINCE, CAUSE,
	ADDR, SIZE, USABLE, DEVICE_BLOCK, BLOCK,
};

static const struct column columns[] = {
	[DEVICE] = { "DEVICE", COLUMN_WORD, false },
	[DRIVER] = { "DRIVER", COLUMN_WORD, true },
	[REQUESTED] = { "REQUESTED", COLUMN_SIZE, false },
	[PLUGGED] = { "PLUGGED", COLUMN_SIZE, false },
	[ONLINE] = { "ONLINE", COLUMN_SIZE, false },
	[MOVABLE] = { "MOVABLE", COLUMN_SIZE, false },
	[FREE] = { "FREE", COLUMN_SIZE, false },
	[STATE] = { "STATE", COLUMN_WORD, false },
	[SINCE] = { "SINCE", COLUMN_SECONDS, false },
	[CAUSE] = { "CAUSE", COLUMN_TEXT, false },
	[ADDR] = { "ADDRESS", COLUMN_ADDRESS, true },
	[SIZE] = { "REGION", COLUMN_SIZE, true },
	[USABLE] = { "USABLE", COLUMN_SIZE, true },
	[DEVICE_BLOCK] = { "DEVICE_BLOCK", COLUMN_SIZE, true },
	[BLOCK] = { "BLOCK", COLUMN_SIZE, true },
};

/* Add up what the blocks say; all unknown if they can't be seen. */
static void sums(const struct device *dev, uint64_t *online, uint64_t *movable, uint64_t *free)
{
	struct blocks blocks;

	*online = *movable = *free = UNKNOWN;
	if (!blocks_read(dev, &blocks))
		return;
	blocks_count_pages(&blocks, false);
	*online = *movable = *free = 0;
	for (int i = 0; i < blocks.nr; i++) {
		const struct block *block = &blocks.b[i];

		*online += block->online;
		*movable += block->movable;
		if (!block->online)
			continue;
		if (block->free == UNKNOWN || *free == UNKNOWN)
			*free = UNKNOWN;
		else
			*free += block->free;
	}
	blocks_free(&blocks);
}

/*
 * list_table() - a table of devices
 * @devices: those of this guest
 * @causes: with their causes, which are sentences
 *
 * Return: the table, to be given back with table_free().
 */
struct table *list_table(const struct devices *devices, bool causes)
{
	struct column shown[sizeof(columns) / sizeof(*columns)];
	struct table *table;

	memcpy(shown, columns, sizeof(columns));
	shown[CAUSE].json_only = !causes;
	table = table_new("devices", shown, sizeof(columns) / sizeof(*columns));

	for (int i = 0; i < devices->nr; i++) {
		const struct device *dev = &devices->d[i];
		uint64_t online, movable, free;

		sums(dev, &online, &movable, &free);
		table_row(table);
		table_text(table, DEVICE, dev->name);
		table_text(table, DRIVER, dev->driver);
		table_number(table, REQUESTED, dev->requested);
		table_number(table, PLUGGED, dev->plugged);
		table_number(table, ONLINE, online);
		table_number(table, MOVABLE, movable);
		table_number(table, FREE, free);
		table_text(table, STATE, dev->state);
		table_number(table, SINCE, dev->since);
		table_text(table, CAUSE, dev->cause);
		table_number(table, ADDR, dev->addr);
		table_number(table, SIZE, dev->region_size);
		table_number(table, USABLE, dev->usable_size);
		table_number(table, DEVICE_BLOCK, dev->device_block);
		table_number(table, BLOCK, dev->unit);
	}
	return table;
}

/* Return: an exit status. */
int cmd_list(void)
{
	struct devices devices;
	struct table *table;
	int status = devices_find(&devices);

	if (status)
		return status;
	table = list_table(&devices, true);
	table_print(table);
	table_free(table);
	devices_free(&devices);
	return STATUS_OK;
}
