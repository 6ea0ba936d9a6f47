// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device's region in units in which it grows and shrinks: what each is now.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "iomem.h"
#include "kinds.h"
#include "kpage.h"
#include "memblocks.h"
#include "refs.h"
#include "sys.h"

static void look_at_linux(struct block *block, const struct ranges *added)
{
	uint64_t part = memblock_size();

	if (!ranges_inside(added, block->start, block->start + block->size))
		return;
	block->state = BLOCK_ADDED;
	if (!part || part > block->size)
		part = block->size;
	for (uint64_t at = 0; at < block->size; at += part) {
		enum memblock_state state = memblock_state(block->start + at);

		block->online += state >= MEMBLOCK_KERNEL ? part : 0;
		block->movable += state == MEMBLOCK_MOVABLE ? part : 0;
	}
}

static enum block_state state_of(const char *word)
{
	static const char *const words[] = { "UNUSED", "PLUGGED", "ADDED", "FAKE_OFFLINE" };

	for (int i = 0; i < 4; i++)
		if (!strcmp(word, words[i]))
			return i;
	return BLOCK_ADDED;
}

/*
 * debugfs of this project's driver: its states, and why a block stays. The first
 * six fields, as docs/ABI has them; more may follow.
 */
static void look_at_driver(const struct device *dev, struct blocks *blocks)
{
	FILE *file = sys_fopen("/sys/kernel/debug/virtio_mem/%s/blocks", dev->name);
	char line[512], state[32], cause[64];
	uint64_t first, last, at;

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "0x%" SCNx64 "-0x%" SCNx64 " %*u %31s %*s %*s %63s", &first, &last,
			   state, cause) != 4)
			continue;
		/* A look at all blocks for each line would take a while where they are many. */
		at = blocks->nr && first > blocks->b[0].start ?
		     (first - blocks->b[0].start + dev->unit - 1) / dev->unit : 0;
		for (; at < (uint64_t)blocks->nr && blocks->b[at].start <= last; at++) {
			struct block *block = &blocks->b[at];

			block->state = state_of(state);
			free(block->cause);
			block->cause = strcmp(cause, "-") ? xprintf("%s", cause) : NULL;
		}
	}
	fclose(file);
}

/**
 * blocks_read() - look at all blocks of a device
 * @dev: the device
 * @out: its whole blocks, lowest address first, to be given back
 *
 * Return: false if addresses can't be seen, as for who is not root.
 */
bool blocks_read(const struct device *dev, struct blocks *out)
{
	struct ranges added;
	uint64_t start, end;

	*out = (struct blocks){ 0 };
	if (dev->addr == UNKNOWN || dev->unit < PAGE_BYTES || !iomem_added(&added))
		return false;
	start = (dev->addr + dev->unit - 1) / dev->unit * dev->unit;
	end = (dev->addr + dev->region_size) / dev->unit * dev->unit;
	/* More than there can be: somebody tells nonsense. */
	if (end > start && (end - start) / dev->unit <= INT_MAX / 8)
		out->nr = (end - start) / dev->unit;
	out->b = xalloc(out->nr, sizeof(*out->b));
	for (int i = 0; i < out->nr; i++) {
		out->b[i] = (struct block){
			.start = start + i * dev->unit, .size = dev->unit,
			.free = UNKNOWN, .stuck = UNKNOWN,
		};
		look_at_linux(&out->b[i], &added);
	}
	free(added.r);
	if (dev->ours)
		look_at_driver(dev, out);
	return true;
}

/**
 * blocks_count_pages() - fill in what pages tell: free, and what can't be moved
 * @blocks: from blocks_read(); left as they are if we are not root
 * @pins: look for pinned pages, too, which takes several times as long
 */
void blocks_count_pages(struct blocks *blocks, bool pins)
{
	struct kpage kpage;
	struct refs refs;
	uint64_t *flags;
	uint8_t *kind;

	if (!kpage_open(&kpage))
		return;
	flags = xalloc(KPAGE_CHUNK, sizeof(*flags));
	kind = xalloc(KPAGE_CHUNK, sizeof(*kind));
	refs_open(&refs);
	for (int i = 0; i < blocks->nr; i++) {
		struct block *block = &blocks->b[i];
		uint64_t pfn = block->start / PAGE_BYTES, end = (block->start + block->size) / PAGE_BYTES;

		if (!block->online)
			continue;
		block->free = 0;
		block->stuck = 0;
		while (pfn < end) {
			int nr = kpage_read(kpage.flags, pfn, end - pfn, flags);

			if (nr <= 0)
				break;
			kinds_of(flags, nr, kind);
			refs_settle_kernel(&refs, &kpage, pfn, nr, flags, kind);
			if (pins)
				refs_find_pins(&refs, &kpage, pfn, nr, flags, kind);
			for (int j = 0; j < nr; j++) {
				block->free += kind[j] == KIND_FREE ? PAGE_BYTES : 0;
				block->stuck += kinds[kind[j]].stuck ? PAGE_BYTES : 0;
			}
			pfn += nr;
		}
	}
	refs_close(&refs);
	free(kind);
	free(flags);
	kpage_close(&kpage);
}

/* Return: a word for people and tools. */
const char *block_state_name(const struct block *block)
{
	switch (block->state) {
	case BLOCK_UNUSED:
		return "unused";
	case BLOCK_PLUGGED:
		return "plugged";
	case BLOCK_TAKEN:
		return "taken-back";
	default:
		return !block->online ? "offline" : block->online < block->size ? "mixed" : "online";
	}
}

/* Return: a word for people and tools; NULL if none of it is online. */
const char *block_zone_name(const struct block *block)
{
	if (!block->online)
		return NULL;
	if (!block->movable)
		return "kernel";
	return block->movable == block->online ? "movable" : "mixed";
}

/* Give it back. */
void blocks_free(struct blocks *blocks)
{
	for (int i = 0; i < blocks->nr; i++) {
		free(blocks->b[i].cause);
		free(blocks->b[i].details);
	}
	free(blocks->b);
	*blocks = (struct blocks){ 0 };
}
