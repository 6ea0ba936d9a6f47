/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User-space stand-in for KUnit: as much of its interface as the suites use,
 * so that the same suite files run here under ASan and UBSan.
 */
#ifndef SHIM_KUNIT_TEST_H
#define SHIM_KUNIT_TEST_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/types.h>

#define KUNIT_PARAM_DESC_SIZE	128
#define GFP_KERNEL		0
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define MODULE_LICENSE(...)
#define MODULE_DESCRIPTION(...)
#define MODULE_PARM_DESC(...)

/* A parameter is set by name=number on the command line (ktap.c). */
void shim_param(const char *name, unsigned long *value);
#define module_param(name, type, mode)					\
	static void __attribute__((constructor)) param_##name(void)	\
	{								\
		shim_param(#name, &name);				\
	}

/**
 * struct kunit - one running test case
 * @param_value: the parameter of a KUNIT_CASE_PARAM
 * @priv: for the suite's own use
 * @failed: an expectation was not met
 * @abort: where a failed assertion goes
 * @mem: what kunit_kzalloc() has given out, freed with the case
 */
struct kunit {
	const void *param_value;
	void *priv;
	bool failed;
	jmp_buf abort;
	struct shim_mem *mem;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(const void *prev, char *desc);
};

struct kunit_suite {
	char name[256];
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

void shim_suite(struct kunit_suite *suite);
#define kunit_test_suite(suite)						\
	static void __attribute__((constructor)) add_##suite(void)	\
	{								\
		shim_suite(&(suite));					\
	}

#define KUNIT_CASE(fn)		{ .run_case = fn, .name = #fn }
#define KUNIT_CASE_SLOW(fn)	KUNIT_CASE(fn)
#define KUNIT_CASE_PARAM(fn, gen) \
	{ .run_case = fn, .name = #fn, .generate_params = gen }

#define KUNIT_ARRAY_PARAM(label, array, get_desc)			\
	static const void *label##_gen_params(const void *prev, char *desc) \
	{								\
		unsigned int i = 0;					\
									\
		while (prev && prev != &(array)[i++])			\
			;						\
		if (i == ARRAY_SIZE(array))				\
			return NULL;					\
		(get_desc)(&(array)[i], desc);				\
		return &(array)[i];					\
	}

void *kunit_kzalloc(struct kunit *test, size_t size, int flags);
#define kunit_kmalloc(test, size, flags) kunit_kzalloc(test, size, flags)
#define kunit_kcalloc(test, nr, size, flags) \
	kunit_kzalloc(test, (nr) * (size), flags)

#define kunit_info(test, fmt, ...) \
	((void)(test), printf("# " fmt, ##__VA_ARGS__))

#define __printf(a, b) __attribute__((format(printf, a, b)))

void __printf(5, 6)
shim_fail(struct kunit *test, bool fatal, const char *file, int line,
	  const char *fmt, ...);

/* Both sides are shown as numbers: every type compared here is one. */
#define SHIM_CMP(test, fatal, l, op, r, fmt, ...) do {			\
	__typeof__(l) l__ = (l);					\
	__typeof__(r) r__ = (r);					\
									\
	if (!(l__ op r__))						\
		shim_fail(test, fatal, __FILE__, __LINE__,		\
			  "%s " #op " %s, but %" PRIu64 " and %" PRIu64	\
			  " " fmt, #l, #r, (uint64_t)(uintptr_t)l__,	\
			  (uint64_t)(uintptr_t)r__, ##__VA_ARGS__);	\
} while (0)
#define SHIM_TRUE(test, fatal, cond, want, fmt, ...) do {		\
	bool c__ = (cond);						\
									\
	if (c__ != (want))						\
		shim_fail(test, fatal, __FILE__, __LINE__,		\
			  "%s is %s " fmt, #cond,			\
			  (want) ? "false" : "true", ##__VA_ARGS__);	\
} while (0)
#define SHIM_STREQ(test, fatal, l, r, fmt, ...) do {			\
	const char *l__ = (l), *r__ = (r);				\
									\
	if (strcmp(l__, r__))						\
		shim_fail(test, fatal, __FILE__, __LINE__,		\
			  "%s: \"%s\" and \"%s\" " fmt, #l, l__, r__,	\
			  ##__VA_ARGS__);				\
} while (0)
#define SHIM_MEMEQ(test, fatal, l, r, len) do {				\
	if (memcmp(l, r, len))						\
		shim_fail(test, fatal, __FILE__, __LINE__,		\
			  "%s and %s differ", #l, #r);			\
} while (0)

#define KUNIT_EXPECT_EQ(t, l, r)	SHIM_CMP(t, false, l, ==, r, "")
#define KUNIT_EXPECT_NE(t, l, r)	SHIM_CMP(t, false, l, !=, r, "")
#define KUNIT_EXPECT_LT(t, l, r)	SHIM_CMP(t, false, l, <, r, "")
#define KUNIT_EXPECT_LE(t, l, r)	SHIM_CMP(t, false, l, <=, r, "")
#define KUNIT_EXPECT_GT(t, l, r)	SHIM_CMP(t, false, l, >, r, "")
#define KUNIT_EXPECT_GE(t, l, r)	SHIM_CMP(t, false, l, >=, r, "")
#define KUNIT_EXPECT_PTR_EQ(t, l, r)	SHIM_CMP(t, false, l, ==, r, "")
#define KUNIT_EXPECT_TRUE(t, c)		SHIM_TRUE(t, false, c, true, "")
#define KUNIT_EXPECT_FALSE(t, c)	SHIM_TRUE(t, false, c, false, "")
#define KUNIT_EXPECT_NULL(t, p)		KUNIT_EXPECT_TRUE(t, !(p))
#define KUNIT_EXPECT_NOT_NULL(t, p)	KUNIT_EXPECT_TRUE(t, p)
#define KUNIT_EXPECT_STREQ(t, l, r)	SHIM_STREQ(t, false, l, r, "")
#define KUNIT_EXPECT_MEMEQ(t, l, r, n)	SHIM_MEMEQ(t, false, l, r, n)
#define KUNIT_EXPECT_EQ_MSG(t, l, r, ...)  SHIM_CMP(t, false, l, ==, r, __VA_ARGS__)
#define KUNIT_EXPECT_LE_MSG(t, l, r, ...)  SHIM_CMP(t, false, l, <=, r, __VA_ARGS__)
#define KUNIT_EXPECT_GE_MSG(t, l, r, ...)  SHIM_CMP(t, false, l, >=, r, __VA_ARGS__)
#define KUNIT_EXPECT_TRUE_MSG(t, c, ...)   SHIM_TRUE(t, false, c, true, __VA_ARGS__)
#define KUNIT_EXPECT_FALSE_MSG(t, c, ...)  SHIM_TRUE(t, false, c, false, __VA_ARGS__)
#define KUNIT_ASSERT_EQ(t, l, r)	SHIM_CMP(t, true, l, ==, r, "")
#define KUNIT_ASSERT_NE(t, l, r)	SHIM_CMP(t, true, l, !=, r, "")
#define KUNIT_ASSERT_LT(t, l, r)	SHIM_CMP(t, true, l, <, r, "")
#define KUNIT_ASSERT_LE(t, l, r)	SHIM_CMP(t, true, l, <=, r, "")
#define KUNIT_ASSERT_GE(t, l, r)	SHIM_CMP(t, true, l, >=, r, "")
#define KUNIT_ASSERT_TRUE(t, c)		SHIM_TRUE(t, true, c, true, "")
#define KUNIT_ASSERT_FALSE(t, c)	SHIM_TRUE(t, true, c, false, "")
#define KUNIT_ASSERT_NOT_NULL(t, p)	KUNIT_ASSERT_TRUE(t, p)
#define KUNIT_ASSERT_EQ_MSG(t, l, r, ...)  SHIM_CMP(t, true, l, ==, r, __VA_ARGS__)
#define KUNIT_ASSERT_LE_MSG(t, l, r, ...)  SHIM_CMP(t, true, l, <=, r, __VA_ARGS__)
#define KUNIT_ASSERT_GE_MSG(t, l, r, ...)  SHIM_CMP(t, true, l, >=, r, __VA_ARGS__)
#define KUNIT_ASSERT_TRUE_MSG(t, c, ...)   SHIM_TRUE(t, true, c, true, __VA_ARGS__)
#define KUNIT_ASSERT_FALSE_MSG(t, c, ...)  SHIM_TRUE(t, true, c, false, __VA_ARGS__)

#endif
