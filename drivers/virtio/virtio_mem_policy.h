/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: every tunable of the driver's judgement, with its unit and its reason.
 * Numbers only; who applies one is named with it.  Includes nothing.
 */
#ifndef _VIRTIO_MEM_POLICY_H
#define _VIRTIO_MEM_POLICY_H

/*
 * What must stay (virtio_mem_choose).
 */

/*
 * An unplug leaves the guest a 64th of its memory that is free or can be freed
 * without harm, but 32 MiB at least, which processes that start take within a
 * moment, and 256 MiB at most: a large guest must be able to give all it has to
 * spare.  The parameter unplug_reserve_mib replaces it.
 */
#define VIRTIO_MEM_RESERVE_SHARE	64
#define VIRTIO_MEM_RESERVE_MIN_MIB	32UL
#define VIRTIO_MEM_RESERVE_MAX_MIB	256UL

/*
 * Of this a quarter must be in zones that the kernel itself can allocate from,
 * if anything is unplugged from these.
 */
#define VIRTIO_MEM_KERNEL_SHARE		4

/* A page swapped to compressed memory frees about half a page. */
#define VIRTIO_MEM_ZSWAP_SHARE		2

/* The largest unplug_reserve_mib, in MiB: 1 TiB, above it a typing error. */
#define VIRTIO_MEM_RESERVE_LIMIT_MIB	0x100000

/*
 * What adding a big block takes (virtio_mem_room, virtio_mem_choose).
 */

/*
 * Beside the memmap: page tables, which the core allocates atomically, and
 * memory block devices with their files, in pages; some more for each 64 pages
 * of the memmap.
 */
#define VIRTIO_MEM_ROOM_PAGES		64
#define VIRTIO_MEM_ROOM_SHARE		64

/*
 * And what is needed to use what is in ZONE_MOVABLE already: half of the page
 * tables that map it.  But not for the first 4 GiB, which a guest in need gets at
 * once; and 64 MiB at most.
 */
#define VIRTIO_MEM_ROOM_TABLES_SHARE	1024
#define VIRTIO_MEM_ROOM_TABLES_FREE_MIB	4UL
#define VIRTIO_MEM_ROOM_TABLES_MAX_MIB	64UL

/*
 * With twice the memmap and 16 MiB free above the zones' high watermarks there
 * is nothing to reclaim first.
 */
#define VIRTIO_MEM_ROOM_PLENTY		2
#define VIRTIO_MEM_ROOM_PLENTY_MIB	16UL

/* Part of the kernel's page cache that is taken for easily reclaimed. */
#define VIRTIO_MEM_ROOM_FILE_SHARE	2

/* How long one try to reclaim for it may take, in ms. */
#define VIRTIO_MEM_ROOM_MS		5000

/*
 * Memory that is added ahead of what user space onlines, in bytes (or two big
 * blocks, if these are more): its memmap is used, it is not.  As the kernel's
 * own driver.
 */
#define VIRTIO_MEM_AHEAD_BYTES		0x40000000LL

/*
 * How an unplug is bounded (virtio_mem_mm).  Of unplug_timeout_ms five eighths
 * are for moving and taking pages, which disturbs nobody; a quarter for
 * offlining what is taken, an eighth for offlining what is not.  Both hold the
 * locks of all memory hotplug, hence the latter for 1 s a memory block at most:
 * enough to move all of it, too short to be felt by whoever creates a slab cache.
 */
#define VIRTIO_MEM_UNPLUG_TIMEOUT_MS	40000
#define VIRTIO_MEM_OFFLINE_SHARE	4
#define VIRTIO_MEM_TRY_SHARE		8
#define VIRTIO_MEM_TRY_MAX_MS		1000U

/*
 * What unplug_timeout_ms may be, in ms: below, the core's own waits alone take
 * longer; above, it is a typing error.
 */
#define VIRTIO_MEM_UNPLUG_TIMEOUT_MIN_MS	100
#define VIRTIO_MEM_UNPLUG_TIMEOUT_MAX_MS	3600000

/* Attempts to empty a run of pages; migration often succeeds the next time. */
#define VIRTIO_MEM_TAKE_ATTEMPTS	3

/* Free pages that are tried, one after the other, to have one for a sweep. */
#define VIRTIO_MEM_PLUG_ATTEMPTS	3

/* So little in use is left to offlining after a sweep: a 256th. */
#define VIRTIO_MEM_SWEPT_SHARE		256

/*
 * What a page that is held or busy adds to the cost of its big block: worth a
 * quarter of it to be migrated instead.
 */
#define VIRTIO_MEM_HELD_SHARE		4

