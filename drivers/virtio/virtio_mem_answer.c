// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Evaluates the device's answers for the worker: brings the table up to date,
 * asks for the state where an answer leaves doubts, and stops a device that
 * contradicts itself.
 */
#include <linux/ktime.h>
#include <linux/virtio.h>

#include "virtio_mem_answer.h"
#include "virtio_mem_device.h"
#include "virtio_mem_snapshot.h"
#include "virtio_mem_table.h"

static void stop_device(struct virtio_mem *vm, const char *why)
{
	if (vm->broken)
		return;
	WRITE_ONCE(vm->broken, true);
	virtio_mem_note(vm, VIRTIO_MEM_CAUSE_NONE, "stopped: %s", why);
	dev_err(&vm->vdev->dev,
		"stopped: %s; memory stays as it is until the driver is loaded again\n",
		why);
}

/* One BB's state at the device, or a negative errno. */
static int ask_state(struct virtio_mem *vm, unsigned long id)
{
	return virtio_mem_vq_ask_state(&vm->vq, virtio_mem_bb_addr(vm, id),
				       vm->geo.bb_size / vm->block_size);
}

/*
 * Asks for the state after ERROR or a senseless answer, and believes it.  Such
 * an answer does not tell what the device has done, because some devices say
 * ERROR for NACK.  Returns whether the BB is now in the wanted state, or a
 * negative errno.
 */
static int believe_device(struct virtio_mem *vm, unsigned long id, bool plug)
{
	int want = plug ? VIRTIO_MEM_STATE_PLUGGED : VIRTIO_MEM_STATE_UNPLUGGED;
	int state = ask_state(vm, id);

	if (state < 0)
		return state;
	if (state == VIRTIO_MEM_STATE_MIXED) {
		u64 addr = virtio_mem_bb_addr(vm, id);
		bool known;

		mutex_lock(&vm->hotplug_mutex);
		known = virtio_mem_bbt_is_quarantined(&vm->bbt, id) &&
			virtio_mem_bbt_cause(&vm->bbt, id) ==
			VIRTIO_MEM_CAUSE_FOREIGN;
		virtio_mem_bbt_quarantine(&vm->bbt, id,
					  VIRTIO_MEM_CAUSE_FOREIGN);
		mutex_unlock(&vm->hotplug_mutex);
		/* Once for each BB, because an unplug is repeated forever. */
		if (!known)
			dev_warn(&vm->vdev->dev,
				 "0x%llx-0x%llx: partly plugged by the device; left alone\n",
				 addr, addr + vm->geo.bb_size - 1);
		return 0;
	}
	if (state != want)
		return 0;
	/* The table may know the state from an earlier STATE request. */
	want = plug ? VIRTIO_MEM_BB_PLUGGED : VIRTIO_MEM_BB_UNUSED;
	if (virtio_mem_bbt_state(&vm->bbt, id) != want)
		virtio_mem_table_set_run(vm, id, 1, want);
	return 1;
}

/*
 * Puts BBs in quarantine after an unplug with unknown outcome.  They may be
 * unplugged already, so Linux must not get them.  The worker only unplugs them,
 * until the device says that they are unplugged.
 */
static void doubt(struct virtio_mem *vm, unsigned long first,
		  unsigned long end)
{
	unsigned long id;

	mutex_lock(&vm->hotplug_mutex);
	for (id = first; id < end; id++)
		virtio_mem_bbt_quarantine(&vm->bbt, id,
					  VIRTIO_MEM_CAUSE_DEV_ERROR);
	mutex_unlock(&vm->hotplug_mutex);
}

/* Whether the configuration explains why a plug was refused. */
static bool config_forbids(const struct virtio_mem *vm,
			   const struct virtio_mem_situation *in,
			   const struct virtio_mem_step *step)
{
	return step->first + step->nr > in->usable_bbs ||
	       virtio_mem_plan_plugged(in, &vm->bbt) +
	       step->nr * vm->geo.bb_size > in->requested;
}

static enum virtio_mem_cause resolve_error(struct virtio_mem *vm,
					   const struct virtio_mem_step *step,
					   enum virtio_mem_answer answer)
{
	bool plug = step->type == VIRTIO_MEM_STEP_PLUG;
	struct virtio_mem_situation in;
	unsigned long i, done = 0;
	bool forbidden;
	int rc;

