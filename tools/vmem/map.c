// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device's blocks as a map, a character a block or more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "blocks.h"
#include "map.h"
#include "options.h"
#include "sys.h"

#define DEFAULT_WIDTH 80
#define MARGIN 20

/* The worse comes later: of several blocks in a character the worst is shown. */
enum cell {
	CELL_UNUSED, CELL_FREE, CELL_LITTLE, CELL_MUCH, CELL_KERNEL, CELL_OFFLINE, CELL_PLUGGED,
	CELL_TAKEN, CELL_STUCK, CELL_NR,
};

static const struct {
	char mark;
	const char *colour, *name;
} cells[CELL_NR] = {
	[CELL_UNUSED] = { '.', "\033[90m", "unused" },
	[CELL_FREE] = { '-', "\033[36m", "movable, all free" },
	[CELL_LITTLE] = { 'm', "\033[32m", "movable, in use" },
	[CELL_MUCH] = { 'M', "\033[32;1m", "movable, more than half in use" },
	[CELL_KERNEL] = { 'K', "\033[33m", "kernel's zone" },
	[CELL_OFFLINE] = { 'o', "\033[34m", "added, offline" },
	[CELL_PLUGGED] = { '+', "\033[34;1m", "plugged, not added" },
	[CELL_TAKEN] = { '~', "\033[35m", "being taken back" },
	[CELL_STUCK] = { 'X', "\033[31;1m", "stays: a cause is known, or pages can't be moved" },
};

static enum cell cell_of(const struct block *block)
{
	uint64_t used;

	switch (block->state) {
	case BLOCK_UNUSED:
		return CELL_UNUSED;
	case BLOCK_PLUGGED:
		return CELL_PLUGGED;
	case BLOCK_TAKEN:
		return CELL_TAKEN;
	default:
		break;
	}
	if (block->cause || (block->stuck != UNKNOWN && block->stuck))
		return CELL_STUCK;
	if (!block->online)
		return CELL_OFFLINE;
	if (block->movable < block->online)
		return CELL_KERNEL;
	if (block->free == UNKNOWN)
		return CELL_LITTLE;
	used = block->online - block->free;
	return !used ? CELL_FREE : used > block->online / 2 ? CELL_MUCH : CELL_LITTLE;
}

/* Return: whether standard output can be drawn on again and again. */
bool map_on_screen(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");
}

/* Return: whether standard output shows colours. */
bool map_in_colour(void)
{
	return map_on_screen() && !getenv("NO_COLOR");
}

/* Return: columns that standard output has. */
int map_width(void)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col > MARGIN ? size.ws_col : MARGIN + 1;
	return DEFAULT_WIDTH;
}

/**
 * map_lines() - how long a map may be for all to be seen at once
 * @maps: how many there are
 * @beside: lines for other things
 *
 * Return: lines, MAP_LINES at most.
 */
int map_lines(int maps, int beside)
{
	struct winsize size;
	int lines;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		return MAP_LINES;
	lines = (size.ws_row - beside) / maps;
	return lines < 1 ? 1 : lines > MAP_LINES ? MAP_LINES : lines;
}

static void mark(enum cell cell, bool colour)
{
	if (colour)
		printf("%s%c\033[0m", cells[cell].colour, cells[cell].mark);
	else
		putchar(cells[cell].mark);
}

/* Print what the characters mean. */
void map_legend(bool colour)
{
	int room = map_width(), at = 0;

	for (int i = 0; i < CELL_NR; i++) {
		int width = strlen(cells[i].name) + 4;

		if (at && (i % 3 == 0 || at + width > room)) {
			printf("\n");
			at = 0;
		}
		printf("  ");
		mark(i, colour);
		printf(" %s", cells[i].name);
		at += width;
	}
	printf("\n");
}

/**
 * map_draw() - print a device's map
 * @dev: the device
 * @colour: with colours
 * @lines: not more, unless --wide
 * @pins: mark blocks with pinned pages, too
 *
 * Return: false if blocks can't be seen.
 */
bool map_draw(const struct device *dev, bool colour, int lines, bool pins)
{
	int per_line = map_width() - MARGIN, per_cell = 1, nr;
	struct blocks blocks;
	char buf[SIZE_TEXT];

	if (!blocks_read(dev, &blocks))
		return false;
	blocks_count_pages(&blocks, pins);
	/* A power of two a line: addresses at the margin are round. */
	for (nr = 1; nr * 2 <= per_line;)
		nr *= 2;
	while (!options.wide && (blocks.nr - 1) / per_cell >= lines * nr)
		per_cell *= 2;
	printf("%s: a character is %s, lowest address first\n", dev->name,
	       size_text(buf, per_cell * dev->unit));
	for (int i = 0; i < blocks.nr; i += per_cell) {
		enum cell worst = CELL_UNUSED;

		if (!(i / per_cell % nr))
			printf("%s%#16" PRIx64 "  ", i ? "\n" : "", blocks.b[i].start);
		for (int j = i; j < i + per_cell && j < blocks.nr; j++)
			if (cell_of(&blocks.b[j]) > worst)
				worst = cell_of(&blocks.b[j]);
		mark(worst, colour);
	}
	printf("\n");
	blocks_free(&blocks);
	return true;
}
