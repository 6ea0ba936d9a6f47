// SPDX-License-Identifier: GPL-2.0-or-later
/* vmemctl: resize guests by virtio-mem, and see how far they are. */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "util.h"
#include "vmemctl.h"

enum {
	OPT_QMP = 256, OPT_AGENT, OPT_DEVICE, OPT_ROUND, OPT_TIMEOUT, OPT_SAFE,
	OPT_REVERT, OPT_PROMETHEUS, OPT_GUEST,
};

/* Which commands an option belongs to. */
enum { SET = 1, LIST = 2, TOP = 4 };

static const struct {
	const char *name;
	int bit;
	int (*run)(struct host *host, const struct options *opt);
} commands[] = {
	{ "set", SET, command_set },
	{ "list", LIST, command_list },
	{ "top", TOP, command_top },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(*commands))

_Atomic int interrupted;

const char *argp_program_version = "vmemctl 0.1";

static const struct argp_option options[] = {
	{ .doc = "Whom to ask:" },
	{ "connect", 'c', "URI", 0, "libvirt's URI, local or remote", 0 },
	{ "qmp", OPT_QMP, "SOCKET", 0,
	  "One QEMU without libvirt, by its monitor's unix socket", 0 },
	{ "agent", OPT_AGENT, "SOCKET", 0,
	  "With --qmp: the guest agent's unix socket", 0 },
	{ .doc = "How to answer:" },
	{ "json", 'j', NULL, 0, "In JSON, sizes in bytes", 0 },
	{ .doc = "set:" },
	{ "device", OPT_DEVICE, "ALIAS", 0,
	  "Which device, where a domain has more than one", 0 },
	{ "round", OPT_ROUND, "up|down|fail", 0,
	  "What to do with a size that is no multiple of the device's block (fail)",
	  0 },
	{ "timeout", OPT_TIMEOUT, "TIME", 0,
	  "How long to wait, in seconds or with s, m or h; \"never\" ends (5m)", 0 },
	{ "safe", OPT_SAFE, NULL, 0,
	  "Ask for no less than what fits, as vmem check in the guest says", 0 },
	{ "revert", OPT_REVERT, NULL, 0,
	  "When interrupted, take the request back", 0 },
	{ .doc = "list:" },
	{ "guest", OPT_GUEST, NULL, 0, "Ask each guest for its state, too", 0 },
	{ "prometheus", OPT_PROMETHEUS, "FILE", 0,
	  "Write a file for node_exporter's textfile collector in place of a table",
	  0 },
	{ .doc = "top:" },
	{ "delay", 'd', "TIME", 0, "Time between two looks (1s)", 0 },
	{ "count", 'n', "NUMBER", 0, "End after so many looks", 0 },
	{ .doc = "Help:", .group = -1 },
	{ 0 }
};

/**
 * struct line - the command line while it is read
 * @opt: what it says
 * @words: its arguments
 * @nr: how many there are
 * @limits: for each option that belongs to some commands, their bits
 * @names: for each of these, its name
 * @nr_limits: how many these are
 */
struct line {
	struct options opt;
	char *words[3];
	int nr;
	int limits[16];
	const char *names[16];
	int nr_limits;
};

/* In place of argp_error(), which says more than a line. */
#define bad_usage(...) exit(complain(EXIT_USAGE, __VA_ARGS__))

static void belongs(struct line *line, int bits, const char *name)
{
	if (line->nr_limits < 16) {
		line->limits[line->nr_limits] = bits;
		line->names[line->nr_limits++] = name;
	}
}

static void parse_rounding(const char *arg, enum rounding *rounding)
{
	if (!strcmp(arg, "up"))
		*rounding = ROUND_UP;
	else if (!strcmp(arg, "down"))
		*rounding = ROUND_DOWN;
	else if (!strcmp(arg, "fail"))
		*rounding = ROUND_FAIL;
	else
		bad_usage("--round up, down or fail, not %s", arg);
}

