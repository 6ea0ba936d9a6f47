# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's device and a guest that is suspended to idle; mock.pm has the rest of sleep."""

import re
import time

from vm.cases.case import MIB, GuestCase
from vm.harness import initramfs
from vm.harness.guest import Pattern


def button(kernel):
    """The driver of the power button: QEMU's clock does not wake a guest from this sleep."""
    return {f"mod/{re.sub(r'.xz$', '', path.name)}": (0o644, initramfs.read_module(path))
            for path in initramfs.module_files(kernel, ["button"])}


class Idle(GuestCase):
    """The power button wakes the guest up."""

    options = {"files": button}

    def sleep(self):
        """Suspend to idle, for some seconds."""
        seen = len(self.vm.console())
        self.guest.spawn("sh -c 'sleep 0.5; echo freeze >/sys/power/state; echo slept $?'",
                         "/tmp/sleep")
        self.vm.wait(lambda: "PM: suspend entry (s2idle)" in self.vm.console()[seen:],
                     "falls asleep", 20)
        time.sleep(3 * self.vm.slow)
        self.assertNotIn("PM: suspend exit", self.vm.console()[seen:])
        self.vm.qmp.cmd("system_powerdown")
        # Bytes that are sent to its serial port before that are lost.
        self.vm.wait(lambda: "PM: suspend exit" in self.vm.console()[seen:], "wakes up", 20)
        self.guest.wait_line("/tmp/sleep", "slept 0", 20)

    def test_resizes_go_on_after_suspend_to_idle(self):
        """Twice, with memory plugged, which stays; then up and down."""
        if self.guest.run("insmod /mod/button.ko")[0]:
            self.skipTest("a kernel without the power button as a module")
        self.at_end("rmmod button")
        self.resize(512 * MIB)
        pattern = Pattern(self.guest, 256 * MIB)
        self.at_end(f"kill -9 {pattern.pid}")
        for size in (1024 * MIB, 512 * MIB):
            self.sleep()
            self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")
            self.resize(size)
            self.assert_size(size)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")
        self.guest.kill(pattern.pid)
        self.resize(0)
        self.assert_size(0)
