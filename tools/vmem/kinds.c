// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kinds of pages by their flags: names, whether they can be moved, what to do.
 */
#include "kinds.h"

#define BOOT_MOVABLE "boot with memhp_default_state=online_movable"

const struct kind_text kinds[KIND_NR] = {
	[KIND_NONE] = { "none", "no page", false, "" },
	[KIND_FREE] = { "free", "free", false, "" },
	[KIND_ANON] = { "anonymous", "anonymous", false, "stop it, or add swap" },
	[KIND_LOCKED] = { "locked", "locked (mlock)", false, "stop it, or have it lock less" },
	[KIND_KSM] = { "ksm", "merged (KSM)", false,
		"echo 2 >/sys/kernel/mm/ksm/run takes them apart, if there is room" },
	[KIND_FILE] = { "file", "page cache", false, "sync; sysctl vm.drop_caches=1" },
	[KIND_TMPFS] = { "tmpfs", "tmpfs or shared memory", false,
		"delete the file, or add swap" },
	[KIND_HUGETLB] = { "hugetlb", "hugetlb", false,
		"stop its user; fewer nr_hugepages" },
	[KIND_DRIVER] = { "driver", "movable by a driver (zsmalloc, balloon)", false,
		"swap less to zram or zswap" },
	[KIND_PINNED] = { "pinned", "pinned", true,
		"end its I/O (io_uring, O_DIRECT, pipe, RDMA, VFIO), or stop it" },
	[KIND_GIGANTIC] = { "gigantic", "gigantic hugetlb", true,
		"echo 0 >/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages" },
	[KIND_SLAB] = { "slab", "slab", true, "sysctl vm.drop_caches=2; " BOOT_MOVABLE },
	[KIND_PGTABLE] = { "page_table", "page tables", true,
		"stop the process they map for; " BOOT_MOVABLE },
	[KIND_OFFLINE] = { "offline", "balloon, or taken by a driver", true,
		"deflate the balloon" },
	[KIND_RESERVED] = { "reserved", "reserved (memory map, boot)", true, BOOT_MOVABLE },
	[KIND_POISON] = { "poisoned", "poisoned (broken memory)", false,
		"nothing: it goes with its block" },
	[KIND_KERNEL] = { "kernel", "other kernel memory", true,
		BOOT_MOVABLE "; page_owner=on tells who allocated it" },
};

static enum kind kind_of(uint64_t flags, bool gigantic)
{
	if (KPF(flags, NOPAGE))
		return KIND_NONE;
	if (KPF(flags, BUDDY))
		return KIND_FREE;
	if (KPF(flags, HWPOISON))
		return KIND_POISON;
	if (KPF(flags, OFFLINE))
		return KIND_OFFLINE;
	if (KPF(flags, HUGE))
		return gigantic ? KIND_GIGANTIC : KIND_HUGETLB;
	if (KPF(flags, SLAB))
		return KIND_SLAB;
	if (KPF(flags, PGTABLE))
		return KIND_PGTABLE;
	if (KPF(flags, KSM))
		return KIND_KSM;
	if (KPF(flags, ANON))
		return KPF(flags, MLOCKED) ? KIND_LOCKED : KIND_ANON;
	if (KPF(flags, RESERVED))
		return KIND_RESERVED;
	/* Only a file's page has ever been read; one in a batch is on no list yet. */
	if (KPF(flags, LRU) || KPF(flags, UPTODATE) || KPF(flags, UNEVICTABLE) || KPF(flags, SWAPBACKED))
		return KPF(flags, SWAPBACKED) ? KIND_TMPFS : KIND_FILE;
	return KIND_KERNEL;
}

/* A page of 1 GiB is one whose next 2 MiB, or these, begin with no head. */
static bool is_gigantic(const uint64_t *flags, int nr, int at)
{
	int first = at / KINDS_ALIGN * KINDS_ALIGN, next = first + KINDS_ALIGN;

	return !KPF(flags[first], COMPOUND_HEAD) ||
	       (next < nr && KPF(flags[next], HUGE) && !KPF(flags[next], COMPOUND_HEAD));
}

/**
 * kinds_of() - tell the kinds of adjacent pages by their flags
 * @flags: from /proc/kpageflags, of pages from a multiple of KINDS_ALIGN on; a
 *         tail's are replaced by its head's, because many flags are only there
 * @nr: how many pages
 * @out: an enum kind each; never KIND_PINNED, which flags alone don't tell
 */
void kinds_of(uint64_t *flags, int nr, uint8_t *out)
{
	const uint64_t tail = 1ULL << KPF_COMPOUND_TAIL, head = 1ULL << KPF_COMPOUND_HEAD;
	uint64_t of_head = 0;

	for (int i = 0; i < nr; i++) {
		bool gigantic = KPF(flags[i], HUGE) && is_gigantic(flags, nr, i);

		if (KPF(flags[i], COMPOUND_HEAD))
			of_head = flags[i];
		out[i] = kind_of(KPF(flags[i], COMPOUND_TAIL) && of_head && !gigantic ?
				 of_head : flags[i], gigantic);
		/* Not before the look at this page: is_gigantic() wants it as it was. */
		if (KPF(flags[i], COMPOUND_TAIL) && of_head && !gigantic)
			flags[i] = (of_head & ~head) | tail;
	}
}
