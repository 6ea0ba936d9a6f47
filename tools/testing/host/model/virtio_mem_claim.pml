/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The claims of big blocks as a Promela model: the worker adds and shrinks, user
 * space on- and offlines the same memory, others use and look at its pages and
 * veto, and the driver is unloaded at any time.  "run" checks it; what it shows
 * is said in docs/testing.md.
 *
 * Model                       Code, in drivers/virtio/
 * EDGE                        virtio_mem_bb.c: allowed
 * table_set                   virtio_mem_table.c: virtio_mem_table_set
 * MAY_ONLINE                  virtio_mem_mm.c: may_online
 * IS_COUNTED                  virtio_mem_mm.c: is_counted
 * on_memory_event             virtio_mem_mm.c: on_memory_event, going_online,
 *                             going_offline
 * changed                     virtio_mem_mm.c: changed, count_offline
 * notify_claimed              virtio_mem_mm.c: notify_claimed
 * hand_over                   virtio_mem_pages.c: virtio_mem_pages_hand_over
 * take_over                   virtio_mem_pages.c: virtio_mem_pages_take_over
 * take_pages                  virtio_mem_mm.c: bounded_empty, each_run
 * take_run                    virtio_mem_mm.c: take_run
 * take                        virtio_mem_pages.c: virtio_mem_pages_take
 * give_back                   virtio_mem_mm.c: give_back_pages
 *                             virtio_mem_pages.c: virtio_mem_pages_give_back
 * claim, end_claim            virtio_mem_mm.c: claim, end_claim
 * shrink                      virtio_mem_mm.c: virtio_mem_mm_shrink,
 *                             leave_directly, leave_taken, bounded_offline
 * add                         virtio_mem_mm.c: virtio_mem_mm_add
 * bound_begin, bound_end      virtio_mem_bound.c: virtio_mem_bound_begin,
 *                             virtio_mem_bound_end
 * bound_raise                 virtio_mem_bound.c: bound_raise
 * newer_request               virtio_mem_config.c: config_work
 *                             virtio_mem_bound.c: virtio_mem_bound_raise
 * worker                      virtio_mem_work.c: worker, run_pass, end_worker
 *                             virtio_mem_bound.c: virtio_mem_bound_look
 * remover                     virtio_mem.c: virtio_mem_remove
 *                             virtio_mem_work.c: virtio_mem_work_stop
 * teardown                    virtio_mem_work.c: virtio_mem_teardown
 *
 * core_* is what mm/memory_hotplug.c and drivers/base/memory.c do.  What the
 * device makes of requests is in virtio_mem_device.pml; here it does what it is
 * asked.  A step of the model is what the code does between two points at which
 * others can see it; a critical section has two: taking the lock, and the rest.
 *
 * Parameters, given by -D:
 * NBB, NP         big blocks of two memory blocks of NP pages, 4 pages in all
 * UNMANAGES_ALL   as VIRTIO_MEM_OFFLINING_UNMANAGES_ALL
 * ONLINING        user space on- and offlines memory
 * USING           pages are used, pinned and freed
 * LOOKING         somebody takes references to pages in passing
 * NEWER           a newer request ends what is under way
 * LEAVING         the driver is unloaded, the device removed
 * ADOPTED         the first big block is there when the driver is loaded
 * LIVE            for what must happen one day: all others come to rest
 */
#ifndef NBB
#define NBB		1
#endif
#define MBS		2
#define NP		(2 / NBB)
#ifndef UNMANAGES_ALL
#define UNMANAGES_ALL	0
#endif

/*
 * Defects that the model must notice, one at a time: by number in the
 * environment of pan, or by -DDEFECT for "spin -t", which can't run C.
 */
