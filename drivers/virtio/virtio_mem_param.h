/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's parameters.  The driver reads those that users can write at any
 * time with READ_ONCE().
 */
#ifndef _VIRTIO_MEM_PARAM_H
#define _VIRTIO_MEM_PARAM_H

#include <linux/types.h>

extern bool virtio_mem_safe_unplug;
extern bool virtio_mem_unplug_online;
extern bool virtio_mem_memmap_on_memory;
extern unsigned int virtio_mem_unplug_timeout_ms;
extern int virtio_mem_unplug_reserve_mib;
extern unsigned long virtio_mem_bbm_block_size;

#endif /* _VIRTIO_MEM_PARAM_H */
