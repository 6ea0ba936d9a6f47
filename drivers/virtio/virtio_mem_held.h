/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of what earlier scans and tries found.
 */
#ifndef _VIRTIO_MEM_HELD_H
#define _VIRTIO_MEM_HELD_H

#include <linux/xarray.h>

#include "virtio_mem_choose.h"

struct virtio_mem;

/**
 * struct virtio_mem_memory - what earlier scans and tries found
 * @by_bb: W: one record a BB, see virtio_mem_held.c
 * @drains: W: how often the worker has drained the CPUs' batches to tell held
 *	pages
 *
 * I, M, W: as above struct virtio_mem.
 */
struct virtio_mem_memory {
	struct xarray by_bb;
	unsigned long drains;
};

/**
 * struct virtio_mem_trials - failed tries of a big block
 * @nr: how many there were
 * @cause: why the last one failed
 * @when_ms: when the last one failed, as ktime_get()
 */
struct virtio_mem_trials {
	unsigned int nr;
	enum virtio_mem_cause cause;
	u64 when_ms;
};

void virtio_mem_held_note(struct virtio_mem *vm, unsigned long id,
			  unsigned long pfn);
bool virtio_mem_held_peek(struct virtio_mem *vm, unsigned long id,
			  struct virtio_mem_trials *out);
void virtio_mem_held_init(struct virtio_mem *vm);
void virtio_mem_held_exit(struct virtio_mem *vm);
void virtio_mem_held_pardon(struct virtio_mem *vm);
void virtio_mem_held_history(struct virtio_mem *vm, unsigned long id,
			     struct virtio_mem_history *past);
void virtio_mem_held_suspect(struct virtio_mem *vm, unsigned long id,
			     unsigned long pfn);
bool virtio_mem_held_confirm(struct virtio_mem *vm, unsigned long id,
			     unsigned long free_pfn);
void virtio_mem_held_record_failure(struct virtio_mem *vm, unsigned long id,
				    enum virtio_mem_cause cause);
bool virtio_mem_held_any_released(struct virtio_mem *vm);
void virtio_mem_held_forget(struct virtio_mem *vm, unsigned long id);

#endif /* _VIRTIO_MEM_HELD_H */