#define NOT_GIVEN_BACK		1
#define ONLINING_NOT_REFUSED	2
#define OFFLINING_NOT_REFUSED	3
#define CANCEL_UNASKED		4
#define CHANGING_LEFT		5
#define CHANGING_IGNORED	6
#define UNPLUG_TOO_EARLY	7
#define SIGNAL_LEFT		8
#define NO_DEADLINE		9
#define BLIND_DECREMENT		10
#define HAND_OVER_UNCOUNTED	11
#define TAKEN_LEFT		12
#define LOCK_KEPT		13
#define REMOVE_WAITS		14
#define ADDING_LEFT		15
#define CLAIM_LEFT		16
#define ADDING_UNMARKED		17
#define WORKER_REFUSED		18
#define TEARDOWN_TOO_EARLY	19
#define CLAIM_UNMARKED		20
#define ACKED_TOO_EARLY		21
#define ORPHANED_ANYWAY		22
#define COUNTED_ONCE		23
#define COUNTED_TOO_EARLY	24
#define LATE_BEGUN		25
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

#define NPAGES		4
#define NO		NBB		/* VIRTIO_MEM_NO_BB */
#define NOPAGE		NPAGES

/* Who holds a lock; 0: nobody. */
#define WORKER		1
#define USER		2
#define REMOVER		3

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

/* Whose a page is. */
#define HOST		0	/* not added */
#define OFFLINE		1	/* added, but its memory block is offline */
#define FREE		2	/* the allocator's */
#define USED		3	/* somebody's, can be migrated */
#define PINNED		4	/* somebody's, can't be migrated now */
#define TAKEN		5	/* the driver's: refcount 1, PageOffline */
#define HANDED		6	/* with the core's offlining: refcount 0 */

/* Results. */
#define OK		0
#define EBUSY		1
#define EINTR		2
#define ENOMEM		3
#define EPERM		4	/* others on the notifier chain say no */

/* Memory events. */
#define NO_EVENT	0
#define GOING_ONLINE	1
#define CANCEL_ONLINE	2
#define ONLINE		3
#define GOING_OFFLINE	4
#define CANCEL_OFFLINE	5
#define WENT_OFFLINE	6

/* Locks of the core, outermost first, and ours. */
byte device_hotplug, mem_hotplug, chain;
byte hotplug_mutex;

/* struct virtio_mem */
byte state[NBB];
byte adding = NO, claimed = NO, changing = NO;
bool taken[MBS];
bool handed;
byte offline_blocks;	/* offline_bytes */
bool registered;	/* memory_nb */
bool stopping, ended, orphaned, exited, freed;

/* struct virtio_mem_bound, and what it bounds */
bool open, stop, late, why, timer, sigkill;
bool newer;		/* there is a request that the worker has not seen */

/* The core's books. */
bool online[NBB * MBS], isolated[NBB * MBS], present[NBB];
byte owner[NPAGES];
byte managed;
byte looked_at = NOPAGE;	/* has one reference more */

/* Memory was being on- or offlined when the notifier was registered. */
bool missed;
bool counted, recount;

/* The device's truth. */
bool plugged[NBB];

#define BB(block)		((block) / MBS)
#define PAGE(block, nr)		((block) * NP + (nr))
#define BLOCK_HAS(block, who) \
	(owner[PAGE(block, 0)] == who || owner[PAGE(block, NP - 1)] == who)

#define lock(l)		atomic { l == 0 -> l = me }
#define unlock(l)	atomic { assert(l == me); l = 0 }

inline table_set(to) {
	assert(hotplug_mutex == me);
	assert(EDGE(state[id], to));
	state[id] = to
}

/*
 * The driver's end of the notifier chain.  mb: the memory block; rc: what the
 * notifier says.
 */

inline hand_over() {
	d_step {
		/* All or none: what was frozen is restored if one can't be. */
		if
		:: BROKEN(BLIND_DECREMENT)
		:: else ->
			if
			:: looked_at / NP == mb -> rc = EBUSY
			:: else
			fi
		fi;
		do
		:: k < NP && rc == OK ->
			assert(owner[PAGE(mb, k)] == TAKEN);
			owner[PAGE(mb, k)] = HANDED;
			k++
		:: else -> break
		od;
		k = 0;
		if
		:: rc == OK && UNMANAGES_ALL ->
			if
			:: BROKEN(HAND_OVER_UNCOUNTED)
			:: else -> managed = managed + NP
			fi
		:: else
		fi;
		handed = (rc == OK)
	}
}

