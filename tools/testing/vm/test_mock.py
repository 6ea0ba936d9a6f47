# SPDX-License-Identifier: GPL-2.0-or-later
"""A device in software that misbehaves on order."""

import re

from case import GIB, MIB, GuestCase, merge, total
from guest import Pattern
from mock import ADDR, DIR, SIZE, Mock, ranges

VIRTIO = "/sys/bus/virtio/devices"
BIND = "/sys/bus/virtio/drivers/virtio_mem/bind"


class MockCase(GuestCase):
    """A guest with that device."""

    config = "mock"
    options = {"append": f"memmap={SIZE >> 30}G${ADDR:#x}"}
    mod = None
    devices = ("mock",)
    driver = "ours"
    block = "128M"
    mock_args = ""
    violations = {}

    def setUp(self):
        super().setUp()
        self.mock = Mock(self.guest)
        self.mock.load(self.block, self.mock_args)
        self.load(self.driver)

    def tearDown(self):
        found = self.mock.violations() if self.mock.loaded() else {}
        try:
            self.assertEqual(found, self.violations, self.mock.read("violations")
                             if found else "")
        finally:
            super().tearDown()

    # --- the harness's host is here the device ---

    def unload(self):
        """Back to nothing plugged, no driver and no device."""
        mock = Mock(self.guest)
        if mock.loaded():
            mock.behave()
            mock.request(0)
            if mock.size() or self.guest.added():
                # Whatever state the last test left it in: a fresh driver.
                self.guest.run("rmmod virtio_mem")
                self.load(self.driver)
                self.vm.wait(lambda: mock.size() == 0, "mock empty", 60)
            self.guest.run("rmmod virtio_mem")
            mock.unload()
        self.assertEqual(self.guest.added(), [])

    def reload(self):
        """Without the fault, unload and load."""
        self.mock.fault("clear")
        self.guest.ok("rmmod virtio_mem", timeout=15)
        self.load()

    def region(self, index=0):
        return ADDR, ADDR + SIZE

    def resize(self, size, want=None, timeout=60, index=0):
        self.mock.request(size)
        self.reached(size if want is None else want, timeout)

    def reached(self, size, timeout=60):
        """Wait until the device has it and the driver is done; compare all."""
        self.settled(size, timeout)
        self.assert_size(size)

    def settled(self, size, timeout=60):
        """Wait until the device has it and the driver is done."""
        def look():
            out = self.guest.ok(f"cat {DIR}/plugged {VIRTIO}/*/virtio_mem/state")
            return total(ranges(out)) == size and out.endswith("idle")

        self.vm.wait(look, f"mock has {size} and driver is idle", timeout, 0.1)

    def assert_size(self, size, index=0, others=0):
        """Device, driver and Linux agree to the byte."""
        # All in one go: each command takes the guest a while.
        mock, iomem, mem, attrs = self.guest.ok(
            f"cat {DIR}/plugged; echo ==; grep 'RAM (virtio_mem)' /proc/iomem; "
            f"echo ==; grep MemTotal: /proc/meminfo; echo ==; "
            f"cd {VIRTIO}/*/virtio_mem; grep . *").split("==\n")
        attrs = dict(line.split(":", 1) for line in attrs.splitlines())
        plugged = ranges(mock)
        self.assertEqual(total(plugged), size, "mock's bitmap")
        self.assertEqual(int(attrs["plugged_size"]), size, "sysfs plugged_size")
        self.assertEqual(int(attrs["blocks_added"]) * int(attrs["big_block_size"]),
                         size, "sysfs blocks_added")
        self.assertEqual(attrs["blocks_plugged"], "0")
        self.assertEqual(attrs["blocks_fake_offline"], "0")
        self.assertEqual(merge(ranges(iomem)), merge(plugged), "/proc/iomem")
        self.assertEqual(int(mem.split()[1]) * 1024 - self.base, size, "MemTotal")


