# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests with one device in software share: the whole region is its."""

from case import GuestCase, merge, total
from mock import ADDR, DIR, SIZE, Mock, ranges
from mocks import VIRTIO
from mocks_case import OPTIONS

__all__ = ["VIRTIO", "MockCase"]


class MockCase(GuestCase):
    """A guest with that device."""

    config = "mock"
    options = OPTIONS
    mod = None
    devices = ("mock",)
    driver = "ours"
    block = "128M"
    mock_args = ""
    violations = {}

    def setUp(self):
        super().setUp()
        self.vm.mock = None     # mocks_case.py's
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
            if mock.size() or self.guest.added():
                # Whatever state the last test left it in: a fresh driver.
                self.guest.run("rmmod virtio_mem")
                self.load(self.driver)
                self.vm.wait(lambda: mock.size() == 0, "mock empty", 60)
            self.guest.run("rmmod virtio_mem")
            mock.unload()
        self.assertEqual(self.guest.added(), [])

    def reload(self):
        """Without the fault, unload and load."""
        self.mock.fault("clear")
        self.guest.ok("rmmod virtio_mem", timeout=15)
        self.load()

    def region(self, index=0):
        return ADDR, ADDR + SIZE

    def resize(self, size, want=None, timeout=60, index=0):
        self.mock.request(size)
        self.reached(size if want is None else want, timeout)

    def reached(self, size, timeout=60):
        """Wait until the device has it and the driver is done; compare all."""
        self.settled(size, timeout)
        self.assert_size(size)

    def settled(self, size, timeout=60):
        """Wait until the device has it and the driver is done."""
        def look():
            out = self.guest.ok(f"cat {DIR}/plugged {VIRTIO}/*/virtio_mem/state")
            return total(ranges(out)) == size and out.endswith("idle")

        self.vm.wait(look, f"mock has {size} and driver is idle", timeout, 0.1)

    def assert_size(self, size, index=0, others=0, offline=()):
        """Device, driver and Linux agree to the byte."""
        # All in one go: each command takes the guest a while.
        mock, iomem, mem, attrs = self.guest.ok(
            f"cat {DIR}/plugged; echo ==; grep 'RAM (virtio_mem)' /proc/iomem; "
            f"echo ==; grep MemTotal: /proc/meminfo; echo ==; "
            f"cd {VIRTIO}/*/virtio_mem; grep . *").split("==\n")
        attrs = dict(line.split(":", 1) for line in attrs.splitlines())
        plugged = ranges(mock)
        self.assertEqual(total(plugged), size, "mock's bitmap")
        self.assertEqual(int(attrs["plugged_size"]), size, "sysfs plugged_size")
        self.assertEqual(int(attrs["blocks_added"]) * int(attrs["big_block_size"]),
                         size, "sysfs blocks_added")
        self.assertEqual(attrs["blocks_plugged"], "0")
        self.assertEqual(attrs["blocks_fake_offline"], "0")
        self.assertEqual(merge(ranges(iomem)), merge(plugged), "/proc/iomem")
        self.assertEqual(int(mem.split()[1]) * 1024 - self.base,
                         size - total(offline), "MemTotal")
