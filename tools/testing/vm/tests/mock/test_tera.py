# SPDX-License-Identifier: GPL-2.0-or-later
"""A region up to 1 TiB, as far as addresses of 40 bits go, of which a part is plugged."""

import time

from vm.cases.case import MIB
from vm.cases.mock_case import MockCase
from vm.device.mock import ADDR, END, SIZE

BB = 128 * MIB
REGION = END - ADDR


class Tera(MockCase):
    """8160 big blocks; there is memory behind the first 32, of which one may be left out."""

    mock_args = f"block_size=2M size={REGION} real={SIZE}"

    def region(self, index=0):
        return ADDR, ADDR + REGION

    def timed(self, size):
        """Reach a size; seconds."""
        begin = time.monotonic()
        self.device.request(size)
        look = self.settled(size, 60)
        took = time.monotonic() - begin
        self.compare(look)
        return took

    def test_grow_and_shrink(self):
        """By 8, 16 and 30 big blocks and back, to the byte; the time goes by these alone."""
        attrs = self.mock.look()[0].attrs
        self.assertEqual(int(attrs["blocks_unused"]), REGION // BB)
        for count in (8, 16, 30):
            up, down = self.timed(count * BB), self.timed(0)
            print(f"# {count} of {REGION // BB} big blocks: +{up:.2f} s, -{down:.2f} s", flush=True)
        self.assert_zones(0)
        self.timed(24 * BB)
        # Loaded again, it takes over what is there.
        self.guest.ok("rmmod virtio_mem; dmesg -c >/dev/null")
        self.load()
        self.reached(24 * BB)
        self.assertIn("took over 3072 MiB", self.guest.dmesg())
        self.resize(BB)
        self.resize(0)
