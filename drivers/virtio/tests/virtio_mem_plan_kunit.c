// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests virtio_mem_plan one decision at a time: the wanted number, the next
 * step, reports, big blocks that do not fit, needless calls.
 */
#include "virtio_mem_kunit.h"
#include "../virtio_mem_plan.h"

#define UNUSED		VIRTIO_MEM_BB_UNUSED
#define PLUGGED		VIRTIO_MEM_BB_PLUGGED
#define ADDED		VIRTIO_MEM_BB_ADDED
#define FAKE_OFFLINE	VIRTIO_MEM_BB_FAKE_OFFLINE
#define CAUSE(name)	VIRTIO_MEM_CAUSE_##name
#define STEP(name)	VIRTIO_MEM_STEP_##name
#define RANKED(name)	VIRTIO_MEM_CLASS_##name

#define MIB		BIT_ULL(20)
#define BB		(128 * MIB)
#define NR		16

/* A planner with everything around it. */
struct fixture {
	struct virtio_mem_situation in;
	struct virtio_mem_bbt t;
	struct virtio_mem_candidates cand;
	struct virtio_mem_pass pass;
	struct virtio_mem_step step;
	u8 entries[NR];
};

static int plan_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->in.bb_size = BB;
	f->in.usable_bbs = NR;
	f->in.online_room = 8;
	f->in.max_run = 4;
	f->in.add_room = NR;
	f->in.add_trust = ULONG_MAX;
	f->in.may_doubt = true;
	virtio_mem_candidates_reset(&f->cand);
	virtio_mem_bbt_replace(&f->t, f->entries, NR);
	virtio_mem_bbt_extend(&f->t, NR);
	test->priv = f;
	return 0;
}

/*
 * Brings big blocks into states, one letter each: P, A, F; U leaves a big block
 * as it is; lower case marks it as tried.
 */
static void put(struct kunit *test, const char *states)
{
	struct fixture *f = test->priv;
	unsigned long id;
	int s;

	for (id = 0; states[id]; id++) {
		const char *all = "UPAFupaf";
		int want = (strchr(all, states[id]) - all) % 4;

		for (s = virtio_mem_bbt_state(&f->t, id) + 1; s <= want; s++)
			KUNIT_ASSERT_EQ(test, virtio_mem_bbt_set(&f->t, id, s),
					0);
		if (states[id] >= 'a')
			virtio_mem_bbt_set_tried(&f->t, id);
	}
}

static void expect_next(struct kunit *test, enum virtio_mem_step_type type,
			unsigned long first, unsigned long nr)
{
	struct fixture *f = test->priv;

	virtio_mem_plan_next(&f->in, &f->t, &f->cand, &f->pass, &f->step);
	KUNIT_EXPECT_EQ(test, f->step.type, type);
	if (type == STEP(NONE) || type == STEP(WAIT))
		return;
	KUNIT_EXPECT_EQ(test, f->step.first, first);
	KUNIT_EXPECT_EQ(test, f->step.nr, nr);
}

static void report(struct kunit *test, enum virtio_mem_cause cause)
{
	struct fixture *f = test->priv;

	virtio_mem_plan_report(&f->pass, &f->step, cause);
}

/* Expects the pass to end, after scans that find nothing if it wants some. */
static void expect_end(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int looks;

	for (looks = 0; looks < 3; looks++) {
		virtio_mem_plan_next(&f->in, &f->t, &f->cand, &f->pass,
				     &f->step);
		if (f->step.type != STEP(SCAN))
			break;
		virtio_mem_candidates_reset(&f->cand);
		report(test, CAUSE(NONE));
	}
	KUNIT_EXPECT_EQ(test, f->step.type, STEP(WAIT));
}

static void offer_sized(struct kunit *test, enum virtio_mem_class class,
			unsigned long cost, unsigned long id,
			unsigned long pages, bool kernel_zone)
{
	struct virtio_mem_candidate c = {
		.rank = (u64)class << 60 | cost, .id = id,
		.online_pages = pages, .kernel_zone = kernel_zone,
	};
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, virtio_mem_choose_class(c.rank), class);
	virtio_mem_candidates_offer(&f->cand, &c);
}

static void offer(struct kunit *test, enum virtio_mem_class class,
		  unsigned long cost, unsigned long id)
{
	offer_sized(test, class, cost, id, 100, false);
}

/* Ends a scan. */
static void found(struct kunit *test, enum virtio_mem_cause cause)
{
	struct fixture *f = test->priv;

	virtio_mem_candidates_sort(&f->cand);
	report(test, cause);
}

/* Reports that the step's big block could not go. */
static void stays(struct kunit *test, enum virtio_mem_cause cause)
{
	struct fixture *f = test->priv;

	virtio_mem_bbt_set_tried(&f->t, f->step.first);
	report(test, cause);
}

/* Offers the step's big block again, at its present cost. */
static void put_off(struct kunit *test, enum virtio_mem_class class)
{
	struct virtio_mem_candidate c = { .rank = (u64)class << 60,
					  .online_pages = 100 };
	struct fixture *f = test->priv;

	c.id = f->step.first;
	virtio_mem_candidates_put_off(&f->cand, &c);
}

static void next_pass(struct kunit *test)
{
	struct fixture *f = test->priv;

	virtio_mem_pass_begin(&f->pass);
	virtio_mem_candidates_reset(&f->cand);
	virtio_mem_bbt_clear_tried(&f->t);
}

static void expect_cause(struct kunit *test, enum virtio_mem_cause cause)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, f->pass.cause, cause);
}

/* Reports that the step took an ADDED big block out of Linux. */
static void shrunk(struct kunit *test)
{
	struct fixture *f = test->priv;

	virtio_mem_bbt_set(&f->t, f->step.first, FAKE_OFFLINE);
	virtio_mem_bbt_set(&f->t, f->step.first, PLUGGED);
	report(test, CAUSE(NONE));
}

