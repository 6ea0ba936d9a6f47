/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of big blocks with its lock and its buffer; stops the device on a
 * forbidden change; keeps the last error.
 */
#ifndef _VIRTIO_MEM_TABLE_H
#define _VIRTIO_MEM_TABLE_H

#include <linux/compiler_attributes.h>

#include "virtio_mem_bb.h"

struct virtio_mem;

int virtio_mem_table_reserve(struct virtio_mem *vm, unsigned long nr);
int virtio_mem_table_set(struct virtio_mem *vm, unsigned long id,
			 enum virtio_mem_bb_state state);
int virtio_mem_table_set_run(struct virtio_mem *vm, unsigned long first,
			     unsigned long nr, enum virtio_mem_bb_state state);
__printf(3, 4)
void virtio_mem_note(struct virtio_mem *vm, enum virtio_mem_cause cause,
		     const char *fmt, ...);

#endif /* _VIRTIO_MEM_TABLE_H */
