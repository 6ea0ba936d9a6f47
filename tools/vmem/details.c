// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What this project's driver found in a block, and how its tries went: debugfs's
 * "details", whose fields are in docs/ABI. With another driver nothing is known.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "details.h"
#include "sys.h"
#include "table.h"

/* A number, or "-". */
static uint64_t number_of(const char *word, int base)
{
	char *end;
	uint64_t value = strtoull(word, &end, base);

	return end == word || *end ? UNKNOWN : value;
}

/* Into as much room as read_line() has for a word. */
static void copy_word(char *to, const char *word)
{
	if (strcmp(word, "-"))
		memcpy(to, word, strlen(word) + 1);
	else
		*to = '\0';
}

/* Return: whether the line is as it should be; more fields may follow. */
static bool read_line(const char *line, uint64_t *start, struct details *out)
{
	char page[32], way[32], failed[32], ms[32];

	if (sscanf(line, "0x%" SCNx64 "-%*s %*s %*s %*u %*u %*u %*u %*u %*u %31s %31s %" SCNu64
		   " %31s %31s", start, page, way, &out->tries, failed, ms) != 6)
		return false;
	out->page = number_of(page, 16);
	out->ms = number_of(ms, 10);
	copy_word(out->way, way);
	copy_word(out->failed, failed);
	return true;
}

/* Give each block what the driver tells of it, if it does: to root only. */
void details_read(const struct device *dev, struct blocks *blocks)
{
	FILE *file = dev->ours ? sys_fopen("/sys/kernel/debug/virtio_mem/%s/details", dev->name) : NULL;
	char line[512];
	uint64_t start;

	while (file && fgets(line, sizeof(line), file)) {
		struct details now;
		uint64_t at;

		if (!blocks->nr || !read_line(line, &start, &now))
			continue;
		at = (start - blocks->b[0].start) / blocks->b[0].size;
		if (start < blocks->b[0].start || at >= (uint64_t)blocks->nr)
			continue;
		if (!blocks->b[at].details)
			blocks->b[at].details = xalloc(1, sizeof(now));
		*blocks->b[at].details = now;
	}
	if (file)
		fclose(file);
}

/*
 * Return: whether a block stays, as far as the driver tells. A page that is held
 * at this moment alone proves nothing: a CPU's list of free pages holds some, too.
 */
bool details_stays(const struct block *block)
{
	const struct details *d = block->details;

	return d && (d->tries || block->cause || (*d->way && strcmp(d->way, "pinned")));
}

/* Return: "page 0x1234000 in the way (pinned); 3 tries failed", to be freed. */
char *details_text(const struct details *d)
{
	char *text = NULL, buf[SIZE_TEXT];

	if (d->page != UNKNOWN)
		text = xprintf("page 0x%" PRIx64 " in the way (%s); ", d->page, d->way);
	if (!d->tries)
		return xappend(text, "not tried yet");
	text = xappend(text, "%" PRIu64 " %s failed", d->tries, d->tries == 1 ? "try" : "tries");
	if (d->ms == UNKNOWN)
		return text;
	return xappend(text, "%s %s ago (%s)", d->tries == 1 ? "," : ", the last",
		       seconds_text(buf, d->ms / 1000), d->failed);
}

static void add_number(struct json_object *to, const char *key, uint64_t value)
{
	json_object_object_add(to, key, value == UNKNOWN ? NULL : json_object_new_uint64(value));
}

static void add_word(struct json_object *to, const char *key, const char *word)
{
	json_object_object_add(to, key, *word ? json_object_new_string(word) : NULL);
}

/* Add the keys that vmem why and watch have in common; @d may be NULL. */
void details_json(struct json_object *to, const struct details *d)
{
	static const struct details unknown = { UNKNOWN, "", UNKNOWN, "", UNKNOWN };

	if (!d)
		d = &unknown;
	add_number(to, "way_page", d->page);
	add_word(to, "way", d->way);
	add_number(to, "tries", d->tries);
	add_word(to, "last_cause", d->failed);
	add_number(to, "last_ms", d->ms);
}
