// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory of which every word says whose it is: round, actor, generation, page,
 * word.  Times an odd number, so that it is nothing that memory has by itself,
 * and can still be read back when a word turns up where it should not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "soak.h"

#define WORDS	(PAGE / sizeof(uint64_t))
#define ODD	0x9e3779b97f4a7c15ULL

/* round 8 bits, actor 5, generation 16, page 26, word 9 */
static uint64_t tag(size_t page, uint16_t gen)
{
	uint64_t actor = run.me - run.board->counts;

	return (uint64_t)run.round << 56 | (actor & 31) << 51 |
	       (uint64_t)gen << 35 | (uint64_t)(page & 0x3ffffff) << 9;
}

/* Newton: each step doubles the number of bits that are right. */
static uint64_t inverse(uint64_t odd)
{
	uint64_t x = odd;

	for (int i = 0; i < 6; i++)
		x *= 2 - odd * x;
	return x;
}

/* Where the page is; 0 if it is nowhere, or can't be told. */
unsigned long long address_of(const void *mem)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)mem / PAGE * 8) != 8)
		entry = 0;
	close(fd);
	return entry >> 63 ? (entry & ((1ULL << 55) - 1)) * PAGE : 0;
}

void page_fill(void *mem, size_t page, uint16_t gen)
{
	uint64_t *word = mem, base = tag(page, gen);

	for (size_t i = 0; i < WORDS; i++)
		word[i] = (base + i) * ODD;
}

void page_check(const void *mem, size_t page, uint16_t gen, const char *when)
{
	const uint64_t *word = mem;
	uint64_t base = tag(page, gen), got, was;

	for (size_t i = 0; i < WORDS; i++) {
		got = __atomic_load_n(&word[i], __ATOMIC_RELAXED);
		if (got == (base + i) * ODD)
			continue;
		was = got * inverse(ODD);
		bad("%s: page %zu word %zu of generation %u: 0x%llx, which would be round %llu actor %llu generation %llu page %llu word %llu; now 0x%llx, at 0x%llx",
		    when, page, i, gen, (unsigned long long)got,
		    (unsigned long long)(was >> 56),
		    (unsigned long long)(was >> 51 & 31),
		    (unsigned long long)(was >> 35 & 0xffff),
		    (unsigned long long)(was >> 9 & 0x3ffffff),
		    (unsigned long long)(was & 511),
		    (unsigned long long)word[i], address_of(word));
	}
}

/* Anonymous memory, not touched yet; MAP_* of your own in @flags. */
bool area_map(struct area *a, size_t pages, int flags)
{
	a->mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	if (a->mem == MAP_FAILED) {
		a->mem = NULL;
		return false;
	}
	a->pages = pages;
	return true;
}

void area_free(struct area *a)
{
	if (a->mem)
		munmap(a->mem, a->pages * PAGE);
	a->mem = NULL;
}

/* A new generation of all pages. */
void area_fill(struct area *a)
{
	a->gen++;
	for (size_t i = 0; i < a->pages; i++)
		page_fill(a->mem + i * PAGE, i, a->gen);
}

void area_check(const struct area *a, const char *when)
{
	for (size_t i = 0; i < a->pages; i++)
		page_check(a->mem + i * PAGE, i, a->gen, when);
}
