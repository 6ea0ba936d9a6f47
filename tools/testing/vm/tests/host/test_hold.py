# SPDX-License-Identifier: GPL-2.0-or-later
"""No memory leaves while somebody looks at its pages, and nobody can look for ever."""

import time

from vm.cases.case import MIB, GuestCase

HOLD = "/sys/kernel/debug/virtio_mem/{}/hold"
LOG = "dmesg | grep -c 'keeps debugfs. hold open'"
SIZE = 512 * MIB


class Hold(GuestCase):
    """debugfs' hold, opened as vmem does it."""

    def setUp(self):
        super().setUp()
        self.resize(SIZE)

    def look(self, seconds):
        """Have somebody look for so long."""
        name = self.guest.ok("ls /sys/kernel/debug/virtio_mem")
        pid = self.guest.spawn(f"sleep {seconds} <{HOLD.format(name)}", "/tmp/hold.log")
        self.at_end(f"kill -9 {pid}")
        time.sleep(0.5)
        return pid

    def said(self):
        """How often the driver has complained."""
        return int(self.guest.run(LOG)[1])

    def test_memory_waits_for_who_looks(self):
        """It leaves as soon as nobody looks any more."""
        before = self.said()
        pid = self.look(100)
        self.vm.qmp.request("vm0", 0)
        time.sleep(1)
        self.assertEqual(self.vm.qmp.size("vm0"), SIZE)
        self.guest.kill(pid)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk", 3)
        self.assertEqual(self.said(), before)

    def test_who_looks_for_ever_delays_only(self):
        """After 2 s for each big block it leaves all the same; the driver says it once."""
        before = self.said()
        self.look(100)
        self.vm.qmp.request("vm0", 0)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk", 12)
        self.assertEqual(self.said(), before + 1)
