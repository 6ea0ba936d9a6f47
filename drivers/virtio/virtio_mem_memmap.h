/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory blocks that hold their own memmap.
 */
#ifndef _VIRTIO_MEM_MEMMAP_H
#define _VIRTIO_MEM_MEMMAP_H

#include <linux/types.h>

bool virtio_mem_memmap_can_ask(void);
bool virtio_mem_memmap_may_host(unsigned long pages);
unsigned long virtio_mem_memmap_size(unsigned long pages);
unsigned long virtio_mem_memmap_end(unsigned long pfn);
bool virtio_mem_memmap_fits(unsigned long pfn, unsigned long nr);

#endif /* _VIRTIO_MEM_MEMMAP_H */
