// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PURE: what a kdump kernel knows of the device's blocks, and which of them it
 * asks for next.
 *
 * A question is about an aligned range of a power of two of blocks, and an
 * answer MIXED halves the range.  A range with a block that is known already is
 * not asked for, because it was MIXED before.  So with a map no range is asked
 * for twice, and the questions are fewer than twice the aligned ranges that are
 * all plugged or all unplugged.
 */
#include "virtio_mem_known.h"

/**
 * virtio_mem_known_bytes() - how much memory the map takes
 * @nr: device blocks
 *
 * Return: bytes.
 */
unsigned long virtio_mem_known_bytes(unsigned long nr)
{
	return nr / 4 + 1;
}

static enum virtio_mem_knowledge look(const struct virtio_mem_known *k,
				      unsigned long block)
{
	return k->map ? k->map[block / 4] >> (block % 4 * 2) & 3 :
			VIRTIO_MEM_KNOWN_NOT;
}

/**
 * virtio_mem_known_get() - what is known of a block
 * @k: what is known
 * @block: device block, less than @k->nr
 *
 * Return: what is known of it.
 */
enum virtio_mem_knowledge
virtio_mem_known_get(const struct virtio_mem_known *k, unsigned long block)
{
	if (block - k->first < k->last)
		return k->plugged ? VIRTIO_MEM_KNOWN_PLUGGED :
				    VIRTIO_MEM_KNOWN_UNPLUGGED;
	return look(k, block);
}

static bool any_known(const struct virtio_mem_known *k, unsigned long first,
		      unsigned long nr)
{
	unsigned long i;

	for (i = first; i < first + nr && i < k->nr; i++)
		if (look(k, i))
			return true;
	return false;
}

/**
 * virtio_mem_known_range() - which blocks to ask for
 * @k: what is known; not @block
 * @block: device block, less than @k->nr
 * @first: gets the first block of the range
 *
 * Return: how many blocks; the range is the widest one with @block of which
 * nothing is known.
 */
unsigned long virtio_mem_known_range(const struct virtio_mem_known *k,
				     unsigned long block, unsigned long *first)
{
	unsigned long nr = 1, half;

	*first = block;
	while (nr < VIRTIO_MEM_KNOWN_RANGE && nr < k->nr) {
		/* The other half of the next wider range. */
		half = *first ^ nr;
		if (any_known(k, half, nr))
			break;
		*first = min(*first, half);
		nr *= 2;
	}
	return min(nr, k->nr - *first);
}

/**
 * virtio_mem_known_half() - go on with half of a range that is MIXED
 * @block: the device block that matters
 * @first: first block of the range; gets that of the half
 * @nr: blocks of the range, more than one
 *
 * Return: how many blocks of the range to ask for now.
 */
unsigned long virtio_mem_known_half(unsigned long block, unsigned long *first,
				    unsigned long nr)
{
	/* At the end of the region the range may be no power of two. */
	unsigned long half = roundup_pow_of_two(nr) / 2;

	if (block < *first + half)
		return half;
	*first += half;
	return nr - half;
}

/**
 * virtio_mem_known_keep() - take in what the device has told
 * @k: what is known
 * @first: first device block
 * @nr: how many
 * @plugged: whether all of them are plugged; else none of them is
 */
void virtio_mem_known_keep(struct virtio_mem_known *k, unsigned long first,
			   unsigned long nr, bool plugged)
{
	u8 bits = plugged ? VIRTIO_MEM_KNOWN_PLUGGED : VIRTIO_MEM_KNOWN_UNPLUGGED;
	unsigned long i;

	for (i = first; k->map && i < first + nr; i++) {
		k->map[i / 4] &= ~(3 << (i % 4 * 2));
		k->map[i / 4] |= bits << (i % 4 * 2);
	}
	k->first = first;
	k->last = nr;
	k->plugged = plugged;
}

/**
 * virtio_mem_known_doubt() - a block of which the device tells nothing
 * @k: what is known
 * @block: device block
 *
 * It counts as unplugged until another block is asked for.
 */
void virtio_mem_known_doubt(struct virtio_mem_known *k, unsigned long block)
{
	k->first = block;
	k->last = 1;
	k->plugged = false;
}
