// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * occupy - fills memory in the patterns that the bench shrinks
 *
 *   occupy spread BYTES KEEP CHUNK SEED
 *          use BYTES, then free random CHUNKs of it until KEEP are left
 *   occupy pins START END STEP SPAN
 *          pin one page in the first SPAN of every STEP of a physical range,
 *          and use no other memory in the end
 *   occupy slab FREE KEEP
 *          fill ZONE_NORMAL with slab objects (messages in queues) until FREE
 *          pages of it are left, then free all but every KEEP-th queue
 *
 * spread and pins print READY and hold on until killed; slab ends, its queues
 * stay.  Numbers in C notation, sizes in bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23	/* since Linux 5.14 */
#endif
#define PAGE 4096UL
#define CHUNK 512UL		/* pages, of a huge page */
#define SPLIT "/sys/kernel/debug/split_huge_pages"
#define PM_PRESENT (1ULL << 63)
#define PM_PFN ((1ULL << 55) - 1)
/* A message and its header just fill a slab object of 4096 bytes. */
#define MESSAGE 4000
#define MESSAGES 100
#define QUEUES 30000

static void die(const char *what)
{
	printf("occupy: %s: %s\n", what, strerror(errno));
	exit(1);
}

static char *map(size_t bytes, bool small)
{
	char *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	madvise(mem, bytes, small ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
	return mem;
}

/*
 * Under emulation a fault a page takes several times as long.  A page that has
 * only zeros is dropped if its huge page is split.
 */
static void touch(char *mem, size_t bytes)
{
	if (madvise(mem, bytes, MADV_POPULATE_WRITE))
		die("populate");
	for (size_t off = 0; off < bytes; off += PAGE)
		mem[off] = 1;
}

/* xorshift64: the same seed frees the same chunks under both drivers. */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void do_spread(size_t bytes, size_t keep, size_t chunk, uint64_t seed)
{
	char *mem = map(bytes, chunk < 2 << 20);
	size_t nr = bytes / chunk, *order = malloc(nr * sizeof(*order));

	if (!order)
		die("malloc");
	touch(mem, bytes);
	for (size_t i = 0; i < nr; i++)
		order[i] = i;
	for (size_t i = nr; i > keep / chunk; i--) {
		size_t pick = draw(&seed) % i, victim = order[pick];

		order[pick] = order[i - 1];
		if (madvise(mem + victim * chunk, chunk, MADV_DONTNEED))
			die("madvise");
	}
	free(order);
}

/* The physical addresses of some pages; 0 of one that isn't there. */
static void addrs_of(int pagemap, const void *mem, uint64_t *addr, size_t nr)
{
	ssize_t bytes = nr * sizeof(*addr);

	if (pread(pagemap, addr, bytes,
		  (uintptr_t)mem / PAGE * sizeof(*addr)) != bytes)
		die("pagemap");
	for (size_t i = 0; i < nr; i++)
		addr[i] = addr[i] & PM_PRESENT ? (addr[i] & PM_PFN) * PAGE : 0;
}

/* A page in a pipe has a reference that migration can't explain. */
static void pin(char *page)
{
	struct iovec iov = { page, PAGE };
	int pipefd[2];

	if (pipe(pipefd) || vmsplice(pipefd[1], &iov, 1, 0) != (ssize_t)PAGE)
		die("vmsplice");
}

struct pins {
	int pagemap;
	uint64_t start, end, step, span;
	size_t have;
	bool *held;		/* of each step */
};

/* Make small pages of a huge page, lest all of it is pinned with one of them. */
static void split(const char *mem)
{
	int fd = open(SPLIT, O_WRONLY);
	char line[100];
	int len = snprintf(line, sizeof(line), "%d,%#lx,%#lx", getpid(),
			   (unsigned long)mem, (unsigned long)(mem + CHUNK * PAGE));

	if (fd < 0 || write(fd, line, len) != len)
		die(SPLIT);
	close(fd);
}

/* Pin those of a huge page's, or of so many small ones, that are wanted. */
static void pin_some(struct pins *p, char *mem)
{
	uint64_t addr[CHUNK], now;

	addrs_of(p->pagemap, mem, addr, CHUNK);
	for (size_t i = 0; i < CHUNK; i++) {
		uint64_t off = addr[i] - p->start;

		if (addr[i] < p->start || addr[i] >= p->end ||
		    off % p->step >= p->span || p->held[off / p->step])
			continue;
		split(mem);
		pin(mem + i * PAGE);
		/* It may have moved between the look and the pin. */
		addrs_of(p->pagemap, mem + i * PAGE, &now, 1);
		if (now != addr[i])
			continue;
		p->held[off / p->step] = true;
		p->have++;
	}
}

static void do_pins(uint64_t start, uint64_t end, uint64_t step, uint64_t span)
{
	const size_t most = 256UL << 30;
	size_t want = (end - start + step - 1) / step;
	char *mem = map(most, false);
	struct pins p = {
		.pagemap = open("/proc/self/pagemap", O_RDONLY),
		.start = start, .end = end, .step = step, .span = span,
		.held = calloc(want, sizeof(bool)),
	};

	if (p.pagemap < 0)
		die("/proc/self/pagemap");
	/* Not all kernels give an aligned range by themselves. */
	for (size_t off = -(uintptr_t)mem % (CHUNK * PAGE); p.have < want;
	     off += CHUNK * PAGE) {
		touch(mem + off, CHUNK * PAGE);
		pin_some(&p, mem + off);
	}
	/* The pinned pages stay the pipe's. */
	munmap(mem, most);
}

/* Free pages of ZONE_NORMAL. */
static unsigned long normal_free(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	unsigned long pages = 0;
	char line[200];
	bool here = false;

	if (!f)
		die("/proc/zoneinfo");
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "Node", 4))
			here = strstr(line, "Normal");
		else if (here && sscanf(line, " pages free %lu", &pages) == 1)
			break;
	}
	fclose(f);
	return pages;
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(path);
	close(fd);
}

