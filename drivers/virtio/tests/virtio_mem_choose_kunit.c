// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests virtio_mem_choose: causes that forbid and doubts that don't, ranks,
 * methods, the guard, the memory that growing needs, candidates.
 */
#include "virtio_mem_kunit.h"
#include "../virtio_mem_choose.h"

#define CAUSE(name)	VIRTIO_MEM_CAUSE_##name
#define RANKED(name)	VIRTIO_MEM_CLASS_##name
#define METHOD(name)	VIRTIO_MEM_METHOD_##name

static const struct virtio_mem_history nothing_known;

static void only_what_is_known_forbids(struct kunit *test)
{
	struct virtio_mem_score s = { .stuck_cause = CAUSE(HUGETLB) };

	KUNIT_EXPECT_EQ(test, virtio_mem_choose_stays(&s, true, false),
			CAUSE(NONE));
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_stays(&s, true, true),
			CAUSE(NONE));
	s.online_pages = 1;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_stays(&s, true, false),
			CAUSE(KEPT_ONLINE));
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_stays(&s, true, true),
			CAUSE(NONE));
	/*
	 * A big block out of the device's reach stays whatever the user says.
	 */
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_stays(&s, false, true),
			CAUSE(OUTSIDE));
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_stays(&s, false, false),
			CAUSE(OUTSIDE));
}

static void no_look_at_pages_forbids(struct kunit *test)
{
	static const struct virtio_mem_score s[] = {
		{ .online_pages = 8, .stuck_pages = 8,
		  .stuck_cause = CAUSE(UNMOVABLE), .kernel_zone = true },
		{ .online_pages = 8, .stuck_pages = 8,
		  .stuck_cause = CAUSE(HUGETLB) },
		{ .online_pages = 8, .stuck_pages = 1,
		  .stuck_cause = CAUSE(PINNED) },
		{ .online_pages = 8, .used_pages = 8, .held_pages = 8 },
		{ .online_pages = 8, .used_pages = 8, .busy_pages = 8 },
		{ .online_pages = 8, .poisoned_pages = 8 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s); i++)
		KUNIT_EXPECT_EQ(test,
				virtio_mem_choose_stays(&s[i], true, true),
				CAUSE(NONE));
}

static void what_is_stuck_or_held_is_doubted(struct kunit *test)
{
	struct virtio_mem_history held = { .held = true };
	struct virtio_mem_history failed = { .tries = 3, .cause = CAUSE(VETO) };
	struct virtio_mem_score s = { .online_pages = 8, .used_pages = 8,
				      .held_pages = 8, .busy_pages = 8,
				      .stuck_cause = CAUSE(HUGETLB) };

	/* Neither one scan of a held page nor a failure proves anything. */
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_doubt(&s, &nothing_known),
			CAUSE(NONE));
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_doubt(&s, &failed),
			CAUSE(NONE));
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_doubt(&s, &held),
			CAUSE(PINNED));
	s.stuck_pages = 1;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_doubt(&s, &nothing_known),
			CAUSE(HUGETLB));
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_doubt(&s, &held),
			CAUSE(HUGETLB));
}

static void what_lasts_longest_is_named(struct kunit *test)
{
	static const enum virtio_mem_cause by_length[] = {
		CAUSE(PINNED), CAUSE(HUGETLB), CAUSE(UNMOVABLE),
	};
	unsigned int first, then;

	for (first = 0; first < ARRAY_SIZE(by_length); first++) {
		for (then = 0; then < ARRAY_SIZE(by_length); then++) {
			unsigned int longest = max(first, then);
			struct virtio_mem_score s = {};

			virtio_mem_choose_stuck(&s, 100, 3, by_length[first]);
			virtio_mem_choose_stuck(&s, 200, 5, by_length[then]);
			KUNIT_EXPECT_EQ(test, s.stuck_pages, 8UL);
			KUNIT_EXPECT_EQ(test, s.stuck_cause, by_length[longest]);
			KUNIT_EXPECT_EQ(test, s.stuck_pfn,
					then > first ? 200UL : 100UL);
			KUNIT_EXPECT_EQ(test, s.stuck_same,
					first == then ? 8UL :
					then > first ? 5UL : 3UL);
		}
	}
}

/* A big block as a scan sees it, with its record. */
struct seen {
	struct virtio_mem_score s;
	struct virtio_mem_history past;
	enum virtio_mem_class class;
};

#define STUCK(why)	.stuck_pages = 1, .stuck_cause = CAUSE(why)

static const struct seen from_cheap_to_dear[] = {
	{ { .online_pages = 0 }, {}, RANKED(OFFLINE) },
	{ { .online_pages = 512, .free_pages = 512 }, {}, RANKED(FREE) },
	{ { .online_pages = 512, .free_pages = 512, .kernel_zone = true }, {},
	  RANKED(FREE) },
	{ { .online_pages = 512, .used_pages = 1 }, {}, RANKED(USED) },
	{ { .online_pages = 512, .used_pages = 1, .kernel_zone = true }, {},
	  RANKED(USED) },
	{ { .online_pages = 512, .used_pages = 2 }, {}, RANKED(USED) },
	{ { .online_pages = 512, .used_pages = 129 }, {}, RANKED(USED) },
	{ { .online_pages = 512, .used_pages = 2, .held_pages = 1 }, {},
	  RANKED(USED) },
	{ { .online_pages = 512, .used_pages = 3, .busy_pages = 1 }, {},
	  RANKED(USED) },
	{ { .online_pages = 512, .used_pages = 132 }, {}, RANKED(USED) },
	{ { .online_pages = 1UL << 60, .used_pages = 1UL << 60,
	    .kernel_zone = true }, {}, RANKED(USED) },
	/* Each failed try costs more than all pages. */
	{ { .online_pages = 0 }, { .tries = 1 }, RANKED(FAILED) },
	{ { .online_pages = 512, .used_pages = 512 }, { .tries = 1 },
	  RANKED(FAILED) },
	{ { .online_pages = 512, .free_pages = 512 }, { .tries = 2 },
	  RANKED(FAILED) },
	{ { .online_pages = 1UL << 60, .used_pages = 1UL << 60 },
	  { .tries = UINT_MAX }, RANKED(FAILED) },
	/* Held pages come first, kernel pages last, as these hardly ever go. */
	{ { .online_pages = 512, .used_pages = 1 }, { .held = true },
	  RANKED(DOUBTED) },
	{ { .online_pages = 512, .used_pages = 512 }, { .held = true },
	  RANKED(DOUBTED) },
	{ { .online_pages = 512, STUCK(PINNED) }, {}, RANKED(DOUBTED) },
	{ { .online_pages = 512, .used_pages = 500, STUCK(PINNED) }, {},
	  RANKED(DOUBTED) },
	{ { .online_pages = 512, STUCK(UNMOVABLE) }, {}, RANKED(DOUBTED) },
	{ { .online_pages = 512, .used_pages = 500, STUCK(HUGETLB) }, {},
	  RANKED(DOUBTED) },
	/* Big blocks with fewer tries come before all of these. */
	{ { .online_pages = 512, .used_pages = 1 },
	  { .held = true, .tries = 1 }, RANKED(DOUBTED) },
	{ { .online_pages = 512, STUCK(UNMOVABLE) }, { .tries = 1 },
	  RANKED(DOUBTED) },
	{ { .online_pages = 512, .used_pages = 1 },
	  { .held = true, .tries = 2 }, RANKED(DOUBTED) },
	{ { .online_pages = 1UL << 60, .used_pages = 1UL << 60,
	    STUCK(HUGETLB), .kernel_zone = true }, { .tries = UINT_MAX },
	  RANKED(DOUBTED) },
};

