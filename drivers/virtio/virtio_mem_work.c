// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The worker: takes a step from virtio_mem_plan, does it through virtio_mem_vq
 * and virtio_mem_mm as virtio_mem_choose says, and reports the result back
 * (virtio_mem_answer evaluates the device's answers).  One kthread per device
 * does all requests and all memory hotplug.  The worker never decides.
 */
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/virtio.h>

#include "virtio_mem_answer.h"
#include "virtio_mem_device.h"
#include "virtio_mem_event.h"
#include "virtio_mem_orphan.h"
#include "virtio_mem_room.h"
#include "virtio_mem_snapshot.h"
#include "virtio_mem_table.h"
#include "virtio_mem_trace.h"
#include "virtio_mem_view.h"

static u64 now_ms(void)
{
	return ktime_to_ms(ktime_get());
}

static u64 mib(u64 bytes)
{
	return bytes >> 20;
}

static void set_activity(struct virtio_mem *vm, enum virtio_mem_activity now)
{
	if (vm->activity == now)
		return;
	WRITE_ONCE(vm->activity, now);
	/* The directory goes once the worker has ended, or should have. */
	if (!test_bit(VIRTIO_MEM_EV_STOP, &vm->events))
		virtio_mem_sysfs_notify(vm);
}

/*
 * Steps.
 */

static enum virtio_mem_cause do_request(struct virtio_mem *vm,
					const struct virtio_mem_step *step,
					u16 type)
{
	enum virtio_mem_answer answer;
	u64 addr = virtio_mem_bb_addr(vm, step->first);
	u64 blocks = step->nr * (vm->geo.bb_size / vm->block_size);

	dev_dbg(&vm->vdev->dev, "%s 0x%llx, %llu device blocks\n",
		virtio_mem_proto_request_name(type), addr, blocks);
	answer = virtio_mem_vq_request(&vm->vq, type, addr, blocks);
	return virtio_mem_answered(vm, step, answer);
}

/* The worker rests for as long as a failed reclaim took. */
static int make_room(struct virtio_mem *vm)
{
	u64 begin = now_ms();
	int rc = virtio_mem_room_make(vm);

	if (rc == -ENOMEM)
		vm->failed_ms += now_ms() - begin;
	return rc;
}

/*
 * The room is made before plugging, because a big block that Linux can't add
 * had better stay unplugged.
 */
static enum virtio_mem_cause do_plug(struct virtio_mem *vm,
				     const struct virtio_mem_step *step)
{
	int rc = virtio_mem_table_reserve(vm, step->first + step->nr);

	if (!rc)
		rc = make_room(vm);
	/* A newer event comes first; the plan repeats the step if need be. */
	if (rc == -EINTR)
		return VIRTIO_MEM_CAUSE_NONE;
	return rc ? VIRTIO_MEM_CAUSE_NOMEM :
		    do_request(vm, step, VIRTIO_MEM_REQ_PLUG);
}

static enum virtio_mem_cause do_add(struct virtio_mem *vm, unsigned long id)
{
	u64 addr = virtio_mem_bb_addr(vm, id);
	enum virtio_mem_cause cause;
	int rc = make_room(vm);

	if (rc)
		return rc == -EINTR ? VIRTIO_MEM_CAUSE_NONE :
				      VIRTIO_MEM_CAUSE_NOMEM;
	rc = virtio_mem_mm_add(vm, id);
	if (!rc) {
		virtio_mem_refusals_end(&vm->refusals);
		return VIRTIO_MEM_CAUSE_NONE;
	}
	cause = rc == -ENOMEM ? VIRTIO_MEM_CAUSE_NOMEM :
				VIRTIO_MEM_CAUSE_ADD_FAILED;
	virtio_mem_note(vm, cause, "0x%llx-0x%llx: adding failed (%d): %s",
			addr, addr + vm->geo.bb_size - 1, rc,
			virtio_mem_cause_text(cause));
	if (cause == VIRTIO_MEM_CAUSE_NOMEM)
		return cause;
	/* For example -EEXIST, because an earlier add failed half-way. */
	dev_warn_ratelimited(&vm->vdev->dev,
			     "0x%llx-0x%llx: adding failed (%d); left alone for %u minutes, going on with others\n",
			     addr, addr + vm->geo.bb_size - 1, rc,
			     VIRTIO_MEM_FORGET_MS / 60000);
	virtio_mem_refusals_count(&vm->refusals, now_ms());
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_bbt_quarantine(&vm->bbt, id, VIRTIO_MEM_CAUSE_ADD_FAILED);
	mutex_unlock(&vm->hotplug_mutex);
	return VIRTIO_MEM_CAUSE_ADD_FAILED;
}

/* Stores in the table what speaks against unplugging this big block now. */
static void set_cause(struct virtio_mem *vm, unsigned long id,
		      enum virtio_mem_cause cause)
{
	mutex_lock(&vm->hotplug_mutex);
	if (virtio_mem_cause_is_block(cause))
		virtio_mem_bbt_set_cause(&vm->bbt, id, cause);
	mutex_unlock(&vm->hotplug_mutex);
}

/* Excludes a big block from the rest of this pass, and stores why. */
static void stays(struct virtio_mem *vm, unsigned long id,
		  enum virtio_mem_cause cause)
{
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_bbt_set_tried(&vm->bbt, id);
	mutex_unlock(&vm->hotplug_mutex);
	set_cause(vm, id, cause);
}

/* All that is known of a big block which could be unplugged. */
struct view {
	struct virtio_mem_score score;
	struct virtio_mem_history past;
	struct virtio_mem_candidate c;
	struct virtio_mem_fit fit;	/* set by ask() only */
};

static void judge(struct virtio_mem *vm, unsigned long id, struct view *v)
{
	virtio_mem_scan_bb(vm, id, &v->score);
	virtio_mem_held_history(vm, id, &v->past);
	v->c.id = id;
	v->c.first = false;
	v->c.rank = virtio_mem_choose_rank(&v->score, &v->past);
	v->c.online_pages = v->score.online_pages;
	v->c.kernel_zone = v->score.kernel_zone;
}

static void tell_dislike(struct virtio_mem *vm, const struct view *v,
			 enum virtio_mem_cause cause)
{
	unsigned long pfn = v->score.stuck_pages ? v->score.stuck_pfn :
						   v->score.held_pfn;

	trace_virtio_mem_dislike(vm->name, virtio_mem_bb_addr(vm, v->c.id),
				 cause, PFN_PHYS(pfn));
}

/* Looks at one big block of a scan; returns what speaks against it. */
static enum virtio_mem_cause scan_one(struct virtio_mem *vm, unsigned long id,
				      bool usable, bool first, struct view *v)
{
	struct virtio_mem_finding f;

	judge(vm, id, v);
	v->c.first = first;
	virtio_mem_choose_finding(&v->score, &v->past, usable,
				  READ_ONCE(virtio_mem_unplug_online), &f);
	if (f.stays) {
		stays(vm, id, f.cause);
		return f.cause;
	}
	virtio_mem_held_suspect(vm, id, f.suspect_pfn);
	set_cause(vm, id, f.keep);
	if (f.cause)
		tell_dislike(vm, v, f.cause);
	if (!virtio_mem_pass_is_unfit(&vm->pass, &v->c))
		virtio_mem_candidates_offer(&vm->cand, &v->c);
	return f.cause;
}

/* Makes room for all that the scan may find; a scan also works with less. */
static void prepare_candidates(struct virtio_mem *vm)
{
	unsigned long nr = vm->bbt.count[VIRTIO_MEM_BB_ADDED];
	struct virtio_mem_candidate *buf;

	virtio_mem_candidates_reset(&vm->cand);
	if (nr <= vm->cand.capacity)
		return;
	buf = kvmalloc_array(nr, sizeof(*buf), GFP_KERNEL | __GFP_NOWARN |
			     __GFP_NORETRY);
	if (buf)
		kvfree(virtio_mem_candidates_replace(&vm->cand, buf, nr));
}

/* Keeps a message with what a scan has found, which is the figure that decided. */
static void note_found(struct virtio_mem *vm, const struct view *v,
		       enum virtio_mem_cause cause)
{
	unsigned long others = v->score.stuck_pages - v->score.stuck_same;
	u64 addr = virtio_mem_bb_addr(vm, v->c.id);
	char also[64] = "";

	if (others)
		snprintf(also, sizeof(also),
			 ", and %lu that are pinned or gigantic", others);
	if (v->score.stuck_pages && cause == v->score.stuck_cause)
		virtio_mem_note(vm, cause,
				"0x%llx-0x%llx: %s: %lu pages, the first at 0x%llx%s; tried after all others, and again now and then",
				addr, addr + vm->geo.bb_size - 1,
				virtio_mem_cause_text(cause),
				v->score.stuck_same,
				(u64)PFN_PHYS(v->score.stuck_pfn), also);
	else if (v->score.held_pages && cause == VIRTIO_MEM_CAUSE_PINNED)
		virtio_mem_held_note(vm, v->c.id, v->score.held_pfn);
	else
		virtio_mem_note(vm, cause, "0x%llx-0x%llx: %s; it stays", addr,
				addr + vm->geo.bb_size - 1,
				virtio_mem_cause_text(cause));
}

static enum virtio_mem_cause do_scan(struct virtio_mem *vm,
				     const struct virtio_mem_situation *in,
				     unsigned long nr)
{
	enum virtio_mem_cause first = VIRTIO_MEM_CAUSE_NONE, cause;
	unsigned long gap = virtio_mem_plan_gap(in, &vm->bbt);
	unsigned long id = ULONG_MAX;
	u64 begin = now_ms();
	bool any_offline;
	struct view v;
	u32 noted = 0;

	mutex_lock(&vm->hotplug_mutex);
	any_offline = vm->offline_bytes > 0;
	mutex_unlock(&vm->hotplug_mutex);
	prepare_candidates(vm);
	while (virtio_mem_plan_scan_next(&vm->bbt, gap, &id)) {
		/* A later scan looks at the rest, if it is still needed. */
		if (virtio_mem_candidates_enough(&vm->cand, nr, any_offline) ||
		    virtio_mem_shall_end(vm) ||
		    test_bit(VIRTIO_MEM_EV_CONFIG, &vm->events)) {
			vm->cand.early = true;
			break;
		}
		cause = scan_one(vm, id, id < in->usable_bbs, id == gap, &v);
		if (!cause || noted & BIT(cause))
			continue;
		/* The pass may report any of them. */
		noted |= BIT(cause);
		note_found(vm, &v, cause);
		if (!first)
			first = cause;
	}
	virtio_mem_candidates_sort(&vm->cand);
	vm->failed_ms += now_ms() - begin;
	return first;
}

static void note_pressure(struct virtio_mem *vm, unsigned long id,
			  const struct virtio_mem_fit *fit)
{
	u64 addr = virtio_mem_bb_addr(vm, id);

	virtio_mem_note(vm, VIRTIO_MEM_CAUSE_PRESSURE,
			"0x%llx-0x%llx: unplugging it would leave %lu MiB free or reclaimable%s, less than the %lu MiB that must stay (unplug_reserve_mib); it stays until more is free",
			addr, addr + vm->geo.bb_size - 1,
			fit->left >> (20 - PAGE_SHIFT),
			fit->kernel ? " in the kernel's zones" : " or as swap",
			fit->reserve >> (20 - PAGE_SHIFT));
}

/* Looks at the big block whose turn it is, and asks what to do with it. */
static enum virtio_mem_verdict ask(struct virtio_mem *vm, unsigned long id,
				   struct virtio_mem_turn *turn,
				   struct view *v, enum virtio_mem_cause *cause)
{
	struct virtio_mem_pressure pressure;

	judge(vm, id, v);
	virtio_mem_scan_pressure(&pressure);
	virtio_mem_choose_fit(&v->score, &pressure, PHYS_PFN(SZ_1M),
			      READ_ONCE(virtio_mem_unplug_reserve_mib),
			      &v->fit);
	turn->fits = v->fit.fits;
	return virtio_mem_choose_verdict(&v->score, &v->past, turn, cause);
}

/*
 * Asks; and where the verdict depends on whether only a CPU's batch holds the
 * pages, drains the batches to find out, and asks again.
 */
static enum virtio_mem_verdict decide(struct virtio_mem *vm, unsigned long id,
				      struct virtio_mem_turn *turn,
				      struct view *v,
				      enum virtio_mem_cause *cause)
{
	enum virtio_mem_verdict verdict = ask(vm, id, turn, v, cause);

	if (verdict != VIRTIO_MEM_VERDICT_CONFIRM)
		return verdict;
	virtio_mem_held_confirm(vm, id, v->score.free_pfn);
	turn->confirmed = true;
	return ask(vm, id, turn, v, cause);
}

static void put_off(struct virtio_mem *vm, const struct view *v,
		    enum virtio_mem_cause cause)
{
	if (cause) {
		set_cause(vm, v->c.id, cause);
		tell_dislike(vm, v, cause);
		note_found(vm, v, cause);
	}
	virtio_mem_candidates_put_off(&vm->cand, &v->c);
}

/*
 * The guest can't do without this big block.  Others of its class are excluded
 * as well, because they would leave as little.
 */
static void unfit(struct virtio_mem *vm, const struct view *v)
{
	note_pressure(vm, v->c.id, &v->fit);
	trace_virtio_mem_guard(vm->name, virtio_mem_bb_addr(vm, v->c.id),
			       &v->fit);
	virtio_mem_pass_unfit(&vm->pass, &v->c);
}

static enum virtio_mem_cause try_bb(struct virtio_mem *vm, const struct view *v,
				    bool doubted)
{
	unsigned long blocks = vm->geo.bb_size / memory_block_size_bytes();
	struct virtio_mem_attempt how = {
		.method = virtio_mem_choose_method(&v->score,
						   virtio_mem_safe_unplug,
						   blocks),
		.suspect = v->score.held_pfn,
		.ms = virtio_mem_choose_ms(READ_ONCE(virtio_mem_unplug_timeout_ms),
					   doubted),
	};
	enum virtio_mem_cause cause;
	u64 begin = now_ms();

	trace_virtio_mem_pick(vm->name, virtio_mem_bb_addr(vm, v->c.id),
			      &v->score, v->c.rank, how.method, how.ms);
	cause = virtio_mem_mm_shrink(vm, v->c.id, &how);
	if (!cause) {
		virtio_mem_stats_moved(&vm->stats, v->score.used_pages +
						   v->score.stuck_pages);
		virtio_mem_held_forget(vm, v->c.id);
		return cause;
	}
	if (doubted)
		virtio_mem_doubt_spend(&vm->doubt, now_ms() - begin);
	if (virtio_mem_choose_remembers(cause))
		virtio_mem_held_record_failure(vm, v->c.id, cause);
	return cause;
}

static enum virtio_mem_cause do_shrink(struct virtio_mem *vm,
				       const struct virtio_mem_situation *in,
				       const struct virtio_mem_step *step)
{
	struct virtio_mem_turn turn = {
		.usable = step->first < in->usable_bbs,
		.unplug_online = READ_ONCE(virtio_mem_unplug_online),
		.quick = step->quick,
		.doubted = step->doubted,
	};
	unsigned long id = step->first;
	enum virtio_mem_verdict verdict;
	enum virtio_mem_cause cause, noted;
	u64 begin = now_ms();
	struct view v;

	verdict = decide(vm, id, &turn, &v, &cause);
	if (verdict == VIRTIO_MEM_VERDICT_PUT_OFF) {
		put_off(vm, &v, cause);
		return cause;
	}
	if (!vm->bbt.count[VIRTIO_MEM_BB_PLUGGED])
		vm->out_ms = begin;
	noted = VIRTIO_MEM_CAUSE_PRESSURE;
	if (cause == noted)
		unfit(vm, &v);
	if (verdict == VIRTIO_MEM_VERDICT_TRY) {
		cause = try_bb(vm, &v, step->doubted);
		noted = cause;
	}
	cause = virtio_mem_choose_reason(&v.score, &v.past, cause);
	if (cause) {
		if (cause != noted)
			note_found(vm, &v, cause);
		stays(vm, id, cause);
		vm->failed_ms += now_ms() - begin;
	}
	return cause;
}

static enum virtio_mem_cause do_step(struct virtio_mem *vm,
				     const struct virtio_mem_situation *in,
				     const struct virtio_mem_step *step)
{
	switch (step->type) {
	case VIRTIO_MEM_STEP_UNPLUG_ALL:
		return do_request(vm, step, VIRTIO_MEM_REQ_UNPLUG_ALL);
	case VIRTIO_MEM_STEP_PLUG:
		set_activity(vm, VIRTIO_MEM_GROWING);
		return do_plug(vm, step);
	case VIRTIO_MEM_STEP_ADD:
		set_activity(vm, VIRTIO_MEM_GROWING);
		return do_add(vm, step->first);
	case VIRTIO_MEM_STEP_UNPLUG:
		return do_request(vm, step, VIRTIO_MEM_REQ_UNPLUG);
	case VIRTIO_MEM_STEP_SCAN:
		return do_scan(vm, in, step->nr);
	case VIRTIO_MEM_STEP_SHRINK:
		set_activity(vm, VIRTIO_MEM_SHRINKING);
		return do_shrink(vm, in, step);
	default:
		return VIRTIO_MEM_CAUSE_NONE;
	}
}

/*
 * Passes.
 */

/* Announces a new request once, and clears delays left from older ones. */
static void take_request(struct virtio_mem *vm,
			 const struct virtio_mem_situation *in)
{
	u64 plugged = virtio_mem_plan_plugged(in, &vm->bbt);

	if (in->requested == vm->worker.told_requested)
		return;
	virtio_mem_backoff_reset(&vm->worker.backoff);
	virtio_mem_held_pardon(vm);
	vm->worker.started_ms = now_ms();
	virtio_mem_doubt_grant(&vm->doubt, vm->worker.started_ms);
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_notes_go_on(&vm->notes);
	virtio_mem_bbt_release(&vm->bbt, VIRTIO_MEM_CAUSE_DEV_ERROR);
	mutex_unlock(&vm->hotplug_mutex);
	vm->worker.told_requested = in->requested;
	vm->worker.told_cause = VIRTIO_MEM_CAUSE_NONE;
	/* A request that waited and is taken back is announced as met. */
	vm->worker.told_met = in->requested == plugged &&
			      vm->activity == VIRTIO_MEM_IDLE;
	if (in->requested != plugged)
		dev_info(&vm->vdev->dev,
			 "requested size %llu MiB, plugged %llu MiB: %s in big blocks of %llu MiB\n",
			 mib(in->requested), mib(plugged),
			 in->requested > plugged ? "growing" : "shrinking",
			 mib(vm->geo.bb_size));
}

static void tell_met(struct virtio_mem *vm, u64 requested, u64 plugged)
{
	u64 ms = now_ms() - vm->worker.started_ms;

	set_activity(vm, VIRTIO_MEM_IDLE);
	virtio_mem_backoff_reset(&vm->worker.backoff);
	if (vm->worker.told_met)
		return;
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_notes_go_on(&vm->notes);
	virtio_mem_bbt_forget_causes(&vm->bbt);
	mutex_unlock(&vm->hotplug_mutex);
	vm->worker.told_met = true;
	vm->worker.told_cause = VIRTIO_MEM_CAUSE_NONE;
	virtio_mem_event_send(vm, VIRTIO_MEM_EVENT_MET, requested, plugged,
			      VIRTIO_MEM_CAUSE_NONE);
	if (requested == plugged)
		dev_info(&vm->vdev->dev,
			 "request met: %llu MiB plugged after %llu ms\n",
			 mib(plugged), ms);
	else
		dev_info(&vm->vdev->dev,
			 "request met as near as big blocks of %llu MiB allow: %llu MiB plugged, %llu MiB requested, after %llu ms\n",
			 mib(vm->geo.bb_size), mib(plugged), mib(requested),
			 ms);
}

/* Makes sure that last_error says why the request waits. */
static void note_waiting(struct virtio_mem *vm, u64 requested, u64 plugged)
{
	char text[VIRTIO_MEM_NOTE_LEN];

	scnprintf(text, sizeof(text),
		  "%llu MiB plugged, %llu MiB requested: %s", mib(plugged),
		  mib(requested), virtio_mem_cause_text(vm->pass.cause));
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_notes_wait(&vm->notes, vm->pass.cause, text);
	mutex_unlock(&vm->hotplug_mutex);
}

static u32 tell_waiting(struct virtio_mem *vm, u64 requested, u64 plugged)
{
	u32 delay = virtio_mem_backoff_rest(virtio_mem_backoff_next(&vm->worker.backoff),
					    vm->failed_ms);

	vm->worker.told_met = false;
	note_waiting(vm, requested, plugged);
	/* Last, because whoever waits for this state reads last_error next. */
	set_activity(vm, VIRTIO_MEM_WAITING);
	if (vm->worker.told_cause == vm->pass.cause)
		return delay;
	vm->worker.told_cause = vm->pass.cause;
	virtio_mem_event_send(vm, VIRTIO_MEM_EVENT_STUCK, requested, plugged,
			      vm->pass.cause);
	dev_info(&vm->vdev->dev,
		 "request not met yet: %llu MiB plugged, %llu MiB requested: %s; next try in %u ms\n",
		 mib(plugged), mib(requested),
		 virtio_mem_cause_text(vm->pass.cause), delay);
	return delay;
}

static void end_broken(struct virtio_mem *vm, u64 requested, u64 plugged)
{
	if (vm->activity == VIRTIO_MEM_BROKEN)
		return;
	set_activity(vm, VIRTIO_MEM_BROKEN);
	if (test_bit(VIRTIO_MEM_EV_STOP, &vm->events))
		return;
	virtio_mem_event_send(vm, VIRTIO_MEM_EVENT_BROKEN, requested, plugged,
			      vm->pass.cause);
}

/* Ends a pass and says how far it got; returns ms until the next, 0: never. */
static u32 conclude(struct virtio_mem *vm,
		    const struct virtio_mem_situation *in,
		    enum virtio_mem_step_type last)
{
	u64 plugged = virtio_mem_plan_plugged(in, &vm->bbt);
	bool met = last == VIRTIO_MEM_STEP_NONE;
	u32 delay = 0;

	if (vm->broken) {
		end_broken(vm, in->requested, plugged);
		return 0;
	}
	if (virtio_mem_shall_end(vm))
		return 0;
	virtio_mem_stats_reached(&vm->stats, in->requested, plugged,
				 now_ms() - vm->worker.started_ms,
				 met ? VIRTIO_MEM_CAUSE_NONE : vm->pass.cause);
	if (plugged != vm->worker.last_plugged)
		virtio_mem_backoff_reset(&vm->worker.backoff);
	vm->worker.last_plugged = plugged;
	if (met)
		tell_met(vm, in->requested, plugged);
	else
		delay = tell_waiting(vm, in->requested, plugged);
	trace_virtio_mem_pass_end(vm->name, in->requested, plugged,
				  met ? VIRTIO_MEM_CAUSE_NONE : vm->pass.cause,
				  delay);
	return delay;
}

/* Device and table must agree, because only the worker plugs and unplugs. */
static void compare_books(struct virtio_mem *vm,
			  const struct virtio_mem_situation *in)
{
	u64 plugged = virtio_mem_plan_plugged(in, &vm->bbt);
	struct virtio_mem_cfg cfg;

	if (vm->unplug_all || in->answer_pending)
		return;
	virtio_mem_config_get(vm, &cfg);
	if (cfg.plugged_size == plugged) {
		vm->worker.told_mismatch = false;
		return;
	}
	if (vm->worker.told_mismatch)
		return;
	vm->worker.told_mismatch = true;
	dev_warn(&vm->vdev->dev,
		 "the device says that 0x%llx bytes are plugged, our table says 0x%llx; going by the table\n",
		 cfg.plugged_size, plugged);
	virtio_mem_note(vm, VIRTIO_MEM_CAUSE_NONE,
			"the device says that 0x%llx bytes are plugged, our table says 0x%llx",
			cfg.plugged_size, plugged);
}

static void begin_pass(struct virtio_mem *vm)
{
	virtio_mem_pass_begin(&vm->pass);
	vm->failed_ms = 0;
	virtio_mem_candidates_reset(&vm->cand);
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_notes_pass(&vm->notes);
	virtio_mem_bbt_clear_tried(&vm->bbt);
	if (now_ms() - vm->refused_ms >= VIRTIO_MEM_REFUSED_MS)
		virtio_mem_bbt_release(&vm->bbt, VIRTIO_MEM_CAUSE_DEV_ERROR);
	if (virtio_mem_refusals_forget(&vm->refusals, now_ms()))
		virtio_mem_bbt_release(&vm->bbt, VIRTIO_MEM_CAUSE_ADD_FAILED);
	mutex_unlock(&vm->hotplug_mutex);
}

static void collect_late_answer(struct virtio_mem *vm)
{
	enum virtio_mem_answer answer;

	/* A broken device gives no answer any more. */
	if (vm->broken || !virtio_mem_vq_pending(&vm->vq))
		return;
	answer = virtio_mem_vq_poll(&vm->vq);
	if (answer == VIRTIO_MEM_ANSWER_SILENT)
		return;
	dev_info(&vm->vdev->dev, "late answer: %s\n",
		 virtio_mem_proto_answer_name(answer));
	virtio_mem_answered_late(vm, answer);
}

/* Before removal and suspend, steps go on while the queue is open. */
static bool may_go_on(struct virtio_mem *vm)
{
	return !vm->broken &&
	       !(virtio_mem_shall_end(vm) && READ_ONCE(vm->vq.gone));
}

/* Reads the configuration again; returns true if it has a new request. */
static bool look_at_request(struct virtio_mem *vm,
			    struct virtio_mem_situation *in)
{
	u64 before = vm->worker.told_requested;

	virtio_mem_config_read(vm);
	virtio_mem_snapshot_sizes(vm, in);
	take_request(vm, in);
	return before != vm->worker.told_requested;
}

/* Works towards the request; returns ms until the next pass, 0 for never. */
static u32 run_pass(struct virtio_mem *vm)
{
	struct virtio_mem_step step = { .type = VIRTIO_MEM_STEP_WAIT };
	struct virtio_mem_situation in;
	int rc;

	collect_late_answer(vm);
	begin_pass(vm);
	/* The last configuration read is older than the last plug. */
	rc = virtio_mem_config_read(vm);
	virtio_mem_snapshot_sizes(vm, &in);
	if (!rc)
		compare_books(vm, &in);
	take_request(vm, &in);
	trace_virtio_mem_pass_begin(vm->name, in.requested,
				    virtio_mem_plan_plugged(&in, &vm->bbt));
	while (may_go_on(vm)) {
		virtio_mem_bound_look(&vm->bound);
		if (test_and_clear_bit(VIRTIO_MEM_EV_CONFIG, &vm->events) &&
		    look_at_request(vm, &in))
			begin_pass(vm);
		virtio_mem_snapshot(vm, &in);
		virtio_mem_plan_next(&in, &vm->bbt, &vm->cand, &vm->pass,
				     &step);
		if (step.type == VIRTIO_MEM_STEP_NONE ||
		    step.type == VIRTIO_MEM_STEP_WAIT)
			break;
		virtio_mem_plan_report(&vm->pass, &step,
				       do_step(vm, &in, &step));
		cond_resched();
	}
	return conclude(vm, &in, step.type);
}

static void wait_paused(struct virtio_mem *vm)
{
	WRITE_ONCE(vm->worker.paused, true);
	wake_up_all(&vm->wait);
	wait_event_idle(vm->wait,
			test_bit(VIRTIO_MEM_EV_STOP, &vm->events) ||
			!test_bit(VIRTIO_MEM_EV_PAUSE, &vm->events));
	WRITE_ONCE(vm->worker.paused, false);
}

/**
 * virtio_mem_teardown() - let go of everything but the queue
 * @vm: the device; the worker has ended, or is the caller
 *
 * Memory that is added stays usable by Linux.  The driver no longer refers to
 * it, and it refers to nothing that the driver frees.
 *
 * Context: may sleep.
 */
void virtio_mem_teardown(struct virtio_mem *vm)
{
	unsigned long added;

	/* Only now: who finds no file there believes that no memory leaves. */
	virtio_mem_debugfs_del(vm);
	virtio_mem_mm_stop(vm);
	virtio_mem_held_exit(vm);
	added = virtio_mem_mm_exit(vm);
	if (added)
		pr_warn("virtio_mem %s: %llu MiB stay added and in use; load the driver again to unplug them\n",
			vm->name, (u64)added * vm->geo.bb_size >> 20);
}

static void __noreturn end_worker(struct virtio_mem *vm)
{
	bool orphaned;

	mutex_lock(&vm->hotplug_mutex);
	vm->worker.ended = true;
	orphaned = vm->worker.orphaned;
	mutex_unlock(&vm->hotplug_mutex);
	if (orphaned) {
		virtio_mem_teardown(vm);
		virtio_mem_orphan_end(vm);
		virtio_mem_put(vm);
		module_put_and_kthread_exit(0);
	}
	/* @vm stays valid, because remove() waits and holds a reference. */
	virtio_mem_put(vm);
	kthread_complete_and_exit(&vm->exited, 0);
}

static int worker(void *arg)
{
	struct virtio_mem *vm = arg;
	u32 delay = 0;

	virtio_mem_bound_adopt(&vm->bound);
	set_bit(VIRTIO_MEM_EV_CONFIG, &vm->events);
	while (!test_bit(VIRTIO_MEM_EV_STOP, &vm->events)) {
		virtio_mem_rest(vm, delay);
		if (test_bit(VIRTIO_MEM_EV_STOP, &vm->events))
			break;
		if (test_bit(VIRTIO_MEM_EV_PAUSE, &vm->events)) {
			wait_paused(vm);
			/* Read it again, as it may have changed meanwhile. */
			set_bit(VIRTIO_MEM_EV_CONFIG, &vm->events);
			continue;
		}
		if (test_and_clear_bit(VIRTIO_MEM_EV_MEMORY, &vm->events)) {
			virtio_mem_backoff_reset(&vm->worker.backoff);
			virtio_mem_held_pardon(vm);
		}
		clear_bit(VIRTIO_MEM_EV_CONFIG, &vm->events);
		delay = run_pass(vm);
	}
	end_worker(vm);
}

/**
 * virtio_mem_work_start() - start the worker
 * @vm: the device, all set up
 *
 * The worker holds a reference to @vm.
 *
 * Context: probe; may sleep.
 * Return: 0 or what kthread_create() says.
 */
int virtio_mem_work_start(struct virtio_mem *vm)
{
	struct task_struct *task;

	task = kthread_create(worker, vm, "virtio_mem/%s", vm->name);
	if (IS_ERR(task))
		return PTR_ERR(task);
	kref_get(&vm->ref);
	vm->task = task;
	wake_up_process(task);
	return 0;
}

/**
 * virtio_mem_work_stop() - end the worker
 * @vm: the device
 *
 * The worker gives up its step and rolls it back.  It may be waiting for
 * device_hotplug_lock while the caller holds that lock (removal by ACPI).  So
 * this function returns after some seconds even if the worker goes on; the
 * worker then tidies up behind itself.
 *
 * Context: remove; may sleep.
 * Return: true if the worker has ended; false if @vm now belongs to the worker
 * and only the queue is left to the caller.
 */
bool virtio_mem_work_stop(struct virtio_mem *vm)
{
	bool ended;

	virtio_mem_kick(vm, VIRTIO_MEM_EV_STOP);
	virtio_mem_bound_stop(&vm->bound, true);
	virtio_mem_hold_close(&vm->hold);
	/*
	 * A device that answers at once still gets the memory that has already
	 * left Linux.
	 */
	if (wait_for_completion_timeout(&vm->exited,
					msecs_to_jiffies(VIRTIO_MEM_FLUSH_MS)))
		return true;
	virtio_mem_vq_shut(&vm->vq);
	if (wait_for_completion_timeout(&vm->exited,
					msecs_to_jiffies(VIRTIO_MEM_STOP_MS)))
		return true;

	/* Wait, because nobody holds that lock while the module is unloaded. */
	if (try_module_get(THIS_MODULE)) {
		mutex_lock(&vm->hotplug_mutex);
		ended = vm->worker.ended;
		vm->worker.orphaned = !ended;
		if (!ended)
			virtio_mem_orphan_begin(vm);
		mutex_unlock(&vm->hotplug_mutex);
		if (!ended) {
			dev_warn(&vm->vdev->dev,
				 "removed while memory hotplug is under way; it ends in the background\n");
			return false;
		}
		module_put(THIS_MODULE);
	}
	wait_for_completion(&vm->exited);
	return true;
}

/**
 * virtio_mem_work_pause() - bring the worker to rest until it is resumed
 * @vm: the device
 *
 * Context: before suspend; may sleep.
 * Return: 0; -EBUSY if the worker did not come to rest in time; it then goes on
 * working.
 */
int virtio_mem_work_pause(struct virtio_mem *vm)
{
	virtio_mem_kick(vm, VIRTIO_MEM_EV_PAUSE);
	virtio_mem_bound_stop(&vm->bound, true);
	wait_event_timeout(vm->wait, READ_ONCE(vm->worker.paused),
			   msecs_to_jiffies(VIRTIO_MEM_STOP_MS));
	if (READ_ONCE(vm->worker.paused))
		return 0;
	virtio_mem_work_resume(vm);
	return -EBUSY;
}

/**
 * virtio_mem_work_resume() - let a paused worker go on
 * @vm: the device
 *
 * Context: after suspend; may sleep.
 */
void virtio_mem_work_resume(struct virtio_mem *vm)
{
	virtio_mem_bound_stop(&vm->bound, false);
	clear_bit(VIRTIO_MEM_EV_PAUSE, &vm->events);
	wake_up_all(&vm->wait);
}