class Behaves(MockCase):
    """Without faults it is a device like any other."""

    def test_grow_and_shrink(self):
        """Sizes are reached, to the byte, everywhere."""
        for size in (128 * MIB, GIB, 384 * MIB, 0):
            self.resize(size)


class SmallBlocks(Behaves):
    """64 device blocks make a big block."""

    block = "2M"


# What can be wrong with an answer, and how the driver then says why it waits.
WAITS = {
    "nack": "NACK", "busy": "(?i)busy", "error": "ERROR|no big block",
    "unknown": "unknown answer|ERROR|no big block",
    "short undone": "unknown answer|ERROR|no big block",
}
# Where it only needs to ask, or to be patient: it does not wait at all.
GOES_ON = ("unknown done", "error done", "short", "long", "late=1500")


class Answers(MockCase):
    """Each wrong answer to each kind of request, for as long as it lasts."""

    def faulty(self, request, size):
        """The request to grow or shrink meets each fault; then it is met."""
        before = self.mock.size()
        for fault, says in WAITS.items():
            self.at = f"{request} {fault}"
            self.mock.fault(f"{request} {fault} every=1")
            self.mock.request(size)
            self.wait_state("waiting", 20)
            self.assertRegex(self.guest.attr("last_error"), says)
            self.assertEqual(self.mock.size(), before)
            self.mock.fault("clear")
            if request == "plug" and fault not in ("nack", "busy"):
                # Big blocks that were refused rest until the next request.
                self.mock.request(before)
                self.wait_state("idle", 20)
                self.mock.request(size)
            self.reached(size, 20)
            self.back(before)
        for fault in GOES_ON:
            self.at = f"{request} {fault}"
            self.mock.fault(f"{request} {fault} every=1")
            self.mock.request(size)
            self.reached(size, 20)
            self.mock.fault("clear")
            self.back(before)

    def back(self, size):
        """To where a case began; compared once the next one has ended."""
        self.mock.request(size)
        self.settled(size, 20)

    def test_plug(self):
        """Growing meets each of them."""
        self.faulty("plug", 256 * MIB)

    def test_plug_error_ends(self):
        """All blocks were refused once: the request is met without a new one."""
        self.mock.fault("plug error every=1")
        self.mock.request(256 * MIB)
        self.wait_state("waiting", 20)
        self.mock.fault("clear")
        self.reached(256 * MIB, 60)

    def test_unplug(self):
        """Shrinking meets each of them."""
        self.resize(256 * MIB)
        self.faulty("unplug", 0)

    def test_unplug_all(self):
        """Memory that somebody left plugged: unplugged before anything else."""
        self.guest.ok("rmmod virtio_mem")
        for fault in (*WAITS, *GOES_ON):
            self.at = fault
            self.mock.order("plugged", f"{ADDR + 256 * MIB:#x} 256M")
            self.mock.request(128 * MIB)
            self.mock.fault(f"unplug_all {fault} every=1")
            self.load()
            self.vm.wait(lambda: self.mock.answers("UNPLUG_ALL"), "asked", 20)
            if "late" not in fault:
                self.wait_state("waiting", 20)
                self.assertRegex(self.guest.attr("last_error"),
                                 WAITS.get(fault, "unknown answer|ERROR"))
            self.mock.fault("clear")
            self.reached(128 * MIB, 20)
            self.back(0)
            self.guest.ok(f"rmmod virtio_mem; echo clear >{DIR}/log")
        self.load()

    def test_state(self):
        """Taking over memory: refused without an answer, then done."""
        self.resize(256 * MIB)
        device = self.guest.ok(f"basename $(readlink -f {VIRTIO}/*/virtio_mem/..)")
        for fault in ("nack", "busy", "error", "unknown", "short", "long"):
            self.at = fault
            self.guest.ok(f"rmmod virtio_mem; echo 'state {fault} every=1' >{DIR}/fault; "
                          "dmesg -c >/dev/null; insmod /mod/ours/virtio_mem.ko")
            self.assertIn("device refused: can't find out what is plugged",
                          self.guest.dmesg())
            self.assertEqual(self.guest.mem_total() - self.base, 256 * MIB)
            self.mock.fault("clear")
            self.guest.ok(f"echo {device} >{BIND}")
            self.reached(256 * MIB, 20)
        self.at = "late"
        self.guest.ok(f"rmmod virtio_mem; echo 'state late=500 next=2' >{DIR}/fault; "
                      "insmod /mod/ours/virtio_mem.ko")
        self.reached(256 * MIB, 20)

    def test_state_after_error(self):
        """A device that can't tell the state of its blocks is not used on."""
        for fault in ("nack", "error", "unknown", "short"):
            self.at = fault
            self.resize(128 * MIB)
            self.mock.fault("plug error every=1")
            self.mock.fault(f"state {fault} every=1")
            self.mock.request(256 * MIB)
            self.wait_state("broken", 20)
            self.assertIn("stopped", self.guest.attr("last_error"))
            self.reload()
            self.reached(256 * MIB, 20)
            self.resize(0)

    def test_sometimes(self):
        """One in three answers is wrong, by a seed; sizes are reached."""
        for request in ("plug", "unplug"):
            for fault in ("nack", "busy", "error", "unknown done"):
                self.mock.fault(f"{request} {fault} chance=300 seed=7")
        for size in (GIB, 256 * MIB, 640 * MIB, 0):
            self.at = str(size)
            self.resize(size)
        self.mock.fault("clear")
        for size in (GIB, 0):
            self.resize(size)


