// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Drives virtio_mem_plan at random through a small world, a naive device and a
 * naive Linux, and checks the invariants: plugging never goes above the
 * request, unplugging never below; every pass ends, and it ends short of the
 * request only for a cause that the world really gave.
 * virtio_mem_time_sim_kunit.c simulates time.
 */
#include "virtio_mem_kunit.h"
#include "../virtio_mem_plan.h"
#include "../virtio_mem_retry.h"

#define UNUSED		VIRTIO_MEM_BB_UNUSED
#define PLUGGED		VIRTIO_MEM_BB_PLUGGED
#define ADDED		VIRTIO_MEM_BB_ADDED
#define FAKE_OFFLINE	VIRTIO_MEM_BB_FAKE_OFFLINE
#define CAUSE(name)	VIRTIO_MEM_CAUSE_##name
#define STEP(name)	VIRTIO_MEM_STEP_##name

#define MIB		BIT_ULL(20)
#define BB		(128 * MIB)
#define BLOCK		(2 * MIB)
#define NR		40
#define PAGES		512

/* The troubles that one big block can have. */
struct trouble {
	bool plug_error;	/* the device: ERROR to any PLUG that names it */
	bool unplug_error;	/* the device: ERROR to any UNPLUG of it */
	bool add_fails;		/* Linux: EEXIST or the like */
	bool stuck;		/* a scan says unmovable, rightly or not */
	bool pinned;		/* Linux: only a try shows that */
	bool kernel_zone;	/* Linux: it came online in a kernel zone */
	bool partly;		/* Linux: only a half of it came online */
};

/*
 * The world: the knowledge of the device and Linux, whatever the table says.
 * @plugged, @added, @online: by big block
 * @doubted: by big block: the last scan advised against it
 * @most: by zone class: the guest can't do without so many pages, or more
 * @events: causes that this pass has really met, one bit each
 * @denied: this pass had no time for doubted big blocks
 * @late: this pass has tried for too long
 * @refused: big blocks that Linux has refused to add
 * @now: ms
 * @buf: room for fewer candidates than there may be
 */
struct world {
	struct kunit *test;
	struct vm_rnd rnd;
	struct virtio_mem_situation in;
	struct virtio_mem_bbt t;
	struct virtio_mem_candidates cand;
	struct virtio_mem_pass pass;
	struct virtio_mem_step step;
	struct trouble trouble[NR];
	bool plugged[NR];
	bool added[NR];
	bool online[NR];
	bool doubted[NR];
	unsigned long most[2];
	unsigned int percent;
	unsigned long online_limit;
	unsigned int refusals;
	u32 events;
	struct virtio_mem_refusals refused;
	u64 now;
	bool looked;
	bool denied;
	bool late;
	u8 entries[NR];
	struct virtio_mem_candidate buf[NR];
};

static unsigned long count(const bool *what)
{
	unsigned long id, nr = 0;

	for (id = 0; id < NR; id++)
		nr += what[id];
	return nr;
}

static u64 plugged_size(const struct world *w)
{
	return w->in.foreign + count(w->plugged) * BB;
}

/* Lets a step fail now and then, and records its cause. */
static bool mishap(struct world *w, enum virtio_mem_cause cause)
{
	if (!vm_rnd_percent(&w->rnd, w->percent))
		return false;
	w->events |= BIT(cause);
	return true;
}

static bool happened(const struct world *w, enum virtio_mem_cause cause)
{
	return w->events & BIT(cause);
}

static void set_run(struct world *w, enum virtio_mem_bb_state to)
{
	unsigned long id;

	for (id = w->step.first; id < w->step.first + w->step.nr; id++) {
		KUNIT_ASSERT_EQ(w->test, virtio_mem_bbt_set(&w->t, id, to), 0);
		w->plugged[id] = to == PLUGGED;
	}
}

static enum virtio_mem_cause do_plug(struct world *w)
{
	unsigned long id, end = w->step.first + w->step.nr;
	struct kunit *test = w->test;
	bool error = false;