static void ranks_from_cheap_to_dear(struct kunit *test)
{
	u64 before = 0, rank;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(from_cheap_to_dear); i++) {
		const struct seen *b = &from_cheap_to_dear[i];

		rank = virtio_mem_choose_rank(&b->s, &b->past);
		KUNIT_EXPECT_EQ_MSG(test, virtio_mem_choose_class(rank),
				    b->class, "(row %u)", i);
		if (i)
			KUNIT_EXPECT_TRUE_MSG(test, before < rank, "(row %u)",
					      i);
		before = rank;
	}
}

#define MANY	20

static unsigned int cheapest(const struct seen *b)
{
	unsigned int i, best = 0;

	for (i = 1; i < MANY; i++)
		if (virtio_mem_choose_rank(&b[i].s, &b[i].past) <
		    virtio_mem_choose_rank(&b[best].s, &b[best].past))
			best = i;
	return best;
}

/* Doomed tries take turns, so that none waits for ever behind another. */
static void no_doubted_one_starves(struct kunit *test)
{
	static const enum virtio_mem_cause causes[] = {
		CAUSE(UNMOVABLE), CAUSE(PINNED), CAUSE(HUGETLB), CAUSE(NONE),
	};
	struct seen *b = kunit_kzalloc(test, MANY * sizeof(*b), GFP_KERNEL);
	unsigned int i, round;
	struct vm_rnd r;

	KUNIT_ASSERT_NOT_NULL(test, b);
	vm_rnd_init(test, &r);
	for (i = 0; i < MANY; i++) {
		enum virtio_mem_cause why = causes[vm_rnd_below(&r, 4)];

		b[i].s.online_pages = 512;
		b[i].s.used_pages = vm_rnd_below(&r, 512);
		b[i].s.stuck_pages = why != CAUSE(NONE);
		b[i].s.stuck_cause = why;
		b[i].past.held = why == CAUSE(NONE);
	}
	for (round = 1; round <= 200; round++) {
		for (i = 0; i < MANY; i++)
			b[cheapest(b)].past.tries++;
		for (i = 0; i < MANY; i++)
			KUNIT_ASSERT_EQ(test, b[i].past.tries, round);
	}
}

static void what_a_batch_may_hold_is_found_out_first(struct kunit *test)
{
	struct virtio_mem_history held = { .held = true };
	struct virtio_mem_score s = { .online_pages = 8, .used_pages = 8 };

	KUNIT_EXPECT_FALSE(test,
			   virtio_mem_choose_confirms(&s, &nothing_known));
	s.held_pages = 1;
	KUNIT_EXPECT_TRUE(test, virtio_mem_choose_confirms(&s, &nothing_known));
	/* The record already says that it is held. */
	KUNIT_EXPECT_FALSE(test, virtio_mem_choose_confirms(&s, &held));
	/* In a kernel zone a held page may move all the same. */
	s.kernel_zone = true;
	KUNIT_EXPECT_FALSE(test,
			   virtio_mem_choose_confirms(&s, &nothing_known));
	/* Stuck pages keep it from going anyway. */
	s.kernel_zone = false;
	s.stuck_pages = 1;
	KUNIT_EXPECT_FALSE(test,
			   virtio_mem_choose_confirms(&s, &nothing_known));
}

/* The method for a big block, by the result of its scan. */
struct method_case {
	struct virtio_mem_score s;
	bool safe;
	unsigned long blocks;
	enum virtio_mem_method method;
};

#define HALF	.online_pages = 512, .free_pages = 256, .used_pages = 256

static const struct method_case methods[] = {
	/* Nothing is in use. */
	{ { .online_pages = 0 }, true, 1, METHOD(DIRECT) },
	{ { .online_pages = 512, .free_pages = 512 }, true, 8, METHOD(DIRECT) },
	{ { .online_pages = 512, .free_pages = 512, .kernel_zone = true },
	  true, 8, METHOD(DIRECT) },
	{ { .online_pages = 512, .poisoned_pages = 1 }, true, 1,
	  METHOD(DIRECT) },
	/* Some pages have to move, few or many. */
	{ { .online_pages = 512, .used_pages = 1 }, true, 1, METHOD(SWEEP) },
	{ { HALF }, true, 1, METHOD(SWEEP) },
	{ { HALF }, true, 8, METHOD(SWEEP) },
	{ { HALF, .held_pages = 1 }, true, 1, METHOD(SWEEP) },
	{ { HALF, .busy_pages = 1 }, true, 1, METHOD(SWEEP) },
	{ { HALF, .poisoned_pages = 1 }, true, 1, METHOD(SWEEP) },
	{ { HALF, .kernel_zone = true }, true, 1, METHOD(SWEEP) },
	/* The kernel could take a page before the second block goes. */
	{ { HALF, .kernel_zone = true }, true, 2, METHOD(TAKE) },
	{ { HALF, .kernel_zone = true, .busy_pages = 1 }, true, 2,
	  METHOD(TAKE) },
	/* Taking decides whether pages are really stuck. */
	{ { HALF, STUCK(UNMOVABLE), .kernel_zone = true }, true, 1,
	  METHOD(TAKE) },
	{ { HALF, STUCK(PINNED) }, true, 1, METHOD(TAKE) },
	{ { .online_pages = 512, STUCK(PINNED) }, true, 1, METHOD(TAKE) },
	/* Taking fails for poisoned pages, while offlining skips them, */
	{ { HALF, .kernel_zone = true, .poisoned_pages = 1 }, true, 1,
	  METHOD(DIRECT) },
	{ { HALF, .kernel_zone = true, .poisoned_pages = 1 }, true, 2,
	  METHOD(DIRECT) },
	/* but no signal ends its wait for busy pages. */
	{ { HALF, .kernel_zone = true, .poisoned_pages = 1, .busy_pages = 1 },
	  true, 2, METHOD(TAKE) },
	/* bbm_safe_unplug is off. */
	{ { .online_pages = 0 }, false, 1, METHOD(OFFLINE) },
	{ { HALF }, false, 1, METHOD(OFFLINE) },
	{ { HALF, .kernel_zone = true }, false, 2, METHOD(OFFLINE) },
	{ { HALF, STUCK(UNMOVABLE), .kernel_zone = true }, false, 2,
	  METHOD(OFFLINE) },
	{ { HALF, .busy_pages = 1 }, false, 1, METHOD(SWEEP) },
	{ { HALF, .busy_pages = 1, .kernel_zone = true }, false, 2,
	  METHOD(TAKE) },
};

static void method_by_what_is_in_the_way(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(methods); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    virtio_mem_choose_method(&methods[i].s,
							     methods[i].safe,
							     methods[i].blocks),
				    methods[i].method, "(row %u)", i);
}

/*
 * No combination offlines pages that the core may wait for, with all locks
 * held.
 */
static void nothing_busy_is_offlined_unswept(struct kunit *test)
{
	unsigned int i;
	struct vm_rnd r;

	vm_rnd_init(test, &r);
	for (i = 0; i < 1000; i++) {
		struct virtio_mem_score s = {
			HALF, .busy_pages = 1 + vm_rnd_below(&r, 3),
			.stuck_pages = vm_rnd_below(&r, 2),
			.poisoned_pages = vm_rnd_below(&r, 2),
			.held_pages = vm_rnd_below(&r, 2),
			.kernel_zone = vm_rnd_percent(&r, 50),
		};
		enum virtio_mem_method m;

		m = virtio_mem_choose_method(&s, vm_rnd_percent(&r, 50),
					     1 + vm_rnd_below(&r, 8));
		KUNIT_ASSERT_TRUE(test, m == METHOD(SWEEP) ||
				  m == METHOD(TAKE));
	}
}

