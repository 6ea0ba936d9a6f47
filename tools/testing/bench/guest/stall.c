// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stall - a user task that wants memory 1000 times a second, and how long it
 * had to wait for it
 *
 *   stall
 *
 * Prints a line a SIGUSR1 and one at SIGTERM, each about the time since the
 * last: how often it got its memory; longest, 99.9 % and median time in us
 * between when it wanted to run and when it had its memory; sum of what it
 * waited longer than a period.
 *   COUNT MAX P999 MEDIAN LATE
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PERIOD 1000000LL	/* ns */
#define BYTES (4 * 4096)
#define STEPS 8			/* buckets between two powers of two */
#define BUCKETS (40 * STEPS)

static unsigned long bucket[BUCKETS], count;
static long long longest, late;

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Sleep until then, or until a signal; returns that. */
static int sleep_until(long long when, const sigset_t *set)
{
	long long left = when - now();
	struct timespec t = { 0, left > 0 ? left : 0 };

	return sigtimedwait(set, NULL, &t);
}

/* Buckets of 12.5 % width: the first STEPS are exact, in us. */
static int bucket_of(unsigned long long us)
{
	int shift = 0;

	while (us >> shift >= 2 * STEPS)
		shift++;
	return shift * STEPS + (us >> shift);
}

static unsigned long long bucket_top(int nr)
{
	int shift = nr < 2 * STEPS ? 0 : nr / STEPS - 1;

	return (unsigned long long)(nr - shift * STEPS + 1) << shift;
}

/* The time in us that a share (in 1/1000) of all waits was below. */
static unsigned long long below(unsigned long share)
{
	unsigned long seen = 0;

	for (int i = 0; i < BUCKETS; i++) {
		seen += bucket[i];
		if (seen * 1000 >= count * share)
			return bucket_top(i);
	}
	return 0;
}

static void want_memory(void)
{
	char *mem = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		exit(1);
	for (int i = 0; i < BYTES; i += 4096)
		mem[i] = 1;
	munmap(mem, BYTES);
}

static void report(void)
{
	printf("%lu %lld %llu %llu %lld\n", count, longest / 1000, below(999),
	       below(500), late / 1000);
	memset(bucket, 0, sizeof(bucket));
	count = 0;
	longest = 0;
	late = 0;
}

int main(void)
{
	long long next = now(), waited;
	int nr = 0;
	sigset_t set;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (nr != SIGTERM) {
		next += PERIOD;
		nr = sleep_until(next, &set);
		if (nr > 0) {
			report();
			continue;
		}
		want_memory();
		waited = now() - next;
		count++;
		bucket[bucket_of(waited / 1000)]++;
		if (waited > longest)
			longest = waited;
		/* One stall counts once, not once a missed period. */
		if (waited > PERIOD) {
			late += waited - PERIOD;
			next += waited;
		}
	}
	return 0;
}
