// SPDX-License-Identifier: GPL-2.0-or-later
/* Shared by all sources of devices: the list of devices, and errors. */
#include "host.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/**
 * host_fail() - keep why a call failed
 * @host: the connection
 * @format: as for printf
 *
 * Return: -1, for the caller to return.
 */
int host_fail(struct host *host, const char *format, ...)
{
	va_list args;
	char *text, *line;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		die_memory();
	va_end(args);
	line = one_line(text);
	snprintf(host->error, sizeof(host->error), "%s", line);
	free(line);
	free(text);
	return -1;
}

/**
 * one_line() - a message of somebody else, fit for a line of ours
 * @text: what was said, NULL for nothing
 *
 * Return: a copy to be freed, without control characters or a full stop.
 */
char *one_line(const char *text)
{
	char *line = xstrdup(text ? text : "no reason was given");
	size_t len = strlen(line);

	for (char *c = line; *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = ' ';
	}
	while (len && (line[len - 1] == ' ' || line[len - 1] == '.'))
		line[--len] = '\0';
	return line;
}

/**
 * devices_add() - one more device
 * @to: the list
 * @domain: the domain's name
 * @uuid: its UUID
 * @id: the device's alias
 *
 * Return: the device, for the caller to fill in; valid until the next one.
 */
struct device *devices_add(struct devices *to, const char *domain,
			   const char *uuid, const char *id)
{
	struct device *dev;

	to->all = realloc(to->all, (to->nr + 1) * sizeof(*to->all));
	if (!to->all)
		die_memory();
	dev = &to->all[to->nr++];
	*dev = (struct device){
		.domain = xstrdup(domain),
		.uuid = xstrdup(uuid),
		.id = xstrdup(id),
		.node = -1,
	};
	return dev;
}

/**
 * devices_free() - make a list empty
 * @list: the list
 */
void devices_free(struct devices *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		free(list->all[i].domain);
		free(list->all[i].uuid);
		free(list->all[i].id);
	}
	free(list->all);
	*list = (struct devices){ 0 };
}
