/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line's options, and the commands that it can name.
 */
#ifndef _VMEM_OPTIONS_H
#define _VMEM_OPTIONS_H

#include <stdbool.h>

/* Exit statuses; check's are worded in vmem(1). */
enum {
	STATUS_OK = 0,
	STATUS_WARNING = 1,
	STATUS_FAILED = 2,
};

struct options {
	bool json;
	bool wide;          /* map: a character a block, however many */
	bool all;           /* why: every block, asked for or not */
	bool once;          /* watch: end when the request is met or sticks */
	const char *device; /* only this one */
	double interval;    /* watch: seconds */
	long count;         /* watch: how often; 0: until interrupted */
};

extern struct options options;

int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

int cmd_list(void);
int cmd_map(void);
int cmd_watch(void);
int cmd_why(void);
int cmd_check(void);
int cmd_log(void);

#endif