/*
 * Tries that a look advises against, and tries that fail (virtio_mem_retry).
 */

/*
 * Of the time that passes a tenth goes into tries that a look advises against.
 * A request begins with a second of it: so what the look is wrong about is not
 * met more than a second later.
 */
#define VIRTIO_MEM_DOUBT_SHARE		10
#define VIRTIO_MEM_DOUBT_GRANT_MS	1000

/*
 * Such a try takes so long at most, in ms: a tenth of the longest back-off.  So
 * after the longest back-off there is always time for the next one.  More time
 * than that for them is not saved up.
 */
#define VIRTIO_MEM_DOUBT_TRY_MS		6000U

/*
 * Delay before the first retry, and the longest one, in ms; a quarter more each
 * time: so the wait stays about a fifth of the time that has passed since the
 * first try, and a request is met soon after it can be, at little cost.
 */
#define VIRTIO_MEM_RETRY_MIN_MS		250
#define VIRTIO_MEM_RETRY_MAX_MS		60000
#define VIRTIO_MEM_RETRY_SHARE		4

/*
 * A pass that has spent so long on tries that came to nothing ends, in ms; the
 * rest after it is as long.  The next one begins with what was not tried.
 */
#define VIRTIO_MEM_PASS_FAILED_MS	VIRTIO_MEM_RETRY_MAX_MS

/*
 * While a request can't be met: the time between two looks whether it can, an
 * eighth of the rest, in ms.  Rarer than that, looks would not shorten a rest by
 * much; they cost some microseconds each.
 */
#define VIRTIO_MEM_LOOK_SHARE		8
#define VIRTIO_MEM_LOOK_MIN_MS		200
#define VIRTIO_MEM_LOOK_MAX_MS		1000

/*
 * A pass that began for such a look, and came to nothing: the rest after it is
 * so many times as long as the time that it has wasted.
 */
#define VIRTIO_MEM_HASTY_REST		8

/* Part of a big block that must come free to be worth another pass. */
#define VIRTIO_MEM_EASED_SHARE		8

/*
 * The order of steps (virtio_mem_plan).
 */

/*
 * How many big blocks that have left Linux wait for each other, to be unplugged
 * with one request, and how long, in ms.
 */
#define VIRTIO_MEM_UNPLUG_BATCH		16UL
#define VIRTIO_MEM_UNPLUG_WAIT_MS	2000

/* So many big blocks in a pass refused by the device, or by Linux: it grows no more. */
#define VIRTIO_MEM_MAX_REFUSALS		8

/*
 * And so many in a row that Linux refused to add: then one is tried each
 * VIRTIO_MEM_RETRY_MAX_MS, because going on at once would plug and unplug the whole
 * region where every add fails.  An add that has failed half-way leaves something
 * behind until a reboot: such a big block is passed over.  All of them are
 * forgotten so long after the last, in ms, because what is in the way may go.
 */
#define VIRTIO_MEM_MAX_REFUSED		32U
#define VIRTIO_MEM_FORGET_MS		600000

/* How long big blocks that the device refused by ERROR are left alone, in ms. */
#define VIRTIO_MEM_REFUSED_MS		10000

/*
 * The device's answers, and the end (virtio_mem_vq, virtio_mem_work).
 */

/*
 * How long to wait for an answer before going on without it, in ms: a device
 * that is alive takes milliseconds.  In slices, as nobody says when a queue has
 * become broken.
 */
#define VIRTIO_MEM_ANSWER_MS		10000
#define VIRTIO_MEM_ANSWER_SLICE_MS	500

/*
 * How often, and after how many ms, to try again to send what there was no
 * memory for.  Who asks for one state after the other is spared most failures
 * so; longer shortages are the caller's to wait for.
 */
#define VIRTIO_MEM_SEND_ATTEMPTS	10
#define VIRTIO_MEM_SEND_REST_MS		50

/*
 * How long remove() and suspend wait for the worker, in ms.  It gives up a call
 * within seconds, unless it waits for a lock that our caller holds.
 */
#define VIRTIO_MEM_STOP_MS		10000

/*
 * How long removal leaves the worker the device before that, in ms: enough to
 * unplug what has left Linux at a device that answers at once.
 */
#define VIRTIO_MEM_FLUSH_MS		500

/*
 * Room.
 */

/*
 * By so many big blocks, at least, the table grows: a page of it, and enough for
 * 512 GiB of 128 MiB each.
 */
#define VIRTIO_MEM_TABLE_CHUNK		4096UL

/* Candidates that a scan keeps where there is no memory for all. */
#define VIRTIO_MEM_FEW_CANDIDATES	256

#endif /* _VIRTIO_MEM_POLICY_H */