inline take_over() {
	d_step {
		do
		:: k < NP ->
			assert(owner[PAGE(mb, k)] == HANDED);
			owner[PAGE(mb, k)] = TAKEN;
			k++
		:: else -> break
		od;
		k = 0;
		managed = managed - (UNMANAGES_ALL -> NP : 0);
		handed = false
	}
}

inline notify_claimed() {
	if
	:: event == GOING_OFFLINE && taken[mb % MBS] -> hand_over()
	:: event == CANCEL_OFFLINE && handed -> take_over()
	:: event == CANCEL_OFFLINE && !handed && BROKEN(CANCEL_UNASKED) ->
		take_over()
	:: event == WENT_OFFLINE && handed ->
		d_step {
			if
			:: BROKEN(TAKEN_LEFT)
			:: else -> taken[mb % MBS] = false
			fi;
			handed = false
		}
	:: else
	fi
}

#define MAY_ONLINE \
	(BB(mb) == adding || state[BB(mb)] == ADDED || \
	 (state[BB(mb)] == FAKE_OFFLINE && me == WORKER))

#define IS_COUNTED(bb) \
	((bb) == adding || state[bb] == ADDED || state[bb] == FAKE_OFFLINE)
#define OFFLINE_IN(bb) \
	(IS_COUNTED(bb) -> !online[(bb) * MBS] + !online[(bb) * MBS + 1] : 0)
#if NBB == 1
#define COUNTED_OFFLINE	OFFLINE_IN(0)
#else
#define COUNTED_OFFLINE	(OFFLINE_IN(0) + OFFLINE_IN(1))
#endif

inline changed() {
	changing = NO;
	if
	:: recount -> offline_blocks = COUNTED_OFFLINE
	:: !recount && event == ONLINE ->
		offline_blocks = offline_blocks - IS_COUNTED(BB(mb))
	:: !recount && event == WENT_OFFLINE ->
		offline_blocks = offline_blocks + IS_COUNTED(BB(mb))
	fi;
	recount = false
}

inline on_memory_event() {
	lock(hotplug_mutex);
	d_step {
		assert(!freed);
		if
		:: event == GOING_ONLINE ->
			if
			:: state[BB(mb)] == FAKE_OFFLINE &&
			   BROKEN(ONLINING_NOT_REFUSED) -> changing = BB(mb)
			:: state[BB(mb)] == FAKE_OFFLINE &&
			   BROKEN(WORKER_REFUSED) -> rc = EBUSY
			:: else ->
				if
				:: MAY_ONLINE -> changing = BB(mb)
				:: else -> rc = EBUSY
				fi
			fi
		:: event == GOING_OFFLINE ->
			if
			:: BROKEN(OFFLINING_NOT_REFUSED) -> changing = BB(mb)
			:: else ->
				if
				:: BB(mb) == claimed && me != WORKER -> rc = EBUSY
				:: else -> changing = BB(mb)
				fi
			fi
		:: event == CANCEL_ONLINE || event == CANCEL_OFFLINE ->
			if
			:: BROKEN(CHANGING_LEFT)
			:: else -> changing = NO
			fi
		:: event == ONLINE || event == WENT_OFFLINE -> changed()
		fi;
		own = (me == WORKER && BB(mb) == claimed && rc == OK);
		hotplug_mutex = 0
	}
	if
	:: own -> own = false; notify_claimed()
	:: else
	fi
}

/*
 * The core on one memory block, under mem_hotplug.
 */

