/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/kpageflags, kpagecount, kpagecgroup: a number a page, for root.
 */
#ifndef _VMEM_KPAGE_H
#define _VMEM_KPAGE_H

#include <stdbool.h>
#include <stdint.h>

/* Pages that one read may ask for; while it lasts, no memory leaves. */
#define KPAGE_CHUNK 65536

struct kpage {
	int flags, count, cgroup;  /* file descriptors; -1: the kernel has it not */
};

bool kpage_open(struct kpage *kpage);
int kpage_read(int fd, uint64_t pfn, uint64_t nr, uint64_t *out);
void kpage_close(struct kpage *kpage);

#endif
