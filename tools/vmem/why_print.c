// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The answer of "vmem why" for people.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "details.h"
#include "options.h"
#include "sys.h"
#include "table.h"
#include "text.h"
#include "why.h"

/* Rows of a table, unless --all is given. */
#define ROWS 20
#define STACKS 3

static const struct column holder_columns[] = {
	{ "SIZE", COLUMN_SIZE, false },
	{ "HOLDER", COLUMN_TEXT, false },
	{ "KINDS", COLUMN_TEXT, false },
};

static const struct column block_columns[] = {
	{ "BLOCK", COLUMN_ADDRESS, false },
	{ "SIZE", COLUMN_SIZE, false },
	{ "ZONE", COLUMN_WORD, false },
	{ "USED", COLUMN_SIZE, false },
	{ "STUCK", COLUMN_SIZE, false },
	{ "CAUSE", COLUMN_TEXT, false },
	{ "MOST OF IT", COLUMN_TEXT, false },
};

static void print_head(const struct why *why)
{
	const struct device *dev = why->dev;
	char a[SIZE_TEXT], b[SIZE_TEXT], c[SIZE_TEXT];

	if (device_wants_less(dev))
		printf("%s: %s of %s must go, and stays.\n", dev->name,
		       size_text(a, dev->plugged - dev->requested), size_text(b, dev->plugged));
	else if (dev->requested == UNKNOWN)
		printf("%s: nobody says what is requested; %s are plugged.\n", dev->name,
		       dev->plugged == UNKNOWN ? "?" : size_text(a, dev->plugged));
	else
		printf("%s: nothing stays against a request; this is what is in its %s.\n", dev->name,
		       size_text(a, dev->plugged));
	if (dev->cause)
		printf("The driver: %s\n", dev->cause);
	printf("In use: %s, of which %s can't be moved. ", size_text(a, why->used),
	       size_text(b, why->stuck));
	printf("Elsewhere or free in the guest: %s", size_text(c, why->available));
	if (why->swap_free)
		printf(" and %s of swap", size_text(c, why->swap_free));
	printf(".\n");
}

static void print_shares(const struct why *why, bool stuck, const char *title)
{
	struct table *table = table_new("holders", holder_columns, 3);
	int rows = 0, left = 0;

	for (int i = 0; i < why->nr_shares; i++) {
		const struct share *share = &why->share[i];
		bool is_stuck = share->stuck;
		char *text;

		if (is_stuck != stuck)
			continue;
		if (rows == ROWS && !options.all) {
			left++;
			continue;
		}
		rows++;
		table_row(table);
		table_number(table, 0, stuck ? share->stuck : share->bytes);
		text = why_name(why, share);
		table_text(table, 1, text);
		free(text);
		text = why_kinds(share);
		table_text(table, 2, text);
		free(text);
	}
	if (rows) {
		printf("\n%s\n", title);
		table_print(table);
		if (left)
			printf("... and %d smaller ones: --all\n", left);
	}
	table_free(table);
}

/* Blocks with something in the way first; else by address, as they come. */
static int by_stuck(const void *a, const void *b)
{
	const struct why_block *x = a, *y = b;

	if (x->stuck != y->stuck)
		return x->stuck < y->stuck ? 1 : -1;
	return x->block < y->block ? -1 : x->block > y->block;
}

static void print_blocks(const struct why *why)
{
	struct table *table = table_new("blocks", block_columns, 7);
	struct why_block *sorted = xalloc(why->nr_blocks, sizeof(*sorted));
	int left = 0;

	for (int i = 0; i < why->nr_blocks; i++)
		sorted[i] = why->block[i];
	qsort(sorted, why->nr_blocks, sizeof(*sorted), by_stuck);
	for (int i = 0; i < why->nr_blocks; i++) {
		const struct why_block *b = &sorted[i];
		char *name, *text, buf[SIZE_TEXT];
		struct share top = { .holder = b->top };

		if (i >= ROWS && !options.all) {
			left++;
			continue;
		}
		table_row(table);
		table_number(table, 0, b->block->start);
		table_number(table, 1, b->block->size);
		table_text(table, 2, block_zone_name(b->block));
		table_number(table, 3, b->used);
		table_number(table, 4, b->stuck);
		table_text(table, 5, b->block->cause);
		top.stuck = b->stuck;
		memcpy(top.kind, b->kind, sizeof(top.kind));
		name = why_name(why, &top);
		text = b->top_bytes ? xprintf("%s: %s", size_text(buf, b->top_bytes), name) : NULL;
		table_text(table, 6, text);
		free(name);
		free(text);
	}
	if (why->nr_blocks) {
		printf("\nBlocks\n");
		table_print(table);
		if (left)
			printf("... and %d more: --all\n", left);
	}
	table_free(table);
	free(sorted);
}

