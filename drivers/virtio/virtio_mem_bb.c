// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PURE: the table of big blocks: states, counts, the one checked setter,
 * iteration and runs.
 */
#include "virtio_mem_bb.h"

/* One byte a BB: bits 0-1 state, 2 tried, 3 quarantine, 4-7 cause. */
#define BB_STATE	0x03
#define BB_TRIED	0x04
#define BB_QUARANTINE	0x08
#define BB_CAUSE_SHIFT	4

/* allowed[from] has bit `to` set; the diagram is in virtio_mem_bb.h. */
static const u8 allowed[VIRTIO_MEM_BB_NR_STATES] = {
	[VIRTIO_MEM_BB_UNUSED] = BIT(VIRTIO_MEM_BB_PLUGGED),
	[VIRTIO_MEM_BB_PLUGGED] = BIT(VIRTIO_MEM_BB_UNUSED) |
				  BIT(VIRTIO_MEM_BB_ADDED),
	[VIRTIO_MEM_BB_ADDED] = BIT(VIRTIO_MEM_BB_FAKE_OFFLINE),
	[VIRTIO_MEM_BB_FAKE_OFFLINE] = BIT(VIRTIO_MEM_BB_ADDED) |
				       BIT(VIRTIO_MEM_BB_PLUGGED),
};

/**
 * virtio_mem_bbt_replace() - move the table into a larger buffer
 * @t: the table
 * @buf: new buffer; its contents don't matter
 * @capacity: bytes at @buf, at least @t->nr
 *
 * Return: the old buffer, for the caller to free; @buf itself if it is too
 * small (then nothing changed).
 */
u8 *virtio_mem_bbt_replace(struct virtio_mem_bbt *t, u8 *buf,
			   unsigned long capacity)
{
	u8 *old = t->entry;

	if (capacity < t->nr)
		return buf;
	if (t->nr)
		memcpy(buf, old, t->nr);
	t->entry = buf;
	t->capacity = capacity;
	return old;
}

/**
 * virtio_mem_bbt_extend() - make more big blocks known, as UNUSED
 * @t: the table
 * @nr: how many BBs shall be known; fewer than now changes nothing
 *
 * Return: 0, or -ENOSPC if the buffer is too small (replace it first).
 */
int virtio_mem_bbt_extend(struct virtio_mem_bbt *t, unsigned long nr)
{
	if (nr <= t->nr)
		return 0;
	if (nr > t->capacity)
		return -ENOSPC;
	memset(t->entry + t->nr, VIRTIO_MEM_BB_UNUSED, nr - t->nr);
	t->count[VIRTIO_MEM_BB_UNUSED] += nr - t->nr;
	t->nr = nr;
	return 0;
}

/**
 * virtio_mem_bbt_state() - the state of a big block
 * @t: the table
 * @id: which
 *
 * Return: its state; UNUSED for one that the table does not know.
 */
enum virtio_mem_bb_state virtio_mem_bbt_state(const struct virtio_mem_bbt *t,
					      unsigned long id)
{
	return id < t->nr ? t->entry[id] & BB_STATE : VIRTIO_MEM_BB_UNUSED;
}

/**
 * virtio_mem_bb_may() - whether the state machine has an edge
 * @from: state before
 * @to: state after
 *
 * Return: true if it has.
 */
bool virtio_mem_bb_may(enum virtio_mem_bb_state from,
		       enum virtio_mem_bb_state to)
{
	return from < VIRTIO_MEM_BB_NR_STATES && to < VIRTIO_MEM_BB_NR_STATES &&
	       (allowed[from] & BIT(to));
}

/**
 * virtio_mem_bbt_set() - the only way to change a big block's state
 * @t: the table
 * @id: which
 * @to: the new state
 *
 * Forgets the cause kept with the BB, unless the BB is in quarantine.
 *
 * Return: 0; -EINVAL for an edge that does not exist or an unknown BB, in which
 * case nothing has changed and the caller must stop the device.
 */
int virtio_mem_bbt_set(struct virtio_mem_bbt *t, unsigned long id,
		       enum virtio_mem_bb_state to)
{
	enum virtio_mem_bb_state from = virtio_mem_bbt_state(t, id);
	u8 keep;

	if (id >= t->nr || !virtio_mem_bb_may(from, to))
		return -EINVAL;
	keep = t->entry[id] & ~BB_STATE;
	if (!(keep & BB_QUARANTINE))
		keep &= BB_TRIED;
	t->entry[id] = keep | to;
	t->count[from]--;
	t->count[to]++;
	return 0;
}

/**
 * virtio_mem_bb_name() - a state's name for people and tools
 * @state: the state
 *
 * Return: a constant string.
 */
const char *virtio_mem_bb_name(enum virtio_mem_bb_state state)
{
	static const char *const names[] = {
		[VIRTIO_MEM_BB_UNUSED] = "UNUSED",
		[VIRTIO_MEM_BB_PLUGGED] = "PLUGGED",
		[VIRTIO_MEM_BB_ADDED] = "ADDED",
		[VIRTIO_MEM_BB_FAKE_OFFLINE] = "FAKE_OFFLINE",
	};

	return state < VIRTIO_MEM_BB_NR_STATES ? names[state] : "?";
}

