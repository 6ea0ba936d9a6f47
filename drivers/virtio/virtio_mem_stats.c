// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts all that a device has done so far, and how long it took.  Readers need
 * no lock and see each number as it was or is, because only one writer at a
 * time writes 64-bit words.
 */
#include "virtio_mem_stats.h"

static void add(u64 *sum, u64 n)
{
	WRITE_ONCE(*sum, *sum + n);
}

/**
 * virtio_mem_stats_count() - count an operation
 * @stats: the device's statistics
 * @op: the operation
 * @ok: whether it succeeded
 * @begin: when it began
 *
 * Context: the worker, or probe before there is one.
 * Return: how long the operation took, in us.
 */
u64 virtio_mem_stats_count(struct virtio_mem_stats *stats,
			   enum virtio_mem_op op, bool ok, ktime_t begin)
{
	u64 us = ktime_us_delta(ktime_get(), begin);

	add(ok ? &stats->op[op].ok : &stats->op[op].failed, 1);
	add(&stats->op[op].us, us);
	return us;
}

/**
 * virtio_mem_stats_moved() - count the moved pages of a BB that has left Linux
 * @stats: the device's statistics
 * @pages: how many of its pages were in use
 *
 * Context: the worker.
 */
void virtio_mem_stats_moved(struct virtio_mem_stats *stats,
			    unsigned long pages)
{
	add(&stats->moved_pages, pages);
}

/**
 * virtio_mem_stats_reached() - record how far a pass has got
 * @stats: the device's statistics
 * @requested: bytes
 * @plugged: bytes that are plugged now
 * @ms: time since the request came
 * @cause: why the request is not met yet; NONE: it is met
 *
 * Context: the worker.
 */
void virtio_mem_stats_reached(struct virtio_mem_stats *stats, u64 requested,
			      u64 plugged, u64 ms, enum virtio_mem_cause cause)
{
	WRITE_ONCE(stats->last.plugged, plugged);
	WRITE_ONCE(stats->last.ms, ms);
	if (cause != stats->last.cause || requested != stats->last.requested)
		WRITE_ONCE(stats->cause_since_ms, ktime_to_ms(ktime_get()));
	WRITE_ONCE(stats->last.cause, cause);
	WRITE_ONCE(stats->last.requested, requested);
}
