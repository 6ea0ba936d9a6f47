/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/PID/pagemap: which pages are mapped at which addresses of a process.
 */
#ifndef _VMEM_PAGEMAP_H
#define _VMEM_PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>

/* Called for each page that is there. */
typedef void (*pagemap_fn)(uint64_t pfn, void *arg);

void pagemap_walk(int fd, uint64_t start, uint64_t end, pagemap_fn fn, void *arg);

#endif
