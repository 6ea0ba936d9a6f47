/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: encodes requests, checks and decodes answers and configuration space,
 * and lays out big blocks.  Includes virtio_mem_core.h only.
 */
#ifndef _VIRTIO_MEM_PROTO_H
#define _VIRTIO_MEM_PROTO_H

#include "virtio_mem_core.h"

/* The most blocks that one request can name, because nb_blocks has 16 bits. */
#define VIRTIO_MEM_MAX_NB_BLOCKS	U16_MAX

/**
 * enum virtio_mem_answer - how a request ended
 * @VIRTIO_MEM_ANSWER_ACK: done
 * @VIRTIO_MEM_ANSWER_NACK: refused; read the configuration again
 * @VIRTIO_MEM_ANSWER_BUSY: not now
 * @VIRTIO_MEM_ANSWER_ERROR: the device calls it malformed or already done
 * @VIRTIO_MEM_ANSWER_UNKNOWN: not an answer of the specification
 * @VIRTIO_MEM_ANSWER_SILENT: none came in time; the request is still out
 * @VIRTIO_MEM_ANSWER_UNSENT: none will come, as there was no memory to send it
 * @VIRTIO_MEM_ANSWER_GONE: none will come, as the device is broken or removed
 */
enum virtio_mem_answer {
	VIRTIO_MEM_ANSWER_ACK,
	VIRTIO_MEM_ANSWER_NACK,
	VIRTIO_MEM_ANSWER_BUSY,
	VIRTIO_MEM_ANSWER_ERROR,
	VIRTIO_MEM_ANSWER_UNKNOWN,
	VIRTIO_MEM_ANSWER_SILENT,
	VIRTIO_MEM_ANSWER_UNSENT,
	VIRTIO_MEM_ANSWER_GONE,
};

/**
 * struct virtio_mem_cfg - the configuration space in CPU byte order
 * @block_size: device block, bytes
 * @addr: start of the device region, bytes
 * @region_size: size of the device region, bytes
 * @usable_region_size: part of it that the device can plug now, bytes
 * @plugged_size: plugged now, bytes
 * @requested_size: the size that the hypervisor wants, bytes
 * @node_id: ACPI proximity domain
 */
struct virtio_mem_cfg {
	u64 block_size;
	u64 addr;
	u64 region_size;
	u64 usable_region_size;
	u64 plugged_size;
	u64 requested_size;
	u16 node_id;
};

/**
 * struct virtio_mem_geo - where big blocks lie in the device region
 * @bb_size: size of a big block, bytes, a power of two
 * @base: address of big block 0, bytes, a multiple of @bb_size
 * @nr_bbs: number of whole big blocks in the region that Linux can address
 */
struct virtio_mem_geo {
	u64 bb_size;
	u64 base;
	unsigned long nr_bbs;
};

void virtio_mem_proto_request(struct virtio_mem_req *req, u16 type, u64 addr,
			      u16 nb_blocks);
enum virtio_mem_answer
virtio_mem_proto_answer(const struct virtio_mem_resp *resp, u32 len);
int virtio_mem_proto_state(const struct virtio_mem_resp *resp, u32 len);
const char *virtio_mem_proto_request_name(u16 type);
const char *virtio_mem_proto_answer_name(enum virtio_mem_answer answer);
const char *virtio_mem_proto_check(const struct virtio_mem_cfg *cfg,
				   u64 page_size);
const char *virtio_mem_proto_check_update(const struct virtio_mem_cfg *old,
					  const struct virtio_mem_cfg *now);
const char *virtio_mem_proto_check_bb_size(u64 bb_size, u64 block_size,
					   u64 memory_block);
int virtio_mem_proto_geometry(struct virtio_mem_geo *geo,
			      const struct virtio_mem_cfg *cfg, u64 bb_size,
			      u64 lowest, u64 highest);
unsigned long virtio_mem_proto_usable_bbs(const struct virtio_mem_geo *geo,
					  const struct virtio_mem_cfg *cfg);
unsigned long virtio_mem_proto_max_run(const struct virtio_mem_geo *geo,
				       const struct virtio_mem_cfg *cfg);

#endif /* _VIRTIO_MEM_PROTO_H */
