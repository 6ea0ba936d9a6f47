// SPDX-License-Identifier: GPL-2.0-or-later
/* A file for node_exporter's textfile collector, all or nothing. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"
#include "vmemctl.h"

/* All are gauges, in bytes. */
static const struct {
	const char *name;
	const char *help;
	size_t offset;
} metrics[] = {
	{ "virtio_mem_requested_bytes",
	  "Memory that the guest shall have through the device.",
	  offsetof(struct device, requested) },
	{ "virtio_mem_plugged_bytes",
	  "Memory that the guest has through the device.",
	  offsetof(struct device, plugged) },
	{ "virtio_mem_region_bytes",
	  "Memory that the guest can have through the device.",
	  offsetof(struct device, region) },
	{ "virtio_mem_block_bytes",
	  "Unit in which the device can be resized.",
	  offsetof(struct device, block) },
};

static void print_label(FILE *file, const char *key, const char *value)
{
	fprintf(file, "%s=\"", key);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", file);
			continue;
		}
		if (*value == '"' || *value == '\\')
			putc('\\', file);
		putc(*value, file);
	}
	putc('"', file);
}

static void print_metric(FILE *file, size_t which, const struct devices *list)
{
	const char *name = metrics[which].name;

	fprintf(file, "# HELP %s %s\n# TYPE %s gauge\n", name,
		metrics[which].help, name);
	for (size_t i = 0; i < list->nr; i++) {
		const struct device *dev = &list->all[i];
		const char *at = (const char *)dev + metrics[which].offset;

		fprintf(file, "%s{", name);
		print_label(file, "domain", dev->domain);
		putc(',', file);
		print_label(file, "uuid", dev->uuid);
		putc(',', file);
		print_label(file, "device", dev->id);
		if (dev->node >= 0)
			fprintf(file, ",node=\"%d\"", dev->node);
		fprintf(file, "} %" PRIu64 "\n", *(const uint64_t *)at);
	}
}

static int fill(int fd, const struct devices *list)
{
	FILE *file = fdopen(fd, "w");
	bool bad;

	if (!file) {
		close(fd);
		return -1;
	}
	for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++)
		print_metric(file, i, list);
	/* So that a host without any can be told from one that says nothing. */
	fputs("# HELP virtio_mem_devices Devices of the domains that run.\n"
	      "# TYPE virtio_mem_devices gauge\n", file);
	fprintf(file, "virtio_mem_devices %zu\n", list->nr);
	/* Read by another user than who writes it. */
	bad = fchmod(fd, 0644) || fflush(file) || fsync(fd);
	return fclose(file) || bad ? -1 : 0;
}

/**
 * write_prometheus() - write the file beside its place, and rename it
 * @list: what to write
 * @path: its place; node_exporter reads names that end in .prom only
 *
 * Return: the exit status.
 */
int write_prometheus(const struct devices *list, const char *path)
{
	char *temp = xasprintf("%s.XXXXXX", path);
	int fd, status = EXIT_SUCCESS;
	struct stat st;

	/* Renamed over /dev/null, or /dev/stdout, a file would take its place. */
	if (!lstat(path, &st) && !S_ISREG(st.st_mode)) {
		free(temp);
		return complain(EXIT_ERROR, "%s: is there, and no file", path);
	}
	fd = mkstemp(temp);
	if (fd < 0) {
		status = complain(EXIT_ERROR, "%s: %s", path, strerror(errno));
	} else if (fill(fd, list) || rename(temp, path)) {
		status = complain(EXIT_ERROR, "%s: %s", path, strerror(errno));
		unlink(temp);
	}
	free(temp);
	return status;
}
