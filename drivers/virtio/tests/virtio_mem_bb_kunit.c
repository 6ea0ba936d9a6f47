// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests virtio_mem_bb: every edge of the state machine, growth, causes,
 * iteration; and all of it at random against a naive table.
 */
#include "virtio_mem_kunit.h"
#include "../virtio_mem_bb.h"

#define UNUSED		VIRTIO_MEM_BB_UNUSED
#define PLUGGED		VIRTIO_MEM_BB_PLUGGED
#define ADDED		VIRTIO_MEM_BB_ADDED
#define FAKE_OFFLINE	VIRTIO_MEM_BB_FAKE_OFFLINE
#define NR_STATES	VIRTIO_MEM_BB_NR_STATES

#define ADD_FAILED	VIRTIO_MEM_CAUSE_ADD_FAILED
#define DEV_ERROR	VIRTIO_MEM_CAUSE_DEV_ERROR
#define FOREIGN		VIRTIO_MEM_CAUSE_FOREIGN
#define VETO		VIRTIO_MEM_CAUSE_VETO

/* The edges of the diagram in virtio_mem_bb.h, as a list. */
static const struct {
	enum virtio_mem_bb_state from, to;
} edges[] = {
	{ UNUSED, PLUGGED },
	{ PLUGGED, UNUSED },
	{ PLUGGED, ADDED },
	{ ADDED, FAKE_OFFLINE },
	{ FAKE_OFFLINE, ADDED },
	{ FAKE_OFFLINE, PLUGGED },
};

static bool is_edge(unsigned int from, unsigned int to)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(edges); i++)
		if (edges[i].from == from && edges[i].to == to)
			return true;
	return false;
}

static void table_init(struct kunit *test, struct virtio_mem_bbt *t,
		       unsigned long nr)
{
	u8 *buf = kunit_kzalloc(test, nr, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	memset(t, 0, sizeof(*t));
	/* The table must not depend on a fresh buffer's contents. */
	memset(buf, 0xa5, nr);
	KUNIT_ASSERT_TRUE(test, !virtio_mem_bbt_replace(t, buf, nr));
	KUNIT_ASSERT_EQ(test, virtio_mem_bbt_extend(t, nr), 0);
}

/* Brings an UNUSED big block into a state, as a driver would. */
static void walk(struct kunit *test, struct virtio_mem_bbt *t,
		 unsigned long id, enum virtio_mem_bb_state state)
{
	enum virtio_mem_bb_state s;

	for (s = PLUGGED; s <= state; s++)
		KUNIT_ASSERT_EQ(test, virtio_mem_bbt_set(t, id, s), 0);
}

static void expect_counts(struct kunit *test, const struct virtio_mem_bbt *t)
{
	unsigned long count[NR_STATES] = {}, quarantined = 0, id;
	enum virtio_mem_bb_state s;

	for (id = 0; id < t->nr; id++) {
		count[virtio_mem_bbt_state(t, id)]++;
		quarantined += virtio_mem_bbt_is_quarantined(t, id);
	}
	for (s = UNUSED; s < NR_STATES; s++)
		KUNIT_EXPECT_EQ(test, t->count[s], count[s]);
	KUNIT_EXPECT_EQ(test, t->quarantined, quarantined);
}

static void edges_and_no_others(struct kunit *test)
{
	struct virtio_mem_bbt t;
	unsigned int from, to, id = 0;

	table_init(test, &t, NR_STATES * (NR_STATES + 2));
	for (from = UNUSED; from < NR_STATES; from++) {
		for (to = UNUSED; to < NR_STATES + 2; to++, id++) {
			bool edge = is_edge(from, to);

			KUNIT_EXPECT_EQ_MSG(test, virtio_mem_bb_may(from, to),
					    edge, "(%u to %u)", from, to);
			walk(test, &t, id, from);
			KUNIT_EXPECT_EQ_MSG(test,
					    virtio_mem_bbt_set(&t, id, to),
					    edge ? 0 : -EINVAL, "(%u to %u)",
					    from, to);
			KUNIT_EXPECT_EQ(test, virtio_mem_bbt_state(&t, id),
					edge ? to : from);
			expect_counts(test, &t);
		}
	}
	KUNIT_EXPECT_FALSE(test, virtio_mem_bb_may(NR_STATES, UNUSED));
	KUNIT_EXPECT_FALSE(test, virtio_mem_bb_may(UINT_MAX, PLUGGED));
}

static void an_illegal_edge_changes_nothing(struct kunit *test)
{
	struct virtio_mem_bbt t, before;
	u8 entries[4];

	table_init(test, &t, sizeof(entries));
	walk(test, &t, 1, ADDED);
	virtio_mem_bbt_set_cause(&t, 1, VIRTIO_MEM_CAUSE_PINNED);
	virtio_mem_bbt_set_tried(&t, 1);
	before = t;
	memcpy(entries, t.entry, sizeof(entries));

	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_set(&t, 1, UNUSED), -EINVAL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_set(&t, 1, ADDED), -EINVAL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_set(&t, 4, PLUGGED), -EINVAL);
	KUNIT_EXPECT_MEMEQ(test, &t, &before, sizeof(t));
	KUNIT_EXPECT_MEMEQ(test, t.entry, entries, sizeof(entries));
}

