// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The worker: takes a step from virtio_mem_plan, does it through virtio_mem_vq
 * and virtio_mem_mm, reports the result back (answers: virtio_mem_answer).
 * One kthread a device does all requests and all memory hotplug.  Never
 * decides.
 */
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/virtio.h>

#include "virtio_mem.h"
#include "virtio_mem_answer.h"

/* How long remove() and suspend wait for the worker, in ms. */
#define STOP_MS		10000

/* How long removal leaves the worker the device, in ms. */
#define FLUSH_MS	500

atomic_t virtio_mem_orphans = ATOMIC_INIT(0);

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
	WRITE_ONCE(vm->activity, now);
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

	if (type == VIRTIO_MEM_REQ_PLUG &&
	    virtio_mem_table_reserve(vm, step->first + step->nr))
		return VIRTIO_MEM_CAUSE_NOMEM;
	dev_dbg(&vm->vdev->dev, "%s 0x%llx, %llu device blocks\n",
		virtio_mem_proto_request_name(type), addr, blocks);
	answer = virtio_mem_vq_request(&vm->vq, type, addr, blocks);
	return virtio_mem_answered(vm, step, answer);
}

static enum virtio_mem_cause do_add(struct virtio_mem *vm, unsigned long id)
{
	u64 addr = virtio_mem_bb_addr(vm, id);
	int rc = virtio_mem_mm_add(vm, id);

	if (!rc)
		return VIRTIO_MEM_CAUSE_NONE;
	virtio_mem_note(vm, "0x%llx-0x%llx: adding failed (%d)", addr,
			addr + vm->geo.bb_size - 1, rc);
	if (rc == -ENOMEM)
		return VIRTIO_MEM_CAUSE_NOMEM;
	/* E.g. EEXIST: an earlier add failed half-way; not before a reboot. */
	dev_warn(&vm->vdev->dev,
		 "0x%llx-0x%llx: adding failed (%d); not used again, going on with others\n",
		 addr, addr + vm->geo.bb_size - 1, rc);
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_bbt_quarantine(&vm->bbt, id, VIRTIO_MEM_CAUSE_ADD_FAILED);
	mutex_unlock(&vm->hotplug_mutex);
	return VIRTIO_MEM_CAUSE_ADD_FAILED;
}

/* Not again in this pass, and why. */
static void stays(struct virtio_mem *vm, unsigned long id,
		  enum virtio_mem_cause cause)
{
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_bbt_set_tried(&vm->bbt, id);
	if (cause < VIRTIO_MEM_CAUSE_PRESSURE)
		virtio_mem_bbt_set_cause(&vm->bbt, id, cause);
	mutex_unlock(&vm->hotplug_mutex);
}

static void offer(struct virtio_mem *vm, unsigned long id,
		  const struct virtio_mem_score *score)
{
	u64 rank = virtio_mem_plan_rank(score,
					READ_ONCE(virtio_mem_unplug_online));

	if (virtio_mem_bbt_cause(&vm->bbt, id))
		rank = virtio_mem_plan_demote(rank);
	virtio_mem_candidates_offer(&vm->cand, rank, id);
}

static enum virtio_mem_cause do_scan(struct virtio_mem *vm, unsigned long nr)
{
	bool online_too = READ_ONCE(virtio_mem_unplug_online);
	enum virtio_mem_cause first = VIRTIO_MEM_CAUSE_NONE, cause;
	struct virtio_mem_situation in;
	struct virtio_mem_score score;
	unsigned long id = ULONG_MAX;
	u64 begin = now_ms();
	bool all;

