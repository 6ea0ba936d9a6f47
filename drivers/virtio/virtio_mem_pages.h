/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes pages out of the allocator, hands them over to the core's offlining and
 * gives them back; drains and sweeps pages.
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
