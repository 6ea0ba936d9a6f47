// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests virtio_mem_known: all that a device tells is known right, and no range
 * is asked for twice.
 */
#include "virtio_mem_kunit.h"
#include "../virtio_mem_known.h"

#define BLOCKS	5000UL

/* A device, and the memory of what is known of it. */
static bool plugged[BLOCKS];
static u8 map[BLOCKS / 4 + 1];

static struct virtio_mem_known start(bool with_map, unsigned long nr)
{
	struct virtio_mem_known k = { .map = with_map ? map : NULL, .nr = nr };

	memset(map, 0, sizeof(map));
	return k;
}

/* Asks as a driver does; returns how many questions that took. */
static unsigned int learn(struct virtio_mem_known *k, unsigned long block)
{
	unsigned long first, nr = virtio_mem_known_range(k, block, &first), i, n;
	unsigned int questions = 0;

	for (;;) {
		questions++;
		for (i = first, n = 0; i < first + nr; i++)
			n += plugged[i];
		if (n == 0 || n == nr)
			break;
		nr = virtio_mem_known_half(block, &first, nr);
	}
	virtio_mem_known_keep(k, first, nr, n);
	return questions;
}

/* The aligned ranges of which all blocks are alike. */
static unsigned int alike(unsigned long first, unsigned long width, unsigned long nr)
{
	unsigned long i, n = 0, end = min(first + width, nr);

	if (first >= nr)
		return 0;
	for (i = first; i < end; i++)
		n += plugged[i];
	if (n == 0 || n == end - first)
		return 1;
	return alike(first, width / 2, nr) + alike(first + width / 2, width / 2, nr);
}

/* Looks at each block in order; returns how many questions that took. */
static unsigned int read_all(struct kunit *test, struct virtio_mem_known *k)
{
	unsigned int questions = 0;
	unsigned long i, bad = 0;

	for (i = 0; i < k->nr; i++) {
		if (!virtio_mem_known_get(k, i))
			questions += learn(k, i);
		bad += virtio_mem_known_get(k, i) !=
		       (plugged[i] ? VIRTIO_MEM_KNOWN_PLUGGED : VIRTIO_MEM_KNOWN_UNPLUGGED);
	}
	KUNIT_EXPECT_EQ(test, bad, 0UL);
	return questions;
}

static void one_question_where_all_are_alike(struct kunit *test)
{
	static const unsigned long sizes[] = { 1, 2, 3, 512, 4999, BLOCKS };
	struct virtio_mem_known k;
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		memset(plugged, i % 2, sizeof(plugged));
		k = start(true, sizes[i / 2]);
		KUNIT_EXPECT_EQ(test, read_all(test, &k), 1U);
	}
}

static void range_fits_into_a_question(struct kunit *test)
{
	struct virtio_mem_known k = { .nr = 1UL << 20 };
	unsigned long first;

	KUNIT_EXPECT_EQ(test, virtio_mem_known_range(&k, 100000, &first), 32768UL);
	KUNIT_EXPECT_EQ(test, first, 98304UL);
	KUNIT_EXPECT_LE(test, VIRTIO_MEM_KNOWN_RANGE, (unsigned long)U16_MAX);
}

static void range_ends_where_something_is_known(struct kunit *test)
{
	struct virtio_mem_known k = start(true, 1000);
	unsigned long first;

	virtio_mem_known_keep(&k, 64, 64, true);
	KUNIT_EXPECT_EQ(test, virtio_mem_known_range(&k, 10, &first), 64UL);
	KUNIT_EXPECT_EQ(test, first, 0UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_known_range(&k, 200, &first), 128UL);
	KUNIT_EXPECT_EQ(test, first, 128UL);
	/* Wider than what is left of the region. */
	KUNIT_EXPECT_EQ(test, virtio_mem_known_range(&k, 999, &first), 488UL);
	KUNIT_EXPECT_EQ(test, first, 512UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_known_half(999, &first, 488), 232UL);
	KUNIT_EXPECT_EQ(test, first, 768UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_known_half(800, &first, 232), 128UL);
	KUNIT_EXPECT_EQ(test, first, 768UL);
}

