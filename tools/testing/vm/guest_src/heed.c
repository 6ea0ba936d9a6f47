// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * heed - prints what the driver tells those who wait
 *
 *   heed state FILE     poll() a file of sysfs; a line each time it has changed
 *   heed uevents        the VIRTIO_MEM_* variables of each uevent that has any
 *
 * Prints READY first, and goes on until it is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
	printf("heed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int state(const char *file)
{
	struct pollfd p = { .fd = open(file, O_RDONLY), .events = POLLPRI };
	char now[64];
	ssize_t len;

	if (p.fd < 0)
		die(file);
	/* A file that was never read has not changed. */
	pread(p.fd, now, sizeof(now), 0);
	puts("READY");
	while (poll(&p, 1, -1) > 0) {
		len = pread(p.fd, now, sizeof(now), 0);
		/* The device has gone. */
		if (len < 0)
			break;
		printf("%.*s", (int)len, now);
	}
	die("poll");
	return 1;
}

static int uevents(void)
{
	struct sockaddr_nl all = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
	char buf[8192], *at, *end;
	const char *sep;
	ssize_t len;

	if (fd < 0 || bind(fd, (struct sockaddr *)&all, sizeof(all)))
		die("netlink");
	puts("READY");
	while ((len = recv(fd, buf, sizeof(buf) - 1, 0)) > 0) {
		end = buf + len;
		*end = '\0';
		sep = "";
		for (at = buf; at < end; at += strlen(at) + 1) {
			if (strncmp(at, "VIRTIO_MEM_", 11))
				continue;
			printf("%s%s", sep, at + 11);
			sep = " ";
		}
		if (*sep)
			puts("");
	}
	die("recv");
	return 1;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "state"))
		return state(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "uevents"))
		return uevents();
	puts("usage: heed state FILE | uevents");
	return 2;
}
