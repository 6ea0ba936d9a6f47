/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every difference between the kernel versions that this driver supports, and
 * nothing else.  Tested: Debian's 6.1, 6.12 and 7.3.  docs/decisions.md says why
 * newer kernels are refused.
 */
#ifndef _VIRTIO_MEM_COMPAT_H
#define _VIRTIO_MEM_COMPAT_H

#include <linux/gfp.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/version.h>
#include <linux/vmstat.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "virtio_mem: kernels before 6.1 are not supported"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 4, 0)
#error "virtio_mem: kernels after 7.3 are not supported yet"
#endif

/*
 * Until 6.10 offlining subtracts every page of a memory block from the managed
 * pages, PageOffline or not; from 6.11 on it leaves out those that are
 * PageOffline.  (There is no macro that tells.)
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define VIRTIO_MEM_OFFLINING_UNMANAGES_ALL	1
#else
#define VIRTIO_MEM_OFFLINING_UNMANAGES_ALL	0
#endif

/*
 * Until 6.7 the core adds and removes memory that holds its own memmap one
 * memory block at a time, fails with EINVAL where it does not support that, and
 * can't be asked.  From 6.8 on it takes any number of memory blocks, can be
 * asked, and else ignores the wish.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define VIRTIO_MEM_HOSTS_ONE_BLOCK	1
#else
#define VIRTIO_MEM_HOSTS_ONE_BLOCK	0
#endif

static inline bool virtio_mem_compat_hosts_memmap(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	return true;
#else
	return mhp_supports_memmap_on_memory();
#endif
}

/* Since 6.10 a trace event names the source of a string only once. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define VIRTIO_MEM_ASSIGN_STR(dst, src)	__assign_str(dst, src)
#else
#define VIRTIO_MEM_ASSIGN_STR(dst, src)	__assign_str(dst)
#endif

/* The third argument was a migrate type before it became flags. */
#ifdef ACR_FLAGS_NONE
#define VIRTIO_MEM_ACR_ARG	ACR_FLAGS_NONE
#else
#define VIRTIO_MEM_ACR_ARG	MIGRATE_MOVABLE
#endif

/* In 6.12 alloc_contig_range() is a macro over *_noprof(). */
static inline int virtio_mem_compat_alloc_range(unsigned long start,
						unsigned long end)
{
	/* RETRY_MAYFAIL, because an unplug must never call the OOM killer. */
	return alloc_contig_range(start, end, VIRTIO_MEM_ACR_ARG,
				  GFP_KERNEL | __GFP_NOWARN |
				  __GFP_RETRY_MAYFAIL);
}

/*
 * How often a folio is mapped; below 0 if unknown.  It is unknown for large
 * folios before 6.10, because modules can't call the function that counts their
 * mappings; from 6.10 on the folio has the sum at hand.
 */
static inline int virtio_mem_compat_mapcount(struct folio *folio)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	if (folio_test_large(folio))
		return -1;
	return atomic_read(&folio->_mapcount) + 1;
#else
	return folio_mapcount(folio);
#endif
}

/*
 * Whether the page's owner (a balloon, zsmalloc) can move it though it is on no
 * LRU list.  Since 6.17 such pages have a flag of their own.
 */
static inline bool virtio_mem_compat_movable_ops(struct page *page)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
	return __PageMovable(page);
#else
	return page_has_movable_ops(page);
#endif
}

/* Pages that store compressed memory (zram, zswap). */
static inline unsigned long virtio_mem_compat_compressed_pages(void)
{
#if IS_ENABLED(CONFIG_ZSMALLOC)
	return global_zone_page_state(NR_ZSPAGES);
#else
	return 0;
#endif
}

#endif /* _VIRTIO_MEM_COMPAT_H */
