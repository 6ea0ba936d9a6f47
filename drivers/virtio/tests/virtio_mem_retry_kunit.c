// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests virtio_mem_retry: back-off, rest, checks while resting, memory that has
 * come free, the time for tries that a scan advises against.
 */
#include "virtio_mem_kunit.h"
#include "../virtio_mem_retry.h"

#define CAUSE(name)	VIRTIO_MEM_CAUSE_##name

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
			/*
			 * No delay is long compared with the time waited so
			 * far.
			 */
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

/* Failed tries take half of the time at most, however long they are. */
static void long_tries_are_followed_by_as_long_a_rest(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, virtio_mem_backoff_rest(250, 0), 250U);
	KUNIT_EXPECT_EQ(test, virtio_mem_backoff_rest(250, 249), 250U);
	KUNIT_EXPECT_EQ(test, virtio_mem_backoff_rest(250, 10000), 10000U);
	KUNIT_EXPECT_EQ(test, virtio_mem_backoff_rest(250, 100000), 100000U);
	KUNIT_EXPECT_EQ(test, virtio_mem_backoff_rest(60000, 100000), 100000U);
	KUNIT_EXPECT_EQ(test, virtio_mem_backoff_rest(250, U64_MAX), U32_MAX);
}

static void looks_are_rare_but_soon(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, virtio_mem_retry_look_ms(250), 200U);
	KUNIT_EXPECT_EQ(test, virtio_mem_retry_look_ms(4000), 500U);
	KUNIT_EXPECT_EQ(test, virtio_mem_retry_look_ms(60000), 1000U);
	KUNIT_EXPECT_EQ(test, virtio_mem_retry_look_ms(U32_MAX), 1000U);
}

static void a_pass_in_vain_is_not_followed_by_the_next(struct kunit *test)
{
	/* After a pass that cost nothing memory ends the rest at once. */
	KUNIT_EXPECT_EQ(test, virtio_mem_retry_least_ms(60000, 0, false), 0U);
	KUNIT_EXPECT_EQ(test, virtio_mem_retry_least_ms(60000, 0, true), 0U);
	/* As long as the pass took; several times that after a hasty one. */
	KUNIT_EXPECT_EQ(test, virtio_mem_retry_least_ms(60000, 700, false),
			700U);
	KUNIT_EXPECT_EQ(test, virtio_mem_retry_least_ms(60000, 700, true),
			700U * VIRTIO_MEM_HASTY_REST);
	/* The part is never longer than the rest. */
	KUNIT_EXPECT_EQ(test, virtio_mem_retry_least_ms(250, 700, false), 250U);
	KUNIT_EXPECT_EQ(test, virtio_mem_retry_least_ms(250, 700, true), 250U);
}

/* A big block has 800 pages, its memmap 10. */
static bool eased(enum virtio_mem_cause cause,
		  const struct virtio_mem_pressure *then,
		  const struct virtio_mem_pressure *now)
{
	struct virtio_mem_pressure copy = *then;

	return virtio_mem_retry_eased(cause, &copy, now, 800, 10);
}

static void an_eighth_of_a_big_block_is_worth_a_pass(struct kunit *test)
{
	struct virtio_mem_pressure then = { .available = 1000,
					    .kernel_room = 300,
					    .kernel_file = 200 };
	struct virtio_mem_pressure now = then;

	KUNIT_EXPECT_FALSE(test, eased(CAUSE(PRESSURE), &then, &now));
	now.available = 1099;
	now.kernel_room = 399;
	KUNIT_EXPECT_FALSE(test, eased(CAUSE(PRESSURE), &then, &now));
	now.available = 1100;
	KUNIT_EXPECT_TRUE(test, eased(CAUSE(PRESSURE), &then, &now));
	/* Migration that fails for lack of memory has such causes, too. */
	KUNIT_EXPECT_TRUE(test, eased(CAUSE(PINNED), &then, &now));
	KUNIT_EXPECT_TRUE(test, eased(CAUSE(DEADLINE), &then, &now));
	KUNIT_EXPECT_TRUE(test, eased(CAUSE(NOMEM), &then, &now));
	/* The kernel's zones alone are enough. */
	now.available = 1000;
	now.kernel_file = 201;
	KUNIT_EXPECT_TRUE(test, eased(CAUSE(PRESSURE), &then, &now));
}

