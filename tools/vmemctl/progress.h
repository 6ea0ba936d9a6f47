/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast a size moves, and a bar that shows it. */
#ifndef VMEMCTL_PROGRESS_H
#define VMEMCTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* After so long without a change something is in the way. */
#define STUCK_SECONDS	10

/**
 * struct progress - what is known of a size that moves
 * @from: the size at the beginning
 * @last: the last one seen
 * @seen: when it was first seen, by now()
 * @looked: when it was last looked at
 * @speed: bytes a second, negative when shrinking
 */
struct progress {
	uint64_t from;
	uint64_t last;
	double seen;
	double looked;
	double speed;
};

void progress_begin(struct progress *p, uint64_t size, double when);
void progress_expect(struct progress *p);
bool progress_step(struct progress *p, uint64_t size, double when);
const char *progress_state(const struct progress *p, uint64_t requested,
			   double when);
void progress_bar(char *bar, unsigned int width, uint64_t part, uint64_t whole);
void progress_show(const struct progress *p, const char *domain, uint64_t to,
		   const char *note);
void progress_hide(void);

#endif