class Twice(MockCase):
    """An answer that comes twice: no driver's fault, and no driver's end."""

    # Whoever takes the second answer for the next request's sends one more.
    violations = {}

    def test_plug_and_unplug(self):
        """The queue counts as broken, or nothing happens; a reload goes on."""
        for request, size in (("plug", 256 * MIB), ("unplug", 0)):
            self.at = request
            self.mock.fault(f"{request} twice")
            self.mock.request(size)
            self.vm.wait(lambda: self.mock.answers(request.upper()), "answered", 20)
            self.vm.wait(lambda: self.state() in ("idle", "broken"), "settled", 20)
            self.mock.request(size + 256 * MIB)
            self.vm.wait(lambda: self.state() == "broken" or
                         self.mock.size() == size + 256 * MIB, "next request", 30)
            if self.state() == "broken":
                self.assertIn("stopped", self.guest.attr("last_error"))
                self.reload()
            self.mock.request(size)
            self.reached(size, 30)


class Doubt(MockCase):
    """Nobody knows what became of an unplug."""

    # It is unplugged again, to be sure.
    violations = {"not_plugged": 1}

    def test_not_added(self):
        """An unplug of unknown outcome: what may be unplugged is not added again."""
        self.resize(128 * MIB)
        self.mock.fault("unplug unknown done")
        self.mock.fault("state never")
        self.mock.request(0)
        self.vm.wait(lambda: self.mock.pending() == 1, "pending", 20)
        self.wait_state("waiting", 20)
        self.mock.request(256 * MIB)
        self.mock.order("pending", "now")
        self.reached(256 * MIB, 30)


class Silent(MockCase):
    """Answers that never come, or much later."""

    def silent(self, request, size):
        """Ask, and wait until the device has not answered."""
        self.mock.fault(f"{request} never")
        self.mock.request(size)
        self.vm.wait(lambda: self.mock.pending() == 1, "pending", 20)

    def test_late(self):
        """After more than 10 s the driver waits on, and takes the answer."""
        for request, size in (("plug", 256 * MIB), ("unplug", 0)):
            self.at = request
            self.silent(request, size)
            self.wait_state("waiting", 20)
            self.assertRegex(self.guest.attr("last_error"), "no answer|not answer")
            self.mock.order("pending", "now")
            self.reached(size, 20)

    def test_unload(self):
        """rmmod does not wait for it, at no kind of request."""
        for request, before, size in (("plug", 0, 256), ("unplug", 256, 0)):
            self.at = request
            self.resize(before * MIB)
            self.silent(request, size * MIB)
            self.guest.ok("rmmod virtio_mem", timeout=8)
            self.assertEqual(self.mock.pending(), 0)
            self.load()
            self.reached(size * MIB, 30)

    def test_suspend(self):
        """Suspend is refused in bounded time, and the driver goes on."""
        self.silent("plug", 256 * MIB)
        status, _ = self.guest.run("echo freeze >/sys/power/state", timeout=25)
        self.assertNotEqual(status, 0)
        self.assertIn("suspend refused", self.guest.dmesg())
        self.mock.order("pending", "now")
        self.reached(256 * MIB, 30)


