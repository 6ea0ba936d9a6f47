// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A driver for virtio-mem devices that does nothing by itself, and sends any
 * request on order, right or wrong.  It shows how a device answers, and whether
 * the device notices violations of a driver.  It adds no memory to Linux.
 *
 *   /sys/kernel/debug/virtio_mem_raw/DEVICE/
 *     send    [FLAG...] TYPE ADDR BLOCKS[; ...]: put requests into the queue,
 *             all at once; numbers as in C.  FLAG: short (8 bytes only),
 *             noroom (4 bytes for the answer), pad (padding is not 0).
 *             Read: USED-LENGTH TYPE STATE of each answer, "-" if none came
 *             within a second
 *     poke    ADDR: write to that memory, and to the configuration if "config"
 *     config  read: block_size addr region usable plugged requested
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_mem.h>
#include <linux/wait.h>

#define MAX_REQUESTS	4

static bool early;
module_param(early, bool, 0444);
MODULE_PARM_DESC(early, "Send a request before the device is ready (default: N)");

static bool leave;
module_param(leave, bool, 0444);
MODULE_PARM_DESC(leave, "Leave the queue behind (default: N)");

static bool keep;
module_param(keep, bool, 0444);
MODULE_PARM_DESC(keep, "Don't detach requests that are out at the end (default: N)");

/**
 * struct raw_slot - a request and its answer
 * @req: the request
 * @resp: the answer
 * @done: an answer came
 * @len: bytes of the answer
 */
struct raw_slot {
	struct virtio_mem_req req;
	struct virtio_mem_resp resp;
	bool done;
	unsigned int len;
};

/**
 * struct raw - a device
 * @vdev: the virtio device
 * @vq: its queue
 * @dir: its files
 * @lock: guards @vq and @slot
 * @answered: wait queue that the queue's interrupt wakes
 * @nr: how many requests the driver sent last
 * @slot: these requests
 */
struct raw {
	struct virtio_device *vdev;
	struct virtqueue *vq;
	struct dentry *dir;
	spinlock_t lock;	/* because the queue has none of its own */
	wait_queue_head_t answered;
	unsigned int nr;
	struct raw_slot slot[MAX_REQUESTS];
};

static struct dentry *top;

static void answered(struct virtqueue *vq)
{
	struct raw *r = vq->vdev->priv;

	wake_up(&r->answered);
}

/* Whether every request has its answer. */
static bool collect(struct raw *r)
{
	struct raw_slot *slot;
	unsigned int len, i, nr = 0;

	spin_lock_irq(&r->lock);
	while ((slot = virtqueue_get_buf(r->vq, &len))) {
		slot->done = true;
		slot->len = len;
	}
	for (i = 0; i < r->nr; i++)
		nr += r->slot[i].done;
	spin_unlock_irq(&r->lock);
	return nr == r->nr;
}

static int put(struct raw *r, struct raw_slot *slot, size_t out, size_t in)
{
	struct scatterlist sg_out, sg_in;
	struct scatterlist *sgs[] = { &sg_out, &sg_in };
	int rc;

	sg_init_one(&sg_out, &slot->req, out);
	sg_init_one(&sg_in, &slot->resp, in);
	spin_lock_irq(&r->lock);
	rc = virtqueue_add_sgs(r->vq, sgs, 1, 1, slot, GFP_ATOMIC);
	spin_unlock_irq(&r->lock);
	return rc;
}

/* Makes a request out of its words. */
static int parse(struct raw *r, char *text)
{
	struct raw_slot *slot = &r->slot[r->nr];
	size_t out = sizeof(slot->req), in = sizeof(slot->resp);
	u64 value[3] = { };
	unsigned int n = 0;
	bool pad = false;
	char *word;

	if (r->nr == MAX_REQUESTS)
		return -ENOSPC;
	while ((word = strsep(&text, " "))) {
		if (!*word)
			continue;
		if (!strcmp(word, "short"))
			out = 8;
		else if (!strcmp(word, "noroom"))
			in = 4;
		else if (!strcmp(word, "pad"))
			pad = true;
		else if (n == ARRAY_SIZE(value) || kstrtou64(word, 0, &value[n++]))
			return -EINVAL;
	}
	memset(slot, 0, sizeof(*slot));
	memset(&slot->req, pad ? 0xff : 0, sizeof(slot->req));
	slot->req.type = cpu_to_virtio16(r->vdev, value[0]);
	slot->req.u.plug.addr = cpu_to_virtio64(r->vdev, value[1]);
	slot->req.u.plug.nb_blocks = cpu_to_virtio16(r->vdev, value[2]);
	r->nr++;
	return put(r, slot, out, in);
}

static int send(struct raw *r, char *line)
{
	char *text;
	int rc = 0;

	/* A request that is out still uses its buffers. */
	if (!collect(r))
		return -EBUSY;
	r->nr = 0;
	while (!rc && (text = strsep(&line, ";")))
		rc = parse(r, text);
	if (rc)
		return rc;
	virtqueue_kick(r->vq);
	wait_event_timeout(r->answered, collect(r), HZ);
	return 0;
}

