// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which pages are pinned: referenced more often than their mappings explain.
 *
 * Each mapping holds a reference, the page cache and the swap cache one a page,
 * and buffers one. Whatever is beyond that keeps the page where it is: I/O under
 * way, a pipe, io_uring's registered buffers, a device's DMA.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kcore.h"
#include "kinds.h"
#include "kpage.h"
#include "refs.h"
#include "sys.h"

#define MPOL_MF_MOVE 2
/* How many mappings of a huge page as a whole are thought of. */
#define WHOLE_MAPPINGS 64

/*
 * Pages wait in batches of each CPU, with a reference, until the batch is full.
 * This call asks for no page to be moved; the kernel empties the batches first.
 */
static void empty_batches(void)
{
	void *pages[1] = { NULL };
	int nodes[1] = { 0 }, status[1];

	syscall(SYS_move_pages, 0, 0UL, pages, nodes, status, MPOL_MF_MOVE);
}

/* Make ready for the functions below. */
void refs_open(struct refs *refs)
{
	empty_batches();
	refs->kcore = kcore_open();
	refs->count = xalloc(KPAGE_CHUNK, sizeof(*refs->count));
	refs->page = xalloc(KPAGE_CHUNK, sizeof(*refs->page));
	refs->again = xalloc(KPAGE_CHUNK, sizeof(*refs->again));
}

static bool may_be_pinned(uint8_t kind)
{
	return kind == KIND_ANON || kind == KIND_LOCKED || kind == KIND_KSM ||
	       kind == KIND_FILE || kind == KIND_TMPFS;
}

static bool is_kernels(uint8_t kind)
{
	return kind == KIND_KERNEL;
}

/* In pieces: nothing is read where no page is of a kind that @wanted wants. */
static bool read_pages(struct refs *refs, uint64_t pfn, int nr, const uint8_t *kind,
		       bool (*wanted)(uint8_t kind))
{
	for (int from = 0; from < nr; from += KINDS_ALIGN) {
		int end = from + KINDS_ALIGN < nr ? from + KINDS_ALIGN : nr, i = from;

		while (i < end && !wanted(kind[i]))
			i++;
		if (i < end && !kcore_pages(refs->kcore, pfn + from, end - from, refs->page + from))
			return false;
	}
	return true;
}

/*
 * Some kernels flag every anonymous page as KSM's; the bits of the mapping are
 * right. Without these there are no merged pages, rather than merged ones only.
 */
static uint8_t anon_kind(const struct refs *refs, uint64_t flags, int at)
{
	if (refs->kcore && refs->page[at].mapping == MAPPING_KSM)
		return KIND_KSM;
	return KPF(flags, MLOCKED) ? KIND_LOCKED : KIND_ANON;
}

/**
 * refs_settle_kernel() - tell what pages are of which flags say nothing
 * @refs: from refs_open()
 * @kpage: open files
 * @pfn: first page's number
 * @nr: how many pages, KPAGE_CHUNK at most
 * @flags: of each, as kinds_of() left them
 * @kind: of each; KIND_KERNEL may become something else
 *
 * A CPU keeps some free pages to itself: they are in no list of the zone's. They
 * are the next to be allocated, also by us: then flags and count don't fit.
 */
void refs_settle_kernel(struct refs *refs, struct kpage *kpage, uint64_t pfn, int nr,
			uint64_t *flags, uint8_t *kind)
{
	bool left = false;

	if (!refs->kcore || !read_pages(refs, pfn, nr, kind, is_kernels))
		return;
	for (int i = 0; i < nr; i++) {
		if (kind[i] != KIND_KERNEL)
			continue;
		if (refs->page[i].mapping == MAPPING_DRIVER)
			kind[i] = KIND_DRIVER;
		else if (!refs->page[i].refs)
			kind[i] = KIND_FREE;
		else
			left = true;
	}
	if (!left || kpage_read(kpage->flags, pfn, nr, refs->count) != nr)
		return;
	kinds_of(refs->count, nr, refs->again);
	for (int i = 0; i < nr; i++) {
		if (kind[i] != KIND_KERNEL)
			continue;
		kind[i] = refs->again[i];
		flags[i] = refs->count[i];
	}
}

