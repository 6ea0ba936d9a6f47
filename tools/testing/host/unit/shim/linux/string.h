/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User-space stand-in: the C library's string functions, and one it lacks. */
#ifndef SHIM_LINUX_STRING_H
#define SHIM_LINUX_STRING_H

#include <string.h>

/* The result is not looked at in the suites. */
static inline void strscpy(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(src, size - 1);

	memcpy(dst, src, len);
	dst[len] = 0;
}

#endif
