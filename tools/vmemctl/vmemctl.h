/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line's options, and the commands. */
#ifndef VMEMCTL_H
#define VMEMCTL_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"

/* EXIT_SUCCESS: met. vmemctl(1) promises these. */
enum {
	EXIT_ERROR = 1,		/* nobody to ask, no such domain or device */
	EXIT_USAGE = 2,
	EXIT_PARTLY = 3,	/* asked, but not met in time */
	EXIT_REFUSED = 4,	/* not asked, or the guest has given up */
	EXIT_INTERRUPTED = 130,
};

enum rounding { ROUND_FAIL, ROUND_UP, ROUND_DOWN };

/**
 * struct options - the command line
 * @uri: whom libvirt shall connect to, NULL for its default
 * @qmp: QEMU's monitor socket, in libvirt's place
 * @agent: the guest agent's socket, beside @qmp
 * @json: answer in JSON
 * @domain: name, UUID or id; with @qmp it may be NULL
 * @device: alias, NULL for the only one
 * @size: bytes to ask for
 * @rounding: what to do with a size that the device can't have
 * @timeout: seconds to wait for the guest, negative for ever
 * @safe: no less than what the guest says fits
 * @revert: take the request back when interrupted
 * @prometheus: file to write, in place of a table
 * @guest: ask the guests for their reasons, too
 * @delay: seconds between two looks
 * @count: looks before the end, 0 for no end
 */
struct options {
	const char *uri;
	const char *qmp;
	const char *agent;
	bool json;
	const char *domain;
	const char *device;
	uint64_t size;
	enum rounding rounding;
	double timeout;
	bool safe;
	bool revert;
	const char *prometheus;
	bool guest;
	double delay;
	unsigned int count;
};

/* The signal that asks to end, 0 before it came. */
extern _Atomic int interrupted;

int command_set(struct host *host, const struct options *opt);
int command_list(struct host *host, const struct options *opt);
int command_top(struct host *host, const struct options *opt);
int write_prometheus(const struct devices *list, const char *path);

int complain(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
