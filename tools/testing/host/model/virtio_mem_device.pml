/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table and the device as a Promela model: the worker plugs, adds, shrinks
 * and unplugs; the device answers as it likes, late or never, or breaks; the
 * guest is suspended, the driver removed and loaded again.  "run" checks it;
 * what it shows is said in docs/testing.md.
 *
 * Model                       Code, in drivers/virtio/
 * EDGE                        virtio_mem_bb.c: allowed
 * table_set                   virtio_mem_table.c: virtio_mem_table_set
 * request                     virtio_mem_vq.c: virtio_mem_vq_request,
 *                             virtio_mem_vq_poll
 * answered, acked             virtio_mem_answer.c: virtio_mem_answered, acked
 * resolve_error               virtio_mem_answer.c: resolve_error,
 *                             believe_device, ask_state, doubt
 * release                     virtio_mem_bb.c: virtio_mem_bbt_release
 * pass                        virtio_mem_work.c: run_pass, collect_late_answer
 *                             virtio_mem_plan.c: virtio_mem_plan_next,
 *                             plan_add, plan_give_back, plan_grow,
 *                             plan_shrink
 *                             virtio_mem_snapshot.c: virtio_mem_snapshot
 * unplug                      virtio_mem_plan.c: plan_give_back
 * adopt                       virtio_mem_adopt.c: adopt_one
 *                             virtio_mem.c: take_stock
 * worker                      virtio_mem_work.c: worker, wait_paused
 * remover                     virtio_mem.c: virtio_mem_remove,
 *                             virtio_mem_probe
 *                             virtio_mem_work.c: virtio_mem_work_stop
 * sleeper                     virtio_mem_pm.c: pm_notify, virtio_mem_pm_freeze,
 *                             come_to_rest, check_suspend, virtio_mem_pm_restore
 * HAS_MEMORY                  virtio_mem_pm.c: has_memory
 *                             virtio_mem_work.c: virtio_mem_work_pause,
 *                             virtio_mem_work_resume
 *
 * How a big block is taken out of Linux is in virtio_mem_claim.pml; here it is
 * one step that may fail.  Where virtio_mem_plan weighs, the model may do any of
 * it: what holds here holds for every plan.
 *
 * Parameters, given by -D:
 * SLEEPING    the guest is suspended, or hibernates, and resumed
 * RELOADING   the driver is removed and loaded again
 * LIVE        for what must happen one day
 */

/*
 * Defects that the model must notice, one at a time: by number in the
 * environment of pan, or by -DDEFECT for "spin -t", which can't run C.
 */
#define DOUBT_FORGOTTEN		1
#define DOUBT_RELEASED		2
#define SENT_TWICE		3
#define LATE_FORGOTTEN		4
#define BUSY_BELIEVED		5
#define ERROR_BELIEVED		6
#define SLEPT_PENDING		7
#define NO_TIMEOUT		8
#define ADOPTED_UNASKED		9
#define ADDED_IN_DOUBT		10
#define UNPLUGGED_ADDED		11
#define STATE_TAKEN_FOR_STEP	12
#define LOOKED_TOO_EARLY	13
#ifdef DEFECT
#define BROKEN(x)	(DEFECT == x)
#else
#define BROKEN(x)	c_expr { defect == x }
c_decl {
	\#include <stdlib.h>
	static int defect;
	__attribute__((constructor)) static void read_defect(void)
	{
		const char *number = getenv("DEFECT");

		defect = number ? atoi(number) : 0;
	}
}
#endif

#define NBB		2

/* The states of a big block, as in virtio_mem_bb.h. */
#define UNUSED		0
#define PLUGGED		1
#define ADDED		2
#define FAKE_OFFLINE	3

/* "run" compares these with allowed[]: one edge a line. */
#define EDGE(from, to) ( \
	(from == UNUSED && to == PLUGGED) || \
	(from == PLUGGED && to == UNUSED) || \
	(from == PLUGGED && to == ADDED) || \
	(from == ADDED && to == FAKE_OFFLINE) || \
	(from == FAKE_OFFLINE && to == ADDED) || \
	(from == FAKE_OFFLINE && to == PLUGGED))

/* Requests, and the steps that they belong to. */
#define NOTHING		0
#define PLUG		1
#define UNPLUG		2
#define UNPLUG_ALL	3
#define STATE		4

/* Answers. */
#define ACK		1
#define NACK		2
#define BUSY		3
#define ERROR		4	/* or what the specification does not have */
#define SILENT		5
#define GONE		6

/* struct virtio_mem */
byte state[NBB];
bool quarantine[NBB];		/* with DEV_ERROR as the cause */
byte step_type, step_first, step_nr;
bool unplug_all, device_stopped;
bool stopping, pausing, paused, exited;

