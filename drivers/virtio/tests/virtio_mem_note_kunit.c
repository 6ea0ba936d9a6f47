// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests virtio_mem_note: last_error names the cause that is reported.
 */
#include "virtio_mem_kunit.h"
#include "../virtio_mem_note.h"

#define CAUSE(name)	VIRTIO_MEM_CAUSE_##name

static struct virtio_mem_notes n;

/* Not on the stack, because it is too large for a kernel's. */
static void begin(void)
{
	memset(&n, 0, sizeof(n));
}

static void shown_at_once(struct kunit *test)
{
	begin();
	virtio_mem_notes_add(&n, CAUSE(PINNED), "pinned");
	KUNIT_EXPECT_STREQ(test, n.shown, "pinned");
	virtio_mem_notes_add(&n, CAUSE(VETO), "veto");
	KUNIT_EXPECT_STREQ(test, n.shown, "veto");
	virtio_mem_notes_go_on(&n);
	KUNIT_EXPECT_STREQ(test, n.shown, "veto");
}

static void end_picks_reported(struct kunit *test)
{
	begin();
	virtio_mem_notes_add(&n, CAUSE(UNMOVABLE), "unmovable");
	virtio_mem_notes_add(&n, CAUSE(PINNED), "pinned");
	virtio_mem_notes_wait(&n, CAUSE(UNMOVABLE), "general");
	KUNIT_EXPECT_STREQ(test, n.shown, "unmovable");
}

static void end_without_message(struct kunit *test)
{
	begin();
	virtio_mem_notes_add(&n, CAUSE(PINNED), "pinned");
	virtio_mem_notes_wait(&n, CAUSE(NO_BB), "general");
	KUNIT_EXPECT_STREQ(test, n.shown, "general");
}

static void waiting_hides_others(struct kunit *test)
{
	begin();
	virtio_mem_notes_add(&n, CAUSE(HUGETLB), "hugetlb 1");
	virtio_mem_notes_wait(&n, CAUSE(HUGETLB), "general");
	virtio_mem_notes_pass(&n);
	virtio_mem_notes_add(&n, CAUSE(PINNED), "pinned");
	KUNIT_EXPECT_STREQ(test, n.shown, "hugetlb 1");
	/* A pass that has no message of the cause leaves the last one's. */
	virtio_mem_notes_wait(&n, CAUSE(HUGETLB), "general");
	KUNIT_EXPECT_STREQ(test, n.shown, "hugetlb 1");
	virtio_mem_notes_pass(&n);
	virtio_mem_notes_add(&n, CAUSE(HUGETLB), "hugetlb 2");
	KUNIT_EXPECT_STREQ(test, n.shown, "hugetlb 2");
	virtio_mem_notes_add(&n, CAUSE(PINNED), "pinned");
	virtio_mem_notes_wait(&n, CAUSE(PINNED), "general");
	KUNIT_EXPECT_STREQ(test, n.shown, "pinned");
}

static void old_messages_are_forgotten(struct kunit *test)
{
	begin();
	virtio_mem_notes_add(&n, CAUSE(PINNED), "pinned");
	virtio_mem_notes_wait(&n, CAUSE(PINNED), "general 1");
	virtio_mem_notes_pass(&n);
	virtio_mem_notes_wait(&n, CAUSE(PRESSURE), "general 2");
	KUNIT_EXPECT_STREQ(test, n.shown, "general 2");
	virtio_mem_notes_pass(&n);
	virtio_mem_notes_wait(&n, CAUSE(PINNED), "general 3");
	KUNIT_EXPECT_STREQ(test, n.shown, "general 3");
	/* A new request. */
	virtio_mem_notes_go_on(&n);
	virtio_mem_notes_wait(&n, CAUSE(PINNED), "general 4");
	KUNIT_EXPECT_STREQ(test, n.shown, "general 4");
}

static void without_cause(struct kunit *test)
{
	begin();
	virtio_mem_notes_wait(&n, CAUSE(PINNED), "general 1");
	virtio_mem_notes_pass(&n);
	virtio_mem_notes_add(&n, CAUSE(NONE), "stopped");
	KUNIT_EXPECT_STREQ(test, n.shown, "stopped");
	/* If it goes on waiting, why it does comes first. */
	virtio_mem_notes_wait(&n, CAUSE(PINNED), "general 2");
	KUNIT_EXPECT_STREQ(test, n.shown, "general 2");
}

static void long_message(struct kunit *test)
{
	char text[2 * VIRTIO_MEM_NOTE_LEN];

	begin();
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	virtio_mem_notes_add(&n, VIRTIO_MEM_CAUSE_NR - 1, text);
	virtio_mem_notes_wait(&n, VIRTIO_MEM_CAUSE_NR - 1, "general");
	KUNIT_EXPECT_EQ(test, strlen(n.shown), VIRTIO_MEM_NOTE_LEN - 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(shown_at_once),
	KUNIT_CASE(end_picks_reported),
	KUNIT_CASE(end_without_message),
	KUNIT_CASE(waiting_hides_others),
	KUNIT_CASE(old_messages_are_forgotten),
	KUNIT_CASE(without_cause),
	KUNIT_CASE(long_message),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_mem_note",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("Tests of virtio_mem_note");
MODULE_LICENSE("GPL");