/* Others on the chain may refuse before we hear of it, or after. */
inline core_call_chain() {
	lock(chain);
	if
	:: event == GOING_ONLINE || event == GOING_OFFLINE -> rc = EPERM
	:: registered -> on_memory_event()
	:: !registered
	fi;
	if
	:: rc == OK && (event == GOING_ONLINE || event == GOING_OFFLINE) ->
		rc = EPERM
	:: true
	fi;
	unlock(chain)
}

/* The loop of offline_pages(). */
inline core_evacuate() {
	do
	:: me == WORKER && sigkill -> rc = EINTR; break
	:: me != WORKER -> rc = EINTR; break	/* it has its own reasons */
	:: BLOCK_HAS(mb, TAKEN) -> rc = EBUSY; break
	:: d_step {
		!BLOCK_HAS(mb, TAKEN) && !BLOCK_HAS(mb, USED) &&
		!BLOCK_HAS(mb, PINNED) ->
			core_take_away()
	   }
	   break
	:: d_step { owner[PAGE(mb, 0)] == USED -> owner[PAGE(mb, 0)] = FREE }
	:: d_step {
		owner[PAGE(mb, NP - 1)] == USED ->
			owner[PAGE(mb, NP - 1)] = FREE
	   }
	od
}

inline core_take_away() {
	/* Only the worker may offline claimed memory. */
	assert(!registered || missed || me == WORKER || BB(mb) != claimed);
	do
	:: k < NP ->
		assert(owner[PAGE(mb, k)] == FREE || owner[PAGE(mb, k)] == HANDED);
		managed = managed -
			(UNMANAGES_ALL || owner[PAGE(mb, k)] == FREE);
		owner[PAGE(mb, k)] = OFFLINE;
		k++
	:: else -> break
	od;
	k = 0;
	online[mb] = false
}

inline core_give() {
	/* Whoever has these pages, nobody else may. */
	assert(!registered || missed || MAY_ONLINE);
	do
	:: k < NP ->
		assert(owner[PAGE(mb, k)] == OFFLINE);
		owner[PAGE(mb, k)] = FREE;
		managed++;
		k++
	:: else -> break
	od;
	k = 0;
	online[mb] = true
}

/* Onlines what is offline and the other way round.  Out: rc. */
inline core_change() {
	lock(mem_hotplug);
	if
	:: d_step {
		online[mb] && !isolated[mb] ->
			isolated[mb] = true; event = GOING_OFFLINE
	   }
	:: online[mb] -> rc = EBUSY		/* can't be isolated */
	:: !online[mb] -> event = GOING_ONLINE
	fi;
	do
	:: event == GOING_ONLINE ->
		core_call_chain();
		d_step {
			if
			:: rc == OK -> core_give(); event = ONLINE
			:: else -> event = CANCEL_ONLINE
			fi
		}
	:: event == GOING_OFFLINE ->
		core_call_chain();
		if
		:: rc == OK -> core_evacuate()
		:: else
		fi;
		atomic {
			isolated[mb] = false;
			event = (rc == OK -> WENT_OFFLINE : CANCEL_OFFLINE)
		}
	:: event != NO_EVENT && event != GOING_ONLINE && event != GOING_OFFLINE ->
		/* Nobody can refuse what has happened. */
		result = rc;
		rc = OK;
		core_call_chain();
		d_step {
			rc = result; result = OK; event = NO_EVENT
		}
	:: event == NO_EVENT -> break
	od;
	unlock(mem_hotplug)
}

inline core_set_pages(who) {
	k = 0;
	do
	:: k < MBS * NP -> owner[id * MBS * NP + k] = who; k++
	:: else -> break
	od;
	k = 0
}

/* add_memory_driver_managed().  Out: rc. */
inline core_add() {
	lock(device_hotplug);
	if
	:: rc = ENOMEM
	:: d_step { present[id] = true; core_set_pages(OFFLINE); mb = id * MBS }
	   do
	   :: mb < (id + 1) * MBS ->
		core_change();
		d_step { rc = OK; mb++ }
	   :: break		/* the rest is left to others */
	   od;
	   mb = 0
	fi;
	unlock(device_hotplug)
}

