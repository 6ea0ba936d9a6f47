# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with 64 GiB from boot on: memory blocks, and so big blocks, of 2 GiB.

The host backs only what is touched.
"""

from vm.cases.case import GIB, MIB, PAGE, GuestCase
from vm.harness.guest import Pattern

BB = 2 * GIB
VETO = "/sys/kernel/debug/notifier-error-inject/memory/actions/MEM_GOING_OFFLINE/error"


class Big(GuestCase):
    """Four big blocks."""

    config = "bb-128m"
    options = {"append": "init_on_alloc=0", "options": (
        "-m", "size=64G,maxmem=100G,slots=1", "-machine", "memory-backend=ram",
        "-object", "memory-backend-ram,id=ram,size=64G,reserve=off")}

    def setUp(self):
        super().setUp()
        size = int(self.guest.read("/sys/devices/system/memory/block_size_bytes"), 16)
        self.assertEqual(size, BB)
        self.assertEqual(int(self.guest.attr("big_block_size")), BB)

    def test_grow_and_shrink(self):
        """To the byte; a request in between is met as nearly as 2 GiB allow."""
        self.resize(4 * BB)
        self.assert_size(4 * BB)
        pattern = Pattern(self.guest, 256 * MIB)
        self.at_end(f"kill -9 {pattern.pid}")
        self.resize(3 * GIB, want=2 * BB)
        self.assert_size(2 * BB)
        self.resize(0)
        self.assert_size(0)
        self.assert_zones(0)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // PAGE}")

    def test_refused_offlining_loses_nothing(self):
        """Refused by another notifier: all is as before; then it goes."""
        self.guest.ok("insmod /mod/notifier-error-inject.ko && "
                      "insmod /mod/memory-notifier-error-inject.ko priority=-100000")
        self.at_end("rmmod memory-notifier-error-inject notifier-error-inject")
        self.resize(2 * BB)
        pattern = Pattern(self.guest, 256 * MIB)
        self.at_end(f"kill -9 {pattern.pid}")
        before = self.guest.zones()
        self.guest.ok(f"echo -16 >{VETO}")
        self.vm.qmp.request("vm0", 0)
        self.wait_state("waiting")
        self.assert_between_tries(2 * BB, before)
        self.guest.ok(f"echo 0 >{VETO}")
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk", 60)
        self.wait_state("idle")
        self.assert_size(0)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // PAGE}")

    def test_pinned_page_keeps_one(self):
        """The other one goes; that one goes when it is let go."""
        self.resize(2 * BB)
        start = self.region()[0]
        pinner = self.guest.spawn(f"memtool pin {start} {start + BB}", "/tmp/pin")
        self.at_end(f"kill -9 {pinner}")
        self.guest.wait_line("/tmp/pin", r"PINNED (0x[0-9a-f]+)")
        self.vm.qmp.request("vm0", 0)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == BB, "the other one is gone", 90)
        self.wait_state("waiting")
        self.assert_between_tries(BB)
        self.guest.kill(pinner)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "gone", 60)
        self.wait_state("idle")
        self.assert_size(0)
