// SPDX-License-Identifier: GPL-2.0-or-later
/* One QEMU, by its monitor's socket, and its guest agent's where there is one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "util.h"
#include "wire.h"

/* QEMU answers these commands at once, unless it is in trouble. */
#define ANSWER_SECONDS	10

struct qmp {
	struct host host;
	struct wire wire;
	char *name;		/* of the domain */
	char *uuid;
	const char *agent;	/* socket, or NULL */
};

static struct qmp *qmp_of(struct host *host)
{
	return (struct qmp *)host;
}

static int lost(struct qmp *q)
{
	bool rubbish = errno == EPROTO || errno == EMSGSIZE;

	q->host.lost = true;
	return host_fail(&q->host, "QEMU %s: %s",
			 rubbish ? "can't be understood" : "has hung up",
			 strerror(errno));
}

static bool is_size_event(struct json_object *message)
{
	const char *event = json_text(message, "event");

	return event && !strcmp(event, "MEMORY_DEVICE_SIZE_CHANGE");
}

static const char *error_text(struct json_object *error)
{
	const char *text = json_text(error, "desc");

	return text ? text : "an error without a description";
}

/*
 * One command; arguments are taken over, and may be NULL.
 * Returns what "return" holds, to be put, or NULL with the host's error; only
 * what is of that type is an answer.
 */
static struct json_object *command(struct qmp *q, const char *name,
				   struct json_object *arguments,
				   enum json_type type)
{
	struct json_object *query = json_object_new_object();
	double until = now() + ANSWER_SECONDS;
	struct json_object *message, *part;
	int got;

	json_object_object_add(query, "execute", json_object_new_string(name));
	if (arguments)
		json_object_object_add(query, "arguments", arguments);
	got = wire_send(&q->wire, json_object_to_json_string(query));
	json_object_put(query);
	if (got) {
		lost(q);
		return NULL;
	}
	for (;;) {
		got = wire_read(&q->wire, until, &message);
		if (got < 0) {
			lost(q);
			return NULL;
		}
		if (!got && now() < until)
			continue;
		if (got && json_object_object_get_ex(message, "error", &part)) {
			host_fail(&q->host, "%s", error_text(part));
			json_object_put(message);
			return NULL;
		}
		if (got && json_object_object_get_ex(message, "return", &part)) {
			if (json_object_is_type(part, type))
				json_object_get(part);
			else
				part = NULL;
			json_object_put(message);
			if (!part)
				host_fail(&q->host, "QEMU's answer to %s is none",
					  name);
			return part;
		}
		if (got)
			json_object_put(message);
		/* Events alone are no answer, however many there are. */
		if (now() >= until) {
			/* It may yet come, and fit no question. */
			q->host.lost = true;
			host_fail(&q->host, "QEMU does not answer");
			return NULL;
		}
	}
}

static uint64_t number(struct json_object *data, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(data, key, &value) ?
		json_object_get_uint64(value) : 0;
}

static int qmp_list(struct host *host, const char *domain, struct devices *to)
{
	struct qmp *q = qmp_of(host);
	struct json_object *all;

	if (domain && strcmp(domain, q->name) && strcmp(domain, q->uuid))
		return host_fail(host, "this QEMU is %s, not %s", q->name,
				 domain);
	all = command(q, "query-memory-devices", NULL, json_type_array);
	if (!all)
		return -1;
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *entry = json_object_array_get_idx(all, i);
		const char *type = json_text(entry, "type"), *id;
		struct json_object *data;
		struct device *dev;

		if (!type || strcmp(type, "virtio-mem") ||
		    !json_object_object_get_ex(entry, "data", &data))
			continue;
		id = json_text(data, "id");
		dev = devices_add(to, q->name, q->uuid, id ? id : "");
		dev->node = number(data, "node");
		dev->requested = number(data, "requested-size");
		dev->plugged = number(data, "size");
		dev->region = number(data, "max-size");
		dev->block = number(data, "block-size");
		dev->addr = number(data, "memaddr");
	}
	json_object_put(all);
	return 0;
}

static int qmp_request(struct host *host, const struct device *dev,
		       uint64_t size)
{
	struct json_object *arguments = json_object_new_object(), *done;
	char *path = xasprintf("/machine/peripheral/%s", dev->id);

	json_object_object_add(arguments, "path", json_object_new_string(path));
	json_object_object_add(arguments, "property",
			       json_object_new_string("requested-size"));
	json_object_object_add(arguments, "value",
			       json_object_new_uint64(size));
	free(path);
	done = command(qmp_of(host), "qom-set", arguments,
		       json_type_object);
	json_object_put(done);
	return done ? 0 : -1;
}

