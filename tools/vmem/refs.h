/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages are pinned: referenced more often than their mappings explain.
 */
#ifndef _VMEM_REFS_H
#define _VMEM_REFS_H

#include <stdbool.h>
#include <stdint.h>

struct kcore;
struct kcore_page;
struct kpage;

struct refs {
	struct kcore *kcore;   /* NULL: only pages that nobody maps are known */
	uint64_t *count;
	struct kcore_page *page;
	uint8_t *again;
};

void refs_open(struct refs *refs);
void refs_settle_kernel(struct refs *refs, struct kpage *kpage, uint64_t pfn, int nr,
			uint64_t *flags, uint8_t *kind);
void refs_find_pins(struct refs *refs, struct kpage *kpage, uint64_t pfn, int nr,
		    uint64_t *flags, uint8_t *kind);
void refs_close(struct refs *refs);

#endif
