# SPDX-License-Identifier: GPL-2.0-or-later
"""A block that cannot go stays, alone, and unharmed."""

from case import MIB, PAGE, GuestCase

BB = 256 * MIB


TRACING = "/sys/kernel/tracing"
EVENTS = f"{TRACING}/kprobe_events"


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

    def count_isolations(self, start):
        """From now on, let the kernel note when that block's pages are isolated."""
        pfn = start // PAGE
        self.guest.ok(f"cd {TRACING} && echo p:isolations start_isolate_page_range "
                      "from=%di to=%si >kprobe_events && cd events/kprobes/isolations && "
                      # Not the single page that is taken to drain the CPUs' batches.
                      f"echo 'from == {pfn} && to >= {pfn + 128 * MIB // PAGE}' >filter && "
                      "echo 1 >enable")
        self.at_end(f"cd {TRACING}; echo 0 >events/kprobes/isolations/enable; "
                    "echo >kprobe_events; echo >trace")

    def isolations(self):
        """How often since then."""
        return int(self.guest.run(f"grep -c isolations: {TRACING}/trace")[1])

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
        if self.guest.run(f"[ -e {EVENTS} ] || mount -t tracefs tracefs {TRACING}; "
                          f"[ -e {EVENTS} ]")[0]:
            self.skipTest("this kernel has no kprobe events")
        self.resize(2 * BB)
        start = self.pin(1)
        self.count_isolations(start)
        self.stuck()
        # Nor when it is met for the first time.
        self.assertEqual(self.isolations(), 0)
        for _ in range(3):
            self.vm.qmp.request("vm0", BB)
            self.wait_state("idle")
            self.stuck()
            self.check_only(start)
        self.assertEqual(self.isolations(), 0)
        # That one can be seen: it is there once the page is let go.
        self.guest.kill(self.pinner)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "released block gone", 75)
        self.assertGreater(self.isolations(), 0)


class PinUnsafe(Pin):
    """The same without claiming pages first."""

    mod_args = "bbm_safe_unplug=0"
