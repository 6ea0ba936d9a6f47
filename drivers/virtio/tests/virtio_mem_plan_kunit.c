// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests virtio_mem_plan one decision at a time: cost, pressure, candidates,
 * the wanted number, the next step, reports, back-off, words.
 */
#include "virtio_mem_kunit.h"
#include "../virtio_mem_plan.h"

#define UNUSED		VIRTIO_MEM_BB_UNUSED
#define PLUGGED		VIRTIO_MEM_BB_PLUGGED
#define ADDED		VIRTIO_MEM_BB_ADDED
#define FAKE_OFFLINE	VIRTIO_MEM_BB_FAKE_OFFLINE
#define CAUSE(name)	VIRTIO_MEM_CAUSE_##name
#define STEP(name)	VIRTIO_MEM_STEP_##name

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
	virtio_mem_bbt_replace(&f->t, f->entries, NR);
	virtio_mem_bbt_extend(&f->t, NR);
	test->priv = f;
	return 0;
}

/*
 * Bring big blocks into states: one letter each, P, A, F; U leaves it as it is;
 * lower case: tried.
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

/* The pass ends here, after more looks that find nothing if it wants them. */
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

static void offer(struct kunit *test, u64 rank, unsigned long id)
{
	struct fixture *f = test->priv;

	virtio_mem_candidates_offer(&f->cand, rank, id);
}

static void expect_cause(struct kunit *test, enum virtio_mem_cause cause)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, f->pass.cause, cause);
}

static void what_stays_and_why(struct kunit *test)
{
	struct virtio_mem_score s = { .stuck_cause = CAUSE(HUGETLB) };

	KUNIT_EXPECT_EQ(test, virtio_mem_plan_stays(&s, false), CAUSE(NONE));
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_stays(&s, true), CAUSE(NONE));
	s.online_pages = 1;
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_stays(&s, false),
			CAUSE(KEPT_ONLINE));
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_stays(&s, true), CAUSE(NONE));
	s.stuck_pages = 1;
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_stays(&s, true), CAUSE(HUGETLB));
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_rank(&s, true),
			VIRTIO_MEM_RANK_NEVER);
	s.stuck_pages = 0;
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_rank(&s, false),
			VIRTIO_MEM_RANK_NEVER);
}

static void ranks_from_cheap_to_dear(struct kunit *test)
{
	static const struct virtio_mem_score s[] = {
		{ .online_pages = 0 },
		{ .online_pages = 512, .free_pages = 512 },
		{ .online_pages = 512, .free_pages = 512, .kernel_zone = true },
		{ .online_pages = 512, .free_pages = 511, .used_pages = 1 },
		{ .online_pages = 512, .free_pages = 511, .used_pages = 1,
		  .kernel_zone = true },
		{ .online_pages = 512, .free_pages = 500, .used_pages = 2 },
		{ .online_pages = 512, .used_pages = 129 },
		{ .online_pages = 512, .used_pages = 2, .held_pages = 1 },
		{ .online_pages = 512, .used_pages = 131 },
		{ .online_pages = 1UL << 40, .used_pages = 1UL << 40,
		  .kernel_zone = true },
	};
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(s); i++)
		KUNIT_EXPECT_LT(test, virtio_mem_plan_rank(&s[i - 1], true),
				virtio_mem_plan_rank(&s[i], true));
	KUNIT_EXPECT_LT(test, virtio_mem_plan_rank(&s[i - 1], true),
			VIRTIO_MEM_RANK_NEVER);
}

static void failed_ones_come_last(struct kunit *test)
{
	struct virtio_mem_score empty = { .online_pages = 8, .free_pages = 8 };
	struct virtio_mem_score full = { .online_pages = 8, .used_pages = 8,
					 .kernel_zone = true };
	u64 free = virtio_mem_plan_rank(&empty, true);
	u64 used = virtio_mem_plan_rank(&full, true);

	KUNIT_EXPECT_GT(test, virtio_mem_plan_demote(free), used);
	KUNIT_EXPECT_GT(test, virtio_mem_plan_demote(used),
			virtio_mem_plan_demote(free));
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_demote(VIRTIO_MEM_RANK_NEVER),
			VIRTIO_MEM_RANK_NEVER);
	KUNIT_EXPECT_LT(test, virtio_mem_plan_demote(used),
			VIRTIO_MEM_RANK_NEVER);
	KUNIT_EXPECT_EQ(test,
			virtio_mem_plan_demote(virtio_mem_plan_demote(used)),
			virtio_mem_plan_demote(used));
}

