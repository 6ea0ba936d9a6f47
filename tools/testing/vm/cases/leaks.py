# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask kmemleak for what the tests before left in their guest."""

from vm.cases import case

KMEMLEAK = "/sys/kernel/debug/kmemleak"


class Leaks(case.GuestCase):
    """The last test of those that share a guest, on a kernel with kmemleak."""

    mod = None

    def __init__(self, like):
        """like: a test of those before; it names the machine."""
        super().__init__("check")
        self.config, self.options = like.config, like.options
        self.like, self.group = like, type(like).__module__

    def id(self):
        return f"{self.group}.Leaks.{self.config}"

    def setUp(self):
        if case.POOL.vm is None:
            self.skipTest("the guest ended with its last test")
        # No other: a fresh one has no leaks.
        self.vm, self.guest = case.POOL.vm, case.POOL.vm.guest
        self.unload()
        self.vm.scan()

    def unload(self):
        """As the tests before do it: their devices may be in software."""
        if self.like.stays:
            self.guest.run("rmmod virtio_mem")
            self.guest.ok("[ ! -d /sys/module/virtio_mem ]")
            return
        self.like.vm, self.like.guest = self.vm, self.guest
        self.like.unload()

    def check(self):
        """No object is left that nothing points to, with the driver unloaded."""
        # An object must be 5 s old, and unchanged from one scan to the next.
        self.guest.ok(f"sleep 6; echo scan >{KMEMLEAK}", 300)
        self.guest.ok(f"echo scan >{KMEMLEAK}", 300)
        found = self.guest.ok(f"cat {KMEMLEAK}", 300)
        self.guest.ok(f"echo clear >{KMEMLEAK}")
        if found:
            self.fail(f"{found.count('unreferenced')} objects:\n{found[:8000]}")
