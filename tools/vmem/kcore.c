// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/kcore: what struct page has of a page and no other file tells.
 *
 * It is an ELF core file of the running kernel. Its note has the layout of struct
 * page; its segments show where the array of them (the memory map) begins. That
 * is not believed until pages of our own have the counts that they must have.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kcore.h"
#include "sys.h"

/* Pages that one read asks for. */
#define CHUNK 1024
/* Pages of ours that must prove the layout. */
#define PROOFS 8
/* x86-64: the memory map begins at a multiple of it, wherever it was put. */
#define MAP_ALIGN (1ULL << 30)

struct kcore {
	int fd;
	Elf64_Phdr *seg;
	int nr;
	uint64_t map;                /* address of page 0's struct page */
	uint64_t page_size, ref_at, mapcount_at, mapping_at;
	uint8_t *buf;
};

static bool read_at(const struct kcore *kcore, void *buf, size_t size, uint64_t offset)
{
	return pread(kcore->fd, buf, size, offset) == (ssize_t)size;
}

static bool read_mem(const struct kcore *kcore, void *buf, size_t size, uint64_t addr)
{
	for (int i = 0; i < kcore->nr; i++) {
		const Elf64_Phdr *seg = &kcore->seg[i];

		if (seg->p_type == PT_LOAD && addr >= seg->p_vaddr &&
		    addr - seg->p_vaddr + size <= seg->p_memsz)
			return read_at(kcore, buf, size, seg->p_offset + addr - seg->p_vaddr);
	}
	return false;
}

/* One number of the kernel's note. */
static bool note_number(const char *text, const char *key, uint64_t *out)
{
	const char *at = strstr(text, key);

	return at && sscanf(at + strlen(key), "%" SCNu64, out) == 1;
}

static bool read_layout(struct kcore *kcore)
{
	char *notes = NULL, *text;
	bool good = false;

	for (int i = 0; i < kcore->nr && !notes; i++) {
		const Elf64_Phdr *seg = &kcore->seg[i];

		if (seg->p_type != PT_NOTE || seg->p_filesz > 1 << 20)
			continue;
		notes = xalloc(1, seg->p_filesz + 1);
		if (!read_at(kcore, notes, seg->p_filesz, seg->p_offset))
			break;
		/* Text among binary notes: its first line is this. */
		text = memmem(notes, seg->p_filesz, "OSRELEASE=", 10);
		good = text && note_number(text, "\nSIZE(page)=", &kcore->page_size) &&
		       note_number(text, "\nOFFSET(page._refcount)=", &kcore->ref_at) &&
		       note_number(text, "\nOFFSET(page._mapcount)=", &kcore->mapcount_at) &&
		       note_number(text, "\nOFFSET(page.mapping)=", &kcore->mapping_at) &&
		       kcore->page_size >= 32 && kcore->page_size <= 256 &&
		       kcore->ref_at + 4 <= kcore->page_size &&
		       kcore->mapcount_at + 4 <= kcore->page_size &&
		       kcore->mapping_at + 8 <= kcore->page_size;
	}
	free(notes);
	return good;
}

static bool read_segments(struct kcore *kcore)
{
	Elf64_Ehdr head;

	if (!read_at(kcore, &head, sizeof(head), 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) ||
	    head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phentsize != sizeof(Elf64_Phdr))
		return false;
	kcore->nr = head.e_phnum;
	kcore->seg = xalloc(kcore->nr, sizeof(*kcore->seg));
	return read_at(kcore, kcore->seg, kcore->nr * sizeof(*kcore->seg), head.e_phoff);
}

/* Whether pages of ours look in a map at @map as pages of ours must. */
static bool proves(struct kcore *kcore, uint64_t map, const uint64_t *pfns, int nr)
{
	uint8_t page[256];

	for (int i = 0; i < nr; i++) {
		int32_t refs, mapcount;

		if (!read_mem(kcore, page, kcore->page_size, map + pfns[i] * kcore->page_size))
			return false;
		memcpy(&refs, page + kcore->ref_at, sizeof(refs));
		memcpy(&mapcount, page + kcore->mapcount_at, sizeof(mapcount));
		/* Mapped once is 0; a CPU's batch may have a reference besides. */
		if (mapcount != 0 || refs < 1 || refs > 2)
			return false;
	}
	return true;
}

