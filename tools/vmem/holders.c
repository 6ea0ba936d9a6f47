// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who holds a page: a set of processes, a file, a memory cgroup.
 *
 * A holder is one with less, and one element more. Elements come in a fixed order
 * (file, processes as they are walked, cgroup), so that equal sets are equal
 * chains, and have one number.
 */
#include <stdlib.h>
#include <string.h>

#include "holders.h"
#include "sys.h"
#include "text.h"

/* A power of two, more than twice as many as there can be holders. */
#define HASH_SIZE (1U << 18)

/* There is nobody yet but the kernel. */
void holders_init(struct holders *holders)
{
	*holders = (struct holders){ .nr = 1, .hash_size = HASH_SIZE };
	holders->h = xalloc(1, sizeof(*holders->h));
	holders->h[0] = (struct holder){ .process = -1, .file = -1, .cgroup = -1 };
	holders->hash = xalloc(HASH_SIZE, sizeof(*holders->hash));
}

static bool same(const struct holder *a, const struct holder *b)
{
	return a->less == b->less && a->process == b->process && a->file == b->file &&
	       a->cgroup == b->cgroup;
}

/* Return: the number of a holder, a new one if need be. */
static uint16_t number_of(struct holders *holders, const struct holder *want)
{
	uint64_t mix = want->less * 0x9e3779b97f4a7c15ULL;
	uint32_t at;

	mix = (mix ^ (uint32_t)want->process) * 0x9e3779b97f4a7c15ULL;
	mix = (mix ^ (uint32_t)want->file) * 0x9e3779b97f4a7c15ULL;
	mix = (mix ^ (uint32_t)want->cgroup) * 0x9e3779b97f4a7c15ULL;
	for (at = mix >> 46; holders->hash[at]; at = (at + 1) % HASH_SIZE)
		if (same(&holders->h[holders->hash[at]], want))
			return holders->hash[at];
	if (holders->nr == HOLDER_MANY)
		return HOLDER_MANY;
	/* Twice the room whenever a power of two is full. */
	if (!(holders->nr & (holders->nr - 1)))
		holders->h = xgrow(holders->h, 2 * holders->nr, sizeof(*holders->h));
	holders->h[holders->nr] = *want;
	holders->hash[at] = holders->nr;
	return holders->nr++;
}

/* Return: the holder @from, and a process that holds it, too. */
uint16_t holder_with_process(struct holders *holders, uint16_t from, int process)
{
	struct holder want;

	if (from == HOLDER_MANY)
		return from;
	want = holders->h[from];
	/* A process may map a page twice. */
	if (want.process == process)
		return from;
	want.less = from;
	want.process = process;
	want.nr_processes++;
	return number_of(holders, &want);
}

/* Return: the holder @from, and the file that the page is of. */
uint16_t holder_with_file(struct holders *holders, uint16_t from, int file)
{
	struct holder want;

	if (from == HOLDER_MANY || holders->h[from].file >= 0)
		return from;
	want = holders->h[from];
	want.less = from;
	want.file = file;
	return number_of(holders, &want);
}

/* Return: the holder @from, and the memory cgroup that the page is charged to. */
uint16_t holder_with_cgroup(struct holders *holders, uint16_t from, int cgroup)
{
	struct holder want;

	if (from == HOLDER_MANY)
		return from;
	want = holders->h[from];
	want.less = from;
	want.cgroup = cgroup;
	return number_of(holders, &want);
}

/* Return: the index of a new process; @command is kept. */
int holders_process(struct holders *holders, int pid, char *command)
{
	holders->process = xgrow(holders->process, holders->nr_processes + 1,
				 sizeof(*holders->process));
	holders->process[holders->nr_processes] = (struct process){ .pid = pid, .command = command };
	return holders->nr_processes++;
}

/* Return: the index of a file's or cgroup's name. */
int holders_name(struct holders *holders, const char *name)
{
	char *clean = text_clean(name);

	/* Mostly it is among the last ones. */
	for (int i = holders->nr_names - 1; i >= 0; i--) {
		if (strcmp(holders->name[i], clean))
			continue;
		free(clean);
		return i;
	}
	holders->name = xgrow(holders->name, holders->nr_names + 1, sizeof(*holders->name));
	holders->name[holders->nr_names] = clean;
	return holders->nr_names++;
}

/* Return: how many processes, up to @room of which are in @out. */
int holder_processes(const struct holders *holders, uint16_t number, int *out, int room)
{
	int nr = 0, last = -1;

	while (number != HOLDER_KERNEL && number != HOLDER_MANY) {
		const struct holder *holder = &holders->h[number];

		/* Elements that are no process repeat the one before them. */
		if (holder->process >= 0 && holder->process != last) {
			if (nr < room)
				out[nr] = holder->process;
			nr++;
			last = holder->process;
		}
		number = holder->less;
	}
	return nr;
}

/* Give it back. */
void holders_free(struct holders *holders)
{
	for (int i = 0; i < holders->nr_processes; i++)
		free(holders->process[i].command);
	for (int i = 0; i < holders->nr_names; i++)
		free(holders->name[i]);
	free(holders->process);
	free(holders->name);
	free(holders->hash);
	free(holders->h);
}
