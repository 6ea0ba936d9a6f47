// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the KUnit suites that were linked in and prints their results as TAP,
 * one line a case, "suite.case".  Arguments: name=number sets a module
 * parameter of the suites, such as seed=.
 */
#include <kunit/test.h>
#include <stdarg.h>

#define MAX_SUITES 16
#define MAX_PARAMS 16

struct shim_mem {
	struct shim_mem *next;
};

static struct kunit_suite *suites[MAX_SUITES];
static unsigned int nr_suites;
static struct {
	const char *name;
	unsigned long *value;
} params[MAX_PARAMS];
static unsigned int nr_params;

void shim_suite(struct kunit_suite *suite)
{
	if (nr_suites == MAX_SUITES)
		abort();
	suites[nr_suites++] = suite;
}

void shim_param(const char *name, unsigned long *value)
{
	if (nr_params == MAX_PARAMS)
		abort();
	params[nr_params].name = name;
	params[nr_params++].value = value;
}

static bool set_param(const char *arg)
{
	bool known = false;
	unsigned int i;

	for (i = 0; i < nr_params; i++) {
		size_t len = strlen(params[i].name);

		if (!strncmp(arg, params[i].name, len) && arg[len] == '=') {
			*params[i].value = strtoul(arg + len + 1, NULL, 0);
			known = true;
		}
	}
	return known;
}

void *kunit_kzalloc(struct kunit *test, size_t size, int flags)
{
	/* ASan watches each of them: no pool, and the header in front. */
	struct shim_mem *m = calloc(1, sizeof(*m) + size);

	(void)flags;
	if (!m)
		abort();
	m->next = test->mem;
	test->mem = m;
	return m + 1;
}

void shim_fail(struct kunit *test, bool fatal, const char *file, int line,
	       const char *fmt, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	test->failed = true;
	if (fatal)
		longjmp(test->abort, 1);
}

static bool run_once(const struct kunit_suite *suite,
		     const struct kunit_case *c, const void *param)
{
	struct kunit test = { .param_value = param };

	if (suite->init && suite->init(&test)) {
		puts("# init failed");
		return false;
	}
	if (!setjmp(test.abort))
		c->run_case(&test);
	if (suite->exit)
		suite->exit(&test);
	while (test.mem) {
		struct shim_mem *m = test.mem;

		test.mem = m->next;
		free(m);
	}
	return !test.failed;
}

static bool run_case(const struct kunit_suite *suite,
		     const struct kunit_case *c)
{
	char desc[KUNIT_PARAM_DESC_SIZE] = "";
	const void *param = NULL;
	bool ok = true;

	if (!c->generate_params)
		return run_once(suite, c, NULL);
	while ((param = c->generate_params(param, desc))) {
		if (run_once(suite, c, param))
			continue;
		printf("# that was with: %s\n", desc);
		ok = false;
	}
	return ok;
}

int main(int argc, char **argv)
{
	unsigned int s, nr = 0, failed = 0;
	const struct kunit_case *c;

	for (; argc > 1; argc--) {
		if (!set_param(argv[argc - 1])) {
			fprintf(stderr, "%s: unknown\n", argv[argc - 1]);
			return 2;
		}
	}
	for (s = 0; s < nr_suites; s++)
		for (c = suites[s]->test_cases; c->run_case; c++)
			nr++;
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* The plan comes first, so that a crash can't hide what follows. */
	printf("TAP version 13\n1..%u\n", nr);
	nr = 0;
	for (s = 0; s < nr_suites; s++) {
		for (c = suites[s]->test_cases; c->run_case; c++) {
			bool ok = run_case(suites[s], c);

			printf("%sok %u - %s.%s\n", ok ? "" : "not ", ++nr,
			       suites[s]->name, c->name);
			failed += !ok;
		}
	}
	return failed || !nr;
}