/* The driver's own account of blocks that are to go: its tries, and what is in the way. */
static void print_tries(const struct why *why)
{
	int nr = 0;

	for (int i = 0; i < why->nr_blocks && device_wants_less(why->dev); i++) {
		const struct why_block *b = &why->block[i];
		char *text, *name;

		if (!details_stays(b->block) || (nr++ >= ROWS && !options.all))
			continue;
		if (nr == 1)
			printf("\nWhat the driver found and tried\n");
		text = details_text(b->block->details);
		name = why_way(why, b);
		if (name)
			text = xappend(text, "; the page is of %s", name);
		free(name);
		name = text_shown(text);
		printf("  0x%llx: %s\n", (unsigned long long)b->block->start, name);
		free(text);
		free(name);
	}
	if (nr > ROWS && !options.all)
		printf("... and %d more: --all\n", nr - ROWS);
}

static void print_advice(const struct why *why)
{
	uint64_t sum[KIND_NR] = { 0 };
	bool title = false;

	for (int i = 0; i < why->nr_shares; i++)
		for (int kind = 0; kind < KIND_NR; kind++)
			sum[kind] += why->share[i].kind[kind];
	/* Where something can't be moved, the rest is no hindrance. */
	for (int kind = 0; kind < KIND_NR; kind++) {
		char *note;

		if (!sum[kind] || (why->stuck && !kinds[kind].stuck))
			continue;
		if (!title)
			printf("\nWhat to do\n");
		title = true;
		printf("  %s: %s\n", kinds[kind].name, kinds[kind].advice);
		note = why_note(why, kind);
		if (note)
			printf("    (%s)\n", note);
		free(note);
	}
}

static void print_stacks(const struct why *why)
{
	for (int i = 0; i < why->stacks.nr && (i < STACKS || options.all); i++) {
		const struct stack *stack = &why->stacks.s[i];
		char *by = text_shown(stack->by);

		if (!i)
			printf("\nAllocated by (page_owner, of %d pages looked up)\n",
			       why->stacks.looked_up);
		printf("  %d page%s, first PFN 0x%llx, %s\n%s\n", stack->pages,
		       stack->pages == 1 ? "" : "s", stack->pfn, by, stack->text);
		free(by);
	}
}

/* Some ways to pin are booked on the process: io_uring's buffers, RDMA. */
static void print_unknown_pins(const struct why *why)
{
	char buf[SIZE_TEXT];
	const char *comma = "By the kernel's account of them, somewhere: ";

	printf("\nNot known: which mapped pages are pinned, because /proc/kcore can't be read.\n");
	for (int i = 0; i < why->holders.nr_processes; i++) {
		const struct process *process = &why->holders.process[i];

		if (!process->pinned_kib)
			continue;
		printf("%s%s[%d] %s", comma, process->command, process->pid,
		       size_text(buf, process->pinned_kib * 1024));
		comma = ", ";
	}
	if (*comma == ',')
		printf(".\n");
}

/* Print all of it. */
void why_print(const struct why *why)
{
	print_head(why);
	print_shares(why, true, "Can't be moved: this keeps blocks where they are");
	print_shares(why, false,
		     "Can be moved: this stays only where there is no room elsewhere, or while it is busy");
	print_blocks(why);
	print_tries(why);
	print_advice(why);
	print_stacks(why);
	if (!why->knows_pins && why->nr_blocks)
		print_unknown_pins(why);
	if (!why->knows_processes && why->nr_blocks)
		printf("\nNot known: processes, because /proc/PID/pagemap tells us no page numbers (CAP_SYS_ADMIN).\n");
	if (!why->knows_cgroups && why->nr_blocks)
		printf("\nNot known: memory cgroups, because none are mounted or the kernel doesn't tell.\n");
}
