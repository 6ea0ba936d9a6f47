/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scans pages, without their locks, and adds up the memory that the guest has
 * left.  Observes only.
 */
#ifndef _VIRTIO_MEM_SCAN_H
#define _VIRTIO_MEM_SCAN_H

#include "virtio_mem_choose.h"

struct virtio_mem;
struct zone;

void virtio_mem_scan_pages(struct virtio_mem *vm, unsigned long pfn,
			   unsigned long end, struct virtio_mem_score *score);
void virtio_mem_scan_bb(struct virtio_mem *vm, unsigned long id,
			struct virtio_mem_score *score);
bool virtio_mem_scan_held(struct virtio_mem *vm, unsigned long pfn);
unsigned long virtio_mem_scan_free_page(unsigned long pfn, unsigned long end);
unsigned long virtio_mem_scan_memmap(struct virtio_mem *vm);
unsigned long virtio_mem_scan_batches(struct zone *zone);
void virtio_mem_scan_pressure(struct virtio_mem_pressure *p);

#endif /* _VIRTIO_MEM_SCAN_H */