static int own_pages(void *mem, uint64_t *pfns)
{
	int fd = sys_open("/proc/self/pagemap"), nr;
	uint64_t entries[PROOFS];

	if (fd < 0)
		return 0;
	nr = pread(fd, entries, sizeof(entries), (uintptr_t)mem / PAGE_BYTES * 8) / 8;
	close(fd);
	for (int i = 0; i < nr; i++)
		pfns[i] = entries[i] & ((1ULL << 55) - 1);
	return nr == PROOFS && pfns[0] ? nr : 0;
}

/*
 * A RAM segment's physical address says which part of the map belongs to it, and
 * that part is a segment, too, one without a physical address.
 */
static bool find_map(struct kcore *kcore)
{
	size_t size = PROOFS * PAGE_BYTES;
	uint64_t pfns[PROOFS];
	bool found = false;
	int nr;
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		return false;
	madvise(mem, size, MADV_NOHUGEPAGE);
	memset(mem, 1, size);
	nr = own_pages(mem, pfns);
	for (int i = 0; nr && i < kcore->nr && !found; i++) {
		const Elf64_Phdr *ram = &kcore->seg[i];

		if (ram->p_type != PT_LOAD || ram->p_paddr == UINT64_MAX)
			continue;
		for (int j = 0; j < kcore->nr && !found; j++) {
			const Elf64_Phdr *seg = &kcore->seg[j];
			uint64_t skip = ram->p_paddr / PAGE_BYTES * kcore->page_size;

			if (seg->p_type != PT_LOAD || seg->p_paddr != UINT64_MAX)
				continue;
			kcore->map = seg->p_vaddr - (skip & ~(PAGE_BYTES - 1));
			found = !(kcore->map % MAP_ALIGN) && proves(kcore, kcore->map, pfns, nr);
		}
	}
	munmap(mem, size);
	return found;
}

/* Return: a handle; NULL if counts can't be had (not root, lockdown, another layout). */
struct kcore *kcore_open(void)
{
	struct kcore *kcore = xalloc(1, sizeof(*kcore));

	kcore->fd = sys_open("/proc/kcore");
	if (kcore->fd >= 0 && read_segments(kcore) && read_layout(kcore) && find_map(kcore)) {
		kcore->buf = xalloc(CHUNK, kcore->page_size);
		return kcore;
	}
	kcore_close(kcore);
	return NULL;
}

/**
 * kcore_pages() - read some of struct page
 * @kcore: from kcore_open()
 * @pfn: the first page's number
 * @nr: how many pages
 * @out: that many answers
 *
 * Return: false if that part of the memory map can't be read.
 */
bool kcore_pages(struct kcore *kcore, uint64_t pfn, int nr, struct kcore_page *out)
{
	for (int done = 0; done < nr;) {
		int part = nr - done < CHUNK ? nr - done : CHUNK;

		if (!read_mem(kcore, kcore->buf, part * kcore->page_size,
			      kcore->map + (pfn + done) * kcore->page_size))
			return false;
		for (int i = 0; i < part; i++) {
			const uint8_t *page = kcore->buf + i * kcore->page_size;

			memcpy(&out[done + i].refs, page + kcore->ref_at, 4);
			out[done + i].mapping = page[kcore->mapping_at] & MAPPING_BITS;
		}
		done += part;
	}
	return true;
}

/* Give it back. */
void kcore_close(struct kcore *kcore)
{
	if (!kcore)
		return;
	if (kcore->fd >= 0)
		close(kcore->fd);
	free(kcore->seg);
	free(kcore->buf);
	free(kcore);
}
