# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU's device can do since Debian 12's 7.2: skipped where QEMU is older.

VM_QEMU chooses the QEMU.
"""

import re

from vm.cases.case import GIB, MIB, GuestCase
from vm.harness import qemu
from vm.harness.guest import Pattern
from vm.harness.qmp import QMPError

# A feature bit: sysfs has a character for each.
UNPLUGGED_INACCESSIBLE = 1


class NewerCase(GuestCase):
    """A guest in a QEMU of at least that version."""

    since = (8, 0)

    def setUp(self):
        have = qemu.get()
        if have.version < self.since:
            self.skipTest(f"QEMU {have.text}: it takes {'.'.join(map(str, self.since))}")
        super().setUp()

    def negotiated(self, bit):
        """Whether device and driver have agreed on a feature."""
        return self.guest.read("/sys/bus/virtio/drivers/virtio_mem/virtio*/features")[bit] == "1"


class Default(NewerCase):
    """The device as it comes, on the machine as it comes."""

    def test_unplugged_memory_is_inaccessible_unless_told_otherwise(self):
        """The driver says that it knows; memory is read and written only while plugged."""
        self.assertEqual(self.vm.qmp.cmd("qom-get", path="/machine/peripheral/vm0",
                                         property="unplugged-inaccessible"), "on")
        self.assertTrue(self.negotiated(UNPLUGGED_INACCESSIBLE))
        self.resize(GIB)
        pattern = Pattern(self.guest, 256 * MIB)
        self.at_end(f"kill -9 {pattern.pid}")
        self.resize(512 * MIB)
        self.assert_size(512 * MIB)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")
        self.guest.kill(pattern.pid)
        self.resize(0)
        self.assert_size(0)


class Memslots(NewerCase):
    """dynamic-memslots: what is unplugged has no slot in the machine's map, either."""

    since = (8, 2)
    options = {"options": ("-set", "device.vm0.dynamic-memslots=on")}

    def mapped(self):
        """Bytes of the region that the machine's memory map has."""
        low, high = self.region()
        text = self.vm.qmp.cmd("human-monitor-command", **{"command-line": "info mtree -f"})
        # The first view is that of all memory; others have the same ranges.
        found = {(int(m[1], 16), int(m[2], 16)) for m in re.finditer(
            r"^ *([0-9a-f]{16})-([0-9a-f]{16}) \(prio \d+, ram\): ", text, re.M)}
        return sum(end + 1 - start for start, end in found if low <= start and end < high)

    def test_the_map_follows_the_size(self):
        """Up and down: never less than is plugged, and nothing when nothing is."""
        self.assertEqual(self.mapped(), 0)
        for size in (256 * MIB, 2 * GIB, 512 * MIB, 0):
            self.resize(size)
            self.assert_size(size)
            self.assert_zones(size)
            mapped = self.mapped()
            self.assertGreaterEqual(mapped, size)
            self.assertEqual(bool(mapped), bool(size))


class Pulled(NewerCase):
    """device_del: a device with nothing plugged can go while the guest runs."""

    since = (8, 2)
    config = "hotplug"
    stays = True

    def refused(self, why):
        """QEMU does not let it go."""
        with self.assertRaisesRegex(QMPError, why):
            self.vm.qmp.cmd("device_del", id="vm0")

    def test_it_goes_when_it_is_empty_and_not_before(self):
        """With its driver bound; the driver lets go, and can be loaded again."""
        self.refuse_while_in_use()
        self.resize(0)
        self.vm.qmp.cmd("device_del", id="vm0")
        self.vm.wait(lambda: not self.vm.qmp.cmd("query-memory-devices"), "device gone", 30)
        self.assertNotEqual(self.guest.run("ls -d /sys/bus/virtio/devices/*/virtio_mem")[0], 0)
        self.assertEqual(self.guest.mem_total(), self.base)
        self.guest.ok("rmmod virtio_mem")
        self.assertNotIn("virtio_mem", self.guest.read("/proc/iomem"))

    def refuse_while_in_use(self):
        """Plugged, or asked to be: it stays, and so does the memory."""
        self.resize(512 * MIB)
        self.refused("requested-size|still plugged")
        self.assert_size(512 * MIB)
