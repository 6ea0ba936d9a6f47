/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host's virtio-mem devices, whoever tells of them: libvirt or one QEMU. */
#ifndef VMEMCTL_HOST_H
#define VMEMCTL_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct device - one virtio-mem device of a running domain, sizes in bytes
 * @domain: the domain's name
 * @uuid: the domain's UUID, which no other has
 * @id: libvirt's alias or QEMU's id of the device
 * @node: the guest's NUMA node, -1 when not told
 * @requested: how much the guest shall have
 * @plugged: how much it has
 * @region: how much it can have
 * @block: the device's block
 * @addr: where the region begins in the guest, 0 when not told
 */
struct device {
	char *domain;
	char *uuid;
	char *id;
	int node;
	uint64_t requested;
	uint64_t plugged;
	uint64_t region;
	uint64_t block;
	uint64_t addr;
};

/* A growing array of them; all zeroes is an empty one. */
struct devices {
	struct device *all;
	size_t nr;
};

struct host;

/**
 * struct host_ops - what a source of devices can do
 * @list: add the devices of a domain, or with NULL of all that run. A domain
 *	without such a device adds nothing; one that is not there is an error.
 * @request: change requested-size
 * @wait: return after that many ms, earlier when something may have changed
 * @agent: send one command to the guest agent, and wait up to so many seconds;
 *	the answer, or why there is none, is to be freed. The only one that
 *	another thread may call.
 * @close: hang up, and free the host
 *
 * Those that return int: 0, or -1 with a line in host->error.
 */
struct host_ops {
	int (*list)(struct host *host, const char *domain, struct devices *to);
	int (*request)(struct host *host, const struct device *dev,
		       uint64_t size);
	int (*wait)(struct host *host, int ms);
	int (*agent)(struct host *host, const struct device *dev,
		     const char *command, int seconds, char **answer,
		     char **why);
	void (*close)(struct host *host);
};

/**
 * struct host - a connection, the first member of what each source keeps
 * @ops: what it can do
 * @lost: nobody is at the other end any more
 * @error: why the last call failed, one line
 */
struct host {
	const struct host_ops *ops;
	atomic_bool lost;
	char error[512];
};

struct host *virt_open(const char *uri, bool readonly, char **why);
struct host *qmp_open(const char *path, const char *agent, char **why);

int host_fail(struct host *host, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct device *devices_add(struct devices *to, const char *domain,
			   const char *uuid, const char *id);
void devices_free(struct devices *list);
char *one_line(const char *text);

#endif
