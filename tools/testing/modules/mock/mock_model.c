// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memory device itself: plugged blocks, the contents of the configuration
 * space, the answers to requests, and the requests that are forbidden to a
 * driver.  This file knows nothing of queues and faults.
 *
 * Source: VIRTIO specification, "Memory Device"; QEMU 7.2 where that leaves a
 * choice.
 */
#include <linux/bitmap.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sizes.h>

#include "mock.h"

/* The names in orders and faults. */
const char *const mock_model_fields[MOCK_FIELD_NR] = {
	[MOCK_BLOCK_SIZE] = "block_size",
	[MOCK_NODE_ID] = "node_id",
	[MOCK_ADDR] = "addr",
	[MOCK_REGION_SIZE] = "region_size",
	[MOCK_USABLE_REGION_SIZE] = "usable_region_size",
	[MOCK_PLUGGED_SIZE] = "plugged_size",
	[MOCK_REQUESTED_SIZE] = "requested_size",
};

/* The usable region is larger than the requested size by so many bytes. */
#define USABLE_EXTENT	SZ_256M

/**
 * mock_model_blocks() - how many blocks the region has
 * @m: the device
 *
 * Return: the number.
 */
u64 mock_model_blocks(const struct mock *m)
{
	return div64_u64(m->size, m->block_size);
}

/* Adapts the usable region to a request; only UNPLUG_ALL makes it smaller. */
static void resize_usable(struct mock *m, bool can_shrink)
{
	u64 usable = 0;

	if (m->requested)
		usable = min(m->size, round_up(m->requested + USABLE_EXTENT,
					       m->block_size));
	if (usable > m->usable || can_shrink)
		m->usable = usable;
}

/**
 * mock_model_init() - set up a region without a plugged block
 * @m: the device, its parameters set
 *
 * Return: 0; -ENOMEM; -EBUSY if Linux has the memory; -ENXIO if there is none.
 */
