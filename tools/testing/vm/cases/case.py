# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by all tests: a guest with a freshly loaded driver, and comparisons.

Booting takes longer than most tests, so guests are kept and handed to the next
test that wants the same machine, if and only if it could be brought back to
nothing plugged and the driver unloaded. A test that failed gets no successor.
"""

import re
import threading
import time
import unittest

from vm.harness.kernels import DEFAULT
from vm.harness.vm import GIB, MIB, VM

__all__ = ["GIB", "MIB", "GuestCase"]

# What the guest's programs count in, whatever a page of its kernel's is.
PAGE = 4096


class Pool(threading.local):
    """The guest that the current thread keeps for its next test."""

    series = DEFAULT
    key = vm = None
    last = ()           # the test that had this guest last, if any
    stale = False       # whether nothing may follow in it

    def get(self, config, options):
        """A guest of that kind: the kept one, else a new one."""
        key = (self.series, config, tuple(sorted(options.items())))
        if self.key != key or self.stale:
            self.drop()
            self.vm, self.key = VM(config, self.series, mod="none", **options), key
        return self.vm

    def drop(self):
        """End the kept guest, if any."""
        vm, self.vm, self.key, self.last, self.stale = self.vm, None, None, (), False
        if vm:
            vm.stop(check=False)


POOL = Pool()

# How last_error names a cause, by its token.
WORDS = {
    "unmovable": "unmovable kernel pages are in the way",
    "hugetlb": "a gigantic hugetlb page is in the way",
    "pinned": "is held by something|pages are pinned or could not be migrated",
    "pressure": "must stay .unplug_reserve_mib.",
    "kept-online": "unplug_online is off",
    "nomem": "can be had|lacks free memory|no memory|.-12.",
    "deadline": "took longer than allowed",
    "veto": "offlining was refused",
    "hotplug": "user space is onlining or offlining",
    "interrupted": "given up for something newer",
}


def merge(ranges):
    """Join adjacent ranges."""
    out = []
    for start, end in sorted(ranges):
        if out and out[-1][1] == start:
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return out


def total(ranges):
    """Bytes in ranges."""
    return sum(end - start for start, end in ranges)


class GuestCase(unittest.TestCase):
    """A test with a guest."""

    config = "bb-256m"
    options = {}          # for VM()
    mod = "ours"          # the driver that setUp loads
    mod_args = ""         # its parameters
    devices = ("vm0",)
    stays = False         # memory of its devices may never be free again
    hosts = False         # whether memory blocks hold their own memmaps
    allow = ()            # console patterns that the test provokes
    at = ""               # which step of a longer test this is, for the report

    def setUp(self):
        self.vm = POOL.get(self.config, self.options)
        self.guest = self.vm.guest
        try:
            self.unload()
            for before in POOL.last:
                hits = self.vm.scan(before.allow)
                if hits:
                    self.fail(f"console: {hits}; logs in {self.vm.dir}")
        except Exception as error:
            for before in POOL.last:
                raise AssertionError(f"not by this test: {before.id()}, which had the guest "
                                     "before, left it so that driver and memory can't be "
                                     f"taken out of it: {error}") from error
            raise
        POOL.last, POOL.stale = (self,), self.stays
        self.vm.scan()
        self.base = self.guest.mem_total()
        self.zones = self.guest.zones()
        if self.mod:
            self.load(self.mod, self.mod_args)

    def run(self, result=None):
        """As usual, but no other test gets the guest of one that failed."""
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            POOL.drop()

    def tearDown(self):
        hits = self.vm.scan(self.allow)
        if hits:
            self.fail(f"console: {hits}; logs in {self.vm.dir}")

    def at_end(self, command):
        """Run in the guest when the test is over, if the guest still lives."""
        self.addCleanup(lambda: POOL.vm is self.vm and self.guest.run(command))

    # --- driver ---

    def load(self, mod="ours", args=""):
        """insmod, and wait until each device has its driver."""
        if mod == "ours" and self.vm.kernel.debug:
            # Slow, but no reason to give anything up.
            args = f"unplug_timeout_ms={40000 * self.vm.slow ** 2} {args}"
        self.guest.ok(f"insmod /mod/{mod}/virtio_mem.ko {args}")
        if mod == "ours":
            self.bound()

    def bound(self, count=None):
        """Wait until each device, or so many, has its driver."""
        want = len(self.devices) if count is None else count
        self.vm.wait(lambda: len(self.guest.run(
            "ls -d /sys/bus/virtio/devices/*/virtio_mem")[1].split())
            == want, f"driver bound to {want} devices", 20)

    def unload(self):
        """Bring a guest back to nothing plugged and no driver."""
        if self.guest.run("[ -d /sys/module/virtio_mem ]")[0] == 0:
            for device in self.devices:
                self.vm.qmp.request(device, 0)
            for device in self.devices:
                self.vm.wait(lambda d=device: self.vm.qmp.size(d) == 0,
                             f"{device} empty", 60)
            # The kernel's own driver unplugs parts of a memory block before it removes it.
            self.vm.wait(lambda: not self.guest.added(), "memory removed", 20)
            self.guest.ok("rmmod virtio_mem")
        for device in self.devices:
            self.assertEqual(self.vm.qmp.size(device), 0)
        self.assertEqual(self.guest.added(), [])

    def state(self, index=0):
        """The driver's state."""
        return self.guest.attr("state", index)

    def wait_state(self, state, timeout=60, index=0):
        """Wait until the driver says so."""
        self.vm.wait(lambda: self.state(index) == state,
                     f"driver is {state}", timeout)

    def resize(self, size, want=None, timeout=90, index=0):
        """Request a size; wait until the host has it and the driver is done."""
        device = self.devices[index]
        self.vm.resize(size, device, want, timeout)
        self.wait_state("idle", timeout, index)

    def assert_cause(self, seconds=10, ranges=True):
        """While the request waits, last_error names the cause that is reported.

        All the time, also during the next tries. Returns the causes seen.
        """
        dirs = "cd /sys/bus/virtio/devices/*/virtio_mem"
        seen, end = set(), time.monotonic() + seconds
        while time.monotonic() < end:
            before, said, after, again = self.guest.ok(
                f"{dirs} && cat stats/last_cause last_error stats/last_cause "
                "last_error").split("\n")
            # A pass has ended meanwhile: nobody can read both at once.
            if (before, said) != (after, again):
                continue
            self.assertRegex(said, WORDS[before], f"the cause is {before}")
            if ranges:
                self.assertRegex(said, "^0x[0-9a-f]+-0x[0-9a-f]+: ")
            seen.add(before)
            time.sleep(0.1)
        return seen

    # --- comparisons, all to the byte ---

    def usable(self, size):
        """Of so many bytes added those that the guest can use: 64 a page are its memmap's."""
        return size - size // self.guest.page * 64 if self.hosts else size

    def region(self, index=0):
        """(start, end) of a device's memory."""
        data = self.vm.qmp.memory_device(self.devices[index])
        return data["memaddr"], data["memaddr"] + data["max-size"]

    def in_region(self, ranges, index=0):
        """Those of the ranges that lie in a device's region, joined."""
        low, high = self.region(index)
        return merge(r for r in ranges if low <= r[0] and r[1] <= high)

    def assert_size(self, size, index=0, others=0, offline=()):
        """Host, driver and Linux agree that exactly size bytes are there.

        others: bytes that other devices have added.
        offline: ranges of these bytes that can't be onlined.
        """
        guest, device = self.guest, self.devices[index]
        self.assertEqual(self.vm.qmp.size(device), size, "query-memory-devices")
        attrs = guest.attrs(index)
        self.assertEqual(int(attrs["plugged_size"]), size, "sysfs plugged_size")
        self.assertEqual(int(attrs["blocks_added"]) * int(attrs["big_block_size"]),
                         size, "sysfs blocks_added")
        self.assertEqual(attrs["blocks_plugged"], "0")
        self.assertEqual(attrs["blocks_fake_offline"], "0")
        iomem = self.in_region(guest.added(), index)
        self.assertEqual(total(iomem), size, f"/proc/iomem: {iomem}")
        rows = guest.blocks(index)
        self.assert_sums(attrs, rows, index)
        added = merge(r[:2] for r in rows if r[3] == "ADDED")
        self.assertEqual(added, iomem, "debugfs and /proc/iomem")
        for start, end, count, *_ in rows:
            self.assertEqual(end - start, count * int(attrs["big_block_size"]))
        online = self.in_region(guest.lsmem_online(), index)
        self.assertEqual(merge([*online, *offline]), iomem, "lsmem")
        self.assertEqual(guest.mem_total() - self.base,
                         self.usable(size + others - total(offline)), "MemTotal")

    def assert_sums(self, attrs, rows, index=0):
        """Each big block of the region is in one count of sysfs, and in one line of debugfs."""
        low, high = self.region(index)
        size = int(attrs["big_block_size"])
        count = {s: int(attrs[f"blocks_{s}"])
                 for s in ("unused", "plugged", "added", "fake_offline")}
        self.assertEqual(sum(count.values()), high // size - -(-low // size), "sysfs blocks_*")
        self.assertEqual({s: sum(r[2] for r in rows if r[3] == s.upper()) for s in count},
                         count, "debugfs and sysfs blocks_*")

    def assert_zones(self, size):
        """Zone counts are the boot's, but for size bytes in ZONE_MOVABLE."""
        now = self.guest.zones()
        movable = now.pop((0, "Movable"), {"present": 0, "managed": 0})
        want = {k: v for k, v in self.zones.items() if k != (0, "Movable")}
        self.assertEqual(now, want)
        self.assertEqual((movable["present"], movable["managed"]),
                         (size // self.guest.page, self.usable(size) // self.guest.page))

    def assert_between_tries(self, size, zones=None, offline=()):
        """As assert_size, for a driver that waits, and tries again now and then.

        While it tries, a block is claimed and its pages are the driver's; what
        must be exact is the time between.
        """
        for left in range(30, -1, -1):
            try:
                self.assert_size(size, offline=offline)
                self.assertEqual(self.guest.zones(), zones or self.guest.zones())
                self.assertEqual(self.state(), "waiting")
                return
            except AssertionError:
                if not left:
                    raise
                time.sleep(0.5)

    def responses(self):
        """Types of all answers of the device so far: 0 ACK 1 NACK 2 BUSY 3 ERROR."""
        return [int(t) for t in re.findall(r"virtio_mem_send_response type=(\d)",
                                           self.vm.trace())]
