/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every difference between the kernel versions that this module supports, and
 * nothing else.  Supported and tested: Debian's 6.1, 6.12 and 7.3.
 */
#ifndef _FAULT_COMPAT_H
#define _FAULT_COMPAT_H

#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pageblock-flags.h>
#include <linux/version.h>

/* How many orders the buddy allocator has. */
#ifdef NR_PAGE_ORDERS
#define FAULT_NR_ORDERS		NR_PAGE_ORDERS
#else
#define FAULT_NR_ORDERS		MAX_ORDER
#endif

/* Whether the bits of a pageblock say so; since 6.17 it is one of its own. */
static inline bool fault_compat_isolated(unsigned long bits)
{
#ifdef PAGEBLOCK_ISO_MASK
	return bits & PAGEBLOCK_ISO_MASK;
#else
	return (bits & MIGRATETYPE_MASK) == MIGRATE_ISOLATE;
#endif
}

/*
 * How often a folio is mapped.  Before 6.10 modules can't call the function
 * that counts the mappings of large folios; the number of references then
 * stands in.
 */
static inline int fault_compat_mapcount(struct folio *folio)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	if (folio_test_large(folio))
		return folio_ref_count(folio);
	return atomic_read(&folio->_mapcount) + 1;
#else
	return folio_mapcount(folio);
#endif
}

#endif /* _FAULT_COMPAT_H */
