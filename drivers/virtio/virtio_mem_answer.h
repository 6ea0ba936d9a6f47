/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evaluates the device's answers.  For virtio_mem_work.c only.
 */
#ifndef _VIRTIO_MEM_ANSWER_H
#define _VIRTIO_MEM_ANSWER_H

#include "virtio_mem_device.h"

enum virtio_mem_cause virtio_mem_answered(struct virtio_mem *vm,
					  const struct virtio_mem_step *step,
					  enum virtio_mem_answer answer);
void virtio_mem_answered_late(struct virtio_mem *vm,
			      enum virtio_mem_answer answer);

#endif /* _VIRTIO_MEM_ANSWER_H */
