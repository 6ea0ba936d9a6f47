// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks all sources about the pages of one device's blocks, and adds up.
 */
#include <stdlib.h>
#include <string.h>

#include "cgroups.h"
#include "details.h"
#include "kpage.h"
#include "procs.h"
#include "refs.h"
#include "sys.h"
#include "tmpfs.h"
#include "why.h"
#include "zones.h"

static bool is_used(uint8_t kind)
{
	return kind != KIND_NONE && kind != KIND_FREE;
}

/* Holders without a process and a file are of one kind: "the kernel" says little. */
static bool is_named(const struct holders *holders, uint16_t number)
{
	return number == HOLDER_MANY || holders->h[number].nr_processes ||
	       holders->h[number].file >= 0;
}

/* For each holder KIND_NR + 1 shares: the last is for those that are named. */
static int slot_of(const struct holders *holders, uint16_t number, uint8_t kind)
{
	return number * (KIND_NR + 1) + (is_named(holders, number) ? KIND_NR : kind);
}

static struct share *share_of(struct why *why, int *slots, uint16_t number, uint8_t kind)
{
	int *slot = &slots[slot_of(&why->holders, number, kind)];

	if (!*slot) {
		why->share = xgrow(why->share, why->nr_shares + 1, sizeof(*why->share));
		why->share[why->nr_shares++] = (struct share){ .holder = number };
		*slot = why->nr_shares;
	}
	return &why->share[*slot - 1];
}

/* Who holds most in one block: counted per holder, then the counts are cleared. */
static void find_top(struct why_block *b, const struct window *window, uint32_t *count)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < window->nr; i++) {
		uint8_t kind = window->kind[i];

		if (!is_used(kind) || (b->stuck && !kinds[kind].stuck))
			continue;
		if (++count[window->holder[i]] > best) {
			best = count[window->holder[i]];
			b->top = window->holder[i];
		}
	}
	for (uint32_t i = 0; i < window->nr; i++)
		count[window->holder[i]] = 0;
	b->top_bytes = best * PAGE_BYTES;
}

/* Whose the page is that the driver says is in the way. */
static void find_way(struct why_block *b, const struct window *window)
{
	const struct details *d = window->block->details;
	uint64_t at;

	if (!d || d->page == UNKNOWN)
		return;
	at = d->page / PAGE_BYTES - window->pfn;
	if (at >= window->nr || !is_used(window->kind[at]))
		return;
	b->way = window->holder[at];
	b->way_kind = window->kind[at];
}

static void add_up_block(struct why *why, const struct window *window, int *slots,
			 uint32_t *count)
{
	struct why_block *b = &why->block[why->nr_blocks++];

	b->block = window->block;
	for (uint32_t i = 0; i < window->nr; i++) {
		uint8_t kind = window->kind[i];
		struct share *share;

		if (!is_used(kind))
			continue;
		share = share_of(why, slots, window->holder[i], kind);
		share->kind[kind] += PAGE_BYTES;
		share->bytes += PAGE_BYTES;
		b->kind[kind] += PAGE_BYTES;
		b->used += PAGE_BYTES;
		if (kinds[kind].stuck) {
			share->stuck += PAGE_BYTES;
			b->stuck += PAGE_BYTES;
		}
	}
	why->used += b->used;
	why->stuck += b->stuck;
	find_top(b, window, count);
	find_way(b, window);
}

static int by_weight(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (x->stuck != y->stuck)
		return x->stuck < y->stuck ? 1 : -1;
	return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

static void add_up(struct why *why)
{
	int *slots = xalloc((HOLDER_MANY + 1) * (KIND_NR + 1), sizeof(*slots));
	uint32_t *count = xalloc(HOLDER_MANY + 1, sizeof(*count));

	why->block = xalloc(why->pages.nr, sizeof(*why->block));
	for (int i = 0; i < why->pages.nr; i++)
		add_up_block(why, &why->pages.w[i], slots, count);
	free(count);
	free(slots);
	if (why->nr_shares)
		qsort(why->share, why->nr_shares, sizeof(*why->share), by_weight);
}

/**
 * why_ask() - find out who holds what in a device's blocks
 * @why: the answer, to be given back with why_free()
 * @dev: the device
 *
 * Return: false if pages can't be looked at: not root, or a kernel without
 * /proc/kpageflags.
 */
bool why_ask(struct why *why, const struct device *dev)
{
	struct kpage kpage;
	struct refs refs;

	*why = (struct why){ .dev = dev };
	if (!kpage_open(&kpage))
		return false;
	if (!blocks_read(dev, &why->blocks)) {
		kpage_close(&kpage);
		return false;
	}
	details_read(dev, &why->blocks);
	why->available = memory_info("MemAvailable:");
	why->swap_free = memory_info("SwapFree:");
	holders_init(&why->holders);
	for (int i = 0; i < why->blocks.nr; i++)
		if (why->blocks.b[i].online)
			pages_add(&why->pages, &why->blocks.b[i]);
	if (why->pages.nr) {
		pages_index(&why->pages);
		refs_open(&refs);
		why->knows_pins = refs.kcore && kpage.count >= 0;
		pages_look(&why->pages, &kpage, &refs);
		why->knows_processes = procs_walk(&why->holders, &why->pages);
		/* Not before: as for pages_look()'s. */
		refs_close(&refs);
		tmpfs_name(&why->holders, &why->pages);
		why->knows_cgroups = cgroups_charge(&why->holders, &why->pages, &kpage);
		owner_read(&why->stacks, &why->pages);
		add_up(why);
	}
	kpage_close(&kpage);
	return true;
}

/* Give it back. */
void why_free(struct why *why)
{
	free(why->share);
	free(why->block);
	owner_free(&why->stacks);
	pages_free(&why->pages);
	holders_free(&why->holders);
	blocks_free(&why->blocks);
}