/* Reports that the step unplugged a run. */
static void unplugged(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long id;

	for (id = f->step.first; id < f->step.first + f->step.nr; id++)
		virtio_mem_bbt_set(&f->t, id, UNUSED);
	report(test, CAUSE(NONE));
}

static void shrinks(struct kunit *test, unsigned long id)
{
	expect_next(test, STEP(SHRINK), id, 1);
	shrunk(test);
}

static void unplugs(struct kunit *test, unsigned long first, unsigned long nr)
{
	expect_next(test, STEP(UNPLUG), first, nr);
	unplugged(test);
}

static void the_wanted_number(struct kunit *test)
{
	static const struct {
		u64 requested, foreign;
		const char *states;
		unsigned long want;
	} w[] = {
		{ 0, 0, "", 0 },
		{ BB - 1, 0, "", 0 },
		{ BB, 0, "", 1 },
		/* Between two multiples growing stops below the request, */
		{ 2 * BB + MIB, 0, "A", 2 },
		{ 2 * BB + MIB, 0, "AA", 2 },
		/* and shrinking stops above it. */
		{ 2 * BB + MIB, 0, "AAA", 3 },
		{ 2 * BB + MIB, 0, "AAAA", 3 },
		{ 2 * BB, 0, "AAAA", 2 },
		{ 0, 0, "APFU", 0 },
		{ 3 * BB, 0, "APFU", 3 },
		{ 5 * BB, 0, "APFU", 5 },
		/* Memory that is plugged outside of big blocks counts, too. */
		{ 2 * BB, 2 * MIB, "", 1 },
		{ 2 * BB, 2 * MIB, "AA", 2 },
		{ 2 * BB, 2 * BB, "", 0 },
		{ BB, 2 * BB, "", 0 },
		{ BB, 2 * BB, "A", 0 },
		{ 3 * BB, 2 * BB + MIB, "AA", 1 },
		{ 1ULL << 62, 0, "", (1ULL << 62) / BB },
	};
	struct fixture *f;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(w); i++) {
		plan_init(test);
		f = test->priv;
		f->in.requested = w[i].requested;
		f->in.foreign = w[i].foreign;
		put(test, w[i].states);
		KUNIT_EXPECT_EQ_MSG(test, virtio_mem_plan_want(&f->in, &f->t),
				    w[i].want, "(row %u)", i);
	}
}

static void plugged_bytes(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.foreign = 6 * MIB;
	put(test, "UPAFA");
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_plugged(&f->in, &f->t),
			4 * BB + 6 * MIB);
}

static void nothing_to_do(struct kunit *test)
{
	struct fixture *f = test->priv;

	expect_next(test, STEP(NONE), 0, 0);
	f->in.requested = 2 * BB + MIB;
	put(test, "AA");
	expect_next(test, STEP(NONE), 0, 0);
	expect_cause(test, CAUSE(NONE));
}

static void an_answer_is_still_out(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 2 * BB;
	f->in.unplug_all = true;
	f->in.answer_pending = true;
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(DEV_SILENT));
}

static void old_memory_goes_first(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 2 * BB;
	f->in.unplug_all = true;
	expect_next(test, STEP(UNPLUG_ALL), 0, 0);
	report(test, CAUSE(DEV_BUSY));
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(DEV_BUSY));
	virtio_mem_pass_begin(&f->pass);
	expect_next(test, STEP(UNPLUG_ALL), 0, 0);
	report(test, CAUSE(NONE));
	f->in.unplug_all = false;
	expect_next(test, STEP(PLUG), 0, 2);
}

static void grow_lowest_first_in_bounded_runs(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 9 * BB;
	put(test, "AUAUUUUUU");
	expect_next(test, STEP(PLUG), 1, 1);
	put(test, "UA");
	f->in.online_room = 3;
	expect_next(test, STEP(PLUG), 3, 3);
	f->in.online_room = 99;
	expect_next(test, STEP(PLUG), 3, 4);
	f->in.max_run = 99;
	expect_next(test, STEP(PLUG), 3, 6);
	f->in.usable_bbs = 5;
	expect_next(test, STEP(PLUG), 3, 2);
	f->in.usable_bbs = 3;
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(NO_BB));
}

/* The second lowest is plugged last, wherever the lowest is. */
static void a_large_region_keeps_a_gap_to_the_last(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.gap = true;
	f->in.max_run = 99;
	f->in.online_room = 99;
	f->in.requested = 6 * BB;
	expect_next(test, STEP(PLUG), 0, 1);
	put(test, "A");
	expect_next(test, STEP(PLUG), 2, 5);
	put(test, "UUAAA");
	f->in.usable_bbs = 6;
	expect_next(test, STEP(PLUG), 5, 1);
	put(test, "UUUUUA");
	expect_next(test, STEP(PLUG), 1, 1);
	put(test, "UA");
	/* Without one it leaves a new one, if it can. */
	f->in.usable_bbs = 9;
	f->in.requested = 8 * BB;
	expect_next(test, STEP(PLUG), 7, 2);
	f->in.gap = false;
	expect_next(test, STEP(PLUG), 6, 2);
}

static void what_is_below_the_lowest_is_no_gap(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.gap = true;
	f->in.requested = 5 * BB;
	put(test, "UUAAUU");
	expect_next(test, STEP(PLUG), 0, 2);
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_gap(&f->in, &f->t), 3UL);
	put(test, "aA");
	expect_next(test, STEP(PLUG), 5, 1);
}

static void scanned(struct kunit *test, const unsigned long *ids)
{
	struct fixture *f = test->priv;
	unsigned long gap = virtio_mem_plan_gap(&f->in, &f->t);
	unsigned long id = ULONG_MAX;

	for (; *ids < ULONG_MAX; ids++) {
		KUNIT_ASSERT_TRUE(test, virtio_mem_plan_scan_next(&f->t, gap,
								  &id));
		KUNIT_EXPECT_EQ(test, id, *ids);
	}
	KUNIT_EXPECT_FALSE(test, virtio_mem_plan_scan_next(&f->t, gap, &id));
}

