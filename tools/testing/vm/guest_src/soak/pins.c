// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Actors that hold pages which then can't be migrated: pages in a pipe, buffers
 * registered with io_uring, buffers of direct I/O.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "soak.h"

/*
 * vmsplice: the pipe has a reference to each page, of which migration knows
 * nothing.
 */
#define PIPE_PAGES	16UL

static uint16_t generation;

static bool new_area(struct area *a, size_t pages)
{
	if (!area_map(a, pages, 0))
		return false;
	a->gen = generation++;
	area_fill(a);
	return true;
}

static void drain(int fd, const struct area *a)
{
	static unsigned char buf[PIPE_PAGES * PAGE];
	size_t have = 0;
	ssize_t n;

	while (have < a->pages * PAGE) {
		n = read(fd, buf + have, a->pages * PAGE - have);
		if (n <= 0 && errno != EINTR)
			bad("reading the pipe: %zd, %s", n, strerror(errno));
		have += n > 0 ? n : 0;
	}
	for (size_t i = 0; i < a->pages; i++)
		page_check(buf + i * PAGE, i, a->gen, "out of the pipe");
}

static enum outcome pipe_op(struct draws *d)
{
	size_t pages = 1 + draw(d, PIPE_PAGES);
	unsigned int hold = draw(d, 400);
	struct area a = { };
	struct iovec iov;
	int fd[2], rc = 0;

	if (!room(pages * PAGE, FLOOR))
		return skip("memory");
	if (!new_area(&a, pages))
		return refuse(errno);
	if (pipe(fd))
		bad("pipe: %s", strerror(errno));
	iov = (struct iovec){ a.mem, pages * PAGE };
	if (vmsplice(fd[1], &iov, 1, 0) == (ssize_t)(pages * PAGE)) {
		nap(hold);
		drain(fd[0], &a);
	} else {
		rc = errno ? errno : EAGAIN;
	}
	area_check(&a, "page in a pipe");
	close(fd[0]);
	close(fd[1]);
	area_free(&a);
	return rc ? refuse(rc) : DONE;
}

const struct actor actor_pipe = { "pipe", pipe_op, NULL, 60 };

/*
 * io_uring's registered buffers are pinned for long: out of ZONE_MOVABLE first.
 */
static enum outcome uring_op(struct draws *d)
{
	size_t pages = 1 + draw(d, 512);
	unsigned int hold = draw(d, 800);
	struct io_uring_params params = { };
	struct area a = { };
	struct iovec iov;
	int fd, rc = 0;

	if (!room(2 * pages * PAGE, FLOOR))
		return skip("memory");
	put("/proc/sys/kernel/io_uring_disabled", "0");
	fd = syscall(SYS_io_uring_setup, 2, &params);
	if (fd < 0)
		return errno == ENOMEM ? refuse(errno) : skip("no io_uring");
	if (!new_area(&a, pages)) {
		close(fd);
		return refuse(errno);
	}
	iov = (struct iovec){ a.mem, pages * PAGE };
	if (syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &iov,
		    1))
		rc = errno;
	else
		nap(hold);
	area_check(&a, "registered buffer");
	close(fd);
	area_check(&a, "buffer that was registered");
	area_free(&a);
	return rc ? refuse(rc) : DONE;
}

const struct actor actor_uring = { "uring", uring_op, NULL, 60 };

/*
 * Direct I/O: written from one buffer, read back into another.
 */
#define DISK		"/dev/ram0"
#define DISK_PAGES	2048UL
#define DIRECT_PAGES	64UL

static enum outcome direct_op(struct draws *d)
{
	size_t pages = 1 + draw(d, DIRECT_PAGES);
	off_t where = draw(d, DISK_PAGES - pages) * PAGE;
	size_t size = pages * PAGE;
	struct area out = { }, in = { };
	enum outcome outcome = DONE;
	static int fd = -1;

	if (fd < 0)
		fd = open(DISK, O_RDWR | O_DIRECT);
	if (fd < 0)
		return skip("no " DISK);
	if (!room(2 * pages * PAGE, FLOOR))
		return skip("memory");
	if (!new_area(&out, pages))
		return refuse(errno);
	if (!area_map(&in, pages, 0)) {
		area_free(&out);
		return refuse(errno);
	}
	in.gen = out.gen;
	if (pwrite(fd, out.mem, size, where) != (ssize_t)size ||
	    pread(fd, in.mem, size, where) != (ssize_t)size)
		outcome = refuse(errno);
	else
		area_check(&in, "read directly");
	area_check(&out, "written directly");
	area_free(&in);
	area_free(&out);
	return outcome;
}

const struct actor actor_direct = { "direct", direct_op, NULL, 40 };
