# SPDX-License-Identifier: GPL-2.0-or-later
"""A block that cannot go stays, alone, and unharmed."""

import probes
from case import MIB, PAGE, POOL, GuestCase

BB = 256 * MIB


class Pin(GuestCase):
    """One page of one block is pinned."""

    def pin(self, block):
        """Pin a page of the device's block with that number."""
        start = self.region()[0] + block * BB
        self.pinner = self.guest.spawn(f"memtool pin {start} {start + BB}", "/tmp/pin")
        self.at_end(f"kill -9 {self.pinner}")
        found = self.guest.wait_line("/tmp/pin", r"PINNED (0x[0-9a-f]+)")
        self.assertEqual(int(found[1], 16) * 4096 // BB * BB, start)
        return start

    def isolations(self, start):
        """How often that block's pages were isolated since the probe was armed."""
        # Not the single page that is taken to drain the CPUs' batches.
        return sum(start <= e.args["pfn"] * PAGE < start + BB and
                   e.args["end"] > e.args["pfn"] + 1
                   for e in probes.calls(self.probes.read(), "isolate"))

    def stuck(self):
        """Ask for nothing; wait until the pinned block alone is left."""
        self.vm.qmp.request("vm0", 0)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == BB, "neighbours gone", 90)
        self.wait_state("waiting")

    def check_only(self, start):
        """Only the pinned block is left, with every page accounted for."""
        self.assert_between_tries(BB)
        self.assert_zones(BB)
        self.assertEqual(self.in_region(self.guest.added()), [(start, start + BB)])

    def test_neighbours_go(self):
        """All others go; a reason is given; released, it goes by itself."""
        # To get a page there, memory is filled: slow on a debug kernel.
        blocks = 3 if self.vm.kernel.debug else 6
        self.resize(blocks * BB)
        start = self.pin(blocks // 2)
        self.stuck()
        self.check_only(start)
        self.assertNotIn(self.guest.attr("last_error"), ("", "none", "0"))
        row, = [r for r in self.guest.blocks() if r[0] == start]
        self.assertEqual(row[3], "ADDED")
        self.assertNotEqual(row[6], "-", "debugfs gives no reason")
        self.guest.kill(self.pinner)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "released block gone", 75)
        self.wait_state("idle")
        self.assert_size(0)
        self.assert_zones(0)

    def test_only_looked_at(self):
        """While the same page is held, a look is all that the block costs."""
        reason = probes.missing(self.guest)
        if reason:
            self.skipTest(reason)
        self.resize(2 * BB)
        start = self.pin(1)
        self.probes = probes.Probes(self.guest, ("isolate",), ends=False)
        self.addCleanup(lambda: POOL.vm is self.vm and self.probes.remove())
        self.probes.arm()
        for _ in range(3):
            self.stuck()
            self.check_only(start)
            self.vm.qmp.request("vm0", BB)
            self.wait_state("idle")
        # Nor when it was met for the first time.
        self.assertEqual(self.isolations(start), 0)
        # That one can be seen: it is there once the page is let go.
        self.probes.arm()
        self.guest.kill(self.pinner)
        self.resize(0)
        self.assertGreater(self.isolations(start), 0)


class PinUnsafe(Pin):
    """The same without claiming pages first."""

    mod_args = "bbm_safe_unplug=0"
