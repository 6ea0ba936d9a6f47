// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which processes map the pages that are asked about, and of which file.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holders.h"
#include "kinds.h"
#include "pagemap.h"
#include "pages.h"
#include "procs.h"
#include "sys.h"

struct walk {
	struct holders *holders;
	struct pages *pages;
	int pid;
	int process;        /* index; -1 until it maps one of the pages */
	bool numbers;       /* the kernel tells us page numbers */
	const char *file;   /* of this mapping, or NULL */
	int file_index;
};

static char *command_of(int pid)
{
	char *comm = sys_read("/proc/%d/comm", pid);

	for (char *c = comm; c && *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	return comm ? comm : xprintf("?");
}

static bool is_of_a_file(uint8_t kind)
{
	return kind == KIND_FILE || kind == KIND_TMPFS || kind == KIND_HUGETLB ||
	       kind == KIND_GIGANTIC || kind == KIND_PINNED || kind == KIND_KERNEL;
}

static void one_page(uint64_t pfn, void *arg)
{
	struct walk *walk = arg;
	uint32_t at;
	struct window *window = pages_find(walk->pages, pfn, &at);
	uint16_t *holder;

	if (!window)
		return;
	if (walk->process < 0)
		walk->process = holders_process(walk->holders, walk->pid, command_of(walk->pid));
	walk->holders->process[walk->process].pages++;
	holder = &window->holder[at];
	if (walk->file && is_of_a_file(window->kind[at])) {
		if (walk->file_index < 0)
			walk->file_index = holders_name(walk->holders, walk->file);
		*holder = holder_with_file(walk->holders, *holder, walk->file_index);
	}
	*holder = holder_with_process(walk->holders, *holder, walk->process);
}

/* Our own memory is free again when anybody reads the answer. */
static void own_page(uint64_t pfn, void *arg)
{
	struct walk *walk = arg;
	uint32_t at;
	struct window *window = pages_find(walk->pages, pfn, &at);

	walk->numbers |= pfn != 0;
	if (window && (window->kind[at] == KIND_ANON || window->kind[at] == KIND_LOCKED))
		window->kind[at] = KIND_FREE;
}

/* Return: the file's path in a line of maps; NULL for memory without a name. */
static const char *file_of(char *line)
{
	char *path = strchr(line, '/');

	if (!path)
		return NULL;
	path[strcspn(path, "\n")] = '\0';
	/* The kernel's name for shared memory that has no file. */
	if (!strncmp(path, "/dev/zero (deleted)", 19) || !strncmp(path, "/anon_hugepage", 14))
		return NULL;
	return path;
}

static void one_process(struct walk *walk, pagemap_fn fn)
{
	FILE *maps = sys_fopen("/proc/%d/maps", walk->pid);
	int fd = sys_open("/proc/%d/pagemap", walk->pid);
	uint64_t start, end;
	char *line = NULL;
	size_t room = 0;

	walk->process = -1;
	while (maps && fd >= 0 && getline(&line, &room, maps) > 0) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			continue;
		/* The last page of the address space is the kernel's. */
		if (start >> 63)
			continue;
		walk->file = file_of(line);
		walk->file_index = -1;
		pagemap_walk(fd, start, end, fn, walk);
	}
	free(line);
	if (maps)
		fclose(maps);
	if (fd >= 0)
		close(fd);
}

static uint64_t status_kib(const char *status, const char *key)
{
	const char *at = status ? strstr(status, key) : NULL;

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* Whoever has page tables, or pinned pages, may be the one that they are of. */
static void account(struct walk *walk)
{
	char *status = sys_read("/proc/%d/status", walk->pid);
	uint64_t tables = status_kib(status, "\nVmPTE:"), pinned = status_kib(status, "\nVmPin:");
	struct process *process;

	free(status);
	if (walk->process < 0 && !tables && !pinned)
		return;
	if (walk->process < 0)
		walk->process = holders_process(walk->holders, walk->pid, command_of(walk->pid));
	process = &walk->holders->process[walk->process];
	process->table_kib = tables;
	process->pinned_kib = pinned;
}

/**
 * procs_walk() - look at what all processes map
 * @holders: gets the processes that map a page, and their files
 * @pages: get their holders
 *
 * Return: false if the kernel tells us no page numbers: root without CAP_SYS_ADMIN.
 */
bool procs_walk(struct holders *holders, struct pages *pages)
{
	struct walk walk = { .holders = holders, .pages = pages };
	DIR *dir = sys_opendir("/proc");
	struct dirent *entry;
	int self = getpid();

	while (dir && (entry = readdir(dir))) {
		walk.pid = atoi(entry->d_name);
		if (walk.pid <= 0)
			continue;
		if (walk.pid == self) {
			one_process(&walk, own_page);
			continue;
		}
		one_process(&walk, one_page);
		account(&walk);
	}
	if (dir)
		closedir(dir);
	return walk.numbers;
}
