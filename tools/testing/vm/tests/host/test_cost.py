# SPDX-License-Identifier: GPL-2.0-or-later
"""The cost of a resize, in figures that no noise of the host can change.

Counted are requests (QEMU's log), and in the guest by kprobes the calls that
isolate, take, add, offline or remove memory. The figures are what the driver
needs today; a change that raises one should say why.
"""

from vm.cases.case import GIB, POOL, GuestCase
from vm.device import probes

BB = GIB // 4
SIZE = 2 * GIB
BBS = SIZE // BB
# Memory blocks of 128 MiB: each is offlined, so isolated, by itself.
BLOCKS = SIZE // (GIB // 8)
GROW = {"add": BBS, "remove": 0, "offline": 0, "isolate": 0, "take": 0,
        "plug_request": SIZE // GIB, "unplug_request": 0, "send_response": SIZE // GIB}
SHRINK = {"add": 0, "remove": BBS, "offline": BLOCKS, "isolate": BLOCKS, "take": 0,
          "plug_request": 0}
# Free big blocks are unplugged together; but none waits for long, so that the
# number depends on the machine's speed.
UNPLUGS = range(1, BBS // 2 + 1)


class Cost(GuestCase):
    """8 big blocks of two memory blocks each.

    They come to a node without CPUs, where nobody has any page.
    """

    config = "four-nodes"
    devices = ("vm1", "vm2", "vm3")

    def setUp(self):
        super().setUp()
        reason = probes.missing(self.guest)
        if reason:
            self.skipTest(reason)
        self.probes = probes.Probes(self.guest, ("add", "remove", "offline", "isolate",
                                                 "take"), ends=False)
        self.addCleanup(lambda: POOL.vm is self.vm and self.probes.remove())

    def count(self, size):
        """Resize; how often each thing happened."""
        seen = len(self.vm.trace())
        self.probes.arm()
        self.resize(size)
        events = self.probes.read()
        trace = self.vm.trace()[seen:]
        return {name: len(probes.calls(events, name)) if name in probes.PROBES
                else trace.count(f"virtio_mem_{name} ") for name in GROW}

    def test_no_request_or_call_too_many(self):
        """Exactly so many requests and calls."""
        self.assertEqual(self.count(SIZE), GROW)
        count = self.count(0)
        unplugs = count.pop("unplug_request")
        self.assertIn(unplugs, UNPLUGS)
        self.assertEqual(count.pop("send_response"), unplugs)
        self.assertEqual(count, SHRINK)