static void more_memory_does_not_help_with_all_causes(struct kunit *test)
{
	static const enum virtio_mem_cause deaf[] = {
		CAUSE(NONE), CAUSE(DEV_NACK), CAUSE(DEV_ERROR),
		CAUSE(ADD_FAILED), CAUSE(UNMOVABLE), CAUSE(HUGETLB),
		CAUSE(VETO), CAUSE(KEPT_ONLINE), CAUSE(DEV_BUSY),
		CAUSE(ONLINE_LIMIT), CAUSE(NO_BB),
	};
	struct virtio_mem_pressure then = {};
	struct virtio_mem_pressure now = { .available = 9000,
					   .kernel_room = 9000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(deaf); i++)
		KUNIT_EXPECT_FALSE(test, eased(deaf[i], &then, &now));
}

static void free_swap_eases_too(struct kunit *test)
{
	struct virtio_mem_pressure then = { .available = 1000, .anon = 5000 };
	struct virtio_mem_pressure now = then;

	now.swap_free = 99;
	KUNIT_EXPECT_FALSE(test, eased(CAUSE(PRESSURE), &then, &now));
	now.swap_free = 100;
	KUNIT_EXPECT_TRUE(test, eased(CAUSE(PRESSURE), &then, &now));
	now.swap_is_memory = true;
	KUNIT_EXPECT_FALSE(test, eased(CAUSE(PRESSURE), &then, &now));
	now.swap_free = 200;
	KUNIT_EXPECT_TRUE(test, eased(CAUSE(PRESSURE), &then, &now));
	/* Swap counts nothing if there is nothing to swap out. */
	now.anon = 0;
	KUNIT_EXPECT_FALSE(test, eased(CAUSE(PRESSURE), &then, &now));
}

static void what_is_added_takes_its_memmap_only(struct kunit *test)
{
	struct virtio_mem_pressure then = { .kernel_room = 50 };
	struct virtio_mem_pressure now = { .kernel_room = 59 };

	KUNIT_EXPECT_FALSE(test, eased(CAUSE(NOMEM), &then, &now));
	now.kernel_room = 60;
	KUNIT_EXPECT_TRUE(test, eased(CAUSE(NOMEM), &then, &now));
	KUNIT_EXPECT_FALSE(test, eased(CAUSE(PRESSURE), &then, &now));
	/* The smaller of both steps counts. */
	then.kernel_room = 0;
	now.kernel_room = 99;
	KUNIT_EXPECT_FALSE(test, virtio_mem_retry_eased(CAUSE(NOMEM), &then,
							&now, 800, 5000));
	now.kernel_room = 100;
	KUNIT_EXPECT_TRUE(test, virtio_mem_retry_eased(CAUSE(NOMEM), &then,
						       &now, 800, 5000));
}

static void the_least_that_there_was_counts(struct kunit *test)
{
	struct virtio_mem_pressure then = { .available = 1000, .anon = 500,
					    .swap_free = 500,
					    .kernel_room = 400 };
	struct virtio_mem_pressure now = { .available = 900, .anon = 500,
					   .swap_free = 500,
					   .kernel_room = 100 };

	KUNIT_EXPECT_FALSE(test,
			   virtio_mem_retry_eased(CAUSE(PRESSURE), &then, &now,
						  800, 10));
	now.available = 990;
	now.kernel_room = 199;
	KUNIT_EXPECT_FALSE(test,
			   virtio_mem_retry_eased(CAUSE(PRESSURE), &then, &now,
						  800, 10));
	now.available = 1000;
	KUNIT_EXPECT_TRUE(test,
			  virtio_mem_retry_eased(CAUSE(PRESSURE), &then, &now,
						 800, 10));
	/* Memory that moves to swap does not count as less. */
	now.available = 500;
	now.swap_free = 900;
	now.anon = 900;
	now.kernel_room = 199;
	KUNIT_EXPECT_FALSE(test,
			   virtio_mem_retry_eased(CAUSE(PRESSURE), &then, &now,
						  800, 10));
	now.kernel_room = 200;
	KUNIT_EXPECT_TRUE(test,
			  virtio_mem_retry_eased(CAUSE(PRESSURE), &then, &now,
						 800, 10));
}

/*
 * Time for tries that a scan advises against.
 */

