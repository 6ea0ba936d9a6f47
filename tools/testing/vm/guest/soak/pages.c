// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Actors that use memory page by page: a file, pages that move between nodes,
 * processes that share pages until one of them writes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

/*
 * A file in the page cache, written, mapped, and with holes.
 */
#define FILE_NAME	"/tmp/soak.file"
#define FILE_PAGES	2048UL

static struct {
	int fd;
	uint16_t gen[FILE_PAGES];	/* 0: a hole */
} file = { .fd = -1 };

static void file_check(size_t page)
{
	static const char zero[PAGE];
	static char buf[PAGE];

	if (pread(file.fd, buf, PAGE, page * PAGE) != (ssize_t)PAGE)
		bad("reading page %zu: %s", page, strerror(errno));
	if (file.gen[page])
		page_check(buf, page, file.gen[page], "file");
	else if (memcmp(buf, zero, PAGE))
		bad("file: page %zu is a hole, but has data", page);
}

static enum outcome file_write(size_t first, size_t nr, uint16_t gen)
{
	static char buf[PAGE];

	for (size_t i = first; i < first + nr; i++) {
		page_fill(buf, i, gen);
		if (pwrite(file.fd, buf, PAGE, i * PAGE) != (ssize_t)PAGE)
			return refuse(errno);
		file.gen[i] = gen;
	}
	return DONE;
}

/* Through a mapping: pages that others map can't go by the same path. */
static enum outcome file_map(size_t first, size_t nr, uint16_t gen)
{
	unsigned char *mem = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE,
				  MAP_SHARED, file.fd, first * PAGE);

	if (mem == MAP_FAILED)
		return refuse(errno);
	for (size_t i = 0; i < nr; i++) {
		page_fill(mem + i * PAGE, first + i, gen);
		file.gen[first + i] = gen;
	}
	nap(20);
	for (size_t i = 0; i < nr; i++)
		page_check(mem + i * PAGE, first + i, gen, "mapped file");
	munmap(mem, nr * PAGE);
	return DONE;
}

static enum outcome file_op(struct draws *d)
{
	unsigned int what = draw(d, 5);
	size_t first = draw(d, FILE_PAGES);
	size_t nr = 1 + draw(d, FILE_PAGES - first);
	uint16_t gen = 1 + draw(d, 65535);

	if (file.fd < 0) {
		file.fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (file.fd < 0 || ftruncate(file.fd, FILE_PAGES * PAGE))
			bad("%s: %s", FILE_NAME, strerror(errno));
	}
	if (what < 2 && !room(nr * PAGE, FLOOR))
		return skip("memory");
	if (what == 0)
		return file_write(first, nr, gen);
	if (what == 1)
		return file_map(first, nr, gen);
	if (what == 2) {
		if (fallocate(file.fd,
			      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      first * PAGE, nr * PAGE))
			return refuse(errno);
		memset(&file.gen[first], 0, nr * sizeof(file.gen[0]));
		return DONE;
	}
	for (size_t i = first; i < first + nr; i++)
		file_check(i);
	return DONE;
}

static void file_end(void)
{
	if (file.fd < 0)
		return;
	for (size_t i = 0; i < FILE_PAGES; i++)
		file_check(i);
	close(file.fd);
	unlink(FILE_NAME);
}

const struct actor actor_file = { "file", file_op, file_end, 80 };

/*
 * Pages that are sent from node to node.
 */
#define MOVE_PAGES	1024UL
#define MPOL_MF_MOVE	2

static struct area move;

static bool node_room(int node, size_t bytes)
{
	unsigned long kib = 0;
	char line[100];
	FILE *f;

	snprintf(line, sizeof(line),
		 "/sys/devices/system/node/node%d/meminfo", node);
	f = fopen(line, "r");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Node %*d MemFree: %lu", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024 >= bytes;
}