	KUNIT_ASSERT_LE(test, end, w->in.usable_bbs);
	KUNIT_ASSERT_LE(test, w->step.nr, w->in.max_run);
	KUNIT_ASSERT_LE(test, w->step.nr, w->in.online_room);
	KUNIT_ASSERT_LE(test, w->step.nr, max(w->in.add_room, 1UL));
	KUNIT_ASSERT_LE(test, w->step.nr, w->in.add_trust);
	KUNIT_ASSERT_LE(test, plugged_size(w) + w->step.nr * BB,
			w->in.requested);
	KUNIT_ASSERT_EQ(test, virtio_mem_bbt_extend(&w->t, max(end, w->t.nr)),
			0);
	for (id = w->step.first; id < end; id++) {
		KUNIT_ASSERT_FALSE(test, w->plugged[id]);
		KUNIT_ASSERT_FALSE(test, w->added[id]);
		KUNIT_ASSERT_FALSE(test,
				   virtio_mem_bbt_is_quarantined(&w->t, id));
		error |= w->trouble[id].plug_error;
	}
	if (mishap(w, CAUSE(DEV_BUSY)))
		return CAUSE(DEV_BUSY);
	if (mishap(w, CAUSE(DEV_NACK)))
		return CAUSE(DEV_NACK);
	if (mishap(w, CAUSE(NOMEM)))
		return CAUSE(NOMEM);
	if (error) {
		if (w->step.nr == 1) {
			w->refusals++;
			virtio_mem_bbt_quarantine(&w->t, w->step.first,
						  CAUSE(DEV_ERROR));
		}
		return CAUSE(DEV_ERROR);
	}
	set_run(w, PLUGGED);
	return CAUSE(NONE);
}

/* Only big blocks that Linux could not take may go below the request. */
static bool may_unplug_below(const struct world *w)
{
	return happened(w, CAUSE(NOMEM)) ||
	       w->refusals >= VIRTIO_MEM_MAX_REFUSALS ||
	       virtio_mem_bbt_is_quarantined(&w->t, w->step.first);
}

static enum virtio_mem_cause do_unplug(struct world *w)
{
	unsigned long id, end = w->step.first + w->step.nr;
	struct kunit *test = w->test;
	bool error = false;

	KUNIT_ASSERT_LE(test, end, w->t.nr);
	KUNIT_ASSERT_LE(test, end, w->in.usable_bbs);
	KUNIT_ASSERT_LE(test, w->step.nr, w->in.max_run);
	for (id = w->step.first; id < end; id++) {
		KUNIT_ASSERT_TRUE(test, w->plugged[id]);
		KUNIT_ASSERT_FALSE(test, w->added[id]);
		error |= w->trouble[id].unplug_error;
	}
	if (!may_unplug_below(w))
		KUNIT_ASSERT_GE(test, plugged_size(w),
				w->in.requested + w->step.nr * BB);
	if (mishap(w, CAUSE(DEV_BUSY)))
		return CAUSE(DEV_BUSY);
	if (error) {
		if (w->step.nr == 1)
			virtio_mem_bbt_set_tried(&w->t, w->step.first);
		w->events |= BIT(CAUSE(DEV_ERROR));
		return CAUSE(DEV_ERROR);
	}
	set_run(w, UNUSED);
	return CAUSE(NONE);
}

static enum virtio_mem_cause do_add(struct world *w)
{
	unsigned long id = w->step.first;
	struct kunit *test = w->test;

	KUNIT_ASSERT_EQ(test, w->step.nr, 1UL);
	KUNIT_ASSERT_TRUE(test, w->plugged[id]);
	KUNIT_ASSERT_FALSE(test, w->added[id]);
	KUNIT_ASSERT_FALSE(test, virtio_mem_bbt_is_quarantined(&w->t, id));
	KUNIT_ASSERT_GE(test, w->in.online_room, 1UL);
	if (mishap(w, CAUSE(NOMEM)))
		return CAUSE(NOMEM);
	if (w->trouble[id].add_fails) {
		w->refusals++;
		virtio_mem_refusals_count(&w->refused, w->now);
		virtio_mem_bbt_quarantine(&w->t, id, CAUSE(ADD_FAILED));
		return CAUSE(ADD_FAILED);
	}
	KUNIT_ASSERT_EQ(test, virtio_mem_bbt_set(&w->t, id, ADDED), 0);
	virtio_mem_refusals_end(&w->refused);
	w->added[id] = true;
	w->online[id] = vm_rnd_percent(&w->rnd, 70);
	return CAUSE(NONE);
}