int mock_model_init(struct mock *m)
{
	int rc;

	if (region_intersects(m->addr, m->size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT) {
		pr_err(MOCK_NAME ": refused: Linux uses a part of 0x%llx-0x%llx; boot with memmap=SIZE$ADDRESS\n",
		       m->addr, m->addr + m->size - 1);
		return -EBUSY;
	}
	rc = mock_poison_map(m);
	if (rc) {
		pr_err(MOCK_NAME ": refused: no memory at 0x%llx-0x%llx (%d)\n",
		       m->addr, m->addr + m->size - 1, rc);
		return rc;
	}
	m->bitmap = bitmap_zalloc(mock_model_blocks(m), GFP_KERNEL);
	if (!m->bitmap) {
		mock_poison_unmap(m);
		return -ENOMEM;
	}
	resize_usable(m, true);
	mock_model_show(m);
	return 0;
}

/**
 * mock_model_exit() - undo mock_model_init()
 * @m: the device
 */
void mock_model_exit(struct mock *m)
{
	bitmap_free(m->bitmap);
	mock_poison_unmap(m);
}

/*
 * Configuration space.
 */

static u64 field(const struct mock *m, enum mock_field f, u64 truth)
{
	return m->lying & BIT(f) ? m->lie[f] : truth;
}

/**
 * mock_model_show() - bring the configuration space up to date
 * @m: the device
 *
 * Context: with the lock held, or while nobody knows the device yet.
 */
void mock_model_show(struct mock *m)
{
	struct virtio_mem_config now = { };

	spin_lock_irq(&m->config_lock);
	now.block_size = cpu_to_le64(field(m, MOCK_BLOCK_SIZE, m->block_size));
	now.node_id = cpu_to_le16(field(m, MOCK_NODE_ID, m->node));
	now.addr = cpu_to_le64(field(m, MOCK_ADDR, m->addr));
	now.region_size = cpu_to_le64(field(m, MOCK_REGION_SIZE, m->size));
	now.usable_region_size = cpu_to_le64(field(m, MOCK_USABLE_REGION_SIZE,
						   m->usable));
	now.plugged_size = cpu_to_le64(field(m, MOCK_PLUGGED_SIZE, m->plugged));
	now.requested_size = cpu_to_le64(field(m, MOCK_REQUESTED_SIZE,
					       m->requested));
	if (memcmp(&now, &m->shown, sizeof(now))) {
		m->shown = now;
		WRITE_ONCE(m->generation, m->generation + 1);
	}
	spin_unlock_irq(&m->config_lock);
}

/**
 * mock_model_lie() - lie about a field
 * @m: the device
 * @field: of the configuration space
 * @value: the value to show
 *
 * Context: with the lock held.
 */
void mock_model_lie(struct mock *m, enum mock_field field, u64 value)
{
	spin_lock_irq(&m->config_lock);
	m->lying |= BIT(field);
	m->lie[field] = value;
	spin_unlock_irq(&m->config_lock);
	mock_model_show(m);
}

/**
 * mock_model_truth() - end all lies
 * @m: the device
 *
 * Context: with the lock held.
 */
void mock_model_truth(struct mock *m)
{
	spin_lock_irq(&m->config_lock);
	m->lying = 0;
	spin_unlock_irq(&m->config_lock);
	mock_model_show(m);
}

/**
 * mock_model_request_size() - request another size, as the host
 * @m: the device
 * @requested: bytes
 *
 * The caller raises the interrupt.
 *
 * Context: with the lock held.
 * Return: 0 or -EINVAL.
 */
int mock_model_request_size(struct mock *m, u64 requested)
{
	if (requested & (m->block_size - 1) || requested > m->size)
		return -EINVAL;
	m->requested = requested;
	resize_usable(m, false);
	mock_model_show(m);
	return 0;
}

/**
 * mock_model_set_usable() - set another usable region, even a smaller one
 * @m: the device
 * @usable: bytes
 *
 * A real device may make it larger at any time, but never smaller.
 *
 * Context: with the lock held.
 */
void mock_model_set_usable(struct mock *m, u64 usable)
{
	m->usable = min(m->size, round_down(usable, m->block_size));
	mock_model_show(m);
}

/**
 * mock_model_leave() - plug blocks as if an earlier driver had left them so
 * @m: the device
 * @addr: first block, bytes
 * @size: bytes
 *
 * Context: with the lock held.
 * Return: 0; -EINVAL unless these are whole blocks of the region, unplugged.
 */
int mock_model_leave(struct mock *m, u64 addr, u64 size)
{
	unsigned long first, end;

	if ((addr | size) & (m->block_size - 1) || !size || addr < m->addr ||
	    size > m->size || addr - m->addr > m->size - size)
		return -EINVAL;
	first = div64_u64(addr - m->addr, m->block_size);
	end = first + div64_u64(size, m->block_size);
	if (find_next_bit(m->bitmap, end, first) < end)
		return -EINVAL;
	bitmap_set(m->bitmap, first, end - first);
	m->plugged += size;
	m->usable = max(m->usable, end * m->block_size);
	mock_model_show(m);
	return 0;
}

/*
 * Requests.
 */

static bool in_region(const struct mock *m, const struct mock_request *req)
{
	u64 end = req->addr + req->nr * m->block_size;

	return req->nr && !(req->addr & (m->block_size - 1)) &&
	       req->addr >= m->addr && end > req->addr &&
	       end <= m->addr + m->usable;
}

static unsigned long first_block(const struct mock *m,
				 const struct mock_request *req)
{
	return div64_u64(req->addr - m->addr, m->block_size);
}

static bool all(const struct mock *m, const struct mock_request *req, bool set)
{
	unsigned long first = first_block(m, req), end = first + req->nr;

	if (set)
		return find_next_zero_bit(m->bitmap, end, first) >= end;
	return find_next_bit(m->bitmap, end, first) >= end;
}

/* Looks for busy memory, because a driver's region is not marked as busy. */
static bool in_use(u64 addr, u64 size)
{
	return region_intersects(addr, size, IORESOURCE_SYSTEM_RAM |
				 IORESOURCE_BUSY,
				 IORES_DESC_NONE) != REGION_DISJOINT;
}

static void judge_blocks(struct mock *m, const struct mock_request *req)
{
	u64 size = req->nr * m->block_size;

	if (!req->nr || req->addr & (m->block_size - 1))
		mock_record_violation(m, MOCK_V_MALFORMED,
				      "%s 0x%llx, %u blocks",
				      mock_record_request_name(req->type),
				      req->addr, req->nr);
	else if (!in_region(m, req))
		mock_record_violation(m, MOCK_V_OUTSIDE,
				      "%s 0x%llx, %u blocks, 0x%llx usable",
				      mock_record_request_name(req->type),
				      req->addr, req->nr, m->usable);
	else if (req->type == VIRTIO_MEM_REQ_PLUG && !all(m, req, false))
		mock_record_violation(m, MOCK_V_PLUG_TWICE,
				      "0x%llx, %u blocks", req->addr, req->nr);
	else if (req->type == VIRTIO_MEM_REQ_UNPLUG && !all(m, req, true))
		mock_record_violation(m, MOCK_V_NOT_PLUGGED,
				      "0x%llx, %u blocks", req->addr, req->nr);
	else if (req->type == VIRTIO_MEM_REQ_UNPLUG && in_use(req->addr, size))
		mock_record_violation(m, MOCK_V_IN_USE,
				      "0x%llx, %u blocks", req->addr, req->nr);
	else if (req->type == VIRTIO_MEM_REQ_PLUG &&
		 mock_poison_check(m, req->addr, size))
		mock_record_violation(m, MOCK_V_TOUCHED,
				      "0x%llx, %u blocks", req->addr, req->nr);
}

/**
 * mock_model_judge() - count forbidden requests
 * @m: the device, in the state that the driver can have known
 * @req: the request
 *
 * Plugging more than requested is allowed, because the request may just have
 * changed.
 *
 * Context: with the lock held, before anything changes.
 */
void mock_model_judge(struct mock *m, const struct mock_request *req)
{
	if (req->type != VIRTIO_MEM_REQ_UNPLUG_ALL)
		judge_blocks(m, req);
	else if (m->plugged && in_use(m->addr, m->size))
		mock_record_violation(m, MOCK_V_IN_USE, "all");
}

static u16 plug(struct mock *m, const struct mock_request *req)
{
	u64 size = req->nr * m->block_size;

	if (!in_region(m, req))
		return VIRTIO_MEM_RESP_ERROR;
	if (m->plugged + size > m->requested)
		return VIRTIO_MEM_RESP_NACK;
	if (!all(m, req, false))
		return VIRTIO_MEM_RESP_ERROR;
	bitmap_set(m->bitmap, first_block(m, req), req->nr);
	m->plugged += size;
	return VIRTIO_MEM_RESP_ACK;
}

/* Never unplugs memory that Linux has, because the guest must live to tell. */
static u16 unplug(struct mock *m, const struct mock_request *req)
{
	u64 size = req->nr * m->block_size;

	if (!in_region(m, req) || !all(m, req, true) || in_use(req->addr, size))
		return VIRTIO_MEM_RESP_ERROR;
	bitmap_clear(m->bitmap, first_block(m, req), req->nr);
	m->plugged -= size;
	mock_poison_fill(m, req->addr, size);
	return VIRTIO_MEM_RESP_ACK;
}

static u16 unplug_all(struct mock *m)
{
	if (m->plugged && in_use(m->addr, m->size))
		return VIRTIO_MEM_RESP_ERROR;
	if (m->plugged)
		mock_poison_fill(m, m->addr, m->size);
	bitmap_zero(m->bitmap, mock_model_blocks(m));
	m->plugged = 0;
	resize_usable(m, true);
	return VIRTIO_MEM_RESP_ACK;
}

static u16 state(struct mock *m, const struct mock_request *req, u16 *what)
{
	if (!in_region(m, req))
		return VIRTIO_MEM_RESP_ERROR;
	*what = VIRTIO_MEM_STATE_MIXED;
	if (all(m, req, true))
		*what = VIRTIO_MEM_STATE_PLUGGED;
	else if (all(m, req, false))
		*what = VIRTIO_MEM_STATE_UNPLUGGED;
	return VIRTIO_MEM_RESP_ACK;
}

/**
 * mock_model_system_reset() - do the device's part of a machine reset
 * @m: the device; no driver uses it
 *
 * Context: with the lock held.
 * Return: 0; -EBUSY if Linux has some of the memory.
 */
int mock_model_system_reset(struct mock *m)
{
	if (unplug_all(m) != VIRTIO_MEM_RESP_ACK)
		return -EBUSY;
	mock_model_show(m);
	return 0;
}

/**
 * mock_model_do() - do a request
 * @m: the device
 * @req: the request
 * @answer: out
 *
 * Context: with the lock held.
 */
void mock_model_do(struct mock *m, const struct mock_request *req,
		   struct mock_answer *answer)
{
	answer->state = 0;
	switch (req->type) {
	case VIRTIO_MEM_REQ_PLUG:
		answer->type = plug(m, req);
		break;
	case VIRTIO_MEM_REQ_UNPLUG:
		answer->type = unplug(m, req);
		break;
	case VIRTIO_MEM_REQ_UNPLUG_ALL:
		answer->type = unplug_all(m);
		break;
	case VIRTIO_MEM_REQ_STATE:
		answer->type = state(m, req, &answer->state);
		break;
	}
	mock_model_show(m);
}
