/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory device in software: its state, who may touch which part of it, and
 * the functions that the files of this module share.
 *
 *   main --> sleep --> transport --> ring --> fault
 *     \--> debugfs                     \----> model --> poison
 *                                       \---> record
 */
#ifndef _MOCK_H
#define _MOCK_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/virtio.h>
#include <linux/virtio_mem.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define MOCK_NAME		"virtio_mem_mock"
#define MOCK_MAX_DEVICES	8
#define MOCK_QUEUE_SIZE		16
#define MOCK_MAX_HELD		MOCK_QUEUE_SIZE
#define MOCK_MAX_RULES		16
#define MOCK_LOG_LINES		512
#define MOCK_NR_REQUESTS	4
/* The four of the specification, and all others together. */
#define MOCK_NR_COUNTED		5
/* Counted answers: the specification's, others, none at all. */
#define MOCK_ANSWER_OTHER	4
#define MOCK_ANSWER_NONE	5
#define MOCK_NR_ANSWERS		6

/**
 * enum mock_violation - actions that are forbidden to a driver
 * @MOCK_V_PLUG_TWICE: plugging a block that is plugged
 * @MOCK_V_NOT_PLUGGED: unplugging a block that is not
 * @MOCK_V_OUTSIDE: naming a block outside of the usable region
 * @MOCK_V_OVERLAP: a request while another one is pending
 * @MOCK_V_MALFORMED: a malformed request
 * @MOCK_V_IN_USE: unplugging memory that Linux still has
 * @MOCK_V_TOUCHED: writing to unplugged memory
 * @MOCK_V_EARLY: a request before DRIVER_OK
 * @MOCK_V_CONFIG: writing to the configuration space
 * @MOCK_V_LEFT: leaving the queue behind when the device goes
 * @MOCK_V_ATTACHED: giving the queue back with a request still attached
 * @MOCK_V_ASLEEP: letting the guest sleep with memory plugged that the device
 *	does not keep
 * @MOCK_V_NR: how many there are
 */
enum mock_violation {
	MOCK_V_PLUG_TWICE,
	MOCK_V_NOT_PLUGGED,
	MOCK_V_OUTSIDE,
	MOCK_V_OVERLAP,
	MOCK_V_MALFORMED,
	MOCK_V_IN_USE,
	MOCK_V_TOUCHED,
	MOCK_V_EARLY,
	MOCK_V_CONFIG,
	MOCK_V_LEFT,
	MOCK_V_ATTACHED,
	MOCK_V_ASLEEP,
	MOCK_V_NR,
};

/* Fields of the configuration space about which the device can lie. */
enum mock_field {
	MOCK_BLOCK_SIZE,
	MOCK_NODE_ID,
	MOCK_ADDR,
	MOCK_REGION_SIZE,
	MOCK_USABLE_REGION_SIZE,
	MOCK_PLUGGED_SIZE,
	MOCK_REQUESTED_SIZE,
	MOCK_FIELD_NR,
};

/**
 * enum mock_do - ways to treat a request differently
 * @MOCK_DO_ANSWER: another answer; argument: its type
 * @MOCK_DO_LEN: another used length; argument: bytes
 * @MOCK_DO_TWICE: answer twice
 * @MOCK_DO_EARLY: say that there is an answer before there is, as if the one before
 *	came twice
 * @MOCK_DO_LATE: answer late; argument: ms
 * @MOCK_DO_NEVER: answer when told to, or never
 * @MOCK_DO_BREAK: the queue breaks, as after a surprise removal
 * @MOCK_DO_NEEDS_RESET: the device gives up and asks for a reset
 * @MOCK_DO_RESET: the device resets itself and says nothing
 * @MOCK_DO_REQUESTED: requested size changes; argument: bytes
 * @MOCK_DO_USABLE: usable region changes; argument: bytes
 * @MOCK_DO_SAYS: answer with another state of blocks; argument: the state
 * @MOCK_DO_DONE: do the request, whatever the answer
 * @MOCK_DO_UNDONE: don't do the request, whatever the answer
 * @MOCK_DO_LIE: the first of as many as the configuration has fields: lie about
 *	that field from now on; argument: its value
 * @MOCK_DO_NR: how many there are
 */
enum mock_do {
	MOCK_DO_ANSWER,
	MOCK_DO_LEN,
	MOCK_DO_TWICE,
	MOCK_DO_EARLY,
	MOCK_DO_LATE,
	MOCK_DO_NEVER,
	MOCK_DO_BREAK,
	MOCK_DO_NEEDS_RESET,
	MOCK_DO_RESET,
	MOCK_DO_REQUESTED,
	MOCK_DO_USABLE,
	MOCK_DO_SAYS,
	MOCK_DO_DONE,
	MOCK_DO_UNDONE,
	MOCK_DO_LIE,
	MOCK_DO_NR = MOCK_DO_LIE + MOCK_FIELD_NR,
};

