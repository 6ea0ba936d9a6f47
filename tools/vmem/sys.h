/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of /proc and /sys as text, and memory that never fails to be had.
 */
#ifndef _VMEM_SYS_H
#define _VMEM_SYS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#define PAGE_BYTES ((uint64_t)sysconf(_SC_PAGESIZE))

extern const char *sys_root;

int sys_open(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
FILE *sys_fopen(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
DIR *sys_opendir(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *sys_read(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *sys_link(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool sys_number(uint64_t *value, int base, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void sys_unescape(char *path);
bool sys_exists(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void *xalloc(size_t nr, size_t size);
void *xgrow(void *old, size_t nr, size_t size);
char *xprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xappend(char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for size_text(). */
#define SIZE_TEXT 32
const char *size_text(char *buf, uint64_t bytes);

#endif