/* offline_and_remove_memory(): offline all, remove; else online again. */
inline core_offline_and_remove() {
	lock(device_hotplug);
	mb = id * MBS;
	do
	:: mb < (id + 1) * MBS && (back -> was_online[mb % MBS] : online[mb]) ->
		core_change();
		d_step {
			if
			:: back ->
				/* Stays offline only if others want it so. */
				assert(rc == OK || rc == EPERM);
				was_online[mb % MBS] = false;
				rc = OK;
				mb++
			:: !back && rc == OK -> was_online[mb % MBS] = true; mb++
			:: else -> mb = (id + 1) * MBS
			fi
		}
	:: mb < (id + 1) * MBS && !(back -> was_online[mb % MBS] : online[mb]) ->
		mb++
	:: mb == (id + 1) * MBS && !back && rc == OK ->
		d_step {
			present[id] = false;
			core_set_pages(HOST);
			was_online[0] = false;
			was_online[1] = false;
			mb = 0
		}
		break
	:: mb == (id + 1) * MBS && !back ->	/* or removal fails */
		d_step { back = true; failure = (rc -> rc : EBUSY); rc = OK;
			 mb = id * MBS }
	:: mb == (id + 1) * MBS && back ->
		d_step { back = false; rc = failure; failure = OK; mb = 0 }
		break
	od;
	unlock(device_hotplug)
}

/*
 * Bounds.
 */

inline bound_raise() {
	if
	:: open && !why -> why = true; sigkill = true
	:: else
	fi
}

/* Out: rc, EINTR if nothing may begin. */
inline bound_begin() {
	d_step {
		/* A signal that was left would end what it is not meant for. */
		assert(!open && !sigkill && !timer);
		open = !stop && !late;
		why = false;
		rc = (open -> OK : EINTR)
	}
	if
	:: rc == OK ->
		if
		:: BROKEN(NO_DEADLINE)
		:: else -> timer = true
		fi
	:: else
	fi
}

inline bound_end() {
	open = false;
	timer = false;
	if
	:: BROKEN(SIGNAL_LEFT) -> why = false
	:: else -> d_step { sigkill = false; why = false }
	fi
}

/*
 * The worker on the big block id.
 */

/* Memory blocks first to next - 1, all or none. */
inline take() {
	d_step {
		if
		:: online[first] && online[next - 1] &&
		   !BLOCK_HAS(first, PINNED) && !BLOCK_HAS(next - 1, PINNED) ->
			rc = OK;
			k = PAGE(first, 0);
			do
			:: k < PAGE(next, 0) ->
				assert(owner[k] == FREE || owner[k] == USED);
				owner[k] = TAKEN;
				managed--;
				k++
			:: else -> break
			od;
			k = 0
		:: else
		fi
	}
}

/* alloc_contig_range() and what follows.  Out: rc. */
inline take_run() {
	d_step { rc = EBUSY; tries = 0 }
	do
	:: tries < 2 && rc == EBUSY && why -> rc = EINTR
	:: tries < 2 && rc == EBUSY && !why ->
		tries++;
		if
		:: isolated[first] || isolated[next - 1]
		:: d_step {
			!isolated[first] && !isolated[next - 1] ->
				isolated[first] = true;
				isolated[next - 1] = true
		   }
		   if
		   :: sigkill -> rc = EINTR
		   :: rc = ENOMEM
		   :: skip		/* pages can't be moved */
		   :: !sigkill -> take()
		   fi;
		   d_step { isolated[first] = false; isolated[next - 1] = false }
		fi
	:: tries == 2 || rc != EBUSY -> tries = 0; break
	od
}

