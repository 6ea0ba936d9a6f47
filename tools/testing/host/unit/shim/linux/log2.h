/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User-space stand-in: base-2 logarithm and powers of two. */
#ifndef SHIM_LINUX_LOG2_H
#define SHIM_LINUX_LOG2_H

#include <linux/types.h>

static inline bool is_power_of_2(unsigned long n)
{
	return __builtin_popcountl(n) == 1;
}

static inline int ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n == 1 ? 1 : 1UL << (64 - __builtin_clzl(n - 1));
}

#endif
