// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An actor whose memory is swapped out and in: anonymous, or a tmpfs's; now and
 * then somebody else's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "soak.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

/* The root's: whoever's memory was not used for the longest time. */
#define RECLAIM		"/sys/fs/cgroup/memory.reclaim"
#define SWAP_PAGES	512UL
#define SWAP_SLOTS	40

static struct area slots[SWAP_SLOTS];

/* Whether there is any; the list has a title. */
static bool have_swap(void)
{
	FILE *f = fopen("/proc/swaps", "r");
	char line[200];
	int lines = 0;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		lines++;
	fclose(f);
	return lines > 1;
}

static enum outcome slot_new(struct area *a, bool shared)
{
	if (!room(SWAP_PAGES * PAGE, FLOOR))
		return skip("memory");
	if (!shared) {
		if (!area_map(a, SWAP_PAGES, 0))
			return refuse(errno);
	} else {
		a->mem = mmap(NULL, SWAP_PAGES * PAGE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (a->mem == MAP_FAILED) {
			a->mem = NULL;
			return refuse(errno);
		}
		a->pages = SWAP_PAGES;
	}
	area_fill(a);
	return DONE;
}

static enum outcome reclaim(unsigned int mib)
{
	char text[20];
	int rc;

	doing("reclaim");
	snprintf(text, sizeof(text), "%uM", mib);
	rc = put(RECLAIM, text);
	return rc ? refuse(rc) : DONE;
}

static enum outcome swap_op(struct draws *d)
{
	struct area *a = &slots[draw(d, SWAP_SLOTS)];
	unsigned int what = draw(d, 9), mib = 1 + draw(d, 16);
	size_t first = draw(d, SWAP_PAGES);
	size_t nr = 1 + draw(d, SWAP_PAGES - first);
	bool shared = draw(d, 3) == 0;
	unsigned char *mem;

	if (!have_swap())
		return skip("no swap");
	if (what == 8)
		return reclaim(mib);
	if (!a->mem)
		return slot_new(a, shared);
	mem = a->mem + first * PAGE;
	switch (what) {
	case 0:
		doing("free");
		area_check(a, "swapped, to be freed");
		area_free(a);
		return DONE;
	case 1:
		doing("write");
		area_fill(a);
		return DONE;
	case 2:
		/* Pages of the swap cache that nobody maps. */
		doing("read ahead");
		return madvise(mem, nr * PAGE, MADV_WILLNEED) ?
		       refuse(errno) : DONE;
	case 3:
	case 4:
		doing("check");
		for (size_t i = 0; i < nr; i++)
			page_check(mem + i * PAGE, first + i, a->gen, "swapped");
		return DONE;
	}
	doing("page out");
	return madvise(mem, nr * PAGE, MADV_PAGEOUT) ? refuse(errno) : DONE;
}

static void swap_end(void)
{
	for (int i = 0; i < SWAP_SLOTS; i++) {
		if (slots[i].mem)
			area_check(&slots[i], "swapped, at the end");
		area_free(&slots[i]);
	}
}

const struct actor actor_swap = { "swap", swap_op, swap_end, 40 };