static unsigned long pages_of(const struct world *w, unsigned long id)
{
	if (!w->online[id])
		return 0;
	return w->trouble[id].partly ? PAGES / 2 : PAGES;
}

/* A scan of a big block, which may be wrong where there is trouble. */
static void look(struct world *w, unsigned long id, struct virtio_mem_score *s)
{
	unsigned long pages = pages_of(w, id);

	memset(s, 0, sizeof(*s));
	s->online_pages = pages;
	if (!pages)
		return;
	s->kernel_zone = w->trouble[id].kernel_zone;
	s->used_pages = vm_rnd_below(&w->rnd, 3) * pages / 4;
	s->free_pages = pages - s->used_pages;
	s->stuck_pages = w->trouble[id].stuck;
	s->stuck_cause = CAUSE(UNMOVABLE);
}

static struct virtio_mem_candidate candidate(struct world *w, unsigned long id,
					     const struct virtio_mem_score *s,
					     bool held)
{
	struct virtio_mem_history past = { .held = held };
	struct virtio_mem_candidate c = {
		.rank = virtio_mem_choose_rank(s, &past), .id = id,
		.online_pages = s->online_pages, .kernel_zone = s->kernel_zone,
	};

	w->doubted[id] = virtio_mem_choose_class(c.rank) ==
			 VIRTIO_MEM_CLASS_DOUBTED;
	return c;
}

static enum virtio_mem_cause scan_one(struct world *w, unsigned long id)
{
	struct virtio_mem_candidate c;
	struct virtio_mem_score s;
	enum virtio_mem_cause cause;

	look(w, id, &s);
	cause = virtio_mem_choose_stays(&s, id < w->in.usable_bbs, true);
	if (cause) {
		w->events |= BIT(cause);
		virtio_mem_bbt_set_tried(&w->t, id);
		return cause;
	}
	c = candidate(w, id, &s, false);
	if (!virtio_mem_pass_is_unfit(&w->pass, &c))
		virtio_mem_candidates_offer(&w->cand, &c);
	return w->doubted[id] ? CAUSE(UNMOVABLE) : CAUSE(NONE);
}

static enum virtio_mem_cause do_scan(struct world *w)
{
	enum virtio_mem_cause first = CAUSE(NONE), cause;
	unsigned long id = ULONG_MAX;

	virtio_mem_candidates_reset(&w->cand);
	w->looked = true;
	while (virtio_mem_bbt_prev(&w->t, ADDED, &id)) {
		if (virtio_mem_candidates_enough(&w->cand, w->step.nr,
						 false)) {
			w->cand.early = true;
			break;
		}
		cause = scan_one(w, id);
		if (!first)
			first = cause;
	}
	virtio_mem_candidates_sort(&w->cand);
	return first;
}

/* Counts PLUGGED big blocks that an UNPLUG could name. */
static unsigned long waiting(const struct world *w)
{
	unsigned long first;

	return virtio_mem_bbt_run(&w->t, PLUGGED, w->in.usable_bbs, 1, &first);
}

/* Waiting big blocks may wait for cheap ones only, and for few. */
static void judge_waiting(struct world *w)
{
	struct kunit *test = w->test;

	if (!w->step.quick) {
		KUNIT_ASSERT_EQ(test, waiting(w), 0UL);
		return;
	}
	KUNIT_ASSERT_LT(test, w->in.waited_ms, VIRTIO_MEM_UNPLUG_WAIT_MS);
	KUNIT_ASSERT_LT(test, w->t.count[PLUGGED], VIRTIO_MEM_UNPLUG_BATCH);
	KUNIT_ASSERT_LT(test, w->t.count[PLUGGED], w->in.max_run);
}

