/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small things that every file here needs: memory, time, sizes. */
#ifndef VMEMCTL_UTIL_H
#define VMEMCTL_UTIL_H

#include <stdbool.h>
#include <stdint.h>

#define SIZE_TEXT 32	/* longest text of a size */

__attribute__((noreturn)) void die_memory(void);
char *xstrdup(const char *text);
char *xasprintf(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
double now(void);
const char *size_text(char text[static SIZE_TEXT], uint64_t bytes);
const char *span_text(char text[static SIZE_TEXT], double seconds);
int text_fit(const char *text, int *columns);
bool parse_size(const char *text, uint64_t *bytes);
bool parse_seconds(const char *text, double *seconds);

#endif
