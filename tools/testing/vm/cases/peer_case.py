# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by the tests of other people's suites: a line for docs/peers.md, its verdict."""

import os
import re

from vm.cases.case import GuestCase
from vm.harness.guest import GuestError

# make check-peers: every suite in full, with this driver and with the kernel's own.
FULL = bool(os.environ.get("VM_PEERS"))


class PeerCase(GuestCase):
    """Prints what a suite says, and judges it where the driver is ours."""

    suite = ""

    @staticmethod
    def missing():
        """Why this suite can't be had on this machine, None if it can."""
        return None

    def setUp(self):
        why = self.missing()  # pylint: disable=assignment-from-none
        if why:
            self.skipTest(why)
        self.wrong = []
        super().setUp()

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.wrong, [])

    def said(self, test, words, want):
        """A line for the table; with our driver the test fails, in the end, if that
        isn't as wanted."""
        words = " ".join(str(words).split())
        print(f"# peers | {self.vm.kernel.kver} | {self.suite} | {test} | "
              f"{self.mod} | {words}", flush=True)
        if self.mod == "ours" and not re.fullmatch(want, words):
            self.wrong.append(f"{test}: {words!r}, wanted {want!r}")

    def to(self, size, timeout=45, device="vm0"):
        """Request a size; which one is reached, or left after a while."""
        self.vm.qmp.request(device, size)
        try:
            self.vm.wait(lambda: self.vm.qmp.size(device) == size, "met", timeout)
        except GuestError:
            self.vm.alive()
        else:
            if self.mod == "ours":
                self.wait_state("idle", index=self.devices.index(device))
        return self.vm.qmp.size(device)

    def log(self, name, out):
        """Keep a suite's whole output."""
        name = re.sub(r"\W+", "-", f"{self.suite}-{self.mod}-{name}")
        (self.vm.dir / f"{name}.log").write_text(out)

    def numbers(self):
        """The memory blocks of the device's region."""
        return self.guest.memory_blocks(*self.region())