static error_t parse_set(int key, char *arg, struct line *line)
{
	struct options *opt = &line->opt;

	switch (key) {
	case OPT_DEVICE:
		opt->device = arg;
		belongs(line, SET, "device");
		break;
	case OPT_ROUND:
		parse_rounding(arg, &opt->rounding);
		belongs(line, SET, "round");
		break;
	case OPT_TIMEOUT:
		if (!strcmp(arg, "never"))
			opt->timeout = -1;
		else if (!parse_seconds(arg, &opt->timeout))
			bad_usage("not a time: %s", arg);
		belongs(line, SET, "timeout");
		break;
	case OPT_SAFE:
		opt->safe = true;
		belongs(line, SET, "safe");
		break;
	case OPT_REVERT:
		opt->revert = true;
		belongs(line, SET, "revert");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse_other(int key, char *arg, struct line *line)
{
	struct options *opt = &line->opt;
	unsigned long count;
	char *end;

	switch (key) {
	case OPT_GUEST:
		opt->guest = true;
		belongs(line, LIST, "guest");
		break;
	case OPT_PROMETHEUS:
		opt->prometheus = arg;
		belongs(line, LIST, "prometheus");
		break;
	case 'd':
		if (!parse_seconds(arg, &opt->delay) || opt->delay < 0.1)
			bad_usage("not a time of 0.1 s at least: %s", arg);
		belongs(line, TOP, "delay");
		break;
	case 'n':
		errno = 0;
		count = strtoul(arg, &end, 10);
		if (*end || !isdigit((unsigned char)*arg) || errno || !count ||
		    count > UINT_MAX)
			bad_usage("not a number of looks: %s", arg);
		opt->count = count;
		belongs(line, TOP, "count");
		break;
	default:
		return parse_set(key, arg, line);
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct line *line = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		/* getopt says what is wrong; argp would say more than a line. */
		state->err_stream = NULL;
		break;
	case 'c':
		line->opt.uri = arg;
		break;
	case OPT_QMP:
		line->opt.qmp = arg;
		break;
	case OPT_AGENT:
		line->opt.agent = arg;
		break;
	case 'j':
		line->opt.json = true;
		break;
	case ARGP_KEY_ARG:
		if (line->nr == 3)
			bad_usage("too many arguments: %s", arg);
		line->words[line->nr++] = arg;
		break;
	case ARGP_KEY_END:
		if (!line->nr)
			bad_usage("no command");
		break;
	default:
		return parse_other(key, arg, line);
	}
	return 0;
}

#define MORE_HELP \
	"SIZE is in bytes, or with K, M, G or T in powers of 1024. With --qmp, DOMAIN may be left out.\n\n" \
	"Exit status: 0 met, 1 nobody to ask or no such device, 2 wrong usage, 3 partly met by the timeout, 4 refused, 130 interrupted."

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "set DOMAIN SIZE\nlist [DOMAIN]\ntop",
	.doc = "Resize guests by virtio-mem, and see how far they are.\v" MORE_HELP,
};

/* Arguments that the command can use; else a line, and the status. */
static int understand(struct line *line, int *which)
{
	struct options *opt = &line->opt;
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(line->words[0], commands[i].name))
			break;
	}
	if (i == NR_COMMANDS)
		return complain(EXIT_USAGE, "no command %s, but set, list and top",
				line->words[0]);
	*which = i;
	for (int n = 0; n < line->nr_limits; n++) {
		if (!(line->limits[n] & commands[i].bit))
			return complain(EXIT_USAGE, "%s has no option --%s",
					commands[i].name, line->names[n]);
	}
	if (opt->qmp && opt->uri)
		return complain(EXIT_USAGE, "either --connect or --qmp");
	if (opt->agent && !opt->qmp)
		return complain(EXIT_USAGE, "--agent goes with --qmp");
	if (opt->prometheus && (opt->json || opt->guest))
		return complain(EXIT_USAGE, "--prometheus goes with no other form");
	if (commands[i].bit == TOP && line->nr > 1)
		return complain(EXIT_USAGE, "top shows all domains: no argument");
	if (commands[i].bit == LIST && line->nr > 2)
		return complain(EXIT_USAGE, "list takes one domain, or none");
	if (commands[i].bit != SET) {
		opt->domain = line->words[1];
		return 0;
	}
	if (line->nr < (opt->qmp ? 2 : 3))
		return complain(EXIT_USAGE, "set needs %sa size",
				opt->qmp ? "" : "a domain and ");
	if (line->nr == 3)
		opt->domain = line->words[1];
	if (!parse_size(line->words[line->nr - 1], &opt->size))
		return complain(EXIT_USAGE, "not a size: %s (a number, with K, M, G or T)",
				line->words[line->nr - 1]);
	return 0;
}

/**
 * complain() - say in a line what is wrong
 * @status: for the caller to return
 * @format: as for printf
 *
 * Return: @status.
 */
int complain(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("vmemctl: ", stderr);
	vfprintf(stderr, format, args);
	putc('\n', stderr);
	va_end(args);
	return status;
}

static void on_signal(int signal)
{
	interrupted = signal;
}

int main(int argc, char **argv)
{
	/* The second signal ends it, wherever it is. */
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESETHAND,
	};
	struct line line = { .opt = { .timeout = 300, .delay = 1 } };
	struct host *host;
	char *why = NULL;
	int which = 0, status;

	setlocale(LC_ALL, "");
	/* Sizes have a point, in JSON and in what scripts give. */
	setlocale(LC_NUMERIC, "C");
	if (argp_parse(&argp, argc, argv, 0, NULL, &line))
		return EXIT_USAGE;
	status = understand(&line, &which);
	if (status)
		return status;
	signal(SIGPIPE, SIG_IGN);
	host = line.opt.qmp ?
		qmp_open(line.opt.qmp, line.opt.agent, &why) :
		virt_open(line.opt.uri, commands[which].bit != SET &&
			  !line.opt.guest, &why);
	if (!host) {
		complain(EXIT_ERROR, "%s", why);
		free(why);
		return EXIT_ERROR;
	}
	/* Before, nothing was asked, and a signal just ends it. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	status = commands[which].run(host, &line.opt);
	if ((fflush(stdout) || ferror(stdout)) && !status)
		status = complain(EXIT_ERROR, "can't write the answer");
	/* Who never answers is not waited for, be it to say goodbye. */
	if (look_running() || host->lost)
		_exit(status);
	host->ops->close(host);
	return status;
}
