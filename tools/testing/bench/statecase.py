# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases "states-...": one request in each memory state of vm/states/states.py.

Nothing but QEMU's log and the guest's counters is looked at: some of these
guests have no memory left for more.
"""

import time

from bench.host import Requests, now
from vm.harness.vm import GIB, MIB
from vm.states import states
from vm.states.actor import Actor

PHASE = "state"
COUNTERS = ("pgmigrate_success", "pswpout", "oom_kill")
STEP = 0.02


def run_state(run, name, start, goal):
    """Bring the guest there, ask, and see what comes of it."""
    state = states.named(name)
    lacks = state.lacks and state.lacks(run.guest)
    if lacks:
        run.samples[PHASE] = {"met": False, "skipped": lacks, "from": start, "to": start,
                              "watched_s": 0, "vmstat": {}}
        return
    # The first time an emulated guest does it, it takes half a second more.
    run.grow(run.block)
    run.vm.resize(0, timeout=30)
    actor = Actor(run.vm)
    try:
        state.prepare(actor, start, goal)
        _measure(run, actor, state, goal)
    finally:
        if state.stale:
            run.stale()
        else:
            actor.release()


def _measure(run, actor, state, goal):
    start, before = run.vm.qmp.size("vm0"), actor.counters()
    requests = Requests(run.vm, run.block, start)
    asked = now()
    run.vm.qmp.request("vm0", goal)
    if state.during:
        state.during(actor, goal)
    end = asked + state.limit
    while now() < end and not (requests.poll() == goal and state.met):
        run.vm.alive()
        time.sleep(STEP)
    took = requests.steps[-1][0] - asked if requests.steps else None
    met = requests.size == goal
    if met and goal > start:
        # Plugged memory may still fail to be added.
        met = not run.guest.run(f"meter total {(run.base + goal) // 1024} {state.limit}",
                                2 * state.limit)[0]
        took = now() - asked
    after = actor.counters()
    requests.close()
    run.samples[PHASE] = {
        "met": met, "wanted": state.met, "from": start, "goal": goal,
        "to": requests.size, "watched_s": now() - asked, "device_s": took, "guest_s": took,
        "curve": [(round(t - asked, 3), size) for t, size in requests.steps],
        "vmstat": {name: after[name] - before[name] for name in COUNTERS},
        "faults": actor.faults()}


def _machine(kind, block):
    return {"region": 4 * GIB, "boot": kind.boot, "block": block,
            # A splat is reported; it shall not end the run.
            "append": "panic_on_warn=0", "reporting": kind.reporting}


def table(case, quick):
    """{name: case(...)}: each state, and with big blocks of 1 GiB where sizes allow it."""
    out = {}
    for state in states.STATES:
        kind = states.MACHINES[state.machine]
        start, goal = state.small if quick else state.full
        sizes = {"name": state.name, "start": start, "goal": goal}
        what = f"{state.what}: {start // MIB} to {goal // MIB} MiB"
        out[f"states-{state.name}"] = case(what, 25, _machine(kind, kind.block),
                                           run_state, sizes, True)
        if kind.block != GIB and not start % GIB and not goal % GIB:
            out[f"big-states-{state.name}"] = case(
                f"{what}, BBs of 1 GiB", 25, _machine(kind, GIB), run_state, sizes, True)
    return out