/**
 * virtio_mem_bbt_set_cause() - keep with a big block why it stays as it is
 * @t: the table
 * @id: which
 * @cause: a cause of a big block, see virtio_mem_cause_is_block()
 *
 * Return: 0, or -EINVAL for an unknown BB or a cause that is not a BB's.
 */
int virtio_mem_bbt_set_cause(struct virtio_mem_bbt *t, unsigned long id,
			     enum virtio_mem_cause cause)
{
	/* The byte has four bits for it. */
	static_assert(U8_MAX >> BB_CAUSE_SHIFT >= VIRTIO_MEM_CAUSE_INTERRUPTED);

	if (id >= t->nr || !virtio_mem_cause_is_block(cause))
		return -EINVAL;
	t->entry[id] &= (1 << BB_CAUSE_SHIFT) - 1;
	t->entry[id] |= cause << BB_CAUSE_SHIFT;
	return 0;
}

/**
 * virtio_mem_bbt_cause() - why a big block stays as it is
 * @t: the table
 * @id: which
 *
 * Return: the cause kept last, VIRTIO_MEM_CAUSE_NONE if there is none.
 */
enum virtio_mem_cause virtio_mem_bbt_cause(const struct virtio_mem_bbt *t,
					   unsigned long id)
{
	return id < t->nr ? t->entry[id] >> BB_CAUSE_SHIFT :
			    VIRTIO_MEM_CAUSE_NONE;
}

/**
 * virtio_mem_bbt_quarantine() - leave a big block alone from now on
 * @t: the table
 * @id: which
 * @cause: why
 *
 * virtio_mem_bbt_run() and virtio_mem_bbt_prev() skip it.  The worker must
 * unplug it if it is PLUGGED, see virtio_mem_bbt_quarantined().
 *
 * Return: 0, or -EINVAL as virtio_mem_bbt_set_cause().
 */
int virtio_mem_bbt_quarantine(struct virtio_mem_bbt *t, unsigned long id,
			      enum virtio_mem_cause cause)
{
	int rc = virtio_mem_bbt_set_cause(t, id, cause);

	if (rc)
		return rc;
	if (!(t->entry[id] & BB_QUARANTINE))
		t->quarantined++;
	t->entry[id] |= BB_QUARANTINE;
	return 0;
}

/**
 * virtio_mem_bbt_is_quarantined() - whether a big block is left alone
 * @t: the table
 * @id: which
 *
 * Return: true if it is.
 */
bool virtio_mem_bbt_is_quarantined(const struct virtio_mem_bbt *t,
				   unsigned long id)
{
	return id < t->nr && (t->entry[id] & BB_QUARANTINE);
}

/**
 * virtio_mem_bbt_release() - end the quarantine of all BBs that have one cause
 * @t: the table
 * @cause: which cause
 *
 * PLUGGED BBs stay in quarantine, because the worker must unplug them first.
 *
 * Return: how many big blocks were released.
 */
unsigned long virtio_mem_bbt_release(struct virtio_mem_bbt *t,
				     enum virtio_mem_cause cause)
{
	unsigned long id, nr = 0;

	for (id = 0; t->quarantined && id < t->nr; id++) {
		if (!(t->entry[id] & BB_QUARANTINE) ||
		    virtio_mem_bbt_cause(t, id) != cause ||
		    virtio_mem_bbt_state(t, id) == VIRTIO_MEM_BB_PLUGGED)
			continue;
		t->entry[id] &= BB_STATE;
		t->quarantined--;
		nr++;
	}
	return nr;
}

/**
 * virtio_mem_bbt_set_tried() - skip a big block until the next pass
 * @t: the table
 * @id: which
 *
 * Return: 0, or -EINVAL for an unknown BB.
 */
int virtio_mem_bbt_set_tried(struct virtio_mem_bbt *t, unsigned long id)
{
	if (id >= t->nr)
		return -EINVAL;
	t->entry[id] |= BB_TRIED;
	return 0;
}

/**
 * virtio_mem_bbt_tried() - whether this pass has tried a big block
 * @t: the table
 * @id: which
 *
 * Return: true if it has.
 */
bool virtio_mem_bbt_tried(const struct virtio_mem_bbt *t, unsigned long id)
{
	return id < t->nr && (t->entry[id] & BB_TRIED);
}

/**
 * virtio_mem_bbt_clear_tried() - skip no big block in a new pass
 * @t: the table
 */
void virtio_mem_bbt_clear_tried(struct virtio_mem_bbt *t)
{
	unsigned long id;

	for (id = 0; id < t->nr; id++)
		t->entry[id] &= ~BB_TRIED;
}

/**
 * virtio_mem_bbt_forget_causes() - forget causes once the request is met
 * @t: the table
 *
 * BBs in quarantine keep their causes.
 */
