// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device's side of the queue: a thread that takes requests out of the ring,
 * judges them, lets faults change them, does them, and puts answers in.
 *
 * A split ring without indirect descriptors and without event indices, as the
 * transport offers it.  The rules are those of the specification's "Split
 * Virtqueues"; the thread trusts nothing in the ring.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "mock.h"

/*
 * Descriptors.
 */

static const struct vring_desc *descriptor(struct mock *m, u16 index)
{
	const struct vring *ring = virtqueue_get_vring(m->vq);

	return index < ring->num ? &ring->desc[index] : NULL;
}

/*
 * Copies between a chain's buffers of one direction and @data; returns how
 * many bytes the chain had room for, up to @len.
 */
static u32 copy(struct mock *m, u16 head, bool write, void *data, u32 len)
{
	struct virtio_device *vdev = m->vq->vdev;
	const struct vring_desc *d;
	unsigned int links = 0;
	u32 done = 0;
	u16 flags;

	do {
		u32 part;
		u64 at;

		d = descriptor(m, head);
		if (!d || ++links > MOCK_QUEUE_SIZE)
			break;
		flags = virtio16_to_cpu(vdev, d->flags);
		at = virtio64_to_cpu(vdev, d->addr);
		part = min(virtio32_to_cpu(vdev, d->len), len - done);
		head = virtio16_to_cpu(vdev, d->next);
		if (write != !!(flags & VRING_DESC_F_WRITE))
			continue;
		if (!pfn_valid(PHYS_PFN(at)))
			break;
		if (write)
			memcpy(phys_to_virt(at), data + done, part);
		else
			memcpy(data + done, phys_to_virt(at), part);
		done += part;
	} while (flags & VRING_DESC_F_NEXT);
	return done;
}

/* How many bytes a chain has for the device to write, up to a whole answer. */
static u32 room(struct mock *m, u16 head)
{
	struct virtio_device *vdev = m->vq->vdev;
	const struct vring_desc *d = descriptor(m, head);
	unsigned int links = 0;
	u64 sum = 0;

	while (d && ++links <= MOCK_QUEUE_SIZE) {
		u16 flags = virtio16_to_cpu(vdev, d->flags);

		if (flags & VRING_DESC_F_WRITE)
			sum += virtio32_to_cpu(vdev, d->len);
		if (!(flags & VRING_DESC_F_NEXT))
			break;
		d = descriptor(m, virtio16_to_cpu(vdev, d->next));
	}
	return min_t(u64, sum, sizeof(struct virtio_mem_resp));
}

static u16 available(struct mock *m)
{
	const struct vring *ring = virtqueue_get_vring(m->vq);
	u16 idx = virtio16_to_cpu(m->vq->vdev, READ_ONCE(ring->avail->idx));

	/* Read the index before the elements that it counts. */
	smp_rmb();
	return idx - m->last_avail;
}

static u16 take(struct mock *m)
{
	const struct vring *ring = virtqueue_get_vring(m->vq);

	return virtio16_to_cpu(m->vq->vdev,
			       ring->avail->ring[m->last_avail++ % ring->num]);
}

static void put_used(struct mock *m, u16 head, u32 len)
{
	const struct vring *ring = virtqueue_get_vring(m->vq);
	struct virtio_device *vdev = m->vq->vdev;
	vring_used_elem_t *elem = &ring->used->ring[m->last_used++ % ring->num];

	elem->id = cpu_to_virtio32(vdev, head);
	elem->len = cpu_to_virtio32(vdev, len);
	/* Write the element before the index that counts it. */
	smp_wmb();
	WRITE_ONCE(ring->used->idx, cpu_to_virtio16(vdev, m->last_used));
}

static void interrupt(struct mock *m)
{
	const struct vring *ring = virtqueue_get_vring(m->vq);
	unsigned long flags;

	/* Read the driver's wish after the driver could see the answer. */
	smp_mb();
	if (ring->avail->flags & cpu_to_virtio16(m->vq->vdev,
						 VRING_AVAIL_F_NO_INTERRUPT))
		return;
	m->interrupts++;
	/* Interrupts off, because drivers expect an interrupt's callback. */
	local_irq_save(flags);
	vring_interrupt(0, m->vq);
	local_irq_restore(flags);
}

/*
 * Answers.
 */

static void answer(struct mock *m, const struct mock_held *held)
{
	struct virtio_device *vdev = m->vq->vdev;
	struct virtio_mem_resp resp = { };
	u32 len = min_t(u32, held->len, sizeof(resp));

	resp.type = cpu_to_virtio16(vdev, held->answer.type);
	resp.u.state.state = cpu_to_virtio16(vdev, held->answer.state);
	copy(m, held->head, true, &resp, len);
	put_used(m, held->head, held->len);
	if (held->twice)
		put_used(m, held->head, held->len);
	mock_record_answer(m, held->line, held->type, held->answer.type);
	interrupt(m);
}