/* The finding for each kind of scan. */
static void what_a_scan_finds(struct kunit *test)
{
	struct virtio_mem_history failed = { .tries = 1, .cause = CAUSE(VETO) };
	struct virtio_mem_history held = { .held = true,
					   .cause = CAUSE(DEADLINE) };
	struct virtio_mem_score s = { .online_pages = 8, .used_pages = 2,
				      .held_pages = 1, .held_pfn = 77 };
	struct virtio_mem_finding f;

	/*
	 * A page that may be held is suspected; the failed try's cause stays.
	 */
	virtio_mem_choose_finding(&s, &failed, true, true, &f);
	KUNIT_EXPECT_FALSE(test, f.stays);
	KUNIT_EXPECT_EQ(test, f.cause, CAUSE(NONE));
	KUNIT_EXPECT_EQ(test, f.keep, CAUSE(VETO));
	KUNIT_EXPECT_EQ(test, f.suspect_pfn, 77UL);
	/* A page that is known to be held needs no suspicion. */
	virtio_mem_choose_finding(&s, &held, true, true, &f);
	KUNIT_EXPECT_FALSE(test, f.stays);
	KUNIT_EXPECT_EQ(test, f.cause, CAUSE(PINNED));
	KUNIT_EXPECT_EQ(test, f.keep, CAUSE(PINNED));
	KUNIT_EXPECT_EQ(test, f.suspect_pfn, 0UL);
	s.held_pages = 0;
	virtio_mem_choose_finding(&s, &nothing_known, true, true, &f);
	KUNIT_EXPECT_EQ(test, f.keep, CAUSE(NONE));
	KUNIT_EXPECT_EQ(test, f.suspect_pfn, 0UL);
	/* A cause that forbids comes before a doubt. */
	s.stuck_pages = 1;
	s.stuck_cause = CAUSE(UNMOVABLE);
	virtio_mem_choose_finding(&s, &failed, true, false, &f);
	KUNIT_EXPECT_TRUE(test, f.stays);
	KUNIT_EXPECT_EQ(test, f.cause, CAUSE(KEPT_ONLINE));
	virtio_mem_choose_finding(&s, &failed, false, true, &f);
	KUNIT_EXPECT_TRUE(test, f.stays);
	KUNIT_EXPECT_EQ(test, f.cause, CAUSE(OUTSIDE));
}

#define VERDICT(name)	VIRTIO_MEM_VERDICT_##name

struct verdict_case {
	const char *name;
	struct virtio_mem_score s;
	struct virtio_mem_history past;
	struct virtio_mem_turn turn;
	enum virtio_mem_verdict verdict;
	enum virtio_mem_cause cause;
};

/* A turn that allows all; each case changes the condition that it tests. */
#define MAY	.usable = true, .unplug_online = true, .fits = true
#define IN_USE	.online_pages = 8, .used_pages = 2
#define HELD_NOW IN_USE, .held_pages = 1, .held_pfn = 77

static const struct verdict_case verdicts[] = {
	{ "in use", { IN_USE }, {}, { MAY }, VERDICT(TRY), CAUSE(NONE) },
	{ "free and quick", { .online_pages = 8 }, {}, { MAY, .quick = true },
	  VERDICT(TRY), CAUSE(NONE) },
	{ "in use, but quick", { IN_USE }, {}, { MAY, .quick = true },
	  VERDICT(PUT_OFF), CAUSE(NONE) },
	{ "stuck, but quick", { .online_pages = 8, STUCK(UNMOVABLE) }, {},
	  { MAY, .quick = true }, VERDICT(PUT_OFF), CAUSE(NONE) },
	{ "quick comes before a doubt that was paid for", { IN_USE },
	  { .held = true }, { MAY, .quick = true, .doubted = true },
	  VERDICT(PUT_OFF), CAUSE(NONE) },
	{ "held at this moment", { HELD_NOW }, {}, { MAY },
	  VERDICT(CONFIRM), CAUSE(NONE) },
	{ "asked for but once", { HELD_NOW }, {}, { MAY, .confirmed = true },
	  VERDICT(TRY), CAUSE(NONE) },
	{ "found held", { HELD_NOW }, { .held = true },
	  { MAY, .confirmed = true }, VERDICT(PUT_OFF), CAUSE(PINNED) },
	{ "found out before what forbids", { HELD_NOW }, {},
	  { .usable = false }, VERDICT(CONFIRM), CAUSE(NONE) },
	{ "doubted", { .online_pages = 8, STUCK(HUGETLB) }, {}, { MAY },
	  VERDICT(PUT_OFF), CAUSE(HUGETLB) },
	{ "doubted before what forbids",
	  { .online_pages = 8, STUCK(HUGETLB) }, {}, { .usable = false },
	  VERDICT(PUT_OFF), CAUSE(HUGETLB) },
	{ "doubted, and its turn all the same",
	  { .online_pages = 8, STUCK(HUGETLB) }, {}, { MAY, .doubted = true },
	  VERDICT(TRY), CAUSE(NONE) },
	{ "nothing to find out if it is doubted", { HELD_NOW }, {},
	  { MAY, .doubted = true }, VERDICT(TRY), CAUSE(NONE) },
	{ "out of reach", { IN_USE }, {}, { .unplug_online = true },
	  VERDICT(STAYS), CAUSE(OUTSIDE) },
	{ "kept", { IN_USE }, {}, { .usable = true },
	  VERDICT(STAYS), CAUSE(KEPT_ONLINE) },
	{ "kept, whether it fits or not", { IN_USE }, {},
	  { .usable = true, .doubted = true }, VERDICT(STAYS),
	  CAUSE(KEPT_ONLINE) },
	{ "can't be done without", { IN_USE }, {},
	  { .usable = true, .unplug_online = true }, VERDICT(STAYS),
	  CAUSE(PRESSURE) },
};

static void verdict_name(const struct verdict_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(verdicts, verdicts, verdict_name);

static void a_verdict(struct kunit *test)
{
	const struct verdict_case *c = test->param_value;
	enum virtio_mem_cause cause = CAUSE(NR);

	KUNIT_EXPECT_EQ(test, virtio_mem_choose_verdict(&c->s, &c->past,
							&c->turn, &cause),
			c->verdict);
	KUNIT_EXPECT_EQ(test, cause, c->cause);
}

static void how_time_is_shared_out(struct kunit *test)
{
	struct virtio_mem_times t;

	KUNIT_EXPECT_EQ(test, virtio_mem_choose_ms(40000, false), 40000U);
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_ms(40000, true),
			VIRTIO_MEM_DOUBT_TRY_MS);
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_ms(100, true), 100U);
	/* Offlining gets a second a memory block where taking may follow. */
	virtio_mem_choose_times(METHOD(DIRECT), 40000, 1, &t);
	KUNIT_EXPECT_EQ(test, t.direct, 1000U);
	KUNIT_EXPECT_EQ(test, t.taken, 10000U);
	KUNIT_EXPECT_EQ(test, t.empty, 25000U);
	virtio_mem_choose_times(METHOD(SWEEP), 40000, 4, &t);
	KUNIT_EXPECT_EQ(test, t.direct, 4000U);
	/* But it never gets more than its share. */
	virtio_mem_choose_times(METHOD(SWEEP), 40000, 8, &t);
	KUNIT_EXPECT_EQ(test, t.direct, 5000U);
	virtio_mem_choose_times(METHOD(DIRECT), 800, 1UL << 30, &t);
	KUNIT_EXPECT_EQ(test, t.direct, 100U);
	/* It gets all of the share where nothing follows. */
	virtio_mem_choose_times(METHOD(OFFLINE), 40000, 1, &t);
	KUNIT_EXPECT_EQ(test, t.direct, 10000U);
}

