// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Actors that use memory page by page: pages that move between nodes, processes
 * that share pages until one of them writes.
 */
#define _GNU_SOURCE
#include <errno.h>
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