static void unknown_big_blocks(struct kunit *test)
{
	struct virtio_mem_bbt t;
	unsigned long id;

	table_init(test, &t, 2);
	for (id = 2; id; id = id == 2 ? ULONG_MAX : 0) {
		KUNIT_EXPECT_EQ(test, virtio_mem_bbt_state(&t, id), UNUSED);
		KUNIT_EXPECT_EQ(test, virtio_mem_bbt_cause(&t, id),
				VIRTIO_MEM_CAUSE_NONE);
		KUNIT_EXPECT_FALSE(test, virtio_mem_bbt_is_quarantined(&t, id));
		KUNIT_EXPECT_FALSE(test, virtio_mem_bbt_tried(&t, id));
		KUNIT_EXPECT_EQ(test, virtio_mem_bbt_set_tried(&t, id),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, virtio_mem_bbt_set_cause(&t, id, VETO),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, virtio_mem_bbt_quarantine(&t, id, VETO),
				-EINVAL);
	}
	KUNIT_EXPECT_EQ(test, t.quarantined, 0UL);
}

static void names(struct kunit *test)
{
	static const char *const want[] = {
		"UNUSED", "PLUGGED", "ADDED", "FAKE_OFFLINE"
	};
	enum virtio_mem_bb_state s;

	for (s = UNUSED; s < NR_STATES; s++)
		KUNIT_EXPECT_STREQ(test, virtio_mem_bb_name(s), want[s]);
	KUNIT_EXPECT_STREQ(test, virtio_mem_bb_name(NR_STATES), "?");
}

static void growth(struct kunit *test)
{
	struct virtio_mem_bbt t = {};
	u8 *small = kunit_kzalloc(test, 4, GFP_KERNEL);
	u8 *large = kunit_kzalloc(test, 64, GFP_KERNEL);
	unsigned long id;

	KUNIT_ASSERT_NOT_NULL(test, small);
	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_extend(&t, 0), 0);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_extend(&t, 1), -ENOSPC);
	KUNIT_EXPECT_NULL(test, virtio_mem_bbt_replace(&t, small, 4));
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_extend(&t, 3), 0);
	walk(test, &t, 0, PLUGGED);
	walk(test, &t, 1, ADDED);
	walk(test, &t, 2, FAKE_OFFLINE);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_extend(&t, 2), 0);
	KUNIT_EXPECT_EQ(test, t.nr, 3UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_extend(&t, 5), -ENOSPC);
	KUNIT_EXPECT_EQ(test, t.nr, 3UL);

	/* A buffer that is too small comes back. */
	KUNIT_EXPECT_PTR_EQ(test, virtio_mem_bbt_replace(&t, large, 2), large);
	KUNIT_EXPECT_PTR_EQ(test, t.entry, small);
	KUNIT_EXPECT_EQ(test, t.capacity, 4UL);

	memset(large, 0xff, 64);
	KUNIT_EXPECT_PTR_EQ(test, virtio_mem_bbt_replace(&t, large, 64), small);
	memset(small, 0xff, 4);
	KUNIT_EXPECT_EQ(test, t.capacity, 64UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_extend(&t, 64), 0);
	for (id = 0; id < 64; id++)
		KUNIT_EXPECT_EQ(test, virtio_mem_bbt_state(&t, id),
				id < 3 ? id + 1 : UNUSED);
	KUNIT_EXPECT_EQ(test, t.quarantined, 0UL);
	expect_counts(test, &t);
}

