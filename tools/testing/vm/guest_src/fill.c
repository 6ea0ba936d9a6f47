// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fill - brings the guest's memory into the states that states.py names
 *
 *   fill anon BYTES SEED [merge|huge|lock|dense|spread]
 *                       fill anonymous memory: to be merged by KSM (each page
 *                       has one equal), of hugetlb pages, locked, such that it
 *                       compresses to a half, or with twice as much used before,
 *                       of which every second MiB is freed; then obey standard
 *                       input:
 *                         check             "OK PAGES", or "BAD OFFSET WANT GOT"
 *                         last              the same, and free each MiB that is
 *                                           good: nothing is swapped twice
 *                         poison START END  have the first page in this physical
 *                                           range declared broken: "POISONED PFN"
 *   fill leave BYTES free|available [lock]
 *                       use anonymous memory, perhaps locked, until only so much
 *                       MemFree or MemAvailable is left; hold it until killed
 *   fill write FILE BYTES SEED
 *   fill check FILE BYTES SEED [WRITTEN]
 *                       a file, of which perhaps only so many bytes were written,
 *                       the rest is 0; "OK PAGES", or "BAD ..." as above
 *   fill ahead FILE     have a file read ahead, and map none of it
 *
 * Every 512th byte begins a word that says where it belongs (dense: every 16th):
 * whatever page is lost or exchanged is noticed, and an emulated guest fills a
 * gigabyte at once.
 * Numbers in C notation.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is counted in, whatever a page of the guest's is. */
#define PAGE 4096UL
#define CHUNK (1UL << 20)
#define FINE (256UL << 10)
#define PM_PRESENT (1ULL << 63)
#define PM_PFN ((1ULL << 55) - 1)

static size_t step = 512, written = SIZE_MAX;

