# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that the kernel's zones won't let go: the cause is told."""

from vm.cases.case import GIB, MIB, GuestCase

GIGANTIC = "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"
MOVABLE = "/proc/sys/vm/movable_gigantic_pages"


class Kernel(GuestCase):
    """memhp_default_state=online: all of it may hold what can't move."""

    options = {"online": "online"}
    stays = True

    def told(self, token):
        """Nothing goes of some big block, and debugfs says why."""
        self.vm.qmp.request("vm0", 0)
        self.wait_state("waiting", 60)
        self.vm.wait(lambda: token in {r[6] for r in self.guest.blocks() if r[3] == "ADDED"},
                     token, 30)
        # Long enough for more tries, some of which fail for other causes.
        seen = self.assert_cause(15)
        print(f"# {self.id()}: last_error and last_cause: {' '.join(sorted(seen))}", flush=True)
        self.assertGreater(self.vm.qmp.size("vm0"), 0)

    def test_kernel_pages_are_told(self):
        """A RAM disk of more than the guest has without the device."""
        if self.guest.run("[ -e /mod/brd.ko ]")[0]:
            self.skipTest("a kernel without RAM disks")
        self.resize(2 * GIB)
        self.guest.ok("insmod /mod/brd.ko rd_nr=1 rd_size=1228800; "
                      "dd if=/dev/zero of=/dev/ram0 bs=1M count=1200; "
                      "echo 3 >/proc/sys/vm/drop_caches", 120)
        self.told("unmovable")
        self.assertIn("requested: unmovable kernel pages are in the way", self.guest.dmesg())


class Gigantic(Kernel):
    """A page as large as a big block."""

    config = "bb-1g"
    test_kernel_pages_are_told = None

    def test_gigantic_page_is_told_and_goes(self):
        """It is in the way as long as it is there."""
        if self.guest.run(f"[ -e {GIGANTIC} ]")[0]:
            self.skipTest("a CPU without pages of 1 GiB")
        # The newest kernels have such pages in ZONE_MOVABLE only then.
        if self.guest.run(f"[ -e {MOVABLE} ]")[0] == 0:
            self.guest.ok(f"echo 1 >{MOVABLE}")
            self.at_end(f"echo 0 >{MOVABLE}")
        self.resize(2 * GIB)
        self.guest.write(GIGANTIC, 1)
        if self.guest.read(GIGANTIC) != "1":
            self.skipTest("no gibibyte is free in one piece")
        self.told("hugetlb")
        left = self.vm.qmp.size("vm0")
        self.guest.write(GIGANTIC, 0)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") < left, "let go", 60)
        self.assertEqual(self.guest.mem_total() - self.base, self.vm.qmp.size("vm0"))
        self.assertLess(self.vm.qmp.size("vm0"), 2048 * MIB)
