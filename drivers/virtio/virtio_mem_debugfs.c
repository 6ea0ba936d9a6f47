// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * debugfs: virtio_mem/<device>/blocks has one line for each run of equal big
 * blocks, and details has one line for each plugged big block.  Who has hold open
 * may look at pages, because none leave Linux meanwhile.  All are read-only;
 * docs/ABI/debugfs-virtio-mem describes them.  A reader takes hotplug_mutex for
 * each big block anew, so that a large device holds up nobody.
 */
#include <linux/debugfs.h>
#include <linux/ktime.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/virtio.h>

#include "virtio_mem_device.h"
#include "virtio_mem_scan.h"
#include "virtio_mem_view.h"

static struct dentry *root;

/* All that a line says of a run besides its addresses. */
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
	mutex_lock(&vm->hotplug_mutex);
	v->state = virtio_mem_bbt_state(&vm->bbt, id);
	v->cause = virtio_mem_bbt_cause(&vm->bbt, id);
	v->zone = -1;
	if (v->state == VIRTIO_MEM_BB_ADDED ||
	    v->state == VIRTIO_MEM_BB_FAKE_OFFLINE) {
		online = virtio_mem_mm_online_pages(vm, id, &v->zone);
		v->online = !online ? 1 :
			    online < virtio_mem_bb_pages(vm) ? 2 : 3;
	}
	mutex_unlock(&vm->hotplug_mutex);
}

/* Counts equal big blocks from @first on; those beyond the table are UNUSED. */
static unsigned long run_from(struct virtio_mem *vm, unsigned long first,
			      struct view *run)
{
	unsigned long known = READ_ONCE(vm->bbt.nr), id;
	struct view v;

	view_bb(vm, first, run);
	for (id = first + 1; id < vm->geo.nr_bbs; id++) {
		if (id > known && first >= known)
			return vm->geo.nr_bbs - first;
		view_bb(vm, id, &v);
		if (memcmp(&v, run, sizeof(v)))
			break;
		cond_resched();
	}
	return id - first;
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

static void *seq_start(struct seq_file *m, loff_t *pos)
{
	struct virtio_mem *vm = m->private;

	return *pos < vm->geo.nr_bbs ? pos : NULL;
}

static void seq_stop(struct seq_file *m, void *at)
{
}

/* A reader of blocks: where the run ends that it was shown last. */
struct blocks_reader {
	struct virtio_mem *vm;
	unsigned long end;
};

static void *blocks_start(struct seq_file *m, loff_t *pos)
{
	struct blocks_reader *reader = m->private;

	return *pos < reader->vm->geo.nr_bbs ? pos : NULL;
}

static int blocks_show(struct seq_file *m, void *at)
{
	struct blocks_reader *reader = m->private;
	unsigned long first = *(loff_t *)at;
	struct view run;
	unsigned long nr = run_from(reader->vm, first, &run);

	show_run(m, reader->vm, first, nr, &run);
	reader->end = first + nr;
	return 0;
}

/* Does not count again, because the run may have changed since its line. */
static void *blocks_next(struct seq_file *m, void *at, loff_t *pos)
{
	struct blocks_reader *reader = m->private;

	*pos = reader->end;
	return blocks_start(m, pos);
}

static const struct seq_operations blocks_ops = {
	.start = blocks_start,
	.next = blocks_next,
	.stop = seq_stop,
	.show = blocks_show,
};

static int blocks_open(struct inode *inode, struct file *file)
{
	struct blocks_reader *reader;

	reader = __seq_open_private(file, &blocks_ops, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->vm = inode->i_private;
	return 0;
}

static const struct file_operations blocks_fops = {
	.owner = THIS_MODULE,
	.open = blocks_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

static void show_way(struct seq_file *m, const struct virtio_mem_score *score)
{
	if (score->stuck_pages)
		seq_printf(m, " 0x%llx %s", (u64)PFN_PHYS(score->stuck_pfn),
			   virtio_mem_cause_token(score->stuck_cause));
	else if (score->held_pages)
		seq_printf(m, " 0x%llx %s", (u64)PFN_PHYS(score->held_pfn),
			   virtio_mem_cause_token(VIRTIO_MEM_CAUSE_PINNED));
	else
		seq_puts(m, " - -");
}

static void show_trials(struct seq_file *m, struct virtio_mem *vm,
			unsigned long id)
{
	struct virtio_mem_trials trials;

	if (virtio_mem_held_peek(vm, id, &trials))
		seq_printf(m, " %u %s %llu\n", trials.nr,
			   virtio_mem_cause_token(trials.cause),
			   ktime_to_ms(ktime_get()) - trials.when_ms);
	else
		seq_puts(m, " 0 - -\n");
}

static int details_seq_show(struct seq_file *m, void *at)
{
	struct virtio_mem *vm = m->private;
	unsigned long id = *(loff_t *)at;
	u64 addr = virtio_mem_bb_addr(vm, id);
	struct virtio_mem_score score;
	struct view v;

	view_bb(vm, id, &v);
	if (v.state == VIRTIO_MEM_BB_UNUSED)
		return SEQ_SKIP;
	memset(&score, 0, sizeof(score));
	if (v.online > 1)
		virtio_mem_scan_bb(vm, id, &score);
	seq_printf(m, "0x%016llx-0x%016llx %s %s %lu %lu %lu %lu %lu %lu",
		   addr, addr + vm->geo.bb_size - 1,
		   virtio_mem_bb_name(v.state), zone_name_of(v.zone),
		   score.online_pages, score.free_pages, score.used_pages,
		   score.held_pages, score.busy_pages, score.stuck_pages);
	show_way(m, &score);
	show_trials(m, vm, id);
	return 0;
}

static void *details_seq_next(struct seq_file *m, void *at, loff_t *pos)
{
	++*pos;
	return seq_start(m, pos);
}

static const struct seq_operations details_sops = {
	.start = seq_start,
	.next = details_seq_next,
	.stop = seq_stop,
	.show = details_seq_show,
};
DEFINE_SEQ_ATTRIBUTE(details);

static int hold_open(struct inode *inode, struct file *file)
{
	struct virtio_mem *vm = inode->i_private;
	unsigned long round;
	int rc = virtio_mem_hold_begin(&vm->hold, &round);

	if (rc)
		return rc;
	/* The file may be open for longer than the device exists. */
	kref_get(&vm->ref);
	file->private_data = (void *)round;
	return 0;
}

static int hold_release(struct inode *inode, struct file *file)
{
	struct virtio_mem *vm = inode->i_private;

	virtio_mem_hold_end(&vm->hold, (unsigned long)file->private_data);
	virtio_mem_put(vm);
	return 0;
}

static const struct file_operations hold_fops = {
	.owner = THIS_MODULE,
	.open = hold_open,
	.release = hold_release,
};

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
 * virtio_mem_debugfs_exit() - remove the driver's directory
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
	debugfs_create_file("details", 0400, vm->debugfs, vm, &details_fops);
	debugfs_create_file("hold", 0400, vm->debugfs, vm, &hold_fops);
}

/**
 * virtio_mem_debugfs_del() - remove a device's directory and wait for readers
 * @vm: the device, after virtio_mem_hold_close()
 *
 * Context: remove, or the worker of a device that was removed; may sleep.
 */
void virtio_mem_debugfs_del(struct virtio_mem *vm)
{
	debugfs_remove(vm->debugfs);
}
