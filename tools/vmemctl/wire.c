// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON messages over a unix socket; who sends rubbish is hung up on. */
#include "wire.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util.h"
#include "vmemctl.h"

/* Who does not take a connection, or a command, within so many seconds hangs. */
#define SEND_SECONDS	5
/* The longest message; the guest agent's hold 16 MiB of output, in base64. */
#define LONGEST		(64U << 20)

/**
 * json_text() - a text in an object
 * @from: may be anything, or NULL
 * @key: its name there
 *
 * Return: the text, NULL when there is none.
 */
const char *json_text(struct json_object *from, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(from, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static struct json_tokener *new_tokener(void)
{
	struct json_tokener *tok = json_tokener_new();

	if (!tok)
		die_memory();
	return tok;
}

/**
 * json_parse() - understand a whole text
 * @text: what somebody says is JSON
 *
 * Return: to be put; NULL when it is none.
 */
struct json_object *json_parse(const char *text)
{
	struct json_tokener *tok = new_tokener();
	struct json_object *all;

	/* Other text would make our own answer no JSON. */
	json_tokener_set_flags(tok, JSON_TOKENER_VALIDATE_UTF8);
	all = json_tokener_parse_ex(tok, text, strlen(text) + 1);
	json_tokener_free(tok);
	return all;
}

/**
 * wire_open() - connect
 * @wire: set up by this
 * @path: of the socket
 *
 * Return: 0, or -1 with errno.
 */
int wire_open(struct wire *wire, const char *path)
{
	const struct timeval patience = { .tv_sec = SEND_SECONDS };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	*wire = (struct wire){ .fd = -1 };
	/* To the kernel that would be a name, too, but not of a file. */
	if (!*path) {
		errno = ENOENT;
		return -1;
	}
	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(addr.sun_path, path, strlen(path));
	wire->tok = new_tokener();
	wire->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (wire->fd >= 0 &&
	    !setsockopt(wire->fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			sizeof(patience)) &&
	    !connect(wire->fd, (struct sockaddr *)&addr, sizeof(addr)))
		return 0;
	/* Too many others wait for it already. */
	if (errno == EAGAIN)
		errno = ETIMEDOUT;
	wire_close(wire);
	return -1;
}

/**
 * wire_close() - hang up; errno stays
 * @wire: open or not
 */
void wire_close(struct wire *wire)
{
	int error = errno;

	if (wire->fd >= 0)
		close(wire->fd);
	if (wire->tok)
		json_tokener_free(wire->tok);
	*wire = (struct wire){ .fd = -1 };
	errno = error;
}

/**
 * wire_send() - send one message
 * @wire: an open one
 * @text: the message, without a newline
 *
 * Return: 0, or -1 with errno.
 */
int wire_send(struct wire *wire, const char *text)
{
	char *line = xasprintf("%s\n", text);
	size_t len = strlen(line), at = 0;

	while (at < len) {
		ssize_t sent = send(wire->fd, line + at, len - at,
				    MSG_NOSIGNAL);

		if (sent < 0 && errno == EAGAIN)
			errno = ETIMEDOUT;
		if (sent < 0 && errno != EINTR)
			break;
		if (sent > 0)
			at += sent;
	}
	free(line);
	return at == len ? 0 : -1;
}

/* More bytes: 1, none in time: 0, end or error: -1 with errno. */
static int fill(struct wire *wire, double until)
{
	struct pollfd poll_fd = { .fd = wire->fd, .events = POLLIN };
	double left = until - now();
	ssize_t got;

	switch (poll(&poll_fd, 1, left > 0 ? ceil(left * 1000) : 0)) {
	case 0:
		return 0;
	case -1:
		/* Who waits looks whether he still wants to. */
		return errno == EINTR ? 0 : -1;
	}
	got = recv(wire->fd, wire->buffer, sizeof(wire->buffer), 0);
	if (got == 0)
		errno = ECONNRESET;
	if (got <= 0)
		return -1;
	wire->at = 0;
	wire->end = got;
	return 1;
}

/**
 * wire_read() - the next message
 * @wire: an open one
 * @until: when to give up, by now()
 * @message: set to it, to be put
 *
 * Return: 1, 0 when none came in time or a signal did, -1 with errno.
 */
int wire_read(struct wire *wire, double until, struct json_object **message)
{
	for (bool filled = false;;) {
		enum json_tokener_error error;
		int got;

		if (wire->at == wire->end) {
			/* Who never comes to an end is not listened to for ever. */
			if (filled && now() >= until)
				return 0;
			got = fill(wire, until);
			if (got <= 0)
				return got;
			filled = true;
		}
		*message = json_tokener_parse_ex(wire->tok,
						 wire->buffer + wire->at,
						 wire->end - wire->at);
		error = json_tokener_get_error(wire->tok);
		if (error == json_tokener_continue) {
			wire->length += wire->end - wire->at;
			wire->at = wire->end;
			if (wire->length <= LONGEST)
				continue;
			errno = EMSGSIZE;
			return -1;
		}
		if (error != json_tokener_success) {
			errno = EPROTO;
			return -1;
		}
		wire->at += json_tokener_get_parse_end(wire->tok);
		wire->length = 0;
		/* White space alone is parsed as nothing at all. */
		if (*message)
			return 1;
	}
}
