// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules by which the device treats requests differently: reads them from a line
 * of text, and looks them up for each request.  It does nothing itself.
 *
 *   REQUEST WORD...      REQUEST: plug, unplug, unplug_all, state, any
 */
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "mock.h"

static const struct {
	const char *name;
	enum mock_do what;
	bool has_default;
	u64 arg;
} words[] = {
	{ "nack", MOCK_DO_ANSWER, true, VIRTIO_MEM_RESP_NACK },
	{ "busy", MOCK_DO_ANSWER, true, VIRTIO_MEM_RESP_BUSY },
	{ "error", MOCK_DO_ANSWER, true, VIRTIO_MEM_RESP_ERROR },
	{ "unknown", MOCK_DO_ANSWER, true, 77 },
	{ "short", MOCK_DO_LEN, true, 1 },
	{ "long", MOCK_DO_LEN, true, 4096 },
	{ "twice", MOCK_DO_TWICE, true },
	{ "early", MOCK_DO_EARLY, true },
	{ "late", MOCK_DO_LATE },
	{ "never", MOCK_DO_NEVER, true },
	{ "break", MOCK_DO_BREAK, true },
	{ "needs_reset", MOCK_DO_NEEDS_RESET, true },
	{ "reset", MOCK_DO_RESET, true },
	{ "requested", MOCK_DO_REQUESTED },
	{ "usable", MOCK_DO_USABLE },
	{ "says", MOCK_DO_SAYS },
	{ "done", MOCK_DO_DONE, true },
	{ "undone", MOCK_DO_UNDONE, true },
};

static const char *const done[MOCK_DO_LIE] = {
	[MOCK_DO_ANSWER] = "answer",
	[MOCK_DO_LEN] = "len",
	[MOCK_DO_TWICE] = "twice",
	[MOCK_DO_EARLY] = "early",
	[MOCK_DO_LATE] = "late",
	[MOCK_DO_NEVER] = "never",
	[MOCK_DO_BREAK] = "break",
	[MOCK_DO_NEEDS_RESET] = "needs_reset",
	[MOCK_DO_RESET] = "reset",
	[MOCK_DO_REQUESTED] = "requested",
	[MOCK_DO_USABLE] = "usable",
	[MOCK_DO_SAYS] = "says",
	[MOCK_DO_DONE] = "done",
	[MOCK_DO_UNDONE] = "undone",
};

/* The name in the log and in the list of rules. */
static const char *do_name(unsigned int what)
{
	return what < MOCK_DO_LIE ? done[what] :
				    mock_model_fields[what - MOCK_DO_LIE];
}

static unsigned long parse_types(const char *name)
{
	static const char *const names[] = {
		[VIRTIO_MEM_REQ_PLUG] = "plug",
		[VIRTIO_MEM_REQ_UNPLUG] = "unplug",
		[VIRTIO_MEM_REQ_UNPLUG_ALL] = "unplug_all",
		[VIRTIO_MEM_REQ_STATE] = "state",
	};
	int type;

	if (!strcmp(name, "any"))
		return BIT(ARRAY_SIZE(names)) - 1;
	type = match_string(names, ARRAY_SIZE(names), name);
	return type < 0 ? 0 : BIT(type);
}

static int parse_when(struct mock_rule *r, const char *name, u64 value)
{
	if (!strcmp(name, "next"))
		r->next = value;
	else if (!strcmp(name, "every"))
		r->every = value;
	else if (!strcmp(name, "chance"))
		r->chance = value;
	else if (!strcmp(name, "seed"))
		prandom_seed_state(&r->rnd, value);
	else
		return -EINVAL;
	return value ? 0 : -EINVAL;
}

