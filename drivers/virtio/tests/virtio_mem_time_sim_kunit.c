// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lets time pass for a worker that shrinks as virtio_mem_work does, with
 * virtio_mem_plan, virtio_mem_choose and virtio_mem_retry, in worlds where
 * scans are wrong and where tries fail for ever.  Checks that big blocks that
 * can go do so, and bounds the cost of doomed tries and of scans.
 */
#include "virtio_mem_kunit.h"
#include "../virtio_mem_plan.h"
#include "../virtio_mem_retry.h"

#define ADDED		VIRTIO_MEM_BB_ADDED
#define FAKE_OFFLINE	VIRTIO_MEM_BB_FAKE_OFFLINE
#define PLUGGED		VIRTIO_MEM_BB_PLUGGED
#define UNUSED		VIRTIO_MEM_BB_UNUSED
#define CAUSE(name)	VIRTIO_MEM_CAUSE_##name
#define STEP(name)	VIRTIO_MEM_STEP_##name

#define BB		BIT_ULL(27)
#define PAGES		512UL
#define SECONDS		1000ULL
#define MINUTES		(60 * SECONDS)
#define HOURS		(60 * MINUTES)
#define NEVER		U32_MAX

/* Timeout of a try that no scan advises against. */
#define TIMEOUT_MS	VIRTIO_MEM_UNPLUG_TIMEOUT_MS

/* Time of a try that succeeds. */
#define GOOD_TRY_MS	10

/* The result of a scan. */
enum guise {
	USED,
	HELD,
	PINNED,
	UNMOVABLE,
	FREE,
	NR_GUISES,
};

/*
 * struct big - a big block, as it looks and as it is
 * @guise: the result of a scan, true or not
 * @kernel_zone: whether it is in a kernel zone
 * @used: pages that would have to move
 * @tries: tries that have failed
 * @from_s: a try succeeds from then on
 * @try_ms: how long a failing try takes, if it may
 */
struct big {
	u8 guise;
	bool kernel_zone;
	u16 used;
	u16 tries;
	u32 from_s;
	u32 try_ms;
};

/*
 * struct clock - a worker and its time
 * @now: ms
 * @big: the @nr big blocks
 * @guarded: @p decides which big blocks the guest can do without
 * @failed_ms: time that this pass has spent on failed tries
 * @doomed_ms: time that all passes have spent on doubted tries
 * @looks: how many scans of a big block there were
 * @passes: how many passes there were
 */
struct clock {
	struct kunit *test;
	u64 now;
	struct big *big;
	unsigned long nr;
	struct virtio_mem_situation in;
	struct virtio_mem_bbt t;
	struct virtio_mem_candidates cand;
	struct virtio_mem_pass pass;
	struct virtio_mem_step step;
	struct virtio_mem_backoff backoff;
	struct virtio_mem_doubt doubt;
	struct virtio_mem_pressure p;
	bool guarded;
	u64 failed_ms;
	u64 doomed_ms;
	u64 looks;
	unsigned long passes;
};

/* All that is known of a candidate. */
struct view {
	struct virtio_mem_score score;
	struct virtio_mem_history past;
	struct virtio_mem_candidate c;
};

static void judge(struct clock *w, unsigned long id, struct view *v)
{
	const struct big *b = &w->big[id];
	struct virtio_mem_score *s = &v->score;

	memset(v, 0, sizeof(*v));
	s->online_pages = PAGES;
	s->used_pages = b->guise == FREE ? 0 : b->used;
	s->free_pages = PAGES - s->used_pages;
	s->kernel_zone = b->kernel_zone;
	s->kernel_pages = b->kernel_zone ? PAGES : 0;
	if (b->guise == PINNED || b->guise == UNMOVABLE) {
		s->stuck_pages = 1;
		s->stuck_cause = b->guise == PINNED ? CAUSE(PINNED) :
						      CAUSE(UNMOVABLE);
	}
	v->past.held = b->guise == HELD;
	v->past.tries = b->tries;
	v->c.id = id;
	v->c.rank = virtio_mem_choose_rank(s, &v->past);
	v->c.online_pages = s->online_pages;
	v->c.kernel_zone = s->kernel_zone;
}

static enum virtio_mem_cause do_scan(struct clock *w)
{
	enum virtio_mem_cause first = CAUSE(NONE);
	unsigned long id = ULONG_MAX;
	struct view v;