/**
 * struct mock_plan - how to treat one request differently
 * @set: BIT(MOCK_DO_*)
 * @arg: arguments
 */
struct mock_plan {
	unsigned long set;
	u64 arg[MOCK_DO_NR];
};

/**
 * struct mock_rule - which requests to treat differently, and how
 * @used: there is a rule here
 * @types: BIT(VIRTIO_MEM_REQ_*) that it is about
 * @plan: how to treat them
 * @next: so many more requests; 0: without end
 * @every: every so many requests; 0: not so
 * @chance: in 1000, with @rnd; 0: not so
 * @rnd: state of the random numbers
 * @seen: requests of these types so far
 * @hits: requests so far that the device treated so
 */
struct mock_rule {
	bool used;
	unsigned long types;
	struct mock_plan plan;
	u64 next;
	u64 every;
	u64 chance;
	struct rnd_state rnd;
	u64 seen;
	u64 hits;
};

/**
 * struct mock_request - a request in CPU byte order
 * @type: VIRTIO_MEM_REQ_*, or anything
 * @addr: first block, bytes
 * @nr: blocks
 */
struct mock_request {
	u16 type;
	u64 addr;
	u16 nr;
};

/**
 * struct mock_answer - an answer in CPU byte order
 * @type: VIRTIO_MEM_RESP_*, or anything
 * @state: VIRTIO_MEM_STATE_*
 */
struct mock_answer {
	u16 type;
	u16 state;
};

/**
 * struct mock_held - a request that the device has not answered yet
 * @used: there is one here
 * @never: answer it on order only
 * @due: when to answer it, jiffies
 * @head: its first descriptor
 * @len: used length
 * @twice: answer twice
 * @type: VIRTIO_MEM_REQ_*, for the counters
 * @line: its line of the log
 * @answer: the answer
 */
struct mock_held {
	bool used;
	bool never;
	unsigned long due;
	u16 head;
	u32 len;
	bool twice;
	u16 type;
	u64 line;
	struct mock_answer answer;
};

/**
 * struct mock_line - one request in the log
 * @ms: when it came, since boot
 * @request: the request
 * @answer: VIRTIO_MEM_RESP_* or another answer that was ordered
 * @answered: whether the device has answered it
 * @set: BIT(MOCK_DO_*) that were done
 */
struct mock_line {
	u64 ms;
	struct mock_request request;
	u16 answer;
	bool answered;
	unsigned long set;
};

struct platform_device;
struct task_struct;

/**
 * struct mock - a device
 * @index: its number
 * @pdev: the parent, through which suspend reaches the transport
 * @features: offered
 *
 * @register_lock: held while @vdev comes and goes; taken before @lock
 * @live: virtio devices that are not freed yet
 * @freed: wait queue to wake when one is freed
 *
 * @lock: guards all below.  Never held while the device is registered or
 *	unregistered, because the driver's probe and remove call the transport,
 *	which takes it.
 * @vdev: the virtio device, NULL while there is none
 * @status: virtio status byte (the driver writes it without a lock)
 * @gone: all reads return 0xff, as after a surprise removal
 * @dead: the device serves nothing until the driver resets it
 * @vq: the queue, NULL while there is none
 * @last_avail: how many available descriptors the device has taken
 * @last_used: how many used elements the device has written
 * @held: requests that the device has not answered yet
 * @frozen: how often the driver has let the device go to sleep
 * @restored: how often it has come back
 * @refused: how often the driver has refused
 * @wake_ms: a suspend ends so long after it began; below 0: nothing ends it
 * @wake_work: ends a sleep
 *
 * @addr: region, bytes
 * @size: region, bytes
 * @real: of these, with memory behind them, from @addr on
 * @mem: all of that, mapped
 * @block_size: bytes
 * @node: ACPI proximity domain
 * @usable: usable region, bytes
 * @requested: bytes
 * @plugged: bytes
 * @bitmap: blocks that are plugged
 *
 * @rule: faults
 * @count: requests by type and answer
 * @interrupts: for answers
 * @config_interrupts: for changes
 * @violation: how many of each
 * @last_violation: the last one, for people
 * @log: the last requests
 * @lines: how many requests the log has seen
 * @first_line: the first of them that a read shows
 *
 * @config_lock: guards all below; last of all locks
 * @shown: configuration space
 * @generation: how often @shown has changed
 * @lying: BIT(MOCK_*) of fields that don't tell the truth
 * @lie: the values that these fields tell
 *
 * @task: serves the queue
 * @wake: wait queue where it sleeps
 * @kicked: there may be something in the queue
 */
struct mock {
	unsigned int index;
	struct platform_device *pdev;
	u64 features;

