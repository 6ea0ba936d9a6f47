/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages that are asked about: a kind and a holder each, found by number.
 */
#ifndef _VMEM_PAGES_H
#define _VMEM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;
struct kpage;
struct refs;

/* One block's. */
struct window {
	uint64_t pfn;
	uint32_t nr;
	uint8_t *kind;         /* enum kind */
	uint16_t *holder;      /* see holders.h */
	const struct block *block;
};

struct pages {
	struct window *w;      /* lowest first, all of one size */
	int nr;
	struct window **by_number;
	uint64_t first, span;  /* of page numbers that by_number covers */
};

void pages_add(struct pages *pages, const struct block *block);
void pages_index(struct pages *pages);
void pages_look(struct pages *pages, struct kpage *kpage, struct refs *refs);
void pages_free(struct pages *pages);

/* Return: the window that a page is in, and where; NULL: nobody asked about it. */
static inline struct window *pages_find(const struct pages *pages, uint64_t pfn, uint32_t *at)
{
	struct window *window;

	if (pfn - pages->first >= pages->span)
		return NULL;
	window = pages->by_number[(pfn - pages->first) / pages->w->nr];
	if (window)
		*at = pfn - window->pfn;
	return window;
}

#endif
