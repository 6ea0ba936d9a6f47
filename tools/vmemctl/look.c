// SPDX-License-Identifier: GPL-2.0-or-later
/* A look into the guest beside the waiting, because an agent may never answer. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "guest.h"
#include "util.h"

enum { IDLE, RUNNING, DONE };

/* One at a time; the thread owns host, dev and guest until it is DONE. */
static struct {
	pthread_mutex_t lock;
	int state;
	struct host *host;
	struct devices dev;
	struct guest guest;
} look = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void set_state(int state)
{
	pthread_mutex_lock(&look.lock);
	look.state = state;
	pthread_mutex_unlock(&look.lock);
}

static int get_state(void)
{
	int state;

	pthread_mutex_lock(&look.lock);
	state = look.state;
	pthread_mutex_unlock(&look.lock);
	return state;
}

static void *run(void *unused)
{
	guest_ask(look.host, &look.dev.all[0], &look.guest);
	set_state(DONE);
	return unused;
}

/**
 * look_start() - ask the guest, and don't wait
 * @host: the connection
 * @dev: the device, copied
 *
 * Return: whether it began; not while another look runs or waits to be taken.
 */
bool look_start(struct host *host, const struct device *dev)
{
	sigset_t all, old;
	pthread_t thread;
	struct device *copy;
	int error;

	if (get_state() != IDLE)
		return false;
	look.host = host;
	copy = devices_add(&look.dev, dev->domain, dev->uuid, dev->id);
	copy->requested = dev->requested;
	copy->addr = dev->addr;
	set_state(RUNNING);
	/* Signals are for who waits, not for who asks. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error) {
		devices_free(&look.dev);
		set_state(IDLE);
		return false;
	}
	pthread_detach(thread);
	return true;
}

/**
 * look_running() - whether a look has no end yet
 */
bool look_running(void)
{
	return get_state() == RUNNING;
}

/**
 * look_take() - take what the guest said
 * @guest: replaced by it
 *
 * Return: whether a look has ended since the last call.
 */
bool look_take(struct guest *guest)
{
	if (get_state() != DONE)
		return false;
	guest_free(guest);
	*guest = look.guest;
	look.guest = (struct guest){ 0 };
	devices_free(&look.dev);
	set_state(IDLE);
	return true;
}