static int qmp_wait(struct host *host, int ms)
{
	struct qmp *q = qmp_of(host);
	double until = now() + ms / 1000.0;
	struct json_object *message;
	bool woken = false;

	while (!woken) {
		int got = wire_read(&q->wire, until, &message);

		if (got < 0)
			return lost(q);
		if (!got)
			return 0;
		woken = is_size_event(message);
		json_object_put(message);
	}
	return 0;
}

/* --- guest agent --- */

/*
 * The agent answers late, or not at all, and what it still owes another client
 * comes first: all up to the answer to our number is not for us.
 */
static int in_step(struct wire *wire, double until)
{
	int64_t number = (int64_t)getpid() << 20 ^ (int64_t)(now() * 1000);
	char *text = xasprintf("{\"execute\":\"guest-sync\",\"arguments\":{\"id\":%"
			       PRId64 "}}", number);
	struct json_object *message, *id;
	int got = wire_send(wire, text) ? -1 : 1;
	bool found = false;

	free(text);
	while (got > 0 && !found) {
		got = wire_read(wire, until, &message);
		if (got <= 0)
			break;
		found = json_object_object_get_ex(message, "return", &id) &&
			json_object_is_type(id, json_type_int) &&
			json_object_get_int64(id) == number;
		json_object_put(message);
	}
	return got;
}

static int qmp_agent(struct host *host, const struct device *dev,
		     const char *text, int seconds, char **answer, char **why)
{
	double until = now() + seconds;
	struct json_object *message = NULL, *error;
	struct wire wire;
	int got;

	(void)dev;
	*answer = NULL;
	if (!qmp_of(host)->agent) {
		*why = xstrdup("no guest agent: give its socket with --agent");
		return -1;
	}
	if (wire_open(&wire, qmp_of(host)->agent)) {
		*why = xasprintf("%s: %s", qmp_of(host)->agent,
				 strerror(errno));
		return -1;
	}
	got = in_step(&wire, until);
	if (got > 0 && wire_send(&wire, text))
		got = -1;
	if (got > 0)
		got = wire_read(&wire, until, &message);
	if (got < 0) {
		*why = xasprintf("the guest agent has hung up: %s",
				 strerror(errno));
	} else if (!got) {
		*why = xstrdup("the guest agent does not answer");
	} else if (json_object_object_get_ex(message, "error", &error)) {
		*why = one_line(error_text(error));
	} else {
		*answer = xstrdup(json_object_to_json_string(message));
	}
	json_object_put(message);
	wire_close(&wire);
	return *answer ? 0 : -1;
}

/* --- connection --- */

static void qmp_close(struct host *host)
{
	struct qmp *q = qmp_of(host);

	wire_close(&q->wire);
	free(q->name);
	free(q->uuid);
	free(q);
}

static const struct host_ops qmp_ops = {
	.list = qmp_list,
	.request = qmp_request,
	.wait = qmp_wait,
	.agent = qmp_agent,
	.close = qmp_close,
};

/* A text that a command returns, or another one. */
static char *ask_text(struct qmp *q, const char *name, const char *key,
		      const char *otherwise)
{
	struct json_object *all = command(q, name, NULL, json_type_object);
	const char *text = json_text(all, key);
	char *copy = xstrdup(text ? text : otherwise);

	json_object_put(all);
	return copy;
}

static int greet(struct qmp *q, const char *path)
{
	struct json_object *message, *done;
	int got = wire_read(&q->wire, now() + ANSWER_SECONDS, &message);

	/* It serves one at a time; the others just wait. */
	if (!got)
		return host_fail(&q->host,
				 "%s: no greeting; does another program use this monitor?",
				 path);
	if (got < 0)
		return lost(q);
	got = json_object_object_get_ex(message, "QMP", NULL);
	json_object_put(message);
	if (!got)
		return host_fail(&q->host, "%s: not QEMU's monitor", path);
	done = command(q, "qmp_capabilities", NULL, json_type_object);
	json_object_put(done);
	return done ? 0 : -1;
}

/**
 * qmp_open() - connect to one QEMU
 * @path: of its monitor's socket
 * @agent: of its guest agent's socket, or NULL
 * @why: set to why it failed, to be freed
 *
 * Return: the host, or NULL.
 */
struct host *qmp_open(const char *path, const char *agent, char **why)
{
	struct qmp *q = calloc(1, sizeof(*q));

	if (!q)
		die_memory();
	q->host.ops = &qmp_ops;
	q->agent = agent;
	if (wire_open(&q->wire, path))
		host_fail(&q->host, "%s: %s", path, strerror(errno));
	else if (!greet(q, path))
		q->name = ask_text(q, "query-name", "name", "qemu");
	if (q->name && !q->host.lost)
		q->uuid = ask_text(q, "query-uuid", "UUID", "");
	if (q->uuid && !q->host.lost)
		return &q->host;
	*why = xstrdup(q->host.error);
	qmp_close(&q->host);
	return NULL;
}
