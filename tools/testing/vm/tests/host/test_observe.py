# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver's views: trace events, statistics, poll(), udev's events, debugfs."""

import re

from vm.cases.case import MIB, GuestCase

BB = 256 * MIB
TRACE = "/sys/kernel/tracing"


class Observe(GuestCase):
    """A guest that grows, gets stuck at a page that is held, and shrinks."""

    pinner = None

    def events(self):
        """[(name, {key: value}, text)] of the driver's trace events so far."""
        found = re.findall(r": virtio_mem_(\w+): (.*)", self.guest.ok(f"cat {TRACE}/trace"))
        return [(name, dict(re.findall(r"(\w+)=(\S+)", text)), text) for name, text in found]

    def stats(self):
        """{name: text} of the statistics."""
        out = self.guest.ok("cd /sys/bus/virtio/devices/*/virtio_mem/stats && grep . *")
        return dict(line.split(":", 1) for line in out.splitlines())

    def details(self):
        """The words of debugfs's details, of which there is one line."""
        return self.guest.ok("cat /sys/kernel/debug/virtio_mem/*/details").split()

    def trace(self):
        """Record all of the driver's events."""
        self.guest.ok(f"[ -e {TRACE}/trace ] || mount -t tracefs none {TRACE}; "
                      f"echo >{TRACE}/trace; echo 1 >{TRACE}/tracing_on; "
                      f"echo 1 >{TRACE}/events/virtio_mem/enable")
        self.at_end(f"echo 0 >{TRACE}/events/virtio_mem/enable")

    def pin(self, block):
        """Hold a page of that big block."""
        start = self.region()[0] + block * BB
        self.pinner = self.guest.spawn(f"memtool pin {start} {start + BB}", "/tmp/pin")
        self.at_end(f"kill -9 {self.pinner}")
        self.guest.wait_line("/tmp/pin", r"PINNED (0x[0-9a-f]+)")
        return start

    def test_events_tell_a_resize(self):
        """Each step of growing and shrinking is an event, in order, with its result."""
        self.trace()
        self.resize(2 * BB)
        self.resize(0)
        events = self.events()
        names = [name for name, _, _ in events]
        self.assertEqual({"request", "answer", "state", "op", "pick", "pass_begin", "pass_end"},
                         set(names))
        start = self.region()[0]
        steps = [text for name, keys, text in events if name == "state"
                 and int(keys["addr"], 16) == start]
        self.assertEqual([step.split(" ", 3)[3] for step in steps], [
            "UNUSED -> PLUGGED", "PLUGGED -> ADDED", "ADDED -> FAKE_OFFLINE",
            "FAKE_OFFLINE -> PLUGGED", "PLUGGED -> UNUSED"])
        asked = [text for name, _, text in events if name == "request"]
        self.assertEqual(len(asked), names.count("answer"))
        self.assertEqual({keys["answer"] for name, keys, _ in events if name == "answer"},
                         {"ACK"})
        for op in ("add", "offline-remove"):
            done = [keys for name, keys, text in events if name == "op" and f" {op} " in text]
            self.assertEqual([keys["result"] for keys in done], ["0", "0"], op)
            self.assertTrue(all(int(keys["us"]) > 0 for keys in done))
        self.assertEqual(names[0], "pass_begin")
        self.assertEqual((names[-1], events[-1][1]["cause"]), ("pass_end", "-"))

    def test_statistics_add_up(self):
        """Operations are counted with their time, and the last request is described."""
        self.resize(2 * BB)
        self.resize(BB)
        stats = self.stats()
        for name, count in (("plug", 1), ("unplug", 1), ("add", 2), ("offline", 1)):
            self.assertEqual((stats[f"{name}_ok"], stats[f"{name}_failed"]),
                             (str(count), "0"), name)
            self.assertGreater(int(stats[f"{name}_us"]), 0, name)
        self.assertEqual([stats[f"last_{name}"] for name in ("requested", "plugged", "cause")],
                         [str(BB), str(BB), "-"])

    def test_stuck_is_said_and_when_it_ends(self):
        """A held page: cause and age, a dislike, what debugfs has, and both uevents."""
        heed = self.guest.spawn("heed uevents", "/tmp/uevents")
        self.at_end(f"kill -9 {heed}")
        self.guest.wait_line("/tmp/uevents", "READY")
        self.resize(2 * BB)
        start = self.pin(1)
        self.trace()
        self.vm.qmp.request("vm0", 0)
        self.wait_state("waiting", 90)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == BB, "the other one gone", 60)
        self.vm.wait(lambda: self.stats()["last_cause"] == "pinned", "cause", 20)
        self.assertEqual(self.assert_cause(), {"pinned"})
        disliked = [keys for name, keys, _ in self.events() if name == "dislike"]
        self.assertIn((start, "pinned"), [(int(keys["addr"], 16), keys["cause"])
                                          for keys in disliked])
        # Between two tries: while one lasts, the block is claimed.
        rows = []
        self.vm.wait(lambda: rows.append(self.details()) or rows[-1][1] == "ADDED",
                     "no try", 20)
        row = rows[-1]
        self.assertEqual(row[0], f"0x{start:016x}-0x{start + BB - 1:016x}")
        self.assertEqual(int(row[3]), BB // 4096)
        self.assertGreater(int(row[6]) + int(row[8]), 0, row)
        self.assertEqual(row[10], "pinned")
        stats = self.stats()
        # As old as the wait, not as the last try: this test has looked at it for 10 s.
        self.assertGreater(int(stats["last_cause_ms"]), 8000)
        self.assertGreater(sum(int(n) for name, n in stats.items()
                               if name.endswith("_failed")), 0, "no failed try was counted")
        self.guest.kill(self.pinner)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "all gone", 30)
        self.guest.wait_line("/tmp/uevents", "EVENT=met REQUESTED=0 PLUGGED=0 CAUSE=-", 10)
        told = self.guest.read("/tmp/uevents")
        self.assertRegex(told, f"EVENT=stuck REQUESTED=0 PLUGGED={BB} CAUSE=pinned")
        self.assertEqual(self.stats()["last_cause"], "-")

    def test_state_can_be_polled(self):
        """Whoever polls the state wakes for each change, and for nothing else."""
        state = self.guest.ok("ls -d /sys/bus/virtio/devices/*/virtio_mem/state")
        heed = self.guest.spawn(f"heed state {state}", "/tmp/state")
        self.at_end(f"kill -9 {heed}")
        self.guest.wait_line("/tmp/state", "READY")
        self.resize(BB)
        self.resize(0)
        self.guest.wait_line("/tmp/state", "idle", 10)
        words = self.guest.read("/tmp/state").split()[1:]
        self.assertEqual(words, [word for i, word in enumerate(words)
                                 if not i or word != words[i - 1]])
        self.assertLessEqual(set(words), {"growing", "shrinking", "idle"})
        self.assertIn("shrinking", words)