static bool fits(const struct world *w, unsigned long id)
{
	unsigned long most = w->most[w->trouble[id].kernel_zone];

	return !most || pages_of(w, id) < most;
}

/* Whether it is put off, as it costs something now or is found held. */
static bool is_put_off(struct world *w, enum virtio_mem_cause *cause)
{
	struct virtio_mem_score s = { .online_pages = pages_of(w, w->step.first),
				      .used_pages = 1 };
	bool held = false;
	struct virtio_mem_candidate c;

	if (w->step.doubted || !s.online_pages ||
	    !vm_rnd_percent(&w->rnd, w->percent))
		return false;
	if (!w->step.quick)
		held = true;
	s.kernel_zone = w->trouble[w->step.first].kernel_zone;
	c = candidate(w, w->step.first, &s, held);
	virtio_mem_candidates_put_off(&w->cand, &c);
	*cause = held ? CAUSE(PINNED) : CAUSE(NONE);
	return true;
}

static enum virtio_mem_cause try_bb(struct world *w, unsigned long id)
{
	struct virtio_mem_candidate c = {
		.online_pages = pages_of(w, id),
		.kernel_zone = w->trouble[id].kernel_zone,
	};

	if (c.online_pages && !fits(w, id)) {
		virtio_mem_pass_unfit(&w->pass, &c);
		return CAUSE(PRESSURE);
	}
	if (mishap(w, CAUSE(INTERRUPTED)))
		return CAUSE(INTERRUPTED);
	return w->online[id] && w->trouble[id].pinned ? CAUSE(PINNED) :
							CAUSE(NONE);
}

static enum virtio_mem_cause do_shrink(struct world *w)
{
	enum virtio_mem_cause cause = CAUSE(NONE);
	unsigned long id = w->step.first;
	struct kunit *test = w->test;

	KUNIT_ASSERT_EQ(test, w->step.nr, 1UL);
	KUNIT_ASSERT_TRUE(test, w->added[id]);
	KUNIT_ASSERT_FALSE(test, virtio_mem_bbt_is_quarantined(&w->t, id));
	KUNIT_ASSERT_FALSE(test, virtio_mem_bbt_tried(&w->t, id));
	KUNIT_ASSERT_EQ(test, w->step.doubted, w->doubted[id]);
	KUNIT_ASSERT_TRUE(test, !w->step.doubted || w->in.may_doubt);
	KUNIT_ASSERT_TRUE(test, !w->late || w->step.doubted || !w->pass.failed);
	KUNIT_ASSERT_GE(test, w->in.foreign + count(w->added) * BB,
			w->in.requested + BB);
	judge_waiting(w);
	if (is_put_off(w, &cause))
		return cause;
	cause = try_bb(w, id);
	if (cause) {
		virtio_mem_bbt_set_tried(&w->t, id);
		return cause;
	}
	KUNIT_ASSERT_EQ(test, virtio_mem_bbt_set(&w->t, id, FAKE_OFFLINE), 0);
	KUNIT_ASSERT_EQ(test, virtio_mem_bbt_set(&w->t, id, PLUGGED), 0);
	w->added[id] = false;
	w->online[id] = false;
	return CAUSE(NONE);
}

static enum virtio_mem_cause do_unplug_all(struct world *w)
{
	KUNIT_ASSERT_TRUE(w->test, w->in.unplug_all);
	if (mishap(w, CAUSE(DEV_BUSY)))
		return CAUSE(DEV_BUSY);
	w->in.unplug_all = false;
	w->in.foreign = 0;
	return CAUSE(NONE);
}

static enum virtio_mem_cause do_step(struct world *w)
{
	KUNIT_ASSERT_TRUE(w->test, !w->in.unplug_all ||
			  w->step.type == STEP(UNPLUG_ALL));
	KUNIT_ASSERT_TRUE(w->test, !w->in.ending ||
			  w->step.type == STEP(UNPLUG));
	switch (w->step.type) {
	case STEP(PLUG):
		return do_plug(w);
	case STEP(UNPLUG):
		return do_unplug(w);
	case STEP(ADD):
		return do_add(w);
	case STEP(SCAN):
		return do_scan(w);
	case STEP(SHRINK):
		return do_shrink(w);
	default:
		return do_unplug_all(w);
	}
}

