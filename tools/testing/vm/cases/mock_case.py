# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by the tests with devices in software."""

from vm.cases.case import GuestCase, merge, total
from vm.device.mock import DIR, OPTIONS, SIZE, Mock

BIND = "/sys/bus/virtio/drivers/virtio_mem/bind"


class MockCase(GuestCase):
    """A guest with such devices: one, if not told otherwise, which is new for each test.

    Where a size is wanted, a number means each of the devices.
    """

    config = "mock"
    options = OPTIONS
    mod = None
    count = 1
    kept = False        # whether the next test may get the same devices
    mock_args = "block_size=128M"

    def setUp(self):
        super().setUp()
        self.mock = Mock(self.guest, self.count)
        self.device = self.mock[0]
        key = (self.count, self.mock_args) if self.kept else None
        if key is None or self.vm.mock != key:
            if self.mock.loaded():
                self.mock.unload()
            self.mock.load(self.mock_args)
            self.vm.mock = key
        self.load()

    def tearDown(self):
        try:
            looked = self.mock.look().devices if self.mock.loaded() else []
            for index, seen in enumerate(looked):
                self.assertEqual(seen.violations, {},
                                 f"device {index}: {seen.last_violation}")
        finally:
            super().tearDown()

    # --- the harness's host is here the device ---

    def unload(self):
        """Back to nothing plugged, no driver, devices as after a reset."""
        if not hasattr(self.vm, "mock"):
            self.vm.mock = None
        mock = Mock(self.guest)
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
        """insmod without parameters, which so many devices accept."""
        self.guest.ok("insmod /mod/ours/virtio_mem.ko")
        self.bound(count)

    def bound(self, count=None):
        """Wait until all, or so many, devices have their driver."""
        want = self.count if count is None else count
        self.until(lambda look: sum(bool(d.state) for d in look.devices) == want,
                   f"driver bound to {want} devices", 20)

    def reload(self):
        """Without faults, unload and load."""
        self.mock.all("fault", "clear")
        self.guest.ok("rmmod virtio_mem", timeout=15)
        self.load()

    def region(self, index=0):
        base = self.mock[index].base()
        return base, base + SIZE // self.count

    # --- looks ---

    def until(self, condition, what, timeout=20):
        """Look until condition(look); return that look."""
        def once():
            look = Mock(self.guest).look()
            return look if condition(look) else None

        return self.vm.wait(once, f"{self.at}: {what}", timeout, 0.05)

    def seen(self, index, condition, what, timeout=20):
        """Look until condition(device)."""
        return self.until(lambda look: condition(look[index]), what, timeout)[index]

    def sizes(self, sizes):
        """As {device: bytes}."""
        return dict.fromkeys(range(self.count), sizes) if isinstance(sizes, int) else sizes

    def settled(self, sizes, timeout=30):
        """Wait until devices have these sizes and their drivers are done."""
        wanted = self.sizes(sizes)
        return self.until(lambda look: all(look[i].rests(size) for i, size in wanted.items()),
                          f"{wanted} and idle", timeout)

    def reached(self, sizes, timeout=30):
        """As settled(); then compare all."""
        self.compare(self.settled(sizes, timeout))

    def resize(self, sizes, timeout=30):  # pylint: disable=arguments-renamed,arguments-differ
        """Request sizes and reach them."""
        self.mock.request(self.sizes(sizes))
        self.reached(sizes, timeout)

    def compare(self, look, offline=()):
        """Devices, drivers and Linux agree to the byte; offline: ranges that can't be online."""
        for index, seen in enumerate(look.devices):
            attrs, where = seen.attrs, f"device {index}"
            self.assertTrue(attrs, where)
            self.assertEqual(int(attrs["plugged_size"]), seen.size, where)
            self.assertEqual(seen.added, seen.size, where)
            self.assertEqual(attrs["blocks_plugged"], "0", where)
            self.assertEqual(attrs["blocks_fake_offline"], "0", where)
            low, high = self.region(index)
            size = int(attrs["big_block_size"])
            self.assertEqual(sum(int(n) for k, n in attrs.items() if k.startswith("blocks_")),
                             high // size - -(-low // size), where)
        plugged = merge(r for seen in look.devices for r in seen.ranges)
        self.assertEqual(merge(look.iomem), plugged, "/proc/iomem")
        self.assertEqual(look.mem_total - self.base,
                         self.usable(total(plugged) - total(offline)), "MemTotal")

    def assert_size(self, size, index=0, others=0, offline=()):
        """Device, driver and Linux agree that exactly size bytes are there."""
        look = self.mock.look()
        self.assertEqual(look[index].size, size, "mock's bitmap")
        self.compare(look, offline)


class MocksCase(MockCase):
    """Eight devices of 512 MiB: what waits for a fault's end waits for eight at once.

    They are kept for the next test, reset.
    """

    count = 8
    kept = True
