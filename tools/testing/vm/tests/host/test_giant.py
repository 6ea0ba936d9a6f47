# SPDX-License-Identifier: GPL-2.0-or-later
"""A small guest grows by many times its size, because added memory holds its own memmap."""

import time

from vm.cases.case import GIB, GuestCase

HOSTS = {"append": "memory_hotplug.memmap_on_memory=1"}


class Giant(GuestCase):
    """512 MiB, which grow by 64 GiB, whose memmap takes 1 GiB."""

    config = "huge"
    options = HOSTS
    hosts = True

    def test_grows_by_64_gib_and_shrinks_back(self):
        """All of it is added and usable; then all goes, and nothing is missing."""
        free = self.guest.meminfo()["MemFree"]
        begin = time.monotonic()
        self.resize(64 * GIB, timeout=300)
        up = time.monotonic() - begin
        self.assert_size(64 * GIB)
        self.assert_zones(64 * GIB)
        grown = self.guest.meminfo()
        cost = free + self.usable(64 * GIB) - grown["MemFree"]
        print(f"# +64 GiB in {up:.1f} s, {up / 512 * 1000:.1f} ms and "
              f"{cost / 512 / 1024:.1f} KiB of other memory a memory block", flush=True)
        begin = time.monotonic()
        self.resize(0, timeout=300)
        print(f"# -64 GiB in {time.monotonic() - begin:.1f} s", flush=True)
        self.assert_size(0)
        self.assert_zones(0)
