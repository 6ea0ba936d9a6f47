// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/PID/pagemap: which pages are mapped at which addresses of a process.
 *
 * An entry per page of address space is much to read where little is mapped.
 * PAGEMAP_SCAN (Linux 6.7) says where something is; page numbers are only in the
 * entries.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pagemap.h"
#include "sys.h"

#define ENTRIES 16384
#define REGIONS 512
#define PM_PRESENT (1ULL << 63)
#define PM_PFN ((1ULL << 55) - 1)

/* As in linux/fs.h of 6.7 and newer; headers here may be older. */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_PRESENT (1ULL << 3)
#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

static void read_entries(int fd, uint64_t start, uint64_t end, pagemap_fn fn, void *arg)
{
	static uint64_t entries[ENTRIES];

	for (uint64_t at = start / PAGE_BYTES; at < end / PAGE_BYTES;) {
		uint64_t want = end / PAGE_BYTES - at;
		ssize_t got;

		if (want > ENTRIES)
			want = ENTRIES;
		got = pread(fd, entries, want * sizeof(*entries), at * sizeof(*entries));
		if (got < (ssize_t)sizeof(*entries))
			return;
		got /= sizeof(*entries);
		for (int i = 0; i < got; i++)
			if (entries[i] & PM_PRESENT)
				fn(entries[i] & PM_PFN, arg);
		at += got;
	}
}

/* Call @fn for each page that is mapped in an address range; @fd: an open pagemap. */
void pagemap_walk(int fd, uint64_t start, uint64_t end, pagemap_fn fn, void *arg)
{
	static struct scan_region regions[REGIONS];
	static bool unknown;

	while (!unknown && start < end) {
		struct scan_arg scan = {
			.size = sizeof(scan), .start = start, .end = end,
			.vec = (uintptr_t)regions, .vec_len = REGIONS,
			.category_mask = SCAN_PRESENT, .return_mask = SCAN_PRESENT,
		};
		int nr = ioctl(fd, SCAN_IOCTL, &scan);

		if (nr < 0) {
			unknown = errno == ENOTTY;
			break;
		}
		for (int i = 0; i < nr; i++)
			read_entries(fd, regions[i].start, regions[i].end, fn, arg);
		if (scan.walk_end <= start)
			return;
		start = scan.walk_end;
	}
	read_entries(fd, start, end, fn, arg);
}
