# SPDX-License-Identifier: GPL-2.0-or-later
"""A kdump kernel: nothing is plugged or unplugged, and the dump has what is plugged.

elfcorehdr= makes it one: QEMU's loader puts a header there, as a crashed kernel would
have left it.  The memory to be dumped is the device's in software.
"""

import base64
import struct
import time

from vm.cases.case import GIB, MIB
from vm.cases.mock_case import MockCase
from vm.device.fault import Fault
from vm.device.mock import ADDR, OPTIONS, SIZE
from vm.harness.cache import cache_dir

PAGE = 4096
BB = 128 * MIB
TIB = 1024 * GIB
# In the guest's own memory, and reserved.
HEADER = 0x70000000
OTHERS = HEADER + 2 * PAGE      # a page that is none of the device's
TEXT = b"none of the device's"
EHDR, PHDR = "<16sHHIQQQIHHHHHH", "<IIQQQQQQ"
PT_LOAD, PT_NOTE = 1, 4


def program_header(kind, start, size):
    """One entry: in such a file the offset is the physical address."""
    return struct.pack(PHDR, kind, 0, start, 0, start, size, size, 0)


def header():
    """The pages at HEADER: ELF header, notes, and a page of somebody's."""
    loads = [program_header(PT_NOTE, HEADER + PAGE, PAGE),
             program_header(PT_LOAD, ADDR, TIB), program_header(PT_LOAD, OTHERS, PAGE)]
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    elf = struct.pack(EHDR, ident, 4, 62, 1, 0, struct.calcsize(EHDR), 0, 0,
                      struct.calcsize(EHDR), struct.calcsize(PHDR), len(loads), 0, 0, 0)
    note = struct.pack("<III8sI", 5, 4, 1, b"CORE", 0)
    return b"".join(part.ljust(PAGE, b"\0") for part in (elf + b"".join(loads), note, TEXT))


def image():
    """That in a file, for QEMU's loader."""
    path = cache_dir("guest") / "elfcorehdr"
    if not path.exists() or path.read_bytes() != header():
        path.write_bytes(header())
    return path


def mark(address):
    """The bytes that the device in software has written there; see mock_poison.c."""
    return struct.pack("<Q", address ^ 0x5bd1e995a5a5a5a5)