static void causes_of_a_big_block(struct kunit *test)
{
	struct virtio_mem_bbt t;
	unsigned int cause;

	table_init(test, &t, 3);
	walk(test, &t, 1, ADDED);
	for (cause = 0; virtio_mem_cause_is_block(cause); cause++) {
		KUNIT_EXPECT_EQ(test, virtio_mem_bbt_set_cause(&t, 1, cause),
				0);
		KUNIT_EXPECT_EQ(test, virtio_mem_bbt_cause(&t, 1), cause);
		KUNIT_EXPECT_EQ(test, virtio_mem_bbt_state(&t, 1), ADDED);
		KUNIT_EXPECT_FALSE(test, virtio_mem_bbt_is_quarantined(&t, 1));
		KUNIT_EXPECT_FALSE(test, virtio_mem_bbt_tried(&t, 1));
	}
	for (; cause <= VIRTIO_MEM_CAUSE_NR; cause++) {
		KUNIT_EXPECT_EQ(test, virtio_mem_bbt_set_cause(&t, 1, cause),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, virtio_mem_bbt_quarantine(&t, 1, cause),
				-EINVAL);
	}
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_cause(&t, 1),
			VIRTIO_MEM_CAUSE_INTERRUPTED);
	KUNIT_EXPECT_EQ(test, t.quarantined, 0UL);

	/*
	 * A new state clears the cause, unless the big block is in quarantine.
	 */
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_set_tried(&t, 1), 0);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_set(&t, 1, FAKE_OFFLINE), 0);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_cause(&t, 1),
			VIRTIO_MEM_CAUSE_NONE);
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_tried(&t, 1));
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_quarantine(&t, 1, ADD_FAILED), 0);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_set(&t, 1, PLUGGED), 0);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_cause(&t, 1),
			ADD_FAILED);
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_is_quarantined(&t, 1));
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_tried(&t, 1));
	expect_counts(test, &t);
}

static void quarantine_and_release(struct kunit *test)
{
	struct virtio_mem_bbt t;
	unsigned long first;

	table_init(test, &t, 4);
	virtio_mem_bbt_quarantine(&t, 0, DEV_ERROR);
	virtio_mem_bbt_quarantine(&t, 0, ADD_FAILED);
	virtio_mem_bbt_quarantine(&t, 1, DEV_ERROR);
	virtio_mem_bbt_set_tried(&t, 1);
	virtio_mem_bbt_set_cause(&t, 2, DEV_ERROR);
	KUNIT_EXPECT_EQ(test, t.quarantined, 2UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, UNUSED, 4, 4, &first),
			2UL);
	KUNIT_EXPECT_EQ(test, first, 2UL);

	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_release(&t, FOREIGN), 0UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_release(&t, DEV_ERROR), 1UL);
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_is_quarantined(&t, 0));
	KUNIT_EXPECT_FALSE(test, virtio_mem_bbt_is_quarantined(&t, 1));
	KUNIT_EXPECT_FALSE(test, virtio_mem_bbt_tried(&t, 1));
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_cause(&t, 1),
			VIRTIO_MEM_CAUSE_NONE);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_cause(&t, 2),
			DEV_ERROR);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, UNUSED, 4, 4, &first),
			3UL);
	KUNIT_EXPECT_EQ(test, first, 1UL);

	/* A PLUGGED big block stays, because it has to be unplugged first. */
	walk(test, &t, 1, PLUGGED);
	virtio_mem_bbt_quarantine(&t, 1, DEV_ERROR);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_release(&t, DEV_ERROR), 0UL);
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_is_quarantined(&t, 1));
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_set(&t, 1, UNUSED), 0);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_release(&t, DEV_ERROR), 1UL);
	expect_counts(test, &t);
}

