// SPDX-License-Identifier: GPL-2.0-or-later
/* vmemctl top: all devices of a host, how they move, until q is pressed. */
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "progress.h"
#include "util.h"
#include "vmemctl.h"

#define BAR_WIDTH	16
#define HEAD_LINES	4
/* "1023.98 GiB", "+1023.98 MiB/s", "stuck for 10 min 00 s" */
#define SIZE_COLUMNS	11
#define SPEED_COLUMNS	14
#define STATE_COLUMNS	21
/* Longer names are cut, where there is no room for them even shorter. */
#define NAME_COLUMNS	20
#define LEAST_COLUMNS	8

enum { RED = 1, YELLOW, GREEN };

/**
 * struct row - a device, and how it moves
 * @dev: as last seen, its texts belong to the list of devices
 * @progress: of its plugged size
 * @uuid: of its domain, its own copy
 * @id: its alias, its own copy
 */
struct row {
	const struct device *dev;
	struct progress progress;
	char *uuid;
	char *id;
};

/**
 * struct top - what is on the screen
 * @host: the connection
 * @opt: the command line
 * @list: the devices as last seen
 * @rows: one each, in the same order
 * @nr: how many there are
 * @first: the row at the top of the screen
 * @unmet_only: rows that are met are left out
 */
struct top {
	struct host *host;
	const struct options *opt;
	struct devices list;
	struct row *rows;
	size_t nr;
	size_t first;
	bool unmet_only;
};

static int by_name(const void *a, const void *b)
{
	const struct device *one = a, *two = b;
	int order = strcmp(one->domain, two->domain);

	return order ? order : strcmp(one->id, two->id);
}

static const struct row *find(const struct top *top, const struct device *dev)
{
	for (size_t i = 0; i < top->nr; i++) {
		if (!strcmp(top->rows[i].uuid, dev->uuid) &&
		    !strcmp(top->rows[i].id, dev->id))
			return &top->rows[i];
	}
	return NULL;
}

static void free_rows(struct top *top)
{
	for (size_t i = 0; i < top->nr; i++) {
		free(top->rows[i].uuid);
		free(top->rows[i].id);
	}
	free(top->rows);
	top->rows = NULL;
	top->nr = 0;
}

/* Look again, and keep what was known of those that are still there. */
static int look(struct top *top)
{
	struct devices list = { 0 };
	struct row *rows;

	if (top->host->ops->list(top->host, NULL, &list)) {
		devices_free(&list);
		return -1;
	}
	if (list.nr)
		qsort(list.all, list.nr, sizeof(*list.all), by_name);
	rows = calloc(list.nr + 1, sizeof(*rows));
	if (!rows)
		die_memory();
	for (size_t i = 0; i < list.nr; i++) {
		const struct device *dev = &list.all[i];
		const struct row *old = find(top, dev);

		rows[i].dev = dev;
		rows[i].uuid = xstrdup(dev->uuid);
		rows[i].id = xstrdup(dev->id);
		if (old)
			rows[i].progress = old->progress;
		else
			progress_begin(&rows[i].progress, dev->plugged, now());
		/* A new request has its own time to be stuck after. */
		if (old && old->dev->requested != dev->requested)
			progress_expect(&rows[i].progress);
		progress_step(&rows[i].progress, dev->plugged, now());
		/* A device that has arrived does not move. */
		if (dev->plugged == dev->requested)
			rows[i].progress.speed = 0;
	}
	free_rows(top);
	devices_free(&top->list);
	top->list = list;
	top->rows = rows;
	top->nr = list.nr;
	return 0;
}

static const char *row_state(const struct row *row)
{
	return progress_state(&row->progress, row->dev->requested, now());
}

static bool is_met(const struct row *row)
{
	return row->dev->plugged == row->dev->requested;
}

/* --- JSON: a line a look --- */

static int print_json(struct top *top)
{
	struct json_object *all = json_object_new_array();
	struct json_object *out = json_object_new_object();

	for (size_t i = 0; i < top->nr; i++) {
		struct json_object *one = json_object_new_object();
		const struct row *row = &top->rows[i];

#define ADD(key, value) json_object_object_add(one, key, value)
		ADD("domain", json_object_new_string(row->dev->domain));
		ADD("device", json_object_new_string(row->dev->id));
		ADD("requested", json_object_new_uint64(row->dev->requested));
		ADD("plugged", json_object_new_uint64(row->dev->plugged));
		ADD("region", json_object_new_uint64(row->dev->region));
		ADD("speed", json_object_new_int64(row->progress.speed));
		ADD("state", json_object_new_string(row_state(row)));
#undef ADD
		json_object_array_add(all, one);
	}
	json_object_object_add(out, "time", json_object_new_int64(time(NULL)));
	json_object_object_add(out, "devices", all);
	puts(json_object_to_json_string_ext(out, JSON_C_TO_STRING_PLAIN));
	json_object_put(out);
	return fflush(stdout) ? -1 : 0;
}

/* --- screen --- */

