// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/kpageflags, kpagecount, kpagecgroup: a number a page, for root.
 */
#include <unistd.h>

#include "kpage.h"
#include "sys.h"

/* Return: false if not even the flags can be read. */
bool kpage_open(struct kpage *kpage)
{
	uint64_t flags;

	kpage->flags = sys_open("/proc/kpageflags");
	kpage->count = sys_open("/proc/kpagecount");
	kpage->cgroup = sys_open("/proc/kpagecgroup");
	/* Some have the file, but let nobody read it. */
	if (kpage_read(kpage->flags, 0, 1, &flags) == 1)
		return true;
	kpage_close(kpage);
	return false;
}

/* Return: for how many of up to @nr pages *out is filled in; 0 or less: none. */
int kpage_read(int fd, uint64_t pfn, uint64_t nr, uint64_t *out)
{
	ssize_t got;

	if (fd < 0)
		return 0;
	if (nr > KPAGE_CHUNK)
		nr = KPAGE_CHUNK;
	got = pread(fd, out, nr * sizeof(*out), pfn * sizeof(*out));
	return got < 0 ? -1 : got / (ssize_t)sizeof(*out);
}

/* Close what is open. */
void kpage_close(struct kpage *kpage)
{
	int *fds[] = { &kpage->flags, &kpage->count, &kpage->cgroup };

	for (int i = 0; i < 3; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}
