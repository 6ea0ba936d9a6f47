/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON messages over a unix socket, as QEMU's monitor and guest agent speak. */
#ifndef VMEMCTL_WIRE_H
#define VMEMCTL_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

struct wire {
	int fd;
	struct json_tokener *tok;
	char buffer[8192];
	size_t at;
	size_t end;
};

int wire_open(struct wire *wire, const char *path);
void wire_close(struct wire *wire);
int wire_send(struct wire *wire, const char *text);
const char *json_text(struct json_object *from, const char *key);
int wire_read(struct wire *wire, double until, struct json_object **message);

#endif
