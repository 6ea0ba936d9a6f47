/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kinds of pages by their flags: names, whether they can be moved, what to do.
 */
#ifndef _VMEM_KINDS_H
#define _VMEM_KINDS_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of /proc/kpageflags: Documentation/admin-guide/mm/pagemap.rst. */
enum kpf {
	KPF_UPTODATE = 3, KPF_LRU = 5, KPF_SLAB = 7, KPF_BUDDY = 10, KPF_ANON = 12,
	KPF_SWAPCACHE = 13, KPF_SWAPBACKED = 14, KPF_COMPOUND_HEAD = 15, KPF_COMPOUND_TAIL = 16, KPF_HUGE = 17,
	KPF_UNEVICTABLE = 18, KPF_HWPOISON = 19, KPF_NOPAGE = 20, KPF_KSM = 21, KPF_THP = 22,
	KPF_OFFLINE = 23, KPF_PGTABLE = 26, KPF_RESERVED = 32, KPF_MLOCKED = 33, KPF_PRIVATE = 36,
};

#define KPF(flags, bit) ((flags) >> KPF_##bit & 1)

enum kind {
	KIND_NONE,      /* no page: offline, or a hole */
	KIND_FREE,
	KIND_ANON,
	KIND_LOCKED,    /* anonymous and mlock()ed */
	KIND_KSM,
	KIND_FILE,
	KIND_TMPFS,
	KIND_HUGETLB,
	KIND_DRIVER,    /* zsmalloc and others whose driver can move them */
	KIND_PINNED,    /* of a process or file, but held by more than that */
	KIND_GIGANTIC,  /* hugetlb pages of 1 GiB */
	KIND_SLAB,
	KIND_PGTABLE,
	KIND_OFFLINE,   /* a balloon's, or taken by a virtio-mem driver */
	KIND_RESERVED,  /* memory map, boot memory */
	KIND_POISON,
	KIND_KERNEL,    /* whatever else the kernel allocated */
	KIND_NR,
};

struct kind_text {
	const char *key;     /* in JSON; stable */
	const char *name;
	bool stuck;          /* nobody can move such a page */
	const char *advice;
};

extern const struct kind_text kinds[KIND_NR];

/* kinds_of() begins at a multiple of it, which no page of its size crosses. */
#define KINDS_ALIGN 512

void kinds_of(uint64_t *flags, int nr, uint8_t *out);

#endif