static void run_is_the_lowest_and_bounded(struct kunit *test)
{
	struct virtio_mem_bbt t;
	unsigned long first = 77;

	/* 0 and 1 UNUSED, 2 to 4 PLUGGED, 5 ADDED, 6 PLUGGED, 7 UNUSED */
	table_init(test, &t, 8);
	walk(test, &t, 2, PLUGGED);
	walk(test, &t, 3, PLUGGED);
	walk(test, &t, 4, PLUGGED);
	walk(test, &t, 5, ADDED);
	walk(test, &t, 6, PLUGGED);

	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, FAKE_OFFLINE, ULONG_MAX,
						 9, &first), 0UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, PLUGGED, 8, 0, &first),
			0UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, PLUGGED, 2, 9, &first),
			0UL);
	KUNIT_EXPECT_EQ(test, first, 77UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, PLUGGED, ULONG_MAX, 9,
						 &first), 3UL);
	KUNIT_EXPECT_EQ(test, first, 2UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, PLUGGED, 8, 2, &first),
			2UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, PLUGGED, 3, 9, &first),
			1UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, ADDED, 8, 9, &first), 1UL);
	KUNIT_EXPECT_EQ(test, first, 5UL);

	/* Only UNUSED goes on beyond the end of the table. */
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, UNUSED, 20, 99, &first),
			2UL);
	KUNIT_EXPECT_EQ(test, first, 0UL);
	walk(test, &t, 0, PLUGGED);
	walk(test, &t, 1, PLUGGED);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, UNUSED, 20, 99, &first),
			13UL);
	KUNIT_EXPECT_EQ(test, first, 7UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, UNUSED, 20, 4, &first),
			4UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, UNUSED, 7, 4, &first),
			0UL);
}

static void tried_and_quarantine_are_passed_over(struct kunit *test)
{
	struct virtio_mem_bbt t;
	unsigned long first, id;

	table_init(test, &t, 6);
	for (id = 0; id < 6; id++)
		walk(test, &t, id, PLUGGED);
	virtio_mem_bbt_set_tried(&t, 0);
	virtio_mem_bbt_set_tried(&t, 3);
	virtio_mem_bbt_quarantine(&t, 1, ADD_FAILED);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, PLUGGED, 6, 6, &first),
			1UL);
	KUNIT_EXPECT_EQ(test, first, 2UL);

	for (id = 0; id < 6; id++)
		virtio_mem_bbt_set(&t, id, ADDED);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, ADDED, 6, 6, &first), 1UL);
	KUNIT_EXPECT_EQ(test, first, 2UL);
	id = ULONG_MAX;
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_prev(&t, ADDED, &id));
	KUNIT_EXPECT_EQ(test, id, 5UL);
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_prev(&t, ADDED, &id));
	KUNIT_EXPECT_EQ(test, id, 4UL);
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_prev(&t, ADDED, &id));
	KUNIT_EXPECT_EQ(test, id, 2UL);
	KUNIT_EXPECT_FALSE(test, virtio_mem_bbt_prev(&t, ADDED, &id));
	KUNIT_EXPECT_EQ(test, id, 2UL);

	virtio_mem_bbt_clear_tried(&t);
	KUNIT_EXPECT_FALSE(test, virtio_mem_bbt_tried(&t, 0));
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_is_quarantined(&t, 1));
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_cause(&t, 1),
			ADD_FAILED);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, ADDED, 6, 6, &first), 1UL);
	KUNIT_EXPECT_EQ(test, first, 0UL);
}

static void quarantined_ones_hide_nobody(struct kunit *test)
{
	struct virtio_mem_bbt t;
	unsigned long first, id = 77;

	/* 0 UNUSED, 1 to 3 PLUGGED, 4 ADDED */
	table_init(test, &t, 5);
	for (first = 1; first < 5; first++)
		walk(test, &t, first, first < 4 ? PLUGGED : ADDED);
	KUNIT_EXPECT_FALSE(test,
			   virtio_mem_bbt_quarantined(&t, PLUGGED, 5, &id));
	virtio_mem_bbt_quarantine(&t, 0, ADD_FAILED);
	virtio_mem_bbt_quarantine(&t, 4, FOREIGN);
	KUNIT_EXPECT_FALSE(test,
			   virtio_mem_bbt_quarantined(&t, PLUGGED, 5, &id));
	KUNIT_EXPECT_EQ(test, id, 77UL);
	virtio_mem_bbt_quarantine(&t, 1, ADD_FAILED);
	virtio_mem_bbt_quarantine(&t, 3, ADD_FAILED);
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_quarantined(&t, PLUGGED,
							   ULONG_MAX, &id));
	KUNIT_EXPECT_EQ(test, id, 1UL);
	KUNIT_EXPECT_FALSE(test,
			   virtio_mem_bbt_quarantined(&t, PLUGGED, 1, &id));
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_quarantined(&t, ADDED, 5, &id));
	KUNIT_EXPECT_EQ(test, id, 4UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_run(&t, PLUGGED, 5, 5, &first),
			1UL);
	KUNIT_EXPECT_EQ(test, first, 2UL);
	/*
	 * A big block whose UNPLUG has failed does not hide the next, either.
	 */
	virtio_mem_bbt_set_tried(&t, 1);
	KUNIT_EXPECT_TRUE(test,
			  virtio_mem_bbt_quarantined(&t, PLUGGED, 5, &id));
	KUNIT_EXPECT_EQ(test, id, 3UL);
}

