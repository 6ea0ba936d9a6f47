// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Words for a holder: its processes, file and cgroup, and what it holds.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"
#include "why.h"

/* Processes that are named one by one. */
#define NAMED 3
#define CACHES 3

static char *comma(char *text)
{
	return text ? xappend(text, ", ") : NULL;
}

static char *name_processes(const struct holders *holders, uint16_t number)
{
	int index[NAMED], nr = holder_processes(holders, number, index, NAMED);
	char *text = NULL;

	for (int i = 0; i < nr && i < NAMED; i++) {
		const struct process *process = &holders->process[index[i]];

		text = xappend(comma(text), "%s[%d]", process->command, process->pid);
	}
	return nr > NAMED ? xappend(text, " and %d more", nr - NAMED) : text;
}

/* Return: the kind of which a holder has most; what can't be moved comes first. */
enum kind why_main_kind(const struct share *share)
{
	enum kind best = KIND_NONE;

	for (int i = 0; i < KIND_NR; i++) {
		if (share->stuck && !kinds[i].stuck)
			continue;
		if (share->kind[i] > share->kind[best])
			best = i;
	}
	return best;
}

/* Return: "postgres[812], cgroup /system.slice/x.service", to be freed. */
char *why_name(const struct why *why, const struct share *share)
{
	const struct holders *holders = &why->holders;
	const struct holder *holder;
	char *text;

	if (share->holder == HOLDER_MANY)
		return xprintf("many different holders");
	holder = &holders->h[share->holder];
	text = name_processes(holders, share->holder);
	if (holder->file >= 0)
		text = xappend(comma(text), "file %s", holders->name[holder->file]);
	if (!text) {
		enum kind kind = why_main_kind(share);
		bool kernel = kinds[kind].stuck && kind != KIND_PINNED && kind != KIND_GIGANTIC;

		text = xprintf("%s%s", kernel ? "kernel: " : "no process: ", kinds[kind].name);
	}
	if (holder->cgroup >= 0 && strcmp(holders->name[holder->cgroup], "/"))
		text = xappend(text, ", cgroup %s", holders->name[holder->cgroup]);
	return text;
}

/* Return: whose the driver's first page in the way is, to be freed; NULL: not known. */
char *why_way(const struct why *why, const struct why_block *b)
{
	struct share share = { .holder = b->way };

	if (b->way_kind == KIND_NONE)
		return NULL;
	share.kind[b->way_kind] = PAGE_BYTES;
	share.stuck = kinds[b->way_kind].stuck ? PAGE_BYTES : 0;
	return why_name(why, &share);
}

/* Return: "pinned 16 MiB, anonymous 2 MiB", to be freed. */
char *why_kinds(const struct share *share)
{
	uint64_t left[KIND_NR];
	char *text = NULL, buf[SIZE_TEXT];

	memcpy(left, share->kind, sizeof(left));
	for (;;) {
		int best = KIND_NONE;

		for (int i = 0; i < KIND_NR; i++)
			if (left[i] > left[best])
				best = i;
		if (!left[best])
			return text ? text : xprintf("-");
		text = xappend(comma(text), "%s %s", kinds[best].name, size_text(buf, left[best]));
		left[best] = 0;
	}
}

struct cache {
	char name[64];
	uint64_t bytes;
};

static int by_bytes(const void *a, const void *b)
{
	uint64_t x = ((const struct cache *)a)->bytes, y = ((const struct cache *)b)->bytes;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* The largest caches of the whole guest: pages don't say which one they are of. */
static char *largest_caches(void)
{
	FILE *file = sys_fopen("/proc/slabinfo");
	struct cache *cache = NULL;
	char line[512], *text = NULL, buf[SIZE_TEXT];
	int nr = 0;

	while (file && fgets(line, sizeof(line), file)) {
		struct cache now;
		uint64_t per_slab, slabs;

		if (sscanf(line, "%63s %*u %*u %*u %*u %" SCNu64 " : tunables %*u %*u %*u : slabdata %*u %"
			   SCNu64, now.name, &per_slab, &slabs) != 3)
			continue;
		now.bytes = per_slab * slabs * PAGE_BYTES;
		cache = xgrow(cache, nr + 1, sizeof(*cache));
		cache[nr++] = now;
	}
	if (file)
		fclose(file);
	if (nr)
		qsort(cache, nr, sizeof(*cache), by_bytes);
	for (int i = 0; i < nr && i < CACHES; i++)
		text = xappend(comma(text), "%s %s", cache[i].name, size_text(buf, cache[i].bytes));
	free(cache);
	return text;
}

/* Pages of tables don't say whose they are; the largest users probably are. */
static char *largest_tables(const struct holders *holders)
{
	const struct process *best = NULL;
	uint64_t sum = 0;

	for (int i = 0; i < holders->nr_processes; i++) {
		const struct process *process = &holders->process[i];

		sum += process->table_kib;
		if (!best || process->table_kib > best->table_kib)
			best = process;
	}
	if (!best || !best->table_kib)
		return NULL;
	return xprintf("%s[%d] has %" PRIu64 " %% of them all, %" PRIu64 " KiB", best->command,
		       best->pid, best->table_kib * 100 / sum, best->table_kib);
}

/* Return: what the guest as a whole tells about a kind; NULL: nothing; to be freed. */
char *why_note(const struct why *why, enum kind kind)
{
	char *text, *note = NULL;

	if (kind != KIND_SLAB && kind != KIND_PGTABLE)
		return NULL;
	text = kind == KIND_SLAB ? largest_caches() : largest_tables(&why->holders);
	if (text)
		note = xprintf("%s: %s", kind == KIND_SLAB ? "largest slab caches of the guest" :
			       "page tables", text);
	free(text);
	return note;
}
