# SPDX-License-Identifier: GPL-2.0-or-later
"""A block that cannot go stays, alone, and unharmed."""

import time

from vm.cases.case import MIB, POOL, GuestCase
from vm.device.events import Events

BB = 256 * MIB


class Pin(GuestCase):
    """One page of one block is pinned."""

    limit = 1     # seconds that a try of a block with so little in it takes

    pinner = events = None

    def pin(self, block):
        """Pin a page of the device's block with that number."""
        start = self.region()[0] + block * BB
        self.pinner = self.guest.spawn(f"memtool pin {start} {start + BB}", "/tmp/pin")
        self.at_end(f"kill -9 {self.pinner}")
        found = self.guest.wait_line("/tmp/pin", r"PINNED (0x[0-9a-f]+)")
        self.assertEqual(int(found[1], 16) * 4096 // BB * BB, start)
        return start

    def spent(self, start):
        """(tries, seconds) that went into moving or offlining that block."""
        steps = [e for e in self.events.read() if e.is_of(start) and
                 e.name in ("sweep", "take", "offline-remove")]
        return len(steps), sum(e.seconds for e in steps)

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

    def test_costs_little(self):
        """Tried now and then, for a tenth of the time; at once when it is let go."""
        self.resize(2 * BB)
        start = self.pin(1)
        self.events = Events(self.guest)
        self.addCleanup(lambda: POOL.vm is self.vm and self.events.off())
        self.events.arm()
        begin = time.monotonic()
        self.stuck()
        time.sleep(20)
        tries, seconds = self.spent(start)
        passed = time.monotonic() - begin
        print(f"# {self.id()}: {tries} tries, {seconds:.2f} s of {passed:.0f} s", flush=True)
        # The time that a request begins with, and one try that was the last.
        self.assertLess(seconds, 1 + passed / 10 + 2 * self.limit * self.vm.slow)
        self.assertGreater(tries, 0, "what a look dislikes was never tried")
        self.check_only(start)
        self.guest.kill(self.pinner)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "released block gone", 5)


class PinUnsafe(Pin):
    """The same without claiming pages first."""

    mod_args = "bbm_safe_unplug=0"
