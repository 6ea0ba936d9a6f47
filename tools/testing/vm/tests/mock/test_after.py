# SPDX-License-Identifier: GPL-2.0-or-later
"""Which big blocks are used after one was refused, and when that one is used again."""

from vm.cases.case import GIB, MIB
from vm.cases.mock_case import MockCase
from vm.device.fault import Fault
from vm.device.mock import ADDR

BB = 128 * MIB
ADD = "add_memory_driver_managed"


class After(MockCase):
    """Something is refused once, or always."""

    def setUp(self):
        super().setUp()
        self.fault = Fault(self.guest)
        self.fault.load()
        self.at_end("echo clear >/sys/kernel/debug/virtio_mem_fault/points")

    def asked(self, request, index=0):
        """Seconds since boot of requests that began with a big block."""
        return [float(words[1]) for words in self.device.log(request)
                if int(words[3], 16) == ADDR + index * BB]

    def has(self, *blocks):
        """Exactly these are plugged, and Linux has them."""
        self.reached(len(blocks) * BB)
        self.assertEqual([(start - ADDR) // BB for at in self.device.plugged()
                          for start in range(*at, BB)], list(blocks))

    def test_refused_by_the_device(self):
        """Others are used; a new request, or ten seconds, and that one is."""
        self.device.fault("plug error")
        self.device.request(BB)
        self.has(1)
        self.device.request(2 * BB)
        self.has(0, 1)
        self.resize(0)

    def test_refused_by_the_device_without_others(self):
        """It is asked for again, but no sooner than after ten seconds."""
        # The usable region follows each request.
        self.device.fault("plug error usable=128M")
        self.device.request(BB)
        self.has(0)
        first, *more = self.asked("PLUG")
        self.assertEqual(len(more), 1)
        self.assertGreater(more[0] - first, 9.5)
        self.assertLess(more[0] - first, 20 * self.vm.slow)
        self.resize(0)

    def test_refused_by_linux(self):
        """It goes back at once, others are used, and no request brings it back."""
        self.fault.order(f"{ADD} ret=-17 times=1")
        self.device.request(2 * BB)
        self.has(1, 2)
        self.device.request(3 * BB)
        self.has(1, 2, 3)
        self.assertEqual((len(self.asked("PLUG")), len(self.asked("UNPLUG"))), (1, 1))
        row = self.guest.blocks()[0]
        self.assertEqual((row[0], row[3], row[6]), (ADDR, "UNUSED", "add-failed"))
        self.fault.clear()
        self.reload()
        self.device.request(4 * BB)
        self.has(0, 1, 2, 3)
        self.resize(0)


class Always(After):
    """Everything is refused, in a region of more big blocks than are tried."""

    size = 8 * GIB
    options = {"append": f"memmap={size >> 30}G${ADDR:#x} init_on_alloc=0",
               "options": ("-m", f"{(size >> 30) + 2}G")}
    mock_args = f"{MockCase.mock_args} size={size}"
    test_refused_by_the_device = test_refused_by_the_device_without_others = None
    test_refused_by_linux = None

    def region(self, index=0):
        return ADDR, ADDR + self.size

    def test_always_refused_by_linux(self):
        """So many are tried once each; then growing waits, and says why."""
        self.fault.order(f"{ADD} ret=-17")
        self.device.request(self.size)
        self.vm.wait(lambda: self.fault.points()[0][0] >= 32, "given up", 40)
        self.wait_state("waiting")
        self.assertIn("Linux refuses to add", self.guest.attr("last_error"))
        self.assertEqual(self.device.size(), 0)
        tries = self.fault.points()[0][0]
        self.assertEqual(tries, 32)
        # After the first refusal no more than a pass may try are plugged at a time.
        blocks = [int(words[4]) for words in self.device.log("PLUG")]
        self.assertLessEqual(max(blocks[1:]), 8, blocks)
        # Passes begin as ever, and none of them tries one of the others.
        self.guest.run("sleep 10")
        self.assertEqual(self.fault.points()[0][0], tries)
        self.fault.clear()
        self.reload()
        self.resize(BB)
        self.resize(0)
