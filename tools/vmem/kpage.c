// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/kpageflags, kpagecount, kpagecgroup: a number a page, for root.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices.h"
#include "kpage.h"
#include "sys.h"

#define HOLDS "/sys/kernel/debug/virtio_mem"

/* Directories of devices whose memory can be held. */
static char **holds;
static int nr_holds;

static void find_holds(void)
{
	DIR *dir = sys_opendir(HOLDS);
	struct dirent *entry;

	while (nr_holds)
		free(holds[--nr_holds]);
	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.' || !sys_exists(HOLDS "/%s/hold", entry->d_name))
			continue;
		holds = xgrow(holds, nr_holds + 1, sizeof(*holds));
		holds[nr_holds++] = xprintf("%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
}

/* Return: false if not even the flags can be read, or not safely now. */
bool kpage_open(struct kpage *kpage)
{
	uint64_t flags;

	*kpage = (struct kpage){ -1, -1, -1 };
	find_holds();
	if (devices_memory_leaves())
		return false;
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
	int held[nr_holds + 1];
	bool safe = true;
	ssize_t got = -1;

	if (fd < 0)
		return 0;
	if (nr > KPAGE_CHUNK)
		nr = KPAGE_CHUNK;
	/* A device may have gone; ENODEV says that it is about to, and memory may leave. */
	for (int i = 0; i < nr_holds; i++) {
		held[i] = sys_open(HOLDS "/%s/hold", holds[i]);
		safe &= held[i] >= 0 || errno == ENOENT || errno == EIO;
	}
	if (safe)
		got = pread(fd, out, nr * sizeof(*out), pfn * sizeof(*out));
	for (int i = 0; i < nr_holds; i++)
		if (held[i] >= 0)
			close(held[i]);
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
