// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Actors that use much memory: huge pages of both kinds, and what is left.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "soak.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/*
 * Transparent huge pages: made, split, collapsed, shortened.
 */
#define THP_SLOTS	3

static struct area thp[THP_SLOTS];

static enum outcome thp_new(struct area *a, struct draws *d)
{
	size_t pages = (1 + draw(d, 8)) * HUGE_PAGES;

	if (!room(pages * PAGE, FLOOR))
		return skip("memory");
	if (!area_map(a, pages, 0))
		return refuse(errno);
	madvise(a->mem, pages * PAGE, MADV_HUGEPAGE);
	area_fill(a);
	return DONE;
}

/* A hole splits what was huge; small pages fill it. */
static void thp_hole(struct area *a, struct draws *d)
{
	size_t first = draw(d, a->pages), nr = 1 + draw(d, a->pages - first);

	madvise(a->mem + first * PAGE, nr * PAGE, MADV_DONTNEED);
	for (size_t i = first; i < first + nr; i++)
		page_fill(a->mem + i * PAGE, i, a->gen);
}

static enum outcome thp_op(struct draws *d)
{
	struct area *a = &thp[draw(d, THP_SLOTS)];
	unsigned int what = draw(d, 6);
	enum outcome outcome = DONE;

	if (!a->mem)
		return thp_new(a, d);
	area_check(a, "THP");
	switch (what) {
	case 0:
		area_free(a);
		break;
	case 1:
		area_fill(a);
		break;
	case 2:
	case 3:
		thp_hole(a, d);
		break;
	case 4:
		if (madvise(a->mem, a->pages * PAGE, MADV_COLLAPSE))
			outcome = refuse(errno);
		break;
	case 5:
		if (a->pages < 2 * HUGE_PAGES)
			break;
		a->pages /= 2;
		munmap(a->mem + a->pages * PAGE, a->pages * PAGE);
		break;
	}
	if (a->mem)
		area_check(a, "THP afterwards");
	return outcome;
}

static void thp_end(void)
{
	for (int i = 0; i < THP_SLOTS; i++) {
		if (thp[i].mem)
			area_check(&thp[i], "THP at the end");
		area_free(&thp[i]);
	}
}

const struct actor actor_thp = { "thp", thp_op, thp_end, 150 };

/*
 * hugetlb: the pool grows and shrinks, and its pages are used.
 */
#define POOL		"/proc/sys/vm/nr_hugepages"
#define OVERCOMMIT	"/proc/sys/vm/nr_overcommit_hugepages"
#define HUGETLB_SLOTS	3

static struct area hugetlb[HUGETLB_SLOTS];
static sigjmp_buf no_page;

static void on_sigbus(int sig)
{
	siglongjmp(no_page, sig);
}

/* The pool may have promised more than it can give: a SIGBUS at first touch. */
static bool hugetlb_fill(struct area *a)
{
	bool ok = false;

	signal(SIGBUS, on_sigbus);
	if (!sigsetjmp(no_page, 1)) {
		area_fill(a);
		ok = true;
	}
	signal(SIGBUS, SIG_DFL);
	return ok;
}

static enum outcome hugetlb_map(struct area *a, size_t pages)
{
	if (!room(pages * PAGE, FLOOR))
		return skip("memory");
	if (!area_map(a, pages, MAP_HUGETLB))
		return refuse(errno);
	if (!hugetlb_fill(a)) {
		area_free(a);
		return refuse(EFAULT);
	}
	return DONE;
}

static enum outcome hugetlb_pool(const char *path, unsigned int nr)
{
	char text[20];
	int rc;

	if (nr && !room(nr * HUGE_PAGES * PAGE, FLOOR))
		return skip("memory");
	snprintf(text, sizeof(text), "%u", nr);
	rc = put(path, text);
	return rc ? refuse(rc) : DONE;
}

static enum outcome hugetlb_op(struct draws *d)
{
	unsigned int what = draw(d, 5), nr = draw(d, 17);
	struct area *a = &hugetlb[draw(d, HUGETLB_SLOTS)];

	if (access(POOL, W_OK))
		return skip("kernel has no hugetlb");
	doing("hugetlb");
	if (what == 0)
		return hugetlb_pool(POOL, nr);
	if (what == 1)
		return hugetlb_pool(OVERCOMMIT, nr / 2);
	if (!a->mem)
		return hugetlb_map(a, (1 + nr / 4) * HUGE_PAGES);
	area_check(a, "hugetlb");
	if (what == 2)
		area_free(a);
	else if (what == 3)
		area_fill(a);
	return DONE;
}

static void hugetlb_end(void)
{
	for (int i = 0; i < HUGETLB_SLOTS; i++) {
		if (hugetlb[i].mem)
			area_check(&hugetlb[i], "hugetlb at the end");
		area_free(&hugetlb[i]);
	}
	put(POOL, "0");
	put(OVERCOMMIT, "0");
}

const struct actor actor_hugetlb = { "hugetlb", hugetlb_op, hugetlb_end, 150 };

/*
 * The hog: fills what is left, and lets go again.
 */
#define HOG_PAGES	1024UL
#define HOG_CHUNKS	160

static struct area hog[HOG_CHUNKS];
static unsigned int hog_nr;

static void hog_drop(void)
{
	area_check(&hog[--hog_nr], "hog");
	area_free(&hog[hog_nr]);
}

static enum outcome hog_grow(unsigned int nr)
{
	for (; nr && hog_nr < HOG_CHUNKS; nr--) {
		if (!room(HOG_PAGES * PAGE, HIGH_FLOOR))
			return skip("memory");
		if (!area_map(&hog[hog_nr], HOG_PAGES, 0))
			return refuse(errno);
		area_fill(&hog[hog_nr++]);
	}
	return DONE;
}

static enum outcome hog_op(struct draws *d)
{
	unsigned int what = draw(d, 8), nr = 1 + draw(d, 6);
	unsigned int at = draw(d, HOG_CHUNKS);

	/* Less may be available than when it was taken. */
	while (hog_nr && !room(0, HIGH_FLOOR - 64 * MIB))
		hog_drop();
	if (what < 4)
		return hog_grow(nr);
	if (!hog_nr)
		return DONE;
	at %= hog_nr;
	if (what == 4)
		while (nr-- && hog_nr)
			hog_drop();
	else if (what == 5)
		area_fill(&hog[at]);
	else
		area_check(&hog[at], "hog");
	return DONE;
}

static void hog_end(void)
{
	while (hog_nr)
		hog_drop();
}

const struct actor actor_hog = { "hog", hog_op, hog_end, 60 };
