# SPDX-License-Identifier: GPL-2.0-or-later
"""A process's data survives resizes below it."""

from vm.cases.case import MIB, GuestCase
from vm.harness.guest import Pattern

# Both directions; small enough at times that much must migrate.
SIZES = [m * MIB for m in (1536, 512, 1024, 256, 1280, 768, 1024, 512, 1536, 256)]


class Safe(GuestCase):
    """With the blocks' pages claimed first."""

    mod_args = "bbm_safe_unplug=1"

    def test_pattern_survives(self):
        """Every byte of 384 MiB is verified after each of ten resizes."""
        # A page fault takes ms on a debug kernel that is emulated.
        size = (48 if self.vm.kernel.debug else 384) * MIB
        self.resize(1024 * MIB)
        pattern = Pattern(self.guest, size, seed=7)
        self.at_end(f"kill -9 {pattern.pid}")
        pages = size // 4096
        low, high = self.region()
        # The point of the test: most of it in memory that comes and goes.
        self.assertGreater(pattern.pages_in(low, high), pages // 2)
        for goal in SIZES:
            self.at = f"size {goal}"
            self.resize(goal, timeout=120)
            self.assertEqual(pattern.check(), f"OK {pages}")
            self.assert_size(goal)


class Unsafe(Safe):
    """Straight to the core's offlining."""

    mod_args = "bbm_safe_unplug=0"