	/* What is offline goes first, wherever it is. */
	mutex_lock(&vm->hotplug_mutex);
	all = vm->offline_bytes > 0;
	mutex_unlock(&vm->hotplug_mutex);
	virtio_mem_situation(vm, &in);
	virtio_mem_candidates_reset(&vm->cand);
	while ((all || !virtio_mem_candidates_enough(&vm->cand, nr)) &&
	       virtio_mem_bbt_prev(&vm->bbt, VIRTIO_MEM_BB_ADDED, &id)) {
		if (virtio_mem_shall_end(vm))
			return VIRTIO_MEM_CAUSE_INTERRUPTED;
		/* Taken out of Linux it would serve nobody. */
		if (id >= in.usable_bbs) {
			cause = VIRTIO_MEM_CAUSE_OUTSIDE;
		} else if (virtio_mem_held_still(vm, id)) {
			cause = VIRTIO_MEM_CAUSE_PINNED;
		} else {
			virtio_mem_scan_bb(vm, id, &score);
			cause = virtio_mem_plan_stays(&score, online_too);
		}
		if (!cause) {
			virtio_mem_held_looked(vm, id, &score);
			offer(vm, id, &score);
			continue;
		}
		stays(vm, id, cause);
		if (!first)
			first = cause;
	}
	vm->failed_ms += now_ms() - begin;
	return first;
}

static enum virtio_mem_cause shrink_bb(struct virtio_mem *vm, unsigned long id,
				       struct virtio_mem_score *score)
{
	unsigned long blocks = vm->geo.bb_size / memory_block_size_bytes();
	enum virtio_mem_method method;
	enum virtio_mem_cause cause;

	if (score->held_pages) {
		if (virtio_mem_held_doomed(vm, id, score->free_pfn))
			return VIRTIO_MEM_CAUSE_PINNED;
		/* What only a batch held needs no taking, which may zero it all. */
		virtio_mem_scan_bb(vm, id, score);
	}
	method = virtio_mem_plan_method(score, virtio_mem_safe_unplug, blocks,
					want_init_on_alloc(0));
	cause = virtio_mem_mm_shrink(vm, id, method, score->held_pfn);
	if (cause == VIRTIO_MEM_CAUSE_PINNED ||
	    cause == VIRTIO_MEM_CAUSE_DEADLINE)
		virtio_mem_held_note(vm, id);
	return cause;
}

static enum virtio_mem_cause do_shrink(struct virtio_mem *vm,
				       const struct virtio_mem_step *step)
{
	unsigned long id = step->first;
	struct virtio_mem_pressure pressure;
	struct virtio_mem_score score;
	enum virtio_mem_cause cause;
	u64 begin = now_ms();

	/* The scan may be long ago: look again. */
	virtio_mem_scan_bb(vm, id, &score);
	if (step->quick && score.used_pages) {
		offer(vm, id, &score);
		return VIRTIO_MEM_CAUSE_NONE;
	}
	if (!vm->bbt.count[VIRTIO_MEM_BB_PLUGGED])
		vm->out_ms = begin;
	virtio_mem_scan_pressure(&pressure);
	cause = virtio_mem_plan_stays(&score,
				      READ_ONCE(virtio_mem_unplug_online));
	if (!cause && !virtio_mem_plan_fits(&score, &pressure)) {
		cause = VIRTIO_MEM_CAUSE_PRESSURE;
		virtio_mem_note(vm,
				"0x%llx: unplugging it would leave too little memory: %lu MiB available, %lu MiB must stay; it stays",
				virtio_mem_bb_addr(vm, id),
				pressure.available >> (20 - PAGE_SHIFT),
				pressure.reserve >> (20 - PAGE_SHIFT));
	}
	if (!cause)
		cause = shrink_bb(vm, id, &score);
	if (cause) {
		stays(vm, id, cause);
		vm->failed_ms += now_ms() - begin;
	} else {
		virtio_mem_held_forget(vm, id);
	}
	return cause;
}

