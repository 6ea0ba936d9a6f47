// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * soak - loads a guest's memory from all sides while its size changes
 *
 *   soak run SEED ROUND START END movable|kernel [poison]
 *		run all actors until SIGTERM, then verify and free everything;
 *		START and END: the range that the device may plug, in bytes;
 *		kernel: online into the kernel's zones, too;
 *		poison: declare some pages of that range broken
 *	-> one line an actor, then "END ok", or "END BAD what"
 *   soak counts
 *	-> the same lines, of a run under way
 *
 * Each actor is a process.  Its n-th operation draws the same numbers in each
 * run with the same seed; what comes of them depends on the others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "soak.h"

#define BOARD		"/tmp/soak.board"
/* Giving up an offlining may take a pass of migration, and these CPUs time. */
#define STOP_S		90

struct run run;

static const struct actor *const actors[] = {
	&actor_thp, &actor_hugetlb, &actor_hog, &actor_file, &actor_move,
	&actor_cow, &actor_pipe, &actor_uring, &actor_direct, &actor_block,
	&actor_policy, &actor_tool, &actor_compact, &actor_read, &actor_disk,
	&actor_swap, &actor_poison,
};

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* The next draw: 0 to @below - 1. */
uint64_t draw(struct draws *d, uint64_t below)
{
	d->state += 0x9e3779b97f4a7c15ULL;
	return mix(d->state) % below;
}

bool stopping(void)
{
	return __atomic_load_n(&run.board->stop, __ATOMIC_RELAXED);
}

/* Sleep, but wake up when all shall stop. */
void nap(unsigned int ms)
{
	struct timespec t = { .tv_nsec = 1000000L };
	unsigned int slice;

	for (; ms && !stopping(); ms -= slice) {
		slice = ms < 50 ? ms : 50;
		t.tv_nsec = slice * 1000000L;
		nanosleep(&t, NULL);
	}
}

void doing(const char *what)
{
	snprintf(run.me->doing, sizeof(run.me->doing), "%s", what);
}

enum outcome skip(const char *why)
{
	snprintf(run.me->why, sizeof(run.me->why), "%s", why);
	return SKIPPED;
}

enum outcome refuse(int error)
{
	if (error > 0 && error < MAX_ERRNO)
		run.me->errors[error]++;
	return REFUSED;
}

/* Tells of a state that must never be.  Only the first to see one is heard. */
void bad(const char *fmt, ...)
{
	va_list args;

	if (!__atomic_fetch_add(&run.board->bad, 1, __ATOMIC_SEQ_CST)) {
		char *text = run.board->text;
		size_t size = sizeof(run.board->text);
		int n = snprintf(text, size, "%s: ", run.me->name);

		va_start(args, fmt);
		vsnprintf(text + n, size - n, fmt, args);
		va_end(args);
	}
	_exit(EXIT_BAD);
}

/* A line of /proc/meminfo, in bytes. */
static size_t meminfo(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
}

static size_t swapped(const char *text)
{
	return meminfo(text, "SwapTotal:") - meminfo(text, "SwapFree:") -
	       meminfo(text, "SwapCached:");
}

/*
 * Whether so much can be allocated, and @floor stays available.  What is swapped
 * out will be wanted again: it has to fit, too.
 */
bool room(size_t bytes, size_t floor)
{
	int fd = open("/proc/meminfo", O_RDONLY);
	char text[8192];
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	return meminfo(text, "MemAvailable:") >= bytes + floor + swapped(text);
}

/* Write to a file of the kernel's: 0 or an errno. */
int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), rc = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = errno;
	close(fd);
	return rc;
}

/*
 * End what is under way with EINTR after so many seconds; 0: no more.
 * Offlining by file goes on for as long as nothing signals its caller, and
 * keeps everybody else, the driver too, waiting for device_hotplug_lock.
 */
void limit(unsigned int seconds)
{
	alarm(seconds);
}

/* Bytes of Linux's memory block. */
uint64_t block_size(void)
{
	static unsigned long long size;
	FILE *f;

	if (size)
		return size;
	f = fopen("/sys/devices/system/memory/block_size_bytes", "r");
	if (!f || fscanf(f, "%llx", &size) != 1)
		bad("no memory block size");
	fclose(f);
	return size;
}

static struct board *map_board(bool create)
{
	int fd = open(BOARD, O_RDWR | (create ? O_CREAT | O_TRUNC : 0), 0600);
	struct board *board;

	if (fd < 0 || (create && ftruncate(fd, sizeof(*board)))) {
		perror(BOARD);
		exit(1);
	}
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	close(fd);
	if (board == MAP_FAILED) {
		perror(BOARD);
		exit(1);
	}
	return board;
}

