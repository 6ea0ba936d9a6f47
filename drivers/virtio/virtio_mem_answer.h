/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the worker knows before a request and what it makes of the answer.
 * For virtio_mem_work.c only.
 */
#ifndef _VIRTIO_MEM_ANSWER_H
#define _VIRTIO_MEM_ANSWER_H

#include "virtio_mem.h"

bool virtio_mem_shall_end(struct virtio_mem *vm);
void virtio_mem_situation(struct virtio_mem *vm,
			  struct virtio_mem_situation *in);
enum virtio_mem_cause virtio_mem_answered(struct virtio_mem *vm,
					  const struct virtio_mem_step *step,
					  enum virtio_mem_answer answer);
void virtio_mem_answered_late(struct virtio_mem *vm,
			      enum virtio_mem_answer answer);

#endif /* _VIRTIO_MEM_ANSWER_H */
