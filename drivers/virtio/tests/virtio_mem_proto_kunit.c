// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests virtio_mem_proto: requests to the byte, every answer, every reason to
 * refuse a configuration, and the geometry against a naive count.
 */
#include "virtio_mem_kunit.h"
#include "../virtio_mem_proto.h"

#define MIB	BIT_ULL(20)
#define GIB	BIT_ULL(30)
#define PAGE	4096

static void requests_to_the_byte(struct kunit *test)
{
	static const struct {
		u16 type, nb_blocks;
		u64 addr;
		u8 bytes[24];
	} r[] = {
		{ VIRTIO_MEM_REQ_PLUG, 0x0102, 0x1122334455667788ULL,
		  { 0, 0, 0, 0, 0, 0, 0, 0,
		    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 2, 1 } },
		{ VIRTIO_MEM_REQ_UNPLUG, 0xffff, 0x140000000ULL,
		  { 1, 0, 0, 0, 0, 0, 0, 0,
		    0, 0, 0, 0x40, 1, 0, 0, 0, 0xff, 0xff } },
		{ VIRTIO_MEM_REQ_UNPLUG_ALL, 3, 0x140000000ULL, { 2 } },
		{ VIRTIO_MEM_REQ_STATE, 1, 1,
		  { 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1 } },
	};
	struct virtio_mem_req req;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, sizeof(req), 24UL);
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		memset(&req, 0xff, sizeof(req));
		virtio_mem_proto_request(&req, r[i].type, r[i].addr,
					 r[i].nb_blocks);
		KUNIT_EXPECT_MEMEQ(test, &req, r[i].bytes, sizeof(req));
	}
}

/* Makes a response, byte by byte as the device would write it. */
static struct virtio_mem_resp resp_of(u16 type, u16 state)
{
	u8 bytes[10] = { type & 0xff, type >> 8, 0xee, 0xee, 0xee, 0xee, 0xee,
			 0xee, state & 0xff, state >> 8 };
	struct virtio_mem_resp resp;

	memcpy(&resp, bytes, sizeof(resp));
	return resp;
}

static void answers_by_type_and_length(struct kunit *test)
{
	unsigned int type;
	u32 len;

	KUNIT_EXPECT_EQ(test, sizeof(struct virtio_mem_resp), 10UL);
	for (type = 0; type <= U16_MAX; type++) {
		struct virtio_mem_resp resp = resp_of(type, 0);

		for (len = 0; len < 12; len++) {
			enum virtio_mem_answer want = VIRTIO_MEM_ANSWER_UNKNOWN;

			if (type <= 3 && len >= 2 && len <= 10)
				want = VIRTIO_MEM_ANSWER_ACK + type;
			KUNIT_ASSERT_EQ_MSG(test,
					    virtio_mem_proto_answer(&resp, len),
					    want, "(type %u, %u bytes)", type,
					    len);
		}
		KUNIT_ASSERT_EQ(test, virtio_mem_proto_answer(&resp, U32_MAX),
				VIRTIO_MEM_ANSWER_UNKNOWN);
	}
}

static void states(struct kunit *test)
{
	unsigned int type, state;
	u32 len;

	for (type = 0; type < 6; type++) {
		for (state = 0; state <= U16_MAX; state++) {
			struct virtio_mem_resp resp = resp_of(type, state);
			int want = type || state > 2 ? -EPROTO : (int)state;

			KUNIT_ASSERT_EQ(test, virtio_mem_proto_state(&resp, 10),
					want);
		}
	}
	for (len = 0; len < 12; len++) {
		struct virtio_mem_resp resp =
			resp_of(VIRTIO_MEM_RESP_ACK, VIRTIO_MEM_STATE_MIXED);

		KUNIT_EXPECT_EQ(test, virtio_mem_proto_state(&resp, len),
				len == 10 ? VIRTIO_MEM_STATE_MIXED : -EPROTO);
	}
}

static void names(struct kunit *test)
{
	static const char *const requests[] = {
		"PLUG", "UNPLUG", "UNPLUG_ALL", "STATE", "?"
	};
	static const char *const answers[] = { "ACK", "NACK", "BUSY", "ERROR" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++)
		KUNIT_EXPECT_STREQ(test, virtio_mem_proto_request_name(i),
				   requests[i]);
	KUNIT_EXPECT_STREQ(test, virtio_mem_proto_request_name(U16_MAX), "?");
	for (i = 0; i <= VIRTIO_MEM_ANSWER_GONE; i++)
		KUNIT_EXPECT_TRUE(test, strlen(virtio_mem_proto_answer_name(i))
				  > 2);
	for (i = 0; i < ARRAY_SIZE(answers); i++)
		KUNIT_EXPECT_STREQ(test, virtio_mem_proto_answer_name(i),
				   answers[i]);
	i = VIRTIO_MEM_ANSWER_GONE + 1;
	KUNIT_EXPECT_STREQ(test, virtio_mem_proto_answer_name(i), "?");
}

