// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The snapshot that a decision rests on: sizes, room, time.  The worker takes
 * one for each step, and the sizes alone after it has read the configuration
 * again.
 */
#include <linux/ktime.h>
#include <linux/sizes.h>
#include <linux/virtio.h>

#include "virtio_mem_device.h"
#include "virtio_mem_snapshot.h"

/**
 * virtio_mem_shall_end() - whether the worker shall end or pause
 * @vm: the device
 *
 * Context: any.
 * Return: true before removal and suspend.
 */
bool virtio_mem_shall_end(struct virtio_mem *vm)
{
	return test_bit(VIRTIO_MEM_EV_STOP, &vm->events) ||
	       test_bit(VIRTIO_MEM_EV_PAUSE, &vm->events);
}

/**
 * virtio_mem_snapshot_sizes() - get the sizes from device and table
 * @vm: the device
 * @in: out; room and time are left out
 *
 * Context: the worker; takes hotplug_mutex.
 */
void virtio_mem_snapshot_sizes(struct virtio_mem *vm,
			       struct virtio_mem_situation *in)
{
	struct virtio_mem_cfg cfg;

	virtio_mem_config_get(vm, &cfg);
	memset(in, 0, sizeof(*in));
	in->requested = cfg.requested_size;
	in->bb_size = vm->geo.bb_size;
	in->usable_bbs = virtio_mem_proto_usable_bbs(&vm->geo, &cfg);
	in->max_run = virtio_mem_proto_max_run(&vm->geo, &cfg);
	in->gap = vm->geo.nr_bbs * vm->geo.bb_size >= VIRTIO_MEM_GAP_BYTES;
	in->unplug_all = vm->unplug_all;
	in->answer_pending = virtio_mem_vq_pending(&vm->vq);
	in->ending = virtio_mem_shall_end(vm);
	mutex_lock(&vm->hotplug_mutex);
	in->foreign = vm->foreign;
	mutex_unlock(&vm->hotplug_mutex);
}

/**
 * virtio_mem_snapshot() - get all that the next decision rests on
 * @vm: the device
 * @in: out
 *
 * Context: the worker; takes hotplug_mutex.
 */
void virtio_mem_snapshot(struct virtio_mem *vm,
			 struct virtio_mem_situation *in)
{
	s64 limit = max_t(s64, VIRTIO_MEM_AHEAD_BYTES, 2 * vm->geo.bb_size);
	u64 now = ktime_to_ms(ktime_get());
	struct virtio_mem_pressure pressure;
	s64 room;

	virtio_mem_snapshot_sizes(vm, in);
	if (vm->bbt.count[VIRTIO_MEM_BB_PLUGGED])
		in->waited_ms = now - vm->out_ms;
	in->may_doubt = virtio_mem_doubt_may(&vm->doubt, now);
	in->failed_ms = vm->failed_ms;
	in->add_trust = virtio_mem_refusals_room(&vm->refusals, now);
	mutex_lock(&vm->hotplug_mutex);
	room = limit - vm->offline_bytes;
	mutex_unlock(&vm->hotplug_mutex);
	in->online_room = room > 0 ? room >> ilog2(vm->geo.bb_size) : 0;
	virtio_mem_scan_pressure(&pressure);
	in->add_room = virtio_mem_choose_room(virtio_mem_scan_memmap(vm),
					      PHYS_PFN(SZ_1M), &pressure);
}
