// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tells whether added memory shall hold its own memmap, and where in a memory
 * block that memmap ends.  This file only observes.
 *
 * The core puts the memmap of such a memory block into the first pages of the
 * block.  These pages never belong to the allocator, are never online or
 * offline for a notifier, and leave Linux with the block.  Nothing in the pages
 * themselves tells them apart for sure, because their flags have other meanings
 * elsewhere.  The page tables do: they map the memmap of the block to the block.
 * That holds for memory of an earlier load, and while the memory is offline.
 */
#include <linux/memory.h>
#include <linux/mm.h>
#ifdef CONFIG_X86_64
#include <linux/pgtable.h>
#endif

#include "virtio_mem_compat.h"
#include "virtio_mem_memmap.h"
#include "virtio_mem_param.h"

static unsigned long block_pages(void)
{
	return PHYS_PFN(memory_block_size_bytes());
}

/* The page that a kernel address is mapped to; 0 if that can't be told. */
static unsigned long mapped_pfn(const void *at)
{
#ifdef CONFIG_X86_64
	unsigned int level = PG_LEVEL_NONE;
	pte_t *pte = lookup_address((unsigned long)at, &level);

	/* The PFN of a larger leaf is that of its first page. */
	if (pte && level == PG_LEVEL_4K)
		return pte_pfn(*pte);
	if (pte && level == PG_LEVEL_2M)
		return pmd_pfn(*(pmd_t *)pte) + PHYS_PFN((unsigned long)at & ~PMD_MASK);
#endif
	return 0;
}

/**
 * virtio_mem_memmap_may_host() - whether to add memory that holds its memmap
 * @pages: pages that are added at a time
 *
 * Return: false if the user or the kernel does not allow it.  A kernel that
 * can't be asked (see virtio_mem_memmap_can_ask()) may still refuse it.
 */
bool virtio_mem_memmap_may_host(unsigned long pages)
{
	if (!IS_ENABLED(CONFIG_X86_64) || !READ_ONCE(virtio_mem_memmap_on_memory))
		return false;
	if (VIRTIO_MEM_HOSTS_ONE_BLOCK && pages != block_pages())
		return false;
	return virtio_mem_compat_hosts_memmap();
}

/**
 * virtio_mem_memmap_can_ask() - whether virtio_mem_memmap_may_host() is certain
 *
 * Return: false if only an add tells whether the kernel supports it.
 */
bool virtio_mem_memmap_can_ask(void)
{
	return !VIRTIO_MEM_HOSTS_ONE_BLOCK;
}

/**
 * virtio_mem_memmap_size() - compute the size of a memmap
 * @pages: of so many pages
 *
 * Return: pages.
 */
unsigned long virtio_mem_memmap_size(unsigned long pages)
{
	return DIV_ROUND_UP(pages * sizeof(struct page), PAGE_SIZE);
}

/**
 * virtio_mem_memmap_end() - the end of the memmap that a memory block holds
 * @pfn: a page of the memory block, which is added, online or not
 *
 * Context: the memory block stays added meanwhile.
 * Return: PFN of the first page after the memmap, which is the first of the
 * memory block if its memmap is elsewhere.
 */
unsigned long virtio_mem_memmap_end(unsigned long pfn)
{
	unsigned long start = ALIGN_DOWN(pfn, block_pages());
	unsigned long at = mapped_pfn(pfn_to_page(start));

	if (at < start || at >= start + block_pages())
		return start;
	return start + ALIGN(virtio_mem_memmap_size(block_pages()),
			     pageblock_nr_pages);
}

/**
 * virtio_mem_memmap_fits() - whether the kernel can remove memory at once
 * @pfn: the first page, of whole memory blocks that are added
 * @nr: pages
 *
 * Context: the memory stays added meanwhile.
 * Return: false if only some of the memory blocks hold their memmap, or if
 * several do and the kernel removes these one by one.
 */
bool virtio_mem_memmap_fits(unsigned long pfn, unsigned long nr)
{
	unsigned long end = pfn + nr;
	bool first = virtio_mem_memmap_end(pfn) > pfn;

	if (VIRTIO_MEM_HOSTS_ONE_BLOCK && first && nr > block_pages())
		return false;
	for (; pfn < end; pfn += block_pages())
		if ((virtio_mem_memmap_end(pfn) > pfn) != first)
			return false;
	return true;
}
