# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that a driver must leave alone: it names each kind, and nobody gets it online."""

from vm.cases.case import GIB, MIB
from vm.cases.mock_case import MockCase
from vm.device.mock import ADDR, DIR, SIZE

BB = 128 * MIB
MEMORY = "/sys/devices/system/memory"
# Of three big blocks, which are all that can be used, the second is MIXED.
SECOND = (("usable", "384M"), ("fault", "state says=2 every=2"))


class Left(MockCase):
    """Memory that an earlier driver has left, and what is wrong with some of it."""

    def again(self, *orders, size=BB):
        """Unload, give orders, load again; returns what the kernel said."""
        self.guest.ok("rmmod virtio_mem; dmesg -c >/dev/null")
        self.mock.orders(*((0, file, text) for file, text in orders))
        self.load(args=f"bbm_block_size={size:#x}")
        self.wait_state("idle", 20)
        self.device.fault("clear")
        return self.guest.dmesg()

    def one_line(self, log, address, size, why):
        """The log names that big block once, and why."""
        line = f"{address:#x}-{address + size - 1:#x}: not taken over, left alone: {why}"
        self.assertEqual(log.count(line), 1, log)

    def sums(self, size):
        """Whatever is wrong: what sysfs says adds up, and debugfs names what is left."""
        attrs = self.guest.attrs()
        self.assertEqual(int(attrs["plugged_size"]), size)
        rows = self.guest.blocks()
        self.assert_sums(attrs, rows)
        return {row[0]: row[6] for row in rows if row[6] != "-"}

    def block(self, address):
        """The directory of a memory block."""
        return f"{MEMORY}/memory{address // BB}"

    def test_partly_plugged_memory_stays_offline(self):
        """Added, but partly unplugged by the device: not taken over, not onlined."""
        self.resize(3 * BB)
        self.guest.ok(f"echo offline >{self.block(ADDR + BB)}/state")
        log = self.again(*SECOND)
        self.one_line(log, ADDR + BB, BB, "added, but not wholly plugged")
        self.assertIn("128 MiB are left alone", log)
        self.assertEqual(self.sums(3 * BB), {ADDR + BB: "foreign"})
        # Whoever touches what is unplugged dies.
        status, said = self.guest.write(f"{self.block(ADDR + BB)}/state", "online_movable")
        self.assertNotEqual(status, 0)
        self.assertIn("not permitted", said)
        self.assertIn("not known to be wholly plugged", self.guest.dmesg())
        self.assertEqual(self.guest.mem_total() - self.base, 2 * BB)
        # It counts as plugged, but never goes, nor is it the reason to plug more.
        self.device.request(0)
        self.seen(0, lambda d: d.size == BB and d.state == "idle", "the others go")
        self.assertEqual(self.device.plugged(), [(ADDR + BB, ADDR + 2 * BB)])
        self.assertEqual(self.sums(BB), {ADDR + BB: "foreign"})
        self.device.request(2 * BB)
        self.seen(0, lambda d: d.size == 2 * BB and d.state == "idle", "one more")
        self.again()
        status, _ = self.guest.write(f"{self.block(ADDR + BB)}/state", "online_movable")
        self.assertEqual(status, 0)
        self.reached(2 * BB)
        self.resize(0)

    def test_partly_plugged_unknown_to_linux_is_not_plugged(self):
        """Not added and partly plugged: neither plugged again, nor added."""
        self.resize(BB)
        log = self.again(("plugged", f"{ADDR + BB:#x} 128M"), ("requested", 2 * BB), *SECOND)
        self.one_line(log, ADDR + BB, BB, "partly plugged")
        self.assertEqual(self.sums(2 * BB), {ADDR + BB: "foreign"})
        self.device.request(3 * BB)
        self.seen(0, lambda d: d.size == 3 * BB and d.state == "idle", "one more")
        self.assertEqual(self.guest.added(), [(ADDR, ADDR + BB), (ADDR + 2 * BB, ADDR + 3 * BB)])
        self.again()
        self.reached(3 * BB)
        self.resize(0)

    def test_partly_added_memory_is_not_taken_over(self):
        """Wholly plugged, but only a part of the big block is added."""
        self.resize(3 * BB)
        log = self.again(("plugged", f"{ADDR + 3 * BB:#x} 128M"), size=2 * BB)
        self.one_line(log, ADDR + 2 * BB, 2 * BB, "only a part of it is added")
        self.assertEqual(self.sums(4 * BB), {ADDR + 2 * BB: "foreign"})
        self.device.request(0)
        self.seen(0, lambda d: d.size == 2 * BB and d.state == "idle", "the other one goes")
        self.assertEqual(self.guest.added(), [(ADDR + 2 * BB, ADDR + 3 * BB)])
        self.device.request(4 * BB)
        self.seen(0, lambda d: d.size == 4 * BB and d.state == "idle", "and comes back")
        self.again()
        self.reached(4 * BB)
        self.resize(0)

    def test_parts_of_a_large_leaf_are_not_taken_over(self):
        """Mapped by one leaf of 1 GiB: x86 crashes if a part of it is removed."""
        self.again(size=GIB)
        before = self.guest.meminfo().get("DirectMap1G", 0)
        self.resize(GIB)
        if self.guest.meminfo().get("DirectMap1G", 0) < before + GIB:
            self.skipTest("a CPU or kernel that maps memory by smaller pages")
        log = self.again()
        for start in range(ADDR, ADDR + GIB, BB):
            self.one_line(log, start, BB, "added in larger units; needs a larger bbm_block_size")
        self.assertEqual(set(self.sums(GIB)), {ADDR})
        self.device.request(0)
        self.guest.run("sleep 3")
        self.assertEqual(self.device.size(), GIB)
        self.assertEqual(self.guest.added(), [(ADDR, ADDR + GIB)])
        self.device.request(GIB)
        self.again(size=GIB)
        self.reached(GIB)
        self.resize(0)

    def test_onlining_is_refused_where_no_driver_has_added(self):
        """Memory of the region that another has added, in a big block that is not plugged."""
        self.resize(2 * BB)
        self.guest.ok(f"echo offline >{self.block(ADDR + BB)}/state")
        log = self.again(("usable", "128M"))
        self.one_line(log, ADDR + BB, BB, "outside of the usable region")
        self.assertNotEqual(self.guest.write(f"{self.block(ADDR + BB)}/state",
                                             "online_movable")[0], 0)
        self.again(("usable", "4G"))
        self.guest.ok(f"echo online_movable >{self.block(ADDR + BB)}/state")
        self.reached(2 * BB)
        self.resize(0)

    def test_memory_that_stays_is_told(self):
        """Unloading says how much stays added."""
        self.resize(2 * BB)
        self.guest.ok("dmesg -c >/dev/null; rmmod virtio_mem")
        self.assertEqual(self.guest.dmesg().count("256 MiB stay added and in use"), 1)
        self.guest.ok("dmesg -c >/dev/null")
        self.load()
        self.resize(0)
        self.guest.ok("rmmod virtio_mem")
        self.assertNotIn("stay added", self.guest.dmesg())
        self.load()

    def test_region_of_others_is_left_to_them(self):
        """A region that is the guest's own memory, or overlaps it, is refused."""
        # 256 MiB from 256 MiB on is what the guest has from the start.
        self.guest.ok(f"cd {DIR}/0; echo remove >device; dmesg -c >/dev/null; "
                      "echo addr=0x10000000 region_size=256M usable_region_size=256M >config; "
                      "echo add >device")
        self.assertRegex(self.guest.dmesg(), "is in use by something else; device not used")
        self.assertFalse(self.mock.look()[0].state)
        self.assertEqual(self.guest.mem_total(), self.base)
        self.guest.ok(f"cd {DIR}/0; echo remove >device; echo truth >config; echo add >device")
        self.bound(1)
        self.resize(BB)
        self.resize(0)