class Kdump(MockCase):
    """Of the region's big blocks the second and the third are plugged."""

    block = BB
    # The usable region has eight blocks.
    questions = [(0, 8), (0, 4), (0, 2), (0, 1), (1, 1), (2, 2), (2, 1), (3, 1)]
    options = {"append": f"{OPTIONS['append']} memmap=1M${HEADER:#x} elfcorehdr={HEADER:#x}",
               "options": ("-device", f"loader,file={image()},addr={HEADER:#x},force-raw=on")}

    def setUp(self):
        super().setUp()
        if self.vm.kernel.debug and self.guest.run("[ -e /proc/vmcore ]")[0]:
            self.skipTest("a debug kernel without /proc/vmcore")
        self.guest.ok("rmmod virtio_mem; dmesg -c >/dev/null")
        self.mock.orders((0, "plugged", f"{ADDR + BB:#x} 256M"), (0, "usable", "1G"),
                         (0, "log", "clear"))
        self.load()
        out = self.dump(0, PAGE)
        *_, number = struct.unpack_from("<HHH", out, 54)[:2]
        self.offsets = {}
        for i in range(number):
            kind, _, offset, _, start, size, *_ = struct.unpack_from(PHDR, out, 64 + i * 56)
            if kind == PT_LOAD:
                self.offsets[start] = (offset, size)

    def bound(self, count=1):
        """There need be no directory in sysfs, as there is no worker."""
        driver = "/sys/bus/virtio/drivers/virtio_mem"
        self.vm.wait(lambda: len(self.guest.run(f"ls -d {driver}/virtio*")[1].split()) == count,
                     "driver bound", 20)

    def dump(self, offset, size=8):
        """Some of /proc/vmcore."""
        return base64.b64decode(self.guest.ok(
            f"dd if=/proc/vmcore bs=8 skip={offset // 8} count={size // 8} 2>/dev/null | base64"))

    def read(self, first, count):
        """So many MiB of /proc/vmcore, whose memory begins within the first one."""
        self.assertLess(self.offsets[ADDR][0], MIB)
        self.guest.ok(f"dd if=/proc/vmcore of=/dev/null bs=1M skip={first} count={count}", 120)

    def memory(self, address):
        """Eight bytes of what the dump has for a physical address."""
        for start, (offset, size) in self.offsets.items():
            if start <= address < start + size:
                return self.dump(offset + address - start)
        raise AssertionError(f"{address:#x} is not in the dump")

    def asked(self):
        """[(first block, blocks)] of all questions, which are about states."""
        self.assertEqual({words[2] for words in self.device.log()} - {"STATE"}, set())
        return [((int(words[3], 16) - ADDR) // self.block, int(words[4]))
                for words in self.device.log()]

    def test_dump_has_what_is_plugged(self):
        """All of that, zeroes for the rest; by ranges, of which none is asked for twice."""
        self.assertIn("neither plugged nor unplugged", self.guest.dmesg())
        for address in range(ADDR, ADDR + 4 * BB, BB // 2):
            plugged = ADDR + BB <= address < ADDR + 3 * BB
            self.assertEqual(self.memory(address), mark(address) if plugged else bytes(8),
                             f"{address:#x}")
        self.assertEqual(self.asked(), self.questions)
        # Nobody asks about what can't be used; others' memory is none of its business.
        self.assertEqual(self.memory(ADDR + 1024 * MIB), bytes(8))
        self.assertEqual(self.memory(OTHERS), TEXT[:8])
        # What is known is kept, whatever was asked for in between.
        self.assertEqual(self.memory(ADDR + BB), mark(ADDR + BB))
        self.assertEqual(self.asked(), self.questions)

    def test_nothing_is_plugged_or_unplugged(self):
        """Whatever the host requests; and unloading changes nothing."""
        self.device.request(4 * BB)
        self.guest.run("sleep 1")
        self.device.request(0)
        self.guest.ok("sleep 1; rmmod virtio_mem")
        self.assertEqual(self.device.log(), [])
        self.assertEqual(self.device.plugged(), [(ADDR + BB, ADDR + 3 * BB)])
        self.assertEqual(self.guest.added(), [])
        self.load()

    def test_what_the_device_does_not_tell_is_left_out(self):
        """An ERROR is no reason to read: better a gap than a dead dump."""
        self.device.fault("state error every=1")
        self.assertEqual(self.memory(ADDR + BB), bytes(8))
        self.device.fault("clear")
        self.assertEqual(self.memory(ADDR + 2 * BB), mark(ADDR + 2 * BB))
        # That was no answer: it is asked for again.
        self.assertEqual(self.memory(ADDR + BB), mark(ADDR + BB))

    def test_dump_goes_on_without_answers(self):
        """A device that answers late, or never: gaps, and no wait for each page."""
        self.device.fault("state never")
        begin = time.monotonic()
        for _ in range(3):
            self.assertEqual(self.memory(ADDR + BB), bytes(8))
        self.read(129, 64)
        self.assertLess(time.monotonic() - begin, 30 * self.vm.slow)
        self.assertEqual(len(self.asked()), 1)
        self.device.order("pending", "now")
        self.assertEqual(self.memory(ADDR + BB), mark(ADDR + BB))

    def test_no_memory_for_what_is_known(self):
        """The driver then asks more often, and the dump is as right."""
        fault = Fault(self.guest)
        fault.load()
        self.at_end("echo clear >/sys/kernel/debug/virtio_mem_fault/points")
        fault.order("__kvmalloc_node_noprof,kvmalloc_node ret=0 in=virtio_mem_vmcore_start "
                    "task=any")
        self.mock.orders((0, "device", "remove"), (0, "device", "add"))
        self.bound()
        self.assertEqual(fault.points()[0][1], 1)
        for block in (0, 1, 2, 3, 1):
            address = ADDR + block * BB
            self.assertEqual(self.memory(address), mark(address) if block in (1, 2) else bytes(8))


class KdumpSmallBlocks(Kdump):
    """512 blocks of 2 MiB."""

    mock_args = "block_size=2M"
    block = 2 * MIB
    questions = [(0, 512), (0, 256), (0, 128), (0, 64), (64, 64), (128, 128), (128, 64),
                 (192, 64)]

    def test_whole_dump_takes_few_questions(self):
        """Nine, in place of one for each block."""
        self.read(0, 1025)
        self.assertEqual(self.asked(), [*self.questions, (256, 256)])

    test_nothing_is_plugged_or_unplugged = test_dump_goes_on_without_answers = None
    test_no_memory_for_what_is_known = None


class KdumpTera(Kdump):
    """A region of 1 TiB, 524288 blocks of 2 MiB: there is memory behind 4 GiB of it."""

    mock_args = f"block_size=2M size=1T real={SIZE}"
    block = 2 * MIB

    def questions_for(self, size, parts):
        """How many it takes to know all of a device of that size of which parts are plugged.

        parts: [(start, size)], in bytes from its first address
        """
        orders = [(0, "plugged", f"{ADDR + start:#x} {length}") for start, length in parts]
        self.guest.ok("rmmod virtio_mem")
        self.mock.orders((0, "device", "system_reset"), *orders, (0, "usable", size),
                         (0, "log", "clear"))
        self.load()
        found = 0
        # Each block of the part with memory, and of the rest, in which ranges are wide, a few.
        for start, end, step in ((0, SIZE, self.block), (SIZE, size, GIB)):
            found += int(self.guest.ok(f"sample /proc/vmcore {self.offsets[ADDR][0] + start} "
                                       f"{step} {(end - start) // step}", 120))
        self.assertEqual(found, sum(length for _, length in parts) // self.block)
        asked = self.asked()
        self.assertEqual(len(asked), len(set(asked)))
        return len(asked)

    def test_questions_by_size(self):
        """They go by what is plugged, and hardly by the size: 1 TiB takes tens."""
        one, comb = [(GIB, 512 * MIB)], [(i * BB, BB) for i in range(0, 32, 2)]
        seen = {size // GIB: (self.questions_for(size, one), self.questions_for(size, comb))
                for size in (4 * GIB, 64 * GIB, TIB)}
        self.assertEqual(seen, {4: (7, 63), 64: (15, 71), 1024: (30, 86)})

    test_dump_has_what_is_plugged = test_what_the_device_does_not_tell_is_left_out = None
    test_nothing_is_plugged_or_unplugged = test_dump_goes_on_without_answers = None
    test_no_memory_for_what_is_known = None


class Hosted(Kdump):
    """The same where memory blocks would hold their own memmaps: nothing is added here."""

    options = {**Kdump.options,
               "append": f"{Kdump.options['append']} memory_hotplug.memmap_on_memory=1"}
