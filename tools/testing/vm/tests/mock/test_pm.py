# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices in software, and a guest that is suspended or hibernates.

Nothing is hibernated to: the guest has no swap, which it finds out when its
image is ready, all devices have been frozen, and thawed again.
"""

import re

from vm.cases.case import GIB, MIB
from vm.cases.mock_case import MockCase
from vm.device.fault import Fault
from vm.device.mock import DIR
from vm.harness.guest import Pattern

REFUSED = "Operation not permitted"
BUSY = "resource busy"
NO_SWAP = "No such device"


class SleepCase(MockCase):
    """A guest that sleeps, and wakes up by itself."""

    def sleep(self, how, wake=500):
        """Write to /sys/power/state: what the shell says to it, "" for nothing."""
        self.device.order("sleep", f"wake={wake}")
        return self.guest.run(f"dmesg -c >/dev/null; echo {how} >/sys/power/state", 60)[1]

    def alone(self, what):
        """Only the device sleeps, or wakes: what the shell says."""
        return self.guest.run(f"dmesg -c >/dev/null; echo {what} >{DIR}/0/sleep", 30)[1]

    def slept(self):
        """(frozen, restored, refused) so far."""
        found = re.match(r"frozen (\d+) restored (\d+) refused (\d+)", self.device.read("sleep"))
        return tuple(int(n) for n in found.groups())

    def ask(self, size, fault=None):
        """Request a size; wait until its first request is with the device."""
        if fault:
            self.device.fault(fault)
        self.device.request(size)
        self.vm.wait(lambda: self.device.pending() == 1, "a request is out", 20, 0.05)

    def works(self):
        """Requests up and down are heard of, and met."""
        for size in (512 * MIB, 128 * MIB, 0):
            self.resize(size)


class Hibernation(SleepCase):
    """Memory that is plugged would be lost."""

    def setUp(self):
        super().setUp()
        if "disk" not in self.guest.read("/sys/power/state").split():
            self.skipTest("a kernel without hibernation")

    def test_refused_while_plugged(self):
        """Refused, however it is asked for, and so is to go on with an image."""
        self.resize(256 * MIB)
        for command in ("echo disk >/sys/power/state", ": </dev/snapshot", ": >/dev/snapshot"):
            self.at = command
            self.assertIn(REFUSED, self.guest.run(f"dmesg -c >/dev/null; {command}")[1])
            self.assertIn("hibernation refused: memory is plugged", self.guest.dmesg())
        self.assertEqual(self.slept(), (0, 0, 0))
        self.works()

    def test_refused_while_being_plugged(self):
        """Memory that is just being plugged counts."""
        self.ask(128 * MIB, "plug late=4000")
        self.assertIn(REFUSED, self.sleep("disk"))
        self.assertIn("hibernation refused: memory is plugged", self.guest.dmesg())
        self.assertEqual(self.slept(), (0, 0, 0))
        self.reached(128 * MIB)
        self.works()

    def test_allowed_once_unplugged(self):
        """Memory that is no longer plugged when all is at rest does not count."""
        self.resize(128 * MIB)
        self.ask(0, "unplug late=3000")
        self.assertIn(NO_SWAP, self.sleep("disk"))
        self.assertEqual(self.slept(), (1, 1, 0))
        self.reached(0)
        self.works()

    def test_refused_while_unanswered(self):
        """A request that is not answered: nobody knows what is plugged."""
        self.ask(128 * MIB, "plug never")
        self.assertIn(BUSY, self.sleep("disk"))
        self.assertIn("has not answered", self.guest.dmesg())
        self.assertEqual(self.slept(), (0, 0, 0))
        self.device.order("pending", "now")
        self.reached(128 * MIB)
        self.works()

    def test_refused_in_doubt(self):
        """Plugged by the device's books only."""
        self.device.fault("plug error done every=1")
        self.device.fault("state says=1 every=1")
        self.device.request(128 * MIB)
        self.wait_state("waiting", 20)
        self.assertEqual(self.device.size(), 128 * MIB)
        self.assertIn(REFUSED, self.sleep("disk"))
        self.assertEqual(self.slept(), (0, 0, 0))
        # Nobody can say what such a device has; a new driver unplugs all first.
        self.reload()
        self.reached(128 * MIB)
        self.works()

    def test_allowed_with_nothing_plugged(self):
        """Allowed; requests are met again when it is over."""
        self.resize(256 * MIB)
        self.resize(0)
        for count in (1, 2):
            self.assertIn(NO_SWAP, self.sleep("disk"))
            self.assertEqual(self.slept(), (count, count, 0))
            self.works()

    def test_requests_during_it_are_met_after_it(self):
        """Requests during it are met after it."""
        pid = self.guest.spawn("sleep 1000 </dev/snapshot", "/tmp/snapshot.log")
        self.vm.wait(lambda: "snapshot" in self.guest.run(f"ls -l /proc/{pid}/fd/0")[1],
                     "prepared", 20)
        self.device.request(256 * MIB)
        self.guest.run("sleep 1.5")
        self.assertEqual((self.device.size(), self.device.log()), (0, []))
        self.guest.kill(pid)
        self.reached(256 * MIB)
        self.works()

    def test_device_alone_refuses_while_plugged(self):
        """So sleeps who asks only the device: it decides by itself."""
        self.resize(256 * MIB)
        self.assertIn(REFUSED, self.alone("freeze"))
        self.assertIn("memory is plugged", self.guest.dmesg())
        self.assertEqual(self.slept(), (0, 0, 1))
        self.works()

    def test_device_alone_decides_during_a_request(self):
        """The same in mid-plug, for an unanswered one, and with nothing plugged."""
        self.ask(128 * MIB, "plug late=2000")
        self.assertIn(REFUSED, self.alone("freeze"))
        self.reached(128 * MIB)
        self.resize(0)
        self.ask(128 * MIB, "plug never")
        self.assertIn(BUSY, self.alone("freeze"))
        self.device.order("pending", "now")
        self.reached(128 * MIB)
        self.resize(0)
        self.assertEqual(self.alone("freeze"), "")
        self.device.request(256 * MIB)
        self.guest.run("sleep 1")
        self.assertEqual(self.device.size(), 0)
        self.assertEqual(self.alone("restore"), "")
        self.reached(256 * MIB)
        self.works()