/* struct virtio_mem_vq */
bool gone, pending, waiting;
byte sent, sent_first, sent_nr;	/* in the ring */
byte got, got_state;		/* used */

/* The device's truth, and how the request that it has looked at ends. */
bool plugged[NBB];
byte ending;

/* Linux's truth. */
bool added[NBB];

/* Facts that the driver can't know any more; ghosts, because nothing reads them. */
bool unclear[NBB];

#define ENDING		(stopping || pausing)
#define BOTH(first, nr)	((first) == 0 && (nr) == 2)
#define IN(id, first, nr)	((id) >= (first) && (id) < (first) + (nr))

inline table_set(bb, to) {
	assert(EDGE(state[bb], to));
	state[bb] = to
}

inline set_run(into) {
	i = first;
	do
	:: i < first + nr ->
		table_set(i, into);
		unclear[i] = false;
		i++
	:: else -> break
	od;
	i = 0
}

/* In: first, nr; out: answer. */
inline request(kind) {
	d_step {
		/* One at a time, and nothing that the device must refuse. */
		assert(!pending);
		assert(kind != PLUG || !IN(0, first, nr) || unclear[0] || !plugged[0]);
		assert(kind != PLUG || !IN(1, first, nr) || unclear[1] || !plugged[1]);
		assert(kind != UNPLUG || !IN(0, first, nr) || unclear[0] || plugged[0]);
		assert(kind != UNPLUG || !IN(1, first, nr) || unclear[1] || plugged[1]);
		if
		:: gone -> answer = GONE
		:: else ->
			pending = true;
			waiting = true;
			sent = kind;
			sent_first = first;
			sent_nr = nr
		fi
	}
	if
	:: pending && gone -> answer = GONE
	:: pending && !gone && got -> poll()
	:: pending && !gone && !got ->
		if
		:: BROKEN(NO_TIMEOUT) ->
			if
			:: gone -> answer = GONE
			:: got -> poll()
			fi
		:: else -> answer = SILENT
		fi
	:: !pending
	fi;
	waiting = false
}

inline poll() {
	d_step {
		if
		:: gone -> answer = GONE
		:: !gone && got -> answer = got; got = 0; pending = false
		:: else -> answer = SILENT
		fi
	}
}

inline stop_device() {
	if
	:: ENDING
	:: else -> device_stopped = true
	fi
}

/* The BBs from i on may be in either state. */
inline doubt() {
	d_step {
		do
		:: i < first + nr ->
			unclear[i] = true;
			if
			:: type != UNPLUG
			:: else ->
				if
				:: BROKEN(DOUBT_FORGOTTEN)
				:: else -> quarantine[i] = true
				fi
			fi;
			i++
		:: else -> break
		od
	}
}

inline resolve_error() {
	atomic { all_first = first; all_nr = nr; i = first }
	do
	:: i < all_first + all_nr ->
		first = i;
		nr = 1;
		request(STATE);
		if
		:: answer == ACK ->
			d_step {
				unclear[i] = false;
				if
				:: got_state == (type == PLUG) && type == PLUG ->
					table_set(i, PLUGGED)
				:: got_state == (type == PLUG) && type != PLUG ->
					table_set(i, UNUSED)
				:: else
				fi;
				got_state = 0;
				i++
			}
		:: answer == SILENT ->
			/* When it comes it is of no use any more. */
			if
			:: BROKEN(STATE_TAKEN_FOR_STEP) ->
				step_type = type;
				step_first = i;
				step_nr = 1
			:: else
			fi;
			break
		:: answer == GONE -> break
		:: answer == NACK || answer == BUSY || answer == ERROR ->
			device_stopped = true;
			break
		fi
	:: i < all_first + all_nr -> break	/* outside of the usable region */
	:: i == all_first + all_nr -> break
	od;
	atomic { first = all_first; nr = all_nr; all_first = 0; all_nr = 0 }
	doubt();
	i = 0
}

/* In: type, first, nr, answer. */
inline answered() {
	if
	:: answer == BUSY && BROKEN(BUSY_BELIEVED) -> answer = ACK
	:: answer == ERROR && BROKEN(ERROR_BELIEVED) -> answer = ACK
	:: else
	fi;
	if
	:: answer == ACK && type == PLUG -> d_step { set_run(PLUGGED) }
	:: answer == ACK && type == UNPLUG -> d_step { set_run(UNUSED) }
	:: answer == ACK && type == UNPLUG_ALL -> unplug_all = false
	:: answer == ACK && type == NOTHING
	:: answer == NACK || answer == BUSY
	:: answer == SILENT ->
		d_step { step_type = type; step_first = first; step_nr = nr }
	:: answer == GONE -> stop_device()
	:: answer == ERROR && (type == UNPLUG_ALL || type == NOTHING)
	:: answer == ERROR && (type == PLUG || type == UNPLUG) -> resolve_error()
	fi;
	d_step {
		type = NOTHING;
		first = 0;
		nr = 0;
		answer = 0;
		got_state = 0
	}
}

