# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices in software: what the configuration space says, and how it changes."""

import re

from vm.cases.case import MIB
from vm.cases.mock_case import MocksCase
from vm.device.mock import DIR

# Senseless configurations, and the driver's words for them.
NONSENSE = {
    "block_size=0": "block size is not a power of two",
    "block_size=3M": "block size is not a power of two",
    "block_size=512": "smaller than a page",
    "block_size=8G": "multiple of the block size",
    f"addr={(4 << 30) + 4096}": "region does not start at a multiple",
    "addr=0xfffffffff0000000": "wraps around",
    "region_size=0xffffffff80000000": "wraps around",
    "region_size=0": "no whole big block|larger than the region",
    "region_size=130M": "region size is not a multiple",
    "usable_region_size=1M": "usable region size is not a multiple",
    "usable_region_size=8G": "usable region is larger",
    "plugged_size=1M": "plugged size is not a multiple",
    "plugged_size=8G": "plugged size is larger",
    "requested_size=1M": "requested size is not a multiple",
}


class Config(MocksCase):
    """Lies from the start, later, in the middle of a request; true changes."""

    def test_nonsense_is_refused_at_probe(self):
        """A device that makes no sense is refused in one line."""
        for lie, why in NONSENSE.items():
            self.at = lie
            self.guest.ok(f"cd {DIR}/0; echo remove >device; dmesg -c >/dev/null; "
                          f"echo {lie} >config; echo add >device")
            lines = [line for line in self.guest.dmesg().splitlines()
                     if "device refused" in line]
            self.assertEqual(len(lines), 1, self.guest.dmesg())
            self.assertRegex(lines[0], why)
            self.assertEqual(self.guest.added(), [])
            self.mock[0].order("config", "truth")
        self.guest.ok(f"cd {DIR}/0; echo remove >device; echo add >device")
        self.bound(8)
        self.resize(256 * MIB)

    def test_later_nonsense_is_ignored(self):
        """The same later on: ignored, and the last good one stays in force."""
        self.resize(256 * MIB)
        lies = list(NONSENSE.items())
        for first in range(0, len(lies), 8):
            some = dict(enumerate(lies[first:first + 8]))
            self.at = str(some)
            self.mock.orders(*((i, "config", lie) for i, (lie, _) in some.items()))
            for i, (lie, why) in some.items():
                if lie.startswith(("region_size", "addr")):
                    why = "ignored"  # moved, too
                seen = self.seen(i, lambda d, w=why: re.search(
                    f"ignored.*({w})|{w}.*", d.error), lie)
                self.assertEqual(int(seen.attrs["plugged_size"]), 256 * MIB)
            self.mock.all("config", "truth")
        self.resize(384 * MIB)
        self.resize(0)

    def test_later_moves_are_ignored(self):
        """A configuration that makes sense, but for another region or another block."""
        self.resize(256 * MIB)
        lies = {"block_size=2M": "block size has changed",
                f"addr={(4 << 30) + (8 << 30)}": "region has moved",
                "region_size=1G": "region has moved"}
        for i, (lie, why) in enumerate(lies.items()):
            self.mock[i].order("config", lie)
            self.seen(i, lambda d, w=why: w in d.error, lie)
        self.mock.all("config", "truth")
        self.resize(384 * MIB)
        self.resize(0)

    # Lies that begin in the middle of a request, which is answered wrongly, too.
    AMID = ("busy block_size=0", "error done block_size=3M", "nack region_size=130M",
            "unknown done addr=0xfffffffff0000000", "short usable_region_size=8G",
            "late=300 plugged_size=8G", "error requested_size=1M", "long node_id=99")

    def test_lies_during_requests_do_no_harm(self):
        """With faults: growing and shrinking are met when the truth is told."""
        for request, size in (("plug", 256 * MIB), ("unplug", 0)):
            self.at = request
            self.mock.orders(*((i, "fault", f"{request} {lie}")
                               for i, lie in enumerate(self.AMID)))
            self.mock.request(dict.fromkeys(range(8), size))
            self.until(lambda look: not any(d.rules or d.pending for d in look.devices),
                       "all have lied")
            self.mock.all("config", "truth")
            self.reached(dict.fromkeys(range(8), size), 40)

    def test_new_sizes_during_a_request_are_met(self):
        """Requested and usable size change while a request is under way."""
        # MiB at first, MiB requested, the fault, MiB at the end.
        cases = ((0, 256, "plug requested=0", 0), (0, 256, "plug requested=384M", 384),
                 (384, 128, "unplug requested=512M late=300", 512),
                 (384, 128, "unplug requested=0 late=300", 0),
                 (128, 384, "plug usable=512M late=300", 384),
                 (0, 384, "plug requested=128M busy", 128),
                 (384, 0, "unplug requested=256M error", 256),
                 (256, 0, "unplug requested=256M done", 256))
        self.resize({i: case[0] * MIB for i, case in enumerate(cases)})
        self.mock.orders(*((i, "fault", case[2]) for i, case in enumerate(cases)))
        self.mock.request({i: case[1] * MIB for i, case in enumerate(cases)})
        self.until(lambda look: not any(d.rules or d.pending for d in look.devices), "done")
        self.reached({i: case[3] * MIB for i, case in enumerate(cases)}, 40)

    def test_smaller_usable_region_is_respected(self):
        """Against the specification; the driver sees it and stays inside."""
        # 0: while growing. 1: while shrinking. 2: while idle; then it shall
        # shrink. 3: the driver is loaded when it is so.
        self.resize({0: 128 * MIB, 1: 384 * MIB, 2: 384 * MIB, 3: 384 * MIB})
        self.mock.orders((0, "fault", "plug usable=256M"), (1, "fault", "unplug usable=128M"),
                         (2, "usable", "128M"))
        self.mock.request({0: 512 * MIB, 1: 0, 2: 0})
        look = self.until(lambda look: all(look[i].state == "waiting" for i in range(3)),
                          "waiting")
        self.assertLessEqual(look[0].size, 256 * MIB)
        # Memory that must not be unplugged stays in Linux.
        seen = self.seen(2, lambda d: d.size == 256 * MIB and d.state == "waiting",
                         "the usable big block is gone")
        self.assertEqual(seen.attrs["blocks_added"], "2")
        self.assertRegex(seen.error, "usable region")
        # The request has to be a new one: the usable region follows it.
        self.mock.orders(*((i, "usable", "512M") for i in range(3)))
        self.reached({0: 512 * MIB, 1: 0, 2: 0}, 40)
        self.guest.ok("rmmod virtio_mem; dmesg -c >/dev/null")
        self.mock[3].order("usable", "128M")
        self.load()
        self.assertIn("outside of the usable region", self.guest.dmesg())
        self.mock[3].order("usable", "512M")
        self.guest.ok("rmmod virtio_mem")
        self.load()
        self.resize({3: 0})

    def test_wrong_plugged_size_is_told_once(self):
        """Told once; what the driver knows is right goes on."""
        self.resize(256 * MIB)
        self.guest.ok("dmesg -c >/dev/null")
        self.mock.all("config", "plugged_size=512M")
        self.until(lambda look: all("bytes are plugged, our table says" in d.error
                                    for d in look.devices), "told")
        for size in (384 * MIB, 128 * MIB):
            self.resize(size)
        self.assertEqual(self.guest.dmesg().count("our table says"), 8)
        self.mock.all("config", "truth")
        self.resize(256 * MIB)
