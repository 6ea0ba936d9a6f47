// SPDX-License-Identifier: GPL-2.0-or-later
/* Run vmem in the guest, through its agent, and understand what it prints. */
#include "guest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util.h"
#include "wire.h"

/* An agent answers a command within this many seconds, or counts as dead. */
#define AGENT_SECONDS	4
/* vmem has to walk through the blocks of a large guest. */
#define RUN_SECONDS	20

static char *base64_decode(const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = calloc(1, strlen(text) / 4 * 3 + 4), *to = out;
	unsigned int bits = 0, nr = 0;

	if (!out)
		die_memory();
	for (; *text && *text != '='; text++) {
		const char *digit = strchr(digits, *text);

		if (!digit)
			continue;
		bits = bits << 6 | (digit - digits);
		nr += 6;
		if (nr >= 8) {
			nr -= 8;
			*to++ = bits >> nr;
		}
	}
	return out;
}

/* One command of the agent: what "return" holds, to be put, or NULL and why. */
static struct json_object *tell_agent(struct host *host,
				      const struct device *dev,
				      struct json_object *command, char **why)
{
	struct json_object *answer = NULL, *result = NULL;
	char *text = NULL;

	if (!host->ops->agent(host, dev, json_object_to_json_string(command),
			      AGENT_SECONDS, &text, why)) {
		answer = json_tokener_parse(text);
		json_object_object_get_ex(answer, "return", &result);
		json_object_get(result);
		if (!result)
			*why = xstrdup("the guest agent's answer is none");
	}
	json_object_put(answer);
	json_object_put(command);
	free(text);
	return result;
}

static struct json_object *make(const char *name, struct json_object *args)
{
	struct json_object *command = json_object_new_object();

	json_object_object_add(command, "execute",
			       json_object_new_string(name));
	json_object_object_add(command, "arguments", args);
	return command;
}

/* Start vmem: its process in the guest, or -1 and why. */
static int64_t start(struct host *host, const struct device *dev, bool check,
		     char **why)
{
	struct json_object *args = json_object_new_object();
	struct json_object *words = json_object_new_array();
	struct json_object *result, *pid;
	int64_t number = -1;

	if (check)
		json_object_array_add(words, json_object_new_string("check"));
	json_object_array_add(words, json_object_new_string("--json"));
	json_object_object_add(args, "path", json_object_new_string("vmem"));
	json_object_object_add(args, "arg", words);
	json_object_object_add(args, "capture-output",
			       json_object_new_boolean(true));
	result = tell_agent(host, dev, make("guest-exec", args), why);
	if (result && json_object_object_get_ex(result, "pid", &pid))
		number = json_object_get_int64(pid);
	else if (result)
		*why = xstrdup("the guest agent did not say what it started");
	json_object_put(result);
	return number;
}

/* The output of vmem, or NULL and why. */
static char *output(struct host *host, const struct device *dev, int64_t pid,
		    char **why)
{
	const struct timespec pause = { .tv_nsec = 200 * 1000 * 1000 };
	double until = now() + RUN_SECONDS;

	while (now() < until) {
		struct json_object *args = json_object_new_object();
		struct json_object *result, *part;
		const char *data;
		char *text = NULL;

		json_object_object_add(args, "pid", json_object_new_int64(pid));
		result = tell_agent(host, dev, make("guest-exec-status", args), why);
		if (!result)
			return NULL;
		if (json_object_object_get_ex(result, "exited", &part) &&
		    json_object_get_boolean(part)) {
			data = json_text(result, "out-data");
			if (data)
				text = base64_decode(data);
			else
				*why = xstrdup("vmem in the guest printed nothing");
			json_object_put(result);
			return text;
		}
		json_object_put(result);
		nanosleep(&pause, NULL);
	}
	*why = xasprintf("vmem in the guest did not end within %d s",
			 RUN_SECONDS);
	return NULL;
}

static bool get_size(struct json_object *from, const char *key, uint64_t *value)
{
	struct json_object *number;

	if (!json_object_object_get_ex(from, key, &number) ||
	    !json_object_is_type(number, json_type_int) ||
	    json_object_get_int64(number) < 0)
		return false;
	*value = json_object_get_uint64(number);
	return true;
}

/*
 * Which of the guest's devices is ours: by address where both sides tell it,
 * else the only one, else the only one of which the same was asked.
 */
static struct json_object *pick(struct json_object *all,
				const struct device *dev, char **why)
{
	size_t nr = json_object_array_length(all), same = 0;
	struct json_object *found = NULL;
	uint64_t value;

	for (size_t i = 0; i < nr; i++) {
		struct json_object *one = json_object_array_get_idx(all, i);

		if (dev->addr && get_size(one, "address", &value) &&
		    value == dev->addr)
			return one;
		if (get_size(one, "requested", &value) &&
		    value == dev->requested) {
			found = one;
			same++;
		}
	}
	if (nr == 1)
		found = json_object_array_get_idx(all, 0);
	if (found && (nr == 1 || same == 1))
		return found;
	*why = xstrdup(nr ? "can't tell which of the guest's devices it is" :
		       "vmem in the guest sees no device");
	return NULL;
}