static void the_memmap_must_fit(struct kunit *test)
{
	struct virtio_mem_pressure p = { .kernel_avail = 100,
					 .kernel_reserve = 60 };

	KUNIT_EXPECT_TRUE(test, virtio_mem_plan_add_fits(40, &p));
	KUNIT_EXPECT_FALSE(test, virtio_mem_plan_add_fits(41, &p));
	p.kernel_avail = 0;
	KUNIT_EXPECT_FALSE(test, virtio_mem_plan_add_fits(0, &p));
}

#define METHOD(m)	VIRTIO_MEM_METHOD_##m

static void expect_method(struct kunit *test,
			  const struct virtio_mem_score *s,
			  unsigned long blocks, bool zeroes,
			  enum virtio_mem_method method)
{
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_method(s, true, blocks, zeroes),
			method);
}

static void method_by_pages_in_use(struct kunit *test)
{
	struct virtio_mem_score s = {};

	expect_method(test, &s, 1, true, METHOD(DIRECT));
	s.online_pages = 512;
	s.free_pages = 512;
	expect_method(test, &s, 1, true, METHOD(DIRECT));
	s.used_pages = 16;
	expect_method(test, &s, 1, false, METHOD(TRY));
	expect_method(test, &s, 2, true, METHOD(TRY));
	s.used_pages = 17;
	expect_method(test, &s, 1, false, METHOD(TAKE));
	expect_method(test, &s, 2, true, METHOD(TAKE));
	expect_method(test, &s, 1, true, METHOD(TRY));
	s.used_pages = 64;
	expect_method(test, &s, 1, true, METHOD(TRY));
	s.used_pages = 65;
	expect_method(test, &s, 1, true, METHOD(TAKE));
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_method(&s, false, 1, true),
			METHOD(DIRECT));
}

static void method_by_what_could_stay(struct kunit *test)
{
	struct virtio_mem_score s = { .online_pages = 512, .used_pages = 1 };

	/* Offlining would go on about a page that is held. */
	s.held_pages = 1;
	expect_method(test, &s, 1, true, METHOD(TAKE));
	s.held_pages = 0;
	/* The kernel could take a page before the second block's turn. */
	s.kernel_zone = true;
	expect_method(test, &s, 1, true, METHOD(TRY));
	expect_method(test, &s, 2, true, METHOD(TAKE));
}

/* Page by page: take the free ones away, then move the others one by one. */
static bool naive_fits(const struct virtio_mem_score *s,
		       const struct virtio_mem_pressure *p)
{
	long movable = p->movable_free, kernel = p->kernel_avail;
	long available = p->available;
	bool touched = false;
	unsigned long i;

	if (!s->online_pages)
		return true;
	for (i = 0; i < s->free_pages; i++) {
		available--;
		if (s->kernel_zone) {
			kernel--;
			touched = true;
		} else if (movable) {
			movable--;
		}
	}
	for (i = 0; i < s->used_pages; i++) {
		available--;
		if (movable) {
			movable--;
			continue;
		}
		kernel--;
		touched = true;
	}
	if (available < (long)p->reserve)
		return false;
	return !touched || kernel >= (long)p->kernel_reserve;
}

static void pressure_against_a_page_count(struct kunit *test)
{
	unsigned int i;
	struct vm_rnd r;

	vm_rnd_init(test, &r);
	for (i = 0; i < 50000; i++) {
		struct virtio_mem_score s = {
			.free_pages = vm_rnd_below(&r, 12),
			.used_pages = vm_rnd_below(&r, 12),
			.kernel_zone = vm_rnd_percent(&r, 50),
		};
		struct virtio_mem_pressure p = {
			.available = vm_rnd_below(&r, 40),
			.reserve = vm_rnd_below(&r, 12),
			.movable_free = vm_rnd_below(&r, 24),
			.kernel_avail = vm_rnd_below(&r, 24),
			.kernel_reserve = vm_rnd_below(&r, 12),
		};

		if (vm_rnd_percent(&r, 95))
			s.online_pages = s.free_pages + s.used_pages;
		KUNIT_ASSERT_EQ_MSG(test, virtio_mem_plan_fits(&s, &p),
				    naive_fits(&s, &p),
				    "(free %lu used %lu kernel %d of %lu/%lu %lu %lu/%lu)",
				    s.free_pages, s.used_pages, s.kernel_zone,
				    p.available, p.reserve, p.movable_free,
				    p.kernel_avail, p.kernel_reserve);
	}
}