static void a_request_begins_with_some_time(struct kunit *test)
{
	struct virtio_mem_doubt d = {};

	virtio_mem_doubt_grant(&d, 5000);
	KUNIT_EXPECT_TRUE(test, virtio_mem_doubt_may(&d, 5000));
	virtio_mem_doubt_spend(&d, VIRTIO_MEM_DOUBT_GRANT_MS - 1);
	KUNIT_EXPECT_TRUE(test, virtio_mem_doubt_may(&d, 5000));
	virtio_mem_doubt_spend(&d, 1);
	KUNIT_EXPECT_FALSE(test, virtio_mem_doubt_may(&d, 5000));
	/*
	 * A new request gets the same credit; debts stay, and savings are lost.
	 */
	virtio_mem_doubt_spend(&d, 5000);
	virtio_mem_doubt_grant(&d, 5001);
	KUNIT_EXPECT_FALSE(test, virtio_mem_doubt_may(&d, 5001));
	KUNIT_EXPECT_EQ(test, d.credit_ms,
			(s64)VIRTIO_MEM_DOUBT_GRANT_MS - 5000);
	KUNIT_EXPECT_TRUE(test, virtio_mem_doubt_may(&d, 1000000));
	virtio_mem_doubt_grant(&d, 1000000);
	KUNIT_EXPECT_EQ(test, d.credit_ms, (s64)VIRTIO_MEM_DOUBT_GRANT_MS);
}

static void then_a_tenth_of_the_time(struct kunit *test)
{
	struct virtio_mem_doubt d = {};

	virtio_mem_doubt_grant(&d, 0);
	virtio_mem_doubt_spend(&d, 3000);
	KUNIT_EXPECT_FALSE(test, virtio_mem_doubt_may(&d, 20000));
	KUNIT_EXPECT_FALSE(test, virtio_mem_doubt_may(&d, 20009));
	KUNIT_EXPECT_TRUE(test, virtio_mem_doubt_may(&d, 20010));
	/* The credit for one long try is the most that is saved up. */
	KUNIT_EXPECT_TRUE(test, virtio_mem_doubt_may(&d, 100000000));
	KUNIT_EXPECT_EQ(test, d.credit_ms, (s64)VIRTIO_MEM_DOUBT_TRY_MS);
}

/* Frequent checks earn as much as a single one. */
static void fractions_are_not_lost(struct kunit *test)
{
	struct virtio_mem_doubt d = {};
	u64 now;

	virtio_mem_doubt_grant(&d, 0);
	virtio_mem_doubt_spend(&d, 1100);
	for (now = 0; now <= 1009; now++)
		KUNIT_EXPECT_FALSE(test, virtio_mem_doubt_may(&d, now));
	KUNIT_EXPECT_TRUE(test, virtio_mem_doubt_may(&d, 1010));
}

static void debts_have_a_floor(struct kunit *test)
{
	struct virtio_mem_doubt d = {};

	virtio_mem_doubt_grant(&d, 0);
	virtio_mem_doubt_spend(&d, 1000000);
	virtio_mem_doubt_spend(&d, U32_MAX);
	KUNIT_EXPECT_EQ(test, d.credit_ms,
			-(s64)VIRTIO_MEM_RETRY_MAX_MS / VIRTIO_MEM_DOUBT_SHARE);
	KUNIT_EXPECT_TRUE(test,
			  virtio_mem_doubt_may(&d, VIRTIO_MEM_RETRY_MAX_MS +
						   VIRTIO_MEM_DOUBT_SHARE));
}

/* After the longest rest there is always time for a try. */
static void the_longest_back_off_pays_all_debts(struct kunit *test)
{
	struct virtio_mem_doubt d = {};
	unsigned int i;
	struct vm_rnd r;
	u64 now, took;

	vm_rnd_init(test, &r);
	now = vm_rnd_below(&r, 1000000);
	virtio_mem_doubt_grant(&d, now);
	for (i = 0; i < 20000; i++) {
		now += vm_rnd_below(&r, 3000);
		while (virtio_mem_doubt_may(&d, now)) {
			took = vm_rnd_below(&r, VIRTIO_MEM_DOUBT_TRY_MS + 1);
			now += took;
			virtio_mem_doubt_spend(&d, took);
		}
		if (vm_rnd_percent(&r, 20)) {
			now += VIRTIO_MEM_RETRY_MAX_MS;
			KUNIT_ASSERT_TRUE(test, virtio_mem_doubt_may(&d, now));
		}
	}
}

