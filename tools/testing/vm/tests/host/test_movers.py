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
BOOT = 704 * MIB                  # what the balloon has of the guest's own memory
OTHERS = 48 * MIB                 # of the kernel's own there may be as much


class Movers(GuestCase):
    """A guest whose own memory is nearly full before it grows."""

    def setUp(self):
        if "debug" in TABLE[POOL.series]:
            self.skipTest("a debug kernel lacks disks, file systems and more")
        self.options = {"files": files, "options": (*options(), "-cpu", "max,-erms")}
        super().setUp()
        self.actor = Actor(self.vm)
        self.addCleanup(POOL.drop)

    def grown(self):
        """A gibibyte in a kernel zone, and what the device has then."""
        self.actor.inflate(BOOT)
        self.actor.grow(GIB, "online_kernel")
        return self.seen()

    def seen(self):
        """Bytes of all big blocks that a scan calls free, movable, stuck."""
        rows = [line.split() for line in
                self.guest.ok("cat /sys/kernel/debug/virtio_mem/*/details").splitlines()]
        return {what: sum(int(row[what]) for row in rows) * PAGE
                for what in (FREE, MOVABLE, STUCK)}

    def test_balloon_moves(self):
        """Half a gibibyte more in the balloon is movable."""
        before = self.grown()
        self.actor.inflate(BOOT + 640 * MIB)
        now = self.seen()
        self.assertGreater(now[MOVABLE] - before[MOVABLE], 320 * MIB, now)
        self.assertLess(now[STUCK], OTHERS, now)

    def test_zsmalloc_moves(self):
        """So is what zram stores, which can't be compressed."""
        before = self.grown()
        self.actor.insmod("zram")
        self.guest.ok("echo 512M >/sys/block/zram0/disksize; "
                      "dd if=/dev/urandom of=/tmp/random bs=1M count=16; "
                      "for i in $(seq 0 31); do dd if=/tmp/random of=/dev/zram0 bs=1M "
                      "seek=$((i * 16)); done 2>/dev/null; sync", 180)
        now = self.seen()
        stored = int(self.guest.read("/sys/block/zram0/mm_stat").split()[2])
        self.assertGreater(stored, 480 * MIB)
        self.assertGreater(now[MOVABLE] - before[MOVABLE], 256 * MIB, now)
        self.assertLess(now[STUCK], OTHERS, now)

    def test_slab_is_stuck(self):
        """Inodes are neither free nor movable, nor is the big block unplugged."""
        before = self.grown()
        slab = self.guest.meminfo()["Slab"]
        self.guest.ok("mkdir /tmp/files; hold files 150000 /tmp/files", 300)
        grown = self.guest.meminfo()["Slab"] - slab
        now = self.seen()
        self.assertGreater(grown, 96 * MIB)
        self.assertGreater(now[STUCK] - before[STUCK], grown / 3, (now, grown))
        self.assertLess(now[MOVABLE] - before[MOVABLE], grown / 3, (now, grown))
        self.assertGreater(before[FREE] - now[FREE], grown / 3, (now, grown))
