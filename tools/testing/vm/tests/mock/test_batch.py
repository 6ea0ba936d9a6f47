# SPDX-License-Identifier: GPL-2.0-or-later
"""Big blocks that cost nothing leave one by one, and are unplugged together."""

from vm.cases.case import MIB, merge
from vm.cases.mock_case import MockCase
from vm.device.mock import DIR, VIRTIO

BB = 128 * MIB
NR = 16
# No process a turn: what is waited for lasts some 100 ms only.
WAITING = (f"f=$(ls {VIRTIO}/*/virtio_mem/blocks_plugged); n=0; "
           "while [ $n -lt 2 ]; do read n <$f; done")


class Batch(MockCase):
    """A guest with free memory is asked for it."""

    def setUp(self):
        super().setUp()
        if self.vm.slow > 1:
            self.skipTest("one big block takes longer here than any waits")
        self.resize(NR * BB)

    def requests(self):
        """[(request, big blocks)] since the last look."""
        lines = self.device.log()
        self.device.order("log", "clear")
        return [(words[2], int(words[4])) for words in lines]

    def test_free_blocks_leave_in_few_requests(self):
        """Fewer requests than big blocks; each of them is named once."""
        self.requests()
        self.resize(0)
        done = self.requests()
        self.assertEqual({request for request, _ in done}, {"UNPLUG"})
        self.assertEqual(sum(blocks for _, blocks in done), NR)
        self.assertLessEqual(len(done), NR // 2, done)

    def test_waiting_blocks_are_added_again(self):
        """Big blocks that wait are added again, not unplugged and plugged."""
        for _ in range(3):
            self.requests()
            self.guest.ok(f"cd {DIR}/0; echo 0 >requested; {WAITING}; "
                          f"echo {NR * BB} >requested")
            self.reached(NR * BB)
            done = self.requests()
            if not done:
                return
        self.fail(f"requests in each of three tries: {done}")

    def test_unloading_gives_waiting_blocks_back(self):
        """Big blocks that wait go back to the device first."""
        self.guest.ok(f"cd {DIR}/0; echo 0 >requested; {WAITING}; rmmod virtio_mem")
        left = self.device.plugged()
        self.assertEqual(merge(left), merge(self.guest.added()))
        self.assertNotEqual(left, [])
        self.load()
        self.reached(0)