static void causes_are_forgotten_but_of_quarantine(struct kunit *test)
{
	struct virtio_mem_bbt t;

	table_init(test, &t, 3);
	walk(test, &t, 1, ADDED);
	virtio_mem_bbt_set_cause(&t, 1, VETO);
	virtio_mem_bbt_set_tried(&t, 1);
	virtio_mem_bbt_quarantine(&t, 2, FOREIGN);
	virtio_mem_bbt_forget_causes(&t);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_cause(&t, 1),
			VIRTIO_MEM_CAUSE_NONE);
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_tried(&t, 1));
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_state(&t, 1), ADDED);
	KUNIT_EXPECT_EQ(test, virtio_mem_bbt_cause(&t, 2), FOREIGN);
	KUNIT_EXPECT_TRUE(test, virtio_mem_bbt_is_quarantined(&t, 2));
	expect_counts(test, &t);
}

/* The naive table: one struct per big block, and a loop for every answer. */
struct naive {
	enum virtio_mem_bb_state state;
	enum virtio_mem_cause cause;
	bool tried;
	bool quarantined;
};

#define NAIVE_NR	24

static bool naive_pickable(const struct naive *n, unsigned long nr,
			   unsigned long id, enum virtio_mem_bb_state state)
{
	if (id >= nr)
		return state == UNUSED;
	return n[id].state == state && !n[id].tried && !n[id].quarantined;
}

static void naive_change(struct kunit *test, struct virtio_mem_bbt *t,
			 struct naive *n, struct vm_rnd *r)
{
	unsigned long id = vm_rnd_below(r, t->nr + 1), i;
	unsigned int arg = vm_rnd_below(r, VIRTIO_MEM_CAUSE_NR);
	bool known = id < t->nr;
	int rc;

	switch (vm_rnd_below(r, 16)) {
	case 0:
		virtio_mem_bbt_extend(t, min(t->nr + 1, t->capacity));
		return;
	case 1:
		virtio_mem_bbt_clear_tried(t);
		for (i = 0; i < NAIVE_NR; i++)
			n[i].tried = false;
		return;
	case 2:
		virtio_mem_bbt_release(t, arg);
		for (i = 0; i < NAIVE_NR; i++)
			if (n[i].quarantined && n[i].cause == arg &&
			    n[i].state != PLUGGED)
				n[i] = (struct naive){ .state = n[i].state };
		return;
	case 3:
	case 4:
		rc = virtio_mem_bbt_set_tried(t, id);
		KUNIT_ASSERT_EQ(test, rc, known ? 0 : -EINVAL);
		if (known)
			n[id].tried = true;
		return;
	case 5:
	case 6:
		known = known && virtio_mem_cause_is_block(arg);
		rc = virtio_mem_bbt_set_cause(t, id, arg);
		KUNIT_ASSERT_EQ(test, rc, known ? 0 : -EINVAL);
		if (known)
			n[id].cause = arg;
		return;
	case 7:
		known = known && virtio_mem_cause_is_block(arg);
		rc = virtio_mem_bbt_quarantine(t, id, arg);
		KUNIT_ASSERT_EQ(test, rc, known ? 0 : -EINVAL);
		if (known) {
			n[id].cause = arg;
			n[id].quarantined = true;
		}
		return;
	}
	arg %= NR_STATES;
	known = known && is_edge(n[id].state, arg);
	rc = virtio_mem_bbt_set(t, id, arg);
	KUNIT_ASSERT_EQ(test, rc, known ? 0 : -EINVAL);
	if (!known)
		return;
	n[id].state = arg;
	if (!n[id].quarantined)
		n[id].cause = VIRTIO_MEM_CAUSE_NONE;
}

