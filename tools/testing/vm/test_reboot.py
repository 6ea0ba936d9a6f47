# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that is reset with memory plugged comes back with as much."""

import unittest

from case import GIB, MIB, POOL
from vm import VM


class Reboot(unittest.TestCase):
    """Needs a guest whose init loads the driver."""

    config = "reboot"  # a group of its own: it shares no guest

    def test_reset_with_memory_plugged(self):
        """QEMU unplugs at reset; the driver plugs again, without being asked."""
        POOL.drop()
        with VM("bb-256m", POOL.series, reboots=True) as vm:
            base = vm.guest.mem_total()
            vm.resize(GIB)
            vm.reset()
            vm.wait(lambda: vm.guest.mem_total() == base + GIB, "replugged", 60)
            self.assertEqual(vm.qmp.size("vm0"), GIB)
            self.assertEqual(sum(e - s for s, e in vm.guest.added()), GIB)
            vm.resize(256 * MIB)
            vm.wait(lambda: vm.guest.mem_total() == base + 256 * MIB, "shrunk", 30)

    def test_reset_while_device_is_busy(self):
        """Memory that a reset failed to unplug is unplugged before anything else."""
        POOL.drop()
        with VM("bb-256m", POOL.series, reboots=True) as vm:
            base = vm.guest.mem_total()
            vm.resize(512 * MIB)
            # A running migration makes QEMU refuse, its own reset included.
            vm.qmp.cmd("migrate-set-parameters", **{"max-bandwidth": 1000000})
            vm.qmp.cmd("migrate", uri="exec:cat >/dev/null")
            vm.reset()
            vm.wait(lambda: "send_response type=2" in vm.trace(), "BUSY", 30)
            self.assertEqual(vm.qmp.size("vm0"), 512 * MIB)
            vm.qmp.cmd("migrate_cancel")
            vm.wait(lambda: vm.guest.mem_total() == base + 512 * MIB, "replugged", 75)
            self.assertIn("virtio_mem_unplug_all_request", vm.trace())
            self.assertEqual(vm.qmp.size("vm0"), 512 * MIB)
