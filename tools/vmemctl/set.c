// SPDX-License-Identifier: GPL-2.0-or-later
/* vmemctl set: ask a guest for a size, and follow it to an end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "guest.h"
#include "progress.h"
#include "util.h"
#include "vmemctl.h"

#define STEP_MS		250
/* Without a change for so long, the guest is asked why, and so often. */
#define ASK_AFTER	3
#define ASK_EVERY	5
/* How long the end waits for a guest that has not answered yet. */
#define LAST_WORD	10

/**
 * struct resize - one request and how it goes
 * @host: the connection
 * @opt: the command line
 * @dev: the device as last seen
 * @size: what is asked for
 * @before: what was requested before
 * @name: the domain's, for people
 * @begun: when it was asked for
 * @progress: of the plugged size
 * @guest: what the guest said last
 * @asked: when the guest was asked last
 * @note: why something else is asked for than was wanted, or NULL
 * @limited: the guest could not have less, so that this is not what was wanted
 */
struct resize {
	struct host *host;
	const struct options *opt;
	struct devices dev;
	uint64_t size;
	uint64_t before;
	char *name;
	double begun;
	struct progress progress;
	struct guest guest;
	double asked;
	char *note;
	bool limited;
};

static struct device *device(struct resize *r)
{
	return &r->dev.all[0];
}

/* --- the answer --- */

static struct json_object *seconds_json(double seconds)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", seconds);
	return json_object_new_double_s(seconds, text);
}

