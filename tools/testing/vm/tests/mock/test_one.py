# SPDX-License-Identifier: GPL-2.0-or-later
"""One device in software, as any other; nowhere; and in doubt."""

from case import GIB, MIB
from mock_case import VIRTIO, MockCase

__all__ = ["VIRTIO", "MockCase", "Behaves", "Doubt", "NoNode", "SmallBlocks"]


class Behaves(MockCase):
    """Without faults it is a device like any other."""

    def test_grow_and_shrink(self):
        """Sizes are reached, to the byte, everywhere."""
        for size in (128 * MIB, GIB, 384 * MIB, 0):
            self.resize(size)
            self.assert_zones(size)


class SmallBlocks(Behaves):
    """64 device blocks make a big block."""

    block = "2M"


class NoNode(MockCase):
    """A proximity domain that does not exist."""

    mock_args = "node_id=77"

    def test_no_node(self):
        """One line, and the memory is used on another node."""
        self.assertEqual(self.guest.dmesg().count("domain 77 does not exist"), 1)
        self.resize(256 * MIB)
        self.resize(0)


class Doubt(MockCase):
    """Nobody knows what became of an unplug."""

    def test_mixed(self):
        """Partly plugged, so it says: tried again and again, but said once."""
        self.resize(256 * MIB)
        self.mock.fault("unplug error every=1")
        self.mock.fault("state says=2 every=1")
        self.mock.request(128 * MIB)
        self.vm.wait(lambda: len(self.mock.answers("UNPLUG")) >= 5, "tried again", 60)
        self.assertEqual(self.guest.dmesg().count("partly plugged by the device"), 1)
        self.mock.fault("clear")
        self.reached(128 * MIB, 90)

    def test_not_added(self):
        """An unplug of unknown outcome: what may be unplugged is not added again."""
        self.resize(128 * MIB)
        self.mock.fault("unplug unknown done")
        self.mock.fault("state never")
        self.mock.request(0)
        self.vm.wait(lambda: self.mock.pending() == 1, "pending", 20)
        self.wait_state("waiting", 20)
        self.mock.request(256 * MIB)
        self.mock.order("pending", "now")
        # Asked for once more: nothing is unplugged twice.
        self.reached(256 * MIB, 30)