static void print_counts(const struct board *board)
{
	for (size_t i = 0; i < ARRAY_SIZE(actors); i++) {
		const struct counts *c = &board->counts[i];

		if (!c->name[0])
			continue;
		printf("%s %llu %llu %llu", c->name,
		       (unsigned long long)c->done,
		       (unsigned long long)c->refused,
		       (unsigned long long)c->skipped);
		for (int e = 0; e < MAX_ERRNO; e++)
			if (c->errors[e])
				printf(" %s=%u", strerrorname_np(e),
				       c->errors[e]);
		if (c->skipped)
			printf(" (%s)", c->why);
		putchar('\n');
	}
	if (board->bad)
		printf("BAD %s\n", board->text);
}

static void wake(int sig)
{
	/* Only to end a system call with EINTR. */
	(void)sig;
}

static void on_term(int sig)
{
	(void)sig;
	__atomic_store_n(&run.board->stop, 1, __ATOMIC_RELAXED);
}

static void act(const struct actor *actor, unsigned long index)
{
	for (uint64_t n = 0; !stopping(); n++) {
		struct draws d = { mix(run.seed + mix(run.round +
						      mix(index + mix(n)))) };

		switch (actor->op(&d)) {
		case DONE:
			run.me->done++;
			break;
		case REFUSED:
			run.me->refused++;
			break;
		case SKIPPED:
			run.me->skipped++;
			break;
		}
		doing("");
		nap(draw(&d, 2 * actor->pause_ms) + 1);
	}
	doing("end");
	if (actor->end)
		actor->end();
	_exit(0);
}

static void start_actor(unsigned long i)
{
	struct sigaction sa = { .sa_handler = wake };
	pid_t parent = getpid(), pid;

	run.me = &run.board->counts[i];
	snprintf(run.me->name, sizeof(run.me->name), "%s", actors[i]->name);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		bad("fork: %s", strerror(errno));
	if (pid) {
		run.me->pid = pid;
		run.me = NULL;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* No SA_RESTART. */
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	signal(SIGTERM, SIG_DFL);
	act(actors[i], i);
}

/* An actor has ended: as it should, or not. */
static void reap(pid_t pid, int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(actors); i++) {
		struct counts *c = &run.board->counts[i];

		if (c->pid != pid)
			continue;
		c->pid = 0;
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			__atomic_store_n(&run.board->stop, 1, __ATOMIC_RELAXED);
			if (run.board->bad++)
				return;
			snprintf(run.board->text, sizeof(run.board->text),
				 "%s: ended with status 0x%x, doing %s",
				 c->name, status, c->doing);
		}
	}
}

/* Those that are in a long system call need to be told. */
static bool poke(time_t since)
{
	bool left = false;

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++) {
		struct counts *c = &run.board->counts[i];

		if (!c->pid)
			continue;
		left = true;
		kill(c->pid, SIGUSR1);
		if (time(NULL) - since > STOP_S && !run.board->bad)
			snprintf(run.board->text, sizeof(run.board->text),
				 "%s: not back within %d s: %s", c->name,
				 STOP_S, c->doing);
	}
	return left;
}

static int run_all(void)
{
	time_t since = 0;
	int status;
	pid_t pid;

	/* A call that the signal meets would start again with SA_RESTART. */
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_term }, NULL);
	/* So that drop_caches says nothing. */
	put("/proc/sys/vm/drop_caches", "4");
	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		start_actor(i);
	printf("RUNNING\n");
	for (;;) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			reap(pid, status);
		if (stopping()) {
			since = since ? since : time(NULL);
			if (!poke(since))
				break;
			if (time(NULL) - since > STOP_S) {
				run.board->bad = 1;
				break;
			}
		}
		usleep(100000);
	}
	print_counts(run.board);
	printf("END %s\n", run.board->bad ? "BAD" : "ok");
	return run.board->bad ? EXIT_BAD : 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "counts")) {
		print_counts(map_board(false));
		return 0;
	}
	if (argc < 7 || argc > 8 || strcmp(argv[1], "run")) {
		printf("usage: soak run SEED ROUND START END movable|kernel [poison]\n"
		       "       soak counts\n");
		return 2;
	}
	run.seed = strtoull(argv[2], NULL, 0);
	run.round = strtoul(argv[3], NULL, 0);
	run.start = strtoull(argv[4], NULL, 0);
	run.end = strtoull(argv[5], NULL, 0);
	run.kernel = !strcmp(argv[6], "kernel");
	run.poison = argc == 8 && !strcmp(argv[7], "poison");
	run.board = map_board(true);
	return run_all();
}
