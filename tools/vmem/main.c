// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmem - what this guest's virtio-mem devices do, and who is in their way.
 * The command line; each command is in a file of its own, cmd_*.c.
 */
#include <argp.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "sys.h"

const char *argp_program_version = "vmem 0.1";

struct options options = { .interval = 1 };

static const struct command {
	const char *name;
	int (*run)(void);
} commands[] = {
	{ "list", cmd_list },
	{ "map", cmd_map },
	{ "watch", cmd_watch },
	{ "why", cmd_why },
	{ "check", cmd_check },
	{ "log", cmd_log },
};

static const struct command *chosen = &commands[0];

/* Say in one line what is wrong. Return: the exit status for it. */
int fail(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("vmem: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return STATUS_FAILED;
}

enum { OPTION_ROOT = 256 };

static const struct argp_option known[] = {
	{ "json", 'j', NULL, 0, "print JSON; vmem(1) documents the keys", 0 },
	{ "device", 'd', "NAME", 0, "only this device, such as virtio0", 0 },
	{ "all", 'a', NULL, 0, "why: print every row", 0 },
	{ "wide", 'w', NULL, 0, "map: a character a block, however many there are", 0 },
	{ "interval", 'i', "SECONDS", 0, "watch: look so often (1)", 0 },
	{ "count", 'n', "N", 0, "watch: look N times", 0 },
	{ "once", '1', NULL, 0, "watch: end when the request is met, or can't be met now", 0 },
	{ "sysroot", OPTION_ROOT, "DIR", 0, "look at a copy of /proc and /sys there", 0 },
	{ 0 },
};

static void one_line(const char *what, const char *arg)
{
	exit(fail("%s: %s; vmem --help", what, arg));
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	char *end = "";

	switch (key) {
	case ARGP_KEY_INIT:
		/* getopt says what is wrong; argp would say more than a line. */
		state->err_stream = NULL;
		break;
	case 'j':
		options.json = true;
		break;
	case 'd':
		options.device = arg;
		break;
	case 'a':
		options.all = true;
		break;
	case 'w':
		options.wide = true;
		break;
	case 'i':
		options.interval = strtod(arg, &end);
		/* Written so that it is true for what is no number, too. */
		if (*end || !(options.interval >= 0.1 && options.interval <= 3600))
			one_line("not from 0.1 to 3600 s", arg);
		break;
	case 'n':
		options.count = strtol(arg, &end, 10);
		if (*end || options.count < 1)
			one_line("not a number of times", arg);
		break;
	case '1':
		options.once = true;
		break;
	case OPTION_ROOT:
		sys_root = arg;
		break;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			one_line("one command only", arg);
		for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
			if (!strcmp(commands[i].name, arg)) {
				chosen = &commands[i];
				return 0;
			}
		}
		one_line("unknown command", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = known,
	.parser = parse,
	.args_doc = "[map|watch|why|check|log]",
	.doc = "What this guest's virtio-mem devices do, and who is in their way.\v\n"
	       "  vmem         a line a device: how far a resize is, and its state\n"
	       "  vmem map     its blocks as a map\n"
	       "  vmem watch   the same, again and again\n"
	       "  vmem why     who holds the memory that stays\n"
	       "  vmem check   whether this guest could shrink: 0 yes, 1 with warnings, 2 no\n"
	       "  vmem log     what driver and kernel said\n",
};

int main(int argc, char **argv)
{
	int status;

	setlocale(LC_CTYPE, "");
	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return STATUS_FAILED;
	status = chosen->run();
	if (fflush(stdout) || ferror(stdout))
		return fail("can't write the answer");
	return status;
}
