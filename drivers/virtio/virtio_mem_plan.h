/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: decides the next step from sizes, table and candidates, takes in how it
 * ended, and tells when a long call has become needless.  Includes
 * virtio_mem_bb.h and virtio_mem_choose.h only.
 */
#ifndef _VIRTIO_MEM_PLAN_H
#define _VIRTIO_MEM_PLAN_H

#include "virtio_mem_bb.h"
#include "virtio_mem_choose.h"

/**
 * enum virtio_mem_step_type - what the worker shall do next
 * @VIRTIO_MEM_STEP_NONE: nothing, because the request is met as well as can be
 * @VIRTIO_MEM_STEP_WAIT: nothing now, for the pass's cause
 * @VIRTIO_MEM_STEP_UNPLUG_ALL: ask the device to unplug everything
 * @VIRTIO_MEM_STEP_PLUG: ask the device to plug a run of UNUSED BBs
 * @VIRTIO_MEM_STEP_UNPLUG: ask the device to unplug a run of PLUGGED BBs
 * @VIRTIO_MEM_STEP_ADD: add one PLUGGED BB to Linux
 * @VIRTIO_MEM_STEP_SCAN: scan ADDED BBs, offer those that can go
 * @VIRTIO_MEM_STEP_SHRINK: take one ADDED BB out of Linux
 */
enum virtio_mem_step_type {
	VIRTIO_MEM_STEP_NONE,
	VIRTIO_MEM_STEP_WAIT,
	VIRTIO_MEM_STEP_UNPLUG_ALL,
	VIRTIO_MEM_STEP_PLUG,
	VIRTIO_MEM_STEP_UNPLUG,
	VIRTIO_MEM_STEP_ADD,
	VIRTIO_MEM_STEP_SCAN,
	VIRTIO_MEM_STEP_SHRINK,
};

/**
 * struct virtio_mem_step - one step
 * @type: what to do
 * @first: first BB, where the step names some
 * @nr: how many adjacent BBs; for SCAN: how many are to go
 * @quick: SHRINK: it must cost no migration, because others wait for it; if it
 *	costs one, put it off, that is, offer it again at its present cost
 * @doubted: SHRINK: a scan advises against it; the time for such tries is
 *	bounded
 */
struct virtio_mem_step {
	enum virtio_mem_step_type type;
	unsigned long first;
	unsigned long nr;
	bool quick;
	bool doubted;
};

/**
 * struct virtio_mem_situation - what a decision rests on, beside the table
 * @requested: bytes that the hypervisor wants
 * @foreign: bytes that are plugged but in no big block of this driver
 * @bb_size: bytes
 * @usable_bbs: BBs with ids below this can be plugged now
 * @online_room: BBs that may be added before too much waits to be onlined
 * @max_run: BBs that one request can name
 * @add_room: BBs for which there seems to be memory to add them one after the
 *	other, at least one; a guess, which limits a plug but forbids none
 * @add_trust: BBs that may be plugged though Linux has refused to add some; 0:
 *	nothing is added for now
 * @gap: see virtio_mem_plan_gap()
 * @may_doubt: there is time for tries that a scan advises against
 * @failed_ms: time that this pass has spent in vain
 * @unplug_all: memory that somebody else has left plugged must go first
 * @answer_pending: the device has not answered the request that is out
 * @ending: the worker shall end; it may still unplug what has left Linux
 * @waited_ms: how long BBs that have left Linux wait for their UNPLUG
 */
struct virtio_mem_situation {
	u64 requested;
	u64 foreign;
	u64 bb_size;
	unsigned long usable_bbs;
	unsigned long online_room;
	unsigned long max_run;
	unsigned long add_room;
	unsigned long add_trust;
	bool gap;
	bool may_doubt;
	u64 failed_ms;
	bool unplug_all;
	bool answer_pending;
	bool ending;
	u64 waited_ms;
};

/**
 * struct virtio_mem_pass - what one pass of the worker has learned
 * @cause: why the request is not met; NONE while there is hope
 * @doubt: the cause against the first BB that a scan advised against
 * @refusals: BBs that the device, or Linux, refused one by one
 * @unfit: by zone class (in a kernel zone or not): the guest can't do without
 *	so many pages or more; 0: nothing known
 * @single: name one BB a request, because one for several has failed
 * @plug_held: no more PLUG in this pass
 * @unplug_held: no more UNPLUG, and so no more shrinking
 * @add_held: no more ADD, and so no more PLUG
 * @shrink_held: no candidate is left
 * @scanned: the candidates are of this pass
 * @failed: some candidate was tried, or scanned again, in vain
 * @late: there was no time left for some candidate
 * @denied: there was no time left for some doubted candidate
 */
struct virtio_mem_pass {
	enum virtio_mem_cause cause;
	enum virtio_mem_cause doubt;
	unsigned int refusals;
	unsigned long unfit[2];
	bool single;
	bool plug_held;
	bool unplug_held;
	bool add_held;
	bool shrink_held;
	bool scanned;
	bool failed;
	bool late;
	bool denied;
};

unsigned long virtio_mem_plan_want(const struct virtio_mem_situation *in,
				   const struct virtio_mem_bbt *t);
u64 virtio_mem_plan_plugged(const struct virtio_mem_situation *in,
			    const struct virtio_mem_bbt *t);
bool virtio_mem_plan_needless(u64 requested, u64 plugged, u64 bb_size);
void virtio_mem_pass_begin(struct virtio_mem_pass *pass);
void virtio_mem_pass_unfit(struct virtio_mem_pass *pass,
			   const struct virtio_mem_candidate *c);
bool virtio_mem_pass_is_unfit(const struct virtio_mem_pass *pass,
			      const struct virtio_mem_candidate *c);
unsigned long virtio_mem_plan_gap(const struct virtio_mem_situation *in,
				  const struct virtio_mem_bbt *t);
bool virtio_mem_plan_scan_next(const struct virtio_mem_bbt *t,
			       unsigned long gap, unsigned long *id);
void virtio_mem_plan_next(const struct virtio_mem_situation *in,
			  const struct virtio_mem_bbt *t,
			  struct virtio_mem_candidates *cand,
			  struct virtio_mem_pass *pass,
			  struct virtio_mem_step *step);
void virtio_mem_plan_report(struct virtio_mem_pass *pass,
			    const struct virtio_mem_step *step,
			    enum virtio_mem_cause cause);

#endif /* _VIRTIO_MEM_PLAN_H */
