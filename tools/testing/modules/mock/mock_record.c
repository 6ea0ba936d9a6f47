// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The records: violations by the driver, counters, the last requests.
 */
#include <linux/ktime.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "mock.h"

static const char *const violations[MOCK_V_NR] = {
	[MOCK_V_PLUG_TWICE] = "plug_twice",
	[MOCK_V_NOT_PLUGGED] = "not_plugged",
	[MOCK_V_OUTSIDE] = "outside",
	[MOCK_V_OVERLAP] = "overlap",
	[MOCK_V_MALFORMED] = "malformed",
	[MOCK_V_IN_USE] = "in_use",
	[MOCK_V_TOUCHED] = "touched",
	[MOCK_V_EARLY] = "early",
	[MOCK_V_CONFIG] = "config",
	[MOCK_V_LEFT] = "left",
	[MOCK_V_ATTACHED] = "attached",
	[MOCK_V_ASLEEP] = "asleep",
};

static const char *const requests[MOCK_NR_COUNTED] = {
	[VIRTIO_MEM_REQ_PLUG] = "PLUG",
	[VIRTIO_MEM_REQ_UNPLUG] = "UNPLUG",
	[VIRTIO_MEM_REQ_UNPLUG_ALL] = "UNPLUG_ALL",
	[VIRTIO_MEM_REQ_STATE] = "STATE",
	[MOCK_NR_REQUESTS] = "other",
};

static const char *const answers[MOCK_NR_ANSWERS] = {
	[VIRTIO_MEM_RESP_ACK] = "ACK",
	[VIRTIO_MEM_RESP_NACK] = "NACK",
	[VIRTIO_MEM_RESP_BUSY] = "BUSY",
	[VIRTIO_MEM_RESP_ERROR] = "ERROR",
	[MOCK_ANSWER_OTHER] = "other",
	[MOCK_ANSWER_NONE] = "none",
};

static u16 request_index(u16 type)
{
	return min_t(u16, type, MOCK_NR_REQUESTS);
}

static u16 answer_index(u16 type)
{
	return min_t(u16, type, MOCK_ANSWER_OTHER);
}

/**
 * mock_record_request_name() - a request's name for people
 * @type: VIRTIO_MEM_REQ_*, or anything
 *
 * Return: a constant string.
 */
const char *mock_record_request_name(u16 type)
{
	return requests[request_index(type)];
}

/**
 * mock_record_violation() - record a violation by the driver
 * @m: the device
 * @v: the kind
 * @fmt: details for people
 *
 * Context: with the lock held.
 */
void mock_record_violation(struct mock *m, enum mock_violation v,
			   const char *fmt, ...)
{
	char what[80];
	va_list args;

	va_start(args, fmt);
	vscnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	m->violation[v]++;
	scnprintf(m->last_violation, sizeof(m->last_violation), "%s: %s",
		  violations[v], what);
	pr_err_ratelimited(MOCK_NAME " %u: violation: %s\n", m->index,
			   m->last_violation);
}

/**
 * mock_record_request() - record a request
 * @m: the device
 * @req: the request
 * @plan: how the device treats it differently
 *
 * Context: with the lock held.
 * Return: its line, for mock_record_answer().
 */
u64 mock_record_request(struct mock *m, const struct mock_request *req,
			const struct mock_plan *plan)
{
	struct mock_line *line = &m->log[m->lines % MOCK_LOG_LINES];

	line->ms = ktime_to_ms(ktime_get_boottime());
	line->request = *req;
	line->answered = false;
	line->set = plan->set;
	return m->lines++;
}

/**
 * mock_record_answer() - record the answer to a request
 * @m: the device
 * @line: from mock_record_request()
 * @type: VIRTIO_MEM_REQ_*
 * @answer: VIRTIO_MEM_RESP_*, or anything
 *
 * Context: with the lock held.
 */
void mock_record_answer(struct mock *m, u64 line, u16 type, u16 answer)
{
	m->count[request_index(type)][answer_index(answer)]++;
	if (m->lines - line > MOCK_LOG_LINES)
		return;
	m->log[line % MOCK_LOG_LINES].answered = true;
	m->log[line % MOCK_LOG_LINES].answer = answer;
}

/**
 * mock_record_silence() - record that a request will never get its answer
 * @m: the device
 * @type: VIRTIO_MEM_REQ_*
 *
 * Context: with the lock held.
 */
void mock_record_silence(struct mock *m, u16 type)
{
	m->count[request_index(type)][MOCK_ANSWER_NONE]++;
}

/**
 * mock_record_counters() - print the numbers of requests by type and answer
 * @s: the file to print to
 * @m: the device
 */
void mock_record_counters(struct seq_file *s, struct mock *m)
{
	unsigned int r, a;

	for (r = 0; r < MOCK_NR_COUNTED; r++) {
		seq_printf(s, "%s", requests[r]);
		for (a = 0; a < MOCK_NR_ANSWERS; a++)
			seq_printf(s, " %s %llu", answers[a], m->count[r][a]);
		seq_putc(s, '\n');
	}
	seq_printf(s, "interrupts %llu\n", m->interrupts);
	seq_printf(s, "config_interrupts %llu\n", m->config_interrupts);
}

/**
 * mock_record_violations() - print the number of violations of each kind
 * @s: the file to print to
 * @m: the device
 */
void mock_record_violations(struct seq_file *s, struct mock *m)
{
	u64 total = 0;
	unsigned int v;

	for (v = 0; v < MOCK_V_NR; v++)
		total += m->violation[v];
	seq_printf(s, "total %llu\n", total);
	for (v = 0; v < MOCK_V_NR; v++)
		seq_printf(s, "%s %llu\n", violations[v], m->violation[v]);
	seq_printf(s, "last %s\n", m->last_violation);
}

/**
 * mock_record_log() - print the last requests, oldest first
 * @s: the file to print to
 * @m: the device
 */
void mock_record_log(struct seq_file *s, struct mock *m)
{
	u64 i = m->lines > MOCK_LOG_LINES ? m->lines - MOCK_LOG_LINES : 0;

	for (i = max(i, m->first_line); i < m->lines; i++) {
		const struct mock_line *line = &m->log[i % MOCK_LOG_LINES];

		seq_printf(s, "%llu %llu.%03llu %s 0x%llx %u ", i,
			   line->ms / 1000, line->ms % 1000,
			   mock_record_request_name(line->request.type),
			   line->request.addr, line->request.nr);
		if (!line->answered)
			seq_puts(s, "-");
		else if (line->answer < MOCK_ANSWER_OTHER)
			seq_puts(s, answers[line->answer]);
		else
			seq_printf(s, "%u", line->answer);
		mock_fault_show_set(s, line->set);
		seq_putc(s, '\n');
	}
}

/**
 * mock_record_clear_log() - forget counters and requests
 * @m: the device
 *
 * Context: with the lock held.
 */
void mock_record_clear_log(struct mock *m)
{
	memset(m->count, 0, sizeof(m->count));
	m->interrupts = 0;
	m->config_interrupts = 0;
	m->first_line = m->lines;
}

/**
 * mock_record_clear_violations() - forget violations
 * @m: the device
 *
 * Context: with the lock held.
 */
void mock_record_clear_violations(struct mock *m)
{
	memset(m->violation, 0, sizeof(m->violation));
	m->last_violation[0] = 0;
}