static void candidates_are_sorted_and_stable(struct kunit *test)
{
	static const u64 ranks[] = { 5, 3, 5, VIRTIO_MEM_RANK_NEVER, 0, 3 };
	static const unsigned long want[] = { 4, 1, 5, 0, 2 };
	struct fixture *f = test->priv;
	unsigned int i;

	f->cand.next = 3;
	f->cand.nr = 7;
	virtio_mem_candidates_reset(&f->cand);
	KUNIT_EXPECT_EQ(test, f->cand.nr, 0U);
	KUNIT_EXPECT_EQ(test, f->cand.next, 0U);
	for (i = 0; i < ARRAY_SIZE(ranks); i++)
		offer(test, ranks[i], i);
	KUNIT_ASSERT_EQ(test, f->cand.nr, 5U);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		KUNIT_EXPECT_EQ(test, f->cand.c[i].id, want[i]);
		KUNIT_EXPECT_EQ(test, f->cand.c[i].rank, ranks[want[i]]);
	}
}

static void candidates_keep_the_cheapest(struct kunit *test)
{
	struct fixture *f = test->priv;
	const unsigned int max = VIRTIO_MEM_MAX_CANDIDATES;
	unsigned int i;

	/* The dearest first, so that each new one has to push one out. */
	for (i = 2 * max; i-- > 0;)
		offer(test, i, i);
	offer(test, max, 9999);
	offer(test, VIRTIO_MEM_RANK_NEVER, 9999);
	KUNIT_ASSERT_EQ(test, f->cand.nr, max);
	for (i = 0; i < max; i++)
		KUNIT_EXPECT_EQ(test, f->cand.c[i].id, (unsigned long)i);
}

static void a_scan_ends_when_enough_is_free(struct kunit *test)
{
	struct virtio_mem_score s = {
		.online_pages = 512, .free_pages = 512, .kernel_zone = true,
	};
	struct fixture *f = test->priv;

	KUNIT_EXPECT_FALSE(test, virtio_mem_candidates_enough(&f->cand, 1));
	offer(test, virtio_mem_plan_rank(&s, true), 3);
	KUNIT_EXPECT_TRUE(test, virtio_mem_candidates_enough(&f->cand, 1));
	KUNIT_EXPECT_FALSE(test, virtio_mem_candidates_enough(&f->cand, 2));
	s.used_pages = 1;
	offer(test, virtio_mem_plan_rank(&s, true), 2);
	KUNIT_EXPECT_TRUE(test, virtio_mem_candidates_enough(&f->cand, 1));
	KUNIT_EXPECT_FALSE(test, virtio_mem_candidates_enough(&f->cand, 2));
	s.online_pages = 0;
	s.used_pages = 0;
	offer(test, virtio_mem_plan_rank(&s, true), 1);
	KUNIT_EXPECT_TRUE(test, virtio_mem_candidates_enough(&f->cand, 2));
	KUNIT_EXPECT_FALSE(test, virtio_mem_candidates_enough(&f->cand, 3));
	KUNIT_EXPECT_FALSE(test, virtio_mem_candidates_enough(&f->cand, 0));
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
		/* Between two: not above it when growing, */
		{ 2 * BB + MIB, 0, "A", 2 },
		{ 2 * BB + MIB, 0, "AA", 2 },
		/* not below it when shrinking. */
		{ 2 * BB + MIB, 0, "AAA", 3 },
		{ 2 * BB + MIB, 0, "AAAA", 3 },
		{ 2 * BB, 0, "AAAA", 2 },
		{ 0, 0, "APFU", 0 },
		{ 3 * BB, 0, "APFU", 3 },
		{ 5 * BB, 0, "APFU", 5 },
		/* What is plugged outside of big blocks counts too. */
		{ 2 * BB, 2 * MIB, "", 1 },
		{ 2 * BB, 2 * MIB, "AA", 2 },
		{ 2 * BB, 2 * BB, "", 0 },
		{ BB, 2 * BB, "", 0 },
		{ BB, 2 * BB, "A", 0 },
		{ 3 * BB, 2 * BB + MIB, "AA", 1 },
		{ 1ULL << 62, 0, "", (1ULL << 62) / BB },
	};
	struct fixture *f = test->priv;
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
	KUNIT_EXPECT_EQ(test, f->pass.done, 2UL);
}