static void a_scan_looks_first_at_what_leaves_a_gap(struct kunit *test)
{
	static const unsigned long down[] = { 4, 2, 1, ULONG_MAX };
	static const unsigned long gap_first[] = { 2, 4, 1, ULONG_MAX };
	static const unsigned long none[] = { ULONG_MAX };
	struct fixture *f = test->priv;

	scanned(test, none);
	f->in.gap = true;
	scanned(test, none);
	put(test, "UAAUA");
	scanned(test, gap_first);
	f->in.gap = false;
	scanned(test, down);
	/* Where it can't go, the others are as ever. */
	f->in.gap = true;
	virtio_mem_bbt_set_tried(&f->t, 2);
	scanned(test, (const unsigned long []){ 4, 1, ULONG_MAX });
	virtio_mem_bbt_set_tried(&f->t, 4);
	virtio_mem_bbt_set_tried(&f->t, 1);
	scanned(test, none);
}

static void what_is_plugged_is_added_first(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 6 * BB;
	put(test, "AUPPU");
	expect_next(test, STEP(ADD), 2, 1);
	report(test, CAUSE(NONE));
	put(test, "UUA");
	expect_next(test, STEP(ADD), 3, 1);
	report(test, CAUSE(NONE));
	put(test, "UUUA");
	expect_next(test, STEP(PLUG), 1, 1);
}

static void what_is_plugged_and_not_wanted_goes_back(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 2 * BB;
	put(test, "AAPPPPPP");
	expect_next(test, STEP(UNPLUG), 2, 4);
	f->in.requested = 3 * BB;
	expect_next(test, STEP(ADD), 2, 1);
	/* Surplus big blocks go back whether memory is onlined or not. */
	f->in.online_room = 0;
	f->in.requested = 0;
	expect_next(test, STEP(UNPLUG), 2, 4);
}

static void what_is_not_usable_any_more_stays(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "PPPP");
	f->in.usable_bbs = 3;
	expect_next(test, STEP(UNPLUG), 0, 3);
	f->in.usable_bbs = 0;
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(OUTSIDE));
	/* A plugged big block can still be added. */
	virtio_mem_pass_begin(&f->pass);
	f->in.requested = 4 * BB;
	expect_next(test, STEP(ADD), 0, 1);
}

static void too_much_waits_to_be_onlined(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 6 * BB;
	f->in.online_room = 0;
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(ONLINE_LIMIT));

	/* A plugged big block is kept until there is room to online. */
	virtio_mem_pass_begin(&f->pass);
	put(test, "AP");
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(ONLINE_LIMIT));
	virtio_mem_pass_begin(&f->pass);
	f->in.online_room = 1;
	expect_next(test, STEP(ADD), 1, 1);
}

static void more_plugged_than_wanted_and_no_room(struct kunit *test)
{
	struct fixture *f = test->priv;

	/* One is kept until there is room, and the other two have to go. */
	f->in.requested = 2 * BB;
	f->in.online_room = 0;
	put(test, "APPP");
	virtio_mem_plan_next(&f->in, &f->t, &f->cand, &f->pass, &f->step);
	KUNIT_EXPECT_EQ(test, f->step.type, STEP(UNPLUG));
	KUNIT_EXPECT_GE(test, f->step.nr, 1UL);
	KUNIT_EXPECT_LE(test, f->step.nr, 2UL);
}

static void linux_has_no_memory_to_add(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 6 * BB;
	put(test, "APP");
	expect_next(test, STEP(ADD), 1, 1);
	report(test, CAUSE(NOMEM));
	/* Big blocks that can't be used go back, and no more are plugged. */
	expect_next(test, STEP(UNPLUG), 1, 2);
	virtio_mem_bbt_set(&f->t, 1, UNUSED);
	virtio_mem_bbt_set(&f->t, 2, UNUSED);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(NOMEM));
}

static void little_memory_bounds_a_run(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 9 * BB;
	f->in.add_room = 3;
	expect_next(test, STEP(PLUG), 0, 3);
	f->in.add_room = 99;
	expect_next(test, STEP(PLUG), 0, 4);
	/* add_room never forbids: a guest in need gets one at a time. */
	f->in.add_room = 1;
	expect_next(test, STEP(PLUG), 0, 1);
	f->in.add_room = 0;
	expect_next(test, STEP(PLUG), 0, 1);
	/* Plugged big blocks are always tried. */
	put(test, "PP");
	expect_next(test, STEP(ADD), 0, 1);
}

static void no_memory_for_a_plug(struct kunit *test)
{
	struct fixture *f = test->priv;

	/* No more are plugged than could be added. */
	f->in.requested = 4 * BB;
	expect_next(test, STEP(PLUG), 0, 4);
	report(test, CAUSE(NOMEM));
	expect_end(test);
	expect_cause(test, CAUSE(NOMEM));
	/* The next pass tries again. */
	next_pass(test);
	expect_next(test, STEP(PLUG), 0, 4);
}

static void one_block_that_cannot_be_added(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 3 * BB;
	put(test, "APPU");
	expect_next(test, STEP(ADD), 1, 1);
	virtio_mem_bbt_quarantine(&f->t, 1, CAUSE(ADD_FAILED));
	report(test, CAUSE(ADD_FAILED));
	/* Only the refused one goes back; the others are still added. */
	expect_next(test, STEP(ADD), 2, 1);
	virtio_mem_bbt_set(&f->t, 2, ADDED);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(UNPLUG), 1, 1);
	virtio_mem_bbt_set(&f->t, 1, UNUSED);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(PLUG), 3, 1);
	expect_cause(test, CAUSE(ADD_FAILED));
}

