// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The answer of "vmem why" for tools. The keys are documented in vmem(1).
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "details.h"
#include "why.h"
#include "sys.h"

static void add(struct json_object *to, const char *key, struct json_object *value)
{
	json_object_object_add(to, key, value);
}

static struct json_object *number(uint64_t value)
{
	return value == UNKNOWN ? NULL : json_object_new_uint64(value);
}

static struct json_object *text(const char *value)
{
	return value ? json_object_new_string(value) : NULL;
}

static struct json_object *by_kind(const uint64_t *bytes)
{
	struct json_object *out = json_object_new_object();

	for (int i = 0; i < KIND_NR; i++)
		if (bytes[i])
			add(out, kinds[i].key, number(bytes[i]));
	return out;
}

static struct json_object *processes_of(const struct why *why, uint16_t holder)
{
	struct json_object *out = json_object_new_array();
	int nr = holder_processes(&why->holders, holder, NULL, 0);
	int *index = xalloc(nr, sizeof(*index));

	holder_processes(&why->holders, holder, index, nr);
	for (int i = 0; i < nr; i++) {
		struct json_object *process = json_object_new_object();

		add(process, "pid", number(why->holders.process[index[i]].pid));
		add(process, "command", text(why->holders.process[index[i]].command));
		json_object_array_add(out, process);
	}
	free(index);
	return out;
}

static struct json_object *one_share(const struct why *why, const struct share *share)
{
	struct json_object *out = json_object_new_object();
	const struct holder *holder = NULL;
	char *name = why_name(why, share);

	if (share->holder != HOLDER_MANY)
		holder = &why->holders.h[share->holder];
	add(out, "name", text(name));
	add(out, "bytes", number(share->bytes));
	add(out, "stuck_bytes", number(share->stuck));
	add(out, "kinds", by_kind(share->kind));
	add(out, "processes", processes_of(why, share->holder));
	add(out, "file", holder && holder->file >= 0 ? text(why->holders.name[holder->file]) : NULL);
	add(out, "cgroup", holder && holder->cgroup >= 0 ?
	    text(why->holders.name[holder->cgroup]) : NULL);
	add(out, "advice", text(kinds[why_main_kind(share)].advice));
	free(name);
	return out;
}

static struct json_object *one_block(const struct why *why, const struct why_block *b)
{
	struct json_object *out = json_object_new_object(), *largest = NULL;
	char *way = why_way(why, b);

	add(out, "start", number(b->block->start));
	add(out, "size", number(b->block->size));
	add(out, "zone", text(block_zone_name(b->block)));
	add(out, "used_bytes", number(b->used));
	add(out, "stuck_bytes", number(b->stuck));
	add(out, "cause", text(b->block->cause));
	add(out, "kinds", by_kind(b->kind));
	/* The index of a share with that holder, of which there may be several. */
	for (int i = 0; i < why->nr_shares && b->top_bytes && !largest; i++)
		if (why->share[i].holder == b->top)
			largest = json_object_new_int(i);
	add(out, "largest_holder", largest);
	add(out, "largest_holder_bytes", number(b->top_bytes));
	details_json(out, b->block->details);
	add(out, "way_holder", text(way));
	free(way);
	return out;
}

static struct json_object *mapped(const struct why *why)
{
	struct json_object *out = json_object_new_array();

	for (int i = 0; i < why->holders.nr_processes; i++) {
		const struct process *process = &why->holders.process[i];
		struct json_object *one;

		if (!process->pages && !process->pinned_kib)
			continue;
		one = json_object_new_object();
		add(one, "pid", number(process->pid));
		add(one, "command", text(process->command));
		add(one, "bytes", number(process->pages * PAGE_BYTES));
		add(one, "page_table_bytes", number(process->table_kib * 1024));
		add(one, "pinned_anywhere_bytes", number(process->pinned_kib * 1024));
		json_object_array_add(out, one);
	}
	return out;
}

static struct json_object *stacks(const struct why *why)
{
	struct json_object *out = json_object_new_array();

	for (int i = 0; i < why->stacks.nr; i++) {
		const struct stack *stack = &why->stacks.s[i];
		struct json_object *one = json_object_new_object();

		add(one, "pages", number(stack->pages));
		add(one, "first_page", number(stack->pfn));
		add(one, "by", text(stack->by));
		add(one, "stack", text(stack->text));
		json_object_array_add(out, one);
	}
	return out;
}

static struct json_object *not_known(const struct why *why)
{
	struct json_object *out = json_object_new_array();

	if (!why->knows_pins)
		json_object_array_add(out, text("pins"));
	if (!why->knows_processes)
		json_object_array_add(out, text("processes"));
	if (!why->knows_cgroups)
		json_object_array_add(out, text("cgroups"));
	return out;
}

/* Return: an object, to be given back with json_object_put(). */
struct json_object *why_json(const struct why *why)
{
	struct json_object *out = json_object_new_object();
	struct json_object *list;

	add(out, "device", text(why->dev->name));
	add(out, "requested", number(why->dev->requested));
	add(out, "plugged", number(why->dev->plugged));
	add(out, "state", text(why->dev->state));
	add(out, "cause", text(why->dev->cause));
	add(out, "used_bytes", number(why->used));
	add(out, "stuck_bytes", number(why->stuck));
	add(out, "available_bytes", number(why->available));
	add(out, "swap_free_bytes", number(why->swap_free));
	list = json_object_new_array();
	for (int i = 0; i < why->nr_shares; i++)
		json_object_array_add(list, one_share(why, &why->share[i]));
	add(out, "holders", list);
	add(out, "processes", mapped(why));
	list = json_object_new_array();
	for (int i = 0; i < why->nr_blocks; i++)
		json_object_array_add(list, one_block(why, &why->block[i]));
	add(out, "blocks", list);
	add(out, "stacks", stacks(why));
	add(out, "not_known", not_known(why));
	return out;
}
