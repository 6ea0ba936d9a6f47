# SPDX-License-Identifier: GPL-2.0-or-later
"""Grow and shrink to the byte, as host and guest see it."""

from vm.cases.case import GIB, MIB, GuestCase


class Resize128M(GuestCase):
    """128 MiB big blocks over 2 MiB device blocks."""

    config = "bb-128m"
    big_block = 128 * MIB
    sizes = (128 * MIB, 1280 * MIB, 640 * MIB, 768 * MIB, 0)

    def test_grow_and_shrink(self):
        """Every size of a sequence is reached exactly, everywhere."""
        self.assertEqual(int(self.guest.attr("big_block_size")), self.big_block)
        for size in self.sizes:
            self.at = f"size {size}"
            self.resize(size)
            self.assert_size(size)
            self.assert_zones(size)
            self.assertEqual(int(self.guest.attr("requested_size")), size)


class Resize256M(Resize128M):
    """256 MiB big blocks: the device's own."""

    config = "bb-256m"
    big_block = 256 * MIB
    sizes = (256 * MIB, 2 * GIB, 768 * MIB, 1 * GIB, 0)


class Resize1G(Resize128M):
    """1 GiB big blocks."""

    config = "bb-1g"
    big_block = GIB
    sizes = (1 * GIB, 3 * GIB, 1 * GIB, 2 * GIB, 0)


class Parameter(GuestCase):
    """A big block that the operator made larger than it must be."""

    mod_args = "bbm_block_size=1G"

    def test_parameter_sets_the_big_block(self):
        """256 MiB device blocks are used by the gibibyte."""
        self.assertEqual(int(self.guest.attr("device_block_size")), 256 * MIB)
        self.assertEqual(int(self.guest.attr("big_block_size")), GIB)
        self.resize(2 * GIB)
        self.assert_size(2 * GIB)
        self.resize(1 * GIB)
        self.assert_size(1 * GIB)


class NoMultiple(GuestCase):
    """Requests between two multiples of the big block."""

    config = "bb-128m"

    def test_nearest_not_beyond(self):
        """Growing stops below the request, shrinking above it; said once."""
        odd = 300 * MIB
        self.vm.resize(odd, want=256 * MIB)
        self.wait_state("idle")
        self.assert_size(256 * MIB)
        self.resize(640 * MIB)
        self.vm.resize(odd, want=384 * MIB)
        self.wait_state("idle")
        self.assert_size(384 * MIB)
        self.assertEqual(int(self.guest.attr("requested_size")), odd)
        # Why it stopped there, once for each time.
        log = self.guest.dmesg()
        for near in (256, 384):
            self.assertEqual(log.count(f"{near} MiB plugged, 300 MiB requested"), 1)


class Change(GuestCase):
    """The request changes while the driver is at it."""

    def test_growing_turns_to_shrinking(self):
        """4 GiB asked, 512 MiB before that was there."""
        self.vm.qmp.request("vm0", 4 * GIB)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") > 0, "first block", step=0.01)
        self.resize(512 * MIB)
        self.assert_size(512 * MIB)

    def test_shrinking_turns_to_growing(self):
        """0 asked, 1.5 GiB after the first block went."""
        self.resize(2 * GIB)
        self.vm.qmp.request("vm0", 0)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") < 2 * GIB, "first block gone",
                     step=0.01)
        self.resize(1536 * MIB)
        self.assert_size(1536 * MIB)

    def test_last_of_many_requests_counts(self):
        """Many requests at once; the last one counts."""
        for step in range(12):
            self.vm.qmp.request("vm0", (step * 5 % 8) * 256 * MIB)
        self.resize(768 * MIB)
        self.assert_size(768 * MIB)
        self.assert_zones(768 * MIB)
