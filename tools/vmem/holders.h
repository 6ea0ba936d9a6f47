/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds a page: a set of processes, a file, a memory cgroup. Equal ones have
 * one number, so that a page needs two bytes for its holder.
 */
#ifndef _VMEM_HOLDERS_H
#define _VMEM_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>

/* Nobody that is known: the kernel itself. */
#define HOLDER_KERNEL 0
/* More different holders than there are numbers. */
#define HOLDER_MANY UINT16_MAX

struct process {
	int pid;
	char *command;
	uint64_t pages;       /* of those asked about that it maps */
	uint64_t table_kib;   /* its page tables */
	uint64_t pinned_kib;  /* what it pinned by the kernel's account of it */
};

struct holder {
	uint16_t less;        /* the same without its newest element */
	int process;          /* the newest element: index in processes, or -1 */
	int nr_processes;
	int file, cgroup;     /* index in names, or -1 */
};

struct holders {
	struct holder *h;
	int nr;
	uint32_t *hash;       /* numbers of holders, 0 is empty */
	uint32_t hash_size;
	struct process *process;
	int nr_processes;
	char **name;          /* of files and cgroups */
	int nr_names;
};

void holders_init(struct holders *holders);
uint16_t holder_with_process(struct holders *holders, uint16_t from, int process);
uint16_t holder_with_file(struct holders *holders, uint16_t from, int file);
uint16_t holder_with_cgroup(struct holders *holders, uint16_t from, int cgroup);
int holders_process(struct holders *holders, int pid, char *command);
int holders_name(struct holders *holders, const char *name);
int holder_processes(const struct holders *holders, uint16_t number, int *out, int room);
void holders_free(struct holders *holders);

#endif
