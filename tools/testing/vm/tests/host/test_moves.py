# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that moves: live migration to another QEMU, and snapshots."""

import atexit
import os
import subprocess

from vm.cases.case import GIB, MIB, PAGE, GuestCase
from vm.harness.guest import Pattern
from vm.harness.kernels import cache_dir

SIZE = 256 * MIB
SLOW = 4 << 20      # bytes a second: it lasts until it is told to be quick


class Migration(GuestCase):
    """To a second QEMU on the same machine."""

    config = "bb-128m"

    def move(self, meanwhile):
        """Migrate; the data of somebody is the same before and after."""
        pattern = Pattern(self.guest, SIZE)
        self.at_end(f"kill -9 {pattern.pid}")
        self.vm.migrate(SLOW, meanwhile)
        self.assertEqual(pattern.check(), f"OK {SIZE // PAGE}")
        return pattern

    def busy(self, size, goal):
        """Request another size while it lasts: the device is busy for all of it."""
        self.vm.qmp.request("vm0", goal)
        busy = self.vm.trace().count("send_response type=2")
        self.vm.wait(lambda: self.vm.trace().count("send_response type=2") > busy + 1,
                     "BUSY twice", 30)
        self.assertEqual(self.vm.qmp.size("vm0"), size)

    def test_size_and_data_stay(self):
        """Nothing is asked for: nothing changes, and later requests are met there."""
        self.resize(GIB)
        self.move(lambda: None)
        self.assert_size(GIB)
        self.resize(2 * GIB)
        self.assert_size(2 * GIB)
        self.resize(512 * MIB)
        self.assert_size(512 * MIB)

    def test_growing_is_met_on_the_other_side(self):
        """Asked for while it lasts."""
        self.resize(GIB)
        self.move(lambda: self.busy(GIB, 2 * GIB))
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 2 * GIB, "met there", 60)
        self.wait_state("idle")
        self.assert_size(2 * GIB)

    def test_shrinking_is_met_on_the_other_side(self):
        """The same; and the memory that was offlined before it was busy is not lost."""
        self.resize(2 * GIB)
        pattern = self.move(lambda: self.busy(2 * GIB, 512 * MIB))
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 512 * MIB, "met there", 60)
        self.wait_state("idle")
        self.assert_size(512 * MIB)
        self.assertEqual(pattern.check(), f"OK {SIZE // PAGE}")


class Snapshot(GuestCase):
    """savevm and loadvm."""

    config = "bb-128m"
    # A disk of QEMU's, which the guest does not see.
    disk = cache_dir("guest") / f"snapshots-{os.getpid()}.qcow2"
    options = {"options": ("-drive", f"if=none,id=snapshots,format=qcow2,file={disk}")}

    def setUp(self):
        if not self.disk.exists():
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.disk, "64M"],
                           check=True)
            atexit.register(lambda: self.disk.unlink(missing_ok=True))
        super().setUp()

    def monitor(self, line):
        """QEMU's monitor for people; what it says is an error."""
        said = self.vm.qmp.cmd("human-monitor-command", **{"command-line": line})
        self.assertEqual(said, "")

    def test_size_and_data_come_back(self):
        """Sizes are as they were saved, and so is the request."""
        self.resize(GIB)
        pattern = Pattern(self.guest, SIZE)
        self.monitor("savevm one")
        self.resize(2 * GIB)
        self.monitor("loadvm one")
        self.assert_size(GIB)
        self.assertEqual(pattern.check(), f"OK {SIZE // PAGE}")
        self.resize(2 * GIB)
        self.resize(512 * MIB)
        self.assert_size(512 * MIB)
        self.assertEqual(pattern.check(), f"OK {SIZE // PAGE}")

    def test_request_goes_on(self):
        """Saved in mid-grow: it is met when that is loaded."""
        self.vm.qmp.request("vm0", 4 * GIB)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") > 0, "first block", step=0.01)
        self.monitor("savevm two")
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 4 * GIB, "grown", 60)
        self.wait_state("idle")
        self.resize(0)
        self.monitor("loadvm two")
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 4 * GIB, "grown again", 60)
        self.wait_state("idle")
        self.assert_size(4 * GIB)
