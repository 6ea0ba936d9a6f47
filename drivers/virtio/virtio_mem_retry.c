// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PURE: when to try again, when to look whether that would help, how much
 * time may go into tries that a look advises against, and when what Linux has
 * refused to add is tried again.
 */
#include "virtio_mem_retry.h"

/**
 * virtio_mem_backoff_reset() - something has changed: start over
 * @b: the back-off
 */
void virtio_mem_backoff_reset(struct virtio_mem_backoff *b)
{
	b->delay_ms = 0;
}

/**
 * virtio_mem_backoff_next() - how long to wait before the next retry
 * @b: the back-off
 *
 * Grows by VIRTIO_MEM_RETRY_SHARE each time.
 *
 * Return: ms, VIRTIO_MEM_RETRY_MIN_MS to VIRTIO_MEM_RETRY_MAX_MS.
 */
u32 virtio_mem_backoff_next(struct virtio_mem_backoff *b)
{
	b->delay_ms = clamp_t(u32, b->delay_ms +
			      b->delay_ms / VIRTIO_MEM_RETRY_SHARE,
			      VIRTIO_MEM_RETRY_MIN_MS, VIRTIO_MEM_RETRY_MAX_MS);
	return b->delay_ms;
}

/**
 * virtio_mem_backoff_rest() - let others get on after long tries
 * @delay_ms: from virtio_mem_backoff_next()
 * @spent_ms: how long tries of the last pass took that came to nothing; a pass
 *	ends with the first one after VIRTIO_MEM_PASS_FAILED_MS
 *
 * Such a try may hold the locks of memory hotplug until its deadline.  They are
 * held for half of the time at most.
 *
 * Return: ms.
 */
u32 virtio_mem_backoff_rest(u32 delay_ms, u64 spent_ms)
{
	return min_t(u64, max_t(u64, delay_ms, spent_ms), U32_MAX);
}

/**
 * virtio_mem_retry_look_ms() - how often to look while resting
 * @delay_ms: the rest
 *
 * Return: ms between two looks; they cost some microseconds each.
 */
u32 virtio_mem_retry_look_ms(u32 delay_ms)
{
	return clamp_t(u32, delay_ms / VIRTIO_MEM_LOOK_SHARE,
		       VIRTIO_MEM_LOOK_MIN_MS, VIRTIO_MEM_LOOK_MAX_MS);
}

/**
 * virtio_mem_retry_least_ms() - the part of a rest that only a request cuts short
 * @delay_ms: the rest
 * @failed_ms: what tries of the last pass took that came to nothing
 * @hasty: that pass had begun before its time
 *
 * Memory that comes and goes, or is freed, may be worth another pass at once;
 * but not one after the other that comes to nothing.
 *
 * Return: ms.
 */
u32 virtio_mem_retry_least_ms(u32 delay_ms, u64 failed_ms, bool hasty)
{
	if (hasty)
		failed_ms *= VIRTIO_MEM_HASTY_REST;
	return min_t(u64, delay_ms, failed_ms);
}

/**
 * virtio_mem_retry_eased() - whether the guest has got memory that it lacked
 * @cause: why the last pass has not met the request
 * @then: what it had left at that time, or the least since; is lowered
 * @now: what it has left now
 * @bb_pages: pages in a big block
 * @memmap_pages: pages that its memmap takes
 *
 * Migration that fails for lack of memory looks like pages that are held.
 *
 * Return: true if another pass may get further.
 */
bool virtio_mem_retry_eased(enum virtio_mem_cause cause,
			    struct virtio_mem_pressure *then,
			    const struct virtio_mem_pressure *now,
			    unsigned long bb_pages, unsigned long memmap_pages)
{
	unsigned long had = then->available + virtio_mem_choose_swap(then);
	unsigned long have = now->available + virtio_mem_choose_swap(now);
	unsigned long kernel_had = virtio_mem_choose_has(then);
	unsigned long kernel_have = virtio_mem_choose_has(now);
	unsigned long much = bb_pages / VIRTIO_MEM_EASED_SHARE;

	if (cause != VIRTIO_MEM_CAUSE_PRESSURE &&
	    cause != VIRTIO_MEM_CAUSE_NOMEM &&
	    cause != VIRTIO_MEM_CAUSE_PINNED &&
	    cause != VIRTIO_MEM_CAUSE_DEADLINE)
		return false;
	/* What is added takes its memmap, and no more. */
	if (cause == VIRTIO_MEM_CAUSE_NOMEM)
		much = min(much, memmap_pages);
	if (have < had) {
		then->available = now->available;
		then->swap_free = now->swap_free;
		then->swap_is_memory = now->swap_is_memory;
		then->anon = now->anon;
	}
	if (kernel_have < kernel_had) {
		then->kernel_room = now->kernel_room;
		then->kernel_file = now->kernel_file;
		then->kernel_anon = now->kernel_anon;
	}
	return have >= had + much || kernel_have >= kernel_had + much;
}

