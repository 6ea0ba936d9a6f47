// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a virtio-mem device itself says of its sizes, whichever driver it has:
 * its configuration, a read-only structure in a memory BAR of its PCI function.
 * Reading it has no effect on the device.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"
#include "sys.h"

#define PCI_CAP_POINTER 0x34
#define PCI_CAP_VENDOR  0x09
#define VIRTIO_PCI_CAP_DEVICE_CFG 4
#define PCI_CONFIG_SIZE 256

static uint32_t le32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Where the structure lies, from the function's capabilities. */
static bool find(const char *name, int *bar, uint32_t *offset)
{
	uint8_t pci[PCI_CONFIG_SIZE];
	int fd = sys_open("/sys/bus/virtio/devices/%s/../config", name);
	ssize_t got;
	int at, left = 48;

	if (fd < 0)
		return false;
	got = read(fd, pci, sizeof(pci));
	close(fd);
	/* Only root is shown more than the first 64 bytes. */
	if (got != sizeof(pci))
		return false;
	for (at = pci[PCI_CAP_POINTER]; at && at <= PCI_CONFIG_SIZE - 16 && left; at = pci[at + 1]) {
		left--;
		if (pci[at] != PCI_CAP_VENDOR || pci[at + 3] != VIRTIO_PCI_CAP_DEVICE_CFG)
			continue;
		*bar = pci[at + 4];
		*offset = le32(&pci[at + 8]);
		return le32(&pci[at + 12]) >= sizeof(struct vmem_config);
	}
	return false;
}

/* In words of 32 bits, as the specification demands of fields that large. */
static void copy(struct vmem_config *out, const void *from)
{
	const uint32_t *word = from;
	uint32_t *to = (uint32_t *)out;

	for (size_t i = 0; i < sizeof(*out) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&word[i], __ATOMIC_RELAXED);
}

/* Return: whether the device could be asked (root, virtio over PCI). */
bool config_read(const char *virtio_name, struct vmem_config *out)
{
	struct vmem_config again = { 0 };
	uint32_t offset, skip;
	int bar, fd;
	char *map;

	if (!find(virtio_name, &bar, &offset))
		return false;
	fd = sys_open("/sys/bus/virtio/devices/%s/../resource%d", virtio_name, bar);
	if (fd < 0)
		return false;
	skip = offset & (PAGE_BYTES - 1);
	map = mmap(NULL, skip + sizeof(*out), PROT_READ, MAP_SHARED, fd, offset - skip);
	close(fd);
	if (map == MAP_FAILED)
		return false;
	/* It may change between two words: what is read twice the same is whole. */
	copy(out, map + skip);
	for (int tries = 0; tries < 10; tries++) {
		copy(&again, map + skip);
		if (!memcmp(&again, out, sizeof(again)))
			break;
		*out = again;
	}
	munmap(map, skip + sizeof(*out));
	return out->block_size != 0;
}
