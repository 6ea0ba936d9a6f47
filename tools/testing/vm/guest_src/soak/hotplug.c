// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Actors that do what administrators and their tools do to hotplugged memory,
 * and what the kernel does to all memory: online and offline, by file and by
 * tool, the policy for new memory, compaction, and readers of everything.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

#define MEMORY	"/sys/devices/system/memory"
/* How long one on- or offlining by user space may take. */
#define LIMIT_S	8

/* A memory block of the region, one that exists if a few draws find one. */
static uint64_t draw_block(struct draws *d)
{
	uint64_t first = run.start / block_size();
	uint64_t nr = run.end / block_size() - first, block = first;
	char path[100];

	for (int i = 0; i < 10; i++) {
		block = first + draw(d, nr);
		snprintf(path, sizeof(path), MEMORY "/memory%llu",
			 (unsigned long long)block);
		if (!access(path, F_OK))
			break;
	}
	return block;
}

/* Memory in the kernel's zones may never be offlined again. */
static const char *draw_verb(struct draws *d)
{
	static const char *const verbs[] = {
		"offline", "offline", "offline", "online_movable",
		"online_movable", "online_kernel", "online",
	};
	uint64_t n = draw(d, ARRAY_SIZE(verbs));

	return run.kernel || n < 5 ? verbs[n] : "online_movable";
}

/* The kernel's answers that are right; anything else is wrong. */
static enum outcome judge(const char *what, int error)
{
	switch (error) {
	case 0:
		return DONE;
	case ENOENT:
	case ENODEV:		/* gone meanwhile */
	case EBUSY:		/* claimed by the driver, or pinned */
	case EAGAIN:
	case EINVAL:		/* already so; mixed zones */
	case EINTR:
	case ENOMEM:
	case EEXIST:
	case EHWPOISON:		/* once offline, a broken page keeps it so */
		return refuse(error);
	default:
		bad("%s: %s", what, strerror(error));
	}
}

static enum outcome block_op(struct draws *d)
{
	uint64_t block = draw_block(d);
	const char *verb = draw_verb(d);
	char path[100], what[120];
	int rc;

	if (!strcmp(verb, "offline") && !room(block_size(), HIGH_FLOOR))
		return skip("memory");
	snprintf(path, sizeof(path), MEMORY "/memory%llu/state",
		 (unsigned long long)block);
	snprintf(what, sizeof(what), "%s memory%llu", verb,
		 (unsigned long long)block);
	doing(what);
	limit(LIMIT_S);
	rc = put(path, verb);
	limit(0);
	return judge(what, rc);
}

const struct actor actor_block = { "block", block_op, NULL, 50 };

static enum outcome policy_op(struct draws *d)
{
	static const char *const policies[] = {
		"online_movable", "offline", "online_kernel", "online",
	};
	uint64_t n = draw(d, 4);
	int rc = put(MEMORY "/auto_online_blocks",
		     policies[run.kernel ? n : n % 2]);

	return rc ? refuse(rc) : DONE;
}

static void policy_end(void)
{
	put(MEMORY "/auto_online_blocks", "online_movable");
}

const struct actor actor_policy = { "policy", policy_op, policy_end, 400 };

/* Runs a program, output thrown away; its status, or -1 if it was ended. */
static int program(const char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -1;
	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	limit(LIMIT_S);
	while (waitpid(pid, &status, 0) != pid)
		kill(pid, SIGTERM);
	limit(0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		bad("%s: can't be run", argv[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static enum outcome tool_op(struct draws *d)
{
	unsigned int what = draw(d, 5), zone = draw(d, 2);
	uint64_t first = draw_block(d) * block_size();
	uint64_t nr = 1 + draw(d, 4);
	char range[60], text[100];
	const char *const plain[] = { "/bin/lsmem", NULL };
	const char *const full[] = { "/bin/lsmem", "-a", "-J", "-o",
		"RANGE,SIZE,STATE,REMOVABLE,BLOCK,NODE,ZONES", NULL };
	const char *const disable[] = { "/bin/chmem", "-d", range, NULL };
	const char *const enable[] = { "/bin/chmem", "-e", "-z",
		run.kernel && zone ? "Normal" : "Movable", range, NULL };
	int status;

	snprintf(range, sizeof(range), "0x%llx-0x%llx",
		 (unsigned long long)first,
		 (unsigned long long)(first + nr * block_size() - 1));
	snprintf(text, sizeof(text), "tool %u %s", what, range);
	doing(text);
	if (what == 2 && !room(nr * block_size(), HIGH_FLOOR))
		return skip("memory");
	status = program(what == 0 ? plain : what == 1 ? full :
			 what == 2 ? disable : enable);
	if (status && what < 2)
		/* A block went while it looked: then it gives up. */
		return refuse(ENOENT);
	return status ? refuse(EBUSY) : DONE;
}

const struct actor actor_tool = { "tool", tool_op, NULL, 100 };

static enum outcome compact_op(struct draws *d)
{
	unsigned int what = draw(d, 5), node = draw(d, 2);
	char path[60];
	int rc;

	switch (what) {
	case 0:
	case 1:
		doing("compact_memory");
		rc = put("/proc/sys/vm/compact_memory", "1");
		break;
	case 2:
		snprintf(path, sizeof(path),
			 "/sys/devices/system/node/node%u/compact", node);
		doing(path);
		rc = put(path, "1");
		break;
	default:
		doing("drop_caches");
		rc = put("/proc/sys/vm/drop_caches", what == 3 ? "1" : "3");
		break;
	}
	return rc ? refuse(rc) : DONE;
}

const struct actor actor_compact = { "compact", compact_op, NULL, 400 };

/* Reads a file to its end; 0 or an errno. */
static int take_in(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK), rc = 0;
	static char buf[65536];
	ssize_t n;

	if (fd < 0)
		return errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	if (n < 0)
		rc = errno;
	close(fd);
	return rc;
}

static int take_in_all(const char *pattern)
{
	int rc = ENOENT;
	glob_t found;

	if (!glob(pattern, GLOB_NOSORT | GLOB_BRACE, NULL, &found)) {
		rc = 0;
		for (size_t i = 0; i < found.gl_pathc; i++) {
			int one = take_in(found.gl_pathv[i]);

			rc = rc ? rc : one;
		}
	}
	globfree(&found);
	return rc;
}

static enum outcome read_op(struct draws *d)
{
	static const char *const general[] = {
		"/proc/zoneinfo", "/proc/buddyinfo", "/proc/pagetypeinfo",
		"/proc/vmstat", "/proc/iomem", "/proc/meminfo",
		"/sys/devices/system/node/node*/meminfo",
	};
	unsigned int what = draw(d, 4), which = draw(d, 7);
	unsigned long long block = draw_block(d);
	char path[100];
	int rc;

	switch (what) {
	case 0:
		rc = take_in_all("/sys/bus/virtio/devices/*/virtio_mem/*");
		break;
	case 1:
		rc = take_in_all("/sys/kernel/debug/virtio_mem/*/blocks");
		break;
	case 2:
		/*
		 * Not valid_zones: its block is there before it has a node, and
		 * who reads it then has an older kernel fall over.
		 */
		snprintf(path, sizeof(path),
			 MEMORY "/memory%llu/{removable,state}", block);
		rc = take_in_all(path);
		break;
	default:
		rc = take_in_all(general[which]);
		break;
	}
	return rc ? refuse(rc) : DONE;
}

const struct actor actor_read = { "read", read_op, NULL, 40 };
