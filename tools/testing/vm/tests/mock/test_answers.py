# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices in software: each wrong answer to each kind of request."""

import re

from vm.cases.case import MIB
from vm.cases.mock_case import BIND, MocksCase

# Wrong answers, and how the driver then says why it waits.
WAITS = {
    "nack": "NACK", "busy": "(?i)busy", "error": "ERROR|no big block",
    "unknown": "unknown answer|ERROR|no big block",
    "short undone": "unknown answer|ERROR|no big block",
    "long undone": "unknown answer|ERROR|no big block",
}
# Where it only needs to ask, or to be patient: it does not wait at all.
GOES_ON = ("unknown done", "error done", "short", "long", "late=1200",
           "error done late=300")


class Lasting(MocksCase):
    """Faults for as long as they last, on eight devices at a time."""

    def batch(self, cases):
        """[(request, fault)], one a device: met when the fault has ended."""
        self.at = str(cases)
        cases = dict(enumerate(cases))
        before = {i: 0 if request == "plug" else 256 * MIB
                  for i, (request, _) in cases.items()}
        sizes = {i: 256 * MIB - size for i, size in before.items()}
        self.mock.request(before)
        self.settled(before)
        self.mock.orders(*((i, "fault", f"{request} {fault} every=1")
                           for i, (request, fault) in cases.items()))
        self.mock.request(sizes)
        waits = {i: WAITS[fault] for i, (_, fault) in cases.items() if fault in WAITS}
        for i, says in waits.items():
            # Something else may have held a page for a moment first.
            seen = self.seen(i, lambda d, s=says: d.state == "waiting" and
                             re.search(s, d.error), f"{cases[i]} waits: {says}")
            self.assertEqual(seen.size, before[i], cases[i])
        rest = {i: size for i, size in sizes.items() if i not in waits}
        if rest:
            self.settled(rest)
        hits = self.mock.look()
        for i in cases:
            self.assertNotIn("hits 0", hits[i].rules[0], cases[i])
        # That is all: no new request is needed for going on.
        self.mock.all("fault", "clear")
        self.reached(sizes, 40)

    def both(self, faults):
        """Growing and shrinking meet each of them."""
        cases = [(request, fault) for fault in faults for request in ("plug", "unplug")]
        for first in range(0, len(cases), self.count):
            self.batch(cases[first:first + self.count])

    def test_driver_says_why_it_waits(self):
        """Nothing is lost while it lasts, the driver says why it waits."""
        # Big blocks that were refused rest for 10 s: all of these at once.
        self.both(sorted(WAITS, key=lambda f: f in ("nack", "busy")))

    def test_driver_asks_what_was_done(self):
        """Answers that hide what was done: the driver asks, and goes on."""
        self.both(GOES_ON)

    def test_sizes_are_reached_whatever_the_nth_answer(self):
        """Every second or third answer: exactly these, and sizes are reached."""
        rules = ("plug busy every=2", "unplug busy every=2", "plug error every=3",
                 "unplug error every=3", "plug unknown done every=2",
                 "unplug short every=3", "any nack every=4", "unplug late=200 every=2")
        self.mock.orders(*((i, "fault", rule) for i, rule in enumerate(rules)))
        # An odd one out for STATE: NACK is no answer to it, but nobody asks.
        # Big blocks that go together are one request: often enough for the third.
        for size in (128, 0, 256, 128, 384, 128, 256, 0):
            self.at = f"{size} MiB"
            self.mock.request(dict.fromkeys(range(8), size * MIB))
            self.settled(dict.fromkeys(range(8), size * MIB), 40)
        self.compare(self.mock.look())
        for i, rule in enumerate(rules):
            request, *_, when = rule.split()
            lines = self.mock[i].log(None if request == "any" else request.upper())
            every = int(when.removeprefix("every="))
            hit = [n for n, words in enumerate(lines, 1) if len(words) > 6]
            self.assertEqual(hit, list(range(every, len(lines) + 1, every)), rule)
            self.assertGreater(len(hit), 0, rule)


class UnplugAll(MocksCase):
    """Memory that somebody left plugged: unplugged before anything else."""

    FAULTS = (*WAITS, *GOES_ON[:5])

    def test_each_wrong_answer_is_outlived(self):
        """Each wrong answer to UNPLUG_ALL, for as long as it lasts."""
        for first in range(0, len(self.FAULTS), self.count):
            faults = dict(enumerate(self.FAULTS[first:first + self.count]))
            self.guest.ok("rmmod virtio_mem")
            self.mock.all("log", "clear")
            for i, fault in faults.items():
                self.mock.orders(
                    (i, "plugged", f"{self.mock[i].base() + 256 * MIB:#x} 256M"),
                    (i, "requested", 128 * MIB),
                    (i, "fault", f"unplug_all {fault} every=1"))
            self.load()
            for i, fault in faults.items():
                self.at = fault
                if "late" not in fault:
                    seen = self.seen(i, lambda d: d.state == "waiting", "waits")
                    self.assertRegex(seen.error, WAITS.get(fault, "unknown answer|ERROR"))
                self.vm.wait(lambda i=i: self.mock[i].answers("UNPLUG_ALL"), "asked", 20)
                log = [words[2] for words in self.mock[i].log()]
                self.assertEqual(log[0], "UNPLUG_ALL")
                if "late" not in fault:
                    self.assertNotIn("PLUG", log, "nothing before it is done")
            self.at = ""
            self.mock.all("fault", "clear")
            sizes = dict.fromkeys(faults, 128 * MIB)
            self.reached(sizes)
            self.resize(dict.fromkeys(faults, 0))