static int send_show(struct seq_file *s, void *unused)
{
	struct raw *r = s->private;
	unsigned int i;

	collect(r);
	for (i = 0; i < r->nr; i++) {
		const struct raw_slot *slot = &r->slot[i];

		if (!slot->done)
			seq_puts(s, "-\n");
		else
			seq_printf(s, "%u %u %u\n", slot->len,
				   virtio16_to_cpu(r->vdev, slot->resp.type),
				   virtio16_to_cpu(r->vdev,
						   slot->resp.u.state.state));
	}
	return 0;
}

static int poke(struct raw *r, char *line)
{
	u64 addr;
	u64 *mem;

	if (!strcmp(line, "config")) {
		virtio_cwrite_le(r->vdev, struct virtio_mem_config,
				 requested_size, &(u64){ 0 });
		return 0;
	}
	if (kstrtou64(line, 0, &addr))
		return -EINVAL;
	mem = memremap(addr, sizeof(*mem), MEMREMAP_WB);
	if (!mem)
		return -ENOMEM;
	*mem = ~0ULL;
	memunmap(mem);
	return 0;
}

static int config_show(struct seq_file *s, void *unused)
{
	struct virtio_mem_config c;
	struct raw *r = s->private;

	virtio_cread_bytes(r->vdev, 0, &c, sizeof(c));
	seq_printf(s, "%llu %llu %llu %llu %llu %llu\n",
		   le64_to_cpu(c.block_size), le64_to_cpu(c.addr),
		   le64_to_cpu(c.region_size), le64_to_cpu(c.usable_region_size),
		   le64_to_cpu(c.plugged_size), le64_to_cpu(c.requested_size));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(config);

static ssize_t write_line(struct raw *r, const char __user *buf, size_t len,
			  int (*order)(struct raw *r, char *line))
{
	char *text = len > 200 ? ERR_PTR(-EINVAL) : memdup_user_nul(buf, len);
	int rc;

	if (IS_ERR(text))
		return PTR_ERR(text);
	rc = order(r, strim(text));
	kfree(text);
	return rc ? rc : len;
}

static ssize_t send_write(struct file *file, const char __user *buf, size_t len,
			  loff_t *pos)
{
	return write_line(file_inode(file)->i_private, buf, len, send);
}

static int send_open(struct inode *inode, struct file *file)
{
	return single_open(file, send_show, inode->i_private);
}

static const struct file_operations send_fops = {
	.owner = THIS_MODULE,
	.open = send_open,
	.read = seq_read,
	.write = send_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static ssize_t poke_write(struct file *file, const char __user *buf, size_t len,
			  loff_t *pos)
{
	return write_line(file_inode(file)->i_private, buf, len, poke);
}

static const struct file_operations poke_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = poke_write,
};

static int raw_probe(struct virtio_device *vdev)
{
	struct raw *r = kzalloc(sizeof(*r), GFP_KERNEL);
	int rc;

	if (!r)
		return -ENOMEM;
	r->vdev = vdev;
	vdev->priv = r;
	spin_lock_init(&r->lock);
	init_waitqueue_head(&r->answered);
	r->vq = virtio_find_single_vq(vdev, answered, "guest-request");
	if (IS_ERR(r->vq)) {
		rc = PTR_ERR(r->vq);
		kfree(r);
		return rc;
	}
	if (early) {
		char line[] = "3 0 1";

		parse(r, line);
		virtqueue_kick(r->vq);
		/* Give the device time to notice. */
		msleep(100);
	}
	virtio_device_ready(vdev);
	r->dir = debugfs_create_dir(dev_name(&vdev->dev), top);
	debugfs_create_file("send", 0600, r->dir, r, &send_fops);
	debugfs_create_file("poke", 0200, r->dir, r, &poke_fops);
	debugfs_create_file("config", 0400, r->dir, r, &config_fops);
	return 0;
}

static void raw_remove(struct virtio_device *vdev)
{
	struct raw *r = vdev->priv;

	debugfs_remove_recursive(r->dir);
	virtio_reset_device(vdev);
	if (!keep)
		while (virtqueue_detach_unused_buf(r->vq))
			;
	if (!leave)
		vdev->config->del_vqs(vdev);
	kfree(r);
}

static const unsigned int features[] = {
	VIRTIO_MEM_F_ACPI_PXM,
	VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE,
};

static const struct virtio_device_id ids[] = {
	{ VIRTIO_ID_MEM, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

static struct virtio_driver raw_driver = {
	.driver.name = KBUILD_MODNAME,
	.driver.owner = THIS_MODULE,
	.feature_table = features,
	.feature_table_size = ARRAY_SIZE(features),
	.id_table = ids,
	.probe = raw_probe,
	.remove = raw_remove,
};

static int __init raw_init(void)
{
	int rc;

	top = debugfs_create_dir(KBUILD_MODNAME, NULL);
	rc = register_virtio_driver(&raw_driver);
	if (rc)
		debugfs_remove(top);
	return rc;
}
module_init(raw_init);

static void __exit raw_exit(void)
{
	unregister_virtio_driver(&raw_driver);
	debugfs_remove(top);
}
module_exit(raw_exit);

MODULE_DESCRIPTION("virtio-mem driver that does what it is told");
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The virtio_mem big block driver maintainers");
