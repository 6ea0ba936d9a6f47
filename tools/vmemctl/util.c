// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that is there or ends the program, time, and sizes as people write them. */
#include "util.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "vmemctl.h"

void die_memory(void)
{
	fputs("vmemctl: out of memory\n", stderr);
	_Exit(EXIT_ERROR);
}

char *xstrdup(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		die_memory();
	return copy;
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		die_memory();
	va_end(args);
	return text;
}

/**
 * now() - a clock that nobody sets
 *
 * Return: seconds.
 */
double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/**
 * size_text() - a size for people
 * @text: where to write it
 * @bytes: the size
 *
 * Return: @text. Two decimals at most; a size that has more is rounded.
 */
const char *size_text(char text[static SIZE_TEXT], uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB",
					     "PiB", "EiB" };
	double value = bytes;
	int unit = 0, len;

	while (value >= 1024) {
		value /= 1024;
		unit++;
	}
	len = snprintf(text, SIZE_TEXT, "%.2f", value);
	while (text[len - 1] == '0')
		text[--len] = '\0';
	if (text[len - 1] == '.')
		text[--len] = '\0';
	snprintf(text + len, SIZE_TEXT - len, " %s", units[unit]);
	return text;
}

/**
 * span_text() - a time for people
 * @text: where to write it
 * @seconds: how long
 *
 * Return: @text.
 */
const char *span_text(char text[static SIZE_TEXT], double seconds)
{
	unsigned long s = seconds > 0 ? lround(seconds) : 0;

	if (seconds < 9.95)
		snprintf(text, SIZE_TEXT, "%.1f s", seconds > 0 ? seconds : 0);
	else if (s < 120)
		snprintf(text, SIZE_TEXT, "%lu s", s);
	else if (s < 7200)
		snprintf(text, SIZE_TEXT, "%lu min %02lu s", s / 60, s % 60);
	else
		snprintf(text, SIZE_TEXT, "%lu h %02lu min", s / 3600,
			 s / 60 % 60);
	return text;
}

/**
 * text_fit() - how much of a text fits
 * @text: in the locale's characters, of which some take two columns, or none
 * @columns: how many there are; set to how many it takes
 *
 * Return: bytes.
 */
int text_fit(const char *text, int *columns)
{
	int room = *columns, bytes = 0;
	mbstate_t state = { 0 };

	for (*columns = 0; text[bytes];) {
		wchar_t wide;
		size_t len = mbrtowc(&wide, text + bytes, MB_CUR_MAX, &state);
		/* What is no character is drawn in some way or other. */
		bool good = len != (size_t)-1 && len != (size_t)-2;
		int width = good ? wcwidth(wide) : 1;

		if (width < 0)
			width = 2;
		if (*columns + width > room)
			break;
		if (!good)
			state = (mbstate_t){ 0 };
		*columns += width;
		bytes += good ? len : 1;
	}
	return bytes;
}

/* The power of 1024 that a unit's letter stands for, or -1. */
static int unit_of(const char *unit)
{
	static const char letters[] = "bkmgtpe";
	const char *at;

	if (!*unit)
		return 0;
	at = strchr(letters, tolower((unsigned char)*unit));
	if (!at)
		return -1;
	/* 2G, 2GiB; not 2GB, which people mean either way. */
	if (unit[1] && (at == letters || strcasecmp(unit + 1, "ib")))
		return -1;
	return at - letters;
}

/**
 * parse_size() - "512M", "1.5GiB", "1048576"
 * @text: what the user wrote
 * @bytes: set to the size
 *
 * Return: whether it is one. A fraction must come to whole bytes.
 */
bool parse_size(const char *text, uint64_t *bytes)
{
	long double value;
	char *end;
	int unit;

	/* strtold reads hexadecimal, exponents, signs and infinity, too. */
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	value = strtold(text, &end);
	if (errno || end != text + strspn(text, "0123456789."))
		return false;
	unit = unit_of(end);
	if (unit < 0)
		return false;
	value = ldexpl(value, 10 * unit);
	if (value >= 0x1p63L || value != floorl(value))
		return false;
	*bytes = value;
	return true;
}

/**
 * parse_seconds() - "30", "2.5s", "5m", "1h"
 * @text: what the user wrote
 * @seconds: set to the time
 *
 * Return: whether it is one.
 */
bool parse_seconds(const char *text, double *seconds)
{
	double factor = 1;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*seconds = strtod(text, &end);
	if (errno || end != text + strspn(text, "0123456789."))
		return false;
	if (!strcmp(end, "m"))
		factor = 60;
	else if (!strcmp(end, "h"))
		factor = 3600;
	else if (*end && strcmp(end, "s"))
		return false;
	*seconds *= factor;
	return *seconds < 1e9;
}