/* A new request, or it is long ago. */
inline release() {
	d_step {
		do
		:: i < NBB ->
			if
			:: state[i] != PLUGGED -> quarantine[i] = false
			:: else ->
				if
				:: BROKEN(DOUBT_RELEASED) -> quarantine[i] = false
				:: else
				fi
			fi;
			i++
		:: else -> break
		od;
		i = 0
	}
}

inline add(id) {
	if
	:: added[id] = true; table_set(id, ADDED)
	:: skip			/* no memory, or left alone from now on */
	fi
}

inline shrink(id) {
	table_set(id, FAKE_OFFLINE);
	if
	:: added[id] = false; table_set(id, PLUGGED)
	:: table_set(id, ADDED)
	fi
}

#define MAY_ADD(id)	(state[id] == PLUGGED && !quarantine[id])
#define MAY_PLUG(id)	(state[id] == UNUSED && !quarantine[id])
#define RESTING		(pending || device_stopped || ENDING)

inline unplug() {
	d_step {
		if
		:: state[0] == PLUGGED -> type = UNPLUG; first = 0
		:: state[0] != PLUGGED && state[1] == PLUGGED ->
			type = UNPLUG; first = 1
		:: else
		fi
	}
	if
	:: type == UNPLUG ->
		nr = 1;
		if
		:: first == 0 && state[1] == PLUGGED -> nr = 2
		:: true
		fi;
		request(UNPLUG);
		answered()
	:: else
	fi
}

/* One step, whichever; virtio_mem_plan chooses. */
inline pass() {
	if
	:: pending ->
		if
		:: got || gone ->
			poll();
			d_step {
				type = step_type;
				first = step_first;
				nr = step_nr;
				step_type = 0;
				step_first = 0;
				step_nr = 0
			}
			if
			:: BROKEN(LATE_FORGOTTEN) ->
				d_step { type = 0; first = 0; nr = 0; answer = 0 }
			:: else -> answered()
			fi
		:: else
		fi
	:: else
	fi;
	if
	:: true
	:: release()
	fi;
	if
	:: pending && BROKEN(SENT_TWICE) -> first = 0; nr = 1; request(UNPLUG)
	:: RESTING
	:: !RESTING && unplug_all ->
		type = UNPLUG_ALL;
		request(UNPLUG_ALL);
		answered()
	:: !RESTING && !unplug_all && MAY_ADD(0) -> add(0)
	:: !RESTING && !unplug_all && MAY_ADD(1) -> add(1)
	:: !RESTING && !unplug_all && quarantine[0] && state[0] == PLUGGED &&
	   BROKEN(ADDED_IN_DOUBT) -> add(0)
	:: !RESTING && !unplug_all && state[0] == ADDED ->
		shrink(0)
	:: !RESTING && !unplug_all && state[1] == ADDED -> shrink(1)
	:: !RESTING && !unplug_all ->
		d_step {
			if
			:: MAY_PLUG(0) -> type = PLUG; first = 0
			:: !MAY_PLUG(0) && MAY_PLUG(1) -> type = PLUG; first = 1
			:: else
			fi
		}
		if
		:: type == PLUG ->
			nr = 1;
			if
			:: first == 0 && MAY_PLUG(1) -> nr = 2
			:: true
			fi;
			request(PLUG);
			answered()
		:: else
		fi
	:: !RESTING && !unplug_all -> unplug()
	:: !RESTING && state[0] == ADDED && BROKEN(UNPLUGGED_ADDED) ->
		first = 0;
		nr = 1;
		type = UNPLUG;
		request(UNPLUG);
		d_step { type = 0; first = 0; nr = 0; answer = 0 }
	fi
}

/* The books at rest: what the driver can know is so. */
#define BOOKS(id) \
	(unclear[id] || pending || unplug_all || gone || \
	 (state[id] != UNUSED) == plugged[id])

active proctype worker() {
	byte type, first, nr, answer, i, all_first, all_nr;

again:
	do
	:: d_step { !ENDING -> assert(BOOKS(0) && BOOKS(1)) }
	   pass();
	   /* Big blocks out of Linux may go before it ends. */
	   do
	   :: ENDING && !gone && !pending && !device_stopped && !unplug_all ->
		unplug()
	   :: break
	   od
	:: stopping -> break
	:: pausing && !stopping ->
		paused = true;
		if
		:: stopping
		:: !pausing
		fi;
		paused = false
	od;
	exited = true;
#if RELOADING
end:
	!exited -> goto again
#endif
}

