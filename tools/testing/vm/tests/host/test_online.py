# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that user space onlines later, or in another zone."""

import re

from vm.cases.case import GIB, MIB, PAGE, GuestCase, total

SYS = "/sys/devices/system/memory"
BLOCK = 128 * MIB


class OnlineCase(GuestCase):
    """What sysfs, lsmem, debugfs and MemTotal say of each memory block."""

    def assert_same(self, want):
        """They agree that the device's memory blocks are as wanted.

        want: a word for each, lowest first: offline, Movable or Normal
        """
        low, _ = self.region()
        first = low // BLOCK
        files = "state removable valid_zones"
        out = self.guest.ok(f"cd {SYS} && for i in $(seq {first} {first + len(want) - 1}); do "
                            f"cd memory$i; echo $(cat {files}); cd ..; done")
        seen, rows = [], [line.split() for line in out.splitlines()]
        for state, removable, zone, *_ in rows:
            self.assertEqual(removable, "1")
            seen.append(state if state != "online" else zone)
        self.assertEqual(seen, want, "sysfs")

        out = self.guest.ok("lsmem -r -n -a -o RANGE,STATE,REMOVABLE,ZONES")
        # What is offline has no entry there whether it is removable.
        rows = [(int(m[1], 16), m[3] if m[2] == "online yes" else m[2].strip())
                for m in re.finditer(
                    r"^0x([0-9a-f]+)-0x[0-9a-f]+ (online \S+|offline) ?(.*)$", out, re.M)]
        # lsmem knows no zone where memory 0 is missing.
        known = self.guest.run(f"[ -e {SYS}/memory0 ]")[0] == 0
        self.assertEqual([word for start, word in rows if start >= low],
                         want if known else [word if word == "offline" else ""
                                             for word in want], out)

        online = [word for word in want if word != "offline"]
        usable = len(online) * BLOCK
        self.assertEqual(self.guest.mem_total() - self.base, usable, "MemTotal")
        zones = self.guest.zones().get((0, "Movable"), {"managed": 0})
        self.assertEqual(zones["managed"] * PAGE, online.count("Movable") * BLOCK, "zones")

        for start, end, count, state, zone, how, _ in self.guest.blocks():
            words = want[(start - low) // BLOCK:(end - low) // BLOCK]
            if state != "ADDED":
                self.assertEqual(words, [])
                continue
            # A row is of equal big blocks.
            words = words[:len(words) // count]
            there = {word for word in words if word != "offline"}
            self.assertEqual(how, "offline" if not there else
                             "mixed" if "offline" in words else "online", (start, want))
            self.assertEqual(zone, "mixed" if len(there) > 1 else "".join(there) or "-")


class Offline(OnlineCase):
    """memhp_default_state=offline: added memory waits for an administrator."""

    options = {"online": "offline"}

    def chmem(self, what):
        """Online memory as movable with the administrator's tool; return its status."""
        if self.guest.run(f"[ -e {SYS}/memory0 ]")[0]:
            self.skipTest("chmem ignores the zone where memory 0 is missing")
        return self.guest.run(f"chmem -e -z Movable {what}")[0]

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
        self.chmem(f"{start:#x}-{start + GIB - 1:#x}")
        # Idle, and not just "in /proc/iomem": a big block shows there before its
        # memory blocks have their directories.
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 2 * GIB, "all plugged", 30)
        self.wait_state("idle")
        self.assertEqual(self.chmem(f"{start:#x}-{start + 2 * GIB - 1:#x}"), 0)
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
        self.assertEqual(self.chmem(f"{start:#x}-{start + GIB - 1:#x}"), 0)
        second = start + 256 * MIB
        self.guest.ok(f"chmem -d {second:#x}-{second + 256 * MIB - 1:#x}")
        self.assertEqual(set(self.guest.memory_blocks(second, second + 256 * MIB)
                             .values()), {"offline"})
        self.vm.resize(768 * MIB)
        self.wait_state("idle")
        self.assertEqual(self.in_region(self.guest.added()),
                         [(start, second), (second + 256 * MIB, start + GIB)])
        self.assert_size(768 * MIB)

    def test_by_hand_in_any_order(self):
        """Highest first, by halves of big blocks, in turn with offlining, by sysfs and chmem."""
        start, _ = self.region()
        first, want = start // BLOCK, ["offline"] * 8
        self.vm.qmp.request("vm0", GIB)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == GIB, "plugged", 30)
        self.wait_state("idle")
        self.assert_same(want)
        for number, order in ((7, "online_movable"), (2, "online_movable"), (5, "online_movable"),
                              (2, "offline"), (0, "online_movable"), (6, "online_movable")):
            self.guest.ok(f"echo {order} >{SYS}/memory{first + number}/state")
            want[number] = "offline" if order == "offline" else "Movable"
            self.assert_same(want)
        # By amount: the lowest that is offline comes, the highest that is online goes.
        self.assertEqual(self.chmem("128M"), 0)
        self.guest.ok("chmem -d 256M")
        want[1], want[6:] = "Movable", ["offline"] * 2
        self.assert_same(want)
        # All that is offline goes first, then the half or the whole one: either may be in use.
        self.vm.resize(512 * MIB)
        self.wait_state("idle")
        left = [(start, start + 2 * BLOCK), (start + 4 * BLOCK, start + 6 * BLOCK)]
        self.assertEqual(self.in_region(self.guest.added()), left)
        self.assertEqual(self.guest.mem_total() - self.base, 3 * BLOCK)
        self.vm.resize(256 * MIB)
        self.wait_state("idle")
        last = self.in_region(self.guest.added())
        self.assertIn(last, (left[:1], left[1:]))
        self.assertEqual(self.guest.mem_total() - self.base,
                         (2 if last == left[:1] else 1) * BLOCK)
        self.vm.resize(0)
        self.wait_state("idle")
        self.assertEqual(self.guest.added(), [])
        self.assertEqual(self.guest.mem_total(), self.base)
        self.assert_zones(0)


class Kernel(OnlineCase):
    """memhp_default_state=online: the kernel picks the zone."""

    options = {"online": "online"}
    stays = True

    def test_every_mode_and_zone_normal_shrinks(self):
        """What is added next is onlined as auto_online_blocks says; nothing breaks at a shrink."""
        start, _ = self.region()
        first, want = start // BLOCK, []
        for mode, word in (("online", "Normal"), ("offline", "offline"),
                           ("online_movable", "Movable"), ("online_kernel", "Normal")):
            self.at = mode
            self.guest.ok(f"echo {mode} >{SYS}/auto_online_blocks")
            size = (len(want) + 2) * BLOCK
            self.vm.qmp.request("vm0", size)
            self.vm.wait(lambda want=size: total(self.guest.added()) == want, "grown", 30)
            self.wait_state("idle")
            want += [word] * 2
            self.assert_same(want)
        # A big block in both zones.
        for number, order in ((2, "online_kernel"), (3, "online_movable")):
            self.guest.ok(f"echo {order} >{SYS}/memory{first + number}/state")
        want[2:4] = "Normal", "Movable"
        self.assert_same(want)
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
