// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads all memory of a physical range that /proc/kcore shows, again and again, as
 * debuggers do; prints after each round how many bytes that were.
 *
 *	kcore START END
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_SEGMENTS	1024
#define CHUNK		(256UL << 10)

static char buf[CHUNK];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* What can't be read has gone since the headers were; the round goes on. */
static unsigned long read_range(int fd, off_t at, unsigned long size)
{
	unsigned long sum = 0;
	ssize_t nr;

	for (; sum < size; sum += nr) {
		unsigned long want = size - sum < CHUNK ? size - sum : CHUNK;

		nr = pread(fd, buf, want, at + sum);
		if (nr <= 0)
			break;
	}
	return sum;
}

static unsigned long round_of(unsigned long start, unsigned long end)
{
	static Elf64_Phdr ph[MAX_SEGMENTS];
	unsigned long sum = 0;
	Elf64_Ehdr eh;
	int fd, i, nr;

	fd = open("/proc/kcore", O_RDONLY);
	if (fd < 0 || pread(fd, &eh, sizeof(eh), 0) != sizeof(eh))
		die("/proc/kcore");
	nr = eh.e_phnum < MAX_SEGMENTS ? eh.e_phnum : MAX_SEGMENTS;
	if (pread(fd, ph, nr * sizeof(*ph), eh.e_phoff) != (ssize_t)(nr * sizeof(*ph)))
		die("program headers");
	for (i = 0; i < nr; i++) {
		unsigned long from = ph[i].p_paddr, to = from + ph[i].p_memsz;

		if (ph[i].p_type != PT_LOAD || from == -1UL)
			continue;
		from = from < start ? start : from;
		to = to > end ? end : to;
		if (from < to)
			sum += read_range(fd, ph[i].p_offset + from - ph[i].p_paddr,
					  to - from);
	}
	close(fd);
	return sum;
}

int main(int argc, char **argv)
{
	unsigned long start, end;

	if (argc != 3)
		return 2;
	start = strtoul(argv[1], NULL, 0);
	end = strtoul(argv[2], NULL, 0);
	for (;;) {
		printf("READ %lu\n", round_of(start, end));
		fflush(stdout);
		/* With nothing to read the output would fill the memory. */
		usleep(20000);
	}
}
