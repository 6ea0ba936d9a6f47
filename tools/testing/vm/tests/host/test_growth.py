# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that lacks memory for the memmap grows as far as it can, and lives."""

import re
import time

from vm.cases.case import GIB, GuestCase


class Growth(GuestCase):
    """512 MiB, asked to grow by 64 GiB, whose memmap takes 1 GiB."""

    config = "huge"
    allow = ("pieces",)

    def test_grows_as_far_as_it_fits(self):
        """It stops before Linux fails half-way, says why, and shrinks back."""
        before = self.vm.trace().count("unplug_request")
        self.vm.qmp.request("vm0", 64 * GIB)
        self.wait_state("waiting", 60)
        # Long enough for several tries.
        time.sleep(5)
        self.assertEqual(self.vm.scan(self.allow), [])
        error = self.guest.attr("last_error")
        self.assertRegex(error, "can be had|lacks free memory")
        # It has used what there was: the next big block lacks less than half of its share.
        found = re.search(r"takes (\d+) KiB .* only (\d+) can", error)
        if found:
            self.assertGreater(int(found[2]), int(found[1]) / 2, error)
        # What can't be added is not plugged; others may take what it has counted on.
        self.assertLess(self.vm.trace().count("unplug_request") - before, 3)
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
