/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam of the pure files: the only kernel headers that they may include.
 * The unit tests build the same files in user space, because
 * tools/testing/host/unit/shim has all of these headers, too.
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
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>
#include <uapi/linux/virtio_mem.h>

#endif /* _VIRTIO_MEM_CORE_H */
