// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hold - holds guest memory in ways that "vmem why" must see through
 *
 *   hold lock|splice|uring|hugetlb|thp|ksm|tables|memfd|secret MIB    until killed
 *   hold direct MIB DEVICE    reads that the device does not finish
 *   hold vfio MIB GROUP       mapped for a device of that IOMMU group, until killed
 *   hold files NUMBER DIR     makes empty files, whose inodes are slab; ends
 *   hold as UID COMMAND...    runs a command as another user
 *
 * Its process is called hold-HOW. "READY" is printed when all is held.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MIB (1UL << 20)
#define PAGE 4096UL

static void die(const char *what)
{
	printf("hold: %s: %s\n", what, strerror(errno));
	exit(1);
}

static char *map(size_t bytes, int flags)
{
	char *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

static void fill(char *mem, size_t bytes)
{
	/* No two pages are equal: nothing shall merge them but who should. */
	for (size_t at = 0; at < bytes; at += PAGE)
		*(uint64_t *)(mem + at) = at + 1;
}

static void do_splice(char *mem, size_t bytes)
{
	struct iovec iov = { mem, bytes };
	int fds[2];

	if (pipe(fds))
		die("pipe");
	if (fcntl(fds[1], F_SETPIPE_SZ, (int)bytes) < 0)
		die("F_SETPIPE_SZ");
	while (iov.iov_len) {
		ssize_t done = vmsplice(fds[1], &iov, 1, SPLICE_F_NONBLOCK);

		if (done <= 0)
			die("vmsplice");
		iov.iov_base = (char *)iov.iov_base + done;
		iov.iov_len -= done;
	}
}

static void do_uring(char *mem, size_t bytes)
{
	struct io_uring_params params = { 0 };
	struct iovec iov = { mem, bytes };
	int fd = syscall(SYS_io_uring_setup, 4, &params);

	if (fd < 0)
		die("io_uring_setup");
	if (syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &iov, 1))
		die("io_uring_register");
}

/* As a hypervisor does with all memory of its guest, for a device that it hands on. */
static void do_vfio(char *mem, size_t bytes, const char *group)
{
	int container = open("/dev/vfio/vfio", O_RDWR), fd = open(group, O_RDWR);
	struct vfio_iommu_type1_dma_map dma = {
		.argsz = sizeof(dma), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)mem, .size = bytes,
	};

	if (container < 0 || fd < 0)
		die(group);
	if (ioctl(fd, VFIO_GROUP_SET_CONTAINER, &container))
		die("VFIO_GROUP_SET_CONTAINER");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU))
		die("VFIO_SET_IOMMU");
	if (ioctl(container, VFIO_IOMMU_MAP_DMA, &dma))
		die("VFIO_IOMMU_MAP_DMA");
}

static void do_direct(char *mem, size_t bytes, const char *device)
{
	int fd = open(device, O_RDONLY | O_DIRECT), nr = bytes / MIB;
	aio_context_t context = 0;

	if (fd < 0)
		die(device);
	if (syscall(SYS_io_setup, nr, &context))
		die("io_setup");
	for (int i = 0; i < nr; i++) {
		struct iocb read = {
			.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = fd,
			.aio_buf = (uintptr_t)(mem + i * MIB), .aio_nbytes = MIB,
			.aio_offset = i * MIB,
		};
		struct iocb *list[1] = { &read };

		if (syscall(SYS_io_submit, context, 1, list) != 1)
			die("io_submit");
	}
}

/* A page of tables maps 2 MiB; what is only read takes no memory else. */
static void do_tables(size_t bytes)
{
	size_t span = bytes / PAGE * 2 * MIB;
	char *mem = map(span, MAP_NORESERVE);

	madvise(mem, span, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < span; at += 2 * MIB)
		__atomic_load_n(&mem[at], __ATOMIC_RELAXED);
}

/* Two processes have the same pages, each one once. */
static void do_ksm(char *mem, size_t bytes)
{
	if (madvise(mem, bytes, MADV_MERGEABLE))
		die("MADV_MERGEABLE");
	/* The child dies with its parent, and writes, so that it has its own. */
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, 9);
		fill(mem, bytes);
		pause();
		_exit(0);
	}
	fill(mem, bytes);
}

static void do_memfd(size_t bytes)
{
	char *mem;
	int fd = memfd_create("held", 0);

	if (fd < 0 || ftruncate(fd, bytes))
		die("memfd");
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		die("mmap");
	fill(mem, bytes);
	munmap(mem, bytes);
}

/* Memory that is not even in the kernel's own map: memfd_secret(). */
static void do_secret(size_t bytes)
{
	int fd = syscall(SYS_memfd_secret, 0);
	char *mem;

	if (fd < 0 || ftruncate(fd, bytes))
		die("memfd_secret");
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		die("mmap");
	fill(mem, bytes);
}

static int do_files(long nr, const char *dir)
{
	char name[200];

	for (long i = 0; i < nr; i++) {
		int fd;

		snprintf(name, sizeof(name), "%s/%ld", dir, i);
		fd = open(name, O_CREAT | O_WRONLY, 0600);
		if (fd < 0)
			die(name);
		close(fd);
	}
	puts("READY");
	return 0;
}

int main(int argc, char **argv)
{
	size_t bytes;
	char *mem, name[16];
	const char *how;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3) {
		puts("usage: hold HOW MIB");
		return 2;
	}
	how = argv[1];
	snprintf(name, sizeof(name), "hold-%s", how);
	prctl(PR_SET_NAME, name);
	if (!strcmp(how, "files"))
		return do_files(atol(argv[2]), argv[3]);
	if (!strcmp(how, "as")) {
		if (setuid(atoi(argv[2])))
			die("setuid");
		execvp(argv[3], argv + 3);
		die(argv[3]);
	}
	bytes = strtoul(argv[2], NULL, 0) * MIB;
	if (!strcmp(how, "tables")) {
		do_tables(bytes);
	} else if (!strcmp(how, "memfd")) {
		do_memfd(bytes);
	} else if (!strcmp(how, "secret")) {
		do_secret(bytes);
	} else {
		mem = map(bytes, !strcmp(how, "hugetlb") ? MAP_HUGETLB : 0);
		if (!strcmp(how, "ksm"))
			madvise(mem, bytes, MADV_NOHUGEPAGE);
		if (!strcmp(how, "thp"))
			madvise(mem, bytes, MADV_HUGEPAGE);
		fill(mem, bytes);
		if (!strcmp(how, "lock") && mlock(mem, bytes))
			die("mlock");
		if (!strcmp(how, "splice"))
			do_splice(mem, bytes);
		if (!strcmp(how, "uring"))
			do_uring(mem, bytes);
		if (!strcmp(how, "direct"))
			do_direct(mem, bytes, argv[3]);
		if (!strcmp(how, "vfio"))
			do_vfio(mem, bytes, argv[3]);
		if (!strcmp(how, "ksm"))
			do_ksm(mem, bytes);
	}
	puts("READY");
	pause();
	return 0;
}
