// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One request in flight, its answer or its end (timeout, broken, removed).
 *
 * The worker does all requests.  A device that does not answer in time must not
 * hang it, so the request stays out, the worker goes on, and it collects the
 * answer later.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "virtio_mem_policy.h"
#include "virtio_mem_stats.h"
#include "virtio_mem_trace.h"
#include "virtio_mem_vq.h"

/* Fills the buffer before an answer comes; no answer has such a type. */
#define UNTOUCHED	0xa5

/**
 * virtio_mem_vq_ring() - handle an interrupt of the device
 * @q: the queue
 *
 * Context: interrupt.
 */
void virtio_mem_vq_ring(struct virtio_mem_vq *q)
{
	WRITE_ONCE(q->rang, true);
	wake_up(q->wake);
}

/**
 * virtio_mem_vq_init() - set up, without a queue yet
 * @q: the queue
 * @vdev: the device
 * @wake: wait queue to wake when an answer has come
 * @interrupt: calls virtio_mem_vq_ring(), because a virtqueue can't store @q
 * @stats: counts requests
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int virtio_mem_vq_init(struct virtio_mem_vq *q, struct virtio_device *vdev,
		       wait_queue_head_t *wake, vq_callback_t *interrupt,
		       struct virtio_mem_stats *stats)
{
	q->stats = stats;
	q->interrupt = interrupt;
	q->vdev = vdev;
	q->wake = wake;
	q->gone = true;
	spin_lock_init(&q->lock);
	q->io = kzalloc(sizeof(*q->io), GFP_KERNEL);
	return q->io ? 0 : -ENOMEM;
}

/**
 * virtio_mem_vq_open() - find the device's queue
 * @q: the queue
 *
 * Context: probe, resume; may sleep.
 * Return: 0 or an error of virtio_find_single_vq().
 */
int virtio_mem_vq_open(struct virtio_mem_vq *q)
{
	struct virtqueue *vq = virtio_find_single_vq(q->vdev, q->interrupt,
						     "guest-request");

	if (IS_ERR(vq))
		return PTR_ERR(vq);
	spin_lock_irq(&q->lock);
	q->vq = vq;
	q->request.out = false;
	q->gone = false;
	spin_unlock_irq(&q->lock);
	return 0;
}

/**
 * virtio_mem_vq_shut() - allow no more requests, and end a wait for an answer
 * @q: the queue
 *
 * Context: any process context.
 */
void virtio_mem_vq_shut(struct virtio_mem_vq *q)
{
	spin_lock_irq(&q->lock);
	q->gone = true;
	spin_unlock_irq(&q->lock);
	wake_up(q->wake);
}

/**
 * virtio_mem_vq_close() - give the queue back
 * @q: the queue, shut before
 *
 * Resets the device first, so that it owns no buffer any more.  Detaches
 * buffers after that, because otherwise their mappings would stay forever.
 *
 * Context: remove, suspend; may sleep.
 */
void virtio_mem_vq_close(struct virtio_mem_vq *q)
{
	virtio_reset_device(q->vdev);
	if (q->vq)
		while (virtqueue_detach_unused_buf(q->vq))
			;
	q->vdev->config->del_vqs(q->vdev);
	spin_lock_irq(&q->lock);
	q->vq = NULL;
	q->request.out = false;
	spin_unlock_irq(&q->lock);
}

/**
 * virtio_mem_vq_free() - undo virtio_mem_vq_init()
 * @q: the queue, closed before
 *
 * Context: any.
 */
void virtio_mem_vq_free(struct virtio_mem_vq *q)
{
	kfree(q->io);
	q->io = NULL;
}

/*
 * Whether the device has answered an earlier request twice, and this "answer"
 * is none to the request that is out.  The buffers then stay as they are until
 * the reset, because the device may still read and write them.
 */
static bool out_of_step(const struct virtio_mem_vq *q)
{
	static const u8 untouched[sizeof(q->io->resp.type)] = {
		UNTOUCHED, UNTOUCHED
	};

	return q->len >= sizeof(untouched) &&
	       !memcmp(&q->io->resp.type, untouched, sizeof(untouched));
}

