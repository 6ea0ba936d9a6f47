// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sizes that a virtio-mem device itself tells, whichever driver it has.
 *
 * They are in its configuration, in a memory BAR that belongs to the driver, and
 * kernels with IO_STRICT_DEVMEM let nobody else map it. But each virtio device
 * has a window to it in its PCI configuration space (virtio 1.2, 4.1.4.9), which
 * Linux's drivers don't use: one names bar, offset and length there, and reads.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "config.h"
#include "sys.h"

#define PCI_CONFIG_SIZE 256
#define PCI_CAP_POINTER 0x34
#define PCI_CAP_VENDOR  0x09
#define VIRTIO_PCI_CAP_DEVICE_CFG 4
#define VIRTIO_PCI_CAP_PCI_CFG    5

/* In a capability of virtio's. */
#define CAP_TYPE   3
#define CAP_BAR    4
#define CAP_OFFSET 8
#define CAP_LENGTH 12
#define CAP_DATA   16

struct window {
	int fd;
	int at;            /* of the window in the configuration space */
	uint8_t bar;
	uint32_t offset;   /* of what we want, in the bar */
};

static uint32_t le32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Where the window is, and where it shall look. */
static bool find(struct window *window)
{
	uint8_t pci[PCI_CONFIG_SIZE];
	bool found = false;
	int left = 48;

	window->at = 0;
	/* Only root is shown more than the first 64 bytes. */
	if (pread(window->fd, pci, sizeof(pci), 0) != sizeof(pci))
		return false;
	for (int at = pci[PCI_CAP_POINTER]; at && at <= PCI_CONFIG_SIZE - CAP_DATA - 4 && left;
	     at = pci[at + 1], left--) {
		if (pci[at] != PCI_CAP_VENDOR)
			continue;
		if (pci[at + CAP_TYPE] == VIRTIO_PCI_CAP_PCI_CFG)
			window->at = at;
		if (pci[at + CAP_TYPE] != VIRTIO_PCI_CAP_DEVICE_CFG)
			continue;
		window->bar = pci[at + CAP_BAR];
		window->offset = le32(&pci[at + CAP_OFFSET]);
		found = le32(&pci[at + CAP_LENGTH]) >= sizeof(struct vmem_config);
	}
	return found && window->at;
}

static bool put32(const struct window *window, int at, uint32_t value)
{
	const uint8_t bytes[4] = { value, value >> 8, value >> 16, value >> 24 };

	return pwrite(window->fd, bytes, sizeof(bytes), window->at + at) == sizeof(bytes);
}

/* In words of 32 bits, as the specification demands of fields that large. */
static bool copy(const struct window *window, struct vmem_config *out)
{
	if (pwrite(window->fd, &window->bar, 1, window->at + CAP_BAR) != 1 ||
	    !put32(window, CAP_LENGTH, 4))
		return false;
	for (size_t i = 0; i < sizeof(*out); i += 4)
		if (!put32(window, CAP_OFFSET, window->offset + i) ||
		    pread(window->fd, (uint8_t *)out + i, 4, window->at + CAP_DATA) != 4)
			return false;
	return true;
}

/* Return: whether the device could be asked (root, virtio over PCI). */
bool config_read(const char *virtio_name, struct vmem_config *out)
{
	struct vmem_config again = { 0 };
	struct window window;
	char *path = xprintf("%s/sys/bus/virtio/devices/%s/../config", sys_root, virtio_name);
	bool good = false;

	window.fd = open(path, O_RDWR | O_CLOEXEC);
	free(path);
	if (window.fd < 0)
		return false;
	/* There is one window: whoever else looks through it waits. */
	if (!flock(window.fd, LOCK_EX) && find(&window)) {
		/* It may change between two words: what is read twice the same is whole. */
		good = copy(&window, out) && copy(&window, &again);
		for (int tries = 0; good && tries < 10 && memcmp(&again, out, sizeof(again)); tries++) {
			*out = again;
			good = copy(&window, &again);
		}
	}
	close(window.fd);
	return good && out->block_size;
}
