/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: every tunable of the driver's judgement, with its unit, its reason and
 * the file that applies it.  Numbers only.  Includes nothing.
 */
#ifndef _VIRTIO_MEM_POLICY_H
#define _VIRTIO_MEM_POLICY_H

/*
 * Memory that an unplug must leave (virtio_mem_choose).
 */

/*
 * An unplug leaves the guest a 64th of its memory that is free or can be freed
 * without harm.  It leaves at least 32 MiB, because processes that start take
 * as much within a moment, and at most 256 MiB, because a large guest must be
 * able to give all it can spare.  The parameter unplug_reserve_mib replaces it.
 */
#define VIRTIO_MEM_RESERVE_SHARE	64
#define VIRTIO_MEM_RESERVE_MIN_MIB	32UL
#define VIRTIO_MEM_RESERVE_MAX_MIB	256UL

/*
 * A quarter of the reserve must be in the kernel's zones, if the unplug takes
 * memory from these.
 */
#define VIRTIO_MEM_KERNEL_SHARE		4

/* A page swapped to compressed memory frees about half a page. */
#define VIRTIO_MEM_ZSWAP_SHARE		2

/* The largest unplug_reserve_mib, in MiB; above 1 TiB it is a typing error. */
#define VIRTIO_MEM_RESERVE_LIMIT_MIB	0x100000

/*
 * Memory that adding a big block takes (virtio_mem_choose, virtio_mem_room,
 * virtio_mem_snapshot).
 */

/*
 * Pages for page tables, which the core allocates atomically, and for memory
 * block devices with their files, beside the memmap; one more for each 64 pages
 * of the memmap.
 */
#define VIRTIO_MEM_ROOM_PAGES		64
#define VIRTIO_MEM_ROOM_SHARE		64

/*
 * Growing also leaves room for half of the page tables that map all of
 * ZONE_MOVABLE, because the guest needs them to use that memory.  An entry has 8
 * bytes, so half of all are 4 bytes a page: a MiB in so many, divided by the
 * pages of a MiB (with pages of 4 KiB a 1024th).  Growing leaves no room for the
 * first 4 MiB of them (4 GiB with pages of 4 KiB), because a guest in need gets
 * these at once, and for 64 MiB at most.
 */
#define VIRTIO_MEM_ROOM_TABLES_SHARE	0x40000UL
#define VIRTIO_MEM_ROOM_TABLES_FREE_MIB	4UL
#define VIRTIO_MEM_ROOM_TABLES_MAX_MIB	64UL

/*
 * The driver reclaims nothing first if twice the memmap and 16 MiB are free
 * above the zones' high watermarks.
 */
#define VIRTIO_MEM_ROOM_PLENTY		2
#define VIRTIO_MEM_ROOM_PLENTY_MIB	16UL

/* The driver counts half of the kernel's page cache as easily reclaimed. */
#define VIRTIO_MEM_ROOM_FILE_SHARE	2

/* How long one try to reclaim for a big block may take, in ms. */
#define VIRTIO_MEM_ROOM_MS		5000

/*
 * Memory that the driver adds ahead of user space, which onlines it, in bytes
 * (or two big blocks, if these are more).  It is limited, because memory that
 * is not online costs a memmap and serves nobody.  The kernel's own driver has
 * the same limit.
 */
#define VIRTIO_MEM_AHEAD_BYTES		0x40000000LL

/*
 * The size of a region in which the driver leaves a gap (virtio_mem_plan_gap()),
 * in bytes.  The core looks at a pageblock in about 0.1 us, which for all memory
 * blocks of a smaller region together makes less than 0.3 s.
 */
#define VIRTIO_MEM_GAP_BYTES		0x800000000ULL

/*
 * How unplug_timeout_ms is shared out (virtio_mem_choose).  Moving and taking
 * pages gets five eighths, because that disturbs nobody.  Offlining taken pages
 * gets a quarter and offlining others an eighth; both get less, because
 * offlining holds the locks of all memory hotplug.  Offlining others takes at
 * most 1 s a memory block: enough to move all of it, and too short to disturb
 * whoever creates a slab cache.
 */
#define VIRTIO_MEM_UNPLUG_TIMEOUT_MS	40000
#define VIRTIO_MEM_OFFLINE_SHARE	4
#define VIRTIO_MEM_TRY_SHARE		8
#define VIRTIO_MEM_TRY_MAX_MS		1000U

/*
 * Limits of unplug_timeout_ms, in ms.  Below, the core's own waits alone take
 * longer; above, it is a typing error.
 */
#define VIRTIO_MEM_UNPLUG_TIMEOUT_MIN_MS	100
#define VIRTIO_MEM_UNPLUG_TIMEOUT_MAX_MS	3600000

/* Attempts to empty a run of pages, because a retry often migrates the rest. */
#define VIRTIO_MEM_TAKE_ATTEMPTS	3

/* Attempts to take one page, for a sweep or to drain the CPUs' batches. */
#define VIRTIO_MEM_PLUG_ATTEMPTS	3

/*
 * A zone's batches count as drained if at most half of their pages are left,
 * because other CPUs fill them again meanwhile.
 */
#define VIRTIO_MEM_DRAINED_SHARE	2

/* A swept big block may be offlined if at most a 256th of it is in use. */
#define VIRTIO_MEM_SWEPT_SHARE		256

