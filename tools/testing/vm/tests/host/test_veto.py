# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody else's memory notifier forbids offlining."""

from vm.cases.case import MIB, GuestCase
from vm.harness.guest import Pattern

FAULT = "/sys/kernel/debug/notifier-error-inject/memory/actions/{}/error"


class Veto(GuestCase):
    """The kernel's own memory-notifier-error-inject says no, after the driver."""

    # Below every priority in use: called last, so the driver has already
    # prepared its pages and must take that back.
    priority = -100000

    def setUp(self):
        super().setUp()
        self.guest.ok("insmod /mod/notifier-error-inject.ko")
        self.at_end("rmmod notifier-error-inject")
        self.guest.ok("insmod /mod/memory-notifier-error-inject.ko "
                      f"priority={self.priority}")
        self.at_end("rmmod memory-notifier-error-inject")

    def failures(self):
        """How many tries of each big block have failed, as debugfs has it."""
        return self.guest.ok("cat /sys/kernel/debug/virtio_mem/*/details | "
                             "cut -d' ' -f12").split()

    def test_offline_vetoed(self):
        """Nothing goes, nothing is lost; without the fault it goes."""
        size = 768 * MIB
        fault = FAULT.format("MEM_GOING_OFFLINE")
        self.resize(size)
        pattern = Pattern(self.guest, 256 * MIB, seed=9)
        self.at_end(f"kill -9 {pattern.pid}")
        before = self.guest.zones()
        self.guest.ok(f"echo -16 >{fault}")
        self.vm.qmp.request("vm0", 0)
        self.wait_state("waiting")
        self.assert_between_tries(size, before)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")
        self.assertNotIn(self.guest.attr("last_error"), ("", "none", "0"))
        # A new request begins without the records of tries that failed.
        self.assertNotIn("0", self.failures())
        self.vm.qmp.request("vm0", size)
        self.wait_state("idle")
        self.assertEqual(set(self.failures()), {"0"})
        self.vm.qmp.request("vm0", 0)
        self.wait_state("waiting")
        self.guest.ok(f"echo 0 >{fault}")
        # Not a new request: the driver must come back by itself.
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk", 90)
        self.wait_state("idle")
        self.assert_size(0)
        self.assert_zones(0)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")

    def test_online_vetoed(self):
        """Added memory that may not go online is no loss for the driver."""
        fault = FAULT.format("MEM_GOING_ONLINE")
        self.guest.ok(f"echo -16 >{fault}")
        self.vm.qmp.request("vm0", 256 * MIB)
        self.vm.wait(self.guest.added, "added, if offline", 30)
        # Its memory blocks come online one after the other, or not.
        self.wait_state("idle")
        self.guest.ok(f"echo 0 >{fault}")
        self.assertEqual(self.guest.mem_total(), self.base)
        self.vm.resize(0)
        self.wait_state("idle")
        self.assert_size(0)

    def test_offline_by_user_vetoed(self):
        """A refused offlining of user space keeps nothing from being unplugged."""
        fault = FAULT.format("MEM_GOING_OFFLINE")
        # One, because the next one that changes would hide what was left behind.
        self.resize(256 * MIB)
        block = min(self.guest.memory_blocks(*self.guest.added()[0]))
        state = f"/sys/devices/system/memory/memory{block}/state"
        self.guest.ok(f"echo -16 >{fault}")
        self.assertNotEqual(self.guest.write(state, "offline")[0], 0)
        self.guest.ok(f"echo 0 >{fault}")
        self.vm.resize(0)
        self.wait_state("idle")
        self.assert_size(0)


class VetoFirst(Veto):
    """The same, but called before the driver, which never hears of the attempt."""

    priority = 100000


class VetoUnsafe(Veto):
    """Direct offlining, vetoed."""

    mod_args = "bbm_safe_unplug=0"