static void never_more_than_a_tenth_and_what_was_granted(struct kunit *test)
{
	struct virtio_mem_doubt d = {};
	u64 now = 0, spent = 0, took;
	unsigned int i;
	struct vm_rnd r;

	vm_rnd_init(test, &r);
	virtio_mem_doubt_grant(&d, now);
	for (i = 0; i < 20000; i++) {
		now += vm_rnd_below(&r, 2000);
		while (virtio_mem_doubt_may(&d, now)) {
			KUNIT_ASSERT_TRUE(test, spent <
					  now / VIRTIO_MEM_DOUBT_SHARE +
					  VIRTIO_MEM_DOUBT_GRANT_MS);
			took = vm_rnd_below(&r, VIRTIO_MEM_DOUBT_TRY_MS + 1);
			now += took;
			spent += took;
			virtio_mem_doubt_spend(&d, took);
		}
	}
	/* The tries also use their time. */
	KUNIT_EXPECT_TRUE(test, spent > now / VIRTIO_MEM_DOUBT_SHARE / 2);
}

static void what_is_refused_is_tried_again_after_its_time(struct kunit *test)
{
	struct virtio_mem_refusals r = {};
	u64 now = VIRTIO_MEM_FORGET_MS;
	unsigned int i;

	/* There is no limit while nothing is refused. */
	KUNIT_EXPECT_EQ(test, virtio_mem_refusals_room(&r, now), ULONG_MAX);
	for (i = 1; i < VIRTIO_MEM_MAX_REFUSED; i++) {
		virtio_mem_refusals_count(&r, now);
		KUNIT_EXPECT_EQ(test, virtio_mem_refusals_room(&r, now),
				(unsigned long)VIRTIO_MEM_MAX_REFUSALS);
	}
	/* An add that succeeds resets the count. */
	virtio_mem_refusals_end(&r);
	KUNIT_EXPECT_EQ(test, virtio_mem_refusals_room(&r, now), ULONG_MAX);
	for (i = 0; i < VIRTIO_MEM_MAX_REFUSED; i++)
		virtio_mem_refusals_count(&r, ++now);
	KUNIT_EXPECT_EQ(test, virtio_mem_refusals_room(&r, now), 0UL);
	/*
	 * One a minute, as those behind 32 lost ones would else never be tried.
	 */
	now += VIRTIO_MEM_RETRY_MAX_MS;
	KUNIT_EXPECT_EQ(test, virtio_mem_refusals_room(&r, now - 1), 0UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_refusals_room(&r, now), 1UL);
	virtio_mem_refusals_count(&r, now);
	KUNIT_EXPECT_EQ(test, virtio_mem_refusals_room(&r, now), 0UL);
	/* The time counts from the last refusal. */
	now += VIRTIO_MEM_FORGET_MS;
	KUNIT_EXPECT_FALSE(test, virtio_mem_refusals_forget(&r, now - 1));
	KUNIT_EXPECT_TRUE(test, virtio_mem_refusals_forget(&r, now));
	/* Forgotten refusals still limit the next pass. */
	KUNIT_EXPECT_EQ(test, virtio_mem_refusals_room(&r, now),
			(unsigned long)VIRTIO_MEM_MAX_REFUSALS);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(retries_from_a_quarter_second_to_a_minute),
	KUNIT_CASE(long_tries_are_followed_by_as_long_a_rest),
	KUNIT_CASE(looks_are_rare_but_soon),
	KUNIT_CASE(a_pass_in_vain_is_not_followed_by_the_next),
	KUNIT_CASE(an_eighth_of_a_big_block_is_worth_a_pass),
	KUNIT_CASE(more_memory_does_not_help_with_all_causes),
	KUNIT_CASE(free_swap_eases_too),
	KUNIT_CASE(what_is_added_takes_its_memmap_only),
	KUNIT_CASE(the_least_that_there_was_counts),
	KUNIT_CASE(a_request_begins_with_some_time),
	KUNIT_CASE(then_a_tenth_of_the_time),
	KUNIT_CASE(fractions_are_not_lost),
	KUNIT_CASE(debts_have_a_floor),
	KUNIT_CASE(the_longest_back_off_pays_all_debts),
	KUNIT_CASE(never_more_than_a_tenth_and_what_was_granted),
	KUNIT_CASE(what_is_refused_is_tried_again_after_its_time),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_mem_retry",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("Tests of virtio_mem_retry");
MODULE_LICENSE("GPL");