static void what_is_plugged_and_not_wanted_goes_back(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 2 * BB;
	put(test, "AAPPPPPP");
	expect_next(test, STEP(UNPLUG), 2, 4);
	f->in.requested = 3 * BB;
	expect_next(test, STEP(ADD), 2, 1);
	/* Not wanted is not wanted, onlined or not. */
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
	/* It can still be added. */
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

	/* One that is plugged already is kept for when there is room. */
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

	/* One may be kept until there is room, the other two have to go. */
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
	/* What can't be used goes back, and no more is taken. */
	expect_next(test, STEP(UNPLUG), 1, 2);
	virtio_mem_bbt_set(&f->t, 1, UNUSED);
	virtio_mem_bbt_set(&f->t, 2, UNUSED);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(NOMEM));
}

static void adding_is_barred(struct kunit *test)
{
	struct fixture *f = test->priv;

	/* Nothing is plugged that could not be added. */
	f->in.requested = 4 * BB;
	f->in.add_barred = CAUSE(NOMEM);
	expect_end(test);
	expect_cause(test, CAUSE(NOMEM));

	/* What is plugged goes back. */
	virtio_mem_pass_begin(&f->pass);
	put(test, "APP");
	expect_next(test, STEP(UNPLUG), 1, 2);

	/* It does not matter to those who shrink. */
	virtio_mem_pass_begin(&f->pass);
	f->in.requested = 0;
	expect_next(test, STEP(UNPLUG), 1, 2);
	KUNIT_EXPECT_FALSE(test, f->pass.add_held);
}

static void one_block_that_cannot_be_added(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->in.requested = 3 * BB;
	put(test, "APPU");
	expect_next(test, STEP(ADD), 1, 1);
	virtio_mem_bbt_quarantine(&f->t, 1, CAUSE(ADD_FAILED));
	report(test, CAUSE(ADD_FAILED));
	/* It alone goes back; the others carry on without it. */
	expect_next(test, STEP(UNPLUG), 1, 1);
	virtio_mem_bbt_set(&f->t, 1, UNUSED);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(ADD), 2, 1);
	virtio_mem_bbt_set(&f->t, 2, ADDED);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(PLUG), 3, 1);
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
		virtio_mem_pass_begin(&f->pass);
		expect_next(test, STEP(PLUG), 0, 3);
		report(test, causes[i]);
		expect_next(test, STEP(WAIT), 0, 0);
		KUNIT_EXPECT_EQ(test, f->pass.cause, causes[i]);
		KUNIT_EXPECT_EQ(test, f->pass.done, 0UL);
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
	/* So many: it is not this one or that one. */
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
		/* No shrinking either: it would end in the same place. */
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

static u64 used_rank(unsigned long used)
{
	struct virtio_mem_score s = { .online_pages = 100, .used_pages = used };

	return virtio_mem_plan_rank(&s, true);
}

/* The step took an ADDED big block out of Linux. */
static void shrunk(struct kunit *test)
{
	struct fixture *f = test->priv;

	virtio_mem_bbt_set(&f->t, f->step.first, FAKE_OFFLINE);
	virtio_mem_bbt_set(&f->t, f->step.first, PLUGGED);
	report(test, CAUSE(NONE));
}

/* The step unplugged a run. */
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

