# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that come and go while the guest runs, and many of them."""

from vm.cases.case import GIB, MIB, PAGE, POOL, GuestCase, total
from vm.harness.guest import Pattern

PORT = ("-device", "pcie-root-port,id=port0,slot=1")
BUS = "/sys/bus/pci"
BLOCK = 128 * MIB     # Linux's memory block


class Comes(GuestCase):
    """A second device is added at run time."""

    options = {"options": PORT}

    def test_device_added_at_run_time(self):
        """It is used as the first one is, and that one goes on."""
        self.addCleanup(POOL.drop)      # there is no way back with this QEMU
        self.resize(512 * MIB)
        self.vm.qmp.cmd("object-add", id="more", size=2 * GIB, reserve=False,
                        **{"qom-type": "memory-backend-ram"})
        self.vm.qmp.cmd("device_add", driver="virtio-mem-pci", id="vm1", memdev="more",
                        bus="port0", **{"block-size": 128 * MIB, "requested-size": GIB})
        self.devices = ("vm0", "vm1")
        self.bound()
        self.vm.wait(lambda: self.vm.qmp.size("vm1") == GIB, "grown", 60)
        for index in (0, 1):
            self.wait_state("idle", index=index)
        self.assert_size(512 * MIB, 0, others=GIB)
        self.assert_size(GIB, 1, others=512 * MIB)
        self.resize(0, index=1)
        self.resize(256 * MIB, index=0)
        self.assert_size(0, 1, others=256 * MIB)


class Odd(GuestCase):
    """QEMU has put it where no big block begins."""

    config = "odd"

    def test_all_between_the_ends_is_used(self):
        """One line for each end; who wants these, too, gets the rest, and the reason."""
        device = self.vm.qmp.memory_device("vm0")
        start, end = device["memaddr"], device["memaddr"] + device["max-size"]
        low, high = -(-start // BLOCK) * BLOCK, end // BLOCK * BLOCK
        log = self.guest.dmesg()
        for first, last in ((start, low), (high, end)):
            self.assertEqual(log.count(f"{first:#x}-{last - 1:#x} can't be used"), 1, log)
        self.resize(GIB)
        pattern = Pattern(self.guest, 256 * MIB)
        self.at_end(f"kill -9 {pattern.pid}")
        self.vm.qmp.request("vm0", end - start)
        self.wait_state("waiting", 60)
        self.assertIn("no big block is left", self.guest.dmesg())
        self.assert_size(high - low)
        self.assertEqual((self.guest.added()[0][0], self.guest.added()[-1][1]), (low, high))
        self.resize(512 * MIB)
        self.assert_size(512 * MIB)
        self.assertTrue(pattern.check().startswith("OK"))
        self.guest.kill(pattern.pid)
        self.resize(0)
        self.assert_size(0)


class Removed(GuestCase):
    """The PCI function is removed, and found again."""

    def function(self):
        """Its address."""
        return self.guest.ok("basename $(dirname $(readlink -f $(dirname "
                             "/sys/bus/virtio/devices/*/virtio_mem)))")

    def remove(self, function):
        """Nothing is left of the device in sysfs."""
        self.guest.ok(f"echo 1 >{BUS}/devices/{function}/remove", 30)
        self.assertNotEqual(self.guest.run("ls -d /sys/bus/virtio/devices/*/virtio_mem")[0], 0)

    def rescan(self):
        """Until the driver has it again."""
        self.guest.ok(f"echo 1 >{BUS}/rescan", 30)
        self.bound()
        self.wait_state("idle")

    def test_remove_and_rescan(self):
        """Memory stays in use meanwhile, with its data; then it can be unplugged."""
        self.resize(GIB)
        pattern = Pattern(self.guest, 256 * MIB)
        self.at_end(f"kill -9 {pattern.pid}")
        for _ in (1, 2):
            function = self.function()
            self.remove(function)
            self.assertEqual(self.guest.mem_total() - self.base, GIB)
            self.rescan()
            self.assert_size(GIB)
        self.resize(0)
        self.assert_size(0)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // PAGE}")
        self.remove(self.function())
        self.rescan()
        self.resize(512 * MIB)
        self.assert_size(512 * MIB)

    def test_removed_in_mid_shrink(self):
        """What is left goes once the device is back."""
        self.resize(4 * GIB)
        function = self.function()
        self.vm.qmp.request("vm0", 0)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") < 4 * GIB, "first block gone", step=0.01)
        self.remove(function)
        self.assertEqual(self.guest.mem_total() - self.base, total(self.guest.added()))
        self.guest.ok(f"echo 1 >{BUS}/rescan", 30)
        self.bound()
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "shrunk", 60)
        self.wait_state("idle")
        self.assert_size(0)


class Sixteen(GuestCase):
    """As many devices."""

    config = "bb-128m"
    devices = tuple(f"vm{i}" for i in range(16))
    options = {"options": tuple(word for i in range(1, 16) for word in (
        "-object", f"memory-backend-ram,id=more{i},size=512M,reserve=off",
        "-device", f"virtio-mem-pci,id=vm{i},memdev=more{i},block-size=2M"))}

    def sizes(self, wanted):
        """Request them all at once; each device and Linux have exactly that in the end."""
        for device, size in zip(self.devices, wanted):
            self.vm.qmp.request(device, size)
        for device, size in zip(self.devices, wanted):
            self.vm.wait(lambda d=device, s=size: self.vm.qmp.size(d) == s,
                         f"{device}: {size}", 90)
        states = "cat /sys/bus/virtio/devices/*/virtio_mem/state | sort | uniq -c"
        self.vm.wait(lambda: self.guest.ok(states).split() == ["16", "idle"], "idle", 30)
        added = self.guest.added()
        self.assertEqual([total(self.in_region(added, i)) for i in range(16)], wanted)
        self.assertEqual(self.guest.mem_total() - self.base, sum(wanted))

    def test_all_of_them_work(self):
        """Each at its own size, at the same time, up and down."""
        self.sizes([(i % 4 + 1) * 128 * MIB for i in range(16)])
        self.sizes([(15 - i) % 4 * 128 * MIB for i in range(16)])
        self.sizes([0] * 16)
