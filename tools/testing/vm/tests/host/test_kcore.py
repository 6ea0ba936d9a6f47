# SPDX-License-Identifier: GPL-2.0-or-later
"""/proc/kcore is read without a pause while the guest grows and shrinks."""

import re

from vm.cases.case import MIB, GuestCase


class Kcore(GuestCase):
    """Reads of memory that is being taken away end, and disturb nothing."""

    def read_so_far(self):
        """Bytes of each round."""
        return [int(n) for n in re.findall(r"READ (\d+)", self.guest.read("/tmp/kcore"))]

    def test_read_while_it_comes_and_goes(self):
        """Each size is met; the reader has seen added memory, and lives on."""
        low, high = self.region()
        reader = self.guest.spawn(f"kcore {low} {high}", "/tmp/kcore")
        self.at_end(f"kill -9 {reader}")
        for _ in range(2):
            for size in (1024 * MIB, 256 * MIB, 768 * MIB, 0):
                self.resize(size)
                self.assert_size(size)
        self.resize(512 * MIB)
        # Of a round that has begun by now only the next one is sure to see all.
        rounds = len(self.read_so_far())
        self.vm.wait(lambda: len(self.read_so_far()) > rounds + 2, "two more rounds", 60)
        self.assertIn(512 * MIB, self.read_so_far()[rounds:])
        self.assertGreater(sum(self.read_so_far()[:rounds]), 0)
        self.guest.ok(f"kill -0 {reader}")
        self.guest.kill(reader)