static void print_json(struct resize *r, const char *result, const char *more)
{
	struct json_object *out = json_object_new_object();
	struct device *dev = device(r);

#define ADD(key, value) json_object_object_add(out, key, value)
	ADD("domain", json_object_new_string(dev->domain));
	ADD("device", json_object_new_string(dev->id));
	ADD("result", json_object_new_string(result));
	ADD("wanted", json_object_new_uint64(r->opt->size));
	ADD("asked", json_object_new_uint64(r->size));
	ADD("requested", json_object_new_uint64(dev->requested));
	ADD("plugged", json_object_new_uint64(dev->plugged));
	ADD("plugged_before", json_object_new_uint64(r->begun ?
						     r->progress.from :
						     dev->plugged));
	ADD("seconds", seconds_json(r->begun ? now() - r->begun : 0));
	ADD("more", more ? json_object_new_string(more) : NULL);
	ADD("note", r->note ? json_object_new_string(r->note) : NULL);
	ADD("guest", json_object_get(r->guest.device));
	ADD("guest_unknown", r->guest.device || !r->guest.why ? NULL :
	    json_object_new_string(r->guest.why));
#undef ADD
	puts(json_object_to_json_string_ext(out, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(out);
}

static int refuse(struct resize *r, const char *why)
{
	char plugged[SIZE_TEXT];

	complain(EXIT_REFUSED, "%s: %s; nothing has changed, %s stay plugged",
		 r->name, why,
		 size_text(plugged, device(r)->plugged));
	if (r->opt->json)
		print_json(r, "refused", why);
	return EXIT_REFUSED;
}

/* --- before asking --- */

/* The first in the list be the one of that name. */
static int find_device(struct devices *list, const char *id)
{
	for (size_t i = 0; i < list->nr; i++) {
		struct device swap = list->all[0];

		if (strcmp(list->all[i].id, id))
			continue;
		list->all[0] = list->all[i];
		list->all[i] = swap;
		return 0;
	}
	return -1;
}

/* The first in the list be the one that is meant; else says why it can't. */
static int choose_device(struct devices *list, const struct options *opt)
{
	const char *domain = opt->domain ? opt->domain : "this QEMU";
	char *names = xstrdup("");
	int found = -1;

	for (size_t i = 0; i < list->nr; i++) {
		char *more = xasprintf("%s%s%s", names, i ? ", " : "",
				       list->all[i].id);

		free(names);
		names = more;
	}
	if (opt->device)
		found = find_device(list, opt->device);
	else if (list->nr == 1)
		found = 0;
	if (!found) {
		/* That is the one. */
	} else if (!list->nr) {
		complain(0, "%s has no virtio-mem device", domain);
	} else if (opt->device) {
		complain(0, "%s has no virtio-mem device %s, but %s", domain,
			 opt->device, names);
	} else {
		complain(0, "%s has more than one virtio-mem device (%s): choose by --device",
			 domain, names);
	}
	free(names);
	return found;
}

static int round_size(struct resize *r)
{
	uint64_t block = device(r)->block, rest = block ? r->size % block : 0;
	char size[SIZE_TEXT], unit[SIZE_TEXT], step[SIZE_TEXT];
	char *why;
	int ret;

	if (!rest)
		return 0;
	if (r->opt->rounding != ROUND_FAIL) {
		r->size -= rest;
		if (r->opt->rounding == ROUND_UP)
			r->size += block;
		r->note = xasprintf("%s in place of %s, because the device's block is %s",
				    size_text(unit, r->size),
				    size_text(size, r->opt->size),
				    size_text(step, block));
		return 0;
	}
	why = xasprintf("%s is not a multiple of the device's block of %s (see --round)",
			size_text(size, r->size), size_text(unit, block));
	ret = refuse(r, why);
	free(why);
	return ret;
}

/* With --safe: no lower than the guest can go. */
static int limit(struct resize *r)
{
	uint64_t block = device(r)->block, lowest;
	char want[SIZE_TEXT], least[SIZE_TEXT];
	char *why = NULL, *text;
	int ret = 0;

	if (!r->opt->safe || r->size >= device(r)->plugged)
		return 0;
	if (!guest_lowest(r->host, device(r), &lowest, &why)) {
		text = xasprintf("the guest can't say what is safe, because: %s",
				 why);
		ret = refuse(r, text);
		free(text);
	} else if (lowest > r->size) {
		/* A shrink never asks for more than is plugged. */
		if (lowest > device(r)->plugged)
			lowest = device(r)->plugged;
		if (block && lowest % block)
			lowest += block - lowest % block;
		free(r->note);
		r->note = xasprintf("%s in place of %s, because the guest says that no less fits",
				    size_text(least, lowest),
				    size_text(want, r->size));
		r->size = lowest;
		r->limited = true;
	}
	free(why);
	return ret;
}

static int prepare(struct resize *r)
{
	char size[SIZE_TEXT], region[SIZE_TEXT];
	char *why;
	int ret;

	ret = round_size(r);
	if (ret)
		return ret;
	if (r->size > device(r)->region) {
		why = xasprintf("%s is more than the device's %s",
				size_text(size, r->size),
				size_text(region, device(r)->region));
		ret = refuse(r, why);
		free(why);
		return ret;
	}
	return limit(r);
}

/* --- the end --- */

static int end(struct resize *r, int status, const char *result,
	       const char *more)
{
	char plugged[SIZE_TEXT], from[SIZE_TEXT], to[SIZE_TEXT];
	char time[SIZE_TEXT], done[SIZE_TEXT], *guest;
	struct device *dev = device(r);
	uint64_t moved;

	progress_hide();
	if (r->opt->json) {
		print_json(r, result, more);
		return status;
	}
	printf("%s: %s: ", r->name,
	       strcmp(result, "partly") ? result : "partly met");
	if (r->note)
		printf("%s; ", r->note);
	span_text(time, now() - r->begun);
	size_text(plugged, dev->plugged);
	if (dev->plugged == r->size) {
		printf("%s plugged after %s", plugged, time);
	} else {
		moved = dev->plugged > r->progress.from ?
			dev->plugged - r->progress.from :
			r->progress.from - dev->plugged;
		printf("%s plugged of %s asked for, %s moved in %s (from %s)",
		       plugged, size_text(to, r->size), size_text(done, moved),
		       time, size_text(from, r->progress.from));
	}
	printf("%s%s\n", more ? "; " : "", more ? more : "");
	if (r->guest.device || r->guest.why) {
		guest = guest_text(&r->guest);
		printf("guest: %s\n", guest);
		free(guest);
	}
	return status;
}

static int broken_off(struct resize *r, const char *what)
{
	char size[SIZE_TEXT], plugged[SIZE_TEXT];

	progress_hide();
	return complain(EXIT_ERROR, "%s: %s: %s; %s were asked for, %s plugged when last seen",
			r->name, what, r->host->error,
			size_text(size, r->size),
			size_text(plugged, r->progress.last));
}

static int stop_waiting(struct resize *r)
{
	char before[SIZE_TEXT];
	char *more;
	int ret;

	if (!r->opt->revert)
		return end(r, EXIT_INTERRUPTED, "interrupted",
			   "the request stands");
	if (r->host->ops->request(r->host, device(r), r->before))
		return broken_off(r, "the request could not be taken back");
	device(r)->requested = r->before;
	more = xasprintf("the request is %s again",
			 size_text(before, r->before));
	ret = end(r, EXIT_INTERRUPTED, "interrupted", more);
	free(more);
	return ret;
}

/* --- waiting --- */

static int look_again(struct resize *r)
{
	const char *uuid = device(r)->uuid[0] ? device(r)->uuid : NULL;
	struct devices list = { 0 };
	int found;

	if (r->host->ops->list(r->host, uuid, &list)) {
		devices_free(&list);
		return -1;
	}
	found = find_device(&list, device(r)->id);
	if (found) {
		devices_free(&list);
		return host_fail(r->host, "the device is gone");
	}
	devices_free(&r->dev);
	r->dev = list;
	return 0;
}

static void ask_guest(struct resize *r)
{
	double when = now();

	look_take(&r->guest);
	if (when - r->progress.seen < ASK_AFTER)
		return;
	if (when - r->asked < ASK_EVERY)
		return;
	if (look_start(r->host, device(r)))
		r->asked = when;
}

/* At the end: what the guest says now, if it says it soon. */
static void last_word(struct resize *r)
{
	double until = now() + LAST_WORD;
	bool took;

	if (r->opt->timeout == 0)
		return;
	/* A look that began before the end is as good. */
	if (!look_running())
		look_take(&r->guest);
	if (!look_running() && (!r->guest.device || now() - r->asked > ASK_EVERY))
		look_start(r->host, device(r));
	do {
		took = look_take(&r->guest);
		if (took || !look_running())
			break;
		if (r->host->ops->wait(r->host, STEP_MS))
			break;
	} while (!interrupted && now() < until);
	if (!took)
		look_take(&r->guest);
	if (look_running() && !r->guest.device && !r->guest.why)
		r->guest.why = xstrdup("its agent has not answered yet");
}

static int timed_out(struct resize *r)
{
	last_word(r);
	/* It may have made it meanwhile. */
	if (!r->host->lost && look_again(r))
		return broken_off(r, "can't look");
	if (device(r)->plugged == r->size)
		return end(r, r->limited ? EXIT_PARTLY : EXIT_SUCCESS,
			   r->limited ? "partly" : "met", NULL);
	return end(r, EXIT_PARTLY, "partly", "the request stands");
}

static int follow(struct resize *r)
{
	for (;;) {
		double when = now();
		char *said = NULL;

		if (look_again(r))
			return broken_off(r, "can't look");
		if (progress_step(&r->progress, device(r)->plugged, when))
			guest_free(&r->guest);
		if (device(r)->requested != r->size)
			return end(r, EXIT_PARTLY, "partly",
				   "somebody else has asked for another size");
		if (device(r)->plugged == r->size) {
			guest_free(&r->guest);
			return end(r, r->limited ? EXIT_PARTLY : EXIT_SUCCESS,
				   r->limited ? "partly" : "met", NULL);
		}
		if (interrupted)
			return stop_waiting(r);
		if (guest_gave_up(&r->guest))
			return end(r, EXIT_REFUSED, "refused",
				   "the guest's driver has given up");
		if (r->opt->timeout >= 0 && when - r->begun >= r->opt->timeout)
			return timed_out(r);
		ask_guest(r);
		if (r->guest.device || r->guest.why)
			said = guest_text(&r->guest);
		progress_show(&r->progress, r->name, r->size, said);
		free(said);
		if (r->host->ops->wait(r->host, STEP_MS))
			return broken_off(r, "the connection broke");
	}
}

/**
 * command_set() - vmemctl set
 * @host: the connection
 * @opt: the command line
 *
 * Return: the exit status.
 */
int command_set(struct host *host, const struct options *opt)
{
	struct resize r = { .host = host, .opt = opt, .size = opt->size };
	int status;

	if (host->ops->list(host, opt->domain, &r.dev)) {
		status = complain(EXIT_ERROR, "%s", host->error);
	} else if (choose_device(&r.dev, opt)) {
		status = EXIT_ERROR;
	} else {
		r.name = one_line(device(&r)->domain);
		status = prepare(&r);
		r.before = device(&r)->requested;
		if (!status)
			r.begun = now();
		progress_begin(&r.progress, device(&r)->plugged, now());
		if (!status && interrupted)
			status = complain(EXIT_INTERRUPTED,
					  "interrupted, nothing was asked");
		else if (!status && host->ops->request(host, device(&r), r.size))
			status = host->lost ?
				complain(EXIT_ERROR, "%s", host->error) :
				refuse(&r, host->error);
		else if (!status)
			status = follow(&r);
	}
	devices_free(&r.dev);
	guest_free(&r.guest);
	free(r.note);
	free(r.name);
	return status;
}