/*
 * Held or busy pages cost as much as migrating a quarter of their big block, so
 * that others go first.
 */
#define VIRTIO_MEM_HELD_SHARE		4

/*
 * Tries that a scan advises against, and tries that fail (virtio_mem_retry,
 * virtio_mem_plan).
 */

/*
 * A tenth of the time goes into tries that a scan advises against.  A new
 * request gets a second of it at once, so that a wrong scan delays the request
 * by no more than a second.
 */
#define VIRTIO_MEM_DOUBT_SHARE		10
#define VIRTIO_MEM_DOUBT_GRANT_MS	1000

/*
 * Such a try takes at most a tenth of the longest back-off, in ms, so that
 * there is always time for the next one after the longest back-off.  No more
 * time than this is saved up for such tries.
 */
#define VIRTIO_MEM_DOUBT_TRY_MS		6000U

/*
 * Delay before the first retry, and the longest one, in ms.  The delay grows by
 * a quarter each time.  It thus stays about a fifth of the time since the first
 * try, so that a request is met soon after it can be, at little cost.
 */
#define VIRTIO_MEM_RETRY_MIN_MS		250
#define VIRTIO_MEM_RETRY_MAX_MS		60000
#define VIRTIO_MEM_RETRY_SHARE		4

/*
 * A pass ends after so long a time of failed tries, in ms.  The rest after it
 * is as long, and the next pass begins with those that were not tried.
 */
#define VIRTIO_MEM_PASS_FAILED_MS	VIRTIO_MEM_RETRY_MAX_MS

/*
 * The resting worker checks every eighth of its rest whether the request can be
 * met now; the limits are in ms.  Rarer checks would shorten a rest only by
 * little, and each costs only some microseconds.
 */
#define VIRTIO_MEM_LOOK_SHARE		8
#define VIRTIO_MEM_LOOK_MIN_MS		200
#define VIRTIO_MEM_LOOK_MAX_MS		1000

/*
 * After a pass that began because of such a check and failed, the worker rests
 * so many times as long as the pass has wasted.
 */
#define VIRTIO_MEM_HASTY_REST		8

/* Another pass is worth it once an eighth of a big block has come free. */
#define VIRTIO_MEM_EASED_SHARE		8

/*
 * The order of steps, and big blocks that were refused (virtio_mem_plan,
 * virtio_mem_retry, virtio_mem_work).
 */

/*
 * How many big blocks that have left Linux wait for each other, because one
 * request can unplug them all, and how long, in ms.
 */
#define VIRTIO_MEM_UNPLUG_BATCH		16UL
#define VIRTIO_MEM_UNPLUG_WAIT_MS	2000

/* A pass stops growing once device or Linux have refused so many big blocks. */
#define VIRTIO_MEM_MAX_REFUSALS		8

/*
 * Once Linux has refused to add so many big blocks in a row, the driver tries
 * only one each VIRTIO_MEM_RETRY_MAX_MS, because going on at once would plug
 * and unplug the whole region where every add fails.  An add that fails
 * half-way leaves something behind until a reboot, so the driver skips that big
 * block.  It forgets all of them so long after the last, in ms, because the
 * obstacle may go.
 */
#define VIRTIO_MEM_MAX_REFUSED		32U
#define VIRTIO_MEM_FORGET_MS		600000

/* The driver leaves big blocks alone for so long after an ERROR, in ms. */
#define VIRTIO_MEM_REFUSED_MS		10000

/*
 * The device's answers, and the worker's end (virtio_mem_vq, virtio_mem_work).
 */

/*
 * The worker goes on without an answer after so long, in ms, because a device
 * that is alive answers within milliseconds.  It waits in slices, because
 * nobody reports that a queue has become broken.
 */
#define VIRTIO_MEM_ANSWER_MS		10000
#define VIRTIO_MEM_ANSWER_SLICE_MS	500

/*
 * How often, and after how many ms, the driver tries again to send a request
 * for which there was no memory.  This spares most failures to callers that ask
 * for one state after the other; callers must wait for the end of longer
 * shortages themselves.
 */
#define VIRTIO_MEM_SEND_ATTEMPTS	10
#define VIRTIO_MEM_SEND_REST_MS		50

/*
 * How long remove() and suspend wait for the worker, in ms.  The worker gives
 * up a call within seconds, unless it waits for a lock that the caller holds.
 */
#define VIRTIO_MEM_STOP_MS		10000

/*
 * How long removal leaves the device to the worker before that, in ms: enough
 * to unplug memory that has left Linux if the device answers at once.
 */
#define VIRTIO_MEM_FLUSH_MS		500

/*
 * The worker waits so long, in ms, and once only for each of those who look at
 * pages, before it removes memory.
 * A reader takes some ms for a piece of 256 MiB, and up to 200 without KVM.
 */
#define VIRTIO_MEM_HOLD_MS		2000

/*
 * Room in the driver's own buffers.
 */

/*
 * The table grows by at least so many big blocks: a page of entries, which
 * suffices for 512 GiB with 128 MiB each.
 */
#define VIRTIO_MEM_TABLE_CHUNK		4096UL

/* A scan keeps so many candidates where there is no memory for all. */
#define VIRTIO_MEM_FEW_CANDIDATES	256

/* Bytes of a message in last_error: the longest has some 200. */
#define VIRTIO_MEM_NOTE_LEN		256

#endif /* _VIRTIO_MEM_POLICY_H */
