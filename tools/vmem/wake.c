// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Waits for the next look: a device's state changes, time passes, or we are to end.
 *
 * This project's driver has a file that can be polled for changes of the state;
 * with another driver only time passes.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"
#include "sys.h"
#include "wake.h"

/* States that follow each other fast are one look: so many ms at least are between. */
#define LEAST_MS 100

struct wake {
	struct pollfd *p;    /* signals first, then a state a device; -1: it has none */
	int nr;
};

/* Ctrl-C is read like a file, so that it ends the wait and nothing else. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Changes are counted from what was read last through the same file descriptor. */
static void arm(struct pollfd *p)
{
	char word[32];

	if (p->fd < 0 || pread(p->fd, word, sizeof(word), 0) > 0)
		return;
	/* The driver has gone. */
	close(p->fd);
	p->fd = -1;
}

/* Return: to be given back with wake_close(); changes from now on are noticed. */
struct wake *wake_open(const struct devices *devices)
{
	struct wake *wake = xalloc(1, sizeof(*wake));

	wake->nr = devices->nr + 1;
	wake->p = xalloc(wake->nr, sizeof(*wake->p));
	wake->p[0] = (struct pollfd){ .fd = open_signals(), .events = POLLIN };
	for (int i = 0; i < devices->nr; i++) {
		wake->p[i + 1] = (struct pollfd){
			.fd = sys_open("/sys/bus/virtio/devices/%s/virtio_mem/state",
				       devices->d[i].name),
			.events = POLLPRI,
		};
		arm(&wake->p[i + 1]);
	}
	return wake;
}

/**
 * wake_wait() - wait for the next look
 * @wake: from wake_open()
 * @seconds: at most so long, if no state changes
 *
 * Return: whether we are to end.
 */
bool wake_wait(struct wake *wake, double seconds)
{
	int ms = (int)(seconds * 1000), least = ms < LEAST_MS ? ms : LEAST_MS;

	if (poll(wake->p, 1, least) > 0)
		return true;
	if (poll(wake->p, wake->nr, ms - least) <= 0)
		return false;
	for (int i = 1; i < wake->nr; i++)
		if (wake->p[i].revents)
			arm(&wake->p[i]);
	return wake->p[0].revents;
}

/* Give it back. */
void wake_close(struct wake *wake)
{
	for (int i = 0; i < wake->nr; i++)
		if (wake->p[i].fd >= 0)
			close(wake->p[i].fd);
	free(wake->p);
	free(wake);
}
