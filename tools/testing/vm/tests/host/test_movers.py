# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages that Linux's own users have: what the driver takes them for.

A balloon and zsmalloc move theirs; how a page says so differs between kernels. Slab
pages can't move, and in newer kernels have no reference that would tell them from free
ones. All of it in a kernel zone, because only there the difference counts.
"""

from vm.cases.case import GIB, MIB, POOL, GuestCase
from vm.harness.kernels import TABLE
from vm.states.actor import Actor
from vm.states.machine import files, options

PAGE = 4096
FREE, MOVABLE, STUCK = 4, 5, 8    # columns of debugfs's details
OTHERS = 48 * MIB                 # what else the kernel may have meanwhile


class Movers(GuestCase):
    """Memory of the device in a kernel zone, which is above the guest's own: used first."""

    def setUp(self):
        if "debug" in TABLE[POOL.series]:
            self.skipTest("a debug kernel lacks disks, file systems and more")
        self.options = {"files": files, "options": (*options(), "-cpu", "max,-erms")}
        super().setUp()
        self.actor = Actor(self.vm)
        self.addCleanup(POOL.drop)

    def during(self, command, timeout=180):
        """What a scan finds more when the guest has run this: free, movable, stuck."""
        before = self.seen()
        self.guest.ok(f"{command}; sync; echo 3 >/proc/sys/vm/drop_caches", timeout)
        now = self.seen()
        return {what: now[what] - before[what] for what in now}

    def seen(self):
        """Bytes of all big blocks that a scan calls free, movable, stuck."""
        rows = [line.split() for line in
                self.guest.ok("cat /sys/kernel/debug/virtio_mem/*/details").splitlines()]
        return {what: sum(int(row[what]) for row in rows) * PAGE
                for what in (FREE, MOVABLE, STUCK)}

    def test_balloon_moves(self):
        """What the balloon has is movable."""
        self.actor.balloon_driver()
        self.actor.grow(GIB, "online_kernel")
        before = self.seen()
        self.actor.inflate(640 * MIB)
        now = self.seen()
        self.assertGreater(now[MOVABLE] - before[MOVABLE], 480 * MIB, now)
        self.assertLess(now[STUCK] - before[STUCK], OTHERS, now)

    def test_zsmalloc_moves(self):
        """So is what zram stores, which can't be compressed."""
        self.actor.insmod("zram")
        self.actor.grow(GIB, "online_kernel")
        more = self.during("echo 512M >/sys/block/zram0/disksize; "
                           "dd if=/dev/urandom of=/tmp/random bs=1M count=16; "
                           "for i in $(seq 0 31); do dd if=/tmp/random of=/dev/zram0 bs=1M "
                           "seek=$((i * 16)); done; rm /tmp/random")
        stored = int(self.guest.read("/sys/block/zram0/mm_stat").split()[2])
        self.assertGreater(stored, 480 * MIB)
        self.assertGreater(more[MOVABLE], 320 * MIB, more)
        self.assertLess(more[STUCK], OTHERS, more)

    def test_slab_is_stuck(self):
        """Inodes are neither free nor movable."""
        self.actor.grow(GIB, "online_kernel")
        slab = self.guest.meminfo()["Slab"]
        more = self.during("mkdir /tmp/files; hold files 120000 /tmp/files", 300)
        grown = self.guest.meminfo()["Slab"] - slab
        self.assertGreater(grown, 80 * MIB)
        self.assertGreater(more[STUCK], grown * 3 / 4, (more, grown))
        self.assertLess(more[MOVABLE], grown / 4, (more, grown))
        self.assertLess(more[FREE], -grown * 3 / 4, (more, grown))
