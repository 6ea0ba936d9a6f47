/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User-space stand-in: a random number to seed a test with. */
#ifndef SHIM_LINUX_RANDOM_H
#define SHIM_LINUX_RANDOM_H

#include <linux/types.h>
#include <sys/random.h>

static inline u32 get_random_u32(void)
{
	u32 r = 1;

	if (getrandom(&r, sizeof(r), 0) != sizeof(r))
		return 1;
	return r;
}

#endif
