# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices in software that don't answer, break, reset themselves or go."""

from vm.cases.case import MIB
from vm.cases.mock_case import MocksCase
from vm.device.mock import DIR, VIRTIO
from vm.harness.guest import Pattern

# How long the driver waits for an answer, in seconds.
ANSWER = 10


class Silent(MocksCase):
    """Answers that never come, or much later, at each kind of request."""

    # Device: what it has, what is then requested in MiB, and its fault. The
    # last one has none; 3 to 6 leave the driver in doubt about what was done,
    # and then say nothing when they are asked.
    CASES = {0: (0, 256, "plug never"), 1: (256, 0, "unplug never"),
             2: (0, 256, "unplug_all never"),
             3: (0, 256, "plug unknown done"), 4: (256, 0, "unplug unknown done"),
             5: (0, 256, "plug error"), 6: (256, 0, "unplug error"),
             7: (0, 256, "plug late=100")}

    def silence(self):
        """Each of them meets its fault: all but the last have one out."""
        self.resize({i: before * MIB for i, (before, *_) in self.CASES.items()})
        self.guest.ok("rmmod virtio_mem")
        self.mock[2].order("plugged", f"{self.mock[2].base():#x} 128M")
        self.mock.orders(*((i, "fault", case[2]) for i, case in self.CASES.items()))
        self.load()
        # Not for taking over, which is done now.
        self.mock.orders(*((i, "fault", "state never") for i in range(3, 7)))
        sizes = {i: size * MIB for i, (_, size, _) in self.CASES.items()}
        self.mock.request(sizes)
        self.until(lambda look: [d.pending for d in look.devices] == [1] * 7 + [0],
                   "all pending", 40)
        return sizes

    def test_late_answers_are_taken(self):
        """The driver waits on, says so, and takes the answer when it comes."""
        sizes = self.silence()
        self.mock.request({7: 0})
        self.settled({7: 0})
        look = self.until(lambda look: all(d.state == "waiting"
                                           for d in look.devices[:7]), "waiting")
        for i, seen in enumerate(look.devices[:7]):
            self.assertRegex(seen.error, "no answer|not answer", self.CASES[i])
        self.mock.all("pending", "now")
        sizes[7] = 0
        self.reached(sizes)

    def test_unloading_waits_for_no_answer(self):
        """rmmod does not wait for it."""
        sizes = self.silence()
        self.guest.ok("rmmod virtio_mem", timeout=ANSWER - 2)
        self.assertEqual([d.pending for d in self.mock.look().devices], [0] * 8)
        self.mock.all("fault", "clear")
        self.load()
        self.reached(sizes)

    def test_surprise_removal_waits_for_no_answer(self):
        """They go while a request is out, and come back as they were."""
        sizes = self.silence()
        for i in range(7):
            self.mock[i].order("device", "surprise", 15)
        self.settled({7: sizes[7]})
        self.mock.all("fault", "clear")
        self.guest.ok("rmmod virtio_mem", timeout=15)
        self.mock.orders(*((i, "device", "add") for i in range(7)))
        self.load()
        self.reached(sizes)

    def test_probe_gives_up_on_silent_devices(self):
        """Probe waits for STATE for as long, then gives up; nothing is lost."""
        self.resize(128 * MIB)
        self.guest.ok("rmmod virtio_mem; dmesg -c >/dev/null")
        faults = ["never", "reset", "needs_reset", "break"]
        self.mock.orders(*((i, "device", "remove") for i in range(8)),
                         *((i, "fault", f"state {fault}")
                           for i, fault in enumerate(faults)))
        self.guest.ok("insmod /mod/ours/virtio_mem.ko")
        # All at once: each probe has its own process.
        self.guest.ok(f"cd {DIR}; for d in [0-7]; do echo add >$d/device & done; wait",
                      ANSWER + 20)
        look = self.until(lambda look: sum(bool(d.state) for d in look.devices) == 4,
                          "four are taken over")
        self.assertEqual([bool(d.state) for d in look.devices], [False] * 4 + [True] * 4)
        self.assertEqual(self.guest.dmesg().count("can't find out what is plugged"), 4)
        self.assertEqual(look.mem_total - self.base, 8 * 128 * MIB)
        self.reload()
        self.reached(dict.fromkeys(range(8), 128 * MIB))

    def test_suspend_is_refused_in_bounded_time(self):
        """Refused in bounded time while a request is out; then all goes on."""
        sizes = self.silence()
        # From now on one after the other: each of them is enough to refuse.
        for left in ((0, 1, 2, 3), (1, 2), (2,)):
            self.at = f"{left} are silent"
            self.mock.orders(*((i, "pending", "now") for i in range(7) if i not in left))
            status, _ = self.guest.run("dmesg -c >/dev/null; echo freeze >/sys/power/state",
                                       timeout=ANSWER + 15)
            self.assertNotEqual(status, 0)
            self.assertIn("suspend refused", self.guest.dmesg())
        self.mock.all("pending", "now")
        self.reached(sizes)


