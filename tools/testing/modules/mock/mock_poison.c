// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Marks unplugged memory, and finds out when it is plugged whether anybody has
 * written to it.  Also proves that there is memory at all.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "mock.h"

/*
 * The distance of the marks, in bytes.  It is large, because each mark makes
 * the host back a page; larger still with KASAN, because each is mapped for
 * itself.
 */
#define STRIDE	(IS_ENABLED(CONFIG_KASAN_VMALLOC) ? SZ_16M : SZ_128K)

static u64 mark(u64 addr)
{
	return addr ^ 0x5bd1e995a5a5a5a5ULL;
}

/* Where marks end, as a device may be larger than its memory. */
static u64 last(const struct mock *m, u64 end)
{
	return min(end, m->addr + m->real);
}

/* Maps a page for a while, unless all of the memory is mapped. */
static u64 *map(struct mock *m, u64 addr)
{
	if (m->mem)
		return m->mem + (addr - m->addr);
	return memremap(addr, sizeof(u64), MEMREMAP_WB);
}

static void unmap(struct mock *m, u64 *mem)
{
	if (!m->mem)
		memunmap(mem);
}

/**
 * mock_poison_map() - map the memory, for as long as the device exists
 * @m: the device
 *
 * Maps all of it at once, because a driver may add or remove it at any moment
 * later, even unplugged parts, and it is a race to map memory that Linux just
 * takes for its own.  Not with KASAN, because its shadow of the mapping would
 * take an eighth of the size from the little memory that is left.
 *
 * Return: 0; -ENOMEM; -ENXIO if there is no memory.
 */
int mock_poison_map(struct mock *m)
{
	if (!IS_ENABLED(CONFIG_KASAN_VMALLOC)) {
		m->mem = memremap(m->addr, m->real, MEMREMAP_WB);
		if (!m->mem)
			return -ENOMEM;
	}
	mock_poison_fill(m, m->addr, m->size);
	if (!mock_poison_check(m, m->addr, m->size))
		return 0;
	mock_poison_unmap(m);
	return -ENXIO;
}

/**
 * mock_poison_unmap() - undo mock_poison_map()
 * @m: the device
 */
void mock_poison_unmap(struct mock *m)
{
	if (m->mem)
		memunmap(m->mem);
}

/**
 * mock_poison_fill() - mark memory that is unplugged
 * @m: the device
 * @addr: bytes
 * @size: bytes
 *
 * Context: may sleep.
 */
void mock_poison_fill(struct mock *m, u64 addr, u64 size)
{
	u64 at = round_up(addr, STRIDE), end = last(m, addr + size);
	u64 *mem;

	for (; at < end; at += STRIDE) {
		mem = map(m, at);
		if (!mem)
			return;
		WRITE_ONCE(*mem, mark(at));
		unmap(m, mem);
		/* The host may have to find each of these pages first. */
		cond_resched();
	}
}

/**
 * mock_poison_check() - whether anybody has written to unplugged memory
 * @m: the device
 * @addr: bytes
 * @size: bytes
 *
 * Return: true if so; false if not, or if nobody can tell.
 */
bool mock_poison_check(struct mock *m, u64 addr, u64 size)
{
	u64 at = round_up(addr, STRIDE), end = last(m, addr + size);
	bool written = false;
	u64 *mem;

	for (; at < end && !written; at += STRIDE) {
		mem = map(m, at);
		if (!mem)
			return false;
		written = READ_ONCE(*mem) != mark(at);
		unmap(m, mem);
	}
	return written;
}