static void what_follows_a_failure(struct kunit *test)
{
	/* A page held before the first attempt does not prevent it. */
	KUNIT_EXPECT_TRUE(test, virtio_mem_choose_again(0, true));
	KUNIT_EXPECT_FALSE(test, virtio_mem_choose_again(1, true));
	KUNIT_EXPECT_TRUE(test,
			  virtio_mem_choose_again(VIRTIO_MEM_TAKE_ATTEMPTS - 1,
						  false));
	KUNIT_EXPECT_FALSE(test,
			   virtio_mem_choose_again(VIRTIO_MEM_TAKE_ATTEMPTS,
						   false));
#define TAKE_AFTER(how, why, ms)					\
	virtio_mem_choose_take_after(METHOD(how), CAUSE(why), ms)
	KUNIT_EXPECT_TRUE(test, TAKE_AFTER(DIRECT, DEADLINE, 1));
	KUNIT_EXPECT_TRUE(test, TAKE_AFTER(DIRECT, VETO, 1));
	KUNIT_EXPECT_TRUE(test, TAKE_AFTER(SWEEP, PINNED, 1));
	KUNIT_EXPECT_FALSE(test, TAKE_AFTER(SWEEP, PINNED, 0));
	KUNIT_EXPECT_FALSE(test, TAKE_AFTER(SWEEP, NOMEM, 1));
	KUNIT_EXPECT_FALSE(test, TAKE_AFTER(DIRECT, INTERRUPTED, 1));
	KUNIT_EXPECT_FALSE(test, TAKE_AFTER(OFFLINE, DEADLINE, 1));
	KUNIT_EXPECT_FALSE(test, TAKE_AFTER(TAKE, PINNED, 1));
	/* An interruption says nothing of the big block. */
	KUNIT_EXPECT_FALSE(test,
			   virtio_mem_choose_remembers(CAUSE(INTERRUPTED)));
	KUNIT_EXPECT_FALSE(test, virtio_mem_choose_remembers(CAUSE(HOTPLUG)));
	KUNIT_EXPECT_TRUE(test, virtio_mem_choose_remembers(CAUSE(PINNED)));
	KUNIT_EXPECT_TRUE(test, virtio_mem_choose_remembers(CAUSE(NOMEM)));
}

static void free_swap_is_worth_what_it_frees(struct kunit *test)
{
	struct virtio_mem_pressure p = { .swap_free = 1000, .anon = 4000 };

	KUNIT_EXPECT_EQ(test, virtio_mem_choose_swap(&p), 1000UL);
	/* Free swap counts only as far as there is something to swap out. */
	p.anon = 300;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_swap(&p), 300UL);
	p.anon = 0;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_swap(&p), 0UL);
	/* A page in zram takes half of the memory that it frees. */
	p.swap_is_memory = true;
	p.anon = 4000;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_swap(&p), 500UL);
	p.swap_free = 0;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_swap(&p), 0UL);
}

/* Swapped-out pages leave half of themselves in zram, however large it is. */
static void little_to_swap_out_is_halved_by_zram_too(struct kunit *test)
{
	struct virtio_mem_pressure p = { .swap_free = 4000, .anon = 1000,
					 .swap_is_memory = true };

	KUNIT_EXPECT_EQ(test, virtio_mem_choose_swap(&p), 500UL);
}

/* Offlining may move a few pages, but must not wait for others. */
static void what_a_sweep_may_leave(struct kunit *test)
{
	struct virtio_mem_score s = { .online_pages = 1024, .used_pages = 4 };

	KUNIT_EXPECT_TRUE(test, virtio_mem_choose_is_swept(&s));
	s.used_pages = 5;
	KUNIT_EXPECT_FALSE(test, virtio_mem_choose_is_swept(&s));
	s.used_pages = 1;
	s.held_pages = 1;
	KUNIT_EXPECT_FALSE(test, virtio_mem_choose_is_swept(&s));
	s.held_pages = 0;
	s.busy_pages = 1;
	KUNIT_EXPECT_FALSE(test, virtio_mem_choose_is_swept(&s));
	s.busy_pages = 0;
	s.stuck_pages = 1;
	KUNIT_EXPECT_FALSE(test, virtio_mem_choose_is_swept(&s));
}

/* A scan knows the obstacle more exactly than the core does. */
static void the_most_exact_reason(struct kunit *test)
{
	struct virtio_mem_score s = { .stuck_pages = 1,
				      .stuck_cause = CAUSE(UNMOVABLE) };
	struct virtio_mem_history past = {};

	KUNIT_EXPECT_EQ(test, virtio_mem_choose_reason(&s, &past, CAUSE(PINNED)),
			CAUSE(UNMOVABLE));
	KUNIT_EXPECT_EQ(test,
			virtio_mem_choose_reason(&s, &past, CAUSE(DEADLINE)),
			CAUSE(UNMOVABLE));
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_reason(&s, &past, CAUSE(NOMEM)),
			CAUSE(NOMEM));
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_reason(&s, &past, CAUSE(NONE)),
			CAUSE(NONE));
	s.stuck_cause = CAUSE(HUGETLB);
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_reason(&s, &past, CAUSE(NOMEM)),
			CAUSE(HUGETLB));
	s.stuck_pages = 0;
	KUNIT_EXPECT_EQ(test,
			virtio_mem_choose_reason(&s, &past, CAUSE(DEADLINE)),
			CAUSE(DEADLINE));
}

/* From here on a "page" is a MiB, because all is proportional. */
static bool fits(const struct virtio_mem_score *s,
		 const struct virtio_mem_pressure *p, int reserve_mib,
		 struct virtio_mem_fit *fit)
{
	virtio_mem_choose_fit(s, p, 1, reserve_mib, fit);
	return fit->fits;
}

/* A state of the guest, and how many big blocks of it can go. */
struct state {
	const char *desc;
	unsigned long bb;
	unsigned long wanted;
	unsigned long go;
	struct virtio_mem_pressure p;
};

static const struct state states[] = {
	{ "clean cache of a file fills what was added", 128, 16, 16,
	  { .available = 3930, .anon = 900, .kernel_free = 50,
	    .kernel_file = 30, .kernel_anon = 850, .total = 5120 } },
	{ "only page cache, large big blocks", 1024, 3, 3,
	  { .available = 4589, .anon = 100, .kernel_free = 400,
	    .kernel_file = 300, .total = 5120 } },
	{ "anonymous memory and swap on disk", 128, 8, 8,
	  { .available = 839, .swap_free = 4095, .anon = 1900,
	    .kernel_free = 100, .kernel_file = 60, .total = 3072 } },
	{ "the same, large big blocks", 1024, 1, 1,
	  { .available = 839, .swap_free = 4095, .anon = 1900,
	    .kernel_free = 100, .kernel_file = 60, .total = 3072 } },
	{ "the same without swap", 128, 8, 6,
	  { .available = 839, .anon = 1900, .kernel_free = 100,
	    .kernel_file = 60, .total = 3072 } },
	{ "little swap on disk", 128, 16, 12,
	  { .available = 839, .swap_free = 800, .anon = 1900,
	    .kernel_free = 100, .kernel_file = 60, .total = 3072 } },
	{ "as much swap in zram", 128, 16, 9,
	  { .available = 839, .swap_free = 800, .swap_is_memory = true,
	    .anon = 1900, .kernel_free = 100, .kernel_file = 60, .total =
	    3072 } },
	{ "hot cache in boot memory", 128, 8, 8,
	  { .available = 1938, .anon = 300, .kernel_free = 40,
	    .kernel_file = 600, .total = 3072 } },
	{ "600 MiB locked in 512 MiB and 1 GiB", 128, 8, 6,
	  { .available = 850, .kernel_free = 300, .kernel_file = 80,
	    .total = 1536 } },
	{ "nothing to spare", 128, 8, 0,
	  { .available = 12, .anon = 783, .kernel_free = 12, .total = 2048
	    } },
	{ "1 TiB with 20 GiB to spare gives 16 back", 1024, 16, 16,
	  { .available = 20480, .kernel_free = 300, .kernel_file = 180,
	    .total = 1 << 20 } },
	{ "and not all of it", 1024, 20, 19,
	  { .available = 20480, .kernel_free = 300, .kernel_file = 180,
	    .total = 1 << 20 } },
};

