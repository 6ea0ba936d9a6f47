// SPDX-License-Identifier: GPL-2.0-or-later
/* vmemctl list: a table, or JSON, or a file for Prometheus. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <libsmartcols/libsmartcols.h>

#include "guest.h"
#include "util.h"
#include "vmemctl.h"

enum { DOMAIN, DEVICE, NODE, REQUESTED, PLUGGED, REGION, BLOCK, STATE, GUEST };

static const struct {
	const char *name;
	int flags;
	int json;
} columns[] = {
	[DOMAIN] = { "domain", 0, SCOLS_JSON_STRING },
	[DEVICE] = { "device", 0, SCOLS_JSON_STRING },
	[NODE] = { "node", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[REQUESTED] = { "requested", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[PLUGGED] = { "plugged", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[REGION] = { "region", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[BLOCK] = { "block", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[STATE] = { "state", 0, SCOLS_JSON_STRING },
	[GUEST] = { "guest", 0, SCOLS_JSON_STRING },
};

#define NR_COLUMNS (sizeof(columns) / sizeof(*columns))

/* One look knows where it shall go, but not whether it moves. */
static const char *state(const struct device *dev)
{
	if (dev->plugged == dev->requested)
		return "met";
	return dev->plugged < dev->requested ? "below" : "above";
}

static void set_size(struct libscols_line *line, int column, uint64_t bytes,
		     bool json)
{
	char text[SIZE_TEXT];

	if (json)
		snprintf(text, sizeof(text), "%" PRIu64, bytes);
	else
		size_text(text, bytes);
	scols_line_set_data(line, column, text);
}

static void add_line(struct libscols_table *table, struct host *host,
		     const struct device *dev, const struct options *opt)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	struct guest guest;
	char node[16];

	if (!line)
		die_memory();
	scols_line_set_data(line, DOMAIN, dev->domain);
	scols_line_set_data(line, DEVICE, dev->id);
	if (dev->node >= 0) {
		snprintf(node, sizeof(node), "%d", dev->node);
		scols_line_set_data(line, NODE, node);
	}
	set_size(line, REQUESTED, dev->requested, opt->json);
	set_size(line, PLUGGED, dev->plugged, opt->json);
	set_size(line, REGION, dev->region, opt->json);
	set_size(line, BLOCK, dev->block, opt->json);
	scols_line_set_data(line, STATE, state(dev));
	if (opt->guest) {
		guest_ask(host, dev, &guest);
		scols_line_refer_data(line, GUEST, guest_text(&guest));
		guest_free(&guest);
	}
}

static void print_table(struct host *host, const struct devices *list,
			const struct options *opt)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		die_memory();
	scols_table_set_name(table, "devices");
	scols_table_enable_json(table, opt->json);
	for (size_t i = 0; i < NR_COLUMNS - !opt->guest; i++) {
		struct libscols_column *column;
		char *name = xstrdup(columns[i].name);

		/* Keys are small; a table's head is not, as in lsmem. */
		for (char *c = name; !opt->json && *c; c++)
			*c -= 'a' - 'A';
		column = scols_table_new_column(table, name, 0,
						columns[i].flags);
		if (!column)
			die_memory();
		scols_column_set_json_type(column, columns[i].json);
		free(name);
	}
	for (size_t i = 0; i < list->nr && !interrupted; i++)
		add_line(table, host, &list->all[i], opt);
	/* An empty one would print nothing at all. */
	if (list->nr)
		scols_print_table(table);
	else if (opt->json)
		puts("{\n   \"devices\": []\n}");
	else
		complain(0, "no virtio-mem device in what runs");
	scols_unref_table(table);
}

/**
 * command_list() - vmemctl list
 * @host: the connection
 * @opt: the command line
 *
 * Return: the exit status.
 */
int command_list(struct host *host, const struct options *opt)
{
	struct devices list = { 0 };
	int status = EXIT_SUCCESS;

	if (host->ops->list(host, opt->domain, &list))
		status = complain(EXIT_ERROR, "%s", host->error);
	else if (opt->prometheus)
		status = write_prometheus(&list, opt->prometheus);
	else
		print_table(host, &list, opt);
	/* A signal may have left out guests that were not asked yet. */
	if (!status && interrupted && opt->guest)
		status = EXIT_INTERRUPTED;
	devices_free(&list);
	return status;
}