/* Out: rc. */
inline take_pages() {
	first = id * MBS;
	do
	:: first < (id + 1) * MBS && rc == OK ->
		if
		:: online[first] ->
			/* A run ends where its zone ends, too. */
			if
			:: first + 1 < (id + 1) * MBS && online[first + 1] ->
				next = first + 2
			:: next = first + 1
			fi;
			take_run();
			atomic {
				do
				:: first < next ->
					taken[first % MBS] = (rc == OK);
					first++
				:: else -> break
				od;
				next = 0
			}
		:: !online[first] -> first++
		fi
	:: first == (id + 1) * MBS || rc != OK -> break
	od;
	first = 0
}

inline give_back() {
	mb = id * MBS;
	do
	:: mb < (id + 1) * MBS ->
		d_step {
			do
			:: k < NP && taken[mb % MBS] ->
				assert(owner[PAGE(mb, k)] == TAKEN);
				/* Whoever looks at it now has to free it. */
				owner[PAGE(mb, k)] =
					(looked_at == PAGE(mb, k) -> PINNED : FREE);
				managed++;
				k++
			:: else -> break
			od;
			k = 0;
			taken[mb % MBS] = false;
			mb++
		}
	:: else -> break
	od;
	mb = 0
}

inline claim() {
	lock(hotplug_mutex);
	d_step {
		if
		:: state[id] == ADDED && changing == id ->
			if
			:: BROKEN(CHANGING_IGNORED) ->
				table_set(FAKE_OFFLINE); claimed = id
			:: else
			fi
		:: state[id] == ADDED && changing != id ->
			if
			:: BROKEN(CLAIM_UNMARKED)
			:: else -> table_set(FAKE_OFFLINE)
			fi;
			claimed = id
		:: else
		fi;
		hotplug_mutex = 0
	}
}

inline end_claim() {
	lock(hotplug_mutex);
	d_step {
		if
		:: rc == OK ->
			if
			:: BROKEN(ACKED_TOO_EARLY) -> table_set(UNUSED)
			:: else -> table_set(PLUGGED)
			fi;
			offline_blocks = offline_blocks - MBS
		:: else -> table_set(ADDED)
		fi;
		if
		:: BROKEN(CLAIM_LEFT)
		:: else -> claimed = NO
		fi;
		rc = OK;
		hotplug_mutex = 0
	}
}

inline shrink() {
	claim();
	if
	:: claimed == id ->
		if
		:: bound_begin();
		   if
		   :: rc == OK -> take_pages(); bound_end()
		   :: else
		   fi
		:: skip			/* nothing worth taking */
		fi;
		if
		:: rc == OK -> bound_begin()
		:: else -> goto failed
		fi;
		if
		:: rc == OK
		:: else -> goto failed
		fi;
		if
		:: BROKEN(UNPLUG_TOO_EARLY) -> plugged[id] = false
		:: BROKEN(LOCK_KEPT) -> lock(hotplug_mutex)
		:: else
		fi;
		core_offline_and_remove();
		bound_end();
failed:
		if
		:: rc == OK
		:: else ->
			if
			:: BROKEN(NOT_GIVEN_BACK)
			:: else -> give_back()
			fi
		fi;
		end_claim()
	:: else
	fi
}

inline add() {
	lock(hotplug_mutex);
	d_step {
		if
		:: BROKEN(ADDING_UNMARKED)
		:: else -> adding = id
		fi;
		offline_blocks = offline_blocks + MBS;
		hotplug_mutex = 0
	}
	core_add();
	lock(hotplug_mutex);
	d_step {
		if
		:: BROKEN(ADDING_LEFT)
		:: else -> adding = NO
		fi;
		if
		:: rc == OK -> table_set(ADDED)
		:: else -> offline_blocks = offline_blocks - MBS
		fi;
		rc = OK;
		hotplug_mutex = 0
	}
}

inline answered(to_state) {
	lock(hotplug_mutex);
	d_step { table_set(to_state); hotplug_mutex = 0 }
}

