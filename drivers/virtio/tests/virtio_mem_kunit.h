/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Repeatable random numbers for the suites: each random case prints its seed,
 * and the module parameter "seed" sets it.
 */
#ifndef _VIRTIO_MEM_KUNIT_H
#define _VIRTIO_MEM_KUNIT_H

#include <kunit/test.h>
#include <linux/random.h>

static unsigned long seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Seed of the random cases; 0 (default): a new one");

struct vm_rnd {
	u64 x;
};

static inline void vm_rnd_init(struct kunit *test, struct vm_rnd *r)
{
	r->x = seed ? (u64)seed : get_random_u32() | 1ULL;
	kunit_info(test, "seed=%llu\n", r->x);
}

/* xorshift64: any 64-bit state but 0 has a period of 2^64 - 1. */
static inline u64 vm_rnd_next(struct vm_rnd *r)
{
	r->x ^= r->x << 13;
	r->x ^= r->x >> 7;
	r->x ^= r->x << 17;
	return r->x;
}

/* A number from 0 to @n - 1. */
static inline unsigned long vm_rnd_below(struct vm_rnd *r, unsigned long n)
{
	return (vm_rnd_next(r) >> 16) % n;
}

static inline bool vm_rnd_percent(struct vm_rnd *r, unsigned int percent)
{
	return vm_rnd_below(r, 100) < percent;
}

#endif /* _VIRTIO_MEM_KUNIT_H */
