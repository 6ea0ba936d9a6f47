# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own test of memory hotplug, and util-linux, on memory of this driver.

make check has BRIEF of it. In make check-peers the kernel's own driver gets the same;
what it leads to is printed, not judged. docs/peers.md has both in a table.
"""

import json
import re
import unittest

from vm.cases.case import GIB, MIB, PAGE, merge, total
from vm.cases.peer_case import FULL, PeerCase
from vm.harness.guest import Pattern
from vm.tests.peers import kselftest

SYS = "/sys/devices/system/memory"
BLOCK = 128 * MIB
# Some onlines "wherever the kernel likes": with movable_node, what was in
# ZONE_MOVABLE gets back there even if it was all offline for a moment.
GUEST = {"files": kselftest.files, "append": "movable_node"}
BRIEF = ("Kselftest.test_all_of_the_device", "Chmem.test_sizes_and_blocks")


class Kselftest(PeerCase):
    """tools/testing/selftests/memory-hotplug/mem-on-off-test.sh."""

    suite = "kselftest"
    missing = staticmethod(kselftest.missing)
    options = GUEST
    size = 512 * MIB
    blocks = ()

    def setUp(self):
        super().setUp()
        self.assertEqual(self.to(self.size), self.size)
        self.pattern = Pattern(self.guest, 16 * MIB, seed=21)
        self.at_end(f"kill -9 {self.pattern.pid}")

    def ours_only(self):
        """Let the script see the device's memory blocks and no others."""
        self.guest.ok("mkdir -p /tmp/sysfs; mount -t sysfs sys /tmp/sysfs; "
                      f"mount -t tmpfs none {SYS}; for n in "
                      f"{' '.join(map(str, self.blocks))}; do "
                      f"ln -s /tmp/sysfs/devices/system/memory/memory$n {SYS}/; done")

    def suite_says(self, args, scoped):
        """Run it; compare memory before and after; take all memory back."""
        name = args or "no options"
        self.blocks = sorted(self.numbers())
        before = self.guest.zones(), self.guest.mem_total(), self.numbers()
        if scoped:
            self.ours_only()
        status, out = self.guest.run(f"bash /kselftest {args}", 300)
        if scoped:
            self.guest.ok(f"umount {SYS}; umount /tmp/sysfs")
        self.log(name, out)
        bad = re.findall(r".*(?:unexpected|FAILED|skip).*", out)
        self.said(name, f"exit {status}, {out.count('-> Success')} of "
                  f"{re.search(r'offline ([0-9]+) out of', out)[1]} offline"
                  f"{'' if scoped else ' of all memory'}, "
                  f"{len(bad)} complaints{': ' if bad else ''}{'; '.join(bad[:2])}",
                  r"exit 0, ([0-9]+) of \1 offline( of all memory)?, 0 complaints")
        after = self.guest.zones(), self.guest.mem_total(), self.numbers()
        self.said(f"{name}, then", "memory as before" if after == before
                  else "memory is not as before", "memory as before")
        if self.mod == "ours":
            self.assert_size(self.size)
            self.assert_zones(self.size)
        self.said(f"{name}, then shrink to 0", f"{self.to(0) // MIB} MiB left", "0 MiB left")
        self.said(f"{name}, data of a process meanwhile", self.pattern.check(),
                  f"OK {16 * MIB // 4096}")

    def test_as_it_comes(self):
        """All of the guest's memory, the script's defaults."""
        self.suite_says("", False)

    def test_all_of_the_device(self):
        """Every memory block; the injected veto comes when the driver has agreed."""
        self.suite_says("-r 100 -e -16 -p -100000", True)

    def test_half_of_the_device(self):
        """Some, by chance; the injected veto comes before the driver's turn."""
        self.suite_says("-r 50 -p 100000", True)


