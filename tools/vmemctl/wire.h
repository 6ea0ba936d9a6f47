/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON messages over a unix socket, as QEMU's monitor and guest agent speak. */
#ifndef VMEMCTL_WIRE_H
#define VMEMCTL_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

/**
 * struct wire - a connection
 * @fd: its socket, -1 when it is not open
 * @tok: what is known of a message that is not whole yet
 * @buffer: what came last
 * @at: how much of it was understood
 * @end: how much it is
 * @length: how much of a message came before
 */
struct wire {
	int fd;
	struct json_tokener *tok;
	char buffer[8192];
	size_t at;
	size_t end;
	size_t length;
};

int wire_open(struct wire *wire, const char *path);
void wire_close(struct wire *wire);
int wire_send(struct wire *wire, const char *text);
struct json_object *json_parse(const char *text);
const char *json_text(struct json_object *from, const char *key);
int wire_read(struct wire *wire, double until, struct json_object **message);

#endif
