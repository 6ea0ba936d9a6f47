# SPDX-License-Identifier: GPL-2.0-or-later
"""The device answers BUSY for a while."""

import time

from vm.cases.case import MIB, GuestCase


class Busy(GuestCase):
    """An outgoing migration makes QEMU refuse every request."""

    def migrate(self):
        """Begin a migration that never ends by itself."""
        self.vm.qmp.cmd("migrate-set-parameters", **{"max-bandwidth": 1000000})
        self.vm.qmp.cmd("migrate", uri="exec:cat >/dev/null")
        self.addCleanup(self.vm.qmp.cmd, "migrate_cancel")

    def cancel(self):
        """End it, and wait until QEMU has."""
        self.vm.qmp.cmd("migrate_cancel")
        self.vm.wait(lambda: self.vm.qmp.cmd("query-migrate")["status"] == "cancelled",
                     "migration cancelled", 20)

    def busy_then(self, size, before):
        """Request during a migration; it is met soon after."""
        seen = len(self.responses())
        self.migrate()
        self.vm.qmp.request("vm0", size)
        self.vm.wait(lambda: 2 in self.responses()[seen:], "BUSY", 30)
        time.sleep(3)
        answers = self.responses()[seen:]
        self.assertEqual(set(answers), {2})
        # It asks again, but backs off: that is no polling loop.
        self.assertGreater(len(answers), 1)
        self.assertLess(len(answers), 20)
        self.assertEqual(self.vm.qmp.size("vm0"), before)
        self.cancel()
        begin = time.monotonic()
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == size, "met after BUSY", 30)
        self.assertLess(time.monotonic() - begin, 15)
        self.wait_state("idle")
        self.assert_size(size)

    def test_growing_outlasts_a_busy_device(self):
        """Growing."""
        self.busy_then(512 * MIB, 0)

    def test_shrinking_outlasts_a_busy_device(self):
        """Shrinking: the block that was removed already is not lost."""
        self.resize(768 * MIB)
        self.busy_then(256 * MIB, 768 * MIB)
