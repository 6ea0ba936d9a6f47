/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtio-mem interface between device and driver: feature bits, the
 * configuration space, requests and answers.
 *
 * Source: Virtual I/O Device (VIRTIO) specification, "Memory Device"
 * (device ID 24); version 1.2, and 1.4 for VIRTIO_MEM_F_PERSISTENT_SUSPEND.
 * All numbers are little endian.  The one virtqueue (index 0, guest-request)
 * carries a struct virtio_mem_req to the device and a struct virtio_mem_resp
 * back.
 */
#ifndef _LINUX_VIRTIO_MEM_H
#define _LINUX_VIRTIO_MEM_H

#include <linux/types.h>
#include <linux/virtio_types.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_config.h>

/* Feature bits (bit numbers). */

/* virtio_mem_config.node_id is valid and holds an ACPI proximity domain. */
#define VIRTIO_MEM_F_ACPI_PXM			0
/* The driver must not read unplugged memory, not even by the CPU. */
#define VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE	1
/* Block states and contents survive a suspend of the guest. */
#define VIRTIO_MEM_F_PERSISTENT_SUSPEND		2

/* virtio_mem_req.type: what the driver asks for. */

/* Plug nb_blocks unplugged blocks from addr on. */
#define VIRTIO_MEM_REQ_PLUG			0
/* Unplug nb_blocks plugged blocks from addr on; their contents are lost. */
#define VIRTIO_MEM_REQ_UNPLUG			1
/* Unplug every block; the usable region may shrink. */
#define VIRTIO_MEM_REQ_UNPLUG_ALL		2
/* Tell whether nb_blocks blocks from addr on are plugged. */
#define VIRTIO_MEM_REQ_STATE			3

/**
 * struct virtio_mem_req_plug - argument of VIRTIO_MEM_REQ_PLUG
 * @addr: guest physical address of the first block, in bytes, block aligned
 * @nb_blocks: how many consecutive device blocks, 1 to 65535
 * @padding: zero
 */
struct virtio_mem_req_plug {
	__virtio64 addr;
	__virtio16 nb_blocks;
	__virtio16 padding[3];
};

/**
 * struct virtio_mem_req_unplug - argument of VIRTIO_MEM_REQ_UNPLUG
 * @addr: guest physical address of the first block, in bytes, block aligned
 * @nb_blocks: how many consecutive device blocks, 1 to 65535
 * @padding: zero
 */
struct virtio_mem_req_unplug {
	__virtio64 addr;
	__virtio16 nb_blocks;
	__virtio16 padding[3];
};

/**
 * struct virtio_mem_req_state - argument of VIRTIO_MEM_REQ_STATE
 * @addr: guest physical address of the first block, in bytes, block aligned
 * @nb_blocks: how many consecutive device blocks, 1 to 65535
 * @padding: zero
 */
struct virtio_mem_req_state {
	__virtio64 addr;
	__virtio16 nb_blocks;
	__virtio16 padding[3];
};

/**
 * struct virtio_mem_req - one request, 24 bytes
 * @type: one of VIRTIO_MEM_REQ_*
 * @padding: zero
 * @u: argument; unused (zero) for VIRTIO_MEM_REQ_UNPLUG_ALL
 */
struct virtio_mem_req {
	__virtio16 type;
	__virtio16 padding[3];

	union {
		struct virtio_mem_req_plug plug;
		struct virtio_mem_req_unplug unplug;
		struct virtio_mem_req_state state;
	} u;
};

/* virtio_mem_resp.type: the device's answer. */

/* Done, for all blocks named. */
#define VIRTIO_MEM_RESP_ACK			0
/* Refused, e.g. a plug above requested_size; nothing changed. */
#define VIRTIO_MEM_RESP_NACK			1
/* Not possible right now; nothing changed, try later. */
#define VIRTIO_MEM_RESP_BUSY			2
/* Malformed, outside the usable region, or a block is in that state already. */
#define VIRTIO_MEM_RESP_ERROR			3

/* virtio_mem_resp_state.state: all plugged, all unplugged, or some of each. */
#define VIRTIO_MEM_STATE_PLUGGED		0
#define VIRTIO_MEM_STATE_UNPLUGGED		1
#define VIRTIO_MEM_STATE_MIXED			2

/**
 * struct virtio_mem_resp_state - what an acknowledged STATE request returns
 * @state: one of VIRTIO_MEM_STATE_*
 */
struct virtio_mem_resp_state {
	__virtio16 state;
};

/**
 * struct virtio_mem_resp - the answer to one request, 10 bytes
 * @type: one of VIRTIO_MEM_RESP_*
 * @padding: to be ignored
 * @u: valid only when a STATE request was acknowledged
 */
struct virtio_mem_resp {
	__virtio16 type;
	__virtio16 padding[3];

	union {
		struct virtio_mem_resp_state state;
	} u;
};

/**
 * struct virtio_mem_config - configuration space, 56 bytes, read-only
 * @block_size: size and alignment of a device block in bytes, a power of two;
 *	fixed
 * @node_id: ACPI proximity domain, valid with VIRTIO_MEM_F_ACPI_PXM only;
 *	fixed
 * @padding: to be ignored
 * @addr: guest physical address where the device region starts, in bytes;
 *	fixed
 * @region_size: size of the device region in bytes; fixed
 * @usable_region_size: bytes from @addr on in which blocks may be plugged now;
 *	grows at any time, shrinks only by UNPLUG_ALL or a system reset
 * @plugged_size: bytes plugged now
 * @requested_size: bytes that the hypervisor wants plugged; changes at any
 *	time, with a configuration interrupt
 */
struct virtio_mem_config {
	__le64 block_size;
	__le16 node_id;
	__u8 padding[6];
	__le64 addr;
	__le64 region_size;
	__le64 usable_region_size;
	__le64 plugged_size;
	__le64 requested_size;
};

#endif /* _LINUX_VIRTIO_MEM_H */
