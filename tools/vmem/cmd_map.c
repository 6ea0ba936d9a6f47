// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmem map: the blocks of each device, as a map or as JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "blocks.h"
#include "details.h"
#include "map.h"
#include "options.h"
#include "table.h"

/* Blocks of which the text says more. */
#define ROWS 8

enum {
	DEVICE, START, SIZE, STATE, ZONE, ONLINE, MOVABLE, FREE, STUCK, CAUSE, WAY_PAGE, WAY, TRIES,
	LAST_CAUSE, LAST_MS,
};

static const struct column columns[] = {
	[DEVICE] = { "DEVICE", COLUMN_WORD, false },
	[START] = { "START", COLUMN_ADDRESS, false },
	[SIZE] = { "SIZE", COLUMN_SIZE, false },
	[STATE] = { "STATE", COLUMN_WORD, false },
	[ZONE] = { "ZONE", COLUMN_WORD, false },
	[ONLINE] = { "ONLINE", COLUMN_SIZE, false },
	[MOVABLE] = { "MOVABLE", COLUMN_SIZE, false },
	[FREE] = { "FREE", COLUMN_SIZE, false },
	[STUCK] = { "STUCK", COLUMN_SIZE, false },
	[CAUSE] = { "CAUSE", COLUMN_TEXT, false },
	[WAY_PAGE] = { "WAY_PAGE", COLUMN_ADDRESS, true },
	[WAY] = { "WAY", COLUMN_TEXT, true },
	[TRIES] = { "TRIES", COLUMN_NUMBER, true },
	[LAST_CAUSE] = { "LAST_CAUSE", COLUMN_TEXT, true },
	[LAST_MS] = { "LAST_MS", COLUMN_NUMBER, true },
};

static void add_details(struct table *table, const struct details *d)
{
	if (!d)
		return;
	table_number(table, WAY_PAGE, d->page);
	table_text(table, WAY, *d->way ? d->way : NULL);
	table_number(table, TRIES, d->tries);
	table_text(table, LAST_CAUSE, *d->failed ? d->failed : NULL);
	table_number(table, LAST_MS, d->ms);
}

static bool add_rows(struct table *table, const struct device *dev)
{
	struct blocks blocks;

	if (!blocks_read(dev, &blocks))
		return false;
	blocks_count_pages(&blocks, true);
	details_read(dev, &blocks);
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
		add_details(table, block->details);
	}
	blocks_free(&blocks);
	return true;
}

/* What the driver found in blocks that are to go, and don't. */
static void print_staying(const struct device *dev)
{
	struct blocks blocks;
	int nr = 0;

	if (!device_wants_less(dev) || !blocks_read(dev, &blocks))
		return;
	details_read(dev, &blocks);
	for (int i = 0; i < blocks.nr; i++) {
		const struct block *block = &blocks.b[i];
		char *text;

		if (!details_stays(block) || nr++ >= ROWS)
			continue;
		text = details_text(block->details);
		printf("  %#" PRIx64 ": %s\n", block->start, text);
		free(text);
	}
	if (nr > ROWS)
		printf("  ... and %d more: --json\n", nr - ROWS);
	blocks_free(&blocks);
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
	for (int i = 0; i < devices.nr && good; i++) {
		good = options.json ? add_rows(table, &devices.d[i]) :
		       map_draw(&devices.d[i], colour, MAP_LINES, true);
		if (good && !options.json)
			print_staying(&devices.d[i]);
	}
	if (!good)
		status = fail(geteuid() ? "map: /proc/iomem shows no addresses: only root may see them" :
			      "map: /proc/iomem doesn't show the device's region");
	else if (options.json)
		table_print(table);
	else
		map_legend(colour);
	table_free(table);
	devices_free(&devices);
	return status;
}
