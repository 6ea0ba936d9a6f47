// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests virtio_mem_cause: the causes of a big block, and all words.
 */
#include "virtio_mem_kunit.h"
#include "../virtio_mem_cause.h"

#define CAUSE(name)	VIRTIO_MEM_CAUSE_##name

static void words_for_every_cause(struct kunit *test)
{
	unsigned int i, j;

	for (i = 0; i < VIRTIO_MEM_CAUSE_NR; i++) {
		const char *token = virtio_mem_cause_token(i);

		KUNIT_ASSERT_NOT_NULL(test, token);
		KUNIT_ASSERT_NOT_NULL(test, virtio_mem_cause_text(i));
		KUNIT_EXPECT_TRUE(test, *token &&
				  !strpbrk(token, " \t\n=,:"));
		KUNIT_EXPECT_TRUE(test, strlen(virtio_mem_cause_text(i)) > 3);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_TRUE(test,
					  strcmp(token,
						 virtio_mem_cause_token(j)));
	}
	KUNIT_EXPECT_STREQ(test, virtio_mem_cause_token(CAUSE(NR)), "?");
	KUNIT_EXPECT_STREQ(test, virtio_mem_cause_text(CAUSE(NR)), "?");
}

/* Scripts look for these tokens, so a change here changes the ABI. */
static void tokens_stay_as_they_are(struct kunit *test)
{
	static const char *const want[] = {
		[CAUSE(NONE)] = "-",
		[CAUSE(DEV_NACK)] = "nack",
		[CAUSE(DEV_ERROR)] = "error",
		[CAUSE(NOMEM)] = "nomem",
		[CAUSE(ADD_FAILED)] = "add-failed",
		[CAUSE(UNMOVABLE)] = "unmovable",
		[CAUSE(HUGETLB)] = "hugetlb",
		[CAUSE(PINNED)] = "pinned",
		[CAUSE(VETO)] = "veto",
		[CAUSE(DEADLINE)] = "deadline",
		[CAUSE(KEPT_ONLINE)] = "kept-online",
		[CAUSE(FOREIGN)] = "foreign",
		[CAUSE(HOTPLUG)] = "hotplug",
		[CAUSE(OUTSIDE)] = "outside",
		[CAUSE(INTERRUPTED)] = "interrupted",
		[CAUSE(PRESSURE)] = "pressure",
		[CAUSE(DEV_BUSY)] = "busy",
		[CAUSE(DEV_SILENT)] = "no-answer",
		[CAUSE(ONLINE_LIMIT)] = "online-limit",
		[CAUSE(NO_BB)] = "no-block",
	};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(want), (size_t)VIRTIO_MEM_CAUSE_NR);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		KUNIT_EXPECT_STREQ(test, virtio_mem_cause_token(i), want[i]);
}

static void which_causes_a_big_block_can_keep(struct kunit *test)
{
	static const enum virtio_mem_cause of_the_device[] = {
		CAUSE(PRESSURE), CAUSE(DEV_BUSY), CAUSE(DEV_SILENT),
		CAUSE(ONLINE_LIMIT), CAUSE(NO_BB),
	};
	unsigned int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(of_the_device); i++)
		KUNIT_EXPECT_FALSE(test,
				   virtio_mem_cause_is_block(of_the_device[i]));
	for (i = 0; i < VIRTIO_MEM_CAUSE_NR; i++)
		nr += virtio_mem_cause_is_block(i);
	KUNIT_EXPECT_EQ(test, nr + ARRAY_SIZE(of_the_device),
			(size_t)VIRTIO_MEM_CAUSE_NR);
	/* A cause has four bits of the table's byte. */
	KUNIT_EXPECT_LE(test, nr, 16U);
	KUNIT_EXPECT_FALSE(test, virtio_mem_cause_is_block(CAUSE(NR)));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(words_for_every_cause),
	KUNIT_CASE(tokens_stay_as_they_are),
	KUNIT_CASE(which_causes_a_big_block_can_keep),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_mem_cause",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("Tests of virtio_mem_cause");
MODULE_LICENSE("GPL");
