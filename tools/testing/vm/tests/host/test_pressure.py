# SPDX-License-Identifier: GPL-2.0-or-later
"""An unplug that does not fit waits, by one number; it never brings the OOM killer."""

import time

from vm.cases.case import GIB, MIB, GuestCase


class Pressure(GuestCase):
    """512 MiB + 1 GiB, of which 800 MiB are locked."""

    config = "small"

    def test_shrinking_waits_rather_than_kills(self):
        """The request for 0 waits, says why, and is met after the release."""
        self.resize(GIB)
        holder = self.guest.spawn(f"memtool lock {800 * MIB}", "/tmp/lock")
        self.at_end(f"kill -9 {holder}")
        self.guest.wait_line("/tmp/lock", "READY", 120)
        # Somebody who needs a little memory all the time: if the driver takes
        # the last of it, this is who meets the OOM killer.
        churn = self.guest.spawn(
            "sh -c 'while dd if=/dev/zero of=/tmp/c bs=1M count=16 2>/dev/null; "
            "do rm /tmp/c; done'", "/tmp/churn")
        self.at_end(f"kill -9 {churn}; rm -f /tmp/c")
        self.vm.qmp.request("vm0", 0)
        self.wait_state("waiting", 90)
        # Long enough for several attempts.
        end = time.monotonic() + 15
        while time.monotonic() < end:
            self.assertEqual(self.guest.run(f"kill -0 {holder} && kill -0 {churn}")[0],
                             0, "a process died")
            self.assertEqual(self.vm.scan(), [])
            time.sleep(1)
        left = self.vm.qmp.size("vm0")
        self.assertGreater(left, 0)
        self.assertEqual(self.guest.mem_total() - self.base, left)
        self.assertRegex(self.guest.attr("last_error"), "must stay .unplug_reserve_mib.")
        self.guest.kill(churn)
        self.guest.run("rm -f /tmp/c")
        self.guest.kill(holder)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk after release", 90)
        self.wait_state("idle")
        self.assert_size(0)


class Guard(GuestCase):
    """How much must stay is the administrator's word, if he has one."""

    config = "small"

    def test_reserve_is_left(self):
        """More than there is: nothing goes; 0: no matter what is left."""
        reserve = "/sys/module/virtio_mem/parameters/unplug_reserve_mib"
        self.assertEqual(self.guest.read(reserve), "-1")
        self.resize(GIB)
        self.assertEqual(self.guest.write(reserve, "100000")[0], 0)
        self.vm.qmp.request("vm0", 0)
        self.wait_state("waiting")
        self.assertRegex(self.guest.attr("last_error"),
                         r"would leave \d+ MiB .* less than the 100000 MiB that must stay")
        self.assert_size(GIB)
        for bad in ("-2", "1048577", "x"):
            self.assertNotEqual(self.guest.write(reserve, bad)[0], 0, bad)
        self.assertEqual(self.guest.write(reserve, "0")[0], 0)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk", 60)
        self.wait_state("idle")
        self.assert_size(0)
