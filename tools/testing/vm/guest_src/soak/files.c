// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Actors that use the page cache: a file in a tmpfs, and one on ext4, which is
 * also written to its disk, evicted, and read back; there a large file of holes
 * fills whatever memory is free.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "soak.h"

#define FILE_PAGES	2048UL
#define DISK		"/disk"
/* Of holes: read, it takes memory, but no time of the disk's. */
#define SPARSE_NAME	DISK "/soak.sparse"
#define SPARSE_PAGES	(512UL * 1024)
#define SPARSE_CHUNK	16UL
/* Read at a time, in such chunks. */
#define SPARSE_CHUNKS	1024UL

struct contents {
	const char *path;
	int fd;
	uint16_t gen[FILE_PAGES];	/* 0: a hole */
};

static struct contents tmpfs = { "/tmp/soak.file", -1, { } };
static struct contents ext4 = { DISK "/soak.file", -1, { } };

static void page_of(struct contents *c, size_t page)
{
	static const char zero[PAGE];
	static char buf[PAGE];

	if (pread(c->fd, buf, PAGE, page * PAGE) != (ssize_t)PAGE)
		bad("reading page %zu: %s", page, strerror(errno));
	if (c->gen[page])
		page_check(buf, page, c->gen[page], "file");
	else if (memcmp(buf, zero, PAGE))
		bad("file: page %zu is a hole, but has data", page);
}

static void check_all(struct contents *c)
{
	for (size_t i = 0; i < FILE_PAGES; i++)
		page_of(c, i);
}

static void open_new(struct contents *c)
{
	c->fd = open(c->path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (c->fd < 0 || ftruncate(c->fd, FILE_PAGES * PAGE))
		bad("%s: %s", c->path, strerror(errno));
}

static enum outcome write_pages(struct contents *c, size_t first, size_t nr,
				uint16_t gen)
{
	static char buf[PAGE];

	for (size_t i = first; i < first + nr; i++) {
		page_fill(buf, i, gen);
		if (pwrite(c->fd, buf, PAGE, i * PAGE) != (ssize_t)PAGE)
			return refuse(errno);
		c->gen[i] = gen;
	}
	return DONE;
}

/* Through a mapping: pages that others map can't go by the same path. */
static enum outcome map_pages(struct contents *c, size_t first, size_t nr,
			      uint16_t gen)
{
	unsigned char *mem = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE,
				  MAP_SHARED, c->fd, first * PAGE);

	if (mem == MAP_FAILED)
		return refuse(errno);
	for (size_t i = 0; i < nr; i++) {
		page_fill(mem + i * PAGE, first + i, gen);
		c->gen[first + i] = gen;
	}
	nap(20);
	for (size_t i = 0; i < nr; i++)
		page_check(mem + i * PAGE, first + i, gen, "mapped file");
	munmap(mem, nr * PAGE);
	return DONE;
}

static enum outcome punch(struct contents *c, size_t first, size_t nr)
{
	if (fallocate(c->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      first * PAGE, nr * PAGE))
		return refuse(errno);
	memset(&c->gen[first], 0, nr * sizeof(c->gen[0]));
	return DONE;
}

static enum outcome file_op(struct draws *d)
{
	unsigned int what = draw(d, 5);
	size_t first = draw(d, FILE_PAGES);
	size_t nr = 1 + draw(d, FILE_PAGES - first);
	uint16_t gen = 1 + draw(d, 65535);

	if (tmpfs.fd < 0)
		open_new(&tmpfs);
	if (what < 2 && !room(nr * PAGE, FLOOR))
		return skip("memory");
	if (what == 0)
		return write_pages(&tmpfs, first, nr, gen);
	if (what == 1)
		return map_pages(&tmpfs, first, nr, gen);
	if (what == 2)
		return punch(&tmpfs, first, nr);
	for (size_t i = first; i < first + nr; i++)
		page_of(&tmpfs, i);
	return DONE;
}

static void file_end(void)
{
	if (tmpfs.fd < 0)
		return;
	check_all(&tmpfs);
	close(tmpfs.fd);
	unlink(tmpfs.path);
}