static void hold(struct mock *m, const struct mock_held *held)
{
	unsigned int i;

	for (i = 0; i < MOCK_MAX_HELD; i++) {
		if (m->held[i].used)
			continue;
		m->held[i] = *held;
		m->held[i].used = true;
		return;
	}
}

/* Sends answers that are due; returns how long to sleep until the next. */
static long answer_due(struct mock *m)
{
	long sleep = MAX_SCHEDULE_TIMEOUT;
	unsigned int i;

	for (i = 0; i < MOCK_MAX_HELD; i++) {
		struct mock_held *held = &m->held[i];

		if (!held->used || held->never)
			continue;
		if (time_before(jiffies, held->due)) {
			sleep = min_t(long, sleep, held->due - jiffies);
			continue;
		}
		held->used = false;
		answer(m, held);
	}
	return max(sleep, 1L);
}

/*
 * Requests.
 */

/* Serves nothing more until a reset, as QEMU does after a malformed request. */
static void give_up(struct mock *m)
{
	m->dead = true;
	WRITE_ONCE(m->status, m->status | VIRTIO_CONFIG_S_NEEDS_RESET);
	mock_transport_changed(m);
}

/* Changes the configuration in the middle of a request. */
static void change_config(struct mock *m, const struct mock_plan *plan)
{
	const unsigned long lies = GENMASK(MOCK_DO_NR - 1, MOCK_DO_LIE);
	const unsigned long changes = BIT(MOCK_DO_REQUESTED) |
				      BIT(MOCK_DO_USABLE) | lies;
	unsigned int what;

	if (!(plan->set & changes))
		return;
	if (plan->set & BIT(MOCK_DO_REQUESTED))
		mock_model_request_size(m, plan->arg[MOCK_DO_REQUESTED]);
	if (plan->set & BIT(MOCK_DO_USABLE))
		mock_model_set_usable(m, plan->arg[MOCK_DO_USABLE]);
	for (what = MOCK_DO_LIE; what < MOCK_DO_NR; what++)
		if (plan->set & BIT(what))
			mock_model_lie(m, what - MOCK_DO_LIE, plan->arg[what]);
	mock_transport_changed(m);
}

/* Whether the device ends without an answer. */
static bool end(struct mock *m, const struct mock_plan *plan)
{
	if (plan->set & BIT(MOCK_DO_BREAK)) {
		m->dead = true;
		virtio_break_device(m->vq->vdev);
	} else if (plan->set & BIT(MOCK_DO_NEEDS_RESET)) {
		give_up(m);
	} else if (plan->set & BIT(MOCK_DO_RESET)) {
		m->dead = true;
		WRITE_ONCE(m->status, 0);
	} else {
		return false;
	}
	return true;
}

/* Whether to do the request; by default if the answer may be ACK. */
static bool shall_do(const struct mock_plan *plan)
{
	if (plan->set & BIT(MOCK_DO_DONE))
		return true;
	return !(plan->set & (BIT(MOCK_DO_UNDONE) | BIT(MOCK_DO_ANSWER)));
}

static void serve(struct mock *m, u16 head, const struct mock_request *req)
{
	struct mock_held held = {
		.head = head,
		.type = req->type,
		.len = sizeof(struct virtio_mem_resp),
	};
	struct mock_plan plan = { };

	mock_model_judge(m, req);
	mock_fault_pick(m, req->type, &plan);
	held.line = mock_record_request(m, req, &plan);
	change_config(m, &plan);
	if (shall_do(&plan))
		mock_model_do(m, req, &held.answer);
	if (end(m, &plan)) {
		mock_record_silence(m, req->type);
		return;
	}
	if (plan.set & BIT(MOCK_DO_ANSWER))
		held.answer.type = plan.arg[MOCK_DO_ANSWER];
	if (plan.set & BIT(MOCK_DO_SAYS))
		held.answer.state = plan.arg[MOCK_DO_SAYS];
	if (plan.set & BIT(MOCK_DO_LEN))
		held.len = plan.arg[MOCK_DO_LEN];
	if (plan.set & BIT(MOCK_DO_EARLY)) {
		put_used(m, head, held.len);
		interrupt(m);
	}
	held.twice = plan.set & BIT(MOCK_DO_TWICE);
	held.never = plan.set & BIT(MOCK_DO_NEVER);
	held.due = jiffies;
	if (plan.set & BIT(MOCK_DO_LATE))
		held.due += msecs_to_jiffies(plan.arg[MOCK_DO_LATE]);
	if (plan.set & (BIT(MOCK_DO_LATE) | BIT(MOCK_DO_NEVER)))
		hold(m, &held);
	else
		answer(m, &held);
}