static enum virtio_mem_cause do_step(struct virtio_mem *vm,
				     const struct virtio_mem_step *step)
{
	switch (step->type) {
	case VIRTIO_MEM_STEP_UNPLUG_ALL:
		return do_request(vm, step, VIRTIO_MEM_REQ_UNPLUG_ALL);
	case VIRTIO_MEM_STEP_PLUG:
		set_activity(vm, VIRTIO_MEM_GROWING);
		return do_request(vm, step, VIRTIO_MEM_REQ_PLUG);
	case VIRTIO_MEM_STEP_ADD:
		set_activity(vm, VIRTIO_MEM_GROWING);
		return do_add(vm, step->first);
	case VIRTIO_MEM_STEP_UNPLUG:
		return do_request(vm, step, VIRTIO_MEM_REQ_UNPLUG);
	case VIRTIO_MEM_STEP_SCAN:
		return do_scan(vm, step->nr);
	case VIRTIO_MEM_STEP_SHRINK:
		set_activity(vm, VIRTIO_MEM_SHRINKING);
		return do_shrink(vm, step);
	default:
		return VIRTIO_MEM_CAUSE_NONE;
	}
}

/*
 * Passes.
 */

/* A new request: say so once, and let nothing old slow it down. */
static void take_request(struct virtio_mem *vm)
{
	struct virtio_mem_situation in;
	u64 plugged;

	virtio_mem_situation(vm, &in);
	if (in.requested == vm->told_requested)
		return;
	plugged = virtio_mem_plan_plugged(&in, &vm->bbt);
	virtio_mem_backoff_reset(&vm->backoff);
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_bbt_release(&vm->bbt, VIRTIO_MEM_CAUSE_DEV_ERROR);
	mutex_unlock(&vm->hotplug_mutex);
	vm->told_requested = in.requested;
	vm->told_cause = VIRTIO_MEM_CAUSE_NONE;
	vm->told_met = in.requested == plugged;
	vm->started_ms = now_ms();
	if (in.requested != plugged)
		dev_info(&vm->vdev->dev,
			 "requested size %llu MiB, plugged %llu MiB: %s in big blocks of %llu MiB\n",
			 mib(in.requested), mib(plugged),
			 in.requested > plugged ? "growing" : "shrinking",
			 mib(vm->geo.bb_size));
}