static void update_room(struct world *w)
{
	unsigned long id, waiting = 0;

	for (id = 0; id < NR; id++)
		waiting += w->added[id] && !w->online[id];
	w->in.online_room = w->online_limit - min(w->online_limit, waiting);
	w->in.add_trust = virtio_mem_refusals_room(&w->refused, w->now);
}

/* Counts big blocks that a PLUG could still name. */
static unsigned long free_bbs(const struct world *w)
{
	unsigned long id, nr = 0;

	for (id = 0; id < w->in.usable_bbs; id++)
		nr += !w->plugged[id] &&
		      !virtio_mem_bbt_is_quarantined(&w->t, id);
	return nr;
}

/* Counts ADDED big blocks that the pass could have tried and has not. */
static unsigned long untried(const struct world *w)
{
	unsigned long id, nr = 0;

	for (id = 0; id < NR; id++)
		nr += w->added[id] && !virtio_mem_bbt_tried(&w->t, id) &&
		      !virtio_mem_bbt_is_quarantined(&w->t, id) &&
		      (!w->online[id] || fits(w, id)) &&
		      !(w->doubted[id] ? w->denied : w->late);
	return nr;
}

static bool has_excuse_not_to_grow(const struct world *w)
{
	return happened(w, CAUSE(DEV_BUSY)) || happened(w, CAUSE(DEV_NACK)) ||
	       happened(w, CAUSE(NOMEM)) || !w->in.online_room ||
	       w->refusals >= VIRTIO_MEM_MAX_REFUSALS || !free_bbs(w) ||
	       !w->in.add_trust;
}

/* Whether the surplus lies where the device can't unplug it any more. */
static bool out_of_reach(const struct world *w)
{
	unsigned long id, nr = 0;

	for (id = w->in.usable_bbs; id < NR; id++)
		nr += w->plugged[id] && !w->added[id];
	return nr && plugged_size(w) < w->in.requested + (nr + 1) * BB;
}

static bool has_excuse_not_to_shrink(const struct world *w)
{
	return happened(w, CAUSE(DEV_BUSY)) || happened(w, CAUSE(DEV_NACK)) ||
	       happened(w, CAUSE(DEV_ERROR)) ||
	       happened(w, CAUSE(INTERRUPTED)) ||
	       out_of_reach(w) || (w->looked && !untried(w)) ||
	       /* One put off may come before some that were not kept. */
	       (w->pass.late && w->cand.early) ||
	       ((w->pass.late || w->pass.denied) && w->cand.full);
}

/* Checks that the cause is true and that the pass has tried hard enough. */
static void judge_end(struct world *w)
{
	u64 plugged = plugged_size(w), gap;
	struct kunit *test = w->test;
	bool below = plugged < w->in.requested;

	KUNIT_ASSERT_EQ(test, virtio_mem_plan_plugged(&w->in, &w->t), plugged);
	if (w->in.ending) {
		KUNIT_ASSERT_EQ(test, w->step.type, STEP(WAIT));
		KUNIT_ASSERT_TRUE(test, below || w->in.unplug_all ||
				  plugged - w->in.requested < BB ||
				  !waiting(w) || has_excuse_not_to_shrink(w));
		return;
	}
	gap = below ? w->in.requested - plugged : plugged - w->in.requested;
	if (w->step.type == STEP(NONE)) {
		/* Met as near as big blocks allow, and Linux has all of it. */
		KUNIT_ASSERT_TRUE(test, gap < BB ||
				  (!below && !count(w->plugged)));
		KUNIT_ASSERT_EQ(test, count(w->added), count(w->plugged));
		return;
	}
	KUNIT_ASSERT_EQ(test, w->step.type, STEP(WAIT));
	KUNIT_ASSERT_NE(test, w->pass.cause, CAUSE(NONE));
	if (w->in.unplug_all) {
		KUNIT_ASSERT_TRUE(test, happened(w, CAUSE(DEV_BUSY)));
	} else if (below && gap >= BB) {
		KUNIT_ASSERT_TRUE(test, has_excuse_not_to_grow(w));
	} else if (!below && gap >= BB) {
		KUNIT_ASSERT_TRUE(test, has_excuse_not_to_shrink(w));
	} else {
		/* Met, but Linux does not have all that is plugged. */
		KUNIT_ASSERT_LT(test, count(w->added), count(w->plugged));
		KUNIT_ASSERT_TRUE(test, has_excuse_not_to_grow(w) ||
				  has_excuse_not_to_shrink(w));
	}
}

