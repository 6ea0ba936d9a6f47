# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices in software: what an earlier driver has left, and is still doing."""

import time

from vm.cases.case import MIB
from vm.cases.mock_case import MockCase, MocksCase
from vm.device.fault import Fault
from vm.device.mock import DIR
from vm.harness.guest import Pattern


class Group(MockCase):
    """Memory groups: one that is leaked can't be had back before a reboot."""

    def test_only_loads_that_add_have_a_group(self):
        """Taking over registers none; unloading gives back each that was registered."""
        fault = Fault(self.guest)
        fault.load()
        # Orders that count calls, and never come to their turn.
        fault.order("memory_group_register_dynamic ret=-12 after=1000 task=any",
                    "memory_group_unregister ret=-22 after=1000 task=any")
        self.at_end("echo clear >/sys/kernel/debug/virtio_mem_fault/points")
        for _ in range(3):
            self.reload()
            self.resize(256 * MIB)
            self.assertEqual(fault.points()[0][0], 1)
        self.resize(0)
        self.reload()
        self.resize(128 * MIB)
        self.resize(0)
        self.guest.ok("rmmod virtio_mem")
        self.assertEqual([calls for calls, _ in fault.points()], [2, 2])
        self.load()


class Orphan(MocksCase):
    """A worker that is in a long call when its device goes."""

    count = 4

    def block(self, device):
        """The state of the first memory block of a device."""
        return f"/sys/devices/system/memory/memory{self.mock[device].base() // (128 * MIB)}/state"

    def flip(self, device):
        """User space offlines that memory, and onlines it."""
        self.guest.ok(f"until echo offline >{self.block(device)}; do sleep 0.5; done; "
                      f"echo online_movable >{self.block(device)}", 30)

    def hold_locks(self, seconds):
        """Let user space offline a page that is held for so long: all wait for it."""
        fault = Fault(self.guest)
        fault.load()
        self.at_end("echo clear >/sys/kernel/debug/virtio_mem_fault/points")
        self.resize({1: 128 * MIB})
        # More than is there of other memory that can be moved.
        pattern = Pattern(self.guest, 160 * MIB)
        base = self.mock[1].base()
        self.assertGreater(pattern.pages_in(base, base + 128 * MIB), 1000)
        fault.order(*(f"offline_pages hold={base + (k * 8 + 4) * MIB:#x} "
                      f"ms={seconds * 1000} task=any times=1" for k in range(8)))
        pid = self.guest.spawn(f"sh -c 'echo offline >{self.block(1)}'", "/tmp/offline.log")
        self.vm.wait(lambda: any(fired for _, fired in fault.points()), "offlining", 20)
        return pattern, pid

    def test_others_bind_while_a_worker_is_stuck(self):
        """Others bind meanwhile; the next of its place waits, and is bound then."""
        pattern, pid = self.hold_locks(30)
        begin = time.monotonic()
        self.mock.request({0: 128 * MIB})
        self.seen(0, lambda d: d.size == 128 * MIB, "plugged, being added")
        self.guest.ok(f"dmesg -c >/dev/null; echo remove >{DIR}/0/device", 30)
        self.assertIn("it ends in the background", self.guest.dmesg())
        self.assertLess(time.monotonic() - begin, 25)
        self.mock.orders((2, "device", "remove"), (2, "device", "add"),
                         (0, "device", "add"), (3, "device", "remove"),
                         (3, "device", "add"))
        look = self.mock.look()
        self.assertEqual([bool(d.state) for d in look.devices], [False, True, True, True],
                         self.guest.dmesg())
        self.assertEqual(self.guest.dmesg().count("waiting for that"), 1)
        # Another one says that it has the same place, waits, too, and goes again.
        self.mock.orders((3, "device", "remove"), (3, "config", f"addr={self.mock[0].base():#x}"),
                         (3, "device", "add"))
        self.assertEqual(self.guest.dmesg().count("waiting for that"), 2)
        self.mock.orders((3, "device", "remove"), (3, "config", "truth"))
        # Nobody does anything about it.
        self.bound(3)
        self.mock[3].order("device", "add")
        self.bound(4)
        self.guest.ok(f"while kill -0 {pid} 2>/dev/null; do sleep 0.2; done", 60)
        self.guest.kill(pattern.pid)
        self.guest.run(f"echo online_movable >{self.block(1)}")
        self.reached({0: 128 * MIB, 1: 128 * MIB})
        # Nothing of a driver that has ended hears of memory any more.
        self.guest.ok("rmmod virtio_mem", timeout=15)
        for device in (0, 1):
            self.flip(device)
        self.load()
        self.reached({0: 128 * MIB, 1: 128 * MIB})
        self.resize(0)

    def test_sleep_is_refused_while_a_worker_is_stuck(self):
        """A worker that does not come to rest in time: no sleep, and it goes on."""
        pattern, pid = self.hold_locks(20)
        self.mock.request({0: 128 * MIB})
        self.seen(0, lambda d: d.size == 128 * MIB, "plugged, being added")
        said = self.guest.run(f"dmesg -c >/dev/null; echo freeze >{DIR}/0/sleep", 40)[1]
        self.assertIn("resource busy", said)
        self.assertIn("memory hotplug is under way", self.guest.dmesg())
        self.guest.ok(f"while kill -0 {pid} 2>/dev/null; do sleep 0.2; done", 60)
        self.guest.kill(pattern.pid)
        self.guest.run(f"echo online_movable >{self.block(1)}")
        self.reached({0: 128 * MIB, 1: 128 * MIB})
        self.resize(0)