static void what_costs_nothing_is_unplugged_together(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long id;

	f->in.requested = 2 * BB;
	put(test, "AAAAAAAAAA");
	expect_next(test, STEP(SCAN), 0, 8);
	for (id = 0; id < 7; id++)
		offer(test, used_rank(0), id);
	offer(test, used_rank(3), 8);
	offer(test, used_rank(4), 9);
	report(test, CAUSE(NONE));
	/* At most as many as one request can name, max_run. */
	for (id = 0; id < 4; id++)
		shrinks(test, id);
	unplugs(test, 0, 4);
	/* One that stays keeps none waiting. */
	shrinks(test, 4);
	expect_next(test, STEP(SHRINK), 5, 1);
	virtio_mem_bbt_set_tried(&f->t, 5);
	report(test, CAUSE(VETO));
	shrinks(test, 6);
	/* The next would take long. */
	unplugs(test, 4, 1);
	unplugs(test, 6, 1);
	shrinks(test, 8);
	unplugs(test, 8, 1);
	/* The last one. */
	shrinks(test, 9);
	unplugs(test, 9, 1);
	expect_next(test, STEP(NONE), 0, 0);
}

/* So many in Linux that cost nothing, of which some have left. */
static void free_and_gone(struct kunit *test, unsigned int nr,
			  unsigned int gone)
{
	struct fixture *f = test->priv;
	unsigned long id;

	f->in.requested = 0;
	put(test, "AAAAAAAA" + 8 - nr);
	expect_next(test, STEP(SCAN), 0, nr);
	for (id = 0; id < nr; id++)
		offer(test, used_rank(0), id);
	report(test, CAUSE(NONE));
	for (id = 0; id < gone; id++) {
		expect_next(test, STEP(SHRINK), id, 1);
		/* Others wait for all but the first. */
		KUNIT_EXPECT_EQ(test, f->step.quick, id > 0);
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
	/* Put off. */
	offer(test, used_rank(1), 2);
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
	virtio_mem_pass_begin(&f->pass);
	virtio_mem_candidates_reset(&f->cand);
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
	/* What is too much, and no more; and nothing is begun. */
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
	offer(test, used_rank(7), 4);
	offer(test, used_rank(1), 2);
	offer(test, used_rank(5), 0);
	report(test, CAUSE(NONE));
	KUNIT_EXPECT_EQ(test, f->pass.done, 0UL);
	expect_next(test, STEP(SHRINK), 2, 1);
	put(test, "UUF");
	virtio_mem_bbt_set(&f->t, 2, PLUGGED);
	report(test, CAUSE(NONE));
	/* What is out of Linux waits for nothing that takes long. */
	expect_next(test, STEP(UNPLUG), 2, 1);
	virtio_mem_bbt_set(&f->t, 2, UNUSED);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(SHRINK), 0, 1);
	virtio_mem_bbt_set_tried(&f->t, 0);
	report(test, CAUSE(PINNED));
	expect_next(test, STEP(SHRINK), 4, 1);
	virtio_mem_bbt_set_tried(&f->t, 4);
	report(test, CAUSE(VETO));
	/* The first reason stands, and nothing is tried twice in a pass. */
	expect_end(test);
	expect_cause(test, CAUSE(PINNED));
	KUNIT_EXPECT_EQ(test, f->pass.done, 2UL);
}

static void candidates_that_have_changed(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AAAa");
	expect_next(test, STEP(SCAN), 0, 4);
	offer(test, 1, 3);
	offer(test, 2, 1);
	offer(test, 3, 0);
	report(test, CAUSE(NONE));
	put(test, "U");
	virtio_mem_bbt_set(&f->t, 1, FAKE_OFFLINE);
	/* 3 was tried, 1 is in somebody's hands: 0 is next. */
	expect_next(test, STEP(SHRINK), 0, 1);
	expect_end(test);
	expect_cause(test, CAUSE(NO_BB));
}

static void more_candidates_than_one_scan_keeps(struct kunit *test)
{
	struct fixture *f = test->priv;

	put(test, "AAAA");
	expect_next(test, STEP(SCAN), 0, 4);
	offer(test, 1, 3);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(SHRINK), 3, 1);
	virtio_mem_bbt_set_tried(&f->t, 3);
	report(test, CAUSE(DEADLINE));
	expect_next(test, STEP(SCAN), 0, 4);
	virtio_mem_candidates_reset(&f->cand);
	report(test, CAUSE(NONE));
	expect_end(test);
	expect_cause(test, CAUSE(DEADLINE));
}