void virtio_mem_bbt_forget_causes(struct virtio_mem_bbt *t)
{
	unsigned long id;

	for (id = 0; id < t->nr; id++)
		if (!(t->entry[id] & BB_QUARANTINE))
			t->entry[id] &= (1 << BB_CAUSE_SHIFT) - 1;
}

/* Whether the worker may pick this BB, in this state, in this pass. */
static bool pickable(const struct virtio_mem_bbt *t, unsigned long id,
		     enum virtio_mem_bb_state state)
{
	if (id >= t->nr)
		return state == VIRTIO_MEM_BB_UNUSED;
	return (t->entry[id] & (BB_STATE | BB_TRIED | BB_QUARANTINE)) == state;
}

/**
 * virtio_mem_bbt_run_from() - find the lowest run of big blocks from one on
 * @t: the table
 * @state: their state; for UNUSED also BBs that the table does not know yet
 * @id: look at ids from this on
 * @end: and below this
 * @max: longest run wanted
 * @first: out: id of the first BB of the run
 *
 * Return: how many BBs that can be picked, 0 if there is none.
 */
unsigned long virtio_mem_bbt_run_from(const struct virtio_mem_bbt *t,
				      enum virtio_mem_bb_state state,
				      unsigned long id, unsigned long end,
				      unsigned long max, unsigned long *first)
{
	unsigned long nr = 0;

	if (state != VIRTIO_MEM_BB_UNUSED)
		end = t->count[state] ? min(end, t->nr) : 0;
	for (; id < end && nr < max; id++) {
		if (pickable(t, id, state)) {
			if (!nr++)
				*first = id;
		} else if (nr) {
			break;
		}
	}
	return nr;
}

/**
 * virtio_mem_bbt_run() - find the lowest run of big blocks that can be picked
 * @t: the table
 * @state: their state; for UNUSED also BBs that the table does not know yet
 * @end: look at ids below this
 * @max: longest run wanted
 * @first: out: id of the first BB of the run
 *
 * Return: how many BBs, 0 if there is none.
 */
unsigned long virtio_mem_bbt_run(const struct virtio_mem_bbt *t,
				 enum virtio_mem_bb_state state,
				 unsigned long end, unsigned long max,
				 unsigned long *first)
{
	return virtio_mem_bbt_run_from(t, state, 0, end, max, first);
}

/**
 * virtio_mem_bbt_lowest() - find the lowest big block that is not UNUSED
 * @t: the table
 *
 * Return: its id, ULONG_MAX if there is none.
 */
unsigned long virtio_mem_bbt_lowest(const struct virtio_mem_bbt *t)
{
	unsigned long id;

	if (t->count[VIRTIO_MEM_BB_UNUSED] == t->nr)
		return ULONG_MAX;
	for (id = 0; virtio_mem_bbt_state(t, id) == VIRTIO_MEM_BB_UNUSED; id++)
		;
	return id;
}

/**
 * virtio_mem_bbt_gap() - find the lowest big block that leaves a gap
 * @t: the table
 *
 * Return: the id of the lowest UNUSED BB that has one in use, or one that will
 * be used before it, below it.
 */
unsigned long virtio_mem_bbt_gap(const struct virtio_mem_bbt *t)
{
	unsigned long id = virtio_mem_bbt_lowest(t);

	if (id == ULONG_MAX)
		return 1;
	while (virtio_mem_bbt_state(t, id) != VIRTIO_MEM_BB_UNUSED)
		id++;
	return id;
}

/**
 * virtio_mem_bbt_quarantined() - find the lowest big block in quarantine
 * @t: the table
 * @state: its state
 * @end: look at ids below this
 * @id: out: its id
 *
 * Skips BBs that this pass has tried.
 *
 * Return: true if there is one.
 */
bool virtio_mem_bbt_quarantined(const struct virtio_mem_bbt *t,
				enum virtio_mem_bb_state state,
				unsigned long end, unsigned long *id)
{
	u8 mask = BB_STATE | BB_TRIED | BB_QUARANTINE;
	unsigned long i;

	end = min(end, t->nr);
	for (i = 0; t->quarantined && i < end; i++) {
		if ((t->entry[i] & mask) == (state | BB_QUARANTINE)) {
			*id = i;
			return true;
		}
	}
	return false;
}

/**
 * virtio_mem_bbt_prev() - go down through the big blocks that can be picked
 * @t: the table
 * @state: their state, not UNUSED
 * @id: in: look at ids below this (start with ULONG_MAX); out: the one found
 *
 * Return: true if there is one.
 */
bool virtio_mem_bbt_prev(const struct virtio_mem_bbt *t,
			 enum virtio_mem_bb_state state, unsigned long *id)
{
	unsigned long i = t->count[state] ? min(*id, t->nr) : 0;

	while (i-- > 0) {
		if (pickable(t, i, state)) {
			*id = i;
			return true;
		}
	}
	return false;
}
