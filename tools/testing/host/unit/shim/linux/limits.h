/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User-space stand-in: limits under their kernel names. */
#ifndef SHIM_LINUX_LIMITS_H
#define SHIM_LINUX_LIMITS_H

#include_next <linux/limits.h>

#define U8_MAX	((u8)~0U)
#define U16_MAX	((u16)~0U)
#define U32_MAX	((u32)~0U)
#define U64_MAX	((u64)~0ULL)

/* The C library's own limits.h comes through here and defines them anew. */
#ifndef UINT_MAX
#define UINT_MAX	(~0U)
#endif
#ifndef ULONG_MAX
#define ULONG_MAX	(~0UL)
#endif

#endif
