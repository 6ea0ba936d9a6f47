/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: decides when to try again, when to check whether that would help, how
 * much time may go into tries that a scan advises against, and when to retry
 * big blocks that Linux has refused to add.  Time is an argument.  Includes
 * virtio_mem_choose.h only.
 */
#ifndef _VIRTIO_MEM_RETRY_H
#define _VIRTIO_MEM_RETRY_H

#include "virtio_mem_choose.h"

/**
 * struct virtio_mem_backoff - the delay before the next retry
 * @delay_ms: the last delay, 0 at first
 */
struct virtio_mem_backoff {
	u32 delay_ms;
};

/**
 * struct virtio_mem_doubt - time for tries that a scan advises against
 * @credit_ms: time that is left; below 0 after a long try
 * @since_ms: when the share of the time was last added
 */
struct virtio_mem_doubt {
	s64 credit_ms;
	u64 since_ms;
};

/**
 * struct virtio_mem_refusals - big blocks that Linux has refused to add
 * @in_row: refusals with none added between, since they were last forgotten
 * @since_ms: when Linux refused the last one
 * @doubted: Linux has added none since
 */
struct virtio_mem_refusals {
	unsigned int in_row;
	u64 since_ms;
	bool doubted;
};

void virtio_mem_backoff_reset(struct virtio_mem_backoff *b);
u32 virtio_mem_backoff_next(struct virtio_mem_backoff *b);
u32 virtio_mem_backoff_rest(u32 delay_ms, u64 spent_ms);
u32 virtio_mem_retry_look_ms(u32 delay_ms);
u32 virtio_mem_retry_least_ms(u32 delay_ms, u64 failed_ms, bool hasty);
bool virtio_mem_retry_eased(enum virtio_mem_cause cause,
			    struct virtio_mem_pressure *then,
			    const struct virtio_mem_pressure *now,
			    unsigned long bb_pages, unsigned long memmap_pages);

void virtio_mem_doubt_grant(struct virtio_mem_doubt *d, u64 now_ms);
bool virtio_mem_doubt_may(struct virtio_mem_doubt *d, u64 now_ms);
void virtio_mem_doubt_spend(struct virtio_mem_doubt *d, u64 ms);

void virtio_mem_refusals_count(struct virtio_mem_refusals *r, u64 now_ms);
void virtio_mem_refusals_end(struct virtio_mem_refusals *r);
bool virtio_mem_refusals_forget(struct virtio_mem_refusals *r, u64 now_ms);
unsigned long virtio_mem_refusals_room(const struct virtio_mem_refusals *r,
				       u64 now_ms);

#endif /* _VIRTIO_MEM_RETRY_H */