class Chmem(PeerCase):
    """util-linux: lsmem tells the truth, and chmem and the device get along."""

    suite = "chmem"
    options = GUEST
    size = GIB

    def setUp(self):
        super().setUp()
        self.assertEqual(self.to(self.size), self.size)
        self.first = self.region()[0] // BLOCK

    def picture(self):
        """The device's memory blocks from its first: online, offline, or not there."""
        states = self.numbers()
        letters = {"online": "#", "offline": "o", None: "."}
        return "".join(letters[states.get(self.first + n)] for n in range(12)).rstrip(".")

    def check_lsmem(self):
        """Every column of lsmem against what sysfs, iomem, zones and driver say."""
        low, high = self.region()
        rows, below = [], 0
        for row in json.loads(self.guest.ok("lsmem -J -a -b -o RANGE,SIZE,STATE,REMOVABLE,"
                                            "BLOCK,NODE,ZONES"))["memory"]:
            start, end = (int(x, 16) for x in row["range"].split("-"))
            if start < low and row["state"] == "online":
                below += row["size"]
            if low <= start < high:
                # lsmem calls nothing removable that is offline.
                self.assertEqual((end + 1 - start, row["size"], int(row["block"]) * BLOCK,
                                  row["node"], row["removable"]),
                                 (BLOCK, BLOCK, start, 0, row["state"] == "online"))
                rows.append((start, end + 1, row["state"], row["zones"]))
        self.assertEqual({r[0] // BLOCK: r[2] for r in rows}, self.numbers(), "sysfs")
        self.assertEqual(merge(r[:2] for r in rows), self.in_region(self.guest.added()), "iomem")
        online = [r[:2] for r in rows if r[2] == "online"]
        zones = self.guest.zones()
        # At boot all memory is below 4 GiB: neither zone has any.
        for zone in ("Movable", "Normal"):
            mine = total(r[:2] for r in rows if r[2:] == ("online", zone))
            self.assertEqual(mine, zones.get((0, zone), {"present": 0})["present"] * PAGE, zone)
        self.assertEqual(total(online), self.guest.mem_total() - self.base, "MemTotal")
        # The same in sum, and with runs of equal blocks folded into one row.
        summary = self.guest.ok("lsmem -b --summary=only")
        sums = [int(n) for n in re.findall(r"(?:on|off)line memory:\s+(\d+)", summary)]
        self.assertEqual(sums[0] - below, total(online), summary)
        self.assertEqual(sums[1], total(r[:2] for r in rows) - total(online), summary)
        if self.mod == "ours":
            self.check_debugfs({r[0]: r[3] for r in rows if r[2] == "online"})

    def check_debugfs(self, online):
        """The driver's own table says of each big block what lsmem does."""
        for start, end, count, state, zone, word, _ in self.guest.blocks():
            for bb in range(start, end, (end - start) // count):
                got = [online.get(b) for b in range(bb, bb + 2 * BLOCK, BLOCK)]
                want = ("-" if state != "ADDED" else "online" if all(got)
                        else "mixed" if any(got) else "offline")
                names = sorted({name for name in got if name})
                self.assertEqual((word, zone), (want, "mixed" if len(names) > 1
                                                else "".join(names) or "-"))

    def chmem(self, args, want, timeout=60):
        """Run it; what it printed, with block numbers from the region's first."""
        status, out = self.guest.run(f"chmem {args}", timeout)
        out = re.sub(r"(?:Memory Block |memory)(\d+)(?: \(\S+\))?",
                     lambda m: str(int(m[1]) - self.first), out)
        def relative(m):
            return f"R+{(int(m[1], 16) - self.first * BLOCK) // MIB}M"
        out, args = (re.sub(r"0x0*([0-9a-f]{8,})", relative, t) for t in (out, args))
        args = re.sub(r"(-b )(\d+)-(\d+)",
                      lambda m: f"-b {int(m[2]) - self.first}-{int(m[3]) - self.first}", args)
        self.said(args, f"exit {status} {out} {self.picture()}", want)
        self.check_lsmem()

    def resized(self, size, want):
        """Resize by the device; what is left, and where."""
        left = self.to(size)
        self.said(f"device to {size // MIB} MiB", f"{left // MIB} MiB {self.picture()}", want)
        self.check_lsmem()

    def blocks(self, low, high):
        """A range of memory blocks for chmem -b."""
        return f"{self.first + low}-{self.first + high}"

    def test_sizes_and_blocks(self):
        """Half a gigabyte here and there, and what the device does of it."""
        self.chmem("-v -d 384M", "exit 0 7 disabled 6 disabled 5 disabled #####ooo")
        self.chmem("-v -e 128M", "exit 0 5 enabled ######oo")
        self.chmem(f"-v -d -b {self.blocks(0, 1)}", "exit 0 0 disabled 1 disabled oo####oo")
        self.resized(768 * MIB, "768 MiB oo####")
        self.resized(1280 * MIB, "1280 MiB oo########")
        self.chmem(f"-v -e -z Movable -b {self.blocks(0, 9)}", "exit 0 0 enabled 1 enabled "
                   + " ".join(f"{n} already enabled" for n in range(2, 10)) + " #{10}")
        self.chmem(f"-v -d -b {self.blocks(3, 4)}", "exit 0 3 disabled 4 disabled ###oo#####")
        # Two halves of big blocks are no whole one: which goes is the driver's choice.
        self.resized(1024 * MIB, "1024 MiB ###oo###")
        self.resized(0, "0 MiB")

    def test_ranges_and_zones(self):
        """By address; into a zone; into one that the memory can't have."""
        low = self.region()[0]
        half = f"{low + 512 * MIB:#x}-{low + GIB - 1:#x}"
        off = "exit 0 4 disabled 5 disabled 6 disabled 7 disabled ####oooo"
        on = off.replace("disabled", "enabled").replace("o" * 4, "#" * 4)
        self.chmem(f"-v -d {half}", off)
        self.chmem(f"-v -e -z DMA32 {half}", "exit 1 (chmem: [4-7] enable failed: "
                   "Zone mismatch ){4}####oooo")
        self.chmem(f"-v -e -z Movable {half}", on)
        self.resized(0, "0 MiB")

    def test_nonsense_changes_nothing(self):
        """Blocks that are not there, not whole, or done already change nothing."""
        self.chmem(f"-v -e -b {self.blocks(0, 7)}", "exit 0 "
                   + " ".join(f"{n} already enabled" for n in range(8)) + " #{8}")
        self.chmem(f"-v -d -b {self.blocks(9, 10)}", "exit 1 #{8}")
        self.chmem("-v -d 100M", "exit 1 chmem: Size must be aligned .* #{8}")
        self.resized(0, "0 MiB")
        self.chmem("-v -e 128M", "exit 1 chmem: Could only enable 0B of memory")


class KselftestStock(Kselftest):
    """With the kernel's own driver."""

    mod = "stock"


class ChmemStock(Chmem):
    """With the kernel's own driver."""

    mod = "stock"


def load_tests(_loader, tests, _pattern):
    """unittest asks here what to run."""
    return unittest.TestSuite(test for group in tests for test in group
                              if FULL or test.id().endswith(BRIEF))