static enum outcome move_op(struct draws *d)
{
	size_t first = draw(d, MOVE_PAGES);
	size_t nr = 1 + draw(d, MOVE_PAGES - first);
	static int nodes[MOVE_PAGES], status[MOVE_PAGES];
	static void *pages[MOVE_PAGES];
	int node = draw(d, 2), error = 0;

	if (access("/sys/devices/system/node/node1", F_OK))
		return skip("one node only");
	/* The kernel complains if the node has nothing left. */
	if (!node_room(node, 2 * MOVE_PAGES * PAGE + FLOOR))
		return skip("memory of the node");
	if (!move.mem) {
		if (!room(MOVE_PAGES * PAGE, FLOOR))
			return skip("memory");
		if (!area_map(&move, MOVE_PAGES, 0))
			return refuse(errno);
		area_fill(&move);
	}
	for (size_t i = 0; i < nr; i++) {
		pages[i] = move.mem + (first + i) * PAGE;
		nodes[i] = node;
	}
	if (syscall(SYS_move_pages, 0, nr, pages, nodes, status,
		    MPOL_MF_MOVE) < 0)
		return refuse(errno);
	for (size_t i = 0; i < nr; i++) {
		page_check(pages[i], first + i, move.gen, "move");
		if (status[i] < 0)
			error = -status[i];
	}
	return error ? refuse(error) : DONE;
}

static void move_end(void)
{
	if (move.mem)
		area_check(&move, "move at the end");
	area_free(&move);
}

const struct actor actor_move = { "move", move_op, move_end, 60 };

/*
 * Processes that share pages until one of them writes.
 */
#define COW_PAGES	1024UL

static struct {
	unsigned char *mem;
	uint16_t gen[COW_PAGES];
} cow;

/* Generations: of the parent, or of which child. */
#define COW_COUNT	0x1fff
#define COW_CHILD(n)	(((n) + 1) << 13)

static void cow_write(struct draws *d, unsigned int nr, uint16_t who)
{
	for (; nr && !stopping(); nr--) {
		size_t page = draw(d, COW_PAGES);
		uint16_t gen = cow.gen[page];

		page_check(cow.mem + page * PAGE, page, gen, "COW");
		gen = ((gen + 1) & COW_COUNT) | who;
		page_fill(cow.mem + page * PAGE, page, gen);
		cow.gen[page] = gen;
	}
}

static void cow_check(const char *when)
{
	for (size_t i = 0; i < COW_PAGES; i++)
		page_check(cow.mem + i * PAGE, i, cow.gen[i], when);
}

static void cow_child(struct draws *d, unsigned int n)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	cow_write(d, 300, COW_CHILD(n));
	cow_check("COW in a child");
	_exit(0);
}

static enum outcome cow_op(struct draws *d)
{
	unsigned int nr = 1 + draw(d, 3), started = 0;
	enum outcome outcome = DONE;
	pid_t child[3], pid;
	int status;

	if (!room((nr + 1) * COW_PAGES * PAGE, FLOOR))
		return skip("memory");
	if (!cow.mem) {
		struct area a = { };

		if (!area_map(&a, COW_PAGES, 0))
			return refuse(errno);
		cow.mem = a.mem;
		area_fill(&a);
		for (size_t i = 0; i < COW_PAGES; i++)
			cow.gen[i] = a.gen;
	}
	while (started < nr) {
		struct draws own = { draw(d, UINT64_MAX) };

		pid = fork();
		if (!pid)
			cow_child(&own, started);
		if (pid < 0) {
			outcome = refuse(errno);
			break;
		}
		child[started++] = pid;
	}
	cow_write(d, 300, 0);
	while (started) {
		pid = waitpid(child[--started], &status, 0);
		if (pid < 0 && errno == EINTR)
			started++;
		else if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
			bad("child: status 0x%x", status);
	}
	cow_check("COW in the parent");
	return outcome;
}

const struct actor actor_cow = { "cow", cow_op, NULL, 150 };