static void a_scan_that_stopped_early(struct kunit *test)
{
	struct fixture *f = test->priv;

	/* Of four, the look found two free ones, and did not go on. */
	f->in.requested = 2 * BB;
	put(test, "AAAA");
	expect_next(test, STEP(SCAN), 0, 2);
	offer(test, 1, 3);
	offer(test, 1, 2);
	report(test, CAUSE(NONE));
	expect_next(test, STEP(SHRINK), 3, 1);
	virtio_mem_bbt_set_tried(&f->t, 3);
	report(test, CAUSE(VETO));
	expect_next(test, STEP(SHRINK), 2, 1);
	put(test, "UUF");
	virtio_mem_bbt_set(&f->t, 2, PLUGGED);
	virtio_mem_bbt_set(&f->t, 2, UNUSED);
	report(test, CAUSE(NONE));
	/* Else the next pass would choose the same two, for ever. */
	expect_next(test, STEP(SCAN), 0, 1);
}

static void nothing_can_go(struct kunit *test)
{
	put(test, "AA");
	expect_next(test, STEP(SCAN), 0, 2);
	report(test, CAUSE(UNMOVABLE));
	expect_next(test, STEP(WAIT), 0, 0);
	expect_cause(test, CAUSE(UNMOVABLE));
}

static void pressure_ends_shrinking(struct kunit *test)
{
	static const enum virtio_mem_cause causes[] = {
		CAUSE(PRESSURE), CAUSE(INTERRUPTED),
	};
	struct fixture *f = test->priv;
	unsigned int i;

	put(test, "AAA");
	for (i = 0; i < ARRAY_SIZE(causes); i++) {
		virtio_mem_pass_begin(&f->pass);
		virtio_mem_candidates_reset(&f->cand);
		expect_next(test, STEP(SCAN), 0, 3);
		offer(test, 1, 2);
		offer(test, 1, 1);
		offer(test, 1, 0);
		report(test, CAUSE(UNMOVABLE));
		expect_next(test, STEP(SHRINK), 2, 1);
		report(test, CAUSE(NOMEM));
		/* One that had no memory never ends the pass. */
		expect_next(test, STEP(SHRINK), 1, 1);
		report(test, causes[i]);
		expect_next(test, STEP(WAIT), 0, 0);
		KUNIT_EXPECT_EQ(test, f->pass.cause, causes[i]);
	}
}

static void retries_from_a_quarter_second_to_a_minute(struct kunit *test)
{
	struct virtio_mem_backoff b = {};
	u32 delay, before = 0, total = 0;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		delay = virtio_mem_backoff_next(&b);
		if (!i)
			KUNIT_EXPECT_EQ(test, delay, 250U);
		if (i && before < 60000) {
			KUNIT_EXPECT_GT(test, delay, before);
			KUNIT_EXPECT_LE(test, delay, before + before / 4);
			/* Never long compared with the time waited so far. */
			KUNIT_EXPECT_LE(test, delay, total + 250);
		}
		if (before == 60000)
			KUNIT_EXPECT_EQ(test, delay, 60000U);
		before = delay;
		total += delay;
	}
	KUNIT_EXPECT_EQ(test, delay, 60000U);
	virtio_mem_backoff_reset(&b);
	KUNIT_EXPECT_EQ(test, virtio_mem_backoff_next(&b), 250U);
}

static void long_tries_are_followed_by_rest(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, virtio_mem_backoff_rest(250, 0), 250U);
	KUNIT_EXPECT_EQ(test, virtio_mem_backoff_rest(250, 249), 250U);
	KUNIT_EXPECT_EQ(test, virtio_mem_backoff_rest(250, 10000), 10000U);
	KUNIT_EXPECT_EQ(test, virtio_mem_backoff_rest(250, U64_MAX),
			(u32)VIRTIO_MEM_RETRY_MAX_MS);
}

static void looks_are_rare_but_soon(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_look_ms(250), 200U);
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_look_ms(4000), 500U);
	KUNIT_EXPECT_EQ(test, virtio_mem_plan_look_ms(60000), 1000U);
}