	if (step->type == VIRTIO_MEM_STEP_UNPLUG_ALL)
		return VIRTIO_MEM_CAUSE_DEV_ERROR;
	rc = virtio_mem_config_read(vm);
	virtio_mem_snapshot_sizes(vm, &in);
	forbidden = !rc && plug && config_forbids(vm, &in, step);
	/* An ERROR that the configuration explains is a NACK. */
	if (forbidden && answer == VIRTIO_MEM_ANSWER_ERROR)
		return VIRTIO_MEM_CAUSE_DEV_NACK;
	rc = 0;
	for (i = 0; i < step->nr; i++) {
		/* No BB outside of the usable region has a state to ask for. */
		if (step->first + i >= in.usable_bbs)
			break;
		rc = believe_device(vm, step->first + i, plug);
		if (rc < 0)
			break;
		done += rc == 1;
	}
	if (!plug)
		doubt(vm, step->first + i, step->first + step->nr);
	if (rc == -EPROTO) {
		stop_device(vm, "the device can't tell the state of its own blocks");
		return VIRTIO_MEM_CAUSE_DEV_ERROR;
	}
	if (rc == -ETIMEDOUT) {
		/* virtio_mem_answered_late() asks again. */
		vm->step = *step;
	}
	/* The plan repeats the step, which brings out what is still unknown. */
	if (rc == -ENOMEM)
		return VIRTIO_MEM_CAUSE_NOMEM;
	if (rc < 0)
		return VIRTIO_MEM_CAUSE_DEV_SILENT;
	if (done == step->nr)
		return VIRTIO_MEM_CAUSE_NONE;
	if (forbidden)
		return VIRTIO_MEM_CAUSE_DEV_NACK;
	if (step->nr > 1)
		return VIRTIO_MEM_CAUSE_DEV_ERROR;

	mutex_lock(&vm->hotplug_mutex);
	if (!plug) {
		virtio_mem_bbt_set_tried(&vm->bbt, step->first);
		/* The cause of a quarantine says more. */
		if (!virtio_mem_bbt_is_quarantined(&vm->bbt, step->first))
			virtio_mem_bbt_set_cause(&vm->bbt, step->first,
						 VIRTIO_MEM_CAUSE_DEV_ERROR);
	} else if (!virtio_mem_bbt_is_quarantined(&vm->bbt, step->first)) {
		virtio_mem_bbt_quarantine(&vm->bbt, step->first,
					  VIRTIO_MEM_CAUSE_DEV_ERROR);
		vm->refused_ms = ktime_to_ms(ktime_get());
	}
	mutex_unlock(&vm->hotplug_mutex);
	return VIRTIO_MEM_CAUSE_DEV_ERROR;
}

static enum virtio_mem_cause cause_of(enum virtio_mem_answer answer)
{
	switch (answer) {
	case VIRTIO_MEM_ANSWER_NACK:
		return VIRTIO_MEM_CAUSE_DEV_NACK;
	case VIRTIO_MEM_ANSWER_BUSY:
		return VIRTIO_MEM_CAUSE_DEV_BUSY;
	case VIRTIO_MEM_ANSWER_UNSENT:
		return VIRTIO_MEM_CAUSE_NOMEM;
	case VIRTIO_MEM_ANSWER_SILENT:
		return VIRTIO_MEM_CAUSE_DEV_SILENT;
	default:
		return VIRTIO_MEM_CAUSE_DEV_ERROR;
	}
}

static void note_answer(struct virtio_mem *vm,
			const struct virtio_mem_step *step,
			enum virtio_mem_answer answer)
{
	u64 addr = virtio_mem_bb_addr(vm, step->first);
	const char *what = virtio_mem_proto_request_name(vm->vq.request.type);
	const char *said = virtio_mem_proto_answer_name(answer);
	enum virtio_mem_cause cause = cause_of(answer);

	if (step->type == VIRTIO_MEM_STEP_UNPLUG_ALL)
		virtio_mem_note(vm, cause, "UNPLUG_ALL: %s: %s", said,
				virtio_mem_cause_text(cause));
	else
		virtio_mem_note(vm, cause, "0x%llx-0x%llx: %s: %s: %s", addr,
				addr + step->nr * vm->geo.bb_size - 1, what,
				said, virtio_mem_cause_text(cause));
}

