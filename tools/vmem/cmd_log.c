// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmem log: what kernel and driver said, and the driver's trace events, by time.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "sys.h"
#include "table.h"

#define RECORD 8192

struct entry {
	uint64_t usec;     /* since boot */
	const char *source;
	char *text;
	int order;         /* as read: for those of the same time */
};

struct entries {
	struct entry *e;
	int nr;
};

enum { TIME, SOURCE, TEXT };

static const struct column columns[] = {
	[TIME] = { "TIME", COLUMN_WORD, false },
	[SOURCE] = { "SOURCE", COLUMN_WORD, false },
	[TEXT] = { "TEXT", COLUMN_TEXT, false },
};

/* Of the kernel's lines those that have to do with memory that comes or goes. */
static const char *const interesting[] = {
	"virtio_mem", "Offlined Pages", "offline_pages", "memory offlining", "migrating pfn",
	"migration failure", "unmovable page", "page dumped because", "vmemmap alloc failure",
	"Out of memory", "oom-kill", "Built 1 zonelists",
};

static void add(struct entries *entries, uint64_t usec, const char *source, const char *text)
{
	entries->e = xgrow(entries->e, entries->nr + 1, sizeof(*entries->e));
	entries->e[entries->nr] = (struct entry){
		.usec = usec, .source = source, .text = xprintf("%s", text), .order = entries->nr,
	};
	entries->nr++;
}

static void add_if_interesting(struct entries *entries, uint64_t usec, const char *text)
{
	for (size_t i = 0; i < sizeof(interesting) / sizeof(*interesting); i++) {
		if (strstr(text, interesting[i])) {
			add(entries, usec, "kernel", text);
			return;
		}
	}
}

/* A record a read: "priority,number,microseconds,flags;text". */
static bool read_kernel(struct entries *entries)
{
	char *path = xprintf("%s/dev/kmsg", sys_root);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char record[RECORD];
	uint64_t usec;

	free(path);
	if (fd < 0)
		return false;
	for (;;) {
		ssize_t got = read(fd, record, sizeof(record) - 1);
		char *text;

		/* Overwritten while we read: the next one is there. */
		if (got < 0 && errno == EPIPE)
			continue;
		if (got <= 0)
			break;
		record[got] = '\0';
		text = strchr(record, ';');
		if (!text || sscanf(record, "%*u,%*u,%" SCNu64, &usec) != 1)
			continue;
		text++;
		text[strcspn(text, "\n")] = '\0';
		add_if_interesting(entries, usec, text);
	}
	close(fd);
	return true;
}

static const char *const tracing[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

/* "task-1 [000] d..1 12.345678: event: text"; the text is kept from the event on. */
static void trace_line(struct entries *entries, char *line)
{
	char *event = strstr(line, ": virtio_mem_"), *at;
	uint64_t sec, usec;

	if (!event || *line == '#')
		return;
	*event = '\0';
	at = strrchr(line, ' ');
	if (!at || sscanf(at, " %" SCNu64 ".%6" SCNu64, &sec, &usec) != 2)
		return;
	event += 2;
	event[strcspn(event, "\n")] = '\0';
	add(entries, sec * 1000000 + usec, "trace", event);
}

/*
 * How many events the ring buffer has lost: "# entries-in-buffer/entries-written:
 * 12/34   #P:2" in the head of the file.
 */
static void trace_lost(const char *line, uint64_t *lost)
{
	const char *counts = strchr(line, ':');
	uint64_t in, written;

	if (!strncmp(line, "# entries-in-buffer", 19) && counts &&
	    sscanf(counts, ": %" SCNu64 "/%" SCNu64, &in, &written) == 2 && written > in)
		*lost = written - in;
}

/* Why there may be more events than were read; NULL: there are not. */
static const char *trace_hint(const char *dir, uint64_t lost)
{
	static char hint[200];
	char *on = sys_read("%s/events/virtio_mem/enable", dir), *clock = sys_read("%s/trace_clock", dir);
	uint64_t tracing_on;

	*hint = '\0';
	/* "1": all; "X": some. */
	if (!on)
		snprintf(hint, sizeof(hint), "this driver has no trace events");
	else if (*on == '0')
		snprintf(hint, sizeof(hint),
			 "trace events are off: echo perf >%s/trace_clock; echo 1 >%s/events/virtio_mem/enable",
			 dir, dir);
	else if (sys_number(&tracing_on, 10, "%s/tracing_on", dir) && !tracing_on)
		snprintf(hint, sizeof(hint), "tracing is off: echo 1 >%s/tracing_on", dir);
	/* The kernel's lines have local_clock()'s times, which ftrace calls perf. */
	else if (clock && !strstr(clock, "[perf]"))
		snprintf(hint, sizeof(hint),
			 "trace events have other times than the kernel's lines: echo perf >%s/trace_clock",
			 dir);
	else if (lost)
		snprintf(hint, sizeof(hint),
			 "%" PRIu64 " older trace events are lost: echo 16384 >%s/buffer_size_kb", lost,
			 dir);
	free(on);
	free(clock);
	return *hint ? hint : NULL;
}

/* Return: NULL, or what the user can do to see trace events, too. */
static const char *read_trace(struct entries *entries)
{
	for (int i = 0; i < 2; i++) {
		FILE *file = sys_fopen("%s/trace", tracing[i]);
		uint64_t lost = 0;
		char *line = NULL;
		size_t room = 0;

		if (!file)
			continue;
		while (getline(&line, &room, file) > 0) {
			trace_lost(line, &lost);
			trace_line(entries, line);
		}
		free(line);
		fclose(file);
		return trace_hint(tracing[i], lost);
	}
	return geteuid() ? "not root: trace events can't be read" :
	       "trace events can't be read: mount -t tracefs none /sys/kernel/tracing";
}

static int by_time(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->usec != y->usec)
		return x->usec < y->usec ? -1 : 1;
	return x->order - y->order;
}

/* Return: an exit status. */
int cmd_log(void)
{
	struct entries entries = { 0 };
	struct table *table;
	const char *hint;

	if (!read_kernel(&entries))
		return fail("log: /dev/kmsg can't be read: %s", strerror(errno));
	hint = read_trace(&entries);
	if (entries.nr)
		qsort(entries.e, entries.nr, sizeof(*entries.e), by_time);
	table = table_new("log", columns, sizeof(columns) / sizeof(*columns));
	for (int i = 0; i < entries.nr; i++) {
		const struct entry *entry = &entries.e[i];
		char when[32];

		snprintf(when, sizeof(when), "%" PRIu64 ".%06" PRIu64, entry->usec / 1000000,
			 entry->usec % 1000000);
		table_row(table);
		table_text(table, TIME, when);
		table_text(table, SOURCE, entry->source);
		table_text(table, TEXT, entry->text);
		free(entry->text);
	}
	table_print(table);
	table_free(table);
	free(entries.e);
	if (hint && !options.json)
		fprintf(stderr, "vmem: log: %s\n", hint);
	return STATUS_OK;
}
