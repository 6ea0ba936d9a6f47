// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module, and its files: /sys/kernel/debug/virtio_mem_fault/.
 *
 * Makes the kernel's own functions fail on order, and takes a census of pages.
 * The module knows nothing of any driver.  README.md says how to use it.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "fault.h"

#define MAX_LINE	600

static struct dentry *dir;

static ssize_t take_line(const char __user *buf, size_t len,
			 int (*order)(char *line))
{
	char *text;
	int rc;

	if (len > MAX_LINE)
		return -EINVAL;
	text = memdup_user_nul(buf, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	rc = order(strim(text));
	kfree(text);
	return rc ? rc : len;
}

static ssize_t points_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	return take_line(buf, len, fault_order);
}

static int points_show(struct seq_file *s, void *unused)
{
	fault_order_show(s);
	return 0;
}

static int points_open(struct inode *inode, struct file *file)
{
	return single_open(file, points_show, NULL);
}

static const struct file_operations points_fops = {
	.owner = THIS_MODULE,
	.open = points_open,
	.read = seq_read,
	.write = points_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static ssize_t census_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	return take_line(buf, len, fault_census_range);
}

static int census_show(struct seq_file *s, void *unused)
{
	return fault_census_show(s);
}

static int census_open(struct inode *inode, struct file *file)
{
	return single_open(file, census_show, NULL);
}

static const struct file_operations census_fops = {
	.owner = THIS_MODULE,
	.open = census_open,
	.read = seq_read,
	.write = census_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init fault_init(void)
{
	int rc = fault_census_init();

	if (rc)
		return rc;
	dir = debugfs_create_dir(FAULT_NAME, NULL);
	debugfs_create_file("points", 0600, dir, NULL, &points_fops);
	debugfs_create_file("census", 0600, dir, NULL, &census_fops);
	return 0;
}
module_init(fault_init);

static void __exit fault_exit(void)
{
	debugfs_remove_recursive(dir);
	fault_order_clear();
	fault_census_exit();
	/* Wait, as a task may just return from an overridden function. */
	synchronize_rcu_tasks();
}
module_exit(fault_exit);

MODULE_DESCRIPTION("Faults in the kernel's functions on order, and a census of pages");
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The virtio_mem big block driver maintainers");
