# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that somebody holds, kind by kind: whether its big block goes, and when.

What can't be had here is said in docs/operators.md, "Kinds of pages".  Kinds that come
with a state of the whole guest (cache, swap, KSM, balloon) are in test_states.py.
"""

import time

from vm.cases.case import MIB, GuestCase

SIZE = 512 * MIB


class Kinds(GuestCase):
    """In ZONE_MOVABLE, where the guest keeps what it can."""

    config = "bb-128m"
    options = {"append": "init_on_alloc=0 secretmem.enable=1"}

    # How it is held, MiB: whether Linux moves it out of the way, or never puts it there.
    GOES = {"lock": 64,       # mlock() is about swapping
            "thp": 64,        # transparent huge pages: as they are, or split
            "memfd": 64,      # tmpfs
            "hugetlb": 64,    # a pool with nothing left: another page is made first
            "uring": 64,      # long pins, as VFIO's and RDMA's: moved when they are pinned
            "tables": 16,     # page tables: of the kernel's zones
            "secret": 1}      # memfd_secret(): the same; each page costs a flush of all TLBs

    def hold(self, how, mib):
        """Have memory held; the process that does."""
        pid = self.guest.spawn(f"hold {how} {mib}", f"/tmp/hold-{how}")
        self.at_end(f"kill -9 {pid}")
        self.guest.wait_line(f"/tmp/hold-{how}", "READY")
        return pid

    def test_what_moves_goes_while_it_is_held(self):
        """All of it can be unplugged, in seconds."""
        self.at_end("echo 0 >/proc/sys/vm/nr_hugepages")
        for how, mib in self.GOES.items():
            self.at = how
            self.resize(SIZE)
            self.guest.ok(f"echo {mib // 2 if how == 'hugetlb' else 0} >/proc/sys/vm/nr_hugepages")
            pid = self.hold(how, mib)
            begin = time.monotonic()
            self.resize(0)
            took = time.monotonic() - begin
            print(f"# {self.id()}: {how}: {took:.1f} s", flush=True)
            self.assertLess(took, 10 * self.vm.slow)
            self.assert_size(0)
            self.guest.ok(f"kill -0 {pid}")
            self.guest.kill(pid)

    def test_short_pins_stay_until_they_end(self):
        """vmsplice(), as O_DIRECT: some of it stays, and says why, for as long as they last."""
        self.resize(SIZE)
        pid = self.hold("splice", 16)
        self.vm.qmp.request("vm0", 0)
        self.wait_state("waiting", 60)
        self.assertIn(self.vm.qmp.size("vm0") // MIB, (128, 256))
        self.assertRegex(self.guest.attr("last_error"), "held by something|pinned")
        begin = time.monotonic()
        self.guest.kill(pid)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "released", 20)
        print(f"# {self.id()}: {time.monotonic() - begin:.1f} s after it was released", flush=True)
        self.wait_state("idle")
        self.assert_size(0)