/* Takes up to @nr pages from @from; returns how many are lacking. */
static unsigned long take_of(unsigned long *from, unsigned long nr)
{
	unsigned long part = min(*from, nr);

	*from -= part;
	return nr - part;
}

/* A full big block of ZONE_MOVABLE goes, in the order of reclaim. */
static void leaves(struct virtio_mem_pressure *p, unsigned long bb)
{
	unsigned long out = take_of(&p->available, bb);

	p->swap_free -= min(p->swap_free, p->swap_is_memory ? 2 * out : out);
	p->anon -= min(p->anon, out);
	p->total -= bb;
}

static void a_state_of_the_guest(struct kunit *test)
{
	const struct state *st = test->param_value;
	struct virtio_mem_score s = { .online_pages = st->bb,
				      .used_pages = st->bb };
	struct virtio_mem_pressure p = st->p;
	struct virtio_mem_fit fit;
	unsigned long nr;

	for (nr = 0; nr < st->wanted && fits(&s, &p, -1, &fit); nr++)
		leaves(&p, st->bb);
	KUNIT_EXPECT_EQ(test, nr, st->go);
}

static void state_desc(const struct state *st, char *desc)
{
	strscpy(desc, st->desc, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(states, states, state_desc);

static unsigned long reserve_of(unsigned long total, int reserve_mib)
{
	struct virtio_mem_score s = { .online_pages = 1 };
	struct virtio_mem_pressure p = { .available = 1 << 22, .total = total };
	struct virtio_mem_fit fit;

	fits(&s, &p, reserve_mib, &fit);
	return fit.reserve;
}

static void the_reserve_is_small_and_capped(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, reserve_of(512, -1), 32UL);
	KUNIT_EXPECT_EQ(test, reserve_of(2048, -1), 32UL);
	KUNIT_EXPECT_EQ(test, reserve_of(2048 + 64, -1), 33UL);
	KUNIT_EXPECT_EQ(test, reserve_of(8192, -1), 128UL);
	KUNIT_EXPECT_EQ(test, reserve_of(16384, -1), 256UL);
	KUNIT_EXPECT_EQ(test, reserve_of(1 << 20, -1), 256UL);
	/* The user's number is taken as it is. */
	KUNIT_EXPECT_EQ(test, reserve_of(512, 1), 1UL);
	KUNIT_EXPECT_EQ(test, reserve_of(1 << 20, 5000), 5000UL);
	KUNIT_EXPECT_EQ(test,
			reserve_of(1 << 20, VIRTIO_MEM_RESERVE_LIMIT_MIB),
			(unsigned long)VIRTIO_MEM_RESERVE_LIMIT_MIB);
}

static void the_reserve_is_in_mib_whatever_a_page_is(struct kunit *test)
{
	struct virtio_mem_score s = { .online_pages = 1 };
	struct virtio_mem_pressure p = { .available = 1 << 30 };
	struct virtio_mem_fit fit;

	virtio_mem_choose_fit(&s, &p, 256, -1, &fit);
	KUNIT_EXPECT_EQ(test, fit.reserve, 32UL * 256);
	virtio_mem_choose_fit(&s, &p, 16, -1, &fit);
	KUNIT_EXPECT_EQ(test, fit.reserve, 32UL * 16);
	virtio_mem_choose_fit(&s, &p, 256, VIRTIO_MEM_RESERVE_LIMIT_MIB, &fit);
	KUNIT_EXPECT_EQ(test, fit.reserve, 1UL << 28);
}

static void what_is_left_decides_to_the_page(struct kunit *test)
{
	struct virtio_mem_score s = { .online_pages = 100, .free_pages = 100 };
	struct virtio_mem_pressure p = { .available = 132,
					 .total = 1024 };
	struct virtio_mem_fit fit;

	KUNIT_EXPECT_TRUE(test, fits(&s, &p, -1, &fit));
	KUNIT_EXPECT_EQ(test, fit.left, 32UL);
	p.available--;
	KUNIT_EXPECT_FALSE(test, fits(&s, &p, -1, &fit));
	KUNIT_EXPECT_FALSE(test, fit.kernel);
	KUNIT_EXPECT_EQ(test, fit.left, 31UL);
	KUNIT_EXPECT_EQ(test, fit.reserve, 32UL);
	/* The user's number replaces the driver's. */
	KUNIT_EXPECT_TRUE(test, fits(&s, &p, 31, &fit));
	KUNIT_EXPECT_TRUE(test, fits(&s, &p, 0, &fit));
	/*
	 * A page of free swap counts as much if there is something to swap out.
	 */
	p.swap_free = 1;
	KUNIT_EXPECT_FALSE(test, fits(&s, &p, -1, &fit));
	p.anon = 1;
	KUNIT_EXPECT_TRUE(test, fits(&s, &p, -1, &fit));
	p.swap_is_memory = true;
	KUNIT_EXPECT_FALSE(test, fits(&s, &p, -1, &fit));
	p.swap_free = 2;
	p.anon = 2;
	KUNIT_EXPECT_TRUE(test, fits(&s, &p, -1, &fit));
}

static void what_is_offline_nobody_misses(struct kunit *test)
{
	static const struct virtio_mem_pressure p;
	struct virtio_mem_score s = {};
	struct virtio_mem_fit fit;

	KUNIT_EXPECT_TRUE(test, fits(&s, &p, -1, &fit));
	KUNIT_EXPECT_TRUE(test, fits(&s, &p, 1000, &fit));
}

static void no_guard_at_all(struct kunit *test)
{
	static const struct virtio_mem_pressure p;
	struct virtio_mem_score s = { .online_pages = 9, .used_pages = 9 };
	struct virtio_mem_fit fit;

	KUNIT_EXPECT_TRUE(test, fits(&s, &p, 0, &fit));
	s.kernel_pages = 9;
	KUNIT_EXPECT_TRUE(test, fits(&s, &p, 0, &fit));
	KUNIT_EXPECT_FALSE(test, fits(&s, &p, 1, &fit));
}

/* The kernel's zones lose only their part of a big block in two zones. */
static void a_big_block_in_two_zones(struct kunit *test)
{
	struct virtio_mem_score s = { .online_pages = 1024, .free_pages = 1024,
				      .kernel_pages = 128 };
	struct virtio_mem_pressure p = { .available = 3000, .kernel_free = 136,
					 .total = 2048 };
	struct virtio_mem_fit fit;

	KUNIT_EXPECT_TRUE(test, fits(&s, &p, -1, &fit));
	KUNIT_EXPECT_TRUE(test, fit.kernel);
	KUNIT_EXPECT_EQ(test, fit.left, 8UL);
	p.kernel_free--;
	KUNIT_EXPECT_FALSE(test, fits(&s, &p, -1, &fit));
	/* The kernel's zones keep a quarter of the user's number, too. */
	KUNIT_EXPECT_TRUE(test, fits(&s, &p, 31, &fit));
	KUNIT_EXPECT_FALSE(test, fits(&s, &p, 32, &fit));
}

/* The kernel's zones lose all of it, even if it is nearly empty. */
static void a_big_block_of_the_kernels_zones(struct kunit *test)
{
	struct virtio_mem_score s = { .online_pages = 128, .free_pages = 127,
				      .used_pages = 1, .kernel_pages = 128 };
	struct virtio_mem_pressure p = { .available = 3000, .kernel_free = 130,
					 .kernel_file = 5,
					 .total = 2048 };
	struct virtio_mem_fit fit;

	KUNIT_EXPECT_FALSE(test, fits(&s, &p, -1, &fit));
	KUNIT_EXPECT_TRUE(test, fit.kernel);
	KUNIT_EXPECT_EQ(test, fit.left, 7UL);
	KUNIT_EXPECT_EQ(test, fit.reserve, 8UL);
	p.kernel_file = 6;
	KUNIT_EXPECT_TRUE(test, fits(&s, &p, -1, &fit));
	/* Swap counts as far as pages of these zones can be swapped out. */
	p.kernel_file = 0;
	p.anon = 500;
	p.swap_free = 500;
	KUNIT_EXPECT_FALSE(test, fits(&s, &p, -1, &fit));
	p.kernel_anon = 5;
	KUNIT_EXPECT_FALSE(test, fits(&s, &p, -1, &fit));
	p.kernel_anon = 6;
	KUNIT_EXPECT_TRUE(test, fits(&s, &p, -1, &fit));
	/* In ZONE_MOVABLE the same does not concern the kernel's zones. */
	s.kernel_pages = 0;
	p.kernel_free = 0;
	KUNIT_EXPECT_TRUE(test, fits(&s, &p, -1, &fit));
	KUNIT_EXPECT_FALSE(test, fit.kernel);
}

/* The whole guest's figure comes before that of the kernel's zones. */
static void the_refusal_names_the_figure_that_decides(struct kunit *test)
{
	struct virtio_mem_score s = { .online_pages = 100, .used_pages = 100,
				      .kernel_pages = 100 };
	struct virtio_mem_pressure p = { .available = 120, .total = 512 };
	struct virtio_mem_fit fit;

	KUNIT_EXPECT_FALSE(test, fits(&s, &p, -1, &fit));
	KUNIT_EXPECT_FALSE(test, fit.kernel);
	KUNIT_EXPECT_EQ(test, fit.left, 20UL);
	KUNIT_EXPECT_EQ(test, fit.reserve, 32UL);
	p.available = 500;
	KUNIT_EXPECT_FALSE(test, fits(&s, &p, -1, &fit));
	KUNIT_EXPECT_TRUE(test, fit.kernel);
	KUNIT_EXPECT_EQ(test, fit.left, 0UL);
	KUNIT_EXPECT_EQ(test, fit.reserve, 8UL);
}

static bool naive_fits(const struct virtio_mem_score *s,
		       const struct virtio_mem_pressure *p, long reserve)
{
	long swap = virtio_mem_choose_swap(p);
	long left = p->available + swap;

	if (!s->online_pages || !reserve)
		return true;
	left -= s->online_pages;
	if (left < reserve)
		return false;
	if (!s->kernel_pages)
		return true;
	left = p->kernel_free + p->kernel_file +
	       min(swap, (long)p->kernel_anon) - (long)s->kernel_pages;
	return max(left, 0L) >= reserve / 4;
}

static void fit_against_a_page_count(struct kunit *test)
{
	unsigned int i, fitting = 0;
	struct vm_rnd r;

	vm_rnd_init(test, &r);
	for (i = 0; i < 50000; i++) {
		struct virtio_mem_score s = {
			.free_pages = vm_rnd_below(&r, 12),
			.used_pages = vm_rnd_below(&r, 12),
			.stuck_pages = vm_rnd_below(&r, 3),
		};
		struct virtio_mem_pressure p = {
			.available = vm_rnd_below(&r, 60),
			.swap_free = vm_rnd_below(&r, 12),
			.swap_is_memory = vm_rnd_percent(&r, 30),
			.anon = vm_rnd_below(&r, 12),
			.kernel_free = vm_rnd_below(&r, 24),
			.kernel_file = vm_rnd_below(&r, 12),
			.kernel_anon = vm_rnd_below(&r, 6),
		};
		int reserve = vm_rnd_below(&r, 24);
		struct virtio_mem_fit fit;

		if (vm_rnd_percent(&r, 95))
			s.online_pages = s.free_pages + s.used_pages +
					 s.stuck_pages;
		else
			s = (struct virtio_mem_score){};
		s.kernel_pages = vm_rnd_below(&r, s.online_pages + 1);
		fitting += fits(&s, &p, reserve, &fit);
		KUNIT_ASSERT_EQ_MSG(test, fit.fits,
				    naive_fits(&s, &p, reserve),
				    "(free %lu used %lu stuck %lu kernel %lu, %d)",
				    s.free_pages, s.used_pages, s.stuck_pages,
				    s.kernel_pages, reserve);
	}
	/* Both results must happen often. */
	KUNIT_EXPECT_GT(test, fitting, 10000U);
	KUNIT_EXPECT_LT(test, fitting, 40000U);
}

/* A big block of 128 MiB in pages of 4 KiB: a memmap of 2 MiB. */
#define MEMMAP	512UL

static void what_growing_needs_is_little(struct kunit *test)
{
	struct virtio_mem_pressure p = {};

	/* The need is the memmap and some dozen pages. */
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_need(MEMMAP, 256, &p),
			MEMMAP + 8 + 64);
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_need(0, 256, &p), 64UL);
	/* The first 4 GiB of ZONE_MOVABLE cost nothing; */
	p.movable_total = 4096 * 256;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_need(0, 256, &p), 64UL);
	/* beyond them page tables count: 12 MiB for 16 GiB, */
	p.movable_total = 16384 * 256;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_need(0, 256, &p),
			64 + 12 * 256UL);
	/* and no more than 64 MiB for 1 TiB. */
	p.movable_total = 1UL << 28;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_need(0, 256, &p),
			64 + 64 * 256UL);
	p.movable_total = 1UL << 34;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_need(0, 256, &p),
			64 + 64 * 256UL);
}

