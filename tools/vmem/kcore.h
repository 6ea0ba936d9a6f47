/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/kcore: what struct page has of a page and no other file tells.
 */
#ifndef _VMEM_KCORE_H
#define _VMEM_KCORE_H

#include <stdbool.h>
#include <stdint.h>

struct kcore;

struct kcore_page {
	int32_t refs;
	uint32_t mapping;   /* the low bits of its mapping: what that is */
};

#define MAPPING_BITS 3
#define MAPPING_DRIVER 2  /* a driver can move it */
#define MAPPING_KSM 3

struct kcore *kcore_open(void);
bool kcore_pages(struct kcore *kcore, uint64_t pfn, int nr, struct kcore_page *out);
void kcore_close(struct kcore *kcore);

#endif