static void quarantined_ones_hide_nobody(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 4 * BB;
	put(test, "PPPPU");
	virtio_mem_bbt_quarantine(&f->t, 0, CAUSE(ADD_FAILED));
	virtio_mem_bbt_quarantine(&f->t, 2, CAUSE(ADD_FAILED));
	expect_next(test, STEP(ADD), 1, 1);
	virtio_mem_bbt_set(&f->t, 1, ADDED);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(ADD), 3, 1);
	virtio_mem_bbt_set(&f->t, 3, ADDED);
	report(test, CAUSE(NONE));
	/* Quarantined ones go back one by one, because they form no run. */
	expect_next(test, STEP(UNPLUG), 0, 1);
	virtio_mem_bbt_set_tried(&f->t, 0);
	report(test, CAUSE(DEV_ERROR));
	expect_next(test, STEP(UNPLUG), 2, 1);
	virtio_mem_bbt_set(&f->t, 2, UNUSED);
	report(test, CAUSE(NONE));
	/* The one that stays plugged counts, and its cause is reported. */
	expect_next(test, STEP(PLUG), 4, 1);
	expect_cause(test, CAUSE(DEV_ERROR));
}

static void a_quarantined_one_out_of_reach_is_said(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "UP");
	virtio_mem_bbt_quarantine(&f->t, 1, CAUSE(ADD_FAILED));
	f->in.usable_bbs = 1;
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(OUTSIDE));
}

static void so_many_that_cannot_be_added(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;

	f->in.requested = NR * BB;
	f->in.max_run = NR;
	put(test, "PPPPPPPPPP");
	for (i = 0; i < VIRTIO_MEM_MAX_REFUSALS; i++) {
		expect_next(test, STEP(ADD), i, 1);
		virtio_mem_bbt_quarantine(&f->t, i, CAUSE(ADD_FAILED));
		report(test, CAUSE(ADD_FAILED));
	}
	/* After so many refusals all the others go back, too. */
	for (i = 0; i < VIRTIO_MEM_MAX_REFUSALS; i++)
		unplugs(test, i, 1);
	unplugs(test, i, 2);
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(ADD_FAILED));
}

static void no_more_is_added_for_now(struct kunit *test)
{
	struct fixture *f = test->priv;

	/* No more are plugged than the pass may try to add. */
	f->in.requested = NR * BB;
	f->in.add_trust = 3;
	expect_next(test, STEP(PLUG), 0, 3);
	f->in.add_trust = 0;
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(ADD_FAILED));
	/* Plugged ones go back; added ones stay as they are. */
	next_pass(test);
	put(test, "APPA");
	expect_next(test, STEP(UNPLUG), 1, 2);
	virtio_mem_bbt_set(&f->t, 1, UNUSED);
	virtio_mem_bbt_set(&f->t, 2, UNUSED);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(ADD_FAILED));
	next_pass(test);
	f->in.requested = 2 * BB;
	expect_next(test, STEP(NONE), 0, 0);
}

static void a_plug_is_refused(struct kunit *test)
{
	static const enum virtio_mem_cause causes[] = {
		CAUSE(DEV_NACK), CAUSE(DEV_BUSY), CAUSE(DEV_SILENT),
		CAUSE(NOMEM), CAUSE(INTERRUPTED),
	};
	struct fixture *f = test->priv;
	unsigned int i;

	f->in.requested = 3 * BB;
	for (i = 0; i < ARRAY_SIZE(causes); i++) {
		next_pass(test);
		expect_next(test, STEP(PLUG), 0, 3);
		report(test, causes[i]);
		expect_next(test, STEP(WAIT), 0, 0);
		KUNIT_EXPECT_EQ(test, f->pass.cause, causes[i]);
		}
}

static void one_bad_block_among_many(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;

	f->in.requested = 16 * BB;
	expect_next(test, STEP(PLUG), 0, 4);
	report(test, CAUSE(DEV_ERROR));
	expect_cause(test, CAUSE(NONE));
	for (i = 0; i < VIRTIO_MEM_MAX_REFUSALS; i++) {
		expect_next(test, STEP(PLUG), i, 1);
		virtio_mem_bbt_quarantine(&f->t, i, CAUSE(DEV_ERROR));
		report(test, CAUSE(DEV_ERROR));
	}
	/* After so many refusals the pass plugs no more. */
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(DEV_ERROR));
}

static void an_unplug_is_refused(struct kunit *test)
{
	static const enum virtio_mem_cause causes[] = {
		CAUSE(DEV_NACK), CAUSE(DEV_BUSY), CAUSE(DEV_SILENT),
	};
	struct fixture *f = test->priv;
	unsigned int i;

	put(test, "APPA");
	for (i = 0; i < ARRAY_SIZE(causes); i++) {
		virtio_mem_pass_begin(&f->pass);
		expect_next(test, STEP(UNPLUG), 1, 2);
		report(test, causes[i]);
		/*
		 * Nothing shrinks, either, because that would need an UNPLUG,
		 * too.
		 */
		expect_next(test, STEP(WAIT), 0, 0);
		KUNIT_EXPECT_EQ(test, f->pass.cause, causes[i]);
	}
	virtio_mem_pass_begin(&f->pass);
	expect_next(test, STEP(UNPLUG), 1, 2);
	report(test, CAUSE(DEV_ERROR));
	expect_next(test, STEP(UNPLUG), 1, 1);
	virtio_mem_bbt_set_tried(&f->t, 1);
	report(test, CAUSE(DEV_ERROR));
	expect_next(test, STEP(UNPLUG), 2, 1);
	virtio_mem_bbt_set(&f->t, 2, UNUSED);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(SCAN), 0, 2);
	expect_cause(test, CAUSE(DEV_ERROR));
}

static void what_costs_nothing_is_unplugged_together(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long id;

	f->in.requested = 2 * BB;
	put(test, "AAAAAAAAAA");
	expect_next(test, STEP(SCAN), 0, 8);
	for (id = 0; id < 7; id++)
		offer(test, RANKED(FREE), 0, id);
	offer(test, RANKED(USED), 3, 8);
	offer(test, RANKED(USED), 4, 9);
	found(test, CAUSE(NONE));
	/* At most max_run wait, because one request can't name more. */
	for (id = 7; id-- > 3;)
		shrinks(test, id);
	unplugs(test, 3, 4);
	/* A big block that stays keeps no others waiting. */
	shrinks(test, 2);
	expect_next(test, STEP(SHRINK), 1, 1);
	stays(test, CAUSE(VETO));
	shrinks(test, 0);
	/* They don't wait, because the next one would take long. */
	unplugs(test, 0, 1);
	unplugs(test, 2, 1);
	shrinks(test, 8);
	unplugs(test, 8, 1);
	/* The last one. */
	shrinks(test, 9);
	unplugs(test, 9, 1);
	expect_next(test, STEP(NONE), 0, 0);
}

