# SPDX-License-Identifier: GPL-2.0-or-later
"""More big blocks than a table begins with."""

from vm.cases.case import GIB, MIB, GuestCase

BB = 128 * MIB
BLOCKS = 640 * GIB // BB


class Large(GuestCase):
    """640 GiB on paper, of which next to nothing is ever there."""

    config = "large"
    options = {"online": "offline"}

    def test_memory_is_taken_over_from_a_large_device(self):
        """All big blocks that can be used are asked about, and counted."""
        # Only 1 GiB is added ahead of what is onlined; but all that is requested can
        # be used from now on.
        self.vm.qmp.request("vm0", 600 * GIB)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == GIB, "plugged", 40)
        for _ in range(2):
            self.wait_state("waiting")
            attrs = self.guest.attrs()
            self.assertEqual(int(attrs["blocks_added"]), GIB // BB)
            self.assertEqual(int(attrs["blocks_unused"]), BLOCKS - GIB // BB)
            self.assert_sums(attrs, self.guest.blocks())
            self.guest.ok("rmmod virtio_mem; dmesg -c >/dev/null")
            self.load()
            self.assertIn("took over 1024 MiB", self.guest.dmesg())
        # The last ones, too: what is asked for is not only what was taken over.
        self.assertGreaterEqual(self.vm.trace().count("state_request"), 2 * 600 * GIB // BB)
        self.resize(0)
        self.assert_size(0)
