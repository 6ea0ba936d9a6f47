// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of /proc and /sys as text, and memory that never fails to be had.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

/* Put in front of every path: a copied tree can be looked at, too. */
const char *sys_root = "";

static char *path_of(const char *fmt, va_list args)
{
	char *tail, *path;

	if (vasprintf(&tail, fmt, args) < 0)
		abort();
	path = xprintf("%s%s", sys_root, tail);
	free(tail);
	return path;
}

static int open_path(char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = errno;

	free(path);
	errno = err;
	return fd;
}

/* Return: a file descriptor, or -1 and errno. */
int sys_open(const char *fmt, ...)
{
	va_list args;
	char *path;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	return open_path(path);
}

/* Return: a stream to read from, or NULL. */
FILE *sys_fopen(const char *fmt, ...)
{
	va_list args;
	char *path;
	int fd;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	fd = open_path(path);
	return fd < 0 ? NULL : fdopen(fd, "r");
}

/* Return: a directory to read, or NULL. */
DIR *sys_opendir(const char *fmt, ...)
{
	va_list args;
	char *path;
	DIR *dir;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	dir = opendir(path);
	free(path);
	return dir;
}

static char *read_all(int fd)
{
	size_t size = 0, room = 4096;
	char *text = xalloc(1, room);
	ssize_t got;

	while ((got = read(fd, text + size, room - size - 1)) > 0) {
		size += got;
		if (room - size < 2048) {
			room *= 2;
			text = xgrow(text, 1, room);
		}
	}
	close(fd);
	if (got < 0) {
		free(text);
		return NULL;
	}
	while (size && (text[size - 1] == '\n' || text[size - 1] == ' '))
		size--;
	text[size] = '\0';
	return text;
}

/* Return: a file's text without the white space at its end, or NULL; to be freed. */
char *sys_read(const char *fmt, ...)
{
	va_list args;
	char *path;
	int fd;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	fd = open_path(path);
	return fd < 0 ? NULL : read_all(fd);
}

/* Return: what a symbolic link says, or NULL; to be freed. */
char *sys_link(const char *fmt, ...)
{
	char target[4096], *path;
	va_list args;
	ssize_t got;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	got = readlink(path, target, sizeof(target) - 1);
	free(path);
	if (got < 0)
		return NULL;
	target[got] = '\0';
	return xprintf("%s", target);
}

/* Return: whether a file holds a number, which is then in *value. */
bool sys_number(uint64_t *value, int base, const char *fmt, ...)
{
	char *path, *text, *end;
	va_list args;
	bool good;
	int fd;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	fd = open_path(path);
	text = fd < 0 ? NULL : read_all(fd);
	if (!text)
		return false;
	errno = 0;
	*value = strtoull(text, &end, base);
	good = end != text && !*end && !errno;
	free(text);
	return good;
}

/* A path of /proc/PID/mounts, in place: "\\040" is a space there. */
void sys_unescape(char *path)
{
	char *to = path;

	while (*path) {
		unsigned int code;

		if (*path == '\\' && sscanf(path, "\\%3o", &code) == 1 && strspn(path + 1, "01234567") >= 3) {
			*to++ = code;
			path += 4;
		} else {
			*to++ = *path++;
		}
	}
	*to = '\0';
}

/* Return: whether there is such a file, whoever may read it. */
bool sys_exists(const char *fmt, ...)
{
	va_list args;
	char *path;
	bool found;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	found = !access(path, F_OK);
	free(path);
	return found;
}

static void *had(void *mem)
{
	if (mem)
		return mem;
	fputs("vmem: out of memory\n", stderr);
	_exit(2);
}

/* Return: zeroed memory. */
void *xalloc(size_t nr, size_t size)
{
	return had(calloc(nr ? nr : 1, size));
}

/* Return: @old with room for @nr of @size. */
void *xgrow(void *old, size_t nr, size_t size)
{
	return had(reallocarray(old, nr ? nr : 1, size));
}

/* Return: the text, to be freed. */
char *xprintf(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return had(text);
}

/* Return: @text, which may be NULL and is freed, with more at its end. */
char *xappend(char *text, const char *fmt, ...)
{
	char *more, *both;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&more, fmt, args) < 0)
		more = NULL;
	va_end(args);
	had(more);
	both = xprintf("%s%s", text ? text : "", more);
	free(text);
	free(more);
	return both;
}

/* Return: bytes for people, in binary units, in @buf. */
const char *size_text(char *buf, uint64_t bytes)
{
	static const char units[][4] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = bytes;
	unsigned int unit = 0;

	while (value >= 1024 && unit < 4) {
		value /= 1024;
		unit++;
	}
	/* "2 GiB" if it is exactly that. */
	snprintf(buf, SIZE_TEXT, "%.*f %.3s", value == (uint64_t)value ? 0 : value < 100 ? 2 : 1,
		 value, units[unit]);
	return buf;
}