/* @nr free big blocks, some of which have left Linux. */
static void free_and_gone(struct kunit *test, unsigned int nr,
			  unsigned int gone)
{
	struct fixture *f = test->priv;
	unsigned long id;

	f->in.requested = 0;
	put(test, &"AAAAAAAA"[8 - nr]);
	expect_next(test, STEP(SCAN), 0, nr);
	for (id = 0; id < nr; id++)
		offer(test, RANKED(FREE), id, id);
	found(test, CAUSE(NONE));
	for (id = 0; id < gone; id++) {
		expect_next(test, STEP(SHRINK), id, 1);
		/* All but the first are quick, because others wait for them. */
		KUNIT_EXPECT_EQ(test, f->step.quick, id > 0);
		KUNIT_EXPECT_FALSE(test, f->step.doubted);
		shrunk(test);
	}
}

static void nothing_waits_for_long(struct kunit *test)
{
	struct fixture *f = test->priv;

	free_and_gone(test, 4, 2);
	f->in.waited_ms = VIRTIO_MEM_UNPLUG_WAIT_MS - 1;
	shrinks(test, 2);
	f->in.waited_ms++;
	unplugs(test, 0, 3);
	f->in.waited_ms = 0;
	expect_next(test, STEP(SHRINK), 3, 1);
	KUNIT_EXPECT_FALSE(test, f->step.quick);
}

static void nothing_waits_for_what_has_become_dear(struct kunit *test)
{
	struct fixture *f = test->priv;

	free_and_gone(test, 4, 2);
	expect_next(test, STEP(SHRINK), 2, 1);
	KUNIT_EXPECT_TRUE(test, f->step.quick);
	put_off(test, RANKED(USED));
	report(test, CAUSE(NONE));
	shrinks(test, 3);
	unplugs(test, 0, 2);
	unplugs(test, 3, 1);
	expect_next(test, STEP(SHRINK), 2, 1);
	KUNIT_EXPECT_FALSE(test, f->step.quick);
}

static void grown_again_what_waits_is_added_again(struct kunit *test)
{
	struct fixture *f = test->priv;

	free_and_gone(test, 4, 3);
	f->in.requested = 3 * BB;
	next_pass(test);
	expect_next(test, STEP(ADD), 0, 1);
	virtio_mem_bbt_set(&f->t, 0, ADDED);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(ADD), 1, 1);
	virtio_mem_bbt_set(&f->t, 1, ADDED);
	report(test, CAUSE(NONE));
	unplugs(test, 2, 1);
	expect_next(test, STEP(NONE), 0, 0);
}

static void before_the_end_what_waits_goes(struct kunit *test)
{
	struct fixture *f = test->priv;

	free_and_gone(test, 4, 2);
	f->in.ending = true;
	unplugs(test, 0, 2);
	expect_next(test, STEP(WAIT), 0, 0);
	/* Only the surplus goes back, and the ending worker begins nothing. */
	put(test, "UUAAPPP");
	f->in.requested = 4 * BB;
	expect_next(test, STEP(UNPLUG), 4, 1);
	report(test, CAUSE(DEV_BUSY));
	expect_next(test, STEP(WAIT), 0, 0);
	virtio_mem_pass_begin(&f->pass);
	f->in.requested = 9 * BB;
	expect_next(test, STEP(WAIT), 0, 0);
	f->in.requested = 0;
	f->in.unplug_all = true;
	expect_next(test, STEP(WAIT), 0, 0);
	f->in.unplug_all = false;
	f->in.answer_pending = true;
	expect_next(test, STEP(WAIT), 0, 0);
}

static void after_a_refusal_they_go_one_by_one(struct kunit *test)
{
	unsigned long id;

	free_and_gone(test, 6, 4);
	expect_next(test, STEP(UNPLUG), 0, 4);
	report(test, CAUSE(DEV_ERROR));
	for (id = 0; id < 6; id++) {
		if (id >= 4)
			shrinks(test, id);
		unplugs(test, id, 1);
	}
	expect_next(test, STEP(NONE), 0, 0);
}

static void shrink_the_cheapest_first(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 2 * BB;
	put(test, "AAAAA");
	expect_next(test, STEP(SCAN), 0, 3);
	offer(test, RANKED(USED), 7, 4);
	offer(test, RANKED(USED), 1, 2);
	offer(test, RANKED(USED), 5, 0);
	found(test, CAUSE(NONE));
	expect_next(test, STEP(SHRINK), 2, 1);
	shrunk(test);
	/* Big blocks out of Linux don't wait for a long step. */
	unplugs(test, 2, 1);
	expect_next(test, STEP(SHRINK), 0, 1);
	stays(test, CAUSE(PINNED));
	expect_next(test, STEP(SHRINK), 4, 1);
	stays(test, CAUSE(VETO));
	/* The first cause stays, and a pass tries nothing twice. */
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(PINNED));
}

static void candidates_that_have_changed(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AAAa");
	expect_next(test, STEP(SCAN), 0, 4);
	offer(test, RANKED(USED), 1, 3);
	offer(test, RANKED(USED), 2, 1);
	offer(test, RANKED(USED), 3, 0);
	found(test, CAUSE(NONE));
	virtio_mem_bbt_set(&f->t, 1, FAKE_OFFLINE);
	/* 0 is next, because 3 was tried and 1 is no longer ADDED. */
	expect_next(test, STEP(SHRINK), 0, 1);
	expect_end(test);
	expect_cause(test, CAUSE(NO_BB));
}

