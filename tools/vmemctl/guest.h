/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's own words, from vmem(1) through the guest agent. */
#ifndef VMEMCTL_GUEST_H
#define VMEMCTL_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "host.h"

/**
 * struct guest - what a guest said of one device, or why it said nothing
 * @device: as vmem prints it, NULL when nothing is known
 * @why: one line, where nothing is known
 */
struct guest {
	struct json_object *device;
	char *why;
};

void guest_ask(struct host *host, const struct device *dev,
	       struct guest *guest);
bool guest_lowest(struct host *host, const struct device *dev,
		  uint64_t *bytes, char **why);
void guest_free(struct guest *guest);
char *guest_text(const struct guest *guest);
bool guest_gave_up(const struct guest *guest);

bool look_start(struct host *host, const struct device *dev);
bool look_running(void);
bool look_take(struct guest *guest);

#endif