/**
 * struct layout - what there is room for
 * @domain: width of the domains' names
 * @device: width of the devices' names
 * @bar: whether the bars are drawn
 * @region: whether the regions are
 * @speed: whether the speeds are
 * @requested: whether what is requested is
 */
struct layout {
	int domain;
	int device;
	bool bar;
	bool region;
	bool speed;
	bool requested;
};

/**
 * struct pen - where the next column is drawn
 * @line: on the screen
 * @column: of it
 */
struct pen {
	int line;
	int column;
};

/* A text in so many columns; beyond the screen's edge nothing is drawn. */
static void put(struct pen *pen, const char *text, int width, bool right)
{
	int used = COLS - pen->column < width ? COLS - pen->column : width;
	int bytes, skip = 0;

	if (used <= 0)
		return;
	bytes = text_fit(text, &used);
	if (right && used < width)
		skip = width - used;
	if (pen->column + skip + used <= COLS)
		mvaddnstr(pen->line, pen->column + skip, text, bytes);
	pen->column += width + 1;
}

static int width_of(const char *text)
{
	int width = NAME_COLUMNS;

	text_fit(text, &width);
	return width;
}

/* The state must be seen; the others make room for it, the least needed first. */
static struct layout lay_out(const struct top *top)
{
	struct layout to = { .domain = 6, .device = 6 };
	int need = 2 * (SIZE_COLUMNS + 1) + SPEED_COLUMNS + 1 + STATE_COLUMNS + 2;

	for (size_t i = 0; i < top->nr; i++) {
		int domain = width_of(top->rows[i].dev->domain);
		int device = width_of(top->rows[i].dev->id);

		to.domain = domain > to.domain ? domain : to.domain;
		to.device = device > to.device ? device : to.device;
	}
	need += to.domain + to.device;
	to.bar = need + BAR_WIDTH + 3 + SIZE_COLUMNS + 1 <= COLS;
	to.region = need + SIZE_COLUMNS + 1 <= COLS;
	for (; need > COLS && to.device > LEAST_COLUMNS; need--)
		to.device--;
	for (; need > COLS && to.domain > LEAST_COLUMNS; need--)
		to.domain--;
	/* "shrinking" is enough then. */
	need -= STATE_COLUMNS - 9;
	to.speed = need <= COLS;
	to.requested = need - SPEED_COLUMNS - 1 <= COLS;
	return to;
}

static void draw_head(const struct top *top, const struct layout *to)
{
	char want[SIZE_TEXT], have[SIZE_TEXT], clock[16];
	uint64_t requested = 0, plugged = 0;
	size_t unmet = 0, stuck = 0;
	struct pen pen = { 0 };
	time_t t = time(NULL);
	char *text;

	for (size_t i = 0; i < top->nr; i++) {
		requested += top->rows[i].dev->requested;
		plugged += top->rows[i].dev->plugged;
		unmet += !is_met(&top->rows[i]);
		stuck += !strcmp(row_state(&top->rows[i]), "stuck");
	}
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&t));
	text = xasprintf("vmemctl top  %s  %zu device%s, %zu not met, %zu stuck%s",
			 clock, top->nr, top->nr == 1 ? "" : "s", unmet, stuck,
			 top->unmet_only ? "  (only those not met)" : "");
	put(&pen, text, COLS, false);
	free(text);
	text = xasprintf("requested %s, plugged %s    q quit  u not met only  arrows scroll",
			 size_text(want, requested), size_text(have, plugged));
	pen = (struct pen){ .line = 1 };
	put(&pen, text, COLS, false);
	free(text);
	attron(A_REVERSE);
	mvhline(3, 0, ' ', COLS);
	pen = (struct pen){ .line = 3 };
	put(&pen, "DOMAIN", to->domain, false);
	put(&pen, "DEVICE", to->device, false);
	if (to->requested)
		put(&pen, "REQUESTED", SIZE_COLUMNS, true);
	put(&pen, "PLUGGED", SIZE_COLUMNS, true);
	if (to->region)
		put(&pen, "REGION", SIZE_COLUMNS, true);
	if (to->bar)
		put(&pen, "", BAR_WIDTH + 2, false);
	if (to->speed)
		put(&pen, "SPEED", SPEED_COLUMNS, true);
	pen.column++;
	put(&pen, "STATE", COLS, false);
	attroff(A_REVERSE);
}

/* Draws plugged memory as #, memory to come as +, memory to go as -. */
static void draw_bar(struct pen *pen, const struct device *dev)
{
	char bar[BAR_WIDTH + 3] = "[", goal[BAR_WIDTH + 1];

	progress_bar(bar + 1, BAR_WIDTH, dev->plugged, dev->region);
	progress_bar(goal, BAR_WIDTH, dev->requested, dev->region);
	for (int i = 0; i < BAR_WIDTH; i++) {
		if (bar[i + 1] != goal[i])
			bar[i + 1] = goal[i] == '#' ? '+' : '-';
	}
	put(pen, strcat(bar, "]"), BAR_WIDTH + 2, false);
}

