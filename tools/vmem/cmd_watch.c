// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmem watch: devices, maps and progress, again and again.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "blocks.h"
#include "details.h"
#include "list.h"
#include "map.h"
#include "options.h"
#include "sys.h"
#include "table.h"
#include "wake.h"

/* Looks that the speed is taken over. */
#define LOOKS 6
/* Without a driver that says so: for so many seconds nothing changed. */
#define STUCK_SECONDS 30
#define BAR 30

struct progress {
	uint64_t goal, from;         /* of the request that is being worked on */
	uint64_t plugged[LOOKS];     /* the newest is the last one */
	double time[LOOKS];
	int looks;
	double changed;              /* when plugged last changed */
	uint64_t trying;             /* address of a block that is taken back; UNKNOWN */
	int nr_staying;              /* blocks that are to go and stay, as the driver tells */
	uint64_t staying;            /* address of the one that was tried last; UNKNOWN */
	struct details details;      /* of that one */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void look_at_details(struct progress *p, const struct block *block)
{
	if (!details_stays(block))
		return;
	/* Those that were never tried have the largest age there is. */
	if (!p->nr_staying++ || block->details->ms < p->details.ms) {
		p->staying = block->start;
		p->details = *block->details;
	}
}

static void look_at_blocks(struct progress *p, const struct device *dev)
{
	struct blocks blocks;

	p->trying = UNKNOWN;
	p->staying = UNKNOWN;
	p->nr_staying = 0;
	if (!blocks_read(dev, &blocks))
		return;
	if (device_wants_less(dev))
		details_read(dev, &blocks);
	for (int i = 0; i < blocks.nr; i++) {
		if (p->trying == UNKNOWN && blocks.b[i].state == BLOCK_TAKEN)
			p->trying = blocks.b[i].start;
		look_at_details(p, &blocks.b[i]);
	}
	blocks_free(&blocks);
}

static void take_look(struct progress *p, const struct device *dev)
{
	int last;

	if (!p->looks || p->goal != dev->requested) {
		*p = (struct progress){ .goal = dev->requested, .from = dev->plugged };
		p->changed = now();
	}
	if (p->looks == LOOKS) {
		memmove(p->plugged, p->plugged + 1, sizeof(p->plugged) - sizeof(*p->plugged));
		memmove(p->time, p->time + 1, sizeof(p->time) - sizeof(*p->time));
		p->looks--;
	}
	last = p->looks++;
	p->plugged[last] = dev->plugged;
	p->time[last] = now();
	if (last && p->plugged[last] != p->plugged[last - 1])
		p->changed = p->time[last];
	look_at_blocks(p, dev);
}

/* Return: bytes a second towards the goal; 0 if there is no progress. */
static double speed_of(const struct progress *p)
{
	int last = p->looks - 1;
	double passed = p->time[last] - p->time[0];
	double done = (double)p->plugged[last] - (double)p->plugged[0];

	if (p->goal == UNKNOWN || p->plugged[last] == UNKNOWN)
		return 0;
	if (p->goal < p->plugged[last])
		done = -done;
	return passed > 0 && done > 0 ? done / passed : 0;
}

/* Return: seconds that are left at this speed; UNKNOWN. */
static uint64_t left_of(const struct progress *p)
{
	double speed = speed_of(p), left;
	uint64_t plugged = p->plugged[p->looks - 1];

	if (p->goal == UNKNOWN || plugged == UNKNOWN)
		return UNKNOWN;
	left = p->goal > plugged ? p->goal - plugged : plugged - p->goal;
	return speed > 0 && left > 0 ? (uint64_t)(left / speed + 0.999) : UNKNOWN;
}

static void print_staying(const struct progress *p)
{
	char *text;

	if (p->staying == UNKNOWN)
		return;
	text = details_text(&p->details);
	printf("  0x%" PRIx64 ": %s", p->staying, text);
	if (p->nr_staying > 1)
		printf("; %d more blocks stay", p->nr_staying - 1);
	printf("\n");
	free(text);
}

static void print_progress(const struct progress *p, const struct device *dev)
{
	char a[SIZE_TEXT], b[SIZE_TEXT], c[SIZE_TEXT];
	uint64_t all = p->goal > p->from ? p->goal - p->from : p->from - p->goal;
	uint64_t done = dev->plugged > p->from ? dev->plugged - p->from : p->from - dev->plugged;
	int full = !all ? BAR : done >= all ? BAR : (int)(BAR * done / all);
	uint64_t left = left_of(p);
	bool known = dev->requested != UNKNOWN && dev->plugged != UNKNOWN;

	printf("%s [", dev->name);
	for (int i = 0; i < BAR; i++)
		putchar(!known ? '?' : i < full ? '=' : ' ');
	printf("] %s plugged, %s requested, %s",
	       dev->plugged == UNKNOWN ? "?" : size_text(a, dev->plugged),
	       dev->requested == UNKNOWN ? "?" : size_text(b, dev->requested), dev->state);
	/* Who waits has no speed, whatever it did before. */
	if (left != UNKNOWN && strcmp(dev->state, "waiting"))
		printf(", %s/s, %s left", size_text(b, speed_of(p)), seconds_text(c, left));
	if (p->trying != UNKNOWN)
		printf(", taking back 0x%" PRIx64, p->trying);
	printf("\n");
	if (dev->cause)
		printf("  %s\n", dev->cause);
	print_staying(p);
}

static struct json_object *number(uint64_t value)
{
	return value == UNKNOWN ? NULL : json_object_new_uint64(value);
}

/* A line of JSON a device and look. */
static void print_json(const struct progress *p, const struct device *dev)
{
	struct json_object *out = json_object_new_object();

	json_object_object_add(out, "time", json_object_new_int64(time(NULL)));
	json_object_object_add(out, "device", json_object_new_string(dev->name));
	json_object_object_add(out, "requested", number(dev->requested));
	json_object_object_add(out, "plugged", number(dev->plugged));
	json_object_object_add(out, "state", json_object_new_string(dev->state));
	json_object_object_add(out, "cause", dev->cause ? json_object_new_string(dev->cause) : NULL);
	json_object_object_add(out, "bytes_per_second", number(speed_of(p)));
	json_object_object_add(out, "seconds_left", number(left_of(p)));
	json_object_object_add(out, "taking_back", number(p->trying));
	json_object_object_add(out, "blocks_staying", json_object_new_int(p->nr_staying));
	json_object_object_add(out, "staying", number(p->staying));
	details_json(out, p->staying == UNKNOWN ? NULL : &p->details);
	puts(json_object_to_json_string_ext(out, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(out);
}

/* Only a terminal is overwritten in place. */
static void print_screen(const struct devices *devices, const struct progress *p)
{
	/* Each cause stands below, beside the progress. */
	struct table *table = list_table(devices, false);
	bool colour = map_in_colour();
	/* Beside the map: the table, an empty line, the legend; progress, cause, a title. */
	int lines = map_lines(devices->nr, devices->nr + 2 + 4 + 4 * devices->nr);

	printf("\033[H\033[2J");
	table_print(table);
	table_free(table);
	printf("\n");
	for (int i = 0; i < devices->nr; i++) {
		print_progress(&p[i], &devices->d[i]);
		map_draw(&devices->d[i], colour, lines, false);
	}
	map_legend(colour);
}

static bool is_met(const struct device *dev)
{
	/* This project's driver says when it is done: as nearly as blocks allow. */
	if (dev->ours)
		return !strcmp(dev->state, "idle");
	return dev->requested != UNKNOWN && dev->plugged != UNKNOWN && !device_wants_less(dev) &&
	       !device_wants_more(dev);
}

static bool is_stuck(const struct device *dev, const struct progress *p)
{
	return !strcmp(dev->state, "waiting") || !strcmp(dev->state, "broken") ||
	       !strcmp(dev->state, "no-driver") || now() - p->changed > STUCK_SECONDS;
}

/* Return: whether --once has come to an end, then with *status. */
static bool ended(const struct devices *devices, const struct progress *p, int *status)
{
	bool over = true;

	*status = STATUS_OK;
	for (int i = 0; i < devices->nr; i++) {
		if (is_met(&devices->d[i]))
			continue;
		*status = STATUS_WARNING;
		over &= is_stuck(&devices->d[i], &p[i]);
	}
	return over;
}

/* Return: an exit status. */
int cmd_watch(void)
{
	struct progress *progress = NULL;
	struct devices devices = { 0 };
	int status = devices_find(&devices), nr = devices.nr;
	struct wake *wake;
	bool screen = map_on_screen() && !options.json;

	if (status)
		return status;
	progress = xalloc(nr, sizeof(*progress));
	for (int i = 0; i < nr && options.once; i++) {
		if (devices.d[i].requested != UNKNOWN && devices.d[i].plugged != UNKNOWN)
			continue;
		devices_free(&devices);
		free(progress);
		return fail("watch: --once: what is requested is not known%s",
			    geteuid() ? ": only root may ask the device" : "");
	}
	wake = wake_open(&devices);
	for (long count = 0;;) {
		for (int i = 0; i < nr; i++)
			take_look(&progress[i], &devices.d[i]);
		if (screen)
			print_screen(&devices, progress);
		for (int i = 0; i < nr && !screen; i++)
			(options.json ? print_json : print_progress)(&progress[i], &devices.d[i]);
		fflush(stdout);
		/* main() says so. */
		if (ferror(stdout))
			break;
		if (options.once && ended(&devices, progress, &status))
			break;
		if (++count == options.count || wake_wait(wake, options.interval))
			break;
		status = devices_refresh(&devices);
		if (status || devices.nr != nr) {
			status = status ? status : fail("watch: devices came or went");
			break;
		}
	}
	wake_close(wake);
	free(progress);
	devices_free(&devices);
	return status;
}