/**
 * virtio_mem_doubt_grant() - a new request: some doubtful tries come at once
 * @d: the time for them
 * @now_ms: now
 *
 * Nothing is saved up, and debts stay: requests may come every second.
 */
void virtio_mem_doubt_grant(struct virtio_mem_doubt *d, u64 now_ms)
{
	d->credit_ms = VIRTIO_MEM_DOUBT_GRANT_MS + min_t(s64, d->credit_ms, 0);
	d->since_ms = now_ms;
}

/**
 * virtio_mem_doubt_may() - whether a try that a look advises against may begin
 * @d: the time for them
 * @now_ms: now
 *
 * A share of the time that passes is added.  What a try may overdraw is bounded
 * by VIRTIO_MEM_DOUBT_TRY_MS, so that the longest back-off always suffices.
 *
 * Return: true if so.
 */
bool virtio_mem_doubt_may(struct virtio_mem_doubt *d, u64 now_ms)
{
	u64 earned = div_u64(now_ms - d->since_ms, VIRTIO_MEM_DOUBT_SHARE);

	d->since_ms += earned * VIRTIO_MEM_DOUBT_SHARE;
	d->credit_ms = min_t(s64, d->credit_ms + (s64)earned,
			     VIRTIO_MEM_DOUBT_TRY_MS);
	return d->credit_ms > 0;
}

/**
 * virtio_mem_doubt_spend() - such a try has come to nothing
 * @d: the time for them
 * @ms: how long it took
 */
void virtio_mem_doubt_spend(struct virtio_mem_doubt *d, u64 ms)
{
	s64 least = -(s64)(VIRTIO_MEM_RETRY_MAX_MS / VIRTIO_MEM_DOUBT_SHARE);

	static_assert(VIRTIO_MEM_DOUBT_TRY_MS <=
		      VIRTIO_MEM_RETRY_MAX_MS / VIRTIO_MEM_DOUBT_SHARE);
	d->credit_ms = max_t(s64, d->credit_ms - (s64)ms, least);
}

/**
 * virtio_mem_refusals_count() - Linux has refused to add one more
 * @r: the refusals
 * @now_ms: now
 */
void virtio_mem_refusals_count(struct virtio_mem_refusals *r, u64 now_ms)
{
	r->in_row++;
	r->since_ms = now_ms;
	r->doubted = true;
}

/**
 * virtio_mem_refusals_end() - one was added: not every add fails
 * @r: the refusals
 */
void virtio_mem_refusals_end(struct virtio_mem_refusals *r)
{
	r->in_row = 0;
	r->doubted = false;
}

/**
 * virtio_mem_refusals_forget() - whether those that were refused get another try
 * @r: the refusals; forgotten if so, but not the doubt
 * @now_ms: now
 *
 * Return: true if so: the caller ends their quarantine.
 */
bool virtio_mem_refusals_forget(struct virtio_mem_refusals *r, u64 now_ms)
{
	if (now_ms - r->since_ms < VIRTIO_MEM_FORGET_MS)
		return false;
	r->in_row = 0;
	return true;
}

/**
 * virtio_mem_refusals_room() - how many big blocks may be plugged to be added
 * @r: the refusals
 * @now_ms: now
 *
 * While none is added after one was refused, no more than a pass may try; after
 * VIRTIO_MEM_MAX_REFUSED in a row one each VIRTIO_MEM_RETRY_MAX_MS.
 *
 * Return: big blocks; 0: growing waits for a while.
 */
unsigned long virtio_mem_refusals_room(const struct virtio_mem_refusals *r,
				       u64 now_ms)
{
	if (r->in_row >= VIRTIO_MEM_MAX_REFUSED)
		return now_ms - r->since_ms >= VIRTIO_MEM_RETRY_MAX_MS;
	return r->doubted ? VIRTIO_MEM_MAX_REFUSALS : ULONG_MAX;
}
