// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The files for orders and for the device's state:
 * /sys/kernel/debug/virtio_mem_mock/N/.  README.md describes each file.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "mock.h"

/**
 * struct mock_file - a file
 * @name: its name
 * @show: prints it, with the lock held; may be NULL
 * @store: takes one line; may be NULL
 * @unlocked: @store is called without the lock
 */
struct mock_file {
	const char *name;
	void (*show)(struct seq_file *s, struct mock *m);
	int (*store)(struct mock *m, char *line);
	bool unlocked;
};

static int parse_bytes(const char *text, u64 *value)
{
	char *end;

	*value = memparse(text, &end);
	return end == text || *end ? -EINVAL : 0;
}

static void requested_show(struct seq_file *s, struct mock *m)
{
	seq_printf(s, "%llu\n", m->requested);
}

static int requested_store(struct mock *m, char *line)
{
	u64 value;
	int rc = parse_bytes(line, &value);

	if (!rc)
		rc = mock_model_request_size(m, value);
	if (!rc)
		mock_transport_changed(m);
	return rc;
}

static int fault_store(struct mock *m, char *line)
{
	if (strcmp(line, "clear"))
		return mock_fault_parse(m, line);
	mock_fault_clear(m);
	return 0;
}

static void config_show(struct seq_file *s, struct mock *m)
{
	const u64 value[MOCK_FIELD_NR] = {
		le64_to_cpu(m->shown.block_size),
		le16_to_cpu(m->shown.node_id),
		le64_to_cpu(m->shown.addr),
		le64_to_cpu(m->shown.region_size),
		le64_to_cpu(m->shown.usable_region_size),
		le64_to_cpu(m->shown.plugged_size),
		le64_to_cpu(m->shown.requested_size),
	};
	unsigned int i;

	for (i = 0; i < MOCK_FIELD_NR; i++)
		seq_printf(s, "%s %llu%s\n", mock_model_fields[i],
			   value[i],
			   m->lying & BIT(i) ? " lie" : "");
}

static int config_one(struct mock *m, char *word)
{
	char *text = strchr(word, '=');
	u64 value;
	int i;

	if (!text)
		return -EINVAL;
	*text++ = 0;
	i = match_string(mock_model_fields, MOCK_FIELD_NR, word);
	if (i < 0 || parse_bytes(text, &value))
		return -EINVAL;
	mock_model_lie(m, i, value);
	return 0;
}

static int config_store(struct mock *m, char *line)
{
	char *word;
	int rc = 0;

	if (!strcmp(line, "truth"))
		mock_model_truth(m);
	else
		while (!rc && (word = strsep(&line, " ")))
			rc = config_one(m, word);
	mock_transport_changed(m);
	return rc;
}

static int usable_store(struct mock *m, char *line)
{
	u64 value;
	int rc = parse_bytes(line, &value);

	if (rc)
		return rc;
	mock_model_set_usable(m, value);
	mock_transport_changed(m);
	return 0;
}

static void device_show(struct seq_file *s, struct mock *m)
{
	seq_printf(s, "%s status 0x%x queue %s\n",
		   !m->vdev ? "absent" : m->gone ? "gone" : "present",
		   READ_ONCE(m->status),
		   !m->vq ? "none" : m->dead ? "dead" : "served");
}

static void name_show(struct seq_file *s, struct mock *m)
{
	if (m->vdev)
		seq_printf(s, "%s\n", dev_name(&m->vdev->dev));
}

static int break_it(struct mock *m)
{
	mutex_lock(&m->lock);
	if (m->vdev) {
		m->dead = true;
		virtio_break_device(m->vdev);
	}
	mutex_unlock(&m->lock);
	return 0;
}

static int system_reset(struct mock *m)
{
	int rc = -EBUSY;

	mutex_lock(&m->register_lock);
	mutex_lock(&m->lock);
	if (!m->vq)
		rc = mock_model_system_reset(m);
	mutex_unlock(&m->lock);
	mutex_unlock(&m->register_lock);
	return rc;
}

static int device_store(struct mock *m, char *line)
{
	if (!strcmp(line, "add"))
		return mock_transport_add(m);
	if (!strcmp(line, "remove"))
		return mock_transport_remove(m, false);
	if (!strcmp(line, "surprise"))
		return mock_transport_remove(m, true);
	if (!strcmp(line, "break"))
		return break_it(m);
	if (!strcmp(line, "system_reset"))
		return system_reset(m);
	return -EINVAL;
}

static void sleep_show(struct seq_file *s, struct mock *m)
{
	seq_printf(s, "frozen %llu restored %llu refused %llu wake %d\n",
		   m->frozen, m->restored, m->refused, m->wake_ms);
}