/* The driver reads the fields one by one, at these offsets. */
static void config_space_byte_by_byte(struct kunit *test)
{
	struct virtio_mem_config raw;
	u8 bytes[56];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, sizeof(raw), sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i + 1;
	memcpy(&raw, bytes, sizeof(raw));
	KUNIT_EXPECT_EQ(test, le64_to_cpu(raw.block_size),
			0x0807060504030201ULL);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(raw.node_id), 0x0a09);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(raw.addr), 0x1817161514131211ULL);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(raw.region_size),
			0x201f1e1d1c1b1a19ULL);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(raw.usable_region_size),
			0x2827262524232221ULL);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(raw.plugged_size),
			0x302f2e2d2c2b2a29ULL);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(raw.requested_size),
			0x3837363534333231ULL);
}

/* A good configuration but for one value, and a word of the reason. */
#define WITH(field, value, why) \
	{ #field "=" #value, offsetof(struct virtio_mem_cfg, field), value, why }

struct config_case {
	const char *desc;
	size_t field;
	u64 value;
	const char *why;
};

static const struct config_case config_cases[] = {
	WITH(block_size, 0, "power of two"),
	WITH(block_size, 3 * MIB, "power of two"),
	WITH(block_size, 2 * MIB + 1, "power of two"),
	WITH(block_size, 2048, "smaller than a page"),
	WITH(block_size, 1, "smaller than a page"),
	WITH(block_size, PAGE, NULL),
	WITH(block_size, GIB, NULL),
	WITH(block_size, 2 * GIB, "region does not start"),
	WITH(addr, 5 * GIB + MIB, "region does not start"),
	WITH(addr, 5 * GIB + 1, "region does not start"),
	WITH(addr, 0, NULL),
	WITH(addr, 0 - 2 * MIB, "wraps"),
	WITH(addr, 0 - 4 * GIB + 2 * MIB, "wraps"),
	WITH(addr, 0 - 4 * GIB - 2 * MIB, NULL),
	WITH(region_size, 4 * GIB + MIB, "region size"),
	WITH(region_size, 0 - 2 * MIB, "wraps"),
	WITH(region_size, 0 - 5 * GIB + 2 * MIB, "wraps"),
	WITH(region_size, 0, "larger than the region"),
	WITH(region_size, 3 * GIB - 2 * MIB, "usable region is larger"),
	WITH(region_size, 3 * GIB, NULL),
	WITH(usable_region_size, 3 * GIB + 1, "usable region size"),
	WITH(usable_region_size, 4 * GIB, NULL),
	WITH(usable_region_size, 4 * GIB + 2 * MIB, "usable region is larger"),
	WITH(usable_region_size, 0, NULL),
	WITH(plugged_size, GIB + MIB, "plugged size is not a multiple"),
	WITH(plugged_size, 4 * GIB, NULL),
	WITH(plugged_size, 4 * GIB + 2 * MIB, "plugged size is larger"),
	WITH(plugged_size, 0, NULL),
	WITH(requested_size, MIB, "requested size"),
	WITH(requested_size, 0, NULL),
	/* QEMU 7.2 can start like that; the driver just can't reach it. */
	WITH(requested_size, 64 * GIB, NULL),
	WITH(node_id, 0, NULL),
};

static void config_desc(const struct config_case *c, char *desc)
{
	strscpy(desc, c->desc, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(config, config_cases, config_desc);

static void good_config(struct virtio_mem_cfg *cfg)
{
	*cfg = (struct virtio_mem_cfg){
		.block_size = 2 * MIB,
		.addr = 5 * GIB,
		.region_size = 4 * GIB,
		.usable_region_size = 3 * GIB,
		.plugged_size = GIB,
		.requested_size = 2 * GIB,
	};
}

static void nonsense_is_refused(struct kunit *test)
{
	const struct config_case *c = test->param_value;
	struct virtio_mem_cfg cfg;
	const char *why;

	good_config(&cfg);
	KUNIT_ASSERT_TRUE(test, !virtio_mem_proto_check(&cfg, PAGE));
	if (c->field == offsetof(struct virtio_mem_cfg, node_id))
		cfg.node_id = c->value;
	else
		*(u64 *)((u8 *)&cfg + c->field) = c->value;
	why = virtio_mem_proto_check(&cfg, PAGE);
	if (!c->why) {
		KUNIT_EXPECT_TRUE_MSG(test, !why, "(%s)", why);
		return;
	}
	KUNIT_ASSERT_NOT_NULL(test, why);
	KUNIT_EXPECT_TRUE_MSG(test, strstr(why, c->why), "(%s)", why);
}

static void an_update_keeps_the_fixed_part(struct kunit *test)
{
	struct virtio_mem_cfg old, now;

	good_config(&old);
	now = old;
	now.usable_region_size = 4 * GIB;
	now.plugged_size = 0;
	now.requested_size = 4 * GIB;
	KUNIT_EXPECT_NULL(test, virtio_mem_proto_check_update(&old, &now));
	now.block_size *= 2;
	KUNIT_EXPECT_NOT_NULL(test, virtio_mem_proto_check_update(&old, &now));
	now = old;
	now.addr += 2 * MIB;
	KUNIT_EXPECT_NOT_NULL(test, virtio_mem_proto_check_update(&old, &now));
	now = old;
	now.region_size += 2 * MIB;
	KUNIT_EXPECT_NOT_NULL(test, virtio_mem_proto_check_update(&old, &now));
}

static void expect_bb_size(struct kunit *test, u64 bb, u64 block, u64 memory,
			   const char *want)
{
	const char *why = virtio_mem_proto_check_bb_size(bb, block, memory);

	if (!want) {
		KUNIT_EXPECT_TRUE_MSG(test, !why, "(%s)", why);
		return;
	}
	KUNIT_ASSERT_NOT_NULL(test, why);
	KUNIT_EXPECT_TRUE_MSG(test, strstr(why, want), "(%s)", why);
}

static void sizes_of_a_big_block(struct kunit *test)
{
	expect_bb_size(test, 128 * MIB, 2 * MIB, 128 * MIB, NULL);
	expect_bb_size(test, GIB, GIB, 128 * MIB, NULL);
	expect_bb_size(test, 0, 2 * MIB, 128 * MIB, "power of two");
	expect_bb_size(test, 384 * MIB, 2 * MIB, 128 * MIB, "power of two");
	expect_bb_size(test, 128 * MIB, 256 * MIB, 128 * MIB, "device's");
	expect_bb_size(test, 64 * MIB, 2 * MIB, 128 * MIB, "memory block");
	/* A request can name 65,535 blocks at most. */
	expect_bb_size(test, 128 * MIB, PAGE, 128 * MIB, NULL);
	expect_bb_size(test, 256 * MIB, PAGE, 128 * MIB, "one request");
	expect_bb_size(test, 128 * GIB, 4 * MIB, 128 * MIB, NULL);
	expect_bb_size(test, 128 * GIB, 2 * MIB, 128 * MIB, "one request");
}

/* Small numbers suffice: device blocks of 4, big blocks of 16. */
#define BLOCK	4
#define BB	16
#define TOP	96

static void expect_geometry(struct kunit *test,
			    const struct virtio_mem_cfg *cfg, u64 lowest,
			    u64 highest)
{
	unsigned long nr = 0, usable = 0;
	struct virtio_mem_geo geo;
	u64 base = 0, a;
	int rc;

	/* The naive count tests each big block for itself. */
	for (a = 0; a < 2 * TOP; a += BB) {
		if (a < cfg->addr || a + BB > cfg->addr + cfg->region_size ||
		    a < lowest || a + BB - 1 > highest)
			continue;
		if (!nr++)
			base = a;
		usable += a + BB <= cfg->addr + cfg->usable_region_size;
	}
	rc = virtio_mem_proto_geometry(&geo, cfg, BB, lowest, highest);
	KUNIT_ASSERT_EQ(test, rc, nr ? 0 : -ERANGE);
	KUNIT_ASSERT_EQ(test, geo.nr_bbs, nr);
	KUNIT_ASSERT_EQ(test, geo.bb_size, (u64)BB);
	if (!nr)
		return;
	KUNIT_ASSERT_EQ(test, geo.base, base);
	KUNIT_ASSERT_EQ(test, virtio_mem_proto_usable_bbs(&geo, cfg), usable);
}

static void geometry_against_a_naive_count(struct kunit *test)
{
	struct virtio_mem_cfg cfg = { .block_size = BLOCK };
	u64 lowest, highest;

	for (cfg.addr = 0; cfg.addr <= TOP / 2; cfg.addr += BLOCK)
		for (cfg.region_size = 0; cfg.region_size <= TOP / 2;
		     cfg.region_size += BLOCK)
			for (lowest = 0; lowest <= TOP; lowest += 5)
				for (highest = lowest; highest <= TOP;
				     highest += 3) {
					cfg.usable_region_size =
						cfg.region_size / 8 * BLOCK;
					expect_geometry(test, &cfg, lowest,
							highest);
				}
}

static void usable_against_a_naive_count(struct kunit *test)
{
	struct virtio_mem_cfg cfg = {
		.block_size = BLOCK,
		.region_size = TOP / 2,
	};

	for (cfg.addr = 0; cfg.addr <= TOP / 2; cfg.addr += BLOCK)
		for (cfg.usable_region_size = 0;
		     cfg.usable_region_size <= cfg.region_size;
		     cfg.usable_region_size += BLOCK) {
			expect_geometry(test, &cfg, 0, U64_MAX);
			expect_geometry(test, &cfg, 20, 70);
		}
}

static void geometry_of_large_regions(struct kunit *test)
{
	struct virtio_mem_cfg cfg = {
		.block_size = 2 * MIB,
		.addr = 5 * GIB + 2 * MIB,
		.region_size = 16384 * GIB,
		.usable_region_size = 16384 * GIB,
	};
	struct virtio_mem_geo geo;

	KUNIT_EXPECT_EQ(test, virtio_mem_proto_geometry(&geo, &cfg, GIB, 0,
							(1ULL << 46) - 1), 0);
	KUNIT_EXPECT_EQ(test, geo.base, 6 * GIB);
	KUNIT_EXPECT_EQ(test, geo.nr_bbs, 16383UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_proto_usable_bbs(&geo, &cfg),
			16383UL);

	/* The region is above all that Linux can address, then near the top. */
	cfg.addr = 1ULL << 60;
	KUNIT_EXPECT_EQ(test, virtio_mem_proto_geometry(&geo, &cfg, GIB, 0,
							(1ULL << 46) - 1),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, geo.nr_bbs, 0UL);
	cfg.addr = 0 - 2 * GIB;
	cfg.region_size = 2 * GIB - 2 * MIB;
	cfg.usable_region_size = cfg.region_size;
	KUNIT_EXPECT_EQ(test, virtio_mem_proto_geometry(&geo, &cfg, GIB, 0,
							U64_MAX), 0);
	KUNIT_EXPECT_EQ(test, geo.base, cfg.addr);
	KUNIT_EXPECT_EQ(test, geo.nr_bbs, 1UL);
	KUNIT_EXPECT_EQ(test, virtio_mem_proto_usable_bbs(&geo, &cfg), 1UL);
	/* No big block starts between this address and the top. */
	cfg.addr = 0 - GIB + 2 * MIB;
	cfg.region_size = GIB - 4 * MIB;
	KUNIT_EXPECT_EQ(test, virtio_mem_proto_geometry(&geo, &cfg, GIB, 0,
							U64_MAX), -ERANGE);
}

static void runs_stay_below_65536_blocks(struct kunit *test)
{
	unsigned int blocks, shift;

	for (shift = 12; shift <= 30; shift++) {
		for (blocks = 0; blocks <= 15; blocks++) {
			struct virtio_mem_cfg cfg = {
				.block_size = BIT_ULL(shift),
			};
			struct virtio_mem_geo geo = {
				.bb_size = BIT_ULL(shift + blocks),
			};
			unsigned long max = virtio_mem_proto_max_run(&geo,
								     &cfg);

			KUNIT_EXPECT_GE(test, max, 1UL);
			KUNIT_EXPECT_LE(test, max << blocks, 65535UL);
			KUNIT_EXPECT_GT(test, (max + 1) << blocks, 65535UL);
		}
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(requests_to_the_byte),
	KUNIT_CASE(answers_by_type_and_length),
	KUNIT_CASE(states),
	KUNIT_CASE(names),
	KUNIT_CASE(config_space_byte_by_byte),
	KUNIT_CASE_PARAM(nonsense_is_refused, config_gen_params),
	KUNIT_CASE(an_update_keeps_the_fixed_part),
	KUNIT_CASE(sizes_of_a_big_block),
	KUNIT_CASE(geometry_against_a_naive_count),
	KUNIT_CASE(usable_against_a_naive_count),
	KUNIT_CASE(geometry_of_large_regions),
	KUNIT_CASE(runs_stay_below_65536_blocks),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_mem_proto",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("Tests of virtio_mem_proto");
MODULE_LICENSE("GPL");
