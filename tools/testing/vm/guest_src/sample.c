// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads a word of a file here and there, and prints how many of them are not zero:
 *
 *   sample FILE OFFSET STEP COUNT
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long long at, step, count, found = 0;
	uint64_t word;
	int fd;

	if (argc != 5) {
		fputs("usage: sample FILE OFFSET STEP COUNT\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_RDONLY);
	at = strtoull(argv[2], NULL, 0);
	step = strtoull(argv[3], NULL, 0);
	count = strtoull(argv[4], NULL, 0);
	for (; count; count--, at += step) {
		if (pread(fd, &word, sizeof(word), (off_t)at) != sizeof(word)) {
			perror("sample");
			return 1;
		}
		found += !!word;
	}
	printf("%llu\n", found);
	return 0;
}
