# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that user space onlines later, or in another zone."""

from vm.cases.case import GIB, MIB, GuestCase

SYS = "/sys/devices/system/memory"


class Offline(GuestCase):
    """memhp_default_state=offline: added memory waits for an administrator."""

    options = {"online": "offline"}

    def stalls_at(self, size):
        """The driver waits, with that much plugged, and goes no further."""
        self.vm.wait(lambda: self.vm.qmp.size("vm0") >= size, "plugged", 30)
        self.wait_state("waiting")
        self.assertEqual(self.vm.qmp.size("vm0"), size)
        self.assertEqual(sum(e - s for s, e in self.guest.added()), size)

    def test_waits_for_user_space(self):
        """Not more than 1 GiB is offline; onlining lets it go on."""
        start, _ = self.region()
        self.vm.qmp.request("vm0", 2 * GIB)
        self.stalls_at(GIB)
        self.assertEqual(self.guest.mem_total(), self.base)
        # Loaded again the driver knows how much is offline.
        self.guest.ok("rmmod virtio_mem")
        self.load()
        self.stalls_at(GIB)
        # One big block through sysfs, to ZONE_MOVABLE.
        for number in self.guest.memory_blocks(start, start + 256 * MIB):
            self.guest.ok(f"echo online_movable >{SYS}/memory{number}/state")
        self.stalls_at(GIB + 256 * MIB)
        self.assertEqual(self.guest.mem_total(), self.base + 256 * MIB)
        # The rest with the administrator's tool, in two steps.
        self.guest.run(f"chmem -e -z Movable {start:#x}-{start + GIB - 1:#x}")
        # Idle, and not just "in /proc/iomem": a big block shows there before its
        # memory blocks have their directories.
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 2 * GIB, "all plugged", 30)
        self.wait_state("idle")
        self.guest.ok(f"chmem -e -z Movable {start:#x}-{start + 2 * GIB - 1:#x}")
        self.assert_size(2 * GIB)

    def test_offline_goes_without_work(self):
        """Memory that was never online is unplugged."""
        self.vm.qmp.request("vm0", GIB)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == GIB, "plugged", 30)
        self.vm.resize(0)
        self.assertEqual(self.guest.added(), [])
        self.assertEqual(self.guest.mem_total(), self.base)

    def test_offlined_by_user_goes_first(self):
        """Of four blocks the one that the administrator took offline goes."""
        start, _ = self.region()
        self.vm.qmp.request("vm0", GIB)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == GIB, "plugged", 30)
        self.wait_state("idle")
        self.guest.ok(f"chmem -e -z Movable {start:#x}-{start + GIB - 1:#x}")
        second = start + 256 * MIB
        self.guest.ok(f"chmem -d {second:#x}-{second + 256 * MIB - 1:#x}")
        self.assertEqual(set(self.guest.memory_blocks(second, second + 256 * MIB)
                             .values()), {"offline"})
        self.vm.resize(768 * MIB)
        self.wait_state("idle")
        self.assertEqual(self.in_region(self.guest.added()),
                         [(start, second), (second + 256 * MIB, start + GIB)])
        self.assert_size(768 * MIB)


class Kernel(GuestCase):
    """memhp_default_state=online: the kernel picks the zone."""

    options = {"online": "online"}
    stays = True

    def test_zone_normal_memory_is_used_and_shrinks(self):
        """Memory in ZONE_NORMAL is used at once; nothing breaks at a shrink."""
        self.resize(GIB)
        self.assert_size(GIB)
        self.vm.qmp.request("vm0", 0)
        # Unmovable allocations may keep blocks; the accounting must hold anyway.
        self.vm.wait(lambda: self.state() in ("idle", "waiting"), "settled", 60)
        self.assertEqual(self.guest.mem_total() - self.base, self.vm.qmp.size("vm0"))
        if self.state() == "waiting":
            self.assertRegex(self.guest.attr("last_error"), "0x[0-9a-f]+-0x[0-9a-f]+: ")


class Kept(GuestCase):
    """unplug_online=N: what is online stays, and that is said."""

    mod_args = "unplug_online=0"

    def test_kept_block_is_told_and_let_go(self):
        """Until the administrator changes his mind."""
        self.resize(512 * MIB)
        self.vm.qmp.request("vm0", 0)
        self.wait_state("waiting")
        self.assertIn("unplug_online is off", self.guest.attr("last_error"))
        self.assertEqual({r[6] for r in self.guest.blocks() if r[3] == "ADDED"},
                         {"kept-online"})
        self.assert_size(512 * MIB)
        self.guest.write("/sys/module/virtio_mem/parameters/unplug_online", "1")
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "unplugged", 30)
        self.wait_state("idle")
        self.assert_size(0)