class Ends(MockCase):
    """Devices that break, reset themselves or go."""

    def broken(self, request, fault, size):
        """It happens in the middle of a request; a reload goes on."""
        self.at = f"{request} {fault}"
        self.mock.fault(f"{request} {fault}")
        self.mock.request(size)
        self.vm.wait(lambda: fault in self.mock.read("log"), fault, 20)

    def test_break(self):
        """A broken queue: state broken, unload and load work."""
        for request, size in (("plug", 256 * MIB), ("unplug", 0)):
            self.broken(request, "break", size)
            self.wait_state("broken", 20)
            self.assertIn("broken or gone", self.guest.attr("last_error"))
            self.reload()
            self.reached(size, 30)
            self.mock.order("log", "clear")

    def test_break_idle(self):
        """The same while nothing is asked."""
        self.resize(256 * MIB)
        self.mock.order("device", "break")
        self.mock.request(384 * MIB)
        self.wait_state("broken", 20)
        self.reload()
        self.reached(384 * MIB, 30)

    def test_reset(self):
        """The device has forgotten the request: unload and load work."""
        for fault in ("reset", "needs_reset"):
            for request, size in (("plug", 256 * MIB), ("unplug", 0)):
                self.broken(request, fault, size)
                self.assertIn(self.state(), ("growing", "shrinking", "waiting", "broken"))
                self.reload()
                self.reached(size, 30)
                self.mock.order("log", "clear")

    def gone(self, how, size):
        """It goes; the memory stays; it comes back and is taken over."""
        self.at = f"{how} with {size}"
        pattern = Pattern(self.guest, 64 * MIB)
        self.guest.ok("dmesg -c >/dev/null")
        self.mock.order("device", how, 30)
        self.assertEqual(self.guest.run(f"ls -d {VIRTIO}/*/virtio_mem")[0], 1)
        added = total(self.guest.added())
        self.assertEqual(self.guest.mem_total() - self.base, added)
        self.assertEqual(pattern.check(), f"OK {64 * MIB // 4096}")
        self.guest.ok("rmmod virtio_mem", timeout=15)
        self.mock.fault("clear")
        self.mock.order("device", "add")
        self.load()
        self.reached(size, 30)
        self.assertEqual(pattern.check(), f"OK {64 * MIB // 4096}")
        self.guest.kill(pattern.pid)

    def test_gone(self):
        """While memory is added, and while a request is pending, too."""
        self.resize(512 * MIB)
        for how in ("remove", "surprise"):
            self.gone(how, 512 * MIB)
        for request, size in (("plug", 768 * MIB), ("unplug", 512 * MIB)):
            self.mock.fault(f"{request} never")
            self.mock.request(size)
            self.vm.wait(lambda: self.mock.pending() == 1, "pending", 20)
            self.gone("surprise", size)