class OddStart(Left):
    """A region that begins in the middle of a larger big block."""

    mock_args = f"block_size=128M addr={ADDR + BB:#x} size={SIZE - 2 * BB}"

    def region(self, index=0):
        return ADDR + BB, ADDR + SIZE - BB

    def test_onlining_is_refused_where_no_big_block_is(self):
        """Memory that smaller big blocks had added there stays offline."""
        self.resize(BB)
        self.guest.ok(f"echo offline >{self.block(ADDR + BB)}/state")
        log = self.again(size=2 * BB)
        self.assertIn("128 MiB are left alone", log)
        self.assertEqual(self.sums(BB), {})
        self.assertNotEqual(self.guest.write(f"{self.block(ADDR + BB)}/state",
                                             "online_movable")[0], 0)
        self.again()
        self.guest.ok(f"echo online_movable >{self.block(ADDR + BB)}/state")
        self.reached(BB)
        self.resize(0)


# Nothing else of Left is about where a region begins.
for _name in [n for n in dir(Left) if n.startswith("test_")]:
    setattr(OddStart, _name, None)


class Ends(MockCase):
    """A region whose ends are parts of big blocks."""

    # The kernel takes the last of equal parameters.
    mock_args = f"block_size=64M addr={ADDR + 64 * MIB:#x} size={SIZE - 128 * MIB}"

    def region(self, index=0):
        return ADDR + 64 * MIB, ADDR + SIZE - 64 * MIB

    def test_ends_that_can_not_be_used_are_told(self):
        """One line for each end, and what is between is used, to the last big block."""
        log = self.guest.dmesg()
        low, high = self.region()
        for start, end in ((low, ADDR + BB), (ADDR + SIZE - BB, high)):
            self.assertEqual(log.count(f"{start:#x}-{end - 1:#x} can't be used"), 1, log)
        self.resize(2 * BB)
        self.assertEqual(self.guest.added(), [(ADDR + BB, ADDR + 3 * BB)])
        self.resize(0)