static void new_request(struct world *w)
{
	/* The request is mostly possible, sometimes more than there is. */
	w->in.requested = vm_rnd_below(&w->rnd, (NR + 4) * BB / BLOCK) * BLOCK;
	if (vm_rnd_percent(&w->rnd, 15))
		w->in.requested = 0;
	if (vm_rnd_percent(&w->rnd, 30))
		w->in.requested &= ~(BB - 1);
	virtio_mem_bbt_release(&w->t, CAUSE(DEV_ERROR));
}

static void begin_pass(struct world *w)
{
	virtio_mem_pass_begin(&w->pass);
	virtio_mem_candidates_reset(&w->cand);
	virtio_mem_bbt_clear_tried(&w->t);
	if (virtio_mem_refusals_forget(&w->refused, w->now))
		virtio_mem_bbt_release(&w->t, CAUSE(ADD_FAILED));
	w->events = 0;
	w->refusals = 0;
	w->looked = false;
	w->denied = false;
	w->late = false;
	w->in.failed_ms = 0;
}

/* Lets some time pass. */
static void update_time(struct world *w)
{
	w->in.waited_ms = vm_rnd_below(&w->rnd, 2 * VIRTIO_MEM_UNPLUG_WAIT_MS);
	w->in.may_doubt = !vm_rnd_percent(&w->rnd, w->percent);
	w->denied |= !w->in.may_doubt;
	if (w->percent && vm_rnd_percent(&w->rnd, 1))
		w->in.ending = true;
	if (w->percent && vm_rnd_percent(&w->rnd, 1))
		w->in.failed_ms = VIRTIO_MEM_PASS_FAILED_MS;
	w->late = w->in.failed_ms;
}

static void run_pass(struct world *w)
{
	unsigned int steps, changes = 3, limit = 60 * NR;

	begin_pass(w);
	w->in.ending = false;
	for (steps = 0; steps < limit; steps++) {
		update_room(w);
		update_time(w);
		virtio_mem_plan_next(&w->in, &w->t, &w->cand, &w->pass,
				     &w->step);
		if (w->step.type == STEP(NONE) || w->step.type == STEP(WAIT))
			break;
		virtio_mem_plan_report(&w->pass, &w->step, do_step(w));
		/*
		 * The worker begins a new pass for this, as for a new request.
		 */
		if (w->percent && changes && vm_rnd_percent(&w->rnd, 2)) {
			changes--;
			new_request(w);
			begin_pass(w);
		}
	}
	KUNIT_ASSERT_TRUE_MSG(w->test, steps < limit, "(a pass that never ends)");
	update_room(w);
	judge_end(w);
}

/* Resets all of the world but the random numbers. */
static void world_reset(struct world *w)
{
	struct kunit *test = w->test;
	struct vm_rnd rnd = w->rnd;

	memset(w, 0, sizeof(*w));
	w->test = test;
	w->rnd = rnd;
	virtio_mem_bbt_replace(&w->t, w->entries, NR);
	w->in.bb_size = BB;
	w->in.usable_bbs = NR;
	w->in.max_run = NR;
	w->in.add_room = NR;
	w->in.add_trust = ULONG_MAX;
	w->online_limit = NR;
	/* Mostly there is too little room for all candidates. */
	virtio_mem_candidates_reset(&w->cand);
	virtio_mem_candidates_replace(&w->cand, w->buf,
				      1 + vm_rnd_below(&w->rnd, NR));
}

static struct world *world_new(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->test = test;
	vm_rnd_init(test, &w->rnd);
	world_reset(w);
	return w;
}

