# SPDX-License-Identifier: GPL-2.0-or-later
"""In each memory state of states.py what is requested is met, and nothing is lost.

VM_DRIVER=stock does it with the kernel's own driver.
"""

import os

from vm.cases.case import POOL, GuestCase
from vm.harness.guest import GuestError
from vm.harness.kernels import TABLE
from vm.states import states
from vm.states.actor import Actor
from vm.states.machine import files, options

DRIVER = os.environ.get("VM_DRIVER", "ours")


class StateCase(GuestCase):
    """Shared by the tests of states on one machine."""

    mod = DRIVER
    reporting = False     # whether the balloon reports free pages

    def setUp(self):
        if "debug" in TABLE[POOL.series]:
            self.skipTest("a debug kernel lacks disks, file systems and more")
        # Not with a CPU of the slowest kind to clear memory, see the bench.
        self.options = {"files": files, "options": (
            *options(self.reporting), "-cpu", "max,-erms")}
        super().setUp()

    def check(self, state):
        """Get there, ask, and look what came of it."""
        if DRIVER == "stock" and not state.stock:
            self.skipTest("the kernel's own driver can't do it")
        lacks = state.lacks and state.lacks(self.guest)
        if lacks:
            self.skipTest(lacks)
        start, goal = state.small
        self.allow = state.allow
        actor = Actor(self.vm)
        self.addCleanup(self.leave, actor, state)
        self.at = "getting there"
        before = actor.counters().get(state.counts, 0)
        state.prepare(actor, start, goal)
        self.assertEqual(actor.losses(), [])
        self.assertEqual(self.vm.qmp.size("vm0"), start)
        self.at = "request"
        self.vm.qmp.request("vm0", goal)
        if state.during:
            state.during(actor, goal)
        if state.met:
            self.vm.wait(lambda: self.vm.qmp.size("vm0") == goal,
                         f"{start >> 20} to {goal >> 20} MiB", state.limit)
            self.settled(actor, goal)
        else:
            self.survives(actor, state, goal)
        self.at = "afterwards"
        if state.counts:
            self.assertGreater(actor.counters()[state.counts], before, state.counts)
        self.assertEqual(actor.faults(), [])
        self.at = ""

    def settled(self, actor, goal):
        """The driver is idle, and Linux has as much as the host."""
        if DRIVER == "ours":
            self.wait_state("idle")
        self.vm.wait(lambda: actor.is_total(goal), "MemTotal", 30)
        self.assertEqual(sum(end - start for start, end in self.guest.added()), goal)

    def survives(self, actor, state, goal):
        """It is not met, and all live, for that long."""
        with self.assertRaises(GuestError):
            self.vm.wait(lambda: actor.losses() or self.vm.qmp.size("vm0") == goal,
                         "trouble", state.limit, step=1)
        self.assertGreater(self.vm.qmp.size("vm0"), goal)

    def leave(self, actor, state):
        """Tidy up, if the guest can be used by others."""
        if state.stale:
            POOL.drop()
        elif not self.at:
            actor.release()


def tests(machine, stale=False):
    """Test methods for the states of a kind of machine."""
    def method(state):
        def test(self):
            self.check(state)
        test.__doc__ = state.what
        return test
    return {f"test_{s.name.replace('-', '_')}": method(s) for s in states.STATES
            if s.machine == machine and s.stale == stale}


def case(name, machine, stale=False):
    """A class for them."""
    kind = states.MACHINES[machine]
    return type(name, (StateCase,), {
        "__doc__": f"On machine {machine}.", "__module__": __name__, "config": kind.config,
        "reporting": kind.reporting, **tests(machine, stale)})


# In the order of their names; nothing can follow in a guest that became stale.
BlocksOf128M = case("BlocksOf128M", "128m")
BlocksOf1G = case("BlocksOf1G", "1g")
SmallGuest = case("SmallGuest", "small")
Zones = case("Zones", "128m", stale=True)