/* An entry of a page table maps more. */
static void with_larger_pages_growing_needs_less(struct kunit *test)
{
	const unsigned long sizes_kib[] = { 16, 64 };
	struct virtio_mem_pressure p = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes_kib); i++) {
		unsigned long mib_pages = 1024 / sizes_kib[i];

		/* 16 or 64 GiB: half of the page tables that map it are 4 MiB. */
		p.movable_total = sizes_kib[i] * 1024 * mib_pages;
		KUNIT_EXPECT_EQ(test, virtio_mem_choose_need(0, mib_pages, &p), 64UL);
		p.movable_total *= 4;
		KUNIT_EXPECT_EQ(test, virtio_mem_choose_need(0, mib_pages, &p),
				64 + 12 * mib_pages);
		p.movable_total *= 16;
		KUNIT_EXPECT_EQ(test, virtio_mem_choose_need(0, mib_pages, &p),
				64 + 64 * mib_pages);
	}
}

/* Reclaim could get no more than this, down to the minimum watermarks. */
static void what_the_kernel_can_have(struct kunit *test)
{
	struct virtio_mem_pressure p = { .kernel_room = 10, .kernel_file = 20,
					 .swap_free = 7, .anon = 100,
					 .kernel_anon = 5, .kernel_free = 3 };

	KUNIT_EXPECT_EQ(test, virtio_mem_choose_has(&p), 35UL);
	p.swap_free = 4;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_has(&p), 34UL);
	/* An upper bound: nobody knows how much compression saves. */
	p.swap_is_memory = true;
	KUNIT_EXPECT_EQ(test, virtio_mem_choose_has(&p), 34UL);
}