/* Whether @have references are what @nr pages of one folio explain. */
static bool explained(const uint64_t *count, int nr, uint64_t flags, bool anon, int64_t have)
{
	int64_t sum = 0, least = INT64_MAX, caches;

	for (int i = 0; i < nr; i++) {
		sum += count[i];
		least = (int64_t)count[i] < least ? (int64_t)count[i] : least;
	}
	caches = anon ? (int)KPF(flags, SWAPCACHE) * nr : nr + (int)KPF(flags, PRIVATE);
	if (nr == 1)
		least = 0;
	/*
	 * A mapping of a huge page as a whole counts for each of its pages, but is
	 * one reference; how many of those there are is not known.
	 */
	for (int whole = 0; whole <= least && whole < WHOLE_MAPPINGS; whole++) {
		int64_t want = caches + sum - (int64_t)whole * (nr - 1);

		/* Not on a list: somebody has taken it off, with a reference. */
		if (have == want || (!KPF(flags, LRU) && have == want + 1))
			return true;
	}
	return have < caches;
}

static int folio_size(const uint64_t *flags, int nr, int at)
{
	int size = 1;

	if (KPF(flags[at], COMPOUND_HEAD))
		while (at + size < nr && KPF(flags[at + size], COMPOUND_TAIL))
			size++;
	return size;
}

static bool is_anon(uint8_t kind)
{
	return kind == KIND_ANON || kind == KIND_LOCKED || kind == KIND_KSM;
}

/* Whether a folio is pinned, as far as the numbers at hand tell; @ref: its head's. */
static bool is_pinned(bool have_ref, int32_t ref, const uint64_t *count, uint64_t flags,
		      int size, uint8_t kind)
{
	bool anon = is_anon(kind), mapped = false;

	if (have_ref)
		return !explained(count, size, flags, anon, ref);
	for (int i = 0; i < size; i++)
		mapped |= count[i] != 0;
	/* Nobody maps it, and it is not a swap cache's: something else holds it. */
	return anon && !mapped && !KPF(flags, SWAPCACHE);
}

/* The numbers of one folio again: what differs now was in motion, not pinned. */
static bool still_pinned(struct refs *refs, struct kpage *kpage, uint64_t pfn, int size,
			 uint8_t kind)
{
	uint64_t flags[KINDS_ALIGN], count[KINDS_ALIGN];
	uint8_t now[KINDS_ALIGN];
	struct kcore_page page = { 0 };

	if (size > KINDS_ALIGN)
		return false;
	if (kpage_read(kpage->flags, pfn, size, flags) != size ||
	    kpage_read(kpage->count, pfn, size, count) != size ||
	    (refs->kcore && !kcore_pages(refs->kcore, pfn, 1, &page)))
		return false;
	kinds_of(flags, size, now);
	/* Anonymous pages are of several kinds here, and of one by their flags. */
	return KPF(flags[0], ANON) == is_anon(kind) && folio_size(flags, size, 0) == size &&
	       (is_anon(kind) || now[0] == kind) &&
	       is_pinned(refs->kcore, page.refs, count, flags[0], size, kind);
}

/**
 * refs_find_pins() - tell which of adjacent pages are pinned
 * @refs: from refs_open()
 * @kpage: open files
 * @pfn: first page's number
 * @nr: how many pages, KPAGE_CHUNK at most
 * @flags: of each, as kinds_of() left them
 * @kind: of each; those that are pinned become KIND_PINNED
 */
void refs_find_pins(struct refs *refs, struct kpage *kpage, uint64_t pfn, int nr,
		    uint64_t *flags, uint8_t *kind)
{
	if (kpage_read(kpage->count, pfn, nr, refs->count) != nr)
		return;
	if (refs->kcore && !read_pages(refs, pfn, nr, kind, may_be_pinned))
		return;
	for (int i = 0; i < nr; i++)
		if (is_anon(kind[i]))
			kind[i] = anon_kind(refs, flags[i], i);
	for (int i = 0, size; i < nr; i += size) {
		size = folio_size(flags, nr, i);
		if (!may_be_pinned(kind[i]) || KPF(flags[i], COMPOUND_TAIL) ||
		    !is_pinned(refs->kcore, refs->page[i].refs, refs->count + i, flags[i], size,
			       kind[i]) ||
		    !still_pinned(refs, kpage, pfn + i, size, kind[i]))
			continue;
		for (int j = 0; j < size; j++)
			kind[i + j] = KIND_PINNED;
	}
}

/* Give it back. */
void refs_close(struct refs *refs)
{
	kcore_close(refs->kcore);
	free(refs->count);
	free(refs->page);
	free(refs->again);
}
