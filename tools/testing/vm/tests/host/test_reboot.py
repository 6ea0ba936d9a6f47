# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that is reset with memory plugged comes back with as much."""

import unittest

from vm.cases.case import GIB, MIB, PAGE, POOL
from vm.harness.vm import VM


class Reboot(unittest.TestCase):
    """Needs a guest whose init loads the driver."""

    config = "reboot"  # a group of its own: it shares no guest

    def setUp(self):
        POOL.drop()
        self.vm = VM("bb-256m", POOL.series, reboots=True)
        self.addCleanup(self.vm.stop)

    def there(self):
        """Bytes that the guest uses of the device's memory.

        MemTotal would not do: where the kernel lies, and so what it reserves,
        is random at each boot.
        """
        added = sum(e - s for s, e in self.vm.guest.added())
        managed = self.vm.guest.zones().get((0, "Movable"), {"managed": 0})["managed"]
        return added if added == managed * PAGE else None

    def test_reset_with_memory_plugged(self):
        """QEMU unplugs at reset; the driver plugs again, without being asked."""
        vm = self.vm
        vm.resize(GIB)
        vm.wait(lambda: self.there() == GIB, "grown", 60)
        vm.reset()
        vm.wait(lambda: self.there() == GIB, "replugged", 60)
        self.assertEqual(vm.qmp.size("vm0"), GIB)
        vm.resize(256 * MIB)
        vm.wait(lambda: self.there() == 256 * MIB, "shrunk", 30)

    def test_reset_while_device_is_busy(self):
        """Memory that a reset failed to unplug is unplugged before anything else."""
        vm = self.vm
        vm.resize(512 * MIB)
        # A running migration makes QEMU refuse, its own reset included.
        vm.qmp.cmd("migrate-set-parameters", **{"max-bandwidth": 1000000})
        vm.qmp.cmd("migrate", uri="exec:cat >/dev/null")
        vm.reset()
        vm.wait(lambda: "send_response type=2" in vm.trace(), "BUSY", 30)
        self.assertEqual(vm.qmp.size("vm0"), 512 * MIB)
        vm.qmp.cmd("migrate_cancel")
        vm.wait(lambda: self.there() == 512 * MIB, "replugged", 75)
        self.assertEqual(vm.qmp.size("vm0"), 512 * MIB)
        # The first request that was met after the reset gave back everything.
        self.assertRegex(vm.trace(), r"(?s)unplug_all_request.*unplugged_all.*plug_request")