static unsigned long room(const struct virtio_mem_pressure *p)
{
	return virtio_mem_choose_room(MEMMAP, 256, p);
}

static void how_many_are_plugged_at_a_time(struct kunit *test)
{
	struct virtio_mem_pressure p = {};
	unsigned long one = virtio_mem_choose_need(MEMMAP, 256, &p);

	/* A guest in need still adds one at a time. */
	KUNIT_EXPECT_EQ(test, room(&p), 1UL);
	p.kernel_free = one * 3 - 1;
	KUNIT_EXPECT_EQ(test, room(&p), 2UL);
	p.kernel_free++;
	KUNIT_EXPECT_EQ(test, room(&p), 3UL);
	/* Half of the reclaimable memory counts, too. */
	p.kernel_file = one * 4;
	KUNIT_EXPECT_EQ(test, room(&p), 5UL);
	/* Page tables count once, not for each big block. */
	p.movable_total = 1024 * (4 * 256 + one);
	KUNIT_EXPECT_EQ(test, room(&p), 4UL);
	p.movable_total = 1024 * (4 * 256 + 9 * one);
	KUNIT_EXPECT_EQ(test, room(&p), 1UL);
}

static void what_growing_finds_free(struct kunit *test)
{
	struct virtio_mem_pressure p = { .movable_total = 1024 * 100 };
	unsigned long enough;

	enough = 2 * virtio_mem_choose_need(MEMMAP, 256, &p) + 16 * 256;
	p.kernel_free = enough;
	KUNIT_EXPECT_TRUE(test, virtio_mem_choose_plenty(MEMMAP, 256, &p));
	p.kernel_free--;
	/* Reclaimable and movable memory does not count as free. */
	p.kernel_file = enough;
	p.available = 3 * enough;
	p.swap_free = enough;
	KUNIT_EXPECT_FALSE(test, virtio_mem_choose_plenty(MEMMAP, 256, &p));
}

/*
 * Candidates.
 */

#define RANK(class, cost)	((u64)RANKED(class) << 60 | (cost))

static struct virtio_mem_candidates *cand_new(struct kunit *test)
{
	struct virtio_mem_candidates *cand;

	cand = kunit_kzalloc(test, sizeof(*cand), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cand);
	virtio_mem_candidates_reset(cand);
	return cand;
}

static void offer(struct virtio_mem_candidates *cand, u64 rank,
		  unsigned long id)
{
	struct virtio_mem_candidate c = { .rank = rank, .id = id,
					  .online_pages = id + 1,
					  .kernel_zone = id & 1 };

	virtio_mem_candidates_offer(cand, &c);
}

static void expect_ids(struct kunit *test,
		       const struct virtio_mem_candidates *cand,
		       const unsigned long *ids, unsigned long nr)
{
	unsigned long i;

	KUNIT_ASSERT_EQ(test, cand->nr, nr);
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_EQ_MSG(test, cand->c[i].id, ids[i],
				    "(place %lu)", i);
		KUNIT_EXPECT_EQ(test, cand->c[i].online_pages, ids[i] + 1);
		KUNIT_EXPECT_EQ(test, cand->c[i].kernel_zone, ids[i] & 1);
	}
}

static void candidates_cheapest_and_highest_first(struct kunit *test)
{
	static const u64 ranks[] = { 5, 3, 5, U64_MAX, 0, 3, 3 };
	static const unsigned long up[] = { 4, 6, 5, 1, 2, 0, 3 };
	struct virtio_mem_candidates *cand = cand_new(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranks); i++)
		offer(cand, ranks[i], i);
	virtio_mem_candidates_sort(cand);
	KUNIT_EXPECT_FALSE(test, cand->full);
	expect_ids(test, cand, up, ARRAY_SIZE(up));
	/* The order of the offers must not matter. */
	virtio_mem_candidates_reset(cand);
	for (i = ARRAY_SIZE(ranks); i-- > 0;)
		offer(cand, ranks[i], i);
	virtio_mem_candidates_sort(cand);
	expect_ids(test, cand, up, ARRAY_SIZE(up));
}

static void what_leaves_a_gap_is_first_among_equals(struct kunit *test)
{
	static const u64 ranks[] = { 5, 3, 5, 0, 5 };
	static const unsigned long up[] = { 3, 1, 0, 4, 2 };
	struct virtio_mem_candidates *cand = cand_new(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranks); i++)
		offer(cand, ranks[i], i);
	cand->c[0].first = true;
	virtio_mem_candidates_sort(cand);
	expect_ids(test, cand, up, ARRAY_SIZE(up));
}

static void a_new_scan_forgets_the_last(struct kunit *test)
{
	struct virtio_mem_candidates *cand = cand_new(test);

	virtio_mem_candidates_sort(cand);
	KUNIT_EXPECT_EQ(test, cand->nr, 0UL);
	offer(cand, 0, 1);
	virtio_mem_candidates_sort(cand);
	cand->next = 1;
	cand->full = true;
	virtio_mem_candidates_reset(cand);
	KUNIT_EXPECT_EQ(test, cand->nr, 0UL);
	KUNIT_EXPECT_EQ(test, cand->next, 0UL);
	KUNIT_EXPECT_EQ(test, cand->cheap, 0UL);
	KUNIT_EXPECT_FALSE(test, cand->full);
}

static void a_larger_buffer_keeps_them_all(struct kunit *test)
{
	const unsigned long nr = 3 * VIRTIO_MEM_FEW_CANDIDATES;
	struct virtio_mem_candidates *cand = cand_new(test);
	struct virtio_mem_candidate *buf;
	unsigned long i;

	buf = kunit_kzalloc(test, nr * sizeof(*buf), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, cand->capacity,
			(unsigned long)VIRTIO_MEM_FEW_CANDIDATES);
	/* NULL, because nobody may free the small buffer. */
	KUNIT_EXPECT_NULL(test, virtio_mem_candidates_replace(cand, buf, nr));
	for (i = 0; i < nr; i++)
		offer(cand, 7, i);
	KUNIT_EXPECT_FALSE(test, cand->full);
	KUNIT_EXPECT_EQ(test, cand->nr, nr);
	virtio_mem_candidates_sort(cand);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, cand->c[i].id, nr - 1 - i);
	offer(cand, 7, i);
	KUNIT_EXPECT_TRUE(test, cand->full);
	/* The buffer stays for the next scan, until it is replaced. */
	virtio_mem_candidates_reset(cand);
	KUNIT_EXPECT_EQ(test, cand->capacity, nr);
	KUNIT_EXPECT_PTR_EQ(test,
			    virtio_mem_candidates_replace(cand, NULL, 0), buf);
	KUNIT_EXPECT_EQ(test, cand->capacity,
			(unsigned long)VIRTIO_MEM_FEW_CANDIDATES);
	KUNIT_EXPECT_PTR_EQ(test, cand->c, &cand->few[0]);
}

