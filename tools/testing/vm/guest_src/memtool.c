// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memtool - uses guest memory in the ways the tests need
 *
 *   memtool pattern BYTES [SEED]     fill anonymous memory, verify on demand
 *   memtool lock BYTES               hold locked memory until killed
 *   memtool pin START END            hold one page of a physical range so that
 *                                    it can't be migrated, until killed
 *   memtool drain                    let no CPU's batch refer to any page
 *
 * "pattern" prints READY, then reads lines from its standard input:
 *   check            -> "OK PAGES", or "BAD OFFSET WANT GOT"
 *   in START END     -> number of its pages in the physical range [START, END)
 *   read             -> as check, but only reads one word a page (fast)
 * Numbers in C notation (0x...); START and END in bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* What is counted in, whatever a page of the guest's is, and never larger. */
#define PAGE 4096UL
#define MPOL_MF_MOVE 2
#define WORDS (PAGE / sizeof(uint64_t))
#define BATCH 1024UL
#define PM_PRESENT (1ULL << 63)
#define PM_PFN ((1ULL << 55) - 1)

static size_t page_size;

static void die(const char *what)
{
	printf("memtool: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* An odd multiplier makes every word of every page different (splitmix64). */
static uint64_t word(uint64_t seed, uint64_t index)
{
	uint64_t z = seed + index * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	return z ^ (z >> 27);
}

static char *map(size_t bytes)
{
	char *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

/* Physical; 0 if nothing is there. */
static uint64_t address_of(int pagemap, const void *mem)
{
	off_t off = (uintptr_t)mem / page_size * sizeof(uint64_t);
	uint64_t entry;

	if (pread(pagemap, &entry, sizeof(entry), off) != sizeof(entry))
		die("pagemap");
	return entry & PM_PRESENT ?
	       (entry & PM_PFN) * page_size + (uintptr_t)mem % page_size : 0;
}

static int open_pagemap(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0)
		die("/proc/self/pagemap");
	return fd;
}

/* Only one word in @step is looked at; 1 looks at every byte. */
static void verify(const uint64_t *mem, size_t words, uint64_t seed, int step)
{
	for (size_t i = 0; i < words; i += step) {
		if (mem[i] == word(seed, i))
			continue;
		printf("BAD 0x%zx 0x%llx 0x%llx\n", i * sizeof(*mem),
		       (unsigned long long)word(seed, i),
		       (unsigned long long)mem[i]);
		return;
	}
	printf("OK %zu\n", words / WORDS);
}

static void count_in(const char *mem, size_t bytes, uint64_t start, uint64_t end)
{
	int pagemap = open_pagemap();
	unsigned long n = 0;

	for (size_t off = 0; off < bytes; off += PAGE) {
		uint64_t addr = address_of(pagemap, mem + off);

		n += addr >= start && addr < end;
	}
	close(pagemap);
	printf("%lu\n", n);
}

static int do_pattern(size_t bytes, uint64_t seed)
{
	uint64_t *mem = (uint64_t *)map(bytes);
	size_t words = bytes / sizeof(*mem);
	unsigned long long start, end;
	char line[100];

	for (size_t i = 0; i < words; i++)
		mem[i] = word(seed, i);
	puts("READY");
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "check", 5))
			verify(mem, words, seed, 1);
		else if (!strncmp(line, "read", 4))
			verify(mem, words, seed, WORDS);
		else if (sscanf(line, "in %lli %lli", (long long *)&start,
				(long long *)&end) == 2)
			count_in((char *)mem, bytes, start, end);
		else
			printf("memtool: unknown: %s", line);
	}
	return 0;
}

static int do_lock(size_t bytes)
{
	char *mem = map(bytes);

	if (mlock(mem, bytes))
		die("mlock");
	puts("READY");
	pause();
	return 0;
}

/* The first page of BATCH pages at @mem, not yet touched, that lies in a range. */
static char *find_in(int pagemap, char *mem, uint64_t start, uint64_t end)
{
	off_t off = (uintptr_t)mem / page_size * sizeof(uint64_t);
	uint64_t entry[BATCH];

	if (madvise(mem, BATCH * page_size, MADV_POPULATE_WRITE))
		die("populate");
	if (pread(pagemap, entry, sizeof(entry), off) != sizeof(entry))
		die("pagemap");
	for (size_t i = 0; i < BATCH; i++) {
		uint64_t addr = (entry[i] & PM_PFN) * page_size;

		if (entry[i] & PM_PRESENT && addr >= start && addr < end)
			return mem + i * page_size;
	}
	return NULL;
}

/*
 * A page that a pipe holds (vmsplice takes a long-lived reference) has one
 * reference more than its mappings explain, so migration gives up on it.
 */
static int do_pin(uint64_t start, uint64_t end)
{
	/* Address space only; memory comes bit by bit, and is kept until the
	 * right page is found, or the same pages would come again and again.
	 */
	const size_t span = 64UL << 30;
	int pagemap = open_pagemap(), pipefd[2];
	char *mem = mmap(NULL, span, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct iovec iov = { NULL, page_size };
	char *page = NULL, *next = mem;
	uint64_t addr;

	if (mem == MAP_FAILED)
		die("mmap");
	if (pipe(pipefd))
		die("pipe");
	/* Small pages: of a huge one too much would be pinned. */
	madvise(mem, span, MADV_NOHUGEPAGE);
	for (; !page; next += BATCH * page_size)
		page = find_in(pagemap, next, start, end);
	iov.iov_base = page;
	if (vmsplice(pipefd[1], &iov, 1, 0) != (ssize_t)page_size)
		die("vmsplice");
	/* It may have moved between the look and the pin. */
	addr = address_of(pagemap, page);
	if (addr < start || addr >= end) {
		puts("memtool: page moved before it was pinned");
		return 1;
	}
	munmap(page + page_size, mem + span - page - page_size);
	if (page != mem)
		munmap(mem, page - mem);
	printf("PINNED 0x%llx\n", (unsigned long long)(addr / PAGE));
	pause();
	return 0;
}

/* Before move_pages(2) moves anything, here nothing, it drains them (6.1, 6.12). */
static int do_drain(void)
{
	void *pages[1] = { NULL };
	int nodes[1] = { 0 }, status[1];

	if (syscall(SYS_move_pages, 0, 0UL, pages, nodes, status, MPOL_MF_MOVE))
		die("move_pages");
	return 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	page_size = sysconf(_SC_PAGESIZE);
	if (argc >= 3 && !strcmp(argv[1], "pattern"))
		return do_pattern(strtoull(argv[2], NULL, 0) & ~(PAGE - 1),
				  argc > 3 ? strtoull(argv[3], NULL, 0) : 1);
	if (argc == 3 && !strcmp(argv[1], "lock"))
		return do_lock(strtoull(argv[2], NULL, 0));
	if (argc == 4 && !strcmp(argv[1], "pin"))
		return do_pin(strtoull(argv[2], NULL, 0),
			      strtoull(argv[3], NULL, 0));
	if (argc == 2 && !strcmp(argv[1], "drain"))
		return do_drain();
	printf("usage: memtool pattern|lock BYTES | pin START END | drain\n");
	return 2;
}
