// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * meter - reads what the kernel counts, cheaply enough not to change it
 *
 *   meter cpu                 "PID NS NAME" of each kernel thread: CPU time used
 *   meter total KB SECONDS    wait until MemTotal is KB or, for -KB, below it;
 *                             status 1 if that takes longer
 *   meter pages START END STEP
 *                             of each STEP of a physical range: "SLAB MAPPED",
 *                             pages of slabs, pages that tasks have mapped
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PF_KTHREAD 0x00200000
#define PAGE 4096ULL
#define KPF_SLAB (1ULL << 7)
#define CHUNK 8192

static int cpu_of(const char *pid)
{
	char path[300], line[1000], *name, *end;
	unsigned long long ns;
	unsigned int flags;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	name = fgets(line, sizeof(line), f) ? strchr(line, '(') : NULL;
	end = name ? strrchr(name, ')') : NULL;
	fclose(f);
	/* state ppid pgrp session tty_nr tpgid flags */
	if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
		return 0;
	if (!(flags & PF_KTHREAD))
		return 0;
	*end = 0;
	snprintf(path, sizeof(path), "/proc/%s/schedstat", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &ns) == 1)
		printf("%s %llu %s\n", pid, ns, name + 1);
	fclose(f);
	return 0;
}

static int do_cpu(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		return 1;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			cpu_of(entry->d_name);
	return 0;
}

static long mem_total(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	long kb = 0;

	if (!f || fscanf(f, "MemTotal: %ld kB", &kb) != 1)
		exit(2);
	fclose(f);
	return kb;
}

static int do_total(long kb, long seconds)
{
	for (long tries = seconds * 50; tries > 0; tries--) {
		long have = mem_total();

		if (kb < 0 ? have <= -kb : have >= kb)
			return 0;
		usleep(20000);
	}
	return 1;
}

static int do_pages(uint64_t start, uint64_t end, uint64_t step)
{
	static uint64_t flags[CHUNK], maps[CHUNK];
	int flag = open("/proc/kpageflags", O_RDONLY);
	int count = open("/proc/kpagecount", O_RDONLY);

	for (; start < end; start += step) {
		unsigned long slab = 0, mapped = 0;
		uint64_t pfn = start / PAGE, left = step / PAGE, n;

		for (; left; left -= n, pfn += n) {
			ssize_t bytes;

			n = left < CHUNK ? left : CHUNK;
			bytes = n * sizeof(*flags);
			if (pread(flag, flags, bytes, pfn * 8) != bytes ||
			    pread(count, maps, bytes, pfn * 8) != bytes)
				return 1;
			for (uint64_t i = 0; i < n; i++) {
				slab += !!(flags[i] & KPF_SLAB);
				mapped += !!maps[i];
			}
		}
		printf("%lu %lu\n", slab, mapped);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "cpu"))
		return do_cpu();
	if (argc == 4 && !strcmp(argv[1], "total"))
		return do_total(atol(argv[2]), atol(argv[3]));
	if (argc == 5 && !strcmp(argv[1], "pages"))
		return do_pages(strtoull(argv[2], NULL, 0),
				strtoull(argv[3], NULL, 0),
				strtoull(argv[4], NULL, 0));
	printf("usage: meter cpu | total KB SECONDS | pages START END STEP\n");
	return 2;
}