/* Whoever does it: the worker has ended, or does it itself. */
inline teardown() {
	d_step {
		assert(!freed);
		assert(claimed == NO && adding == NO && !handed);
		assert(!open && !timer && !sigkill);
		do
		:: k < NBB -> assert(state[k] != FAKE_OFFLINE); k++
		:: else -> break
		od;
		k = 0;
		do
		:: k < NPAGES -> assert(owner[k] != TAKEN && owner[k] != HANDED); k++
		:: else -> break
		od;
		k = 0
	}
	atomic { chain == 0 -> registered = false }
	freed = true
}

active proctype worker() {
	byte me = WORKER;
	byte id, mb, k, rc, result, failure, event, first, next, tries;
	bool own, back;
	bool was_online[MBS];

#if ADOPTED
	/* Memory that an earlier driver has left: heard of, then counted. */
	d_step {
		present[0] = true;
		plugged[0] = true;
		state[0] = ADDED;
		core_set_pages(OFFLINE)
	}
	if
	:: BROKEN(COUNTED_TOO_EARLY) -> offline_blocks = COUNTED_OFFLINE
	:: else
	fi;
#endif
	atomic { chain == 0 -> registered = true; missed = (mem_hotplug != 0) }
	lock(hotplug_mutex);
	d_step {
		if
		:: BROKEN(COUNTED_TOO_EARLY)
		:: else -> offline_blocks = COUNTED_OFFLINE
		fi;
#if ADOPTED
		if
		:: BROKEN(COUNTED_ONCE)
		:: else -> recount = true
		fi;
#endif
		counted = true;
		hotplug_mutex = 0
	}
	do
	:: d_step {
		!stopping ->
			assert(rc == OK && mb == 0 && !back && event == NO_EVENT);
			late = false;
			newer = false
	   }
	   if
	   :: id = 0
	   :: id = NBB - 1
	   fi;
	   if
	   :: state[id] == UNUSED -> plugged[id] = true; answered(PLUGGED)
	   :: state[id] == PLUGGED -> add()
	   :: state[id] == PLUGGED -> plugged[id] = false; answered(UNUSED)
	   :: state[id] == ADDED -> shrink()
	   fi;
	   id = 0
	:: stopping -> break
	od;
	lock(hotplug_mutex);
	d_step { ended = true; hotplug_mutex = 0 }
	if
	:: orphaned -> teardown()
	:: else
	fi;
	exited = true
}

#if ONLINING
/* User space: one memory block after the other, until it has had enough. */
active proctype user() {
	byte me = USER;
	byte mb, k, rc, result, event;
	bool own;
#if LIVE
	byte times;
#endif

	do
#if LIVE
	:: times < 2 -> times++;
#else
	:: true ->
#endif
		lock(device_hotplug);
		if
		:: present[0] -> mb = 0
		:: present[0] -> mb = 1
#if NBB > 1
		:: present[1] -> mb = 2
#endif
		:: !present[0] -> goto unlocked
		fi;
		core_change();
		d_step { rc = OK; mb = 0 }
unlocked:
		unlock(device_hotplug)
	:: break
	od
}
#endif

#if USING
/* Everybody's use of memory; two pages are enough to be in the way. */
active proctype users_of_memory() {
	do
	:: d_step { owner[0] == FREE && !isolated[0] -> owner[0] = USED }
	:: d_step { owner[0] == USED -> owner[0] = FREE }
	:: d_step {
		owner[NPAGES - 1] == FREE && !isolated[NBB * MBS - 1] ->
			owner[NPAGES - 1] = PINNED
	   }
	:: d_step {
		owner[NPAGES - 1] == PINNED && looked_at == NOPAGE ->
			owner[NPAGES - 1] = FREE
	   }
	:: break
	od
}
#endif

