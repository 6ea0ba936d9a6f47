# SPDX-License-Identifier: GPL-2.0-or-later
"""A device in software that misbehaves on order."""

from case import GIB, MIB, GuestCase, merge, total
from mock import ADDR, SIZE, Mock


class MockCase(GuestCase):
    """A guest with that device."""

    config = "mock"
    options = {"append": f"memmap={SIZE >> 30}G${ADDR:#x}"}
    mod = None
    devices = ("mock",)
    driver = "ours"
    block = "128M"
    mock_args = ""
    violations = {}

    def setUp(self):
        super().setUp()
        self.mock = Mock(self.guest)
        self.mock.load(self.block, self.mock_args)
        self.load(self.driver)

    def tearDown(self):
        found = self.mock.violations() if self.mock.loaded() else {}
        try:
            self.assertEqual(found, self.violations, self.mock.read("violations")
                             if found else "")
        finally:
            super().tearDown()

    # --- the harness's host is here the device ---

    def unload(self):
        """Back to nothing plugged, no driver and no device."""
        mock = Mock(self.guest)
        if mock.loaded():
            mock.behave()
            mock.request(0)
            if self.guest.run("[ -d /sys/module/virtio_mem ]")[0]:
                self.load(self.driver)
            self.vm.wait(lambda: mock.size() == 0, "mock empty", 60)
            self.guest.ok("rmmod virtio_mem")
            mock.unload()
        self.assertEqual(self.guest.added(), [])

    def region(self, index=0):
        return ADDR, ADDR + SIZE

    def resize(self, size, want=None, timeout=60, index=0):
        self.mock.request(size)
        self.reached(size if want is None else want, timeout)

    def reached(self, size, timeout=60):
        """Wait until the device has it and the driver is done; compare all."""
        self.vm.wait(lambda: self.mock.size() == size, f"mock has {size}", timeout)
        self.wait_state("idle", timeout)
        self.assert_size(size)

    def assert_size(self, size, index=0, others=0):
        """Device, driver and Linux agree to the byte."""
        plugged = self.mock.plugged()
        self.assertEqual(total(plugged), size, "mock's bitmap")
        attrs = self.guest.attrs(index)
        self.assertEqual(int(attrs["plugged_size"]), size, "sysfs plugged_size")
        self.assertEqual(int(attrs["blocks_added"]) * int(attrs["big_block_size"]),
                         size, "sysfs blocks_added")
        self.assertEqual(attrs["blocks_plugged"], "0")
        self.assertEqual(attrs["blocks_fake_offline"], "0")
        self.assertEqual(self.in_region(self.guest.added()), merge(plugged), "/proc/iomem")
        self.assertEqual(self.guest.mem_total() - self.base, size, "MemTotal")


class Behaves(MockCase):
    """Without faults it is a device like any other."""

    def test_grow_and_shrink(self):
        """Sizes are reached, to the byte, everywhere."""
        for size in (128 * MIB, GIB, 384 * MIB, 0):
            self.resize(size)


class SmallBlocks(Behaves):
    """64 device blocks make a big block."""

    block = "2M"
