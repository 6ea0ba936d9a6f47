# SPDX-License-Identifier: GPL-2.0-or-later
"""How soon an unplug under way ends, once it shall.

The figures are printed: from the signal to the end of the core's call.
"""

import time

from vm.cases.case import MIB, POOL, GuestCase
from vm.device import probes
from vm.device.fault import DIR, Fault
from vm.harness.guest import Pattern

TIMEOUT = "/sys/module/virtio_mem/parameters/unplug_timeout_ms"
BB = 256 * MIB
SIZE = 224 * MIB
SIGKILL = 9


class BackOut(GuestCase):
    """While pages are being taken."""

    call = "take"
    begins = "virtio_mem_pages_sweep"   # the driver's or the core's, when it begins
    limit = 5       # in seconds, and far above what is seen

    def setUp(self):
        super().setUp()
        reason = probes.missing(self.guest)
        if self.vm.accel != "tcg":
            reason = "with KVM an unplug is over before it could be ended"
        if reason:
            self.skipTest(reason)
        self.probes = probes.Probes(self.guest, ("take", "remove", "signal"))
        self.addCleanup(lambda: POOL.vm is self.vm and self.probes.remove())

    def begin(self):
        """An unplug that has to move many pages."""
        self.probes.arm()
        self.vm.qmp.request("vm0", 0)
        self.wait_state("shrinking")

    def hold(self):
        """Hold some of the pages for 6 s once a step has begun, which can't succeed then."""
        fault, start = Fault(self.guest), self.region()[0]
        fault.load()
        fault.order("clear", *(f"{self.begins} hold={start + (k * 8 + 4) * MIB:#x} ms=6000 times=1"
                               for k in range(BB // MIB // 8)))
        self.at_end(f"echo clear >{DIR}/points")

    def quick(self, why, seconds):
        """Long before the pages were let go, by themselves."""
        print(f"# {self.id()}: {why}: took {1000 * seconds:.0f} ms", flush=True)
        self.assertLess(seconds, min(self.limit, 5) * self.vm.slow, why)

    def ended(self, why):
        """Say how long it took from the signal on."""
        events = self.probes.read()
        for signal in probes.calls(events, "signal"):
            for call in probes.calls(events, self.call):
                if (signal.args["sig"] == SIGKILL and call.end and
                        call.start < signal.start < call.end):
                    took = call.end - signal.start
                    print(f"# {self.id()}: {why}: {self.call} ended {1000 * took:.0f} ms "
                          f"after the signal, {1000 * call.seconds:.0f} ms after its begin",
                          flush=True)
                    self.assertNotEqual(call.result, 0, why)
                    self.assertLess(took, self.limit * self.vm.slow, why)
                    return
        self.fail(f"{why}: nothing has ended it")

    def request_in_mid_unplug(self):
        """A newer request ends what has begun."""
        self.hold()
        self.vm.qmp.request("vm0", 0)
        self.vm.wait(lambda: self.guest.run(f"grep -q fired=1 {DIR}/points")[0] == 0,
                     "pages are held", 30, 0.05)
        begin = time.monotonic()
        self.vm.qmp.request("vm0", BB)
        self.wait_state("idle")
        self.quick("newer request", time.monotonic() - begin)
        Fault(self.guest).clear()

    def unload_in_mid_unplug(self):
        """So does rmmod."""
        self.hold()
        self.guest.spawn(f"sh -c 'until grep -q fired=1 {DIR}/points; do :; done; "
                         "cat /proc/uptime; rmmod virtio_mem; cat /proc/uptime'", "/tmp/rmmod")
        self.vm.qmp.request("vm0", 0)
        self.vm.wait(lambda: self.guest.run("[ -d /sys/module/virtio_mem ]")[0],
                     "unloaded", 20)
        self.assertEqual(self.vm.qmp.size("vm0"), BB)
        self.vm.wait(lambda: len(self.guest.read("/tmp/rmmod").splitlines()) == 2, "ended", 10)
        begin, end = (float(line.split()[0])
                      for line in self.guest.read("/tmp/rmmod").splitlines())
        self.quick("unloading", end - begin)
        Fault(self.guest).clear()

    def test_all_is_online_again_after_each_cause(self):
        """The deadline, a newer request, unloading."""
        self.resize(BB)
        pattern = Pattern(self.guest, SIZE, seed=13)
        self.at_end(f"kill -9 {pattern.pid}")

        self.guest.write(TIMEOUT, "400")
        self.begin()
        self.vm.wait(lambda: "longer than allowed" in self.guest.attr("last_error"),
                     "deadline hit", 60)
        self.ended("deadline")
        self.vm.qmp.request("vm0", BB)
        self.wait_state("idle")
        self.guest.write(TIMEOUT, "40000")

        self.request_in_mid_unplug()
        self.unload_in_mid_unplug()
        self.assertEqual(pattern.check(), f"OK {SIZE // 4096}")
        self.guest.kill(pattern.pid)
        self.load()


class BackOutUnsafe(BackOut):
    """While the core offlines them.

    It moves all pages of a memory block before it looks again, and then it has
    to online again what was offline already: without KVM that is some seconds.
    """

    mod_args = "bbm_safe_unplug=0"
    call = "remove"
    begins = "offline_pages"
    limit = 30
