# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests with devices in software share."""

from case import GuestCase, merge, total
from mocks import ADDR, DIR, SIZE, Mocks

__all__ = ["BIND", "OPTIONS", "MocksCase"]

# What it costs to zero pages is not tested here; test_busy does.
OPTIONS = {"append": f"memmap={SIZE >> 30}G${ADDR:#x} init_on_alloc=0"}
BIND = "/sys/bus/virtio/drivers/virtio_mem/bind"


class MocksCase(GuestCase):
    """A guest with such devices: eight of 512 MiB, if not told otherwise.

    So many for time: what waits for a fault's end waits for eight at once.
    """

    config = "mock"
    options = OPTIONS
    mod = None
    count = 8
    mock_args = "block_size=128M"

    def setUp(self):
        super().setUp()
        self.mock = Mocks(self.guest, self.count)
        if self.vm.mock != (self.count, self.mock_args):
            if self.mock.loaded():
                self.guest.ok("rmmod virtio_mem_mock")
            self.mock.load(self.mock_args)
            self.vm.mock = self.count, self.mock_args
        self.load()

    def tearDown(self):
        try:
            for index, seen in enumerate(self.mock.look().devices):
                self.assertEqual(seen.violations, {},
                                 f"device {index}: {seen.last_violation}")
        finally:
            super().tearDown()

    def unload(self):
        """Back to nothing plugged, no driver, devices as after a reset."""
        if not hasattr(self.vm, "mock"):
            self.vm.mock = None
        mock = Mocks(self.guest)
        if not mock.loaded():
            self.vm.mock = None
            return
        # First of all: what waits for a device would not let go of it.
        self.guest.ok(f"cd {DIR}; for d in [0-9]; do echo clear >$d/fault; "
                      "echo now >$d/pending; done")
        if self.guest.run("[ -d /sys/module/virtio_mem ]")[0] == 0:
            self.guest.ok("rmmod virtio_mem")
        mock.behave()
        mock.count = len(mock.look().devices)
        mock.all("requested", 0)
        if self.guest.added():
            self.load_for(mock.count)
            self.vm.wait(lambda: not any(d.size for d in mock.look().devices),
                         "devices empty", 60)
            self.guest.ok("rmmod virtio_mem")
        self.assertEqual(self.guest.added(), [])
        for file, text in (("device", "system_reset"), ("log", "clear"),
                           ("violations", "clear")):
            mock.all(file, text)

    def load_for(self, count):
        """insmod, for so many devices."""
        self.guest.ok("insmod /mod/ours/virtio_mem.ko")
        self.bound(count)

    def load(self, mod="ours", args=""):
        """As usual."""
        self.load_for(self.count)

    def bound(self, count):
        """Wait until so many devices have their driver."""
        self.until(lambda look: sum(bool(d.state) for d in look.devices) == count,
                   f"driver bound to {count} devices", 20)

    def reload(self):
        """Without faults, unload and load."""
        self.mock.all("fault", "clear")
        self.guest.ok("rmmod virtio_mem", timeout=15)
        self.load()

    # --- looks ---

    def until(self, condition, what, timeout=20):
        """Look until condition(look); return that look."""
        def once():
            look = Mocks(self.guest).look()
            return look if condition(look) else None

        return self.vm.wait(once, f"{self.at}: {what}", timeout, 0.05)

    def seen(self, index, condition, what, timeout=20):
        """Look until condition(device)."""
        return self.until(lambda look: condition(look[index]), what, timeout)[index]

    def settled(self, sizes, timeout=30):
        """Wait until devices have {device: bytes} and their drivers are done."""
        # A look takes its time: added is read before idle.
        return self.until(lambda look: all(
            look[i].size == size == look[i].added and look[i].state == "idle"
            for i, size in sizes.items()), f"{sizes} and idle", timeout)

    def reached(self, sizes, timeout=30):
        """As settled(); then compare all."""
        self.compare(self.settled(sizes, timeout))

    def resize(self, sizes, timeout=30):
        """Request sizes and reach them; a number: on all devices."""
        if isinstance(sizes, int):
            sizes = dict.fromkeys(range(self.count), sizes)
        self.mock.request(sizes)
        self.reached(sizes, timeout)

    def compare(self, look):
        """Devices, drivers and Linux agree to the byte."""
        for index, seen in enumerate(look.devices):
            attrs, where = seen.attrs, f"device {index}"
            self.assertTrue(attrs, where)
            self.assertEqual(int(attrs["plugged_size"]), seen.size, where)
            self.assertEqual(seen.added, seen.size, where)
            self.assertEqual(attrs["blocks_plugged"], "0", where)
            self.assertEqual(attrs["blocks_fake_offline"], "0", where)
        plugged = merge(r for seen in look.devices for r in seen.ranges)
        self.assertEqual(merge(look.iomem), plugged, "/proc/iomem")
        self.assertEqual(look.mem_total - self.base, total(plugged), "MemTotal")