class State(MocksCase):
    """STATE: for taking over memory, and where an answer leaves doubts."""

    # The specification has neither NACK nor BUSY for it; "says" is a state that
    # there is not.
    FAULTS = ("nack", "busy", "error", "unknown", "short", "long", "says=7",
              "late=300 next=2")

    def test_device_is_refused_without_an_answer(self):
        """Refused without an answer; memory stays; done when there is one."""
        self.resize(128 * MIB)
        self.guest.ok("rmmod virtio_mem; dmesg -c >/dev/null")
        self.mock.orders(*((i, "fault", fault if "next" in fault else f"{fault} every=1")
                           for i, fault in enumerate(f"state {f}" for f in self.FAULTS)))
        self.load_for(1)
        look = self.mock.look()
        self.assertEqual([bool(d.state) for d in look.devices], [False] * 7 + [True])
        self.assertEqual(self.guest.dmesg().count(
            "device refused: can't find out what is plugged"), 7)
        self.assertEqual(look.mem_total - self.base, 8 * 128 * MIB)
        self.mock.all("fault", "clear")
        self.guest.ok("; ".join(f"echo {d.name} >{BIND}" for d in look.devices[:7]))
        self.reached(dict.fromkeys(range(8), 128 * MIB))

    def test_unknown_blocks_are_not_used(self):
        """A device that can't tell the state of its blocks is not used on."""
        for request, before, size in (("plug", 128, 256), ("unplug", 256, 128)):
            self.at = request
            self.resize(before * MIB)
            for i, fault in enumerate(self.FAULTS[:7]):
                self.mock.orders((i, "fault", f"{request} error every=1"),
                                 (i, "fault", f"state {fault} every=1"))
            self.mock.request(dict.fromkeys(range(8), size * MIB))
            look = self.until(lambda look: all(d.state == "broken"
                                               for d in look.devices[:7]), "broken")
            for seen in look.devices[:7]:
                self.assertIn("stopped", seen.error)
            self.settled({7: size * MIB})
            self.reload()
            self.reached(dict.fromkeys(range(8), size * MIB))


class Twice(MocksCase):
    """An answer that comes twice: no driver's fault, and no driver's end."""

    def test_second_answer_breaks_the_queue(self):
        """The queue counts as broken, or nothing happens; a reload goes on."""
        # 0, 1: PLUG; 2, 3: UNPLUG; 4: UNPLUG_ALL; 5: STATE; others: none
        before = {i: 256 * MIB if i in (2, 3, 5) else 0 for i in range(8)}
        self.resize(before)
        self.guest.ok("rmmod virtio_mem")
        self.mock.orders((4, "plugged", f"{self.mock[4].base():#x} 128M"),
                         (4, "fault", "unplug_all twice"), (5, "fault", "state twice"))
        # Out of step in probe: the device is refused, its memory stays.
        self.load_for(7)
        self.assertEqual(self.mock.look()[5].state, None)
        self.mock.orders(*((i, "fault", f"{'plug' if i < 2 else 'unplug'} twice")
                           for i in range(4)))
        # Whoever takes a second answer for the next request's sends one more.
        for step in (128 * MIB, 0):
            sizes = {i: (256 * MIB - size if i < 4 else size) + step
                     for i, size in before.items()}
            self.mock.request(sizes)
            self.until(lambda look, want=sizes: all(
                i == 5 or d.state == "broken" or
                (d.state == "idle" and d.size == want[i])
                for i, d in enumerate(look.devices)), "broken or met", 40)
        look = self.mock.look()
        for seen in look.devices:
            if seen.state == "broken":
                self.assertIn("stopped", seen.error)
        self.assertEqual([d.state for d in look.devices[6:]], ["idle"] * 2)
        self.reload()
        self.reached(sizes)

    def test_second_answer_to_the_one_before_is_none(self):
        """It comes when the next request is out: that one may still be written to."""
        self.resize({2: 256 * MIB, 3: 256 * MIB})
        self.mock.orders(*((i, "fault", f"{'plug' if i < 2 else 'unplug'} early late=700")
                           for i in range(4)))
        sizes = {0: 128 * MIB, 1: 256 * MIB, 2: 0, 3: 128 * MIB}
        self.mock.request(sizes)
        look = self.until(lambda look: all(d.state == "broken" for d in look.devices[:4]),
                          "broken")
        for seen in look.devices[:4]:
            self.assertIn("stopped", seen.error)
        # No request followed, as long as that one was not answered.
        self.assertEqual([len(self.mock[i].log()) for i in range(2)], [1, 1])
        self.reload()
        self.reached(sizes)
