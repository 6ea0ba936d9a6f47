# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that has grown panics, and the crash kernel dumps its added memory."""

import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

from vm.cases.case import GIB, MIB, PAGE, POOL, total
from vm.device.diskdump import Dump
from vm.harness import initramfs
from vm.harness.guest import Pattern
from vm.harness.vm import VM, our_module

TOOL = "makedumpfile"
SIZE = 64 * MIB         # of the pattern
SEED = 3
# Free pages, page cache and zeroes are left out, what processes have written is not.
LEVEL = 23
WORD, MASK = 0x9e3779b97f4a7c15, (1 << 64) - 1


def word(index):
    """A word of the pattern, as memtool.c makes it."""
    z = (SEED + index * WORD) & MASK
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9 & MASK
    return z ^ (z >> 27)


def page(number):
    """A page of the pattern."""
    words = PAGE // 8
    return struct.pack(f"<{words}Q", *map(word, range(number * words, (number + 1) * words)))


def crash_files(kernel):
    """The kernel once more, with an initramfs that has the driver, makedumpfile, and a disk."""
    more = initramfs.program(shutil.which(TOOL), f"bin/{TOOL}")
    for path in initramfs.module_files(kernel, ["virtio_blk"]):
        more[f"mod/{path.name.removesuffix('.xz')}"] = (0o644, initramfs.read_module(path))
    with tempfile.TemporaryDirectory() as scratch:
        image = initramfs.build(kernel, pathlib.Path(scratch, "initrd"), our_module(), more)
        return {"boot/vmlinuz": (0o644, kernel.image.read_bytes()),
                "boot/initrd": (0o644, image.read_bytes())}


class Backing:
    """The file behind the device's memory: a page that nobody has touched is a hole."""

    def __init__(self, pid):
        fds = pathlib.Path(f"/proc/{pid}/fd")
        self.path, = (fd for fd in fds.iterdir() if "memfd:" in os.readlink(fd))

    def touched(self, start, end):
        """How many bytes of a range of offsets are no hole."""
        fd, count = os.open(self.path, os.O_RDONLY), 0
        try:
            while start < end:
                try:
                    data = os.lseek(fd, start, os.SEEK_DATA)
                except OSError:     # nothing but a hole from there on
                    break
                start = min(os.lseek(fd, data, os.SEEK_HOLE), end)
                count += max(0, start - data)
        finally:
            os.close(fd)
        return count


class Kdump(unittest.TestCase):
    """With makedumpfile, to a disk, as kdump-tools do it."""

    config = "kdump"    # a group of its own: it shares no guest

    def setUp(self):
        if not shutil.which(TOOL):
            self.skipTest(f"no {TOOL} here: tools/testing/deps {TOOL}")
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.disk = pathlib.Path(scratch.name, "disk")
        with self.disk.open("wb") as file:
            file.truncate(2 * GIB)
        POOL.drop()
        self.vm = VM("kdump", POOL.series, allow=("panic", "trace", "taint"), files=crash_files,
                     append="crashkernel=256M", options=(
                         "-drive", f"file={self.disk},if=none,id=disk,format=raw",
                         "-device", "virtio-blk-pci,drive=disk"))
        self.addCleanup(self.vm.stop)
        self.guest = self.vm.guest
        if self.guest.run("[ -e /sys/kernel/kexec_crash_loaded ]")[0]:
            self.skipTest("a kernel without kexec")

    def region(self):
        """(start, end) of the device's memory."""
        data = self.vm.qmp.memory_device("vm0")
        return data["memaddr"], data["memaddr"] + data["max-size"]

    def load(self):
        """The crash kernel; it learns where memory is now."""
        line = self.guest.read("/proc/cmdline").replace("crashkernel=256M", "")
        self.guest.ok(f"kexec crash /boot/vmlinuz /boot/initrd '{line} nr_cpus=1 reset_devices'",
                      60)

    def pattern(self, pages):
        """{address: number of the pattern's page} of those among some pages."""
        first = {struct.pack("<Q", word(n * PAGE // 8)): n for n in range(SIZE // PAGE)}
        out = {}
        for address, data in pages:
            number = first.get(data[:8])
            if number is not None:
                self.assertEqual(data, page(number), f"{address:#x}")
                out[address] = number
        return out

    def test_dump_has_added_memory_and_nothing_that_is_unplugged(self):
        """Grown, and shrunk again in part after the crash kernel was loaded."""
        vm, guest = self.vm, self.guest
        tells = guest.run("grep 1 /sys/devices/system/memory/crash_hotplug")[0] == 0
        if tells:
            self.load()
        vm.resize(GIB)
        pattern = Pattern(guest, SIZE, SEED)
        if not tells:
            self.load()
        vm.resize(512 * MIB)
        vm.wait(lambda: total(guest.added()) == 512 * MIB, "shrunk", 30)
        there, (low, high) = guest.added(), self.region()
        inside = sum(pattern.pages_in(start, end) for start, end in there)
        self.assertGreater(inside, SIZE // PAGE // 2)
        backing, sent = Backing(vm.pid), len(vm.trace())

        vm.panics = True
        guest.leave("echo c >/proc/sysrq-trigger")
        guest.wait_ready(120)
        guest.ok("insmod /mod/virtio_blk.ko")
        guest.ok(f"{TOOL} -f -d {LEVEL} /proc/vmcore /dev/vda && sync", 300)
        # makedumpfile leaves out what the kernel had removed; others read all there is.
        guest.ok("cat /proc/vmcore >/dev/null", 300)
        asked = vm.trace()[sent:]
        # Who only dumps plugs and unplugs nothing, and the host has no other memory to give.
        self.assertEqual(vm.qmp.size("vm0"), 512 * MIB)
        self.assertNotRegex(asked, r"virtio_mem_(un)?plug")
        edges = [low, *(edge for part in there for edge in part), high]
        for start, end in zip(edges[::2], edges[1::2]):
            self.assertEqual(backing.touched(start - low, end - low), 0, f"{start:#x}-{end:#x}")
        self.assertIn("state_request", asked)

        dump = Dump(self.disk)
        self.addCleanup(dump.close)
        found = self.pattern(dump.pages(low, high))
        self.assertEqual(len(found), inside)
        self.assertEqual(len(set(found.values())), inside)
        self.assertEqual({a for a in found if not any(s <= a < e for s, e in there)}, set())
        log = self.disk.with_name("dmesg")
        subprocess.run([TOOL, "--dump-dmesg", self.disk, log], check=True, timeout=60,
                       capture_output=True)
        self.assertIn(b"sysrq: Trigger a crash", log.read_bytes())
