/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the soak's actors: a board of counts, draws, patterned memory.
 */
#ifndef SOAK_H
#define SOAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE		4096UL
#define HUGE_PAGES	512UL
#define MIB		(1UL << 20)

/*
 * Nobody allocates when less than this would stay available: what the actors
 * hold at a time has to fit into memory that was there at boot, or the OOM
 * killer would come because of them.
 */
#define FLOOR		(192 * MIB)
/* For those who take much: leaves the driver a big block to unplug. */
#define HIGH_FLOOR	(512 * MIB)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define MAX_ACTORS	20
#define MAX_ERRNO	134

/* The exit status of who has seen what must never be; no errno of interest. */
#define EXIT_BAD	3

enum outcome { DONE, REFUSED, SKIPPED };

/* An operation's draws: a function of seed, round, actor and its number. */
struct draws {
	uint64_t state;
};

struct actor {
	const char *name;
	enum outcome (*op)(struct draws *d);
	void (*end)(void);	/* gives back everything; may be NULL */
	unsigned int pause_ms;	/* between operations, on average */
};

/* One actor's line on the board. */
struct counts {
	char name[12];
	uint64_t done, refused, skipped;
	uint32_t errors[MAX_ERRNO];
	char why[40];		/* the last reason to skip */
	char doing[40];		/* for when it does not come back */
	pid_t pid;
};

/* Shared by all processes, and with "soak counts" through a file. */
struct board {
	int stop;
	int bad;
	char text[400];
	struct counts counts[MAX_ACTORS];
};

/* The settings of this run. */
struct run {
	uint64_t seed;
	unsigned long round;
	uint64_t start, end;	/* where the device may plug memory, bytes */
	bool kernel;		/* online into the kernel's zones, too */
	bool poison;		/* declare pages broken */
	struct board *board;
	struct counts *me;
};

extern struct run run;

/* main.c */
uint64_t draw(struct draws *d, uint64_t below);
bool stopping(void);
void nap(unsigned int ms);
void doing(const char *what);
enum outcome skip(const char *why);
enum outcome refuse(int error);
void bad(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
bool room(size_t bytes, size_t floor);
int put(const char *path, const char *text);
void limit(unsigned int seconds);
uint64_t block_size(void);

/*
 * pattern.c: memory of which every word says whose it is, how often it was
 * written, and which page and word it is.
 */
struct area {
	unsigned char *mem;
	size_t pages;
	uint16_t gen;
};

bool area_map(struct area *a, size_t pages, int flags);
void area_free(struct area *a);
void area_fill(struct area *a);
void area_check(const struct area *a, const char *when);
unsigned long long address_of(const void *mem);
void page_fill(void *mem, size_t page, uint16_t gen);
void page_check(const void *mem, size_t page, uint16_t gen, const char *when);

/* The actors. */
extern const struct actor actor_thp, actor_hugetlb, actor_hog;
extern const struct actor actor_file, actor_disk, actor_swap;
extern const struct actor actor_move, actor_cow, actor_poison;
extern const struct actor actor_pipe, actor_uring, actor_direct;
extern const struct actor actor_block, actor_policy, actor_tool;
extern const struct actor actor_compact, actor_read;

#endif /* SOAK_H */