class HibernationPersistent(Hibernation):
    """PERSISTENT_SUSPEND says nothing of a machine that is off."""

    mock_args = f"{MockCase.mock_args} persistent=Y"
    # These have nothing to do with what the device keeps.
    test_refused_while_unanswered = test_allowed_once_unplugged = None
    test_requests_during_it_are_met_after_it = None


class Idle(SleepCase):
    """Suspend to idle leaves memory as it is."""

    def test_plugged_memory_stays(self):
        """Allowed; the memory and what is in it stay; requests are met again."""
        self.resize(256 * MIB)
        pattern = Pattern(self.guest, 128 * MIB)
        for count in (1, 2):
            self.assertEqual(self.sleep("freeze"), "")
            self.assertEqual(self.slept(), (count, count, 0))
            self.assert_size(256 * MIB)
            self.assertEqual(pattern.check(), f"OK {128 * MIB // 4096}")
        self.guest.kill(pattern.pid)
        self.works()

    def test_growing_goes_on_afterwards(self):
        """In mid-grow: goes on afterwards."""
        self.ask(2 * GIB, "plug late=700 every=1")
        self.assertEqual(self.sleep("freeze"), "")
        self.assertEqual(self.slept(), (1, 1, 0))
        self.device.fault("clear")
        self.reached(2 * GIB)
        self.works()

    def test_shrinking_goes_on_afterwards(self):
        """In mid-shrink: goes on afterwards."""
        self.resize(2 * GIB)
        pattern = Pattern(self.guest, 256 * MIB)
        self.ask(512 * MIB, "unplug late=700 every=1")
        self.assertEqual(self.sleep("freeze"), "")
        self.assertEqual(self.slept(), (1, 1, 0))
        self.device.fault("clear")
        self.reached(512 * MIB)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")
        self.guest.kill(pattern.pid)
        self.works()

    def test_new_request_is_met_after_waking(self):
        """A request that comes meanwhile is met after waking up."""
        self.resize(512 * MIB)
        self.guest.ok(f"(sleep 0.3; echo 256M >{DIR}/0/requested) >/dev/null 2>&1 &")
        self.assertEqual(self.sleep("freeze", 1500), "")
        self.reached(256 * MIB)


class Deep(SleepCase):
    """Suspend to RAM; the sleep ends as soon as the devices are asleep."""

    def test_refused_while_plugged(self):
        """Refused where the device would lose it; then requests are met."""
        self.resize(256 * MIB)
        self.assertIn(REFUSED, self.sleep("mem", 0))
        self.assertIn("suspend refused: memory is plugged", self.guest.dmesg())
        self.assertEqual(self.slept(), (0, 0, 1))
        self.works()

    def test_allowed_with_nothing_plugged(self):
        """Allowed."""
        self.sleep("mem", 0)
        self.assertEqual(self.slept(), (1, 1, 0))
        self.works()


class DeepPersistent(SleepCase):
    """Suspend to RAM with a device that keeps what is plugged."""

    mock_args = f"{MockCase.mock_args} persistent=Y"

    def test_plugged_memory_stays(self):
        """Allowed; the memory stays; requests are met again."""
        self.resize(256 * MIB)
        self.sleep("mem", 0)
        self.assertEqual(self.slept(), (1, 1, 0))
        self.assert_size(256 * MIB)
        self.works()

    def test_lost_queue_needs_only_a_reload(self):
        """The queue can't be had again: said, the memory stays, and a reload helps."""
        fault = Fault(self.guest)
        fault.load()
        self.resize(256 * MIB)
        fault.order("vring_create_virtqueue ret=0 task=any in=virtio_mem_pm_restore")
        self.sleep("mem", 0)
        self.wait_state("broken", 20)
        self.assertIn("sleep", self.guest.attr("last_error"))
        fault.order("clear")
        self.assertEqual(self.guest.mem_total() - self.base, 256 * MIB)
        self.reload()
        self.reached(256 * MIB)
        self.works()
