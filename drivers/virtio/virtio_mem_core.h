/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam of the pure files: the only kernel headers that virtio_mem_bb,
 * virtio_mem_plan and virtio_mem_proto may see, and the words they share.
 * Everything here also exists in user space (tools/testing/unit/shim), so the
 * same files are tested there.  Calls nothing.
 */
#ifndef _VIRTIO_MEM_CORE_H
#define _VIRTIO_MEM_CORE_H

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>
#include <uapi/linux/virtio_mem.h>

/**
 * enum virtio_mem_cause - why something was not done
 * @VIRTIO_MEM_CAUSE_NONE: it was done, or nothing is known against it
 * @VIRTIO_MEM_CAUSE_DEV_NACK: the device refused (NACK)
 * @VIRTIO_MEM_CAUSE_DEV_ERROR: the device answered ERROR or nonsense
 * @VIRTIO_MEM_CAUSE_NOMEM: Linux is out of memory for it
 * @VIRTIO_MEM_CAUSE_ADD_FAILED: Linux refused to add the big block
 * @VIRTIO_MEM_CAUSE_UNMOVABLE: unmovable kernel pages inside
 * @VIRTIO_MEM_CAUSE_HUGETLB: a gigantic hugetlb page inside
 * @VIRTIO_MEM_CAUSE_PINNED: pages inside could not be isolated or migrated
 * @VIRTIO_MEM_CAUSE_VETO: offlining or removing was refused
 * @VIRTIO_MEM_CAUSE_DEADLINE: it took longer than allowed
 * @VIRTIO_MEM_CAUSE_KEPT_ONLINE: online, and unplug_online is off
 * @VIRTIO_MEM_CAUSE_FOREIGN: partly plugged, or not added by us as a whole
 * @VIRTIO_MEM_CAUSE_HOTPLUG: somebody else is onlining or offlining it
 * @VIRTIO_MEM_CAUSE_OUTSIDE: the usable region has become too small for it
 * @VIRTIO_MEM_CAUSE_INTERRUPTED: given up for a newer request, suspend, removal
 * @VIRTIO_MEM_CAUSE_PRESSURE: what must migrate does not fit into what is left
 * @VIRTIO_MEM_CAUSE_DEV_BUSY: the device is busy
 * @VIRTIO_MEM_CAUSE_DEV_SILENT: the device has not answered yet
 * @VIRTIO_MEM_CAUSE_ONLINE_LIMIT: too much added memory waits to be onlined
 * @VIRTIO_MEM_CAUSE_NO_BB: no big block is left that could be plugged or tried
 * @VIRTIO_MEM_CAUSE_NR: how many there are
 *
 * Those before @VIRTIO_MEM_CAUSE_PRESSURE can be kept with one big block; the
 * others concern the device as a whole.
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

#endif /* _VIRTIO_MEM_CORE_H */
