# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices on NUMA nodes of their own, one of which has nothing else."""

from vm.cases.case import GIB, MIB, PAGE, GuestCase


class TwoNodes(GuestCase):
    """Each has a big block of its own and must not disturb the other."""

    config = "two-nodes"
    devices = ("vm0", "vm1", "vm2")
    # The third node has neither memory nor CPU.
    options = {"options": (
        "-numa", "node,nodeid=2", "-object", "memory-backend-ram,id=vmem2,size=4G,reserve=off",
        "-device", "virtio-mem-pci,id=vm2,memdev=vmem2,node=2,block-size=256M")}

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

    def test_node_without_other_memory(self):
        """It is online while the device gives it memory; that can be used, by policy, too."""
        nodes = "/sys/devices/system/node"
        self.assertNotIn("2", self.guest.read(f"{nodes}/has_memory"))
        for size in (GIB, 256 * MIB):
            self.resize(size, index=2)
            self.assert_size(size, 2)
            self.assertEqual(self.managed(2), size)
        self.assertEqual(self.guest.read(f"{nodes}/has_memory"), "0-2")
        # Another node's resize does not get in the way.
        self.resize(512 * MIB, index=1)
        self.assertEqual((self.managed(1), self.managed(2)), (512 * MIB, 256 * MIB))
        self.resize(0, index=2)
        self.assertEqual(self.managed(2), 0)
        self.assertEqual(self.guest.read(f"{nodes}/has_memory"), "0-1")
        self.resize(256 * MIB, index=2)
        self.assertEqual(self.managed(2), 256 * MIB)
        self.resize(0, index=1)
        self.resize(0, index=2)
