// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Boots another kernel without the firmware, as kexec-tools do:
 *
 *   kexec load KERNEL INITRD COMMANDLINE
 *   kexec crash KERNEL INITRD COMMANDLINE   for a panic, in crashkernel='s memory
 *   kexec go       what "load" has loaded; devices are shut down first
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int load(const char *kernel, const char *initrd, const char *line,
		unsigned long flags)
{
	int image = open(kernel, O_RDONLY), files = open(initrd, O_RDONLY);

	if (image < 0 || files < 0)
		return -1;
	return syscall(SYS_kexec_file_load, image, files, strlen(line) + 1,
		       line, flags);
}

int main(int argc, char **argv)
{
	int rc = -1;

	if (argc == 5 && !strcmp(argv[1], "load"))
		rc = load(argv[2], argv[3], argv[4], 0);
	else if (argc == 5 && !strcmp(argv[1], "crash"))
		rc = load(argv[2], argv[3], argv[4], KEXEC_FILE_ON_CRASH);
	else if (argc == 2 && !strcmp(argv[1], "go"))
		rc = syscall(SYS_reboot, LINUX_REBOOT_MAGIC1,
			     LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, 0);
	if (rc)
		perror("kexec");
	return rc != 0;
}
