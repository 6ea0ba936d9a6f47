/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User-space stand-in: a warning ends the test run, as panic_on_warn would. */
#ifndef SHIM_LINUX_BUG_H
#define SHIM_LINUX_BUG_H

#include <stdio.h>
#include <stdlib.h>

#define WARN(cond, fmt, ...) ({						\
	bool warn__ = !!(cond);						\
									\
	if (warn__) {							\
		printf("# WARN %s:%d: " fmt "\n", __FILE__, __LINE__,	\
		       ##__VA_ARGS__);					\
		fflush(stdout);						\
		abort();						\
	}								\
	warn__;								\
})
#define WARN_ON(cond)			WARN(cond, "%s", #cond)
#define WARN_ON_ONCE(cond)		WARN_ON(cond)
#define WARN_ONCE(cond, fmt, ...)	WARN(cond, fmt, ##__VA_ARGS__)
#define static_assert(cond, ...)	_Static_assert(cond, #cond)
#define BUILD_BUG_ON(cond)		_Static_assert(!(cond), #cond)

#endif
