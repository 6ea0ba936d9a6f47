// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PURE: encodes requests, checks and decodes answers and configuration space,
 * and lays out big blocks.
 *
 * Facts: VIRTIO specification, "Memory Device".  Everything is little endian,
 * because a memory device is always a VERSION_1 device.
 */
#include "virtio_mem_proto.h"

#define TO_DEV16(x)	((__force __virtio16)cpu_to_le16(x))
#define TO_DEV64(x)	((__force __virtio64)cpu_to_le64(x))
#define FROM_DEV16(x)	le16_to_cpu((__force __le16)(x))

/**
 * virtio_mem_proto_request() - fill in a request
 * @req: the request to fill in, padding included
 * @type: VIRTIO_MEM_REQ_*
 * @addr: first device block, bytes; ignored for UNPLUG_ALL
 * @nb_blocks: device blocks; ignored for UNPLUG_ALL
 *
 * The three requests that name blocks have the same layout.
 */
void virtio_mem_proto_request(struct virtio_mem_req *req, u16 type, u64 addr,
			      u16 nb_blocks)
{
	memset(req, 0, sizeof(*req));
	req->type = TO_DEV16(type);
	if (type == VIRTIO_MEM_REQ_UNPLUG_ALL)
		return;
	req->u.plug.addr = TO_DEV64(addr);
	req->u.plug.nb_blocks = TO_DEV16(nb_blocks);
}

/**
 * virtio_mem_proto_answer() - decode the device's answer
 * @resp: the response buffer
 * @len: how many bytes the device says that it wrote
 *
 * Only the type counts, because some devices leave out the rest for requests
 * that have no payload.
 *
 * Return: ACK, NACK, BUSY, ERROR; UNKNOWN for a type that the specification
 * does not have, or a length that can't be.
 */
enum virtio_mem_answer
virtio_mem_proto_answer(const struct virtio_mem_resp *resp, u32 len)
{
	if (len < sizeof(resp->type) || len > sizeof(*resp))
		return VIRTIO_MEM_ANSWER_UNKNOWN;

	switch (FROM_DEV16(resp->type)) {
	case VIRTIO_MEM_RESP_ACK:
		return VIRTIO_MEM_ANSWER_ACK;
	case VIRTIO_MEM_RESP_NACK:
		return VIRTIO_MEM_ANSWER_NACK;
	case VIRTIO_MEM_RESP_BUSY:
		return VIRTIO_MEM_ANSWER_BUSY;
	case VIRTIO_MEM_RESP_ERROR:
		return VIRTIO_MEM_ANSWER_ERROR;
	}
	return VIRTIO_MEM_ANSWER_UNKNOWN;
}

/**
 * virtio_mem_proto_state() - decode the answer to an acknowledged STATE request
 * @resp: the response buffer
 * @len: how many bytes the device says that it wrote
 *
 * Return: VIRTIO_MEM_STATE_*, or -EPROTO if there is none.
 */
int virtio_mem_proto_state(const struct virtio_mem_resp *resp, u32 len)
{
	u16 state;

	if (len != sizeof(*resp) ||
	    virtio_mem_proto_answer(resp, len) != VIRTIO_MEM_ANSWER_ACK)
		return -EPROTO;
	state = FROM_DEV16(resp->u.state.state);
	return state <= VIRTIO_MEM_STATE_MIXED ? state : -EPROTO;
}

/**
 * virtio_mem_proto_request_name() - a request's name for people
 * @type: VIRTIO_MEM_REQ_*
 *
 * Return: a constant string.
 */
const char *virtio_mem_proto_request_name(u16 type)
{
	static const char *const names[] = {
		[VIRTIO_MEM_REQ_PLUG] = "PLUG",
		[VIRTIO_MEM_REQ_UNPLUG] = "UNPLUG",
		[VIRTIO_MEM_REQ_UNPLUG_ALL] = "UNPLUG_ALL",
		[VIRTIO_MEM_REQ_STATE] = "STATE",
	};

	return type <= VIRTIO_MEM_REQ_STATE ? names[type] : "?";
}

/**
 * virtio_mem_proto_answer_name() - an answer's name for people
 * @answer: the answer
 *
 * Return: a constant string.
 */
const char *virtio_mem_proto_answer_name(enum virtio_mem_answer answer)
{
	static const char *const names[] = {
		[VIRTIO_MEM_ANSWER_ACK] = "ACK",
		[VIRTIO_MEM_ANSWER_NACK] = "NACK",
		[VIRTIO_MEM_ANSWER_BUSY] = "BUSY",
		[VIRTIO_MEM_ANSWER_ERROR] = "ERROR",
		[VIRTIO_MEM_ANSWER_UNKNOWN] = "unknown answer",
		[VIRTIO_MEM_ANSWER_SILENT] = "no answer yet",
		[VIRTIO_MEM_ANSWER_UNSENT] = "not sent, no memory for it",
		[VIRTIO_MEM_ANSWER_GONE] = "device gone",
	};

	return answer <= VIRTIO_MEM_ANSWER_GONE ? names[answer] : "?";
}