static enum virtio_mem_op op_of(u16 type)
{
	switch (type) {
	case VIRTIO_MEM_REQ_PLUG:
		return VIRTIO_MEM_OP_PLUG;
	case VIRTIO_MEM_REQ_UNPLUG:
		return VIRTIO_MEM_OP_UNPLUG;
	case VIRTIO_MEM_REQ_UNPLUG_ALL:
		return VIRTIO_MEM_OP_UNPLUG_ALL;
	default:
		return VIRTIO_MEM_OP_STATE;
	}
}

/* Counts and traces the answer to a request, or that it will never get one. */
static void count_answer(struct virtio_mem_vq *q, enum virtio_mem_answer answer)
{
	const struct virtio_mem_request *r = &q->request;
	u64 us = virtio_mem_stats_count(q->stats, op_of(r->type),
					answer == VIRTIO_MEM_ANSWER_ACK,
					r->sent);

	trace_virtio_mem_answer(dev_name(&q->vdev->dev), r->type, r->addr,
				r->nb_blocks, answer, us);
}

/**
 * virtio_mem_vq_poll() - collect the answer to the request that is out
 * @q: the queue
 *
 * Context: the worker.
 * Return: the answer; SILENT if none has come yet; GONE if none will.
 */
enum virtio_mem_answer virtio_mem_vq_poll(struct virtio_mem_vq *q)
{
	enum virtio_mem_answer answer = VIRTIO_MEM_ANSWER_SILENT;
	bool was_out;

	spin_lock_irq(&q->lock);
	was_out = q->request.out;
	q->rang = false;
	if (q->gone) {
		answer = VIRTIO_MEM_ANSWER_GONE;
	} else if (virtqueue_get_buf(q->vq, &q->len)) {
		q->request.out = false;
		answer = virtio_mem_proto_answer(&q->io->resp, q->len);
		if (out_of_step(q)) {
			q->gone = true;
			answer = VIRTIO_MEM_ANSWER_GONE;
		}
	} else if (virtqueue_is_broken(q->vq)) {
		answer = VIRTIO_MEM_ANSWER_GONE;
	}
	spin_unlock_irq(&q->lock);
	if (was_out && answer != VIRTIO_MEM_ANSWER_SILENT)
		count_answer(q, answer);
	return answer;
}

/**
 * virtio_mem_vq_pending() - whether a request is out
 * @q: the queue
 *
 * Context: any.
 * Return: true until virtio_mem_vq_poll() has returned its answer.
 */
bool virtio_mem_vq_pending(struct virtio_mem_vq *q)
{
	return READ_ONCE(q->request.out);
}

/**
 * virtio_mem_vq_rang() - whether polling may find a late answer
 * @q: the queue
 *
 * Context: any.
 * Return: true if a request is out and the device has interrupted.
 */
bool virtio_mem_vq_rang(struct virtio_mem_vq *q)
{
	return READ_ONCE(q->request.out) && READ_ONCE(q->rang);
}

/* Sends the request; returns SILENT if it is out now, else UNSENT or GONE. */
static enum virtio_mem_answer vq_send(struct virtio_mem_vq *q)
{
	enum virtio_mem_answer result = VIRTIO_MEM_ANSWER_GONE;
	struct scatterlist sg_req, sg_resp;
	struct scatterlist *sgs[] = { &sg_req, &sg_resp };

	sg_init_one(&sg_req, &q->io->req, sizeof(q->io->req));
	sg_init_one(&sg_resp, &q->io->resp, sizeof(q->io->resp));
	spin_lock_irq(&q->lock);
	/*
	 * No answer may be there, because no request is out.  A device that has
	 * answered twice would break the queue, because the ring finds that the
	 * answer's id is not in use.
	 */
	if (!q->gone && virtqueue_get_buf(q->vq, &q->len))
		q->gone = true;
	if (q->gone)
		goto out;
	if (virtqueue_add_sgs(q->vq, sgs, 1, 1, q, GFP_ATOMIC)) {
		/*
		 * There was no memory or no bounce buffer.  The error's number
		 * does not count, because packed rings return EIO for that,
		 * too.
		 */
		if (!virtqueue_is_broken(q->vq))
			result = VIRTIO_MEM_ANSWER_UNSENT;
		goto out;
	}
	q->request.out = true;
	if (virtqueue_kick(q->vq))
		result = VIRTIO_MEM_ANSWER_SILENT;
out:
	spin_unlock_irq(&q->lock);
	return result;
}