static void die(const char *what)
{
	printf("fill: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A different word for every place of every page (splitmix64's mixing). */
static uint64_t word(uint64_t seed, uint64_t index)
{
	uint64_t z = (seed << 40) + (index + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	return z ^ (z >> 27);
}

/* @at: offset of @mem in what is filled; @span: where the words begin again. */
static void stamp(char *mem, size_t bytes, uint64_t seed, size_t at, size_t span)
{
	for (size_t i = 0; i < bytes; i += step)
		*(uint64_t *)(mem + i) = word(seed, (at + i) % span / step);
}

/* Whether all is as stamped; says what isn't. */
static bool good(const char *mem, size_t bytes, uint64_t seed, size_t at, size_t span)
{
	for (size_t i = 0; i < bytes; i += step) {
		uint64_t want = at + i < written ? word(seed, (at + i) % span / step) : 0;
		uint64_t got = *(const uint64_t *)(mem + i);

		if (got == want)
			continue;
		printf("BAD 0x%zx 0x%llx 0x%llx\n", at + i,
		       (unsigned long long)want, (unsigned long long)got);
		return false;
	}
	return true;
}

static char *map(size_t bytes, int flags)
{
	char *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

/* The first page of @mem that lies in a physical range. */
static char *find_in(char *mem, size_t bytes, uint64_t start, uint64_t end, uint64_t *pfn)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	size_t page = sysconf(_SC_PAGESIZE);
	uint64_t entry;

	if (fd < 0)
		die("/proc/self/pagemap");
	for (size_t i = 0; i < bytes; i += page) {
		off_t off = (uintptr_t)(mem + i) / page * sizeof(entry);

		if (pread(fd, &entry, sizeof(entry), off) != sizeof(entry))
			die("pagemap");
		*pfn = entry & PM_PFN;
		if (entry & PM_PRESENT && *pfn * page >= start && *pfn * page < end) {
			close(fd);
			return mem + i;
		}
	}
	printf("fill: no page there\n");
	exit(1);
}

/* The filled memory: of each @stride the first MiB; one page may be gone. */
struct filled {
	char *mem;
	size_t bytes, span, stride, hole;
	uint64_t seed;
};

static bool all_good(const struct filled *f, bool last)
{
	for (size_t at = 0; at < f->bytes; at += f->stride) {
		size_t end = at + CHUNK, hole = f->hole;

		if (hole < at || hole >= end)
			hole = end;
		if (!good(f->mem + at, hole - at, f->seed, at, f->span))
			return false;
		hole += PAGE;
		if (hole < end && !good(f->mem + hole, end - hole, f->seed, hole, f->span))
			return false;
		if (last)
			madvise(f->mem + at, CHUNK, MADV_DONTNEED);
	}
	return true;
}

static void handled(int signal)
{
	(void)signal;
}

static void obey(struct filled *f, const char *line)
{
	unsigned long long start, end;
	uint64_t pfn;
	char *page;

	if (!strncmp(line, "check", 5) || !strncmp(line, "last", 4)) {
		if (all_good(f, *line == 'l'))
			printf("OK %zu\n", f->bytes / PAGE);
	} else if (sscanf(line, "poison %lli %lli", (long long *)&start,
			  (long long *)&end) == 2) {
		page = find_in(f->mem, f->bytes, start, end, &pfn);
		f->hole = page - f->mem;
		/* Who does not handle it is killed, even if it is ignored. */
		signal(SIGBUS, handled);
		if (madvise(page, PAGE, MADV_HWPOISON))
			die("hwpoison");
		printf("POISONED 0x%llx\n", (unsigned long long)pfn);
	} else {
		printf("fill: unknown: %s", line);
	}
}

static int do_anon(size_t bytes, uint64_t seed, const char *how)
{
	bool merge = !strcmp(how, "merge"), spread = !strcmp(how, "spread");
	struct filled f = {
		.bytes = spread ? 2 * bytes : bytes,
		.stride = spread ? 2 * CHUNK : CHUNK,
		.hole = SIZE_MAX,
		.seed = seed,
	};
	char line[100];

	f.span = merge ? bytes / 2 : f.bytes;
	f.mem = map(f.bytes, strcmp(how, "huge") ? 0 : MAP_HUGETLB);
	if (!strcmp(how, "dense"))
		step = 16;
	if (merge || spread)
		madvise(f.mem, f.bytes, MADV_NOHUGEPAGE);
	if (merge && madvise(f.mem, bytes, MADV_MERGEABLE))
		die("mergeable");
	stamp(f.mem, f.bytes, seed, 0, f.span);
	for (size_t at = CHUNK; spread && at < f.bytes; at += 2 * CHUNK)
		madvise(f.mem + at, CHUNK, MADV_DONTNEED);
	if (!strcmp(how, "lock") && mlock(f.mem, bytes))
		die("mlock");
	puts("READY");
	while (fgets(line, sizeof(line), stdin))
		obey(&f, line);
	return 0;
}

/* A line of /proc/meminfo, in bytes. */
static size_t look_up(const char *name)
{
	static char text[8192];
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *line;

	if (n < 0)
		die("/proc/meminfo");
	close(fd);
	text[n] = 0;
	line = strstr(text, name);
	return line ? strtoull(line + strlen(name), NULL, 10) << 10 : 0;
}

static int do_leave(size_t left, const char *what, bool lock)
{
	const char *name = strcmp(what, "free") ? "MemAvailable:" : "MemFree:";
	const size_t span = 64UL << 30;
	char *mem = map(span, 0);
	size_t have, used = 0;

	/* Else the last step is one of 2 MiB. */
	madvise(mem, span, MADV_NOHUGEPAGE);
	for (have = look_up(name); have > left; have = look_up(name)) {
		size_t bytes = have - left > 8 * CHUNK ? 4 * CHUNK : FINE;

		stamp(mem + used, bytes, 1, used, span);
		if (lock && mlock(mem + used, bytes))
			die("mlock");
		used += bytes;
	}
	printf("READY %zu\n", used);
	pause();
	return 0;
}

static int do_file(const char *path, size_t bytes, uint64_t seed, bool write_it)
{
	int fd = open(path, write_it ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0644);
	char *chunk = map(CHUNK, 0);

	if (fd < 0)
		die(path);
	for (size_t at = 0; at < bytes; at += CHUNK) {
		ssize_t n;

		if (write_it) {
			stamp(chunk, CHUNK, seed, at, bytes);
			n = write(fd, chunk, CHUNK);
		} else {
			n = read(fd, chunk, CHUNK);
		}
		if (n != (ssize_t)CHUNK)
			die(path);
		if (!write_it && !good(chunk, CHUNK, seed, at, bytes))
			return 1;
	}
	printf("OK %zu\n", bytes / PAGE);
	return 0;
}

static int do_ahead(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *mem;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	mem = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED || madvise(mem, st.st_size, MADV_WILLNEED))
		die("willneed");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc >= 4 && !strcmp(what, "anon"))
		return do_anon(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0),
			       argc > 4 ? argv[4] : "");
	if (argc >= 4 && !strcmp(what, "leave"))
		return do_leave(strtoull(argv[2], NULL, 0), argv[3], argc > 4);
	if (argc == 6)
		written = strtoull(argv[5], NULL, 0);
	if (argc >= 5 && (!strcmp(what, "write") || !strcmp(what, "check")))
		return do_file(argv[2], strtoull(argv[3], NULL, 0),
			       strtoull(argv[4], NULL, 0), *what == 'w');
	if (argc == 3 && !strcmp(what, "ahead"))
		return do_ahead(argv[2]);
	printf("usage: fill anon|leave|write|check|ahead ...\n");
	return 2;
}