class Ends(MocksCase):
    """Devices that break or reset themselves in the middle of a request."""

    FAULTS = ("break", "reset", "needs_reset")

    def test_broken_request_needs_only_a_reload(self):
        """At each kind of request: unload and load go on."""
        # 0-2: PLUG; 3-5: UNPLUG; 6, 7: UNPLUG_ALL. STATE is in Silent.
        before = {i: 256 * MIB if 3 <= i < 6 else 0 for i in range(8)}
        self.resize(before)
        self.guest.ok("rmmod virtio_mem")
        for i in (6, 7):
            self.mock[i].order("plugged", f"{self.mock[i].base() + 128 * MIB:#x} 128M")
        faults = {i: f"plug {f}" for i, f in enumerate(self.FAULTS)}
        faults |= {i + 3: f"unplug {f}" for i, f in enumerate(self.FAULTS)}
        faults |= {6: "unplug_all break", 7: "unplug_all reset"}
        self.mock.orders(*((i, "fault", fault) for i, fault in faults.items()))
        self.load()
        sizes = {i: 256 * MIB - size for i, size in before.items()}
        self.mock.request(sizes)
        look = self.until(lambda look: not any(d.rules for d in look.devices) and all(
            look[i].state == "broken" for i in (0, 3, 6)), "all are out")
        for i, seen in enumerate(look.devices):
            self.assertEqual(self.mock[i].log()[-1][5], "-", faults[i])
            if i % 3:
                self.assertIn(seen.state, ("growing", "shrinking", "waiting", "idle"))
            else:
                self.assertRegex(seen.error, "broken or gone|device gone")
        self.reload()
        self.reached(sizes)

    def test_broken_idle_device_is_noticed_at_need(self):
        """It breaks, and goes, while nothing is asked; it notices at need."""
        self.resize(256 * MIB)
        self.mock.orders(*((i, "device", "break") for i in range(4)))
        sizes = {i: 128 * MIB * (i % 4) for i in range(8)}
        self.mock.request(sizes)
        # Device 2 has what is wanted.
        self.until(lambda look: all(look[i].state == "broken" for i in (0, 1, 3)), "broken")
        self.settled({i: sizes[i] for i in range(4, 8)})
        self.reload()
        self.reached(sizes)

    def test_memory_outlives_its_device(self):
        """The memory stays, with what is in it; it comes back and is taken over."""
        self.resize(256 * MIB)
        pattern = Pattern(self.guest, 128 * MIB)
        for how in ("remove", "surprise"):
            self.at = how
            self.mock.orders(*((i, "device", how) for i in range(8)), timeout=60)
            self.assertEqual(self.guest.run(f"ls -d {VIRTIO}/*/virtio_mem")[0], 1)
            look = self.mock.look()
            self.assertEqual(look.mem_total - self.base, 8 * 256 * MIB)
            self.assertEqual(pattern.check(), f"OK {128 * MIB // 4096}")
            if how == "surprise":
                self.guest.ok("rmmod virtio_mem", timeout=15)
                self.guest.ok("insmod /mod/ours/virtio_mem.ko")
            self.mock.orders(*((i, "device", "add") for i in range(8)))
            self.bound(8)
            self.reached(dict.fromkeys(range(8), 256 * MIB))
        self.assertEqual(pattern.check(), f"OK {128 * MIB // 4096}")
        self.guest.kill(pattern.pid)