	virtio_mem_candidates_reset(&w->cand);
	while (virtio_mem_bbt_prev(&w->t, ADDED, &id)) {
		if (virtio_mem_candidates_enough(&w->cand, w->step.nr,
						 false)) {
			w->cand.early = true;
			break;
		}
		judge(w, id, &v);
		w->looks++;
		if (!first)
			first = virtio_mem_choose_doubt(&v.score, &v.past);
		if (!virtio_mem_pass_is_unfit(&w->pass, &v.c))
			virtio_mem_candidates_offer(&w->cand, &v.c);
	}
	virtio_mem_candidates_sort(&w->cand);
	return first;
}

/* A "page" of the guard is a MiB here, too. */
static bool fits(struct clock *w, const struct view *v)
{
	struct virtio_mem_fit fit;

	virtio_mem_choose_fit(&v->score, &w->p, 1, -1, &fit);
	return !w->guarded || fit.fits;
}

static enum virtio_mem_cause try_bb(struct clock *w, unsigned long id)
{
	u32 limit = virtio_mem_choose_ms(TIMEOUT_MS, w->step.doubted);
	struct big *b = &w->big[id];
	u32 ms = min(b->try_ms, limit);

	if (b->from_s != NEVER && w->now >= b->from_s * SECONDS) {
		w->now += GOOD_TRY_MS;
		virtio_mem_bbt_set(&w->t, id, FAKE_OFFLINE);
		virtio_mem_bbt_set(&w->t, id, PLUGGED);
		w->p.available -= min(w->p.available, PAGES);
		return CAUSE(NONE);
	}
	w->now += ms;
	w->failed_ms += ms;
	b->tries++;
	if (w->step.doubted) {
		w->doomed_ms += ms;
		virtio_mem_doubt_spend(&w->doubt, ms);
	}
	return CAUSE(PINNED);
}

static enum virtio_mem_cause do_shrink(struct clock *w)
{
	struct virtio_mem_turn turn = {
		.usable = true, .unplug_online = true,
		.quick = w->step.quick, .doubted = w->step.doubted,
	};
	unsigned long id = w->step.first;
	enum virtio_mem_verdict verdict;
	enum virtio_mem_cause cause;
	struct view v;

	judge(w, id, &v);
	turn.fits = fits(w, &v);
	verdict = virtio_mem_choose_verdict(&v.score, &v.past, &turn, &cause);
	if (verdict == VIRTIO_MEM_VERDICT_PUT_OFF) {
		virtio_mem_candidates_put_off(&w->cand, &v.c);
		return cause;
	}
	if (verdict == VIRTIO_MEM_VERDICT_TRY)
		cause = try_bb(w, id);
	else
		virtio_mem_pass_unfit(&w->pass, &v.c);
	if (cause)
		virtio_mem_bbt_set_tried(&w->t, id);
	return cause;
}

static void do_unplug(struct clock *w)
{
	unsigned long id;

	for (id = w->step.first; id < w->step.first + w->step.nr; id++)
		virtio_mem_bbt_set(&w->t, id, UNUSED);
}

static enum virtio_mem_cause do_step(struct clock *w)
{
	switch (w->step.type) {
	case STEP(SCAN):
		return do_scan(w);
	case STEP(SHRINK):
		return do_shrink(w);
	default:
		KUNIT_ASSERT_EQ(w->test, w->step.type, STEP(UNPLUG));
		do_unplug(w);
		return CAUSE(NONE);
	}
}

/* Runs a pass; returns ms until the next, 0 if the request is met. */
static u32 run_pass(struct clock *w)
{
	u64 before = virtio_mem_plan_plugged(&w->in, &w->t);

	virtio_mem_pass_begin(&w->pass);
	virtio_mem_candidates_reset(&w->cand);
	virtio_mem_bbt_clear_tried(&w->t);
	w->failed_ms = 0;
	w->passes++;
	for (;;) {
		w->in.failed_ms = w->failed_ms;
		w->in.may_doubt = virtio_mem_doubt_may(&w->doubt, w->now);
		virtio_mem_plan_next(&w->in, &w->t, &w->cand, &w->pass,
				     &w->step);
		if (w->step.type == STEP(NONE))
			return 0;
		if (w->step.type == STEP(WAIT))
			break;
		virtio_mem_plan_report(&w->pass, &w->step, do_step(w));
	}
	if (virtio_mem_plan_plugged(&w->in, &w->t) != before)
		virtio_mem_backoff_reset(&w->backoff);
	return virtio_mem_backoff_rest(virtio_mem_backoff_next(&w->backoff),
				       w->failed_ms);
}

