/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of memory that the driver has taken out of the allocator, and
 * whose they are while it is offlined; and what else needs pages to be taken.
 */
#ifndef _VIRTIO_MEM_PAGES_H
#define _VIRTIO_MEM_PAGES_H

struct page;

void virtio_mem_pages_take(unsigned long pfn, unsigned long nr);
void virtio_mem_pages_give_back(unsigned long pfn, unsigned long nr);
int virtio_mem_pages_hand_over(unsigned long pfn, unsigned long nr);
void virtio_mem_pages_take_over(unsigned long pfn, unsigned long nr);
int virtio_mem_pages_drain(unsigned long pfn);
void virtio_mem_pages_drain_zone(struct page *page);
void virtio_mem_pages_drain_run(unsigned long pfn, unsigned long nr);
int virtio_mem_pages_sweep(unsigned long pfn, unsigned long nr);

#endif /* _VIRTIO_MEM_PAGES_H */
