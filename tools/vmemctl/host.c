// SPDX-License-Identifier: GPL-2.0-or-later
/* Shared by all sources of devices: the list of devices, and errors. */
#include "host.h"

#include <langinfo.h>
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

/* Bytes of the character in UTF-8 that a text begins with, 0 when it is none. */
static size_t decode(const unsigned char *text, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	size_t more = *text < 0x80 ? 0 : *text < 0xe0 ? 1 : *text < 0xf0 ? 2 : 3;

	if (!*text || (*text >= 0x80 && *text < 0xc0) || *text >= 0xf8)
		return 0;
	*code = more ? *text & (0x3f >> more) : *text;
	for (size_t i = 1; i <= more; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	return *code < least[more] || *code > 0x10ffff ||
	       (*code >= 0xd800 && *code < 0xe000) ? 0 : more + 1;
}

/* What a terminal obeys, or what turns the order of the text around. */
static bool is_command(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ||
	       (code >= 0x200e && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

/**
 * one_line() - a message of somebody else, fit for a line of ours
 * @text: what was said, NULL for nothing
 *
 * A guest must not have a way to the terminal of who looks at it from the host.
 *
 * Return: a copy to be freed, without control characters or a full stop.
 */
char *one_line(const char *text)
{
	char *line = xstrdup(text ? text : "no reason was given"), *to = line;
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");

	for (const char *from = line; *from;) {
		uint32_t code;
		size_t len = decode((const unsigned char *)from, &code);

		if (!len || (len > 1 && !utf8))
			*to++ = '?';
		else if (is_command(code))
			*to++ = ' ';
		else
			to = (char *)memmove(to, from, len) + len;
		from += len ? len : 1;
	}
	while (to > line && (to[-1] == ' ' || to[-1] == '.'))
		to--;
	*to = '\0';
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
