/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One description of columns, two forms: a table for people, JSON for tools.
 */
#ifndef _VMEM_TABLE_H
#define _VMEM_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum column_type {
	COLUMN_TEXT,     /* wrapped where the terminal is narrow */
	COLUMN_WORD,     /* never wrapped */
	COLUMN_SIZE,     /* bytes; in the table with a unit */
	COLUMN_NUMBER,
	COLUMN_ADDRESS,  /* hexadecimal in the table; in JSON a number */
	COLUMN_SECONDS,  /* in the table as "3 min" */
};

struct column {
	const char *name;       /* in capitals; the JSON key is the same in small letters */
	enum column_type type;
	bool json_only;
};

/* No value: "-" in the table, null in JSON. */
#define TABLE_NONE UINT64_MAX

struct table;

struct table *table_new(const char *name, const struct column *columns, int nr);
void table_row(struct table *table);
void table_text(struct table *table, int column, const char *text);
void table_number(struct table *table, int column, uint64_t value);
char *table_string(struct table *table);
void table_print(struct table *table);
void table_free(struct table *table);
const char *seconds_text(char *buf, uint64_t seconds);

#endif
