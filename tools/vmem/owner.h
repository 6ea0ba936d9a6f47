/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_owner: where in the kernel pages were allocated, if it was switched on.
 */
#ifndef _VMEM_OWNER_H
#define _VMEM_OWNER_H

struct pages;

struct stack {
	char *text;        /* a function a line */
	char *by;          /* "pid 12, tgid 12 (cp)"; of the first page */
	unsigned long long pfn;
	int pages;         /* of those that were looked up */
};

struct stacks {
	struct stack *s;   /* the commonest first */
	int nr, looked_up;
};

void owner_read(struct stacks *stacks, const struct pages *pages);
void owner_free(struct stacks *stacks);

#endif
