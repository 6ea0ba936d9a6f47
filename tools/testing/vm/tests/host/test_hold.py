# SPDX-License-Identifier: GPL-2.0-or-later
"""No memory leaves while somebody looks at its pages, and nobody can look for ever."""

import time

from vm.cases.case import MIB, GuestCase

HOLD = "/sys/kernel/debug/virtio_mem/{}/hold"
LOG = "dmesg | grep -c 'debugfs. hold is open'"
DRIVER = "/sys/bus/virtio/drivers/virtio_mem"
BB = 256 * MIB
SIZE = 4 * BB


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

    def test_who_looks_for_ever_delays_once(self):
        """After 2 s all of it leaves nevertheless; the driver says it once."""
        before = self.said()
        self.look(100)
        self.vm.qmp.request("vm0", 0)
        time.sleep(1)
        self.assertEqual(self.vm.qmp.size("vm0"), SIZE)
        # Far less than 2 s for each big block.
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk", 4)
        self.assertEqual(self.said(), before + 1)

    def test_end_of_an_old_look_ends_no_other(self):
        """Memory waits for a new reader, though one that it waits for no more ends."""
        pid = self.look(100)
        self.resize(SIZE - BB)
        self.look(100)
        self.guest.kill(pid)
        self.vm.qmp.request("vm0", 0)
        time.sleep(1)
        self.assertEqual(self.vm.qmp.size("vm0"), SIZE - BB)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk", 4)

    def test_driver_leaves_while_somebody_looks(self):
        """Unbinding waits for no reader, in mid-shrink either; whose file outlives it."""
        for begin in (SIZE, 0):
            pid = self.look(100)
            self.vm.qmp.request("vm0", begin)
            time.sleep(0.3)
            name = self.guest.ok("ls /sys/kernel/debug/virtio_mem")
            took = time.monotonic()
            self.guest.ok(f"echo {name} >{DRIVER}/unbind", 30)
            self.assertLess(time.monotonic() - took, 5)
            self.guest.kill(pid)
            self.guest.ok(f"echo {name} >{DRIVER}/bind", 30)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk", 20)

    def test_who_waits_for_a_look_is_told_that_the_driver_leaves(self):
        """He waits for a removal that waits for another reader; unbinding waits for neither."""
        self.look(100)
        self.vm.qmp.request("vm0", 0)
        time.sleep(0.3)
        name = self.guest.ok("ls /sys/kernel/debug/virtio_mem")
        pid = self.guest.spawn(f"cat {HOLD.format(name)}", "/tmp/wait.log")
        self.at_end(f"kill -9 {pid}")
        time.sleep(0.3)
        self.assertEqual(self.guest.read("/tmp/wait.log"), "")
        self.guest.ok(f"echo {name} >{DRIVER}/unbind", 30)
        self.assertIn("No such device", self.guest.wait_line("/tmp/wait.log", ".+", 5).group(0))
        self.guest.ok(f"echo {name} >{DRIVER}/bind", 30)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk", 20)