/**
 * virtio_mem_vq_request() - send a request, wait for the answer
 * @q: the queue; no request may be out
 * @type: VIRTIO_MEM_REQ_*
 * @addr: first device block, bytes
 * @nb_blocks: device blocks
 *
 * Context: the worker (or probe, before there is one); sleeps for up to
 * VIRTIO_MEM_ANSWER_MS.
 * Return: the answer.  SILENT: none came in time; the request stays out, and
 * virtio_mem_vq_poll() gets its answer later.  UNSENT: the device has not seen
 * the request.  GONE: the device is broken, removed or shut.
 */
enum virtio_mem_answer virtio_mem_vq_request(struct virtio_mem_vq *q, u16 type,
					     u64 addr, u16 nb_blocks)
{
	const unsigned int slices = VIRTIO_MEM_ANSWER_MS /
				    VIRTIO_MEM_ANSWER_SLICE_MS;
	enum virtio_mem_answer answer;
	unsigned int attempt, slice;

	if (WARN_ON_ONCE(q->request.out))
		return VIRTIO_MEM_ANSWER_SILENT;
	q->request.type = type;
	q->request.addr = addr;
	q->request.nb_blocks = nb_blocks;
	memset(&q->io->resp, UNTOUCHED, sizeof(q->io->resp));
	virtio_mem_proto_request(&q->io->req, type, addr, nb_blocks);
	q->request.sent = ktime_get();
	trace_virtio_mem_request(dev_name(&q->vdev->dev), type, addr, nb_blocks);
	for (attempt = 1;; attempt++) {
		answer = vq_send(q);
		if (answer != VIRTIO_MEM_ANSWER_UNSENT ||
		    attempt == VIRTIO_MEM_SEND_ATTEMPTS)
			break;
		wait_event_idle_timeout(*q->wake, READ_ONCE(q->gone),
					msecs_to_jiffies(VIRTIO_MEM_SEND_REST_MS));
	}
	if (answer != VIRTIO_MEM_ANSWER_SILENT) {
		count_answer(q, answer);
		return answer;
	}

	/* In slices, because a queue that becomes broken wakes nobody. */
	for (slice = 0; slice < slices; slice++) {
		wait_event_idle_timeout(*q->wake,
					(answer = virtio_mem_vq_poll(q)) !=
					VIRTIO_MEM_ANSWER_SILENT,
					msecs_to_jiffies(VIRTIO_MEM_ANSWER_SLICE_MS));
		if (answer != VIRTIO_MEM_ANSWER_SILENT)
			return answer;
	}
	return VIRTIO_MEM_ANSWER_SILENT;
}

/**
 * virtio_mem_vq_ask_state() - ask whether device blocks are plugged
 * @q: the queue; no request may be out
 * @addr: first device block, bytes
 * @nb_blocks: device blocks
 *
 * Context: as virtio_mem_vq_request().
 * Return: VIRTIO_MEM_STATE_*; -ETIMEDOUT if no answer came in time; -ENOMEM if
 * there was no memory to send the request; -ENODEV if the device is broken,
 * removed or shut; -EPROTO if it answered anything else.
 */
int virtio_mem_vq_ask_state(struct virtio_mem_vq *q, u64 addr, u16 nb_blocks)
{
	switch (virtio_mem_vq_request(q, VIRTIO_MEM_REQ_STATE, addr,
				      nb_blocks)) {
	case VIRTIO_MEM_ANSWER_ACK:
		return virtio_mem_proto_state(&q->io->resp, q->len);
	case VIRTIO_MEM_ANSWER_SILENT:
		return -ETIMEDOUT;
	case VIRTIO_MEM_ANSWER_UNSENT:
		return -ENOMEM;
	case VIRTIO_MEM_ANSWER_GONE:
		return -ENODEV;
	default:
		return -EPROTO;
	}
}
