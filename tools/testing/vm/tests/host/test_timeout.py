# SPDX-License-Identifier: GPL-2.0-or-later
"""The administrator says how long unplugging one big block may take."""

import re

from vm.cases.case import MIB, GuestCase
from vm.harness.guest import Pattern

TIMEOUT = "/sys/module/virtio_mem/parameters/unplug_timeout_ms"
BB = 256 * MIB


class Timeout(GuestCase):
    """The data in use is moved, and pages are taken."""

    what = "(moving what is in use|taking its pages)"

    def test_block_in_use_stays_past_the_deadline(self):
        """A block in use stays for the deadline; with more time it goes."""
        self.assertEqual(self.guest.read(TIMEOUT), str(40000 * self.vm.slow ** 2))
        # Enough that it can't be moved in time; without KVM that is little.
        blocks, size = (1, 128 * MIB) if self.vm.accel == "tcg" else (4, 960 * MIB)
        self.resize(blocks * BB)
        pattern = Pattern(self.guest, size, seed=11)
        self.at_end(f"kill -9 {pattern.pid}")
        self.assertEqual(self.guest.write(TIMEOUT, "100")[0], 0)
        self.vm.qmp.request("vm0", 0)
        self.vm.wait(lambda: re.search(f"{self.what} failed.*longer than allowed",
                                       self.guest.attr("last_error")), "deadline hit", 60)
        self.vm.wait(lambda: "deadline" in {r[6] for r in self.guest.blocks()}, "the reason")
        self.wait_state("waiting")
        self.assertEqual(pattern.check(), f"OK {size // 4096}")
        for bad in ("99", "3600001", "-1", "1s"):
            self.assertNotEqual(self.guest.write(TIMEOUT, bad)[0], 0, bad)
        self.assertEqual(self.guest.read(TIMEOUT), "100")
        self.assertEqual(self.guest.write(TIMEOUT, "3600000")[0], 0)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk", 120)
        self.wait_state("idle")
        self.assert_size(0)
        self.assertEqual(pattern.check(), f"OK {size // 4096}")


class TimeoutUnsafe(Timeout):
    """Blocks are offlined directly."""

    mod_args = "bbm_safe_unplug=0"
    what = "offlining"
