// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PURE: decides when to try again, when to check whether that would help, how
 * much time may go into tries that a scan advises against, and when to retry
 * big blocks that Linux has refused to add.
 */
#include "virtio_mem_retry.h"

/**
 * virtio_mem_backoff_reset() - start over after a change
 * @b: the back-off
 */
void virtio_mem_backoff_reset(struct virtio_mem_backoff *b)
{
	b->delay_ms = 0;
}

/**
 * virtio_mem_backoff_next() - get the delay before the next retry
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
 * virtio_mem_backoff_rest() - lengthen a delay to the time of failed tries
 * @delay_ms: from virtio_mem_backoff_next()
 * @spent_ms: how long failed tries of the last pass took; a pass ends with the
 *	first one after VIRTIO_MEM_PASS_FAILED_MS
 *
 * The worker thus holds the locks of memory hotplug for half of the time at
 * most, because such a try may hold them until its deadline.
 *
 * Return: ms.
 */
u32 virtio_mem_backoff_rest(u32 delay_ms, u64 spent_ms)
{
	return min_t(u64, max_t(u64, delay_ms, spent_ms), U32_MAX);
}

/**
 * virtio_mem_retry_look_ms() - how often to check while resting
 * @delay_ms: the rest
 *
 * Return: ms between two checks, which cost some microseconds each.
 */
u32 virtio_mem_retry_look_ms(u32 delay_ms)
{
	return clamp_t(u32, delay_ms / VIRTIO_MEM_LOOK_SHARE,
		       VIRTIO_MEM_LOOK_MIN_MS, VIRTIO_MEM_LOOK_MAX_MS);
}

/**
 * virtio_mem_retry_least_ms() - part of a rest that memory does not cut short
 * @delay_ms: the rest
 * @failed_ms: how long failed tries of the last pass took
 * @hasty: that pass had begun before its time
 *
 * Memory that others online, offline or free may be worth another pass at once,
 * but not one failing pass after the other.
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
 * @then: memory left at that time, or the least since; this function lowers it
 * @now: memory left now
 * @bb_pages: pages in a big block
 * @memmap_pages: pages that its memmap takes
 *
 * The causes of held pages count, too, because migration that fails for lack of
 * memory looks like held pages.
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
	/* A big block that is added takes only its memmap. */
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
 * virtio_mem_doubt_grant() - allow a new request some doubtful tries at once
 * @d: the time for them
 * @now_ms: now
 *
 * Earlier credit is lost and debts stay, because requests may come every
 * second.
 */
void virtio_mem_doubt_grant(struct virtio_mem_doubt *d, u64 now_ms)
{
	d->credit_ms = VIRTIO_MEM_DOUBT_GRANT_MS + min_t(s64, d->credit_ms, 0);
	d->since_ms = now_ms;
}

/**
 * virtio_mem_doubt_may() - whether a try that a scan advises against may begin
 * @d: the time for such tries
 * @now_ms: now
 *
 * Adds a share of the time that has passed.  VIRTIO_MEM_DOUBT_TRY_MS bounds how
 * much a try may overdraw, so that the longest back-off always suffices.
 *
 * Return: true if it may.
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
 * virtio_mem_doubt_spend() - pay for a doubtful try that has failed
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
 * virtio_mem_refusals_count() - count one more refusal of Linux to add
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
 * virtio_mem_refusals_end() - start over, as Linux has added a big block
 * @r: the refusals
 */
void virtio_mem_refusals_end(struct virtio_mem_refusals *r)
{
	r->in_row = 0;
	r->doubted = false;
}

/**
 * virtio_mem_refusals_forget() - forget old refusals, for another try
 * @r: the refusals; the doubt stays
 * @now_ms: now
 *
 * Return: true if the refusals are forgotten and the caller must end the
 * quarantine of their big blocks.
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
 * After a refusal and until one is added, no more than a pass may try; after
 * VIRTIO_MEM_MAX_REFUSED in a row only one each VIRTIO_MEM_RETRY_MAX_MS.
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