	struct mutex register_lock;	/* while vdev comes and goes */
	atomic_t live;
	wait_queue_head_t freed;

	struct mutex lock;		/* guards all below */
	struct virtio_device *vdev;
	u8 status;
	bool gone;
	bool dead;
	struct virtqueue *vq;
	u16 last_avail;
	u16 last_used;
	struct mock_held held[MOCK_MAX_HELD];
	u64 frozen;
	u64 restored;
	u64 refused;
	int wake_ms;
	struct delayed_work wake_work;

	u64 addr;
	u64 size;
	u64 real;
	void *mem;
	u64 block_size;
	u16 node;
	u64 usable;
	u64 requested;
	u64 plugged;
	unsigned long *bitmap;

	struct mock_rule rule[MOCK_MAX_RULES];
	u64 count[MOCK_NR_COUNTED][MOCK_NR_ANSWERS];
	u64 interrupts;
	u64 config_interrupts;
	u64 violation[MOCK_V_NR];
	char last_violation[120];
	struct mock_line log[MOCK_LOG_LINES];
	u64 lines;
	u64 first_line;

	spinlock_t config_lock;		/* guards all below */
	struct virtio_mem_config shown;
	u32 generation;
	unsigned long lying;
	u64 lie[MOCK_FIELD_NR];

	struct task_struct *task;
	wait_queue_head_t wake;
	bool kicked;
};

/* mock_transport.c */
int mock_transport_find(struct virtio_device *vdev, unsigned int nvqs,
			struct virtqueue **vqs,
			void (*callback)(struct virtqueue *vq),
			const char *name);
int mock_transport_add(struct mock *m);
int mock_transport_remove(struct mock *m, bool surprise);
void mock_transport_wait(struct mock *m);
void mock_transport_changed(struct mock *m);

/* mock_sleep.c */
void mock_sleep_init(struct mock *m);
void mock_sleep_exit(struct mock *m);
int mock_sleep_freeze(struct mock *m);
void mock_sleep_last(struct mock *m);
int mock_sleep_restore(struct mock *m);

/* mock_ring.c */
int mock_ring_start(struct mock *m);
void mock_ring_stop(struct mock *m);
void mock_ring_kick(struct mock *m);
void mock_ring_open(struct mock *m, struct virtqueue *vq);
void mock_ring_reset(struct mock *m);
unsigned int mock_ring_release(struct mock *m);
unsigned int mock_ring_pending(struct mock *m);

/* mock_model.c */
extern const char *const mock_model_fields[MOCK_FIELD_NR];
int mock_model_init(struct mock *m);
void mock_model_exit(struct mock *m);
u64 mock_model_blocks(const struct mock *m);
void mock_model_show(struct mock *m);
void mock_model_lie(struct mock *m, enum mock_field field, u64 value);
void mock_model_truth(struct mock *m);
int mock_model_request_size(struct mock *m, u64 requested);
void mock_model_set_usable(struct mock *m, u64 usable);
int mock_model_system_reset(struct mock *m);
int mock_model_leave(struct mock *m, u64 addr, u64 size);
void mock_model_judge(struct mock *m, const struct mock_request *req);
void mock_model_do(struct mock *m, const struct mock_request *req,
		   struct mock_answer *answer);

/* mock_poison.c */
int mock_poison_map(struct mock *m);
void mock_poison_unmap(struct mock *m);
void mock_poison_fill(struct mock *m, u64 addr, u64 size);
bool mock_poison_check(struct mock *m, u64 addr, u64 size);

/* mock_fault.c */
int mock_fault_parse(struct mock *m, char *line);
void mock_fault_clear(struct mock *m);
void mock_fault_pick(struct mock *m, u16 type, struct mock_plan *plan);
void mock_fault_show(struct seq_file *s, struct mock *m);
void mock_fault_show_set(struct seq_file *s, unsigned long set);

/* mock_record.c */
__printf(3, 4)
void mock_record_violation(struct mock *m, enum mock_violation v,
			   const char *fmt, ...);
u64 mock_record_request(struct mock *m, const struct mock_request *req,
			const struct mock_plan *plan);
void mock_record_answer(struct mock *m, u64 line, u16 type, u16 answer);
void mock_record_silence(struct mock *m, u16 type);
const char *mock_record_request_name(u16 type);
void mock_record_counters(struct seq_file *s, struct mock *m);
void mock_record_violations(struct seq_file *s, struct mock *m);
void mock_record_log(struct seq_file *s, struct mock *m);
void mock_record_clear_log(struct mock *m);
void mock_record_clear_violations(struct mock *m);

/* mock_debugfs.c */
void mock_debugfs_init(void);
void mock_debugfs_add(struct mock *m);
void mock_debugfs_exit(void);

#endif /* _MOCK_H */