/* A scan that was whole is enough, because it has kept all there is. */
static void one_scan_a_pass_if_it_was_whole(struct kunit *test)
{
	put(test, "AAAA");
	expect_next(test, STEP(SCAN), 0, 4);
	offer(test, RANKED(USED), 1, 3);
	found(test, CAUSE(NONE));
	expect_next(test, STEP(SHRINK), 3, 1);
	stays(test, CAUSE(DEADLINE));
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(DEADLINE));
	next_pass(test);
	expect_next(test, STEP(SCAN), 0, 4);
}

static void more_candidates_than_one_scan_keeps(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AAAA");
	expect_next(test, STEP(SCAN), 0, 4);
	offer(test, RANKED(USED), 1, 3);
	f->cand.early = true;
	found(test, CAUSE(NONE));
	expect_next(test, STEP(SHRINK), 3, 1);
	stays(test, CAUSE(DEADLINE));
	expect_next(test, STEP(SCAN), 0, 4);
	virtio_mem_candidates_reset(&f->cand);
	found(test, CAUSE(NONE));
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(DEADLINE));
}

static void a_scan_that_stopped_early(struct kunit *test)
{
	struct fixture *f = test->priv;

	/* The scan of four found two free ones, and stopped. */
	f->in.requested = 2 * BB;
	put(test, "AAAA");
	expect_next(test, STEP(SCAN), 0, 2);
	offer(test, RANKED(FREE), 0, 3);
	offer(test, RANKED(FREE), 0, 2);
	f->cand.early = true;
	found(test, CAUSE(NONE));
	expect_next(test, STEP(SHRINK), 3, 1);
	stays(test, CAUSE(VETO));
	shrinks(test, 2);
	unplugs(test, 2, 1);
	/* Otherwise each pass would choose the same two, for ever. */
	expect_next(test, STEP(SCAN), 0, 1);
}

static void nothing_can_go(struct kunit *test)
{
	put(test, "AA");
	expect_next(test, STEP(SCAN), 0, 2);
	found(test, CAUSE(KEPT_ONLINE));
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(KEPT_ONLINE));
}

static void what_is_doubted_comes_last_and_is_marked(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AAA");
	expect_next(test, STEP(SCAN), 0, 3);
	offer(test, RANKED(DOUBTED), 0, 2);
	offer(test, RANKED(FAILED), 9, 1);
	offer(test, RANKED(USED), 99, 0);
	found(test, CAUSE(UNMOVABLE));
	expect_next(test, STEP(SHRINK), 0, 1);
	KUNIT_EXPECT_FALSE(test, f->step.doubted);
	stays(test, CAUSE(PINNED));
	expect_next(test, STEP(SHRINK), 1, 1);
	KUNIT_EXPECT_FALSE(test, f->step.doubted);
	stays(test, CAUSE(PINNED));
	expect_next(test, STEP(SHRINK), 2, 1);
	KUNIT_EXPECT_TRUE(test, f->step.doubted);
	shrunk(test);
	unplugs(test, 2, 1);
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(PINNED));
}

static void what_is_doubted_waits_for_its_time(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AAA");
	f->in.may_doubt = false;
	expect_next(test, STEP(SCAN), 0, 3);
	offer(test, RANKED(DOUBTED), 0, 2);
	offer(test, RANKED(DOUBTED), 1, 1);
	offer(test, RANKED(USED), 99, 0);
	found(test, CAUSE(UNMOVABLE));
	/* Big blocks that are not doubted need no credit. */
	expect_next(test, STEP(SHRINK), 0, 1);
	stays(test, CAUSE(PINNED));
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(PINNED));
	/* It does not come again in this pass. */
	f->in.may_doubt = true;
	expect_next(test, STEP(WAIT), 0, 0);

	next_pass(test);
	expect_next(test, STEP(SCAN), 0, 3);
	offer(test, RANKED(DOUBTED), 0, 2);
	offer(test, RANKED(DOUBTED), 1, 1);
	found(test, CAUSE(UNMOVABLE));
	expect_next(test, STEP(SHRINK), 2, 1);
	stays(test, CAUSE(PINNED));
	/* The last try has used the credit up. */
	f->in.may_doubt = false;
	expect_next(test, STEP(WAIT), 0, 0);
}

/* A big block found held comes after the others. */
static void put_off_as_doubted_it_waits_like_these(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AA");
	expect_next(test, STEP(SCAN), 0, 2);
	offer(test, RANKED(USED), 1, 1);
	offer(test, RANKED(USED), 2, 0);
	found(test, CAUSE(NONE));
	expect_next(test, STEP(SHRINK), 1, 1);
	put_off(test, RANKED(DOUBTED));
	report(test, CAUSE(PINNED));
	expect_next(test, STEP(SHRINK), 0, 1);
	KUNIT_EXPECT_FALSE(test, f->step.doubted);
	stays(test, CAUSE(VETO));
	expect_next(test, STEP(SHRINK), 1, 1);
	KUNIT_EXPECT_TRUE(test, f->step.doubted);
	stays(test, CAUSE(PINNED));
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(PINNED));
}

static void a_pass_that_has_tried_for_too_long_ends(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AAA");
	expect_next(test, STEP(SCAN), 0, 3);
	offer(test, RANKED(USED), 1, 2);
	offer(test, RANKED(USED), 2, 1);
	offer(test, RANKED(USED), 3, 0);
	found(test, CAUSE(NONE));
	f->in.failed_ms = VIRTIO_MEM_PASS_FAILED_MS - 1;
	expect_next(test, STEP(SHRINK), 2, 1);
	stays(test, CAUSE(PINNED));
	f->in.failed_ms++;
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(PINNED));
	/* Growing goes on. */
	next_pass(test);
	f->in.requested = 4 * BB;
	expect_next(test, STEP(PLUG), 3, 1);
}

/* A long scan uses up time, too, but at least one try follows it. */
static void a_long_look_is_followed_by_a_try(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AA");
	expect_next(test, STEP(SCAN), 0, 2);
	offer(test, RANKED(USED), 1, 1);
	offer(test, RANKED(USED), 2, 0);
	found(test, CAUSE(NONE));
	f->in.failed_ms = VIRTIO_MEM_PASS_FAILED_MS;
	expect_next(test, STEP(SHRINK), 1, 1);
	stays(test, CAUSE(PINNED));
	expect_next(test, STEP(WAIT), 0, 0);
}

