/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer of "vmem why": who holds what in the blocks of one device.
 */
#ifndef _VMEM_WHY_H
#define _VMEM_WHY_H

#include "blocks.h"
#include "holders.h"
#include "kinds.h"
#include "owner.h"
#include "pages.h"

/* The memory of one holder; without process and file, of one kind only. */
struct share {
	uint16_t holder;
	uint64_t bytes, stuck;
	uint64_t kind[KIND_NR];
};

struct why_block {
	const struct block *block;
	uint64_t used, stuck;
	uint64_t kind[KIND_NR];
	uint16_t top;          /* who holds most of what can't be moved, else of all */
	uint64_t top_bytes;
	uint16_t way;          /* who holds the driver's first page in the way */
	uint8_t way_kind;      /* of that page; KIND_NONE: there is none */
};

struct why {
	const struct device *dev;
	struct blocks blocks;
	struct pages pages;
	struct holders holders;
	struct share *share;   /* what can't be moved first, then the largest */
	int nr_shares;
	struct why_block *block;
	int nr_blocks;
	struct stacks stacks;
	bool knows_pins, knows_cgroups, knows_processes;
	uint64_t used, stuck, available, swap_free;
};

bool why_ask(struct why *why, const struct device *dev);
char *why_name(const struct why *why, const struct share *share);
char *why_way(const struct why *why, const struct why_block *b);
char *why_kinds(const struct share *share);
char *why_note(const struct why *why, enum kind kind);
enum kind why_main_kind(const struct share *share);
void why_print(const struct why *why);
struct json_object *why_json(const struct why *why);
void why_free(struct why *why);

#endif