static void naive_expect_run(struct kunit *test, const struct virtio_mem_bbt *t,
			     const struct naive *n, struct vm_rnd *r)
{
	enum virtio_mem_bb_state state = vm_rnd_below(r, NR_STATES);
	unsigned long end = vm_rnd_below(r, NAIVE_NR + 4);
	unsigned long max = vm_rnd_below(r, 6);
	unsigned long first = 0, want = 0, want_first = 0, id;

	while (max && want_first < end &&
	       !naive_pickable(n, t->nr, want_first, state))
		want_first++;
	while (want < max && want_first + want < end &&
	       naive_pickable(n, t->nr, want_first + want, state))
		want++;
	KUNIT_ASSERT_EQ(test, virtio_mem_bbt_run(t, state, end, max, &first),
			want);
	if (want)
		KUNIT_ASSERT_EQ(test, first, want_first);

	if (state == UNUSED)
		return;
	id = ULONG_MAX;
	for (want = t->nr; want--;) {
		if (!naive_pickable(n, t->nr, want, state))
			continue;
		KUNIT_ASSERT_TRUE(test, virtio_mem_bbt_prev(t, state, &id));
		KUNIT_ASSERT_EQ(test, id, want);
	}
	KUNIT_ASSERT_FALSE(test, virtio_mem_bbt_prev(t, state, &id));
}

static void naive_expect_quarantined(struct kunit *test,
				     const struct virtio_mem_bbt *t,
				     const struct naive *n, struct vm_rnd *r)
{
	enum virtio_mem_bb_state state = vm_rnd_below(r, NR_STATES);
	unsigned long end = vm_rnd_below(r, NAIVE_NR + 4);
	unsigned long want = 0, id = 0;
	bool found;

	while (want < min(end, t->nr) &&
	       (n[want].state != state || n[want].tried ||
		!n[want].quarantined))
		want++;
	found = virtio_mem_bbt_quarantined(t, state, end, &id);
	KUNIT_ASSERT_EQ(test, found, want < min(end, t->nr));
	if (found)
		KUNIT_ASSERT_EQ(test, id, want);
}

static void random_against_a_naive_table(struct kunit *test)
{
	struct naive *n = kunit_kzalloc(test, NAIVE_NR * sizeof(*n),
					GFP_KERNEL);
	struct virtio_mem_bbt t = {};
	unsigned int round;
	unsigned long id;
	struct vm_rnd r;

	KUNIT_ASSERT_NOT_NULL(test, n);
	vm_rnd_init(test, &r);
	table_init(test, &t, NAIVE_NR);
	/* The table starts small, so that it also grows during the test. */
	t.count[UNUSED] = 0;
	t.nr = 0;
	for (round = 0; round < 20000; round++) {
		naive_change(test, &t, n, &r);
		for (id = 0; id < t.nr; id++) {
			KUNIT_ASSERT_EQ(test, virtio_mem_bbt_state(&t, id),
					n[id].state);
			KUNIT_ASSERT_EQ(test, virtio_mem_bbt_cause(&t, id),
					n[id].cause);
			KUNIT_ASSERT_EQ(test, virtio_mem_bbt_tried(&t, id),
					n[id].tried);
			KUNIT_ASSERT_EQ(test,
					virtio_mem_bbt_is_quarantined(&t, id),
					n[id].quarantined);
		}
		expect_counts(test, &t);
		naive_expect_run(test, &t, n, &r);
		naive_expect_quarantined(test, &t, n, &r);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(edges_and_no_others),
	KUNIT_CASE(an_illegal_edge_changes_nothing),
	KUNIT_CASE(unknown_big_blocks),
	KUNIT_CASE(names),
	KUNIT_CASE(growth),
	KUNIT_CASE(causes_of_a_big_block),
	KUNIT_CASE(quarantine_and_release),
	KUNIT_CASE(run_is_the_lowest_and_bounded),
	KUNIT_CASE(tried_and_quarantine_are_passed_over),
	KUNIT_CASE(quarantined_ones_hide_nobody),
	KUNIT_CASE(causes_are_forgotten_but_of_quarantine),
	KUNIT_CASE(random_against_a_naive_table),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_mem_bb",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("Tests of virtio_mem_bb");
MODULE_LICENSE("GPL");
