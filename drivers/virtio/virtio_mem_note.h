/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: which message last_error shows, so that while a request waits it names
 * the cause that is reported.  Includes virtio_mem_cause.h and
 * virtio_mem_policy.h only.
 */
#ifndef _VIRTIO_MEM_NOTE_H
#define _VIRTIO_MEM_NOTE_H

#include "virtio_mem_cause.h"
#include "virtio_mem_policy.h"

/**
 * struct virtio_mem_notes - messages for people, by cause
 * @shown: what last_error says now
 * @cause: the request waits for this, and @shown says so; NONE: it does not
 *	wait, or @shown is a message without a cause
 * @fresh: bits: this pass has a message of that cause
 * @text: the newest message of each cause
 *
 * One message would not do, because only the end of a pass shows which of the
 * causes it met is the one that it reports.
 */
struct virtio_mem_notes {
	char shown[VIRTIO_MEM_NOTE_LEN];
	enum virtio_mem_cause cause;
	u32 fresh;
	char text[VIRTIO_MEM_CAUSE_NR][VIRTIO_MEM_NOTE_LEN];
};

void virtio_mem_notes_pass(struct virtio_mem_notes *n);
void virtio_mem_notes_go_on(struct virtio_mem_notes *n);
void virtio_mem_notes_add(struct virtio_mem_notes *n,
			  enum virtio_mem_cause cause, const char *text);
void virtio_mem_notes_wait(struct virtio_mem_notes *n,
			   enum virtio_mem_cause cause, const char *text);

#endif /* _VIRTIO_MEM_NOTE_H */
