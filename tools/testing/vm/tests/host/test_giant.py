# SPDX-License-Identifier: GPL-2.0-or-later
"""A small guest grows by many times its size, because added memory holds its own memmap."""

import re
import time

from vm.cases.case import GIB, MIB, PAGE, POOL, GuestCase
from vm.harness.guest import Pattern
from vm.harness.kernels import words

HOSTS = {"append": "memory_hotplug.memmap_on_memory=1"}


class Giant(GuestCase):
    """512 MiB, which grow by 64 GiB, whose memmap takes 1 GiB."""

    config = "huge"
    options = HOSTS
    hosts = True

    def kernel_free(self):
        """Bytes free outside of ZONE_MOVABLE, and in the CPUs' batches."""
        self.guest.ok("echo 3 >/proc/sys/vm/drop_caches")
        text = self.guest.read("/proc/zoneinfo").partition("Movable")[0]
        pages = re.findall(r"(?m)^ *(?:pages free|count:) +(\d+)", text)
        return sum(map(int, pages)) * PAGE

    def test_grows_by_64_gib_and_shrinks_back(self):
        """All of it is added and usable; then all goes, and nothing is missing."""
        free = self.kernel_free()
        begin = time.monotonic()
        self.resize(63 * GIB, timeout=300)
        # The core finds this gap at once, and else would look through all.
        start = self.region()[0]
        size = int(self.guest.attr("big_block_size"))
        self.assertEqual(self.guest.added(), [(start, start + size),
                                              (start + 2 * size, start + 63 * GIB + size)])
        self.resize(64 * GIB, timeout=300)
        up = time.monotonic() - begin
        self.assertEqual(self.guest.added(), [(start, start + 64 * GIB)])
        cost = free - self.kernel_free()
        print(f"# +64 GiB in {up:.1f} s, {up / 512 * 1000:.1f} ms and "
              f"{cost / 512 / 1024:.1f} KiB of other memory a memory block", flush=True)
        # Whatever else: no memmap of 1 GiB.
        self.assertLess(cost, 64 * MIB)
        self.assert_size(64 * GIB)
        self.assert_zones(64 * GIB)
        self.resize(64 * GIB - size)
        self.assertEqual(self.guest.added(), [(start, start + size),
                                              (start + 2 * size, start + 64 * GIB)])
        pattern = Pattern(self.guest, 256 * MIB)
        begin = time.monotonic()
        self.resize(GIB, timeout=300)
        print(f"# -63 GiB in {time.monotonic() - begin:.1f} s", flush=True)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // PAGE}")
        self.guest.kill(pattern.pid)
        self.resize(0)
        self.assert_size(0)
        self.assert_zones(0)


class Rescue(GuestCase):
    """512 MiB, nearly all of them locked; big blocks of 2 GiB, whose memmap takes 32 MiB."""

    config = "small"
    options = HOSTS
    hosts = True

    def setUp(self):
        # Some kernels can do it with big blocks of one memory block only.
        large = "large-hosted" not in words(POOL.series, "lacks")
        self.mod_args = "bbm_block_size=2G" if large else ""
        super().setUp()

    def rescued(self, left):
        """With so many bytes free it grows by 4 GiB, and can use these at once."""
        # Huge pages off: else Linux keeps 44 MiB itself when a zone is added.
        huge = "/sys/kernel/mm/transparent_hugepage/enabled"
        self.guest.ok(f"echo never >{huge}; echo 3 >/proc/sys/vm/drop_caches")
        self.at_end(f"echo madvise >{huge}")
        holder = self.guest.spawn(f"fill leave {left} free lock", "/tmp/leave")
        self.at_end(f"kill -9 {holder}")
        self.guest.wait_line("/tmp/leave", "READY", 120)
        self.resize(4 * GIB)
        self.assert_size(4 * GIB)
        pattern = Pattern(self.guest, 700 * MIB)
        self.assertEqual(pattern.check(), f"OK {700 * MIB // PAGE}")
        self.guest.kill(pattern.pid)
        self.assertEqual(self.guest.run(f"kill -0 {holder}")[0], 0)
        # Without it the guest has what an unplug must leave.
        self.guest.kill(holder)
        self.resize(0)
        self.assert_size(0)

    def test_guest_with_20_mib_free(self):
        """Less than the memmap of one big block."""
        self.rescued(20 * MIB)

    def test_guest_with_12_mib_free(self):
        """As little as Linux leaves to everybody."""
        self.rescued(12 * MIB)