/* The output of vmem, to be put, and a list in it; or NULL and why. */
static struct json_object *ask(struct host *host, const struct device *dev,
			       bool check, const char *name,
			       struct json_object **list, char **why)
{
	struct json_object *all = NULL;
	int64_t pid = start(host, dev, check, why);
	char *text = pid >= 0 ? output(host, dev, pid, why) : NULL;

	if (!text)
		return NULL;
	all = json_parse(text);
	if (!json_object_object_get_ex(all, name, list) ||
	    !json_object_is_type(*list, json_type_array)) {
		*why = xasprintf("vmem in the guest printed no list of %s",
				 name);
		json_object_put(all);
		all = NULL;
	}
	free(text);
	return all;
}

/**
 * guest_ask() - run vmem in the guest
 * @host: the connection
 * @dev: the device of interest
 * @guest: set to what it said, to be freed
 *
 * Takes as long as the agent does, up to half a minute.
 */
void guest_ask(struct host *host, const struct device *dev,
	       struct guest *guest)
{
	struct json_object *all, *list;

	*guest = (struct guest){ 0 };
	all = ask(host, dev, false, "devices", &list, &guest->why);
	if (all)
		guest->device = json_object_get(pick(list, dev, &guest->why));
	json_object_put(all);
}

/**
 * guest_free() - forget what a guest said
 * @guest: may have said nothing
 */
void guest_free(struct guest *guest)
{
	json_object_put(guest->device);
	free(guest->why);
	*guest = (struct guest){ 0 };
}

/* A text, or the text in an object that explains one. */
static const char *get_text(struct json_object *from, const char *key)
{
	static const char *const inner[] = { "text", "message", "token" };
	const char *text = json_text(from, key);
	struct json_object *value;

	if (!json_object_object_get_ex(from, key, &value))
		return NULL;
	for (size_t i = 0; !text && i < sizeof(inner) / sizeof(*inner); i++)
		text = json_text(value, inner[i]);
	return text;
}

/**
 * guest_text() - what a guest said, in a line
 * @guest: asked before
 *
 * Return: to be freed.
 */
char *guest_text(const struct guest *guest)
{
	const char *state, *cause;
	char since[SIZE_TEXT];
	uint64_t seconds;
	char *line, *clean;

	if (!guest->device)
		return xasprintf("unknown, because: %s",
				 guest->why ? guest->why : "it was not asked");
	state = get_text(guest->device, "state");
	cause = get_text(guest->device, "cause");
	if (cause && (!*cause || !strcmp(cause, "none")))
		cause = NULL;
	*since = '\0';
	if (cause && get_size(guest->device, "since", &seconds))
		span_text(since, seconds);
	line = xasprintf("%s%s%s%s%s", state ? state : "state unknown",
			 cause ? ": " : "", cause ? cause : "",
			 *since ? ", for " : "", since);
	clean = one_line(line);
	free(line);
	return clean;
}

/**
 * guest_gave_up() - whether the guest's driver will not try again
 * @guest: asked before
 */
bool guest_gave_up(const struct guest *guest)
{
	const char *state;

	state = guest->device ? get_text(guest->device, "state") : NULL;
	return state && !strcmp(state, "broken");
}

/* The figure of the check "lowest" of a device, by its name in the guest. */
static bool find_lowest(struct json_object *checks, const char *name,
			uint64_t *bytes)
{
	for (size_t i = 0; i < json_object_array_length(checks); i++) {
		struct json_object *one = json_object_array_get_idx(checks, i);
		const char *which = get_text(one, "check");
		const char *whose = get_text(one, "device");

		if (which && !strcmp(which, "lowest") &&
		    whose && !strcmp(whose, name))
			return get_size(one, "bytes", bytes);
	}
	return false;
}

/**
 * guest_lowest() - how far the guest says that it can shrink, by vmem check
 * @host: the connection
 * @dev: the device
 * @bytes: set to the size that must stay plugged
 * @why: set to why it is not known, to be freed
 *
 * Takes up to a minute.
 *
 * Return: whether it said so.
 */
bool guest_lowest(struct host *host, const struct device *dev,
		  uint64_t *bytes, char **why)
{
	struct json_object *all = NULL, *checks;
	struct guest guest;
	const char *name;
	bool found = false;

	guest_ask(host, dev, &guest);
	name = guest.device ? get_text(guest.device, "device") : NULL;
	if (name)
		all = ask(host, dev, true, "checks", &checks, why);
	else
		*why = xstrdup(guest.why ? guest.why :
			       "vmem in the guest names no device");
	if (all) {
		found = find_lowest(checks, name, bytes);
		if (!found)
			*why = xstrdup("vmem check in the guest does not tell");
	}
	json_object_put(all);
	guest_free(&guest);
	return found;
}