/* Doubted ones have time of their own, as others may use up every pass's. */
static void what_is_doubted_has_its_own_time(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AAA");
	expect_next(test, STEP(SCAN), 0, 3);
	offer(test, RANKED(FAILED), 1, 2);
	offer(test, RANKED(FAILED), 2, 1);
	offer(test, RANKED(DOUBTED), 3, 0);
	found(test, CAUSE(UNMOVABLE));
	expect_next(test, STEP(SHRINK), 2, 1);
	f->in.failed_ms = VIRTIO_MEM_PASS_FAILED_MS;
	stays(test, CAUSE(PINNED));
	expect_next(test, STEP(SHRINK), 0, 1);
	KUNIT_EXPECT_TRUE(test, f->step.doubted);
	stays(test, CAUSE(UNMOVABLE));
	expect_next(test, STEP(WAIT), 0, 0);
}

/*
 * Big blocks that the guest can't do without.
 */

static void unfit(struct kunit *test, unsigned long pages, bool kernel_zone)
{
	struct virtio_mem_candidate c = { .online_pages = pages,
					  .kernel_zone = kernel_zone };
	struct fixture *f = test->priv;

	virtio_mem_pass_unfit(&f->pass, &c);
	stays(test, CAUSE(PRESSURE));
}

static void pressure_concerns_a_class(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AAAAAA");
	expect_next(test, STEP(SCAN), 0, 6);
	offer_sized(test, RANKED(USED), 0, 0, 100, true);
	offer_sized(test, RANKED(USED), 1, 1, 100, true);
	offer_sized(test, RANKED(USED), 2, 2, 100, false);
	offer_sized(test, RANKED(USED), 3, 3, 99, true);
	offer_sized(test, RANKED(USED), 4, 4, 200, false);
	offer_sized(test, RANKED(DOUBTED), 5, 5, 30, true);
	found(test, CAUSE(UNMOVABLE));
	expect_next(test, STEP(SHRINK), 0, 1);
	unfit(test, 100, true);
	/* 1 is skipped, because it is no smaller and of the same zone class. */
	expect_next(test, STEP(SHRINK), 2, 1);
	shrunk(test);
	unplugs(test, 2, 1);
	expect_next(test, STEP(SHRINK), 3, 1);
	unfit(test, 99, true);
	expect_next(test, STEP(SHRINK), 4, 1);
	stays(test, CAUSE(VETO));
	expect_next(test, STEP(SHRINK), 5, 1);
	stays(test, CAUSE(UNMOVABLE));
	expect_next(test, STEP(WAIT), 0, 0);
	/* PRESSURE replaces the other causes. */
	expect_cause(test, CAUSE(PRESSURE));
	next_pass(test);
	KUNIT_EXPECT_EQ(test, f->pass.unfit[0] + f->pass.unfit[1], 0UL);
}

static void the_smallest_that_does_not_fit_counts(struct kunit *test)
{
	struct virtio_mem_candidate c = { .online_pages = 50 };
	struct virtio_mem_pass pass;

	virtio_mem_pass_begin(&pass);
	KUNIT_EXPECT_FALSE(test, virtio_mem_pass_is_unfit(&pass, &c));
	virtio_mem_pass_unfit(&pass, &c);
	KUNIT_EXPECT_TRUE(test, virtio_mem_pass_is_unfit(&pass, &c));
	c.online_pages = 49;
	KUNIT_EXPECT_FALSE(test, virtio_mem_pass_is_unfit(&pass, &c));
	virtio_mem_pass_unfit(&pass, &c);
	c.online_pages = 70;
	virtio_mem_pass_unfit(&pass, &c);
	c.online_pages = 49;
	KUNIT_EXPECT_TRUE(test, virtio_mem_pass_is_unfit(&pass, &c));
	/* Offline memory always fits, because the guest does not use it. */
	c.online_pages = 0;
	KUNIT_EXPECT_FALSE(test, virtio_mem_pass_is_unfit(&pass, &c));
	c.online_pages = 70;
	c.kernel_zone = true;
	KUNIT_EXPECT_FALSE(test, virtio_mem_pass_is_unfit(&pass, &c));
}

/* A scan that stopped at two free ones in a kernel zone must go on. */
static void what_does_not_fit_hides_nobody_further_on(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 2 * BB;
	put(test, "AAAA");
	expect_next(test, STEP(SCAN), 0, 2);
	offer_sized(test, RANKED(FREE), 0, 3, 100, true);
	offer_sized(test, RANKED(FREE), 0, 2, 100, true);
	f->cand.early = true;
	found(test, CAUSE(NONE));
	expect_next(test, STEP(SHRINK), 3, 1);
	unfit(test, 100, true);
	/* 2 does not fit, either, but the scan goes on to others. */
	expect_next(test, STEP(SCAN), 0, 2);
	virtio_mem_candidates_reset(&f->cand);
	offer(test, RANKED(USED), 7, 1);
	found(test, CAUSE(NONE));
	expect_next(test, STEP(SHRINK), 1, 1);
	unfit(test, 100, false);
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(PRESSURE));
}

/* A big block that does not fit costs no time, because nothing was tried. */
static void what_does_not_fit_is_no_try(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AAA");
	expect_next(test, STEP(SCAN), 0, 3);
	offer_sized(test, RANKED(FREE), 0, 2, 100, true);
	offer(test, RANKED(USED), 2, 1);
	offer(test, RANKED(USED), 3, 0);
	found(test, CAUSE(NONE));
	/* The scan alone took so long. */
	f->in.failed_ms = VIRTIO_MEM_PASS_FAILED_MS;
	expect_next(test, STEP(SHRINK), 2, 1);
	unfit(test, 100, true);
	expect_next(test, STEP(SHRINK), 1, 1);
	stays(test, CAUSE(PINNED));
	expect_next(test, STEP(WAIT), 0, 0);
}