static void pieces_cost_what_they_are(struct kunit *test)
{
	struct virtio_mem_known k;
	struct vm_rnd rnd;
	unsigned int i, questions, pieces;
	unsigned long at;

	vm_rnd_init(test, &rnd);
	for (i = 0; i < 40; i++) {
		bool now = i & 1;

		for (at = 0; at < BLOCKS; now = !now) {
			unsigned long run = 1 + vm_rnd_below(&rnd, 1UL << (i % 12));

			for (; run && at < BLOCKS; run--)
				plugged[at++] = now;
		}
		k = start(true, BLOCKS - i);
		questions = read_all(test, &k);
		pieces = alike(0, 8192, k.nr);
		KUNIT_EXPECT_LT(test, questions, 2 * pieces);
		/* All is known now. */
		KUNIT_EXPECT_EQ(test, read_all(test, &k), 0U);
		/* Without memory for a map it is as right, if dearer. */
		k = start(false, BLOCKS - i);
		KUNIT_EXPECT_GE(test, read_all(test, &k), questions);
	}
}

static void any_order_is_right(struct kunit *test)
{
	struct virtio_mem_known k = start(true, BLOCKS);
	unsigned int questions = 0, pieces;
	unsigned long i, block, bad = 0;
	struct vm_rnd rnd;

	vm_rnd_init(test, &rnd);
	for (i = 0; i < BLOCKS; i++)
		plugged[i] = i / 100 % 3 == 1;
	pieces = alike(0, 8192, BLOCKS);
	for (i = 0; i < 20000; i++) {
		block = vm_rnd_below(&rnd, BLOCKS);
		if (!virtio_mem_known_get(&k, block))
			questions += learn(&k, block);
		bad += (virtio_mem_known_get(&k, block) == VIRTIO_MEM_KNOWN_PLUGGED) !=
		       plugged[block];
	}
	KUNIT_EXPECT_EQ(test, bad, 0UL);
	KUNIT_EXPECT_LT(test, questions, 2 * pieces);
}

static void doubt_lasts_until_another_block(struct kunit *test)
{
	struct virtio_mem_known k = start(true, BLOCKS);

	virtio_mem_known_doubt(&k, 7);
	KUNIT_EXPECT_EQ(test, (int)virtio_mem_known_get(&k, 7), (int)VIRTIO_MEM_KNOWN_UNPLUGGED);
	KUNIT_EXPECT_EQ(test, (int)virtio_mem_known_get(&k, 8), (int)VIRTIO_MEM_KNOWN_NOT);
	virtio_mem_known_keep(&k, 8, 1, true);
	KUNIT_EXPECT_EQ(test, (int)virtio_mem_known_get(&k, 7), (int)VIRTIO_MEM_KNOWN_NOT);
	KUNIT_EXPECT_EQ(test, (int)virtio_mem_known_get(&k, 8), (int)VIRTIO_MEM_KNOWN_PLUGGED);
}

static void map_is_large_enough(struct kunit *test)
{
	unsigned long nr;

	for (nr = 1; nr < 100; nr++)
		KUNIT_EXPECT_GE(test, 4 * virtio_mem_known_bytes(nr), nr);
	KUNIT_EXPECT_LE(test, virtio_mem_known_bytes(1UL << 19), (1UL << 17) + 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(one_question_where_all_are_alike),
	KUNIT_CASE(range_fits_into_a_question),
	KUNIT_CASE(range_ends_where_something_is_known),
	KUNIT_CASE(pieces_cost_what_they_are),
	KUNIT_CASE(any_order_is_right),
	KUNIT_CASE(doubt_lasts_until_another_block),
	KUNIT_CASE(map_is_large_enough),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_mem_known",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("Tests of virtio_mem_known");
MODULE_LICENSE("GPL");
