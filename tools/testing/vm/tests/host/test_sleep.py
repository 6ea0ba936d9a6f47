# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's device and a guest that sleeps: suspend to idle, to RAM (S3), and hibernation.

mock.pm has the faults, and the devices that answer late or not at all.
"""

import re
import time

from vm.cases.case import GIB, MIB, GuestCase
from vm.harness import initramfs, qemu
from vm.harness.guest import Pattern
from vm.states import machine

PERSISTENT_SUSPEND = 2      # a feature bit, and the first QEMU that has it
PERSISTENT_SINCE = (9, 2)
LINES = "requested size .*(grow|shrink)ing|PM: suspend entry|PM: suspend exit|request met"


def drivers(kernel):
    """Those of the disk, and of the power button: it alone wakes a guest from idle."""
    out = {}
    for name in ("button", "virtio_blk"):
        paths = initramfs.module_files(kernel, [name])
        names = [re.sub(r"\.xz$", "", path.name) for path in paths]
        out |= {f"mod/{file}": (0o644, initramfs.read_module(path))
                for file, path in zip(names, paths)}
        out[f"mod/{name}.order"] = (0o644, "".join(f"/mod/{n}\n" for n in names).encode())
    return out


def disk():
    """A disk for an image of memory; QEMU writes to a file of its own."""
    path = machine.image("sleep-swap.img", 2 * GIB)
    return ("-drive", f"file={path},format=raw,if=none,id=swap,snapshot=on",
            "-device", "virtio-blk-pci,drive=swap")


class SleepCase(GuestCase):
    """A guest with a disk that can sleep again and again, and reset itself."""

    config = "sleep"
    options = {"files": drivers, "options": disk(), "reboots": True,
               "append": "hibernate=nocompress"}
    how = ""        # what to write to /sys/power/state
    seen = 0        # where the console was when it was told to sleep

    def setUp(self):
        super().setUp()
        if self.how not in self.guest.read("/sys/power/state").split():
            self.skipTest(f"a kernel without {self.how!r} in /sys/power/state")

    def modprobe(self, name):
        """Load a driver and what it needs, unless they are there."""
        self.guest.ok(f"for m in $(cat /mod/{name}.order); do insmod $m || true; done")

    def keeps(self):
        """Whether device and driver have agreed to keep memory in S3."""
        features = self.guest.read("/sys/bus/virtio/drivers/virtio_mem/virtio*/features")
        return features[PERSISTENT_SUSPEND] == "1"

    def said(self):
        """The kernel's lines since the guest was told to sleep."""
        return self.vm.console()[self.seen:]

    def send_to_sleep(self, when="sleep 0.5"):
        """Write to /sys/power/state in the guest once a command there has ended."""
        self.seen = len(self.vm.console())
        self.guest.spawn(f"sh -c '{when}; echo {self.how} >/sys/power/state; echo slept $?'",
                         "/tmp/sleep")

    def patterned(self):
        """512 MiB plugged and half of it in use."""
        self.resize(512 * MIB)
        pattern = Pattern(self.guest, 256 * MIB)
        self.at_end(f"kill -9 {pattern.pid}")
        return pattern

    def give_back(self, pattern):
        """The data is right; all can be unplugged."""
        self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")
        self.guest.kill(pattern.pid)
        self.resize(0)
        self.assert_size(0)


class SuspendCase(SleepCase):
    """What suspend to idle and to RAM have in common."""

    def awake(self):
        """It woke up, and calls that a success."""
        # Bytes that are sent to its serial port before that are lost.
        self.vm.wait(lambda: "PM: suspend exit" in self.said(), "wakes up", 30)
        self.guest.wait_line("/tmp/sleep", "slept 0", 20)

    def sleep_and_wake(self):
        """Wait until it sleeps; wake it up."""
        raise NotImplementedError

    def twice(self):
        """Twice: what is plugged stays, with its data, and requests are met."""
        pattern = self.patterned()
        for size in (1024 * MIB, 512 * MIB):
            before = self.vm.qmp.size("vm0")
            self.send_to_sleep()
            self.sleep_and_wake()
            self.assertEqual(self.vm.qmp.size("vm0"), before)
            self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")
            self.resize(size)
            self.assert_size(size)
        self.give_back(pattern)

    def in_the_middle(self):
        """It sleeps in mid-grow and in mid-shrink: both go on when it has woken up."""
        pattern = self.patterned()
        for size in (8 * GIB, 512 * MIB):
            self.at = f"to {size >> 20} MiB"
            now = self.guest.attr("blocks_added")
            self.send_to_sleep("cd /sys/bus/virtio/devices/*/virtio_mem && "
                               f"while grep -qx {now} blocks_added; do :; done")
            self.vm.qmp.request("vm0", size)
            self.sleep_and_wake()
            self.vm.wait(lambda want=size: self.vm.qmp.size("vm0") == want, "goes on", 60)
            self.wait_state("idle")
            self.assertEqual([re.sub(".*(ing|entry|exit|met)", r"\1", m[0])
                              for m in re.finditer(LINES, self.said())],
                             ["ing", "entry", "exit", "met"])
            self.assert_size(size)
        self.give_back(pattern)


