// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Marks in unplugged memory: whoever writes to it is found out when it is
 * plugged.  Also proves that there is memory at all.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "mock.h"

/* A mark in every so many bytes: few, since each makes the host back a page. */
#define STRIDE	SZ_128K

static u64 mark(u64 addr)
{
	return addr ^ 0x5bd1e995a5a5a5a5ULL;
}

/**
 * mock_poison_fill() - mark memory that is unplugged now
 * @m: the device
 * @addr: bytes
 * @size: bytes
 *
 * Return: 0 or -ENOMEM.
 */
int mock_poison_fill(struct mock *m, u64 addr, u64 size)
{
	u8 *mem = memremap(addr, size, MEMREMAP_WB);
	u64 i;

	if (!mem)
		return -ENOMEM;
	for (i = 0; i < size; i += STRIDE)
		*(u64 *)(mem + i) = mark(addr + i);
	memunmap(mem);
	return 0;
}

/**
 * mock_poison_check() - whether unplugged memory has been written to
 * @m: the device
 * @addr: bytes
 * @size: bytes
 *
 * Return: 1 if so, else 0; -ENOMEM if nobody can tell.
 */
int mock_poison_check(struct mock *m, u64 addr, u64 size)
{
	u8 *mem = memremap(addr, size, MEMREMAP_WB);
	int rc = 0;
	u64 i;

	if (!mem)
		return -ENOMEM;
	for (i = 0; i < size && !rc; i += STRIDE)
		rc = *(u64 *)(mem + i) != mark(addr + i);
	memunmap(mem);
	return rc;
}
