# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory blocks that begin with their own memmaps: who may do what with them, and when."""

from vm.cases.case import GIB, MIB, POOL
from vm.cases.mock_case import MockCase
from vm.device.mock import ADDR, OPTIONS
from vm.harness.guest import Pattern
from vm.harness.kernels import words

BB = 128 * MIB
MEMORY = "/sys/devices/system/memory"
PARAMETER = "/sys/module/virtio_mem/parameters/memmap_on_memory"


def large():
    """Whether the kernel can do it with big blocks of several memory blocks."""
    return "large-hosted" not in words(POOL.series, "lacks")


class Hosted(MockCase):
    """memory_hotplug.memmap_on_memory=1, big blocks of one memory block."""

    options = {"append": f"{OPTIONS['append']} memory_hotplug.memmap_on_memory=1"}
    hosts = True

    def state_of(self, index):
        """The file that on- and offlines a memory block."""
        return f"{MEMORY}/memory{ADDR // BB + index}/state"

    def again(self, args=""):
        """Unload, load with parameters, wait until it has met the request."""
        self.guest.ok("rmmod virtio_mem; dmesg -c >/dev/null")
        self.load(args=args)
        self.wait_state("idle", 20)
        return self.guest.dmesg()

    def test_user_space_offlines_and_onlines(self):
        """In any order; the sums are right, and what is offline goes first."""
        self.resize(4 * BB)
        for index in (2, 0):
            self.guest.ok(f"echo offline >{self.state_of(index)}")
        self.compare(self.mock.look(), [(ADDR, ADDR + BB), (ADDR + 2 * BB, ADDR + 3 * BB)])
        self.guest.ok(f"echo online_movable >{self.state_of(0)}")
        self.compare(self.mock.look(), [(ADDR + 2 * BB, ADDR + 3 * BB)])
        self.resize(3 * BB)
        self.assertEqual(self.device.plugged(), [(ADDR, ADDR + 2 * BB),
                                                 (ADDR + 3 * BB, ADDR + 4 * BB)])
        self.resize(0)
        self.assert_zones(0)

    def test_growing_waits_for_whole_memory_blocks(self):
        """Memmaps are not offline memory: all that is onlined lets it go on."""
        policy = f"{MEMORY}/auto_online_blocks"
        self.guest.ok(f"echo offline >{policy}")
        self.at_end(f"echo online_movable >{policy}")
        self.device.request(2 * GIB)
        for done in range(GIB // BB):
            want = GIB + done * BB
            self.seen(0, lambda d, n=want: d.size == n == d.added and d.state == "waiting",
                      f"{want >> 20} MiB, waiting")
            self.guest.ok(f"echo online_movable >{self.state_of(done)}")
        self.settled(2 * GIB)
        for index in range(GIB // BB, 2 * GIB // BB):
            self.guest.ok(f"echo online_movable >{self.state_of(index)}")
        self.reached(2 * GIB)
        self.resize(0)

    def test_next_load_takes_it_over(self):
        """It finds out which memory blocks hold their memmaps; data stays, all goes."""
        self.resize(4 * BB)
        pattern = Pattern(self.guest, 100 * MIB)
        self.again()
        self.compare(self.mock.look())
        self.resize(2 * BB)
        self.assertEqual(pattern.check(), f"OK {100 * MIB // 4096}")
        self.guest.kill(pattern.pid)
        self.resize(0)
        self.assert_zones(0)

    def test_next_load_with_larger_big_blocks(self):
        """Several such memory blocks go at once, where the kernel can do that."""
        self.resize(4 * BB)
        log = self.again(f"bbm_block_size={2 * BB:#x}")
        if not large():
            self.assertEqual(log.count("needs a smaller bbm_block_size"), 2, log)
            self.again()
        self.resize(0)
        self.assert_zones(0)

    def test_parameter_forbids_it(self):
        """N: the next add takes the memmap from the guest; both kinds come and go."""
        self.assertEqual(self.guest.read(PARAMETER), "Y")
        self.resize(BB)
        self.guest.ok(f"echo N >{PARAMETER}")
        self.mock.request({0: 2 * BB})
        self.settled(2 * BB)
        self.assertEqual(self.guest.mem_total() - self.base, self.usable(BB) + BB)
        # Linux could not remove the two at once.
        log = self.again(f"bbm_block_size={2 * BB:#x}")
        self.assertEqual(log.count("needs a smaller bbm_block_size"), 1, log)
        self.assertEqual(self.guest.mem_total() - self.base, self.usable(BB) + BB)
        self.again()
        self.resize(0)
        self.assert_zones(0)


class Large(MockCase):
    """Big blocks of four memory blocks: hosted but by a kernel that can't."""

    options = Hosted.options

    def load(self, mod="ours", args=""):
        super().load(mod, args or f"bbm_block_size={4 * BB:#x}")

    def setUp(self):
        self.hosts = large()
        super().setUp()

    def test_grows_and_shrinks_in_use(self):
        """Data is moved out of each of the memory blocks; all is added and goes."""
        self.resize(16 * BB)
        patterns = [Pattern(self.guest, 200 * MIB, seed) for seed in (1, 2)]
        self.guest.kill(patterns[0].pid)
        self.resize(4 * BB)
        self.assertEqual(patterns[1].check(), f"OK {200 * MIB // 4096}")
        self.resize(16 * BB)
        self.guest.kill(patterns[1].pid)
        self.resize(0)
        self.assert_zones(0)


class Kernel(MockCase):
    """The kernel's zones, where a page that can't move forbids isolation."""

    options = Hosted.options
    hosts = True
    stays = True

    def test_grows_and_shrinks(self):
        """No memmap counts as a page that can't move; the sums are right all the time."""
        policy = f"{MEMORY}/auto_online_blocks"
        self.guest.ok(f"echo online_kernel >{policy}")
        self.at_end(f"echo online_movable >{policy}")
        self.resize(4 * BB)
        out = self.guest.ok("cat /sys/kernel/debug/virtio_mem/*/details")
        stuck = [int(line.split()[8]) for line in out.splitlines()]
        self.assertEqual(len(stuck), 4, out)
        self.assertTrue([n for n in stuck if n < 512], out)
        self.device.request(0)
        look = self.until(lambda look: look[0].state in ("idle", "waiting"), "settled")
        self.assertLess(look[0].size, 4 * BB)
        self.compare(look)