static void expect_eased(struct kunit *test, enum virtio_mem_cause cause,
			 unsigned long available, unsigned long kernel_avail,
			 bool eased)
{
	struct virtio_mem_pressure then = { .available = 1000,
					    .kernel_avail = 500 };
	struct virtio_mem_pressure now = { .available = available,
					   .kernel_avail = kernel_avail };

	KUNIT_EXPECT_EQ(test, virtio_mem_plan_eased(cause, &then, &now, 800),
			eased);
}

static void memory_that_was_lacking(struct kunit *test)
{
	struct virtio_mem_pressure then = { .available = 1000 };
	struct virtio_mem_pressure now = { .available = 200 };

	expect_eased(test, CAUSE(PRESSURE), 1099, 599, false);
	expect_eased(test, CAUSE(PRESSURE), 1100, 500, true);
	expect_eased(test, CAUSE(NOMEM), 1000, 600, true);
	expect_eased(test, CAUSE(PINNED), 1100, 500, true);
	expect_eased(test, CAUSE(DEADLINE), 1100, 500, true);
	expect_eased(test, CAUSE(VETO), 9000, 9000, false);
	expect_eased(test, CAUSE(DEV_BUSY), 9000, 9000, false);
	/* From the least that there was. */
	KUNIT_EXPECT_FALSE(test, virtio_mem_plan_eased(CAUSE(PRESSURE), &then,
						       &now, 800));
	now.available = 300;
	KUNIT_EXPECT_TRUE(test, virtio_mem_plan_eased(CAUSE(PRESSURE), &then,
						      &now, 800));
}

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

static void nothing_is_believed_for_ever(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, virtio_mem_plan_believes(0, 0));
	KUNIT_EXPECT_TRUE(test, virtio_mem_plan_believes(1000, 1299));
	KUNIT_EXPECT_FALSE(test, virtio_mem_plan_believes(1000, 1300));
	KUNIT_EXPECT_FALSE(test, virtio_mem_plan_believes(1000, 1000000));
	KUNIT_EXPECT_FALSE(test, virtio_mem_plan_believes(0x7fffffff, 1));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(what_stays_and_why),
	KUNIT_CASE(ranks_from_cheap_to_dear),
	KUNIT_CASE(failed_ones_come_last),
	KUNIT_CASE(the_memmap_must_fit),
	KUNIT_CASE(method_by_pages_in_use),
	KUNIT_CASE(method_by_what_could_stay),
	KUNIT_CASE(pressure_against_a_page_count),
	KUNIT_CASE(candidates_are_sorted_and_stable),
	KUNIT_CASE(candidates_keep_the_cheapest),
	KUNIT_CASE(a_scan_ends_when_enough_is_free),
	KUNIT_CASE(the_wanted_number),
	KUNIT_CASE(plugged_bytes),
	KUNIT_CASE(nothing_to_do),
	KUNIT_CASE(an_answer_is_still_out),
	KUNIT_CASE(old_memory_goes_first),
	KUNIT_CASE(grow_lowest_first_in_bounded_runs),
	KUNIT_CASE(what_is_plugged_is_added_first),
	KUNIT_CASE(what_is_plugged_and_not_wanted_goes_back),
	KUNIT_CASE(what_is_not_usable_any_more_stays),
	KUNIT_CASE(too_much_waits_to_be_onlined),
	KUNIT_CASE(more_plugged_than_wanted_and_no_room),
	KUNIT_CASE(linux_has_no_memory_to_add),
	KUNIT_CASE(adding_is_barred),
	KUNIT_CASE(one_block_that_cannot_be_added),
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
	KUNIT_CASE(more_candidates_than_one_scan_keeps),
	KUNIT_CASE(a_scan_that_stopped_early),
	KUNIT_CASE(nothing_can_go),
	KUNIT_CASE(pressure_ends_shrinking),
	KUNIT_CASE(retries_from_a_quarter_second_to_a_minute),
	KUNIT_CASE(long_tries_are_followed_by_rest),
	KUNIT_CASE(looks_are_rare_but_soon),
	KUNIT_CASE(memory_that_was_lacking),
	KUNIT_CASE(words_for_every_cause),
	KUNIT_CASE(nothing_is_believed_for_ever),
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
