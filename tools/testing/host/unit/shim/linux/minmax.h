/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User-space stand-in: smaller and larger, same type on both sides. */
#ifndef SHIM_LINUX_MINMAX_H
#define SHIM_LINUX_MINMAX_H

/* The pointer comparison makes the compiler refuse two different types. */
#define min(a, b) ({				\
	__typeof__(a) a__ = (a);		\
	__typeof__(b) b__ = (b);		\
						\
	(void)(&a__ == &b__);			\
	a__ < b__ ? a__ : b__;			\
})
#define max(a, b) ({				\
	__typeof__(a) ma__ = (a);		\
	__typeof__(b) mb__ = (b);		\
						\
	(void)(&ma__ == &mb__);			\
	ma__ > mb__ ? ma__ : mb__;		\
})
#define min3(a, b, c)		min(min(a, b), c)
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define clamp_t(type, v, lo, hi) \
	clamp((type)(v), (type)(lo), (type)(hi))

#endif
