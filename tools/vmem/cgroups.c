// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which memory cgroup the pages that are asked about are charged to.
 *
 * /proc/kpagecgroup has the inode number of the cgroup's directory.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroups.h"
#include "holders.h"
#include "kinds.h"
#include "kpage.h"
#include "pages.h"
#include "sys.h"

struct groups {
	struct group {
		uint64_t inode;
		char *path;
		int name;     /* in holders; -1: not yet */
	} *g;
	int nr;
};

/* Where memory cgroups are mounted, version 2 or 1; "" if nowhere. */
static void find_mount(char *mount, size_t room)
{
	FILE *file = sys_fopen("/proc/self/mounts");
	char line[4096], where[2048], type[64], how[1024];

	*mount = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %2047s %63s %1023s", where, type, how) != 3)
			continue;
		/* Version 1 has memory where it is mounted, version 2 else. */
		if (!strcmp(type, "cgroup") && strstr(how, "memory")) {
			snprintf(mount, room, "%s", where);
			break;
		}
		if (!strcmp(type, "cgroup2"))
			snprintf(mount, room, "%s", where);
	}
	if (file)
		fclose(file);
	sys_unescape(mount);
}

static void collect(struct groups *groups, const char *mount, const char *below)
{
	char *path = xprintf("%s%s%s", sys_root, mount, below);
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (!stat(path, &st)) {
		groups->g = xgrow(groups->g, groups->nr + 1, sizeof(*groups->g));
		groups->g[groups->nr++] = (struct group){
			.inode = st.st_ino, .path = xprintf("%s", *below ? below : "/"), .name = -1,
		};
	}
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char *next;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		next = xprintf("%s/%s", below, entry->d_name);
		collect(groups, mount, next);
		free(next);
	}
	if (dir)
		closedir(dir);
	free(path);
}

static int by_inode(const void *a, const void *b)
{
	uint64_t x = ((const struct group *)a)->inode, y = ((const struct group *)b)->inode;

	return x < y ? -1 : x > y;
}

static int name_of(struct holders *holders, struct groups *groups, uint64_t inode)
{
	struct group key = { .inode = inode }, *found = NULL;
	char gone[64];

	if (groups->nr)
		found = bsearch(&key, groups->g, groups->nr, sizeof(key), by_inode);
	if (!found) {
		/* Its directory was removed, or is not below our mount. */
		snprintf(gone, sizeof(gone), "inode %" PRIu64, inode);
		return holders_name(holders, gone);
	}
	if (found->name < 0)
		found->name = holders_name(holders, found->path);
	return found->name;
}

/* Some kernels tell it only of a compound page's head. */
static void spread(uint64_t *inodes, const uint64_t *flags, int nr)
{
	uint64_t head = 0;

	for (int i = 0; i < nr; i++) {
		if (!KPF(flags[i], COMPOUND_TAIL))
			head = inodes[i];
		else if (!inodes[i])
			inodes[i] = head;
	}
}

static void one_window(struct holders *holders, struct groups *groups, struct window *window,
		       struct kpage *kpage)
{
	static uint64_t inodes[KPAGE_CHUNK], flags[KPAGE_CHUNK];
	uint64_t last = 0;
	int name = -1;

	for (uint32_t at = 0; at < window->nr;) {
		int nr = kpage_read(kpage->cgroup, window->pfn + at, window->nr - at, inodes);

		if (nr <= 0)
			return;
		if (kpage_read(kpage->flags, window->pfn + at, nr, flags) == nr)
			spread(inodes, flags, nr);
		for (int i = 0; i < nr; i++) {
			uint16_t *holder = &window->holder[at + i];
			uint8_t kind = window->kind[at + i];

			if (!inodes[i] || kind == KIND_FREE || kind == KIND_NONE)
				continue;
			if (inodes[i] != last) {
				last = inodes[i];
				name = name_of(holders, groups, last);
			}
			*holder = holder_with_cgroup(holders, *holder, name);
		}
		at += nr;
	}
}

/**
 * cgroups_charge() - add the memory cgroup to each page's holder
 * @holders: gets the cgroups' paths, from their mount on
 * @pages: the pages
 * @kpage: open files
 *
 * Return: false if the kernel doesn't tell.
 */
bool cgroups_charge(struct holders *holders, struct pages *pages, struct kpage *kpage)
{
	struct groups groups = { 0 };
	char mount[2048];

	if (kpage->cgroup < 0)
		return false;
	find_mount(mount, sizeof(mount));
	if (*mount)
		collect(&groups, mount, "");
	if (groups.nr)
		qsort(groups.g, groups.nr, sizeof(*groups.g), by_inode);
	for (int i = 0; i < pages->nr; i++)
		one_window(holders, &groups, &pages->w[i], kpage);
	for (int i = 0; i < groups.nr; i++)
		free(groups.g[i].path);
	free(groups.g);
	return *mount;
}