inline taken() {
	sent = NOTHING;
	sent_first = 0;
	sent_nr = 0
}

/* Does all, some or nothing of it, and says what it likes, or nothing. */
active proctype device() {
end:
	do
	:: atomic {
		sent == STATE ->
			if
			:: got_state = plugged[sent_first]; ending = ACK
			:: ending = ERROR
			fi;
			taken()
	   }
	:: atomic {
		(sent == PLUG || sent == UNPLUG) &&
		(!IN(0, sent_first, sent_nr) || plugged[0] == (sent == UNPLUG)) &&
		(!IN(1, sent_first, sent_nr) || plugged[1] == (sent == UNPLUG)) ->
			plugged[sent_first] = (sent == PLUG);
			plugged[sent_first + sent_nr - 1] = (sent == PLUG);
			taken();
			if
			:: ending = ACK
			:: ending = ERROR
			fi
	   }
	:: atomic {
		(sent == PLUG || sent == UNPLUG) ->
			/* Only the first of two. */
			plugged[sent_first] = (sent == PLUG);
			taken();
			ending = ERROR
	   }
	:: atomic {
		sent == UNPLUG_ALL ->
			plugged[0] = false;
			plugged[1] = false;
			taken();
			if
			:: ending = ACK
			:: ending = ERROR
			fi
	   }
	:: atomic {
		sent == PLUG || sent == UNPLUG || sent == UNPLUG_ALL ->
			taken();
			if
			:: ending = ERROR
			:: ending = NACK
			:: ending = BUSY
			fi
	   }
	:: d_step { ending != 0 && pending -> got = ending; ending = 0 }
	:: d_step { !gone && pending -> gone = true }	/* breaks */
	:: break
	od
}

/* virtio_mem_vq_close(): the device owns no buffer any more. */
inline reset() {
	d_step {
		pending = false;
		sent = NOTHING;
		ending = 0;
		got = 0;
		got_state = 0;
		sent_first = 0;
		sent_nr = 0
	}
}

#if SLEEPING
/* By the table or by the device's books. */
#define HAS_MEMORY	(unplug_all || plugged[0] || plugged[1] || \
			 state[0] != UNUSED || state[1] != UNUSED)

/* A machine that is off, as for hibernation, has lost what was plugged. */
inline lose() {
	d_step {
		plugged[0] = false;
		plugged[1] = false
	}
}

active proctype sleeper() {
	bool had_memory;

	do
	:: !exited ->
		had_memory = HAS_MEMORY;
		pausing = true;
		if
		:: paused && !device_stopped && !gone ->
			if
			:: pending && BROKEN(SLEPT_PENDING) ->
				gone = true; reset(); gone = false
			:: pending
			:: !pending -> gone = true; reset(); gone = false
			:: !pending &&
			   (BROKEN(LOOKED_TOO_EARLY) -> !had_memory :
			    !HAS_MEMORY) ->
				gone = true; reset(); lose(); gone = false
			fi
		:: true			/* not in time: refused */
		fi;
		pausing = false
	:: break
	od
}
#endif

#if RELOADING
/* STATE of each BB, by the device; what Linux has is in its resources. */
inline adopt(id) {
	if
	:: BROKEN(ADOPTED_UNASKED) -> state[id] = (added[id] -> ADDED : PLUGGED)
	:: else ->
		state[id] = (plugged[id] -> (added[id] -> ADDED : PLUGGED) : UNUSED)
	fi
}

active proctype remover() {
	do
	:: true ->
		stopping = true;
		gone = true;
		exited;
		reset();
		/* Everything but the device's and Linux's truth is gone. */
		atomic {
			quarantine[0] = false;
			quarantine[1] = false;
			unclear[0] = false;
			unclear[1] = false;
			step_type = 0;
			step_first = 0;
			step_nr = 0;
			device_stopped = false;
			unplug_all = false;
			if
			:: added[0] || added[1] -> adopt(0); adopt(1)
			:: else ->
				state[0] = UNUSED;
				state[1] = UNUSED;
				unplug_all = (plugged[0] || plugged[1])
			fi;
			stopping = false;
			gone = false;
			exited = false
		}
	:: break
	od
}
#endif

/* Linux never has what is unplugged. */
#define ALWAYS \
	((!added[0] || plugged[0]) && (!added[1] || plugged[1]) && \
	 (state[0] != ADDED || added[0]) && (state[1] != ADDED || added[1]))

#if !LIVE
active proctype monitor() {
end:
	atomic { !ALWAYS -> assert(ALWAYS) }
}
#else
ltl requests_end { [] (waiting -> <> !waiting) }
#endif
