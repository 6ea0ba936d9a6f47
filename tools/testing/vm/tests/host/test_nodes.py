# SPDX-License-Identifier: GPL-2.0-or-later
"""Two devices on two NUMA nodes."""

from vm.cases.case import GIB, MIB, PAGE, GuestCase


class TwoNodes(GuestCase):
    """Each has a big block of its own and must not disturb the other."""

    config = "two-nodes"
    devices = ("vm0", "vm1")

    def managed(self, node):
        """Bytes in ZONE_MOVABLE of a node."""
        return self.guest.zones().get((node, "Movable"), {"managed": 0})["managed"] * PAGE

    def order(self):
        """Index in sysfs of vm0 and vm1: by the region, not by luck."""
        starts = [self.guest.blocks(i)[0][0] for i in (0, 1)]
        first = starts.index(self.region(0)[0])
        return first, 1 - first

    def test_each_node_gets_its_own(self):
        """Sizes and nodes are right after each of several resizes of either."""
        self.assertEqual(self.order(), (0, 1))
        for one, two in ((512, 0), (512, 640), (1024, 128), (256, 1152), (0, 1152), (0, 0)):
            self.at = f"one {one} two {two}"
            self.vm.qmp.request("vm0", one * MIB)
            self.vm.resize(two * MIB, "vm1")
            self.vm.resize(one * MIB, "vm0")
            self.wait_state("idle", index=0)
            self.wait_state("idle", index=1)
            self.assert_size(one * MIB, 0, others=two * MIB)
            self.assert_size(two * MIB, 1, others=one * MIB)
            self.assertEqual(self.managed(0), one * MIB)
            self.assertEqual(self.managed(1), two * MIB)

    def test_unbinding_one_leaves_the_other(self):
        """One device's driver goes and comes; the other one works on."""
        self.resize(512 * MIB, index=0)
        self.resize(512 * MIB, index=1)
        path = "/sys/bus/virtio/drivers/virtio_mem"
        device = self.guest.ok("basename $(dirname $(ls -d "
                               "/sys/bus/virtio/devices/*/virtio_mem | head -1))")
        self.guest.ok(f"echo {device} >{path}/unbind")
        self.vm.resize(GIB, "vm1")
        self.vm.resize(0, "vm1")
        self.assertEqual(self.vm.qmp.size("vm0"), 512 * MIB)
        self.guest.ok(f"echo {device} >{path}/bind")
        self.resize(0, index=0)
        self.wait_state("idle", index=1)
        self.assert_size(0, 0)
        self.assert_size(0, 1)