/**
 * virtio_mem_proto_check() - whether a configuration makes sense
 * @cfg: the configuration
 * @page_size: the guest's page size in bytes
 *
 * A requested size above the region is allowed, because QEMU 7.2 can start like
 * that; the driver just can't reach it.
 *
 * Return: NULL if it does, else the reason why not, as a constant string.
 */
const char *virtio_mem_proto_check(const struct virtio_mem_cfg *cfg,
				   u64 page_size)
{
	u64 mask = cfg->block_size - 1;

	if (!is_power_of_2(cfg->block_size))
		return "block size is not a power of two";
	if (cfg->block_size < page_size)
		return "block size is smaller than a page";
	if (cfg->addr & mask)
		return "region does not start at a multiple of the block size";
	if (cfg->region_size & mask)
		return "region size is not a multiple of the block size";
	if (cfg->region_size && cfg->addr + cfg->region_size <= cfg->addr)
		return "region wraps around the end of the address space";
	if (cfg->usable_region_size & mask)
		return "usable region size is not a multiple of the block size";
	if (cfg->usable_region_size > cfg->region_size)
		return "usable region is larger than the region";
	if (cfg->plugged_size & mask)
		return "plugged size is not a multiple of the block size";
	if (cfg->plugged_size > cfg->region_size)
		return "plugged size is larger than the region";
	if (cfg->requested_size & mask)
		return "requested size is not a multiple of the block size";
	return NULL;
}

/**
 * virtio_mem_proto_check_update() - whether a configuration may follow another
 * @old: the configuration that the driver has accepted before
 * @now: a later one, which has passed virtio_mem_proto_check()
 *
 * Return: NULL if it may, else the reason why not, as a constant string.
 */
const char *virtio_mem_proto_check_update(const struct virtio_mem_cfg *old,
					  const struct virtio_mem_cfg *now)
{
	if (now->block_size != old->block_size)
		return "block size has changed";
	if (now->addr != old->addr || now->region_size != old->region_size)
		return "region has moved or changed its size";
	return NULL;
}

/**
 * virtio_mem_proto_check_bb_size() - whether big blocks may have this size
 * @bb_size: the wanted size, bytes
 * @block_size: device block, bytes
 * @memory_block: Linux's memory block, bytes
 *
 * Return: NULL if they may, else the reason why not, as a constant string.
 */
const char *virtio_mem_proto_check_bb_size(u64 bb_size, u64 block_size,
					   u64 memory_block)
{
	if (!is_power_of_2(bb_size))
		return "it is not a power of two";
	if (bb_size < block_size)
		return "it is smaller than the device's block";
	if (bb_size < memory_block)
		return "it is smaller than Linux's memory block";
	if (bb_size / block_size > VIRTIO_MEM_MAX_NB_BLOCKS)
		return "it has more device blocks than one request can name";
	return NULL;
}

/**
 * virtio_mem_proto_geometry() - lay big blocks into the device region
 * @geo: out
 * @cfg: has passed virtio_mem_proto_check()
 * @bb_size: has passed virtio_mem_proto_check_bb_size()
 * @lowest: first address that Linux can add, bytes
 * @highest: last address that Linux can add, bytes, inclusive
 *
 * Return: 0, or -ERANGE if not one whole big block fits.
 */
int virtio_mem_proto_geometry(struct virtio_mem_geo *geo,
			      const struct virtio_mem_cfg *cfg, u64 bb_size,
			      u64 lowest, u64 highest)
{
	u64 mask = bb_size - 1;
	u64 first = max(cfg->addr, lowest);
	/* Inclusive, because Linux's range may reach up to the last byte. */
	u64 last = min(cfg->addr + cfg->region_size - 1, highest);
	u64 end;

	geo->bb_size = bb_size;
	geo->base = (first + mask) & ~mask;
	geo->nr_bbs = 0;
	if (!cfg->region_size || geo->base < first || last < first)
		return -ERANGE;
	end = (last + 1) & ~mask;
	if (end <= geo->base)
		return -ERANGE;
	geo->nr_bbs = (end - geo->base) >> ilog2(bb_size);
	return 0;
}

/**
 * virtio_mem_proto_usable_bbs() - how many big blocks the device can plug now
 * @geo: the geometry
 * @cfg: the configuration
 *
 * Return: big blocks with ids below this lie wholly in the usable region.
 */
unsigned long virtio_mem_proto_usable_bbs(const struct virtio_mem_geo *geo,
					  const struct virtio_mem_cfg *cfg)
{
	u64 end = cfg->addr + cfg->usable_region_size;

	if (end <= geo->base)
		return 0;
	return min_t(u64, (end - geo->base) >> ilog2(geo->bb_size),
		     geo->nr_bbs);
}

/**
 * virtio_mem_proto_max_run() - how many big blocks one request can name
 * @geo: the geometry
 * @cfg: the configuration
 *
 * Return: at least 1.
 */
unsigned long virtio_mem_proto_max_run(const struct virtio_mem_geo *geo,
				       const struct virtio_mem_cfg *cfg)
{
	u64 blocks = geo->bb_size >> ilog2(cfg->block_size);

	return max_t(u64, VIRTIO_MEM_MAX_NB_BLOCKS >> ilog2(blocks), 1);
}
