// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pages that are asked about: a kind and a holder each, found by number.
 */
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "kinds.h"
#include "kpage.h"
#include "pages.h"
#include "refs.h"
#include "sys.h"

/* Ask about a block's pages, too; blocks come lowest first and are of one size. */
void pages_add(struct pages *pages, const struct block *block)
{
	struct window *window;

	pages->w = xgrow(pages->w, pages->nr + 1, sizeof(*pages->w));
	window = &pages->w[pages->nr++];
	window->pfn = block->start / PAGE_BYTES;
	window->nr = block->size / PAGE_BYTES;
	window->kind = xalloc(window->nr, sizeof(*window->kind));
	window->holder = xalloc(window->nr, sizeof(*window->holder));
	window->block = block;
}

/* No more blocks will come; at least one has. */
void pages_index(struct pages *pages)
{
	const struct window *last = &pages->w[pages->nr - 1];

	pages->first = pages->w[0].pfn;
	pages->span = last->pfn + last->nr - pages->first;
	pages->by_number = xalloc(pages->span / last->nr, sizeof(*pages->by_number));
	for (int i = 0; i < pages->nr; i++)
		pages->by_number[(pages->w[i].pfn - pages->first) / last->nr] = &pages->w[i];
}

/* Tell the kind of each page; with @refs also which are pinned. */
void pages_look(struct pages *pages, struct kpage *kpage, struct refs *refs)
{
	/* Not freed: procs_walk() finds it among our own memory, which it leaves out. */
	static uint64_t flags[KPAGE_CHUNK];

	for (int i = 0; i < pages->nr; i++) {
		struct window *window = &pages->w[i];

		for (uint32_t at = 0; at < window->nr;) {
			int nr = kpage_read(kpage->flags, window->pfn + at, window->nr - at, flags);

			if (nr <= 0)
				break;
			kinds_of(flags, nr, window->kind + at);
			refs_settle_kernel(refs, kpage, window->pfn + at, nr, flags, window->kind + at);
			refs_find_pins(refs, kpage, window->pfn + at, nr, flags, window->kind + at);
			at += nr;
		}
	}
}

/* Give it back. */
void pages_free(struct pages *pages)
{
	for (int i = 0; i < pages->nr; i++) {
		free(pages->w[i].kind);
		free(pages->w[i].holder);
	}
	free(pages->w);
	free(pages->by_number);
	*pages = (struct pages){ 0 };
}