#if LOOKING
/* Who walks over pages takes a reference, where there is one already. */
active proctype looker() {
end:
	do
	:: d_step { looked_at == NOPAGE && owner[1] == TAKEN -> looked_at = 1 }
	:: d_step {
		looked_at == 1 ->
			/* Frees the page if it was the last. */
			assert(owner[1] == TAKEN || owner[1] == PINNED);
			owner[1] = (owner[1] == PINNED -> FREE : TAKEN);
			looked_at = NOPAGE
	   }
	od
}
#endif

active proctype deadline() {
end:
	do
	:: atomic { timer -> timer = false; bound_raise() }
	od
}

#if NEWER
/* The worker is told, then what it does is ended. */
active proctype newer_request() {
end:
	do
	:: d_step {
		!newer ->
			newer = true;
			if
			:: BROKEN(LATE_BEGUN)
			:: else -> late = true
			fi;
			bound_raise()
	   }
	od
}
#endif

#if LEAVING
active proctype remover() {
	byte me = REMOVER;
	byte k;
	bool acpi, unloading;

	if
	:: acpi = true; lock(device_hotplug)
	:: unloading = true
	:: true				/* unbound by user space */
	fi;
	stopping = true;
	d_step { stop = true; bound_raise() }
	if
	:: exited
	:: !exited && !unloading ->
		/* Not in time: the worker may wait for a lock of our caller's. */
		if
		:: BROKEN(REMOVE_WAITS) -> exited
		:: else
		fi;
		lock(hotplug_mutex);
		d_step {
			if
			:: BROKEN(ORPHANED_ANYWAY) -> orphaned = true
			:: else -> orphaned = !ended
			fi;
			hotplug_mutex = 0
		}
		if
		:: orphaned -> goto out
		:: else -> exited
		fi
	:: !exited && unloading ->
		if
		:: BROKEN(TEARDOWN_TOO_EARLY)
		:: else -> exited
		fi
	fi;
	teardown();
out:
	if
	:: acpi -> unlock(device_hotplug)
	:: else
	fi;
	/* Somebody has tidied up, or will. */
	freed
}
#endif

/*
 * Invariants that always hold.
 */
#define IN_USE(p)	(owner[p] == FREE || owner[p] == USED || owner[p] == PINNED)
#define DRIVERS(p)	(owner[p] == TAKEN || owner[p] == HANDED)
#define PAGE_BB(p)	((p) / (MBS * NP))
/* No unplugged page is known to Linux; no page is the driver's but for a claim. */
#define PAGE_OK(p) \
	((owner[p] == HOST || plugged[PAGE_BB(p)]) && \
	 (!DRIVERS(p) || (claimed == PAGE_BB(p) && \
			  state[PAGE_BB(p)] == FAKE_OFFLINE)) && \
	 (IN_USE(p) || DRIVERS(p)) == online[(p) / NP])
#define CLAIM_OK(bb) \
	(hotplug_mutex != 0 || (state[bb] == FAKE_OFFLINE) == (claimed == bb))
#define ALWAYS \
	(PAGE_OK(0) && PAGE_OK(1) && PAGE_OK(2) && PAGE_OK(3) && \
	 CLAIM_OK(0) && CLAIM_OK(NBB - 1) && (claimed == NO || adding == NO) && \
	 (!newer || !open || why))

/* Invariants that hold while nothing is being on- or offlined. */
#define COUNTED_MANAGED	(IN_USE(0) + IN_USE(1) + IN_USE(2) + IN_USE(3))
#define AT_REST \
	(mem_hotplug != 0 || \
	 (managed == COUNTED_MANAGED && \
	  (!registered || !counted || \
	   (changing == NO && \
	    (hotplug_mutex != 0 || offline_blocks == COUNTED_OFFLINE)))))

#if !LIVE
active proctype monitor() {
end:
	atomic { !ALWAYS || !AT_REST -> assert(ALWAYS); assert(AT_REST) }
}
#elif LEAVING
ltl leaving_ends { [] (stopping -> <> freed) }
#else
ltl claims_end { [] (claimed != NO -> <> (claimed == NO)) }
#endif
