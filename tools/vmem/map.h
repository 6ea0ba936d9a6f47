/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device's blocks as a map, a character a block or more.
 */
#ifndef _VMEM_MAP_H
#define _VMEM_MAP_H

#include <stdbool.h>

struct blocks;
struct device;

/* Lines of a map that is not --wide. */
#define MAP_LINES 16

bool map_on_screen(void);
bool map_in_colour(void);
void map_legend(bool colour);
bool map_draw(const struct device *dev, bool colour, int lines, bool pins);
int map_width(void);
int map_lines(int maps, int beside);

#endif
