# SPDX-License-Identifier: GPL-2.0-or-later
"""Load, unload, bind, unbind, suspend, parameters."""

from vm.cases.case import GIB, MIB, GuestCase, total
from vm.harness.guest import Pattern

BIND = "/sys/bus/virtio/drivers/virtio_mem"


class Reload(GuestCase):
    """The driver goes while its memory is in use, and comes again."""

    def in_use(self, size):
        """Grow, and put data into it."""
        self.vm.resize(size)
        self.vm.wait(lambda: self.guest.mem_total() == self.base + size, "online")
        pattern = Pattern(self.guest, 256 * MIB, seed=3)
        self.at_end(f"kill -9 {pattern.pid}")
        low, high = self.region()
        self.assertGreater(pattern.pages_in(low, high), 0)
        return pattern

    def takes_over(self, pattern, size):
        """Nothing changed for the guest; the driver knows its blocks again."""
        self.load()
        self.vm.wait(lambda: self.state() == "idle", "idle after load", 30)
        self.assert_size(size)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")
        self.resize(size // 2)
        self.assert_size(size // 2)
        self.resize(2 * size)
        self.assert_size(2 * size)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")
        self.resize(0)
        self.assert_size(0)
        self.assert_zones(0)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")

    def test_memory_outlives_unloading(self):
        """rmmod leaves memory usable and warns; insmod takes it over."""
        pattern = self.in_use(GIB)
        iomem = self.guest.added()
        self.guest.ok("rmmod virtio_mem")
        self.assertEqual(self.guest.mem_total(), self.base + GIB)
        self.assertEqual(self.guest.added(), iomem)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")
        self.assertEqual(self.vm.qmp.size("vm0"), GIB)
        self.takes_over(pattern, GIB)

    def test_memory_outlives_unbinding(self):
        """The same through sysfs."""
        pattern = self.in_use(512 * MIB)
        device = self.guest.ok("basename $(dirname $(ls -d "
                               "/sys/bus/virtio/devices/*/virtio_mem))")
        self.guest.ok(f"echo {device} >{BIND}/unbind")
        self.assertEqual(self.guest.mem_total(), self.base + 512 * MIB)
        self.assertNotEqual(self.guest.run(
            f"[ -e /sys/bus/virtio/devices/{device}/virtio_mem ]")[0], 0)
        self.guest.ok(f"echo {device} >{BIND}/bind")
        self.vm.wait(lambda: self.state() == "idle", "idle after bind", 30)
        self.assert_size(512 * MIB)
        self.resize(0)
        self.assert_size(0)
        self.assertEqual(pattern.check(), f"OK {256 * MIB // 4096}")

    def test_unloading_ends_growing_at_once(self):
        """rmmod in the middle of a resize comes back at once."""
        # Of 1 GiB: KASAN takes an eighth of what is added from that, and more.
        size = (2 if self.vm.kernel.debug else 8) * GIB
        self.vm.qmp.request("vm0", size)
        self.guest.ok("rmmod virtio_mem", timeout=20)
        # It was in the middle, and began nothing more.
        self.assertLess(total(self.guest.added()), size)
        self.load()
        self.resize(size)
        self.assert_size(size)

    def test_unloading_ends_shrinking_at_once(self):
        """So does rmmod while blocks are being taken."""
        self.resize(2 * GIB)
        self.vm.qmp.request("vm0", 0)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") < 2 * GIB, "begun", step=0.01)
        self.guest.ok("rmmod virtio_mem", timeout=20)
        self.load()
        self.resize(0)
        self.assert_size(0)
        self.assert_zones(0)

    def test_unloading_leaves_nothing(self):
        """With nothing plugged, nothing is left of the driver."""
        clean = self.guest.ok("rmmod virtio_mem; cat /proc/iomem")
        self.load()
        self.resize(512 * MIB)
        self.resize(0)
        self.guest.ok("rmmod virtio_mem")
        self.assertEqual(self.guest.ok("cat /proc/iomem"), clean)


class TakeOver(Reload):
    """Ours takes over memory that the kernel's own driver has left."""

    mod = "stock"
    # Nothing else of Reload makes sense with the other driver.
    test_memory_outlives_unloading = test_memory_outlives_unbinding = None
    test_unloading_leaves_nothing = None
    test_unloading_ends_growing_at_once = test_unloading_ends_shrinking_at_once = None

    def test_stock_drivers_memory_is_taken_over(self):
        """Its memory is whole, ours, and can shrink to nothing."""
        pattern = self.in_use(GIB)
        self.guest.ok("rmmod virtio_mem")
        self.takes_over(pattern, GIB)


class Refused(GuestCase):
    """Impossible requests fail, and the log says why."""

    def test_bad_parameters_keep_the_module_out(self):
        """A bad big block size keeps the module out, with its reason."""
        self.guest.ok("rmmod virtio_mem")
        for bad in ("bbm_block_size=3M", "bbm_block_size=banana",
                    "bbm_safe_unplug=maybe", "unplug_timeout_ms=99",
                    "unplug_timeout_ms=3600001", "unplug_timeout_ms=10s",
                    "unplug_reserve_mib=-2", "unplug_reserve_mib=1g"):
            self.at = f"bad {bad}"
            self.guest.ok("dmesg -c >/dev/null")
            self.assertNotEqual(
                self.guest.run(f"insmod /mod/ours/virtio_mem.ko {bad}")[0], 0)
            self.assertRegex(self.guest.dmesg(), bad.partition("=")[0])
            self.assertNotEqual(self.guest.run("[ -d /sys/module/virtio_mem ]")[0], 0)