/* In a good world one pass gets as far as plain arithmetic says. */
static void a_good_world_in_one_pass(struct kunit *test)
{
	struct world *w = world_new(test);
	unsigned int round;
	u64 before, want;

	for (round = 0; round < 2000; round++) {
		if (round % 20 == 0) {
			world_reset(w);
			w->in.foreign = vm_rnd_below(&w->rnd, 3) * BLOCK;
			w->in.max_run = 1 + vm_rnd_below(&w->rnd, NR);
			w->in.usable_bbs = vm_rnd_below(&w->rnd, NR + 1);
		}
		new_request(w);
		before = plugged_size(w);
		want = before;
		while (want + BB <= w->in.requested &&
		       want + BB - w->in.foreign <= w->in.usable_bbs * BB)
			want += BB;
		while (want >= w->in.requested + BB && want - w->in.foreign)
			want -= BB;
		run_pass(w);
		KUNIT_ASSERT_EQ(test, plugged_size(w), want);
		KUNIT_ASSERT_EQ(test, w->step.type,
				want + BB <= w->in.requested ?
				STEP(WAIT) : STEP(NONE));
		if (w->step.type == STEP(WAIT))
			KUNIT_ASSERT_EQ(test, w->pass.cause, CAUSE(NO_BB));
	}
}

static void make_bad(struct world *w)
{
	unsigned int bad = vm_rnd_below(&w->rnd, 30);
	unsigned long id;

	w->percent = vm_rnd_below(&w->rnd, 10);
	w->in.max_run = 1 + vm_rnd_below(&w->rnd, NR);
	w->in.add_room = vm_rnd_below(&w->rnd, NR);
	w->in.usable_bbs = vm_rnd_below(&w->rnd, NR + 1);
	w->online_limit = 1 + vm_rnd_below(&w->rnd, NR);
	for (id = 0; id < 2; id++)
		w->most[id] = vm_rnd_percent(&w->rnd, 2 * bad) ?
			      PAGES >> vm_rnd_below(&w->rnd, 2) : 0;
	if (vm_rnd_percent(&w->rnd, 20)) {
		w->in.unplug_all = true;
		w->in.foreign = 4 * BB;
	}
	for (id = 0; id < NR; id++) {
		struct trouble *tr = &w->trouble[id];

		tr->plug_error = vm_rnd_percent(&w->rnd, bad);
		tr->unplug_error = vm_rnd_percent(&w->rnd, bad);
		tr->add_fails = vm_rnd_percent(&w->rnd, bad / 2);
		tr->stuck = vm_rnd_percent(&w->rnd, bad);
		tr->pinned = vm_rnd_percent(&w->rnd, bad);
		tr->kernel_zone = vm_rnd_percent(&w->rnd, 40);
		tr->partly = vm_rnd_percent(&w->rnd, 20);
	}
}

/* Ends all trouble, but scans may still be wrong. */
static void make_good(struct world *w)
{
	unsigned long id;

	w->percent = 0;
	memset(w->trouble, 0, sizeof(w->trouble));
	memset(w->most, 0, sizeof(w->most));
	for (id = 0; id < NR; id++)
		w->trouble[id].stuck = vm_rnd_percent(&w->rnd, 50);
	w->online_limit = NR;
	w->in.usable_bbs = NR;
	/* A pass releases PLUGGED ones from quarantine by unplugging them. */
	run_pass(w);
	virtio_mem_bbt_release(&w->t, CAUSE(DEV_ERROR));
	virtio_mem_bbt_release(&w->t, CAUSE(ADD_FAILED));
	w->in.requested = min(w->in.requested, NR * BB);
	run_pass(w);
	memset(w->online, 1, sizeof(w->online));
	run_pass(w);
}

