// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which files of tmpfs and memfd the pages are of that no process maps.
 *
 * No file of /proc tells. So each file is mapped here for a moment, only what is
 * in memory already is touched, and our own pagemap says which pages these are.
 * Nothing is read from swap, nothing allocated, no time stamp changed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "holders.h"
#include "kinds.h"
#include "pagemap.h"
#include "pages.h"
#include "sys.h"
#include "tmpfs.h"

#define TMPFS_MAGIC 0x01021994
/* Bytes that are mapped at a time. */
#define PIECE (16UL << 20)
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

struct naming {
	struct holders *holders;
	struct pages *pages;
	const char *file;
	int index;
	int pagemap;
};

static void one_page(uint64_t pfn, void *arg)
{
	struct naming *naming = arg;
	uint32_t at;
	struct window *window = pages_find(naming->pages, pfn, &at);

	if (!window || window->holder[at] != HOLDER_KERNEL)
		return;
	if (naming->index < 0)
		naming->index = holders_name(naming->holders, naming->file);
	window->holder[at] = holder_with_file(naming->holders, HOLDER_KERNEL, naming->index);
}

/* Touch those of a piece's pages that are in memory, and look where they are. */
static void one_piece(struct naming *naming, char *map, size_t size)
{
	/* No guest has smaller pages. */
	static unsigned char in_core[PIECE / 4096];
	size_t nr = (size + PAGE_BYTES - 1) / PAGE_BYTES, from = 0;

	if (mincore(map, size, in_core))
		return;
	while (from < nr) {
		size_t end = from;

		while (end < nr && in_core[end] & 1)
			end++;
		if (end > from && !madvise(map + from * PAGE_BYTES, (end - from) * PAGE_BYTES,
					   MADV_POPULATE_READ))
			pagemap_walk(naming->pagemap, (uintptr_t)map + from * PAGE_BYTES,
				     (uintptr_t)map + end * PAGE_BYTES, one_page, naming);
		from = end + 1;
	}
}

static void one_file(struct naming *naming, const char *path, const char *name, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME | O_NONBLOCK | flags);
	struct stat st;

	naming->file = name;
	naming->index = -1;
	if (fd < 0)
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_blocks) {
		for (off_t at = 0; at < st.st_size; at += PIECE) {
			size_t left = st.st_size - at, size = left < PIECE ? left : PIECE;
			char *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, at);

			if (map == MAP_FAILED)
				break;
			one_piece(naming, map, size);
			munmap(map, size);
		}
	}
	close(fd);
}

/* Below one mount, not in others on it. */
static void one_directory(struct naming *naming, const char *path, dev_t dev)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		char *next;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		next = xprintf("%s/%s", path, entry->d_name);
		if (!lstat(next, &st) && st.st_dev == dev) {
			if (S_ISDIR(st.st_mode))
				one_directory(naming, next, dev);
			else if (S_ISREG(st.st_mode))
				/* Not what somebody has put in its place meanwhile. */
				one_file(naming, next, next + strlen(sys_root), O_NOFOLLOW);
		}
		free(next);
	}
	if (dir)
		closedir(dir);
}

static void mounted(struct naming *naming)
{
	FILE *file = sys_fopen("/proc/self/mounts");
	char line[4096], where[2048], type[64];
	struct statfs fs;
	struct stat st;

	while (file && fgets(line, sizeof(line), file)) {
		char *path;

		if (sscanf(line, "%*s %2047s %63s", where, type) != 2 ||
		    (strcmp(type, "tmpfs") && strcmp(type, "devtmpfs")))
			continue;
		sys_unescape(where);
		path = xprintf("%s%s", sys_root, where);
		/* Something else may be mounted on it. */
		if (!stat(path, &st) && !statfs(path, &fs) && fs.f_type == TMPFS_MAGIC)
			one_directory(naming, path, st.st_dev);
		free(path);
	}
	if (file)
		fclose(file);
}

/* An open file, if it is a regular one of tmpfs: others must not be opened. */
static void open_file(struct naming *naming, const char *path, const char *name)
{
	struct statfs fs;
	struct stat st;

	if (!statfs(path, &fs) && fs.f_type == TMPFS_MAGIC && !stat(path, &st) &&
	    S_ISREG(st.st_mode))
		one_file(naming, path, name, 0);
}

static void open_files_of(struct naming *naming, const char *pid)
{
	DIR *dir = sys_opendir("/proc/%s/fd", pid);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path, *name;

		if (entry->d_name[0] == '.')
			continue;
		path = xprintf("%s/proc/%s/fd/%s", sys_root, pid, entry->d_name);
		name = sys_link("/proc/%s/fd/%s", pid, entry->d_name);
		if (name && *name == '/')
			open_file(naming, path, name);
		free(name);
		free(path);
	}
	if (dir)
		closedir(dir);
}

/* Files that are open but in no directory that we see: memfd, deleted, elsewhere. */
static void open_files(struct naming *naming)
{
	DIR *proc = sys_opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			open_files_of(naming, entry->d_name);
	if (proc)
		closedir(proc);
}

static bool any_unnamed(const struct pages *pages)
{
	for (int i = 0; i < pages->nr; i++)
		for (uint32_t j = 0; j < pages->w[i].nr; j++)
			if (pages->w[i].kind[j] == KIND_TMPFS && pages->w[i].holder[j] == HOLDER_KERNEL)
				return true;
	return false;
}

/* Give a file as holder to pages that have none; before cgroups_charge(). */
void tmpfs_name(struct holders *holders, struct pages *pages)
{
	struct naming naming = { .holders = holders, .pages = pages };

	if (!any_unnamed(pages))
		return;
	naming.pagemap = sys_open("/proc/self/pagemap");
	if (naming.pagemap < 0)
		return;
	mounted(&naming);
	if (any_unnamed(pages))
		open_files(&naming);
	close(naming.pagemap);
}
