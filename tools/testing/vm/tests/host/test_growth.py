# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that lacks memory for the memmap grows as far as it can, and lives."""

import time

from vm.cases.case import GIB, GuestCase


class Growth(GuestCase):
    """512 MiB, asked to grow by 64 GiB, whose memmap takes 1 GiB."""

    config = "huge"
    allow = ("pieces",)

    def test_grows_as_far_as_it_fits(self):
        """It stops before Linux fails half-way, says why, and shrinks back."""
        self.vm.qmp.request("vm0", 64 * GIB)
        self.wait_state("waiting", 60)
        # Long enough for several tries.
        time.sleep(5)
        self.assertEqual(self.vm.scan(self.allow), [])
        self.assertRegex(self.guest.attr("last_error"), "can be had|lacks free memory")
        left = self.vm.qmp.size("vm0")
        # KASAN takes eight times as much for its shadow, and more for itself.
        self.assertGreater(left, (1 if self.vm.kernel.debug else 4) * GIB)
        self.assertLess(left, 32 * GIB)
        # It goes on a little whenever something is freed: hold it there.
        self.resize(left)
        self.assert_size(left)
        self.resize(0)
        self.assert_size(0)
        self.assert_zones(0)