# Configurations that make no sense: what is wrong, and the driver's word for it.
NONSENSE = {
    "block_size=0": "block size is not a power of two",
    "block_size=3M": "block size is not a power of two",
    "block_size=512": "smaller than a page",
    "block_size=8G": "multiple of the block size",
    f"addr={ADDR + 4096}": "region does not start at a multiple",
    "addr=0xffffffff80000000": "wraps around",
    "region_size=0xffffffff80000000": "no whole big block|wraps around",
    "region_size=0": "no whole big block|larger than the region",
    "region_size=130M": "region size is not a multiple",
    "usable_region_size=1M": "usable region size is not a multiple",
    "usable_region_size=8G": "usable region is larger",
    "plugged_size=1M": "plugged size is not a multiple",
    "plugged_size=8G": "plugged size is larger",
    "requested_size=1M": "requested size is not a multiple",
}


class Config(MockCase):
    """What the configuration space says, and how it changes."""

    def test_refused(self):
        """A device that makes no sense is refused in one line."""
        for lie, why in NONSENSE.items():
            self.at = lie
            self.guest.ok(f"echo remove >{DIR}/device; dmesg -c >/dev/null; "
                          f"echo {lie} >{DIR}/config; echo add >{DIR}/device")
            lines = [line for line in self.guest.dmesg().splitlines()
                     if "device refused" in line]
            self.assertEqual(len(lines), 1, self.guest.dmesg())
            self.assertRegex(lines[0], why)
            self.assertEqual(self.guest.added(), [])
            self.mock.order("config", "truth")
        self.guest.ok(f"echo remove >{DIR}/device; echo add >{DIR}/device")
        self.resize(256 * MIB)

    def test_ignored(self):
        """The same later on: ignored, and the last good one stays in force."""
        self.resize(256 * MIB)
        for lie, why in NONSENSE.items():
            if lie.startswith(("region_size", "addr")):
                why = "ignored"  # moved, too
            self.at = lie
            self.mock.order("config", lie)
            self.vm.wait(lambda: re.search(f"ignored.*({why})|{why}.*",
                                           self.guest.attr("last_error")), lie, 10)
            self.assertEqual(int(self.guest.attr("plugged_size")), 256 * MIB)
            self.mock.order("config", "truth")
        self.resize(512 * MIB)
        self.resize(0)

    def test_changes_amid(self):
        """Requested and usable size change while a request is under way."""
        for fault, size, then in (
                ("plug requested=0", 512 * MIB, 0),
                ("plug requested=1G", 256 * MIB, GIB),
                ("unplug requested=1G late=300", 512 * MIB, GIB),
                ("plug usable=4G", 1280 * MIB, 1280 * MIB),
                ("unplug requested=0 late=300", GIB, 0)):
            self.at = fault
            self.mock.fault(fault)
            self.mock.request(size)
            self.vm.wait(lambda s=size: not self.mock.read("fault"), "done", 20)
            self.reached(then, 30)

    def test_usable_shrinks(self):
        """Against the specification; the driver sees it and stays inside."""
        self.resize(256 * MIB)
        self.mock.fault("plug usable=384M")
        self.mock.request(GIB)
        self.vm.wait(lambda: self.state() == "waiting", "waiting", 20)
        self.assertLessEqual(self.mock.size(), 384 * MIB)
        self.mock.order("usable", "2G")
        self.reached(GIB, 30)

    def test_plugged_disagrees(self):
        """Told once; what the driver knows is right goes on."""
        self.resize(256 * MIB)
        self.guest.ok("dmesg -c >/dev/null")
        self.mock.order("config", "plugged_size=2G")
        self.vm.wait(lambda: "bytes are plugged, our table says" in
                     self.guest.attr("last_error"), "told", 10)
        self.mock.request(512 * MIB)
        self.reached(512 * MIB, 20)
        self.mock.request(128 * MIB)
        self.reached(128 * MIB, 20)
        self.assertEqual(self.guest.dmesg().count("our table says"), 1)
        self.mock.order("config", "truth")
        self.resize(256 * MIB)


class NoNode(MockCase):
    """A proximity domain that does not exist."""

    mock_args = "node_id=77"

    def test_no_node(self):
        """One line, and the memory is used on another node."""
        self.assertEqual(self.guest.dmesg().count("domain 77 does not exist"), 1)
        self.resize(256 * MIB)
        self.resize(0)
