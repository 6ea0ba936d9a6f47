// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An actor whose pages are declared broken, where the device may plug: softly,
 * which moves what is in them elsewhere, and with the loss of it.
 *
 * A memory block with a broken page can't be onlined any more once it is offline.
 * So this is rare: what is added, but not online, must not stop the driver.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

#define POISON_PAGES	1024UL
#define POISON_MOST	3	/* in one round */

static sigjmp_buf broken;
static unsigned int poisoned;

static void on_sigbus(int sig)
{
	siglongjmp(broken, sig);
}

/* The first page from @first on that is where the device may plug; -1: none. */
static ssize_t find(const struct area *a, size_t first)
{
	for (size_t i = 0; i < a->pages; i++) {
		size_t page = (first + i) % a->pages;
		uint64_t addr = address_of(a->mem + page * PAGE);

		if (addr >= run.start && addr < run.end)
			return page;
	}
	return -1;
}

static void check_but(const struct area *a, size_t lost)
{
	for (size_t i = 0; i < a->pages; i++)
		if (i != lost)
			page_check(a->mem + i * PAGE, i, a->gen,
				   "beside a broken page");
}

static int soft(const struct area *a, size_t page)
{
	int rc = madvise(a->mem + page * PAGE, PAGE, MADV_SOFT_OFFLINE) ?
		 errno : 0;

	check_but(a, a->pages);
	return rc;
}

/* In a process of its own: who can't be told of the loss is killed. */
static int hard(const struct area *a, size_t page)
{
	static int rc;	/* not lost by a jump */

	signal(SIGBUS, on_sigbus);
	if (!sigsetjmp(broken, 1) &&
	    madvise(a->mem + page * PAGE, PAGE, MADV_HWPOISON))
		rc = errno;
	if (!rc && !sigsetjmp(broken, 1)) {
		/* If it can be read after all, it must be right. */
		page_check(a->mem + page * PAGE, page, a->gen, "broken page");
		rc = EAGAIN;
	}
	check_but(a, page);
	return rc;
}

static void child(bool softly, bool huge, size_t first)
{
	struct area a = { };
	ssize_t page;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!area_map(&a, POISON_PAGES, 0))
		_exit(ENOMEM);
	if (huge)
		madvise(a.mem, POISON_PAGES * PAGE, MADV_HUGEPAGE);
	area_fill(&a);
	page = find(&a, first);
	if (page < 0)
		_exit(ENXIO);
	_exit(softly ? soft(&a, page) : hard(&a, page));
}

static enum outcome poison_op(struct draws *d)
{
	size_t first = draw(d, POISON_PAGES);
	bool softly = draw(d, 4), huge = draw(d, 2);
	int status, rc;
	pid_t pid;

	if (!run.poison)
		return skip("not in this round");
	if (poisoned == POISON_MOST)
		return skip("enough");
	if (!room(POISON_PAGES * PAGE, FLOOR))
		return skip("memory");
	doing(softly ? "soft" : "hard");
	pid = fork();
	if (pid < 0)
		return refuse(errno);
	if (!pid)
		child(softly, huge, first);
	while (waitpid(pid, &status, 0) != pid)
		;
	rc = WIFEXITED(status) ? WEXITSTATUS(status) : EHWPOISON;
	if (rc == EXIT_BAD || (WIFSIGNALED(status) && WTERMSIG(status) != SIGBUS &&
			       WTERMSIG(status) != SIGKILL))
		bad("child: status 0x%x", status);
	if (rc == EINVAL)
		return skip("kernel can't");
	if (rc == ENXIO)
		return skip("no page of the device's");
	/* A page may be broken now although it says that it failed. */
	poisoned++;
	return rc ? refuse(rc) : DONE;
}

const struct actor actor_poison = { "poison", poison_op, NULL, 3000 };
