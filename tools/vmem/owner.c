// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * page_owner: where in the kernel pages were allocated, if it was switched on.
 *
 * The file's offset is a page number: what is read there is the record of that
 * page, or of the next one that has one.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kinds.h"
#include "owner.h"
#include "pages.h"
#include "sys.h"

/* Pages that are looked up: enough to see which stack is the commonest. */
#define LOOK_UPS 512
#define RECORD 8192

static void count_stack(struct stacks *stacks, uint64_t pfn, char *record)
{
	char *by = strstr(record, "pid "), *stack = strstr(record, "\n ");
	char *end;

	if (!stack)
		return;
	stack++;
	end = strstr(stack, "\n\n");
	if (end)
		*end = '\0';
	stacks->looked_up++;
	for (int i = 0; i < stacks->nr; i++) {
		if (strcmp(stacks->s[i].text, stack))
			continue;
		stacks->s[i].pages++;
		return;
	}
	if (by) {
		end = strchr(by, ')');
		if (end)
			end[1] = '\0';
	}
	stacks->s = xgrow(stacks->s, stacks->nr + 1, sizeof(*stacks->s));
	stacks->s[stacks->nr++] = (struct stack){
		.text = xprintf("%s", stack), .by = xprintf("%s", by ? by : ""), .pfn = pfn, .pages = 1,
	};
}

static void look_up(struct stacks *stacks, int fd, uint64_t pfn)
{
	char record[RECORD], *at;
	ssize_t got = pread(fd, record, sizeof(record) - 1, pfn);

	if (got <= 0)
		return;
	record[got] = '\0';
	/* "PFN 0x1234 type" or "PFN 4660 type"; the next page's is no answer. */
	at = strstr(record, "\nPFN ");
	if (at && strtoull(at + 5, NULL, 0) == pfn)
		count_stack(stacks, pfn, record);
}

static int by_pages(const void *a, const void *b)
{
	return ((const struct stack *)b)->pages - ((const struct stack *)a)->pages;
}

static bool is_start(const struct window *window, uint32_t at)
{
	uint8_t kind = window->kind[at];

	return kinds[kind].stuck && kind != KIND_PINNED && kind != KIND_OFFLINE;
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
			nr += is_start(&pages->w[i], at);
	step = nr / LOOK_UPS + 1;
	for (int i = 0; i < pages->nr; i++)
		for (uint32_t at = 0; at < pages->w[i].nr; at++)
			if (is_start(&pages->w[i], at) && !(seen++ % step))
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
