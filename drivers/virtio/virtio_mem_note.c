// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PURE: which message last_error shows, so that while a request waits it names
 * the cause that is reported.
 */
#include "virtio_mem_note.h"

/**
 * virtio_mem_notes_pass() - begin a pass, which has no messages yet
 * @n: the messages
 */
void virtio_mem_notes_pass(struct virtio_mem_notes *n)
{
	n->fresh = 0;
}

/**
 * virtio_mem_notes_go_on() - the request is new, or met: it does not wait
 * @n: the messages; the last one stays, until there is another
 */
void virtio_mem_notes_go_on(struct virtio_mem_notes *n)
{
	n->fresh = 0;
	n->cause = VIRTIO_MEM_CAUSE_NONE;
}

/**
 * virtio_mem_notes_add() - take in a message
 * @n: the messages
 * @cause: its cause; NONE if it has nothing to do with why a request waits
 * @text: the message
 *
 * While a request waits, a message of another cause is shown no earlier than
 * that cause is reported, because each try also fails for others.
 */
void virtio_mem_notes_add(struct virtio_mem_notes *n,
			  enum virtio_mem_cause cause, const char *text)
{
	strscpy(n->text[cause], text, sizeof(n->text[cause]));
	n->fresh |= 1U << cause;
	if (n->cause && cause && cause != n->cause)
		return;
	strscpy(n->shown, text, sizeof(n->shown));
	if (!cause)
		n->cause = VIRTIO_MEM_CAUSE_NONE;
}

/**
 * virtio_mem_notes_wait() - end a pass that did not meet the request
 * @n: the messages
 * @cause: why, as it is reported
 * @text: shown if neither this pass nor the last one has a message of @cause
 */
void virtio_mem_notes_wait(struct virtio_mem_notes *n,
			   enum virtio_mem_cause cause, const char *text)
{
	if (n->fresh & (1U << cause))
		text = n->text[cause];
	else if (n->cause && n->cause == cause)
		return;
	n->cause = cause;
	strscpy(n->shown, text, sizeof(n->shown));
}
