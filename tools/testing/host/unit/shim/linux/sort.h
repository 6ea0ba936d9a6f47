/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User-space stand-in: the kernel's sort(), by the library's qsort(). */
#ifndef SHIM_LINUX_SORT_H
#define SHIM_LINUX_SORT_H

#include <stdlib.h>

typedef int (*cmp_func_t)(const void *a, const void *b);

static inline void sort(void *base, size_t num, size_t size, cmp_func_t cmp,
			void *swap)
{
	(void)swap;
	if (num)
		qsort(base, num, size, cmp);
}

#endif