/* Whether the request is met by @end, if no event ends a rest. */
static bool is_met_by(struct clock *w, u64 end)
{
	u32 delay;

	while (w->now < end) {
		delay = run_pass(w);
		if (!delay)
			return w->now <= end;
		w->now += delay;
	}
	return false;
}

static void request(struct clock *w, unsigned long bbs)
{
	w->in.requested = bbs * BB;
	virtio_mem_doubt_grant(&w->doubt, w->now);
}

/* All are ADDED, half in use, and stay; a test may change some. */
static struct clock *clock_new(struct kunit *test, unsigned long nr)
{
	struct clock *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	unsigned long id;
	u8 *entries;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->test = test;
	w->nr = nr;
	w->big = kunit_kzalloc(test, nr * sizeof(*w->big), GFP_KERNEL);
	entries = kunit_kzalloc(test, nr, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->big);
	KUNIT_ASSERT_NOT_NULL(test, entries);
	virtio_mem_candidates_reset(&w->cand);
	virtio_mem_bbt_replace(&w->t, entries, nr);
	virtio_mem_bbt_extend(&w->t, nr);
	w->in.bb_size = BB;
	w->in.usable_bbs = nr;
	w->in.max_run = 64;
	for (id = 0; id < nr; id++) {
		virtio_mem_bbt_set(&w->t, id, PLUGGED);
		virtio_mem_bbt_set(&w->t, id, ADDED);
		w->big[id] = (struct big){ .used = PAGES / 2, .from_s = NEVER,
					   .try_ms = TIMEOUT_MS };
	}
	return w;
}

