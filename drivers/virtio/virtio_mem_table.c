// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of big blocks with its lock and its buffer; stops the device on a
 * forbidden change; keeps messages for people.
 */
#include <linux/mm.h>
#include <linux/virtio.h>

#include "virtio_mem_device.h"
#include "virtio_mem_table.h"
#include "virtio_mem_trace.h"

/**
 * virtio_mem_table_reserve() - make sure that the table knows enough BBs
 * @vm: the device
 * @nr: the caller will use ids below this
 *
 * Context: the worker or probe, hotplug_mutex not held; may sleep.
 * Return: 0 or -ENOMEM.
 */
int virtio_mem_table_reserve(struct virtio_mem *vm, unsigned long nr)
{
	unsigned long capacity = max(nr, vm->bbt.capacity +
				     VIRTIO_MEM_TABLE_CHUNK);
	u8 *buf = NULL;
	int rc;

	capacity = min(capacity, vm->geo.nr_bbs);
	/* No race, because only one caller at a time moves the table. */
	if (nr > vm->bbt.capacity) {
		buf = kvmalloc(capacity, GFP_KERNEL);
		if (!buf)
			return -ENOMEM;
	}
	mutex_lock(&vm->hotplug_mutex);
	if (buf)
		buf = virtio_mem_bbt_replace(&vm->bbt, buf, capacity);
	rc = virtio_mem_bbt_extend(&vm->bbt, nr);
	mutex_unlock(&vm->hotplug_mutex);
	kvfree(buf);
	return rc ? -ENOMEM : 0;
}

/**
 * virtio_mem_table_set() - change a big block's state
 * @vm: the device
 * @id: which
 * @state: the new state
 *
 * An edge that the state machine does not have is a bug of this driver.  It
 * changes nothing, warns once and stops the device.
 *
 * Context: hotplug_mutex held.
 * Return: 0 or -EINVAL.
 */
int virtio_mem_table_set(struct virtio_mem *vm, unsigned long id,
			 enum virtio_mem_bb_state state)
{
	enum virtio_mem_bb_state old = virtio_mem_bbt_state(&vm->bbt, id);
	int rc;

	lockdep_assert_held(&vm->hotplug_mutex);
	rc = virtio_mem_bbt_set(&vm->bbt, id, state);
	if (!rc) {
		trace_virtio_mem_state(vm->name, virtio_mem_bb_addr(vm, id),
				       vm->geo.bb_size, old, state);
		return 0;
	}
	WRITE_ONCE(vm->broken, true);
	WARN_ONCE(1, "virtio_mem %s: big block %lu can't go from %s to %s; device stopped, its memory stays as it is\n",
		  vm->name, id, virtio_mem_bb_name(old),
		  virtio_mem_bb_name(state));
	return rc;
}

/**
 * virtio_mem_table_set_run() - change the state of adjacent big blocks
 * @vm: the device
 * @first: the first
 * @nr: how many
 * @state: the new state
 *
 * Context: takes hotplug_mutex.
 * Return: 0 or -EINVAL.
 */
int virtio_mem_table_set_run(struct virtio_mem *vm, unsigned long first,
			     unsigned long nr, enum virtio_mem_bb_state state)
{
	unsigned long i;
	int rc = 0;

	mutex_lock(&vm->hotplug_mutex);
	for (i = 0; i < nr && !rc; i++)
		rc = virtio_mem_table_set(vm, first + i, state);
	mutex_unlock(&vm->hotplug_mutex);
	return rc;
}

/**
 * virtio_mem_note() - keep a message for last_error
 * @vm: the device
 * @cause: its cause; NONE if it has nothing to do with why a request waits
 * @fmt: as printf(), without a newline; also goes to the debug log
 *
 * Context: takes hotplug_mutex; may sleep.
 */
void virtio_mem_note(struct virtio_mem *vm, enum virtio_mem_cause cause,
		     const char *fmt, ...)
{
	char text[VIRTIO_MEM_NOTE_LEN];
	va_list args;

	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	pr_debug("virtio_mem %s: %s\n", vm->name, text);
	mutex_lock(&vm->hotplug_mutex);
	virtio_mem_notes_add(&vm->notes, cause, text);
	mutex_unlock(&vm->hotplug_mutex);
}
