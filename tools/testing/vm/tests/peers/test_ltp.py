# SPDX-License-Identifier: GPL-2.0-or-later
"""The Linux Test Project's tests of memory hotplug, on memory of this driver.

Only in make check-peers; docs/peers.md has what they say in a table.
"""

import re
import unittest

from vm.cases.case import GIB, MIB
from vm.cases.peer_case import FULL, PeerCase
from vm.harness.kernels import words
from vm.tests.peers import ltp


class Ltp(PeerCase):
    """The Linux Test Project, with the nodes that it wants to move pages between."""

    suite = "LTP"
    missing = staticmethod(lambda: ltp.built()[1])
    config = "four-nodes"
    devices = ("vm1", "vm2", "vm3")
    options = {"files": ltp.files}
    sizes = (3 * GIB, 3 * GIB, 5 * GIB)

    def setUp(self):
        super().setUp()
        for device, size in zip(self.devices, self.sizes):
            self.assertEqual(self.to(size, device=device), size)

    def all_back(self, name):
        """Every device gets all of its memory back."""
        left = [self.to(0, device=device) // MIB for device in self.devices]
        self.said(f"{name}, then shrink to 0", f"{sum(left)} MiB left", "0 MiB left")

    def test_memtoy(self):
        """testcases/kernel/hotplug/memory_hotplug: memtoy runs its scripts."""
        self.guest.ok("mkdir -p /var/tmp /tmp/memtoy; cd /tmp/memtoy; "
                      "dd if=/dev/zero of=/var/tmp/kern bs=1M count=16; "
                      "for f in zerofile zerofile-1m; do dd if=/dev/zero of=$f bs=1M count=1; "
                      "done; dd if=/dev/zero of=zerofile-16m bs=1M count=16")
        for name, text in ltp.scripts():
            status, out = self.guest.run(f"cd /tmp/memtoy; /ltp/memtoy </ltp/{name}", 300)
            self.log(name, out)
            failed = re.search("migrate_pages failed.*", out)
            tables = [sorted(set(re.findall(r"[0-9]", " ".join(re.findall(
                r"^ +[0-9a-f]+:((?: +[0-9])+)$", t, re.M)))))
                for t in out.split("page offset")[1:]]
            self.said(name, f"exit {status}; pages on nodes "
                      f"{' then '.join(','.join(t) for t in tables)}"
                      f"{'; ' + failed[0] if failed else ''}", ltp.memtoy_wants(text))
        self.all_back("memtoy")

    def programs(self, names):
        """Run LTP's programs. Those that go on for a given time get a tenth of it."""
        for name in names:
            status, out = self.guest.run(
                "mkdir -p /tmp/t; cd /tmp/t; export TMPDIR=/tmp/t LTP_TIMEOUT_MUL=10 "
                f"LTP_RUNTIME_MUL=0.1 PATH=/ltp:$PATH; /ltp/{name}", 900)
            self.log(name, out)
            counts = [f"{len(n)} {what}" for what in
                      ("PASS", "FAIL", "BROK", "CONF", "WARN")
                      if (n := re.findall(rf"\bT{what}\b", out))]
            self.said(name, f"exit {status} {' '.join(counts)}",
                      ltp.program_wants(name, words(self.vm.kernel.series, "lacks")))

    def test_placement(self):
        """move_pages, migrate_pages, mbind, set_mempolicy, KSM across nodes."""
        self.programs(p.name for p in ltp.programs() if p.name not in ltp.POISON)
        self.all_back("placement")

    def test_poison(self):
        """Single pages taken out of use as if they were faulty."""
        self.programs(ltp.POISON)
        left = [self.to(0, device=device) // MIB for device in self.devices]
        # Safe unplug can't take such a page, so its big block stays, until
        # somebody offlines it: the kernel lets poisoned pages pass there.
        self.said("poison, then shrink to 0", f"{sum(left)} MiB left", "[0-9]+ MiB left")
        for index in range(len(self.devices)):
            for number in self.guest.memory_blocks(*self.region(index)):
                # Fails where the driver is at it just then.
                self.guest.run(f"chmem -d -b {number}-{number}")
        self.all_back("poison, then chmem -d")


class LtpStock(Ltp):
    """With the kernel's own driver."""

    mod = "stock"


def load_tests(_loader, tests, _pattern):
    """unittest asks here what to run."""
    return tests if FULL else unittest.TestSuite()