static void tell_met(struct virtio_mem *vm, u64 requested, u64 plugged)
{
	u64 ms = now_ms() - vm->started_ms;

	set_activity(vm, VIRTIO_MEM_IDLE);
	virtio_mem_backoff_reset(&vm->backoff);
	if (vm->told_met)
		return;
	vm->told_met = true;
	vm->told_cause = VIRTIO_MEM_CAUSE_NONE;
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

static u32 tell_waiting(struct virtio_mem *vm, u64 requested, u64 plugged)
{
	u32 delay = virtio_mem_backoff_rest(virtio_mem_backoff_next(&vm->backoff),
					    vm->failed_ms);

	set_activity(vm, VIRTIO_MEM_WAITING);
	vm->told_met = false;
	if (vm->told_cause == vm->pass.cause)
		return delay;
	vm->told_cause = vm->pass.cause;
	/* What concerns one big block has its own, more exact note. */
	if (vm->pass.cause > VIRTIO_MEM_CAUSE_PRESSURE ||
	    vm->pass.cause == VIRTIO_MEM_CAUSE_OUTSIDE ||
	    vm->pass.cause == VIRTIO_MEM_CAUSE_NOMEM)
		virtio_mem_note(vm, "%llu MiB plugged, %llu MiB requested: %s",
				mib(plugged), mib(requested),
				virtio_mem_cause_text(vm->pass.cause));
	dev_info(&vm->vdev->dev,
		 "request not met yet: %llu MiB plugged, %llu MiB requested: %s; next try in %u ms\n",
		 mib(plugged), mib(requested),
		 virtio_mem_cause_text(vm->pass.cause), delay);
	return delay;
}

/* Ends a pass: says how far it got; returns ms until the next, 0 for never. */
static u32 conclude(struct virtio_mem *vm, enum virtio_mem_step_type last)
{
	struct virtio_mem_situation in;
	u64 plugged;

	if (vm->broken) {
		set_activity(vm, VIRTIO_MEM_BROKEN);
		return 0;
	}
	if (virtio_mem_shall_end(vm))
		return 0;
	virtio_mem_situation(vm, &in);
	plugged = virtio_mem_plan_plugged(&in, &vm->bbt);
	if (plugged != vm->last_plugged)
		virtio_mem_backoff_reset(&vm->backoff);
	vm->last_plugged = plugged;
	if (last == VIRTIO_MEM_STEP_NONE) {
		tell_met(vm, in.requested, plugged);
		return 0;
	}
	return tell_waiting(vm, in.requested, plugged);
}

/* The device's books and ours: only we change what is plugged. */
static void compare_books(struct virtio_mem *vm)
{
	struct virtio_mem_situation in;
	struct virtio_mem_cfg cfg;
	u64 plugged;

	if (vm->unplug_all || virtio_mem_vq_pending(&vm->vq))
		return;
	virtio_mem_situation(vm, &in);
	virtio_mem_get_config(vm, &cfg);
	plugged = virtio_mem_plan_plugged(&in, &vm->bbt);
	if (cfg.plugged_size == plugged) {
		vm->told_mismatch = false;
		return;
	}
	if (vm->told_mismatch)
		return;
	vm->told_mismatch = true;
	dev_warn(&vm->vdev->dev,
		 "the device says that 0x%llx bytes are plugged, our table says 0x%llx; going by the table\n",
		 cfg.plugged_size, plugged);
	virtio_mem_note(vm, "the device says that 0x%llx bytes are plugged, our table says 0x%llx",
			cfg.plugged_size, plugged);
}

static void begin_pass(struct virtio_mem *vm)
{
	virtio_mem_pass_begin(&vm->pass);
	vm->failed_ms = 0;
	virtio_mem_candidates_reset(&vm->cand);
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_bbt_clear_tried(&vm->bbt);
	if (now_ms() - vm->refused_ms >= VIRTIO_MEM_REFUSED_MS)
		virtio_mem_bbt_release(&vm->bbt, VIRTIO_MEM_CAUSE_DEV_ERROR);
	mutex_unlock(&vm->hotplug_mutex);
}

static void collect_late_answer(struct virtio_mem *vm)
{
	enum virtio_mem_answer answer;

	if (!virtio_mem_vq_pending(&vm->vq))
		return;
	answer = virtio_mem_vq_poll(&vm->vq);
	if (answer == VIRTIO_MEM_ANSWER_SILENT)
		return;
	dev_info(&vm->vdev->dev, "late answer: %s\n",
		 virtio_mem_proto_answer_name(answer));
	virtio_mem_answered_late(vm, answer);
}

/* Before removal and suspend the device is still there for some steps. */
static bool may_go_on(struct virtio_mem *vm)
{
	return !vm->broken &&
	       !(virtio_mem_shall_end(vm) && READ_ONCE(vm->vq.gone));
}

/* Works towards the request; returns ms until the next pass, 0 for never. */
static u32 run_pass(struct virtio_mem *vm)
{
	struct virtio_mem_situation in;
	struct virtio_mem_step step = { .type = VIRTIO_MEM_STEP_WAIT };

	collect_late_answer(vm);
	/* What was read earlier lacks what was plugged since. */
	if (!virtio_mem_read_config(vm))
		compare_books(vm);
	take_request(vm);
	begin_pass(vm);
	while (may_go_on(vm)) {
		virtio_mem_bound_look(&vm->bound);
		if (test_and_clear_bit(VIRTIO_MEM_EV_CONFIG, &vm->events)) {
			u64 before = vm->told_requested;

			virtio_mem_read_config(vm);
			take_request(vm);
			if (before != vm->told_requested)
				begin_pass(vm);
		}
		virtio_mem_situation(vm, &in);
		virtio_mem_plan_next(&in, &vm->bbt, &vm->cand, &vm->pass,
				     &step);
		if (step.type == VIRTIO_MEM_STEP_NONE ||
		    step.type == VIRTIO_MEM_STEP_WAIT)
			break;
		virtio_mem_plan_report(&vm->pass, &step, do_step(vm, &step));
		cond_resched();
	}
	return conclude(vm, step.type);
}

static void wait_paused(struct virtio_mem *vm)
{
	WRITE_ONCE(vm->paused, true);
	wake_up_all(&vm->wait);
	wait_event_idle(vm->wait,
			test_bit(VIRTIO_MEM_EV_STOP, &vm->events) ||
			!test_bit(VIRTIO_MEM_EV_PAUSE, &vm->events));
	WRITE_ONCE(vm->paused, false);
}

static void __noreturn end_worker(struct virtio_mem *vm)
{
	bool orphaned;

	mutex_lock(&vm->hotplug_mutex);
	vm->ended = true;
	orphaned = vm->orphaned;
	mutex_unlock(&vm->hotplug_mutex);
	if (orphaned) {
		virtio_mem_teardown(vm);
		virtio_mem_put(vm);
		atomic_dec(&virtio_mem_orphans);
		module_put_and_kthread_exit(0);
	}
	/* remove() waits, and still holds a reference. */
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
			/* Much may have happened since. */
			set_bit(VIRTIO_MEM_EV_CONFIG, &vm->events);
			continue;
		}
		if (test_and_clear_bit(VIRTIO_MEM_EV_MEMORY, &vm->events))
			virtio_mem_backoff_reset(&vm->backoff);
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
 * virtio_mem_work_kick() - something has happened that the worker should see
 * @vm: the device
 * @event: VIRTIO_MEM_EV_*
 *
 * Context: any.
 */
void virtio_mem_work_kick(struct virtio_mem *vm, int event)
{
	set_bit(event, &vm->events);
	wake_up_all(&vm->wait);
}

/**
 * virtio_mem_work_stop() - end the worker
 * @vm: the device
 *
 * What it is doing is given up and rolled back.  It may be waiting for
 * device_hotplug_lock, and our caller may hold that (removal by ACPI): so after
 * some seconds we go on without it, and it tidies up behind itself.
 *
 * Context: remove; may sleep.
 * Return: true if it has ended; false if @vm is now the worker's: nothing but
 * the queue is left to the caller.
 */
bool virtio_mem_work_stop(struct virtio_mem *vm)
{
	bool ended;

	virtio_mem_work_kick(vm, VIRTIO_MEM_EV_STOP);
	virtio_mem_bound_stop(&vm->bound, true);
	/* What has left Linux goes back to a device that answers at once. */
	if (wait_for_completion_timeout(&vm->exited,
					msecs_to_jiffies(FLUSH_MS)))
		return true;
	virtio_mem_vq_shut(&vm->vq);
	if (wait_for_completion_timeout(&vm->exited,
					msecs_to_jiffies(STOP_MS)))
		return true;

	/* While the module is being unloaded nobody holds that lock: wait. */
	if (try_module_get(THIS_MODULE)) {
		mutex_lock(&vm->hotplug_mutex);
		ended = vm->ended;
		vm->orphaned = !ended;
		if (!ended)
			atomic_inc(&virtio_mem_orphans);
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
 * virtio_mem_work_pause() - let the worker do nothing for a while
 * @vm: the device
 *
 * Context: before suspend; may sleep.
 * Return: 0; -EBUSY if it did not come to rest in time (then it goes on).
 */
int virtio_mem_work_pause(struct virtio_mem *vm)
{
	virtio_mem_work_kick(vm, VIRTIO_MEM_EV_PAUSE);
	virtio_mem_bound_stop(&vm->bound, true);
	wait_event_timeout(vm->wait, READ_ONCE(vm->paused),
			   msecs_to_jiffies(STOP_MS));
	if (READ_ONCE(vm->paused))
		return 0;
	virtio_mem_work_resume(vm);
	return -EBUSY;
}

/**
 * virtio_mem_work_resume() - the end of virtio_mem_work_pause()
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
