// SPDX-License-Identifier: GPL-2.0-or-later
/* Speed of a size that moves in steps, and the line that shows it. */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util.h"

#define BAR_WIDTH	24
/* Half of what the speed says is not older than this. */
#define SPEED_SECONDS	3
/* Moves within less time are not measured. */
#define FASTEST_LOOK	0.25

static bool shown;

/**
 * progress_begin() - watch a size from now on
 * @p: what is kept of it
 * @size: what it is
 * @when: now()
 */
void progress_begin(struct progress *p, uint64_t size, double when)
{
	*p = (struct progress){
		.from = size, .last = size, .seen = when, .looked = when,
	};
}

/**
 * progress_expect() - the size has a reason to move since the last look
 * @p: what is kept of it
 */
void progress_expect(struct progress *p)
{
	p->seen = p->looked;
	p->speed = 0;
}

/**
 * progress_step() - what the size is now
 * @p: what is kept of it
 * @size: what it is
 * @when: now()
 *
 * Return: whether it changed.
 */
bool progress_step(struct progress *p, uint64_t size, double when)
{
	double moved = size > p->last ? size - p->last : -(double)(p->last - size);
	double past = when - p->seen, weight, speed;

	p->looked = when;
	if (size == p->last) {
		/* It can't have been faster than a block in this time. */
		if (past > SPEED_SECONDS)
			p->speed = 0;
		return false;
	}
	/* QEMU tells of it once a second: one step may be several blocks. */
	if (past < FASTEST_LOOK)
		past = FASTEST_LOOK;
	speed = moved / past;
	weight = past / (past + SPEED_SECONDS);
	if (p->speed == 0)
		weight = 1;
	p->speed += (speed - p->speed) * weight;
	p->last = size;
	p->seen = when;
	return true;
}

/**
 * progress_state() - one word for how it goes
 * @p: what is kept of the size
 * @requested: what it shall be
 * @when: now()
 */
const char *progress_state(const struct progress *p, uint64_t requested,
			   double when)
{
	if (p->last == requested)
		return "met";
	if (when - p->seen >= STUCK_SECONDS)
		return "stuck";
	return p->last < requested ? "growing" : "shrinking";
}

/**
 * progress_bar() - draw a part of a whole
 * @bar: where to draw, @width + 1 bytes
 * @width: characters
 * @part: filled
 * @whole: all of it, may be 0
 */
void progress_bar(char *bar, unsigned int width, uint64_t part, uint64_t whole)
{
	unsigned int filled = whole ? (double)part / whole * width : 0;

	if (filled > width)
		filled = width;
	memset(bar, '#', filled);
	memset(bar + filled, '.', width - filled);
	bar[width] = '\0';
}

/* The bar is for who looks, and not for what a script reads. */
static bool somebody_looks(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

static unsigned int columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}

/**
 * progress_show() - draw the line, over the one before
 * @p: what is kept of the size
 * @domain: whose it is
 * @to: where it shall go
 * @note: what else there is to say
 */
void progress_show(const struct progress *p, const char *domain, uint64_t to,
		   const char *note)
{
	uint64_t whole = to > p->from ? to - p->from : p->from - to;
	uint64_t left = to > p->last ? to - p->last : p->last - to;
	char bar[BAR_WIDTH + 1], at[SIZE_TEXT], goal[SIZE_TEXT];
	char speed[SIZE_TEXT], eta[SIZE_TEXT];
	int room = columns() - 1;
	char *tail, *line;

	if (!somebody_looks())
		return;
	progress_bar(bar, BAR_WIDTH, left < whole ? whole - left : 0, whole);
	if (to > p->last ? p->speed > 0 : p->speed < 0)
		tail = xasprintf(", %s/s, %s left",
				 size_text(speed, p->speed > 0 ? p->speed : -p->speed),
				 span_text(eta, left / (p->speed > 0 ? p->speed :
							-p->speed)));
	else
		tail = xasprintf(", no change for %s",
				 span_text(eta, now() - p->seen));
	line = xasprintf("%s [%s] %s of %s%s%s%s", domain, bar,
			 size_text(at, p->last), size_text(goal, to), tail,
			 note ? "; " : "", note ? note : "");
	fprintf(stderr, "\r%.*s\033[K", text_fit(line, &room), line);
	fflush(stderr);
	shown = true;
	free(tail);
	free(line);
}

/**
 * progress_hide() - leave the line to what comes next
 */
void progress_hide(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}