/* In a bad world requests are met once all trouble ends. */
static void a_bad_world_gets_better(struct kunit *test)
{
	struct world *w = world_new(test);
	unsigned int round, pass;
	unsigned long id;

	for (round = 0; round < 1000; round++) {
		world_reset(w);
		make_bad(w);
		for (pass = 0; pass < 12; pass++) {
			if (vm_rnd_percent(&w->rnd, 40))
				new_request(w);
			/* Larger, or smaller, which no device may do. */
			if (vm_rnd_percent(&w->rnd, 10))
				w->in.usable_bbs = vm_rnd_below(&w->rnd, NR + 1);
			run_pass(w);
			/* User space onlines the memory that waits for it. */
			for (id = 0; id < NR; id++)
				w->online[id] |= w->added[id] &&
						 vm_rnd_percent(&w->rnd, 50);
		}
		make_good(w);
		KUNIT_ASSERT_EQ(test, w->step.type, STEP(NONE));
	}
}

/* Linux refuses every add for hours, and then none. */
static void linux_refuses_everything(struct kunit *test)
{
	struct world *w = world_new(test);
	unsigned long id, nr = 0;
	u64 hour = 60 * 60 * 1000;
	bool seen[NR] = {};

	for (id = 0; id < NR; id++)
		w->trouble[id].add_fails = true;
	w->in.max_run = 4;
	w->in.requested = NR * BB;
	for (w->now = hour; w->now < 5 * hour;
	     w->now += VIRTIO_MEM_RETRY_MAX_MS) {
		run_pass(w);
		KUNIT_ASSERT_EQ(test, w->step.type, STEP(WAIT));
		/* No big block is left once Linux has refused each. */
		KUNIT_ASSERT_TRUE(test, w->pass.cause == CAUSE(ADD_FAILED) ||
				  (w->pass.cause == CAUSE(NO_BB) &&
				   !free_bbs(w)));
		KUNIT_ASSERT_EQ(test, count(w->plugged), 0UL);
		nr += w->refusals;
		for (id = 0; id < NR; id++)
			seen[id] |= virtio_mem_bbt_is_quarantined(&w->t, id);
	}
	/* Each is tried now and then, though seldom, as others may be good. */
	KUNIT_EXPECT_EQ(test, count(seen), (unsigned long)NR);
	KUNIT_EXPECT_LE(test, nr, 4 * hour / VIRTIO_MEM_FORGET_MS *
				  VIRTIO_MEM_MAX_REFUSED);
	KUNIT_EXPECT_GE(test, nr, 2UL * NR);
	memset(w->trouble, 0, sizeof(w->trouble));
	for (id = 0; w->step.type != STEP(NONE) && id < 20; id++) {
		w->now += VIRTIO_MEM_RETRY_MAX_MS;
		memset(w->online, 1, sizeof(w->online));
		run_pass(w);
	}
	KUNIT_EXPECT_EQ(test, w->step.type, STEP(NONE));
	KUNIT_EXPECT_EQ(test, count(w->added), (unsigned long)NR);
}

/*
 * The lowest big blocks are lost until a reboot, more than may be refused in a
 * row.
 */
static void what_is_lost_is_passed_over(struct kunit *test)
{
	const unsigned long lost = VIRTIO_MEM_MAX_REFUSED + 4;
	struct world *w = world_new(test);
	unsigned long id, passes;

	for (id = 0; id < lost; id++)
		w->trouble[id].add_fails = true;
	w->in.max_run = 4;
	w->in.requested = 4 * BB;
	w->now = 60 * 60 * 1000;
	w->step.type = STEP(WAIT);
	for (passes = 0; w->step.type != STEP(NONE) && passes < 20; passes++) {
		w->now += VIRTIO_MEM_RETRY_MAX_MS;
		memset(w->online, 1, sizeof(w->online));
		run_pass(w);
	}
	KUNIT_EXPECT_EQ(test, w->step.type, STEP(NONE));
	KUNIT_EXPECT_EQ(test, count(w->added), 4UL);
	KUNIT_EXPECT_LE(test, passes, 12UL);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_good_world_in_one_pass),
	KUNIT_CASE(a_bad_world_gets_better),
	KUNIT_CASE(linux_refuses_everything),
	KUNIT_CASE(what_is_lost_is_passed_over),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_mem_plan_sim",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("Random simulation around virtio_mem_plan");
MODULE_LICENSE("GPL");