static void where_there_is_no_room_the_cheapest_are_kept(struct kunit *test)
{
	const unsigned long max = VIRTIO_MEM_FEW_CANDIDATES;
	struct virtio_mem_candidates *cand = cand_new(test);
	unsigned long i;

	/* The dearest come first, so that each new one has to push one out. */
	for (i = 2 * max; i-- > 0;)
		offer(cand, i, i);
	offer(cand, max, 9999);
	offer(cand, U64_MAX, 9999);
	KUNIT_EXPECT_TRUE(test, cand->full);
	virtio_mem_candidates_sort(cand);
	KUNIT_ASSERT_EQ(test, cand->nr, max);
	for (i = 0; i < max; i++)
		KUNIT_EXPECT_EQ(test, cand->c[i].id, i);
}

static void what_is_pushed_out_is_not_counted(struct kunit *test)
{
	const unsigned long max = VIRTIO_MEM_FEW_CANDIDATES;
	struct virtio_mem_candidates *cand = cand_new(test);
	unsigned long i;

	for (i = 0; i < max; i++)
		offer(cand, RANK(FREE, i), i);
	KUNIT_EXPECT_EQ(test, cand->cheap, max);
	offer(cand, RANK(USED, 0), max);
	KUNIT_EXPECT_EQ(test, cand->cheap, max);
	offer(cand, RANK(OFFLINE, 0), max);
	KUNIT_EXPECT_EQ(test, cand->cheap, max);
	KUNIT_EXPECT_EQ(test, cand->nr, max);
}

static void put_off_until_its_turn(struct kunit *test)
{
	static const unsigned long after_equals[] = { 9, 7, 5, 4, 3 };
	static const unsigned long at_the_end[] = { 9, 5, 4, 3, 7 };
	struct virtio_mem_candidates *cand = cand_new(test);
	struct virtio_mem_candidate c;

	offer(cand, 1, 9);
	offer(cand, 2, 7);
	offer(cand, 3, 5);
	offer(cand, 3, 4);
	offer(cand, 4, 3);
	virtio_mem_candidates_sort(cand);
	/* Nothing changes while none is handed out. */
	c = cand->c[0];
	c.rank = 99;
	virtio_mem_candidates_put_off(cand, &c);
	expect_ids(test, cand, after_equals, 5);
	KUNIT_EXPECT_EQ(test, cand->next, 0UL);
	/* One with the same cost is the next again. */
	cand->next = 2;
	c = cand->c[1];
	virtio_mem_candidates_put_off(cand, &c);
	KUNIT_EXPECT_EQ(test, cand->next, 1UL);
	expect_ids(test, cand, after_equals, 5);
	/* One that now costs as much as others comes after these. */
	c = cand->c[cand->next++];
	c.rank = 3;
	virtio_mem_candidates_put_off(cand, &c);
	KUNIT_EXPECT_EQ(test, cand->next, 1UL);
	KUNIT_EXPECT_EQ(test, cand->c[3].id, 7UL);
	/* One that now costs most comes last. */
	cand->next = 4;
	c.rank = U64_MAX;
	virtio_mem_candidates_put_off(cand, &c);
	KUNIT_EXPECT_EQ(test, cand->next, 3UL);
	expect_ids(test, cand, at_the_end, 5);
}

static void a_scan_ends_when_enough_is_free(struct kunit *test)
{
	struct virtio_mem_candidates *cand = cand_new(test);

	KUNIT_EXPECT_FALSE(test, virtio_mem_candidates_enough(cand, 1, false));
	offer(cand, RANK(FREE, 1), 3);
	KUNIT_EXPECT_TRUE(test, virtio_mem_candidates_enough(cand, 1, false));
	KUNIT_EXPECT_FALSE(test, virtio_mem_candidates_enough(cand, 2, false));
	/* A scan does not stop for big blocks with pages to move, */
	offer(cand, RANK(USED, 1), 2);
	/* nor for failed ones, however empty, nor for doubted ones. */
	offer(cand, RANK(FAILED, 0), 5);
	offer(cand, RANK(DOUBTED, 0), 6);
	KUNIT_EXPECT_FALSE(test, virtio_mem_candidates_enough(cand, 2, false));
	offer(cand, RANK(OFFLINE, 0), 1);
	KUNIT_EXPECT_TRUE(test, virtio_mem_candidates_enough(cand, 2, false));
	/* A scan must find offline memory, because that goes first. */
	KUNIT_EXPECT_FALSE(test, virtio_mem_candidates_enough(cand, 2, true));
	KUNIT_EXPECT_FALSE(test, virtio_mem_candidates_enough(cand, 3, false));
	KUNIT_EXPECT_FALSE(test, virtio_mem_candidates_enough(cand, 0, false));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(only_what_is_known_forbids),
	KUNIT_CASE(no_look_at_pages_forbids),
	KUNIT_CASE(what_lasts_longest_is_named),
	KUNIT_CASE(what_is_stuck_or_held_is_doubted),
	KUNIT_CASE(ranks_from_cheap_to_dear),
	KUNIT_CASE(no_doubted_one_starves),
	KUNIT_CASE(what_a_batch_may_hold_is_found_out_first),
	KUNIT_CASE(method_by_what_is_in_the_way),
	KUNIT_CASE(nothing_busy_is_offlined_unswept),
	KUNIT_CASE(what_a_scan_finds),
	KUNIT_CASE_PARAM(a_verdict, verdicts_gen_params),
	KUNIT_CASE(how_time_is_shared_out),
	KUNIT_CASE(what_follows_a_failure),
	KUNIT_CASE(free_swap_is_worth_what_it_frees),
	KUNIT_CASE(little_to_swap_out_is_halved_by_zram_too),
	KUNIT_CASE_PARAM(a_state_of_the_guest, states_gen_params),
	KUNIT_CASE(the_reserve_is_small_and_capped),
	KUNIT_CASE(the_reserve_is_in_mib_whatever_a_page_is),
	KUNIT_CASE(what_is_left_decides_to_the_page),
	KUNIT_CASE(what_is_offline_nobody_misses),
	KUNIT_CASE(no_guard_at_all),
	KUNIT_CASE(what_a_sweep_may_leave),
	KUNIT_CASE(the_most_exact_reason),
	KUNIT_CASE(a_big_block_in_two_zones),
	KUNIT_CASE(a_big_block_of_the_kernels_zones),
	KUNIT_CASE(the_refusal_names_the_figure_that_decides),
	KUNIT_CASE(fit_against_a_page_count),
	KUNIT_CASE(what_growing_needs_is_little),
	KUNIT_CASE(with_larger_pages_growing_needs_less),
	KUNIT_CASE(what_the_kernel_can_have),
	KUNIT_CASE(how_many_are_plugged_at_a_time),
	KUNIT_CASE(what_growing_finds_free),
	KUNIT_CASE(candidates_cheapest_and_highest_first),
	KUNIT_CASE(what_leaves_a_gap_is_first_among_equals),
	KUNIT_CASE(a_new_scan_forgets_the_last),
	KUNIT_CASE(a_larger_buffer_keeps_them_all),
	KUNIT_CASE(where_there_is_no_room_the_cheapest_are_kept),
	KUNIT_CASE(what_is_pushed_out_is_not_counted),
	KUNIT_CASE(put_off_until_its_turn),
	KUNIT_CASE(a_scan_ends_when_enough_is_free),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_mem_choose",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("Tests of virtio_mem_choose");
MODULE_LICENSE("GPL");
