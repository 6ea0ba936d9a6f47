// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * page_owner: where in the kernel pages were allocated, if it was switched on.
 *
 * The file's offset is a page number: what is read there is the record of that
 * page, or of the next one that has one. Of an allocation of several pages only the
 * first has one.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kinds.h"
#include "owner.h"
#include "pages.h"
#include "sys.h"
#include "text.h"

/* Pages that are looked up: enough to see which stack is the commonest. */
#define LOOK_UPS 512
#define RECORD 8192
/* The largest order there is, with pages of 4 KiB. */
#define MAX_ORDER 10

/* A record's stack: the lines that begin with a space; the record is cut behind it. */
static char *stack_of(char *record)
{
	char *stack = strstr(record, "\n "), *end;

	if (!stack)
		return NULL;
	for (end = stack; end && end[1] == ' ';)
		end = strchr(end + 1, '\n');
	if (end)
		*end = '\0';
	return stack + 1;
}

static void count_stack(struct stacks *stacks, uint64_t pfn, char *record)
{
	char *by = strstr(record, "pid "), *stack = stack_of(record);
	char *end;

	if (!stack)
		return;
	stacks->looked_up++;
	for (int i = 0; i < stacks->nr; i++) {
		if (strcmp(stacks->s[i].text, stack))
			continue;
		stacks->s[i].pages++;
		return;
	}
	/* "pid 12, tgid 12 (cp), ts 34 ns" */
	if (by) {
		end = strstr(by, ", ts ");
		if (end)
			*end = '\0';
	}
	stacks->s = xgrow(stacks->s, stacks->nr + 1, sizeof(*stacks->s));
	stacks->s[stacks->nr++] = (struct stack){
		.text = xprintf("%s", stack), .by = text_clean(by ? by : ""), .pfn = pfn, .pages = 1,
	};
}

/*
 * Return: whether the record that is read there is of an allocation that the page
 * is in; "Page allocated via order 3, ...", "PFN 0x1234 type" or "PFN 4660 type".
 */
static bool read_record(int fd, uint64_t at, uint64_t pfn, char *record)
{
	ssize_t got = pread(fd, record, RECORD - 1, at);
	uint64_t first, order;
	char *line;

	if (got <= 0)
		return false;
	record[got] = '\0';
	line = strstr(record, "\nPFN ");
	if (!line || sscanf(record, "Page allocated via order %" SCNu64, &order) != 1 || order > 32)
		return false;
	first = strtoull(line + 5, NULL, 0);
	return first <= pfn && pfn - first < 1ULL << order;
}

/* Only the first page of an allocation has a record, so that is looked for, too. */
static void look_up(struct stacks *stacks, int fd, uint64_t pfn)
{
	char record[RECORD];

	for (int order = 0; order <= MAX_ORDER; order++) {
		uint64_t first = pfn >> order << order;

		if (order && first == pfn >> (order - 1) << (order - 1))
			continue;
		if (read_record(fd, first, pfn, record)) {
			count_stack(stacks, pfn, record);
			return;
		}
	}
}

static int by_pages(const void *a, const void *b)
{
	return ((const struct stack *)b)->pages - ((const struct stack *)a)->pages;
}

static bool is_kernels(const struct window *window, uint32_t at)
{
	uint8_t kind = window->kind[at];

	/* Those that were there from boot on have no record. */
	return kinds[kind].stuck && kind != KIND_PINNED && kind != KIND_OFFLINE &&
	       kind != KIND_RESERVED;
}

/* Look up pages that can't be moved, evenly over all; none without page_owner. */
void owner_read(struct stacks *stacks, const struct pages *pages)
{
	int fd = sys_open("/sys/kernel/debug/page_owner");
	uint64_t nr = 0, step, seen = 0;

	*stacks = (struct stacks){ 0 };
	if (fd < 0)
		return;
	for (int i = 0; i < pages->nr; i++)
		for (uint32_t at = 0; at < pages->w[i].nr; at++)
			nr += is_kernels(&pages->w[i], at);
	step = nr / LOOK_UPS + 1;
	for (int i = 0; i < pages->nr; i++)
		for (uint32_t at = 0; at < pages->w[i].nr; at++)
			if (is_kernels(&pages->w[i], at) && !(seen++ % step))
				look_up(stacks, fd, pages->w[i].pfn + at);
	close(fd);
	if (stacks->nr)
		qsort(stacks->s, stacks->nr, sizeof(*stacks->s), by_pages);
}

/* Give it back. */
void owner_free(struct stacks *stacks)
{
	for (int i = 0; i < stacks->nr; i++) {
		free(stacks->s[i].text);
		free(stacks->s[i].by);
	}
	free(stacks->s);
}