static enum virtio_mem_cause acked(struct virtio_mem *vm,
				   const struct virtio_mem_step *step)
{
	int rc = 0;

	switch (step->type) {
	case VIRTIO_MEM_STEP_PLUG:
		rc = virtio_mem_table_set_run(vm, step->first, step->nr,
					      VIRTIO_MEM_BB_PLUGGED);
		break;
	case VIRTIO_MEM_STEP_UNPLUG:
		rc = virtio_mem_table_set_run(vm, step->first, step->nr,
					      VIRTIO_MEM_BB_UNUSED);
		break;
	case VIRTIO_MEM_STEP_UNPLUG_ALL:
		vm->unplug_all = false;
		mutex_lock(&vm->hotplug_mutex);
		vm->foreign = 0;
		mutex_unlock(&vm->hotplug_mutex);
		/* The usable region may have shrunk. */
		virtio_mem_config_read(vm);
		break;
	default:
		break;
	}
	return rc ? VIRTIO_MEM_CAUSE_INTERRUPTED : VIRTIO_MEM_CAUSE_NONE;
}

/**
 * virtio_mem_answered() - evaluate the answer to a step's request
 * @vm: the device
 * @step: the step
 * @answer: the answer, which came in time or late
 *
 * Brings the table up to date.
 *
 * Context: the worker; may send STATE requests and wait for their answers.
 * Return: VIRTIO_MEM_CAUSE_NONE if the step is done, else why not.
 */
enum virtio_mem_cause virtio_mem_answered(struct virtio_mem *vm,
					  const struct virtio_mem_step *step,
					  enum virtio_mem_answer answer)
{
	if (answer != VIRTIO_MEM_ANSWER_ACK)
		note_answer(vm, step, answer);
	switch (answer) {
	case VIRTIO_MEM_ANSWER_ACK:
		return acked(vm, step);
	case VIRTIO_MEM_ANSWER_NACK:
		virtio_mem_config_read(vm);
		return VIRTIO_MEM_CAUSE_DEV_NACK;
	case VIRTIO_MEM_ANSWER_BUSY:
		return VIRTIO_MEM_CAUSE_DEV_BUSY;
	case VIRTIO_MEM_ANSWER_UNSENT:
		dev_warn_ratelimited(&vm->vdev->dev,
				     "%s not sent: no memory for it, or no bounce buffer\n",
				     virtio_mem_proto_request_name(vm->vq.request.type));
		return VIRTIO_MEM_CAUSE_NOMEM;
	case VIRTIO_MEM_ANSWER_SILENT:
		vm->step = *step;
		dev_warn(&vm->vdev->dev,
			 "no answer to %s within %u s; waiting on in the background\n",
			 virtio_mem_proto_request_name(vm->vq.request.type),
			 VIRTIO_MEM_ANSWER_MS / 1000);
		return VIRTIO_MEM_CAUSE_DEV_SILENT;
	case VIRTIO_MEM_ANSWER_GONE:
		if (!virtio_mem_shall_end(vm))
			stop_device(vm, "the device is broken or gone");
		return VIRTIO_MEM_CAUSE_INTERRUPTED;
	case VIRTIO_MEM_ANSWER_UNKNOWN:
		dev_warn_once(&vm->vdev->dev,
			      "%s got an answer that the specification does not have; asking for the state\n",
			      virtio_mem_proto_request_name(vm->vq.request.type));
		fallthrough;
	case VIRTIO_MEM_ANSWER_ERROR:
		return resolve_error(vm, step, answer);
	}
	return VIRTIO_MEM_CAUSE_DEV_ERROR;
}

/**
 * virtio_mem_answered_late() - evaluate an answer that came after its time
 * @vm: the device
 * @answer: the answer, which may be one to a STATE request
 *
 * Context: as virtio_mem_answered().
 */
void virtio_mem_answered_late(struct virtio_mem *vm,
			      enum virtio_mem_answer answer)
{
	struct virtio_mem_step step = vm->step;

	/* Ask again for all BBs of the step, because this is one BB's state. */
	if (vm->vq.request.type == VIRTIO_MEM_REQ_STATE &&
	    answer != VIRTIO_MEM_ANSWER_GONE)
		resolve_error(vm, &step, VIRTIO_MEM_ANSWER_UNKNOWN);
	else
		virtio_mem_answered(vm, &step, answer);
}
