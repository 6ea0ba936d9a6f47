// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * debugfs: virtio_mem/<device>/blocks, one line a run of equal big blocks. A
 * read-only view; docs/ABI/debugfs-virtio-mem describes it.
 */
#include <linux/debugfs.h>
#include <linux/mmzone.h>
#include <linux/seq_file.h>
#include <linux/virtio.h>

#include "virtio_mem_device.h"
#include "virtio_mem_view.h"

static struct dentry *root;

/* What a line says of a run besides its addresses. */
struct view {
	enum virtio_mem_bb_state state;
	enum virtio_mem_cause cause;
	int zone;
	int online;
};

static const char *const online_names[] = { "-", "offline", "mixed", "online" };

static const char *zone_name_of(int zone)
{
	switch (zone) {
	case -1:
		return "-";
	case -2:
		return "mixed";
	case ZONE_NORMAL:
		return "Normal";
	case ZONE_MOVABLE:
		return "Movable";
	default:
		return "other";
	}
}

static void view_bb(struct virtio_mem *vm, unsigned long id, struct view *v)
{
	unsigned long online;

	memset(v, 0, sizeof(*v));
	v->state = virtio_mem_bbt_state(&vm->bbt, id);
	v->cause = virtio_mem_bbt_cause(&vm->bbt, id);
	v->zone = -1;
	if (v->state != VIRTIO_MEM_BB_ADDED &&
	    v->state != VIRTIO_MEM_BB_FAKE_OFFLINE)
		return;
	online = virtio_mem_mm_online_pages(vm, id, &v->zone);
	v->online = !online ? 1 : online < virtio_mem_bb_pages(vm) ? 2 : 3;
}

static void show_run(struct seq_file *m, struct virtio_mem *vm,
		     unsigned long first, unsigned long nr,
		     const struct view *v)
{
	u64 addr = virtio_mem_bb_addr(vm, first);

	seq_printf(m, "0x%016llx-0x%016llx %lu %s %s %s %s\n", addr,
		   addr + nr * vm->geo.bb_size - 1, nr,
		   virtio_mem_bb_name(v->state), zone_name_of(v->zone),
		   online_names[v->online], virtio_mem_cause_token(v->cause));
}

static int blocks_show(struct seq_file *m, void *unused)
{
	struct virtio_mem *vm = m->private;
	unsigned long id, first = 0;
	struct view run, v;

	mutex_lock(&vm->hotplug_mutex);
	view_bb(vm, 0, &run);
	for (id = 1; id < vm->bbt.nr; id++) {
		view_bb(vm, id, &v);
		if (!memcmp(&v, &run, sizeof(v)))
			continue;
		show_run(m, vm, first, id - first, &run);
		first = id;
		run = v;
	}
	/* Those that the table does not know yet are like the last UNUSED. */
	view_bb(vm, vm->bbt.nr, &v);
	if (vm->bbt.nr && memcmp(&v, &run, sizeof(v))) {
		show_run(m, vm, first, vm->bbt.nr - first, &run);
		first = vm->bbt.nr;
		run = v;
	}
	if (first < vm->geo.nr_bbs)
		show_run(m, vm, first, vm->geo.nr_bbs - first, &run);
	mutex_unlock(&vm->hotplug_mutex);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(blocks);

/**
 * virtio_mem_debugfs_init() - make the driver's directory
 *
 * Context: module init.  Errors are ignored: this is for debugging only.
 */
void virtio_mem_debugfs_init(void)
{
	root = debugfs_create_dir("virtio_mem", NULL);
}

/**
 * virtio_mem_debugfs_exit() - remove it
 *
 * Context: module exit.
 */
void virtio_mem_debugfs_exit(void)
{
	debugfs_remove(root);
}

/**
 * virtio_mem_debugfs_add() - make a device's directory
 * @vm: the device
 *
 * Context: probe.
 */
void virtio_mem_debugfs_add(struct virtio_mem *vm)
{
	vm->debugfs = debugfs_create_dir(vm->name, root);
	debugfs_create_file("blocks", 0400, vm->debugfs, vm, &blocks_fops);
}

/**
 * virtio_mem_debugfs_del() - remove it; no reader is left afterwards
 * @vm: the device
 *
 * Context: remove.
 */
void virtio_mem_debugfs_del(struct virtio_mem *vm)
{
	debugfs_remove(vm->debugfs);
}
