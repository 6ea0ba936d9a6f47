// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One description of columns, two forms: a table for people, JSON for tools.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <libsmartcols/libsmartcols.h>

#include "options.h"
#include "sys.h"
#include "table.h"
#include "text.h"

struct table {
	struct libscols_table *scols;
	struct libscols_line *line;
	struct column *columns;
	int *index;  /* of each column in scols; -1 if it is not shown */
	int nr;
};

static int json_type(enum column_type type)
{
	return type == COLUMN_TEXT || type == COLUMN_WORD ? SCOLS_JSON_STRING :
							    SCOLS_JSON_NUMBER;
}

static int flags(enum column_type type)
{
	switch (type) {
	case COLUMN_TEXT:
		return SCOLS_FL_WRAP;
	case COLUMN_WORD:
		return 0;
	default:
		return SCOLS_FL_RIGHT;
	}
}

/* Return: an empty table, to be given back with table_free(). */
struct table *table_new(const char *name, const struct column *columns, int nr)
{
	struct table *table = xalloc(1, sizeof(*table));
	int shown = 0;

	scols_init_debug(0);
	table->scols = scols_new_table();
	if (!table->scols)
		abort();
	table->columns = xalloc(nr, sizeof(*columns));
	memcpy(table->columns, columns, nr * sizeof(*columns));
	table->nr = nr;
	table->index = xalloc(nr, sizeof(int));
	scols_table_set_name(table->scols, name);
	scols_table_enable_json(table->scols, options.json);
	scols_table_enable_noencoding(table->scols, 1);
	for (int i = 0; i < nr; i++) {
		struct libscols_column *col;

		table->index[i] = -1;
		if (columns[i].json_only && !options.json)
			continue;
		col = scols_table_new_column(table->scols, columns[i].name, 0,
					     flags(columns[i].type));
		if (!col)
			abort();
		scols_column_set_json_type(col, json_type(columns[i].type));
		table->index[i] = shown++;
	}
	return table;
}

/* The next values belong to a new row. */
void table_row(struct table *table)
{
	table->line = scols_table_new_line(table->scols, NULL);
	if (!table->line)
		abort();
}

/* @text may be NULL: there is no value. */
void table_text(struct table *table, int column, const char *text)
{
	char *shown = text && !options.json ? text_shown(text) : NULL;

	/* An empty cell is null in JSON. */
	if (!text)
		text = options.json ? NULL : "-";
	if (table->index[column] >= 0 &&
	    scols_line_set_data(table->line, table->index[column], shown ? shown : text))
		abort();
	free(shown);
}

/* Return: a duration for people, in @buf. */
const char *seconds_text(char *buf, uint64_t seconds)
{
	if (seconds < 120)
		snprintf(buf, SIZE_TEXT, "%" PRIu64 " s", seconds);
	else if (seconds < 7200)
		snprintf(buf, SIZE_TEXT, "%" PRIu64 " min", seconds / 60);
	else if (seconds < 2 * 86400)
		snprintf(buf, SIZE_TEXT, "%" PRIu64 " h", seconds / 3600);
	else
		snprintf(buf, SIZE_TEXT, "%" PRIu64 " days", seconds / 86400);
	return buf;
}

/* @value may be TABLE_NONE. */
void table_number(struct table *table, int column, uint64_t value)
{
	enum column_type type = table->columns[column].type;
	char buf[32];

	if (value == TABLE_NONE) {
		table_text(table, column, NULL);
		return;
	}
	if (options.json || type == COLUMN_NUMBER)
		snprintf(buf, sizeof(buf), "%" PRIu64, value);
	else if (type == COLUMN_SIZE)
		size_text(buf, value);
	else if (type == COLUMN_SECONDS)
		seconds_text(buf, value);
	else
		snprintf(buf, sizeof(buf), "0x%" PRIx64, value);
	table_text(table, column, buf);
}

/* Return: what table_print() would print, to be freed. */
char *table_string(struct table *table)
{
	char *text;

	if (scols_print_table_to_string(table->scols, &text))
		abort();
	return text;
}

/* Print the table, or its JSON. */
void table_print(struct table *table)
{
	scols_print_table(table->scols);
}

/* Give it back. */
void table_free(struct table *table)
{
	scols_unref_table(table->scols);
	free(table->columns);
	free(table->index);
	free(table);
}