class Idle(SuspendCase):
    """Suspend to idle; the power button wakes the guest up."""

    how = "freeze"

    def setUp(self):
        super().setUp()
        self.modprobe("button")
        if self.guest.run("[ -d /sys/module/button ]")[0]:
            self.skipTest("a kernel without the power button")

    def sleep_and_wake(self):
        self.vm.wait(lambda: "PM: suspend entry (s2idle)" in self.said(), "falls asleep", 30)
        time.sleep(2 * self.vm.slow)
        self.assertNotIn("PM: suspend exit", self.said())
        self.vm.qmp.cmd("system_powerdown")
        self.awake()

    def test_plugged_memory_stays(self):
        """No device loses memory in that sleep."""
        self.twice()

    def test_in_the_middle(self):
        """Nor a request."""
        self.in_the_middle()


class Deep(SuspendCase):
    """Suspend to RAM; the host wakes the guest up."""

    how = "mem"

    def setUp(self):
        super().setUp()
        if "deep" not in self.guest.read("/sys/power/mem_sleep"):
            self.skipTest("a kernel without suspend to RAM")
        self.guest.ok("echo deep >/sys/power/mem_sleep")

    def sleep_and_wake(self):
        self.vm.wait(lambda: self.vm.qmp.cmd("query-status")["status"] == "suspended",
                     "falls asleep", 30)
        time.sleep(1)
        self.vm.qmp.cmd("system_wakeup")
        self.awake()

    def need(self, keeps):
        """A device that keeps memory in S3, or one that does not."""
        have = qemu.get()
        self.assertEqual(self.keeps(), have.version >= PERSISTENT_SINCE)
        if self.keeps() != keeps:
            self.skipTest(f"QEMU {have.text}: its device {'keeps' if self.keeps() else 'loses'} "
                          "memory in S3")

    def test_plugged_memory_stays(self):
        """The device has said that it keeps it."""
        self.need(True)
        self.twice()

    def test_in_the_middle(self):
        """A request goes on, too."""
        self.need(True)
        self.in_the_middle()

    def test_refused_while_plugged(self):
        """The device would lose it: one line says so, and all goes on."""
        self.need(False)
        pattern = self.patterned()
        self.seen = len(self.vm.console())
        self.assertIn("Operation not permitted",
                      self.guest.run("echo mem >/sys/power/state", 30)[1])
        self.assertEqual(len(re.findall("virtio_mem .*refused", self.said())), 1)
        self.assertIn("suspend refused: memory is plugged and the device can't keep it",
                      self.said())
        self.resize(1024 * MIB)
        self.assert_size(1024 * MIB)
        self.give_back(pattern)

    def test_nothing_plugged(self):
        """Any device sleeps; it hears of the next request."""
        for _ in range(2):
            self.send_to_sleep()
            self.sleep_and_wake()
            self.resize(512 * MIB)
            self.assert_size(512 * MIB)
            self.resize(0)
        self.assert_size(0)


class Hibernation(SleepCase):
    """Suspend to disk. The guest resets itself; the kernel that boots then loads the image."""

    how = "disk"

    def test_refused_while_plugged(self):
        """A machine that is off keeps nothing."""
        pattern = self.patterned()
        self.seen = len(self.vm.console())
        self.assertIn("Operation not permitted",
                      self.guest.run("echo disk >/sys/power/state", 30)[1])
        self.assertEqual(len(re.findall("virtio_mem .*refused", self.said())), 1)
        self.assertIn("hibernation refused: memory is plugged and would be lost", self.said())
        self.resize(1024 * MIB)
        self.assert_size(1024 * MIB)
        self.give_back(pattern)

    def test_request_is_met_after_resume(self):
        """Nothing plugged: it goes to disk, and comes back, and meets the request."""
        self.modprobe("virtio_blk")
        self.guest.ok("mkswap /dev/vda && swapon /dev/vda")
        self.at_end("swapoff /dev/vda")
        self.resize(512 * MIB)
        pattern = Pattern(self.guest, 64 * MIB)
        self.at_end(f"kill -9 {pattern.pid}")
        self.resize(0)
        self.seen = len(self.vm.console())
        self.guest.ok("echo reboot >/sys/power/disk")
        self.guest.leave("echo disk >/sys/power/state; echo slept $? >/tmp/sleep")
        self.guest.wait_ready(180)      # the other kernel's agent
        self.vm.qmp.request("vm0", 512 * MIB)
        self.assertEqual(self.guest.run("cat /tmp/sleep")[0], 1)
        self.modprobe("virtio_blk")
        self.guest.leave("cat /sys/class/block/vda/dev >/sys/power/resume")
        self.vm.wait(lambda: "PM: hibernation: hibernation exit" in self.said(), "comes back",
                     120)
        self.guest.wait_line("/tmp/sleep", "slept 0", 30)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 512 * MIB, "request is met", 60)
        self.wait_state("idle")
        self.assert_size(512 * MIB)
        self.assertEqual(pattern.check(), f"OK {64 * MIB // 4096}")
        self.guest.kill(pattern.pid)
        self.resize(0)
        self.assert_size(0)