static void give_room(struct clock *w)
{
	struct virtio_mem_candidate *buf;

	buf = kunit_kzalloc(w->test, w->nr * sizeof(*buf), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(w->test, buf);
	virtio_mem_candidates_replace(&w->cand, buf, w->nr);
}

/*
 * Scans that are wrong.
 */

static void what_only_looks_stuck_goes_at_once(struct kunit *test)
{
	struct clock *w = clock_new(test, 32);
	unsigned long id;

	for (id = 0; id < w->nr; id++) {
		w->big[id].guise = id % 2 ? UNMOVABLE : PINNED;
		w->big[id].from_s = 0;
	}
	request(w, 0);
	KUNIT_EXPECT_TRUE(test, is_met_by(w, w->nr * GOOD_TRY_MS));
	KUNIT_EXPECT_EQ(test, w->passes, 1UL);
}

/* A doomed one uses the grant up, but the other still goes soon. */
static void after_a_doomed_one_the_next_gets_its_turn(struct kunit *test)
{
	struct clock *w = clock_new(test, 2);

	w->big[0].guise = UNMOVABLE;
	w->big[0].from_s = 0;
	w->big[1].guise = HELD;
	request(w, 1);
	KUNIT_EXPECT_TRUE(test, is_met_by(w, 2 * VIRTIO_MEM_RETRY_MAX_MS));
	KUNIT_EXPECT_LE(test, w->doomed_ms, (u64)VIRTIO_MEM_DOUBT_TRY_MS);
}

static void make_random(struct clock *w, struct vm_rnd *r)
{
	unsigned long id, goers = 0;

	for (id = 0; id < w->nr; id++) {
		struct big *b = &w->big[id];

		b->guise = vm_rnd_below(r, NR_GUISES);
		b->kernel_zone = vm_rnd_percent(r, 30);
		b->used = vm_rnd_below(r, PAGES);
		b->try_ms = vm_rnd_below(r, b->guise == USED ||
					 b->guise == FREE ? 2000 : 9000);
		if (vm_rnd_percent(r, 50)) {
			goers++;
			b->from_s = vm_rnd_below(r, 600);
		}
	}
	request(w, w->nr - goers);
}

/* A big block that can go has gone some time later, whatever scans say. */
static void no_look_forbids_for_ever(struct kunit *test)
{
	unsigned int round;
	struct clock *w;
	struct vm_rnd r;
	bool met;
	u64 end;

	vm_rnd_init(test, &r);
	for (round = 0; round < 200; round++) {
		w = clock_new(test, 4 + vm_rnd_below(&r, 20));
		make_random(w, &r);
		/*
		 * Time for a turn of each of them, and for the rests in
		 * between.
		 */
		end = 10 * MINUTES + w->nr * 3 * MINUTES;
		met = is_met_by(w, end);
		KUNIT_ASSERT_TRUE_MSG(test, met,
				      "(round %u, %lu of %llu are left)", round,
				      w->t.count[ADDED],
				      w->in.requested / BB);
		KUNIT_ASSERT_LE(test, w->doomed_ms,
				w->now / VIRTIO_MEM_DOUBT_SHARE +
				VIRTIO_MEM_DOUBT_GRANT_MS +
				VIRTIO_MEM_DOUBT_TRY_MS);
	}
}

/* Two look fine and never go; the third looks stuck and could. */
static void what_is_doubted_gets_its_turn_beside_what_fails(struct kunit *test)
{
	struct clock *w = clock_new(test, 3);

	w->big[0].guise = UNMOVABLE;
	w->big[0].from_s = 0;
	request(w, 2);
	KUNIT_EXPECT_TRUE(test, is_met_by(w, 2 * HOURS));
}

/*
 * The cost of doomed tries.
 */

struct doom {
	const char *desc;
	unsigned long nr;
	u32 try_ms;
};

static const struct doom dooms[] = {
	{ "1 that takes long", 1, TIMEOUT_MS },
	{ "10 that take long", 10, TIMEOUT_MS },
	{ "1000 that take long", 1000, TIMEOUT_MS },
	{ "1000 that take 300 ms", 1000, 300 },
	{ "1000 that take a ms", 1000, 1 },
};

static void doom_desc(const struct doom *d, char *desc)
{
	strscpy(desc, d->desc, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(dooms, dooms, doom_desc);

static void expect_turns(struct kunit *test, const struct clock *w)
{
	unsigned int most = 0, least = UINT_MAX;
	unsigned long id;

	for (id = 0; id < w->nr; id++) {
		most = max_t(unsigned int, most, w->big[id].tries);
		least = min_t(unsigned int, least, w->big[id].tries);
	}
	KUNIT_EXPECT_LE(test, most - least, 1U);
	KUNIT_EXPECT_GT(test, most, 0U);
}

/* Doomed ones take a tenth of the time and the grant, however many. */
static void doomed_ones_cost_no_more_than_one(struct kunit *test)
{
	const struct doom *d = test->param_value;
	struct clock *w = clock_new(test, d->nr);
	unsigned long id;

	give_room(w);
	for (id = 0; id < w->nr; id++) {
		w->big[id].guise = HELD + id % 3;
		w->big[id].try_ms = d->try_ms;
	}
	request(w, 0);
	KUNIT_EXPECT_FALSE(test, is_met_by(w, 4 * HOURS));
	KUNIT_EXPECT_LE(test, w->doomed_ms,
			4 * HOURS / VIRTIO_MEM_DOUBT_SHARE +
			VIRTIO_MEM_DOUBT_GRANT_MS + VIRTIO_MEM_DOUBT_TRY_MS);
	expect_turns(test, w);
	kunit_info(test, "%s: %llu of 1000 of the time, %lu passes in 4 h\n",
		   d->desc, w->doomed_ms / (4 * HOURS / 1000), w->passes);
}

static void doomed_ones_do_not_get_in_the_way(struct kunit *test)
{
	struct clock *w = clock_new(test, 1000);
	unsigned long id;

	give_room(w);
	for (id = 0; id < w->nr; id++) {
		if (id % 20)
			w->big[id].guise = UNMOVABLE;
		else
			w->big[id].from_s = 0;
	}
	request(w, 950);
	KUNIT_EXPECT_TRUE(test, is_met_by(w, 50 * GOOD_TRY_MS));
	KUNIT_EXPECT_EQ(test, w->doomed_ms, 0ULL);
	KUNIT_EXPECT_EQ(test, w->passes, 1UL);
}

/* Failing tries leave half of the time to others. */
static void failing_tries_leave_half_of_the_time(struct kunit *test)
{
	struct clock *w = clock_new(test, 50);
	u64 spent = 0, rested = 0;
	unsigned int i;
	u32 delay;

	request(w, 0);
	for (i = 0; i < 100; i++) {
		delay = run_pass(w);
		w->now += delay;
		spent += w->failed_ms;
		rested += delay;
		/* Tries begin until one exceeds the time. */
		KUNIT_ASSERT_LT(test, w->failed_ms,
				(u64)VIRTIO_MEM_PASS_FAILED_MS + TIMEOUT_MS);
	}
	KUNIT_EXPECT_LE(test, spent, rested);
	expect_turns(test, w);
}

/*
 * Big blocks that do not fit.
 */

/* Nearly empty ones of a kernel zone come first and do not fit. */
static void the_kernels_zones_keep_nobody_waiting(struct kunit *test)
{
	struct clock *w = clock_new(test, 40);
	unsigned long id;

	w->guarded = true;
	w->p = (struct virtio_mem_pressure){
		.available = 30000, .kernel_free = 300,
		.kernel_file = 100, .total = 40000,
	};
	for (id = 0; id < w->nr; id++) {
		w->big[id].kernel_zone = id >= 20;
		w->big[id].used = id < 20 ? PAGES : 1;
		w->big[id].from_s = 0;
	}
	request(w, 20);
	KUNIT_EXPECT_TRUE(test, is_met_by(w, 20 * GOOD_TRY_MS));
	KUNIT_EXPECT_EQ(test, w->passes, 1UL);
	/* None of the others can go, as the guest can't do without them. */
	request(w, 19);
	KUNIT_EXPECT_FALSE(test, is_met_by(w, w->now + 10 * MINUTES));
	KUNIT_EXPECT_EQ(test, w->pass.cause, CAUSE(PRESSURE));
	KUNIT_EXPECT_EQ(test, w->t.count[ADDED], 20UL);
}

/* The same with wholly free ones, at which a scan stops. */
static void nor_do_free_ones_of_these(struct kunit *test)
{
	struct clock *w = clock_new(test, 40);
	unsigned long id;

	w->guarded = true;
	w->p = (struct virtio_mem_pressure){
		.available = 30000, .kernel_free = 300,
		.kernel_file = 100, .total = 40000,
	};
	for (id = 0; id < w->nr; id++) {
		w->big[id].kernel_zone = id >= 20;
		w->big[id].guise = id < 20 ? USED : FREE;
		w->big[id].from_s = 0;
	}
	request(w, 35);
	KUNIT_EXPECT_TRUE(test, is_met_by(w, 1 * HOURS));
	KUNIT_EXPECT_EQ(test, w->passes, 1UL);
}

/*
 * Free ones of a kernel zone end the scan and do not fit.  Three that are
 * doubted and doomed come first then, before the scan has seen those that would
 * go.
 */
static void nor_do_doubted_ones_before_them(struct kunit *test)
{
	struct clock *w = clock_new(test, 11);
	unsigned long id;

	w->guarded = true;
	w->p = (struct virtio_mem_pressure){
		.available = 30000, .kernel_free = 300, .kernel_file = 100,
		.total = 40000,
	};
	for (id = 0; id < w->nr; id++) {
		w->big[id].kernel_zone = id == 7;
		w->big[id].guise = id > 7 ? HELD : id == 7 ? FREE : USED;
		if (id <= 7)
			w->big[id].from_s = 0;
	}
	request(w, 10);
	KUNIT_EXPECT_TRUE(test, is_met_by(w, 1 * SECONDS));
	KUNIT_EXPECT_EQ(test, w->doomed_ms, 0ULL);
	KUNIT_EXPECT_EQ(test, w->passes, 1UL);
}

static void the_guard_ends_where_the_reserve_begins(struct kunit *test)
{
	struct clock *w = clock_new(test, 10);
	unsigned long id;

	w->guarded = true;
	w->p = (struct virtio_mem_pressure){
		.available = 3 * PAGES + 100,
		.total = 4096,
	};
	for (id = 0; id < w->nr; id++)
		w->big[id].from_s = 0;
	request(w, 0);
	KUNIT_EXPECT_FALSE(test, is_met_by(w, 10 * MINUTES));
	KUNIT_EXPECT_EQ(test, w->t.count[ADDED], 7UL);
	KUNIT_EXPECT_EQ(test, w->pass.cause, CAUSE(PRESSURE));
	/* More memory has come free. */
	w->p.available = 20 * PAGES;
	KUNIT_EXPECT_TRUE(test, is_met_by(w, w->now + 1 * MINUTES));
}

/*
 * The cost of scans.
 */

struct scan_size {
	const char *desc;
	unsigned long nr;
};

static const struct scan_size sizes[] = {
	{ "1024 big blocks", 1024 },
	{ "16384 big blocks", 16384 },
	{ "131072 big blocks", 131072 },
};

static void size_desc(const struct scan_size *s, char *desc)
{
	strscpy(desc, s->desc, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sizes, sizes, size_desc);

/* Counts scans of a pass with as many failing tries as time allows. */
static u64 looks_of_a_pass(struct clock *w)
{
	unsigned long id;

	for (id = 0; id < w->nr; id++)
		w->big[id].try_ms = 100;
	request(w, 0);
	w->looks = 0;
	run_pass(w);
	return w->looks;
}

static void a_pass_looks_once_at_each(struct kunit *test)
{
	const struct scan_size *size = test->param_value;
	struct clock *w = clock_new(test, size->nr);
	unsigned long tries = VIRTIO_MEM_PASS_FAILED_MS / 100;
	u64 few = looks_of_a_pass(w), all;

	give_room(w);
	all = looks_of_a_pass(w);
	KUNIT_EXPECT_EQ(test, all, (u64)size->nr);
	/* Without room for all each failed batch costs one more scan. */
	KUNIT_EXPECT_LE(test, few, (u64)size->nr *
			(tries / VIRTIO_MEM_FEW_CANDIDATES + 1));
	KUNIT_EXPECT_GT(test, few, all);
	kunit_info(test, "%s, %lu tries fail: %llu looks, without room for all %llu\n",
		   size->desc, tries, all, few);
}

/* If all fail at once, and there is room, each is scanned only once. */
static void a_pass_that_tries_all_looks_once_at_each(struct kunit *test)
{
	struct clock *w = clock_new(test, 1024);
	unsigned long id;

	for (id = 0; id < w->nr; id++)
		w->big[id].try_ms = 0;
	request(w, 0);
	run_pass(w);
	KUNIT_EXPECT_EQ(test, w->looks, 1024ULL + 768 + 512 + 256);
	give_room(w);
	w->looks = 0;
	run_pass(w);
	KUNIT_EXPECT_EQ(test, w->looks, 1024ULL);
	for (id = 0; id < w->nr; id++)
		KUNIT_ASSERT_EQ(test, w->big[id].tries, (u16)2);
}

static void enough_that_is_free_ends_a_scan(struct kunit *test)
{
	struct clock *w = clock_new(test, 131072);
	unsigned long id;

	for (id = 0; id < w->nr; id++) {
		w->big[id].guise = FREE;
		w->big[id].from_s = 0;
	}
	request(w, w->nr - 16);
	KUNIT_EXPECT_EQ(test, run_pass(w), 0U);
	KUNIT_EXPECT_EQ(test, w->looks, 16ULL);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(what_only_looks_stuck_goes_at_once),
	KUNIT_CASE(after_a_doomed_one_the_next_gets_its_turn),
	KUNIT_CASE(no_look_forbids_for_ever),
	KUNIT_CASE(what_is_doubted_gets_its_turn_beside_what_fails),
	KUNIT_CASE_PARAM(doomed_ones_cost_no_more_than_one, dooms_gen_params),
	KUNIT_CASE(doomed_ones_do_not_get_in_the_way),
	KUNIT_CASE(failing_tries_leave_half_of_the_time),
	KUNIT_CASE(the_kernels_zones_keep_nobody_waiting),
	KUNIT_CASE(nor_do_free_ones_of_these),
	KUNIT_CASE(nor_do_doubted_ones_before_them),
	KUNIT_CASE(the_guard_ends_where_the_reserve_begins),
	KUNIT_CASE_PARAM(a_pass_looks_once_at_each, sizes_gen_params),
	KUNIT_CASE(a_pass_that_tries_all_looks_once_at_each),
	KUNIT_CASE(enough_that_is_free_ends_a_scan),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_mem_time_sim",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("Simulation of virtio_mem_plan and virtio_mem_retry in time");
MODULE_LICENSE("GPL");
