/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: the causes why the driver has not done something, and their words for
 * people and for tools.  Includes virtio_mem_core.h only.
 */
#ifndef _VIRTIO_MEM_CAUSE_H
#define _VIRTIO_MEM_CAUSE_H

#include "virtio_mem_core.h"

/**
 * enum virtio_mem_cause - why the driver has not done something
 * @VIRTIO_MEM_CAUSE_NONE: it has, or nothing is known against it
 * @VIRTIO_MEM_CAUSE_DEV_NACK: the device refused (NACK)
 * @VIRTIO_MEM_CAUSE_DEV_ERROR: the device answered ERROR or nonsense
 * @VIRTIO_MEM_CAUSE_NOMEM: Linux is out of memory for it
 * @VIRTIO_MEM_CAUSE_ADD_FAILED: Linux refused to add the big block
 * @VIRTIO_MEM_CAUSE_UNMOVABLE: unmovable kernel pages are inside
 * @VIRTIO_MEM_CAUSE_HUGETLB: a gigantic hugetlb page is inside
 * @VIRTIO_MEM_CAUSE_PINNED: Linux could not isolate or migrate pages inside
 * @VIRTIO_MEM_CAUSE_VETO: Linux refused to offline or remove it
 * @VIRTIO_MEM_CAUSE_DEADLINE: it took longer than allowed
 * @VIRTIO_MEM_CAUSE_KEPT_ONLINE: it is online, and unplug_online is off
 * @VIRTIO_MEM_CAUSE_FOREIGN: it is partly plugged, or this driver has not added
 *	it as a whole
 * @VIRTIO_MEM_CAUSE_HOTPLUG: somebody else is onlining or offlining it
 * @VIRTIO_MEM_CAUSE_OUTSIDE: the usable region has become too small for it
 * @VIRTIO_MEM_CAUSE_INTERRUPTED: the worker gave up for a newer request,
 *	suspend or removal
 * @VIRTIO_MEM_CAUSE_PRESSURE: the memory that is left is too small for the
 *	pages that must migrate
 * @VIRTIO_MEM_CAUSE_DEV_BUSY: the device is busy
 * @VIRTIO_MEM_CAUSE_DEV_SILENT: the device has not answered yet
 * @VIRTIO_MEM_CAUSE_ONLINE_LIMIT: too much added memory waits to be onlined
 * @VIRTIO_MEM_CAUSE_NO_BB: no big block is left that could be plugged or tried
 * @VIRTIO_MEM_CAUSE_NR: how many there are
 *
 * Those up to @VIRTIO_MEM_CAUSE_INTERRUPTED can be kept with one big block, see
 * virtio_mem_cause_is_block(); the others concern the device as a whole.
 */
enum virtio_mem_cause {
	VIRTIO_MEM_CAUSE_NONE,
	VIRTIO_MEM_CAUSE_DEV_NACK,
	VIRTIO_MEM_CAUSE_DEV_ERROR,
	VIRTIO_MEM_CAUSE_NOMEM,
	VIRTIO_MEM_CAUSE_ADD_FAILED,
	VIRTIO_MEM_CAUSE_UNMOVABLE,
	VIRTIO_MEM_CAUSE_HUGETLB,
	VIRTIO_MEM_CAUSE_PINNED,
	VIRTIO_MEM_CAUSE_VETO,
	VIRTIO_MEM_CAUSE_DEADLINE,
	VIRTIO_MEM_CAUSE_KEPT_ONLINE,
	VIRTIO_MEM_CAUSE_FOREIGN,
	VIRTIO_MEM_CAUSE_HOTPLUG,
	VIRTIO_MEM_CAUSE_OUTSIDE,
	VIRTIO_MEM_CAUSE_INTERRUPTED,
	VIRTIO_MEM_CAUSE_PRESSURE,
	VIRTIO_MEM_CAUSE_DEV_BUSY,
	VIRTIO_MEM_CAUSE_DEV_SILENT,
	VIRTIO_MEM_CAUSE_ONLINE_LIMIT,
	VIRTIO_MEM_CAUSE_NO_BB,
	VIRTIO_MEM_CAUSE_NR,
};

bool virtio_mem_cause_is_block(enum virtio_mem_cause cause);
const char *virtio_mem_cause_text(enum virtio_mem_cause cause);
const char *virtio_mem_cause_token(enum virtio_mem_cause cause);

#endif /* _VIRTIO_MEM_CAUSE_H */
