# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine goes down while memory comes or goes.

Newer kernels then break and reset each virtio device under its driver, older ones
leave it alone: in both the guest must be down at once, and whoever boots next must get
along with what is plugged.
"""

import pathlib
import re
import tempfile
import unittest

from vm.cases.case import GIB, MIB, PAGE, POOL
from vm.harness import initramfs
from vm.harness.vm import VM, our_module

ASKED = {GIB * 2: "plug_request", 0: "unplug_request"}


def boot_files(kernel):
    """The kernel once more, for kexec, with an initramfs that loads the driver."""
    with tempfile.TemporaryDirectory() as scratch:
        image = initramfs.build(kernel, pathlib.Path(scratch, "initrd"), our_module())
        return {"boot/vmlinuz": (0o644, kernel.image.read_bytes()),
                "boot/initrd": (0o644, image.read_bytes())}


class Shutdown(unittest.TestCase):
    """Each test has a guest of its own, whose init loads the driver."""

    config = "shutdown"    # a group of its own: it shares no guest

    def boot(self, **more):
        """A guest with 1 GiB plugged."""
        POOL.drop()
        # pylint: disable-next=attribute-defined-outside-init
        self.vm = VM("bb-256m", POOL.series, **more)
        self.addCleanup(self.vm.stop)
        self.vm.resize(GIB)

    def under_way(self, size):
        """Request a size, and wait until the driver has begun."""
        seen = len(self.vm.trace())
        self.vm.qmp.request("vm0", size)
        self.vm.wait(lambda: re.search(rf"virtio_mem_{ASKED[size]}", self.vm.trace()[seen:]),
                     "a request", 20, 0.02)

    def there(self):
        """Bytes of the device's memory that the guest uses, if it says so consistently."""
        added = sum(end - start for start, end in self.vm.guest.added())
        managed = self.vm.guest.zones().get((0, "Movable"), {"managed": 0})["managed"]
        return added if added == managed * PAGE else None

    def back(self, size):
        """The guest is up again, reaches the size, and then another."""
        vm = self.vm
        vm.guest.wait_ready(120)
        vm.wait(lambda: self.there() == size and vm.qmp.size("vm0") == size, "met", 90)
        vm.resize(256 * MIB)
        vm.wait(lambda: self.there() == 256 * MIB, "met again", 30)

    def test_poweroff_while_growing(self):
        """QEMU ends within seconds."""
        self.boot()
        self.under_way(2 * GIB)
        self.vm.guest.leave("poweroff -f")
        self.vm.ends(20)

    def test_reboot_while_shrinking(self):
        """The guest comes back, and has nothing that it was not asked to have."""
        self.boot(reboots=True)
        self.under_way(0)
        self.vm.guest.leave("reboot -f")
        self.back(0)

    def test_kexec_while_growing(self):
        """The next kernel finds memory plugged that it does not know of."""
        self.boot(files=boot_files)
        if self.vm.guest.run("[ -e /sys/kernel/kexec_loaded ]")[0]:
            self.skipTest("a kernel without kexec")
        self.vm.guest.ok("kexec load /boot/vmlinuz /boot/initrd \"$(cat /proc/cmdline)\"", 60)
        self.under_way(2 * GIB)
        self.vm.guest.leave("kexec go")
        self.back(2 * GIB)