static int new_queue(void)
{
	static struct { long type; char text[MESSAGE]; } message = { .type = 1 };
	int id = msgget(IPC_PRIVATE, 0600);

	if (id < 0)
		die("msgget");
	for (int i = 0; i < MESSAGES; i++)
		if (msgsnd(id, &message, MESSAGE, IPC_NOWAIT))
			die("msgsnd");
	return id;
}

static void do_slab(unsigned long least, int keep)
{
	static int queue[QUEUES];
	int nr = 0;

	set("/proc/sys/kernel/msgmax", "4096");
	set("/proc/sys/kernel/msgmnb", "1000000");
	set("/proc/sys/kernel/msgmni", "32000");
	while (nr < QUEUES && normal_free() > least)
		queue[nr++] = new_queue();
	for (int i = 0; i < nr; i++)
		if (i % keep)
			msgctl(queue[i], IPC_RMID, NULL);
	printf("%d of %d queues kept\n", (nr + keep - 1) / keep, nr);
}

int main(int argc, char **argv)
{
	uint64_t nr[4] = { 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < 4 && i + 2 < argc; i++)
		nr[i] = strtoull(argv[i + 2], NULL, 0);
	if (argc == 6 && !strcmp(argv[1], "spread")) {
		do_spread(nr[0], nr[1], nr[2], nr[3]);
	} else if (argc == 6 && !strcmp(argv[1], "pins")) {
		do_pins(nr[0], nr[1], nr[2], nr[3]);
	} else if (argc == 4 && !strcmp(argv[1], "slab")) {
		do_slab(nr[0], nr[1]);
	} else {
		printf("usage: occupy spread BYTES KEEP CHUNK SEED | pins START END STEP SPAN | slab FREE KEEP\n");
		return 2;
	}
	puts("READY");
	/* The queues stay without us. */
	if (strcmp(argv[1], "slab"))
		pause();
	return 0;
}