static int parse_word(struct mock_rule *r, char *name)
{
	char *text = strchr(name, '=');
	char *end = NULL;
	u64 value = 0;
	int field;
	size_t i;

	if (text) {
		*text++ = 0;
		value = memparse(text, &end);
		if (end == text || *end)
			return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].name, name))
			continue;
		if (!text && !words[i].has_default)
			return -EINVAL;
		r->plan.set |= BIT(words[i].what);
		r->plan.arg[words[i].what] = text ? value : words[i].arg;
		return 0;
	}
	if (!text)
		return -EINVAL;
	field = match_string(mock_model_fields, MOCK_FIELD_NR, name);
	if (field < 0)
		return parse_when(r, name, value);
	r->plan.set |= BIT(MOCK_DO_LIE + field);
	r->plan.arg[MOCK_DO_LIE + field] = value;
	return 0;
}

/**
 * mock_fault_parse() - add a rule
 * @m: the device
 * @line: text; is overwritten
 *
 * Without next=, every= or chance= a rule applies to one request.
 *
 * Context: with the lock held.
 * Return: 0; -EINVAL if it makes no sense; -ENOSPC.
 */
int mock_fault_parse(struct mock *m, char *line)
{
	struct mock_rule r = { .used = true };
	unsigned int i;
	char *word;

	word = strsep(&line, " ");
	r.types = parse_types(word);
	if (!r.types)
		return -EINVAL;
	prandom_seed_state(&r.rnd, 1);
	while ((word = strsep(&line, " ")))
		if (*word && parse_word(&r, word))
			return -EINVAL;
	if (!r.plan.set || r.chance > 1000)
		return -EINVAL;
	if (!r.next && !r.every && !r.chance)
		r.next = 1;
	for (i = 0; i < MOCK_MAX_RULES; i++) {
		if (m->rule[i].used)
			continue;
		m->rule[i] = r;
		return 0;
	}
	return -ENOSPC;
}

/**
 * mock_fault_clear() - drop all rules, and behave from now on
 * @m: the device
 *
 * Context: with the lock held.
 */
void mock_fault_clear(struct mock *m)
{
	memset(m->rule, 0, sizeof(m->rule));
}

static bool applies(struct mock_rule *r)
{
	r->seen++;
	if (r->every && r->seen % r->every)
		return false;
	if (r->chance && prandom_u32_state(&r->rnd) % 1000 >= r->chance)
		return false;
	return true;
}

/**
 * mock_fault_pick() - find out how to treat a request differently
 * @m: the device
 * @type: VIRTIO_MEM_REQ_*
 * @plan: out: all rules that apply, together
 *
 * Drops a rule that has done its work.
 *
 * Context: with the lock held.
 */
void mock_fault_pick(struct mock *m, u16 type, struct mock_plan *plan)
{
	unsigned int i, what;

	for (i = 0; i < MOCK_MAX_RULES; i++) {
		struct mock_rule *r = &m->rule[i];

		if (!r->used || !(r->types & BIT(type)) || !applies(r))
			continue;
		r->hits++;
		if (r->next && r->hits >= r->next)
			r->used = false;
		plan->set |= r->plan.set;
		for (what = 0; what < MOCK_DO_NR; what++)
			if (r->plan.set & BIT(what))
				plan->arg[what] = r->plan.arg[what];
	}
}

/**
 * mock_fault_show_set() - print the names of differences
 * @s: the file to print to
 * @set: BIT(MOCK_DO_*)
 */
void mock_fault_show_set(struct seq_file *s, unsigned long set)
{
	unsigned int what;

	for (what = 0; what < MOCK_DO_NR; what++)
		if (set & BIT(what))
			seq_printf(s, " %s", do_name(what));
}

/**
 * mock_fault_show() - print the rules that are left
 * @s: the file to print to
 * @m: the device
 */
void mock_fault_show(struct seq_file *s, struct mock *m)
{
	unsigned int i, what;

	for (i = 0; i < MOCK_MAX_RULES; i++) {
		const struct mock_rule *r = &m->rule[i];

		if (!r->used)
			continue;
		seq_printf(s, "types 0x%lx", r->types);
		for (what = 0; what < MOCK_DO_NR; what++)
			if (r->plan.set & BIT(what))
				seq_printf(s, " %s=%llu", do_name(what),
					   r->plan.arg[what]);
		seq_printf(s, " next=%llu every=%llu chance=%llu seen %llu hits %llu\n",
			   r->next, r->every, r->chance, r->seen, r->hits);
	}
}
