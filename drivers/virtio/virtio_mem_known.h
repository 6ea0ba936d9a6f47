/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: what a kdump kernel knows of the device's blocks, and which of them it
 * asks for next.  Includes virtio_mem_core.h only.
 */
#ifndef _VIRTIO_MEM_KNOWN_H
#define _VIRTIO_MEM_KNOWN_H

#include "virtio_mem_core.h"

/* The most blocks of one question: nb_blocks has 16 bits, and ranges are powers of two. */
#define VIRTIO_MEM_KNOWN_RANGE	32768UL

/**
 * enum virtio_mem_knowledge - what is known of a device block
 * @VIRTIO_MEM_KNOWN_NOT: nothing
 * @VIRTIO_MEM_KNOWN_UNPLUGGED: it is unplugged
 * @VIRTIO_MEM_KNOWN_PLUGGED: it is plugged
 */
enum virtio_mem_knowledge {
	VIRTIO_MEM_KNOWN_NOT,
	VIRTIO_MEM_KNOWN_UNPLUGGED,
	VIRTIO_MEM_KNOWN_PLUGGED,
};

/**
 * struct virtio_mem_known - the state of device blocks, as far as it is known
 * @map: two bits a block, zeroed before its first use; NULL: all but @last is
 *	forgotten
 * @nr: device blocks that may be asked for
 * @first: of the range that was told last, device block
 * @last: how many blocks this range has; 0: none was told
 * @plugged: whether this range is plugged
 */
struct virtio_mem_known {
	u8 *map;
	unsigned long nr;
	unsigned long first;
	unsigned long last;
	bool plugged;
};

unsigned long virtio_mem_known_bytes(unsigned long nr);
enum virtio_mem_knowledge
virtio_mem_known_get(const struct virtio_mem_known *k, unsigned long block);
unsigned long virtio_mem_known_range(const struct virtio_mem_known *k,
				     unsigned long block, unsigned long *first);
unsigned long virtio_mem_known_half(unsigned long block, unsigned long *first,
				    unsigned long nr);
void virtio_mem_known_keep(struct virtio_mem_known *k, unsigned long first,
			   unsigned long nr, bool plugged);
void virtio_mem_known_doubt(struct virtio_mem_known *k, unsigned long block);

#endif /* _VIRTIO_MEM_KNOWN_H */