static void draw_state(struct pen *pen, const struct row *row)
{
	int colour = is_met(row) ? GREEN : YELLOW;
	const char *state = row_state(row);
	char since[SIZE_TEXT];
	char *text = NULL;

	if (!strcmp(state, "stuck")) {
		colour = RED;
		text = xasprintf("stuck for %s",
				 span_text(since, now() - row->progress.seen));
	}
	attron(COLOR_PAIR(colour) | (colour == RED ? A_BOLD : 0));
	put(pen, text ? text : state, COLS, false);
	attroff(COLOR_PAIR(colour) | A_BOLD);
	free(text);
}

static void draw_row(const struct row *row, const struct layout *to, int line)
{
	char speed[SIZE_TEXT + 8] = "", text[SIZE_TEXT];
	const struct device *dev = row->dev;
	double bytes = row->progress.speed;
	struct pen pen = { .line = line };

	put(&pen, dev->domain, to->domain, false);
	put(&pen, dev->id, to->device, false);
	if (to->requested)
		put(&pen, size_text(text, dev->requested), SIZE_COLUMNS, true);
	put(&pen, size_text(text, dev->plugged), SIZE_COLUMNS, true);
	if (to->region)
		put(&pen, size_text(text, dev->region), SIZE_COLUMNS, true);
	if (to->bar)
		draw_bar(&pen, dev);
	if (bytes)
		snprintf(speed, sizeof(speed), "%s%s/s", bytes < 0 ? "-" : "+",
			 size_text(text, bytes < 0 ? -bytes : bytes));
	if (to->speed)
		put(&pen, speed, SPEED_COLUMNS, true);
	pen.column++;
	draw_state(&pen, row);
}

static size_t rows_on_screen(void)
{
	int rows = LINES - HEAD_LINES;

	return rows > 0 ? rows : 0;
}

static void draw(struct top *top)
{
	size_t room = rows_on_screen(), nr = 0;
	struct layout to = lay_out(top);

	erase();
	draw_head(top, &to);
	for (size_t i = 0; i < top->nr; i++)
		nr += !top->unmet_only || !is_met(&top->rows[i]);
	if (top->first + room > nr)
		top->first = nr > room ? nr - room : 0;
	nr = 0;
	for (size_t i = 0; i < top->nr; i++) {
		if (top->unmet_only && is_met(&top->rows[i]))
			continue;
		if (nr >= top->first && nr - top->first < room)
			draw_row(&top->rows[i], &to,
				 HEAD_LINES + nr - top->first);
		nr++;
	}
	refresh();
}

/* Whether to go on. */
static bool key(struct top *top, int pressed)
{
	size_t page = rows_on_screen();

	switch (pressed) {
	case 'q':
		return false;
	case 'u':
		top->unmet_only = !top->unmet_only;
		top->first = 0;
		break;
	case KEY_DOWN:
		top->first++;
		break;
	case KEY_UP:
		top->first -= top->first > 0;
		break;
	case KEY_NPAGE:
		top->first += page;
		break;
	case KEY_PPAGE:
		top->first -= top->first > page ? page : top->first;
		break;
	}
	return true;
}

static bool begin_screen(void)
{
	const char *term = getenv("TERM");

	/* ncurses takes a dumb one, and draws line below line. */
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term ||
	    !strcmp(term, "dumb") || !newterm(NULL, stdout, stdin))
		return false;
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(RED, COLOR_RED, -1);
		init_pair(YELLOW, COLOR_YELLOW, -1);
		init_pair(GREEN, COLOR_GREEN, -1);
	}
	return true;
}

/* Between two looks: keys, and what the host has to say. Whether to go on. */
static bool pass_time(struct top *top, bool screen)
{
	double until = now() + top->opt->delay;
	int pressed;

	while (!interrupted && now() < until) {
		double left = (until - now()) * 1000;

		/* Keys are looked for five times a second. */
		if (top->host->ops->wait(top->host, left < 200 ? left + 1 : 200))
			return true;	/* the next look says why */
		while (screen && (pressed = getch()) != ERR) {
			if (!key(top, pressed))
				return false;
			draw(top);
		}
	}
	return !interrupted;
}

/**
 * command_top() - vmemctl top
 * @host: the connection
 * @opt: the command line
 *
 * Return: the exit status.
 */
int command_top(struct host *host, const struct options *opt)
{
	struct top top = { .host = host, .opt = opt };
	bool screen = !opt->json && begin_screen();
	unsigned int looks = 0;
	int status = EXIT_SUCCESS;

	if (!screen && !opt->json)
		return complain(EXIT_USAGE, "top needs a terminal; without one use --json");
	do {
		if (host->lost || look(&top)) {
			status = EXIT_ERROR;
			break;
		}
		if (screen)
			draw(&top);
		else if (print_json(&top))
			break;	/* main() says why */
		if (opt->count && ++looks >= opt->count)
			break;
	} while (pass_time(&top, screen));
	if (screen)
		endwin();
	if (status)
		complain(status, "%s", host->error);
	free_rows(&top);
	devices_free(&top.list);
	return status;
}