const struct actor actor_file = { "file", file_op, file_end, 80 };

/*
 * ext4.
 */
static int sparse = -1;

/* Where there is no disk, the directory is one of the root's, or isn't there. */
static bool mounted(void)
{
	struct stat root, disk;

	return !stat("/", &root) && !stat(DISK, &disk) &&
	       root.st_dev != disk.st_dev;
}

static void open_sparse(void)
{
	sparse = open(SPARSE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (sparse < 0 || ftruncate(sparse, SPARSE_PAGES * PAGE))
		bad("%s: %s", SPARSE_NAME, strerror(errno));
}

/* Clean page cache; it is available memory, so there is no floor to respect. */
static enum outcome read_sparse(struct draws *d)
{
	static char buf[SPARSE_CHUNK * PAGE];
	size_t chunks = 1 + draw(d, SPARSE_CHUNKS);
	size_t first = draw(d, SPARSE_PAGES - chunks * SPARSE_CHUNK);

	for (size_t i = 0; i < chunks && !stopping(); i++) {
		if (pread(sparse, buf, sizeof(buf),
			  (first + i * SPARSE_CHUNK) * PAGE) !=
		    (ssize_t)sizeof(buf))
			return refuse(errno);
		for (size_t at = 0; at < sizeof(buf); at += PAGE / 4)
			if (buf[at])
				bad("data in the hole at page %zu",
				    first + i * SPARSE_CHUNK + at / PAGE);
	}
	return DONE;
}

/* To the disk, out of memory as far as nobody uses it, and in again. */
static enum outcome evict(struct contents *c, size_t first, size_t nr)
{
	if (fsync(c->fd))
		return refuse(errno);
	posix_fadvise(c->fd, first * PAGE, nr * PAGE, POSIX_FADV_DONTNEED);
	for (size_t i = first; i < first + nr; i++)
		page_of(c, i);
	return DONE;
}

static enum outcome shorten(struct contents *c, size_t pages)
{
	if (ftruncate(c->fd, pages * PAGE))
		return refuse(errno);
	memset(&c->gen[pages], 0, (FILE_PAGES - pages) * sizeof(c->gen[0]));
	return ftruncate(c->fd, FILE_PAGES * PAGE) ? refuse(errno) : DONE;
}

static enum outcome disk_op(struct draws *d)
{
	unsigned int what = draw(d, 12);
	size_t first = draw(d, FILE_PAGES);
	size_t nr = 1 + draw(d, FILE_PAGES - first);
	uint16_t gen = 1 + draw(d, 65535);
	int rc;

	if (ext4.fd < 0) {
		if (!mounted())
			return skip("no disk");
		open_new(&ext4);
		open_sparse();
	}
	/* Dirty pages are not available until they are written. */
	if (what < 4 && !room(nr * PAGE, FLOOR))
		return skip("memory");
	switch (what) {
	case 0:
	case 1:
		doing("write");
		return write_pages(&ext4, first, nr, gen);
	case 2:
	case 3:
		doing("map");
		return map_pages(&ext4, first, nr, gen);
	case 4:
		doing("punch");
		return punch(&ext4, first, nr);
	case 5:
		doing("truncate");
		return shorten(&ext4, first);
	case 6:
		doing("fsync");
		return fsync(ext4.fd) ? refuse(errno) : DONE;
	case 7:
		doing("evict");
		return evict(&ext4, first, nr);
	case 8:
		doing("drop_caches");
		rc = put("/proc/sys/vm/drop_caches", "1");
		return rc ? refuse(rc) : DONE;
	case 9:
	case 10:
		doing("read holes");
		return read_sparse(d);
	}
	doing("check");
	for (size_t i = first; i < first + nr; i++)
		page_of(&ext4, i);
	return DONE;
}

static void disk_end(void)
{
	if (ext4.fd < 0)
		return;
	check_all(&ext4);
	evict(&ext4, 0, FILE_PAGES);
	close(ext4.fd);
	close(sparse);
	unlink(ext4.path);
	unlink(SPARSE_NAME);
}

const struct actor actor_disk = { "disk", disk_op, disk_end, 80 };