static void take_request(struct mock *m)
{
	u16 head;
	struct virtio_device *vdev = m->vq->vdev;
	bool more = available(m) > 1;
	struct virtio_mem_req raw;
	struct mock_request req;

	if (more || mock_ring_pending(m))
		mock_record_violation(m, MOCK_V_OVERLAP, "%u pending, %u more",
				      mock_ring_pending(m), available(m));
	head = take(m);
	if (copy(m, head, false, &raw, sizeof(raw)) < sizeof(raw) ||
	    room(m, head) < sizeof(struct virtio_mem_resp)) {
		mock_record_violation(m, MOCK_V_MALFORMED,
				      "too short, or no room for the answer");
		give_up(m);
		return;
	}
	req.type = virtio16_to_cpu(vdev, raw.type);
	req.addr = virtio64_to_cpu(vdev, raw.u.plug.addr);
	req.nr = virtio16_to_cpu(vdev, raw.u.plug.nb_blocks);
	if (req.type > VIRTIO_MEM_REQ_STATE) {
		mock_record_violation(m, MOCK_V_MALFORMED, "type %u", req.type);
		give_up(m);
		return;
	}
	serve(m, head, &req);
}

static bool ready(struct mock *m)
{
	unsigned int early;

	if (!m->vq || m->dead)
		return false;
	/*
	 * First the ring, then the status (available() has the barrier),
	 * because the driver may set DRIVER_OK and then send a request
	 * meanwhile.
	 */
	early = available(m);
	if (READ_ONCE(m->status) & VIRTIO_CONFIG_S_DRIVER_OK)
		return true;
	if (early)
		mock_record_violation(m, MOCK_V_EARLY, "%u available", early);
	return false;
}

static int thread(void *arg)
{
	struct mock *m = arg;
	long sleep;

	while (!kthread_should_stop()) {
		sleep = MAX_SCHEDULE_TIMEOUT;
		mutex_lock(&m->lock);
		if (ready(m))
			sleep = answer_due(m);
		while (ready(m) && available(m)) {
			take_request(m);
			sleep = 0;
		}
		mutex_unlock(&m->lock);
		wait_event_idle_timeout(m->wake, kthread_should_stop() ||
					xchg(&m->kicked, false), sleep);
	}
	return 0;
}

/**
 * mock_ring_start() - start serving
 * @m: the device
 *
 * Return: 0 or an error of kthread_run().
 */
int mock_ring_start(struct mock *m)
{
	struct task_struct *task = kthread_run(thread, m, MOCK_NAME "/%u",
					       m->index);

	if (IS_ERR(task))
		return PTR_ERR(task);
	m->task = task;
	return 0;
}

/**
 * mock_ring_stop() - stop serving
 * @m: the device
 */
void mock_ring_stop(struct mock *m)
{
	kthread_stop(m->task);
}

/**
 * mock_ring_kick() - wake the thread, as there may be something to do
 * @m: the device
 *
 * Context: any.
 */
void mock_ring_kick(struct mock *m)
{
	WRITE_ONCE(m->kicked, true);
	wake_up(&m->wake);
}

/**
 * mock_ring_open() - set a new queue, or none any more
 * @m: the device
 * @vq: the queue or NULL
 *
 * Context: with the lock held.
 */
void mock_ring_open(struct mock *m, struct virtqueue *vq)
{
	mock_ring_reset(m);
	m->vq = vq;
	m->dead = false;
	m->last_used = 0;
	m->last_avail = 0;
}

/**
 * mock_ring_reset() - forget all requests
 * @m: the device
 *
 * Context: with the lock held.
 */
void mock_ring_reset(struct mock *m)
{
	unsigned int i;

	for (i = 0; i < MOCK_MAX_HELD; i++) {
		if (m->held[i].used)
			mock_record_silence(m, m->held[i].type);
		m->held[i].used = false;
	}
	/* Don't touch the ring until the next one is set up. */
	m->dead = true;
}

/**
 * mock_ring_release() - answer requests that faults have held back
 * @m: the device
 *
 * Context: with the lock held.
 * Return: how many requests these are.
 */
unsigned int mock_ring_release(struct mock *m)
{
	unsigned int i, nr = 0;

	for (i = 0; i < MOCK_MAX_HELD; i++) {
		if (!m->held[i].used)
			continue;
		m->held[i].never = false;
		m->held[i].due = jiffies;
		nr++;
	}
	mock_ring_kick(m);
	return nr;
}

/**
 * mock_ring_pending() - count requests that the device has not answered yet
 * @m: the device
 *
 * Context: with the lock held.
 * Return: how many.
 */
unsigned int mock_ring_pending(struct mock *m)
{
	unsigned int i, nr = 0;

	for (i = 0; i < MOCK_MAX_HELD; i++)
		nr += m->held[i].used;
	return nr;
}