/* Suspends the device as code does that asks no notifiers before. */
static int sleep_now(struct mock *m, int (*what)(struct mock *m))
{
	int rc;

	mutex_lock(&m->register_lock);
	rc = what(m);
	mutex_unlock(&m->register_lock);
	return rc;
}

static int sleep_store(struct mock *m, char *line)
{
	if (!strcmp(line, "freeze"))
		return sleep_now(m, mock_sleep_freeze);
	if (!strcmp(line, "restore"))
		return sleep_now(m, mock_sleep_restore);
	if (strncmp(line, "wake=", 5))
		return -EINVAL;
	return kstrtoint(line + 5, 0, &m->wake_ms);
}

static void pending_show(struct seq_file *s, struct mock *m)
{
	seq_printf(s, "%u\n", mock_ring_pending(m));
}

static int release_store(struct mock *m, char *line)
{
	mock_ring_release(m);
	return 0;
}

static int violations_store(struct mock *m, char *line)
{
	mock_record_clear_violations(m);
	return 0;
}

static int log_store(struct mock *m, char *line)
{
	mock_record_clear_log(m);
	return 0;
}

static void plugged_show(struct seq_file *s, struct mock *m)
{
	unsigned long nr = mock_model_blocks(m), first = 0, end;

	for (;; first = end) {
		first = find_next_bit(m->bitmap, nr, first);
		if (first >= nr)
			break;
		end = find_next_zero_bit(m->bitmap, nr, first);
		seq_printf(s, "0x%llx-0x%llx\n",
			   m->addr + first * m->block_size,
			   m->addr + end * m->block_size - 1);
	}
}

static int plugged_store(struct mock *m, char *line)
{
	char *text = strsep(&line, " ");
	u64 from, len;

	if (!line || parse_bytes(text, &from) || parse_bytes(line, &len))
		return -EINVAL;
	return mock_model_leave(m, from, len);
}

static const struct mock_file files[] = {
	{ "requested", requested_show, requested_store },
	{ "usable", NULL, usable_store },
	{ "config", config_show, config_store },
	{ "fault", mock_fault_show, fault_store },
	{ "pending", pending_show, release_store },
	{ "device", device_show, device_store, true },
	{ "sleep", sleep_show, sleep_store, true },
	{ "name", name_show },
	{ "plugged", plugged_show, plugged_store },
	{ "violations", mock_record_violations, violations_store },
	{ "counters", mock_record_counters },
	{ "log", mock_record_log, log_store },
};

/**
 * struct mock_handle - a file of a device
 * @file: which file
 * @m: of which device
 */
struct mock_handle {
	const struct mock_file *file;
	struct mock *m;
};

static struct mock_handle handles[MOCK_MAX_DEVICES][ARRAY_SIZE(files)];
static struct dentry *top;

static int show(struct seq_file *s, void *unused)
{
	const struct mock_handle *h = s->private;

	if (!h->file->show)
		return -EACCES;
	mutex_lock(&h->m->lock);
	h->file->show(s, h->m);
	mutex_unlock(&h->m->lock);
	return 0;
}

static int open(struct inode *inode, struct file *opened)
{
	return single_open(opened, show, inode->i_private);
}

static ssize_t write(struct file *opened, const char __user *buf, size_t len,
		     loff_t *pos)
{
	const struct mock_handle *h = file_inode(opened)->i_private;
	const struct mock_file *file = h->file;
	char *text;
	int rc;

	if (!file->store)
		return -EACCES;
	if (len > 200)
		return -EINVAL;
	text = memdup_user_nul(buf, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	if (!file->unlocked)
		mutex_lock(&h->m->lock);
	rc = file->store(h->m, strim(text));
	if (!file->unlocked)
		mutex_unlock(&h->m->lock);
	kfree(text);
	return rc ? rc : len;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = open,
	.read = seq_read,
	.write = write,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * mock_debugfs_init() - make the directory
 */
void mock_debugfs_init(void)
{
	top = debugfs_create_dir(MOCK_NAME, NULL);
}

/**
 * mock_debugfs_add() - make a device's files
 * @m: the device
 */
void mock_debugfs_add(struct mock *m)
{
	struct mock_handle *h = handles[m->index];
	struct dentry *dir;
	char name[12];
	unsigned int i;

	snprintf(name, sizeof(name), "%u", m->index);
	dir = debugfs_create_dir(name, top);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		h[i].file = &files[i];
		h[i].m = m;
		debugfs_create_file(files[i].name,
				    (files[i].show ? 0400 : 0) |
				    (files[i].store ? 0200 : 0), dir, &h[i],
				    &fops);
	}
}

/**
 * mock_debugfs_exit() - remove all files, and wait for orders under way
 */
void mock_debugfs_exit(void)
{
	debugfs_remove_recursive(top);
}
