# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that a program in the guest has mapped for a device, by VFIO and an IOMMU.

The same long pins are io_uring's, in test_kinds.py; here a device could really write.
"""

import json
import time

from vm.cases.case import MIB, PAGE, POOL, GuestCase
from vm.harness.guest import Pattern
from vm.harness.kernels import TABLE
from vm.states.actor import Actor
from vm.states.machine import files
from vm.tests.vmem import test_tool

ID = "1b36 0005"    # pci-testdev, which no driver of Linux's wants
PINNED = 64


def parts(kernel):
    """VFIO's modules, and vmem."""
    return files(kernel, {"vfio_iommu_type1": (), "vfio_pci": ()}) | test_tool.files(kernel)


class Vfio(GuestCase):
    """A device behind an IOMMU, handed to user space."""

    config = "bb-128m"
    options = {"files": parts, "append": "intel_iommu=on init_on_alloc=0",
               "options": ("-device", "intel-iommu", "-device", "pci-testdev")}

    def setUp(self):
        if "debug" in TABLE[POOL.series]:
            self.skipTest("a debug kernel has no VFIO")
        super().setUp()
        actor = Actor(self.vm)
        for module in ("vfio_iommu_type1", "vfio_pci"):
            actor.insmod(module)
        self.guest.run(f"echo {ID} >/sys/bus/pci/drivers/vfio-pci/new_id")
        self.group = self.guest.ok("ls -d /dev/vfio/[0-9]*").strip()

    def map(self):
        """A process whose memory the device may write to."""
        pid = self.guest.spawn(f"hold vfio {PINNED} {self.group}", "/tmp/vfio")
        self.at_end(f"kill -9 {pid}")
        self.guest.wait_line("/tmp/vfio", "READY")
        return pid

    def test_movable_memory_goes_while_it_is_mapped(self):
        """Linux has moved what is mapped out of ZONE_MOVABLE."""
        self.resize(512 * MIB)
        pattern = Pattern(self.guest, 64 * MIB)
        self.at_end(f"kill -9 {pattern.pid}")
        pid = self.map()
        begin = time.monotonic()
        self.resize(0)
        print(f"# {self.id()}: {time.monotonic() - begin:.1f} s", flush=True)
        self.assert_size(0)
        self.guest.ok(f"kill -0 {pid}")
        self.assertTrue(pattern.check().startswith("OK"))

    def test_kernel_zone_stays_and_says_of_what(self):
        """There it stays where it is, beside the kernel's own pages; vmem knows whose it is."""
        self.addCleanup(POOL.drop)      # the kernel's pages stay
        self.guest.ok("echo online_kernel >/sys/devices/system/memory/auto_online_blocks")
        self.resize(512 * MIB)
        pid = self.map()
        self.vm.qmp.request("vm0", 0)
        self.wait_state("waiting", 60)
        found = self.guest.attr("last_error")
        pinned = PINNED * MIB // PAGE
        self.assertRegex(found, "unmovable kernel pages are in the way: [0-9]+ pages,")
        # A big block may begin with fewer of them; all of them are somewhere.
        self.assertRegex(found, " and [0-9]+ that are pinned")
        stuck = [int(line.split()[8]) for line in
                 self.guest.ok("cat /sys/kernel/debug/virtio_mem/*/details").splitlines()]
        self.assertGreaterEqual(sum(stuck), pinned)
        why = json.loads(self.guest.ok("vmem --json why", 120))["devices"][0]
        held = sum(h["kinds"].get("pinned", 0) for h in why["holders"]
                   if pid in [p["pid"] for p in h["processes"]])
        self.assertEqual(held, PINNED * MIB, why)
        self.guest.kill(pid)
