// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmem map: the blocks of each device, as a map or as JSON.
 */
#include "blocks.h"
#include "map.h"
#include "options.h"
#include "table.h"

enum { DEVICE, START, SIZE, STATE, ZONE, ONLINE, MOVABLE, FREE, STUCK, CAUSE };

static const struct column columns[] = {
	[DEVICE] = { "DEVICE", COLUMN_TEXT, false },
	[START] = { "START", COLUMN_ADDRESS, false },
	[SIZE] = { "SIZE", COLUMN_SIZE, false },
	[STATE] = { "STATE", COLUMN_TEXT, false },
	[ZONE] = { "ZONE", COLUMN_TEXT, false },
	[ONLINE] = { "ONLINE", COLUMN_SIZE, false },
	[MOVABLE] = { "MOVABLE", COLUMN_SIZE, false },
	[FREE] = { "FREE", COLUMN_SIZE, false },
	[STUCK] = { "STUCK", COLUMN_SIZE, false },
	[CAUSE] = { "CAUSE", COLUMN_TEXT, false },
};

static bool add_rows(struct table *table, const struct device *dev)
{
	struct blocks blocks;

	if (!blocks_read(dev, &blocks))
		return false;
	blocks_count_pages(&blocks, true);
	for (int i = 0; i < blocks.nr; i++) {
		const struct block *block = &blocks.b[i];

		table_row(table);
		table_text(table, DEVICE, dev->name);
		table_number(table, START, block->start);
		table_number(table, SIZE, block->size);
		table_text(table, STATE, block_state_name(block));
		table_text(table, ZONE, block_zone_name(block));
		table_number(table, ONLINE, block->online);
		table_number(table, MOVABLE, block->movable);
		table_number(table, FREE, block->free);
		table_number(table, STUCK, block->stuck);
		table_text(table, CAUSE, block->cause);
	}
	blocks_free(&blocks);
	return true;
}

/* Return: an exit status. */
int cmd_map(void)
{
	struct table *table;
	struct devices devices;
	bool colour = map_in_colour(), good = true;
	int status = devices_find(&devices);

	if (status)
		return status;
	table = table_new("blocks", columns, sizeof(columns) / sizeof(*columns));
	for (int i = 0; i < devices.nr && good; i++)
		good = options.json ? add_rows(table, &devices.d[i]) :
		       map_draw(&devices.d[i], colour, map_width(), true);
	if (!good)
		status = fail("map: /proc/iomem shows no addresses: only root may see them");
	else if (options.json)
		table_print(table);
	else
		map_legend(colour);
	table_free(table);
	devices_free(&devices);
	return status;
}
