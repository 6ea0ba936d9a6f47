# SPDX-License-Identifier: GPL-2.0-or-later
"""That the devices in software notice what a driver must not do.

With virtio_mem_raw, a driver that is told what to do: each kind of violation on
purpose, and counted once. All else in these tests is answered as it should be.
"""

from vm.cases.case import MIB
from vm.cases.mock_case import MocksCase

PLUG, UNPLUG, UNPLUG_ALL, STATE = range(4)
ACK, NACK, _BUSY, ERROR = range(4)
RAW = "/sys/kernel/debug/virtio_mem_raw"
BB = 128 * MIB


class Counted(MocksCase):
    """Wrong requests, on purpose."""

    count = 1
    expected = {}

    def load(self, mod="raw", args=""):
        """The driver that is told what to do."""
        self.guest.ok(f"insmod /mod/virtio_mem_raw.ko {args}")
        self.at_end("rmmod virtio_mem_raw 2>/dev/null")

    def tearDown(self):
        # Expected ones were looked at; none is left for the common check.
        self.guest.run("rmmod virtio_mem_raw")
        self.mock.all("violations", "clear")
        super().tearDown()

    def send(self, *requests):
        """[(length, type, state) or None] of requests that are sent at once."""
        text = ";".join(requests)
        out = self.guest.ok(f"cd {RAW}/*; echo '{text}' >send && cat send")
        return [None if line == "-" else tuple(map(int, line.split()))
                for line in out.splitlines()]

    def answer(self, kind, index, blocks=1):
        """The answer's type to a request for the index-th block on."""
        (length, answer, state), = self.send(
            f"{kind} {self.mock[0].base() + index * BB:#x} {blocks}")
        self.assertEqual(length, 10)
        return (answer, state) if kind == STATE else answer

    def found(self, **want):
        """Exactly these violations have been counted since the last look."""
        self.assertEqual(self.mock.look()[0].violations, want)
        self.mock.all("violations", "clear")

    def test_right_requests_count_nothing(self):
        """Right requests get the specification's answers, and count nothing."""
        self.assertEqual(self.answer(UNPLUG_ALL, 0), ACK)
        self.mock.request({0: 4 * BB})
        self.assertEqual(self.answer(STATE, 0, 2), (ACK, 1))
        self.assertEqual(self.answer(PLUG, 1, 2), ACK)
        self.assertEqual(self.answer(STATE, 1, 2), (ACK, 0))
        self.assertEqual(self.answer(STATE, 0, 2), (ACK, 2))
        self.assertEqual(self.answer(PLUG, 3, 2), ACK)
        # More than requested; all or nothing; padding is ignored.
        self.assertEqual(self.answer(PLUG, 5), NACK)
        self.assertEqual(self.answer(UNPLUG, 1, 4), ACK)
        (_, answer, _), = self.send(f"pad {PLUG} {self.mock[0].base():#x} 1")
        self.assertEqual(answer, ACK)
        self.assertEqual(self.mock.look()[0].size, BB)
        self.assertEqual(self.answer(UNPLUG_ALL, 0), ACK)
        self.assertEqual(self.mock.look()[0].size, 0)
        self.found()

    def test_wrong_blocks_are_refused(self):
        """Wrong state, wrong place, wrong shape: ERROR, and nothing is done."""
        self.mock.request({0: 4 * BB})
        self.assertEqual(self.answer(PLUG, 0, 2), ACK)
        for what, kind, index, blocks in (
                ("plug_twice", PLUG, 0, 1), ("plug_twice", PLUG, 1, 2),
                ("not_plugged", UNPLUG, 2, 1), ("not_plugged", UNPLUG, 1, 2),
                ("outside", PLUG, 6, 1), ("outside", PLUG, 5, 2),
                ("outside", UNPLUG, 40, 1), ("outside", STATE, 6, 1),
                ("outside", PLUG, -1, 1), ("malformed", PLUG, 2, 0),
                ("malformed", PLUG, 2.5, 1), ("malformed", UNPLUG, 0.5, 1)):
            self.at = f"{what} {kind} {index} {blocks}"
            (_, answer, _), = self.send(
                f"{kind} {self.mock[0].base() + int(index * BB):#x} {blocks}")
            self.assertEqual(answer, ERROR)
            self.assertEqual(self.mock.look()[0].size, 2 * BB)
            self.found(**{what: 1})

    def test_faults_come_as_ordered(self):
        """The device answers as it was told, as often as it was told."""
        self.mock.request({0: 4 * BB})
        request = f"{STATE} {self.mock[0].base():#x} 1"
        right = (10, ACK, 1)
        for fault, want in (("nack", (10, NACK, 0)), ("busy", (10, 2, 0)),
                            ("error", (10, ERROR, 0)), ("unknown", (10, 77, 0)),
                            ("unknown=9", (10, 9, 0)), ("short", (1, ACK, 0)),
                            ("short=2", (2, ACK, 0)), ("long", (4096, ACK, 1)),
                            ("says=7", (10, ACK, 7)), ("never", None)):
            self.at = fault
            self.mock[0].order("fault", f"state {fault} next=2")
            out = [self.send(request)[0]]
            if fault == "never":
                # Until somebody lets it go.
                self.mock[0].order("pending", "now")
            else:
                # Only one kind of request is meant.
                self.assertEqual(self.answer(UNPLUG_ALL, 0), ACK)
            out.append(self.send(request)[0])
            self.mock[0].order("pending", "now")
            self.assertEqual([o and o[:2] for o in out], [want and want[:2]] * 2)
            if fault.startswith(("long", "says")):
                self.assertEqual(out, [want] * 2)
            self.assertEqual(self.send(request), [right], "only so many")
            self.assertEqual(self.mock.look()[0].rules, [])
        self.found()

    def test_chance_repeats_with_its_seed(self):
        """A seed hits the same requests again, another seed others."""
        self.mock.request({0: 4 * BB})
        hits = []
        for seed in (7, 7, 8):
            self.mock.orders((0, "log", "clear"), (0, "fault", "clear"),
                             (0, "fault", f"state busy chance=300 seed={seed}"))
            self.guest.ok(f"cd {RAW}/*; for n in $(seq 40); do "
                          f"echo {STATE} {self.mock[0].base():#x} 1 >send; done")
            answers = self.mock[0].answers("STATE")
            self.assertEqual(len(answers), 40)
            hits.append([n for n, answer in enumerate(answers) if answer == "BUSY"])
        self.assertEqual(hits[0], hits[1])
        self.assertNotEqual(hits[0], hits[2])
        for hit in hits:
            self.assertTrue(4 <= len(hit) <= 22, hits)

    def test_touched_unplugged_memory_is_found_out(self):
        """Writing to unplugged memory is found out when it is plugged."""
        self.mock.request({0: 4 * BB})
        self.guest.ok(f"cd {RAW}/*; echo {self.mock[0].base() + BB:#x} >poke")
        self.assertEqual(self.answer(PLUG, 0), ACK)
        self.found()
        self.assertEqual(self.answer(PLUG, 1), ACK)
        self.found(touched=1)
        # To plugged memory everybody may write.
        self.guest.ok(f"cd {RAW}/*; echo {self.mock[0].base():#x} >poke")
        self.assertEqual(self.answer(UNPLUG, 0), ACK)
        self.assertEqual(self.answer(PLUG, 0), ACK)
        self.found()

    def test_overlapping_requests_are_counted(self):
        """More than one request at a time: counted, and answered all the same."""
        self.mock.request({0: 4 * BB})
        addr = self.mock[0].base()
        out = self.send(f"{STATE} {addr:#x} 1", f"{PLUG} {addr:#x} 1")
        self.assertEqual([o[1] for o in out], [ACK, ACK])
        self.found(overlap=1)

    def test_malformed_requests_need_a_reset(self):
        """Too short, no room, unknown type: the device wants a reset."""
        for request in ("short 3 0 1", "noroom 3 0 1", "4 0 1"):
            self.at = request
            self.assertEqual(self.send(request), [None])
            self.found(malformed=1)
            self.guest.ok("rmmod virtio_mem_raw; insmod /mod/virtio_mem_raw.ko")
        self.assertEqual(self.answer(UNPLUG_ALL, 0), ACK)

    def test_configuration_writes_are_counted(self):
        """Writing to the configuration: counted, and nothing changes."""
        self.mock.request({0: 4 * BB})
        self.guest.ok(f"cd {RAW}/*; echo config >poke")
        self.found(config=1)
        self.assertEqual(int(self.mock[0].read("requested")), 4 * BB)

    def test_early_and_left_behind_queues_are_counted(self):
        """Before DRIVER_OK, and a queue that is left behind."""
        self.guest.ok("rmmod virtio_mem_raw; insmod /mod/virtio_mem_raw.ko early=1")
        self.assertIn("early", self.mock.look()[0].violations)
        self.mock.all("violations", "clear")
        self.guest.ok("rmmod virtio_mem_raw; insmod /mod/virtio_mem_raw.ko leave=1")
        self.mock[0].order("device", "remove")
        self.found(left=1)
        # It would leave the next one, too.
        self.guest.ok("rmmod virtio_mem_raw")
        self.mock[0].order("device", "add")

    def test_queue_that_goes_with_a_request_is_counted(self):
        """A request that is out when the queue goes, and is not detached."""
        self.guest.ok("rmmod virtio_mem_raw; insmod /mod/virtio_mem_raw.ko keep=1")
        self.mock.request({0: 4 * BB})
        self.mock[0].order("fault", "state never")
        self.guest.ok(f"cd {RAW}/*; echo {STATE} {self.mock[0].base():#x} 1 >send")
        self.guest.ok("rmmod virtio_mem_raw")
        self.found(attached=1)

    def test_sleeping_while_plugged_is_counted(self):
        """Asleep with memory plugged, with a driver that does not care."""
        self.mock.request({0: 4 * BB})
        self.assertEqual(self.answer(PLUG, 0), ACK)
        self.mock[0].order("sleep", "freeze")
        self.found(asleep=1)
        # Memory that Linux does not have is lost.
        self.assertEqual(self.mock.look()[0].size, 0)
        self.mock[0].order("sleep", "restore")
        self.guest.ok("rmmod virtio_mem_raw")

    def test_unplugging_used_memory_is_refused(self):
        """Unplugging what Linux has: counted, refused, the memory lives."""
        self.guest.ok("rmmod virtio_mem_raw; insmod /mod/ours/virtio_mem.ko")
        self.bound(1)
        self.resize(2 * BB)
        self.guest.ok("rmmod virtio_mem; insmod /mod/virtio_mem_raw.ko")
        self.assertEqual(self.answer(UNPLUG, 0), ERROR)
        self.found(in_use=1)
        self.assertEqual(self.answer(UNPLUG_ALL, 0), ERROR)
        self.found(in_use=1)
        self.assertEqual(self.guest.mem_total() - self.base, 2 * BB)