static void something_newer_ends_shrinking(struct kunit *test)
{
	put(test, "AAA");
	expect_next(test, STEP(SCAN), 0, 3);
	offer(test, RANKED(USED), 0, 0);
	offer(test, RANKED(USED), 1, 1);
	offer(test, RANKED(USED), 2, 2);
	found(test, CAUSE(UNMOVABLE));
	expect_next(test, STEP(SHRINK), 0, 1);
	/* NOMEM never ends the pass. */
	stays(test, CAUSE(NOMEM));
	expect_next(test, STEP(SHRINK), 1, 1);
	report(test, CAUSE(INTERRUPTED));
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(INTERRUPTED));
}

static void what_is_unplugged_is_still_wanted_gone(struct kunit *test)
{
	/* One more reaches the request, just misses it, or goes below it. */
	KUNIT_EXPECT_FALSE(test, virtio_mem_plan_needless(0, BB, BB));
	KUNIT_EXPECT_FALSE(test, virtio_mem_plan_needless(BB, 2 * BB, BB));
	KUNIT_EXPECT_FALSE(test, virtio_mem_plan_needless(BB - 1, 2 * BB, BB));
	KUNIT_EXPECT_TRUE(test, virtio_mem_plan_needless(BB + 1, 2 * BB, BB));
	KUNIT_EXPECT_TRUE(test, virtio_mem_plan_needless(2 * BB, 2 * BB, BB));
	KUNIT_EXPECT_TRUE(test, virtio_mem_plan_needless(9 * BB, 2 * BB, BB));
	KUNIT_EXPECT_TRUE(test, virtio_mem_plan_needless(0, 0, BB));
	KUNIT_EXPECT_TRUE(test, virtio_mem_plan_needless(0, BB - 1, BB));
}

/* A call is needless if and only if the plan would not begin it. */
static void needless_agrees_with_the_wanted_number(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;
	struct vm_rnd r;
	u64 plugged;

	vm_rnd_init(test, &r);
	put(test, "AAPA");
	for (i = 0; i < 10000; i++) {
		f->in.foreign = vm_rnd_below(&r, 3) * MIB;
		f->in.requested = vm_rnd_below(&r, 6 * BB / MIB) * MIB;
		plugged = virtio_mem_plan_plugged(&f->in, &f->t);
		KUNIT_ASSERT_EQ(test,
				virtio_mem_plan_needless(f->in.requested,
							 plugged, BB),
				virtio_mem_plan_want(&f->in, &f->t) >= 4);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_wanted_number),
	KUNIT_CASE(plugged_bytes),
	KUNIT_CASE(nothing_to_do),
	KUNIT_CASE(an_answer_is_still_out),
	KUNIT_CASE(old_memory_goes_first),
	KUNIT_CASE(grow_lowest_first_in_bounded_runs),
	KUNIT_CASE(a_large_region_keeps_a_gap_to_the_last),
	KUNIT_CASE(what_is_below_the_lowest_is_no_gap),
	KUNIT_CASE(a_scan_looks_first_at_what_leaves_a_gap),
	KUNIT_CASE(what_is_plugged_is_added_first),
	KUNIT_CASE(what_is_plugged_and_not_wanted_goes_back),
	KUNIT_CASE(what_is_not_usable_any_more_stays),
	KUNIT_CASE(too_much_waits_to_be_onlined),
	KUNIT_CASE(more_plugged_than_wanted_and_no_room),
	KUNIT_CASE(linux_has_no_memory_to_add),
	KUNIT_CASE(little_memory_bounds_a_run),
	KUNIT_CASE(no_memory_for_a_plug),
	KUNIT_CASE(one_block_that_cannot_be_added),
	KUNIT_CASE(quarantined_ones_hide_nobody),
	KUNIT_CASE(a_quarantined_one_out_of_reach_is_said),
	KUNIT_CASE(so_many_that_cannot_be_added),
	KUNIT_CASE(no_more_is_added_for_now),
	KUNIT_CASE(a_plug_is_refused),
	KUNIT_CASE(one_bad_block_among_many),
	KUNIT_CASE(an_unplug_is_refused),
	KUNIT_CASE(what_costs_nothing_is_unplugged_together),
	KUNIT_CASE(nothing_waits_for_long),
	KUNIT_CASE(nothing_waits_for_what_has_become_dear),
	KUNIT_CASE(grown_again_what_waits_is_added_again),
	KUNIT_CASE(before_the_end_what_waits_goes),
	KUNIT_CASE(after_a_refusal_they_go_one_by_one),
	KUNIT_CASE(shrink_the_cheapest_first),
	KUNIT_CASE(candidates_that_have_changed),
	KUNIT_CASE(one_scan_a_pass_if_it_was_whole),
	KUNIT_CASE(more_candidates_than_one_scan_keeps),
	KUNIT_CASE(a_scan_that_stopped_early),
	KUNIT_CASE(nothing_can_go),
	KUNIT_CASE(what_is_doubted_comes_last_and_is_marked),
	KUNIT_CASE(what_is_doubted_waits_for_its_time),
	KUNIT_CASE(put_off_as_doubted_it_waits_like_these),
	KUNIT_CASE(a_pass_that_has_tried_for_too_long_ends),
	KUNIT_CASE(a_long_look_is_followed_by_a_try),
	KUNIT_CASE(what_is_doubted_has_its_own_time),
	KUNIT_CASE(pressure_concerns_a_class),
	KUNIT_CASE(the_smallest_that_does_not_fit_counts),
	KUNIT_CASE(what_does_not_fit_hides_nobody_further_on),
	KUNIT_CASE(what_does_not_fit_is_no_try),
	KUNIT_CASE(something_newer_ends_shrinking),
	KUNIT_CASE(what_is_unplugged_is_still_wanted_gone),
	KUNIT_CASE(needless_agrees_with_the_wanted_number),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_mem_plan",
	.init = plan_init,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("Tests of virtio_mem_plan");
MODULE_LICENSE("GPL");
