/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every difference between the kernel versions and architectures that this
 * module supports, and nothing else.  Supported and tested: Debian's 6.1, 6.12
 * and 7.3 on x86-64, 6.12 on arm64.
 */
#ifndef _FAULT_COMPAT_H
#define _FAULT_COMPAT_H

#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pageblock-flags.h>
#include <linux/ptrace.h>
#include <linux/version.h>

/* Whom a function returns to, as its registers are at its entry. */
static inline unsigned long fault_compat_caller(struct pt_regs *regs)
{
#ifdef CONFIG_ARM64
	return procedure_link_pointer(regs);
#else
	return regs_get_kernel_stack_nth(regs, 0);
#endif
}

/* Whether a function can be called only where the compiler has marked it. */
static inline bool fault_compat_tracks_branches(void)
{
#ifdef CONFIG_ARM64
	return IS_ENABLED(CONFIG_ARM64_BTI_KERNEL);
#else
	return cpu_feature_enabled(X86_FEATURE_IBT);
#endif
}

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
