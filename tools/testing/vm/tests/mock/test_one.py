# SPDX-License-Identifier: GPL-2.0-or-later
"""One device in software, as any other; nowhere; and in doubt."""

from vm.cases.case import GIB, MIB
from vm.cases.mock_case import MockCase
from vm.device.fault import Fault


class Behaves(MockCase):
    """Without faults it is a device like any other."""

    def test_grow_and_shrink(self):
        """Sizes are reached, to the byte, everywhere."""
        for size in (128 * MIB, GIB, 384 * MIB, 0):
            self.resize(size)
            self.assert_zones(size)


class SmallBlocks(Behaves):
    """64 device blocks make a big block."""

    mock_args = "block_size=2M"

    def test_nearest_size_is_told_once(self):
        """A request between two big blocks is met as nearly as they allow; said once."""
        odd = 300 * MIB
        self.device.request(odd)
        self.reached(256 * MIB)
        # Each is heard of, and has the driver look at its size again.
        for _ in range(3):
            self.device.request(odd)
            self.guest.run("sleep 0.5")
        self.assertEqual(self.guest.dmesg().count("met as near as big blocks"), 1)
        self.resize(0)


class NoNode(MockCase):
    """A proximity domain that does not exist."""

    mock_args = f"{MockCase.mock_args} node_id=77"

    def test_unknown_node_is_told_once(self):
        """One line, and the memory is used on another node."""
        self.assertEqual(self.guest.dmesg().count("domain 77 does not exist"), 1)
        self.resize(256 * MIB)
        self.resize(0)


class Encrypted(MockCase):
    """A guest whose memory is encrypted, as the driver is made to believe."""

    def test_device_is_refused(self):
        """One line; the device is asked for nothing, and is not bound."""
        fault = Fault(self.guest)
        fault.load()
        self.at_end("echo clear >/sys/kernel/debug/virtio_mem_fault/points")
        self.mock.orders((0, "device", "remove"), (0, "log", "clear"))
        fault.order("virtio_mem_encrypted ret=1 task=any")
        self.mock.orders((0, "device", "add"), (0, "requested", 256 * MIB))
        self.guest.run("sleep 1")
        self.assertEqual((self.mock.look()[0].state, self.device.log()), (None, []))
        self.assertEqual(self.guest.dmesg().count("refused: this guest's memory is encrypted"), 1)
        fault.clear()
        self.mock.orders((0, "device", "remove"), (0, "device", "add"))
        self.reached(256 * MIB)


class Doubt(MockCase):
    """Nobody knows what became of an unplug."""

    def test_partly_plugged_is_told_once_and_tried_again(self):
        """Partly plugged, so it says: tried again and again, but said once."""
        self.resize(256 * MIB)
        self.device.fault("unplug error every=1")
        self.device.fault("state says=2 every=1")
        self.device.request(128 * MIB)
        self.vm.wait(lambda: len(self.device.answers("UNPLUG")) >= 5, "tried again", 60)
        self.assertEqual(self.guest.dmesg().count("partly plugged by the device"), 1)
        self.device.fault("clear")
        self.reached(128 * MIB, 90)

    def test_doubtful_blocks_are_not_added(self):
        """An unplug of unknown outcome: what may be unplugged is not added again."""
        self.resize(128 * MIB)
        self.device.fault("unplug unknown done")
        self.device.fault("state never")
        self.device.request(0)
        self.vm.wait(lambda: self.device.pending() == 1, "pending", 20)
        self.wait_state("waiting", 20)
        self.device.request(256 * MIB)
        self.device.order("pending", "now")
        # Asked for once more: nothing is unplugged twice.
        self.reached(256 * MIB, 30)

    def test_unasked_blocks_are_not_added(self):
        """The same where the question can't be sent: it is unplugged before it is used."""
        fault = Fault(self.guest)
        fault.load()
        self.at_end("echo clear >/sys/kernel/debug/virtio_mem_fault/points")
        self.resize(128 * MIB)
        self.device.fault("unplug unknown done")
        # The unplug itself is sent.
        fault.order("virtqueue_add_sgs ret=-12 after=1")
        self.device.request(0)
        self.vm.wait(lambda: fault.points()[0][1] >= 10, "not sent", 20, 0.05)
        self.device.request(256 * MIB)
        self.guest.run("sleep 1")
        fault.clear()
        self.reached(256 * MIB, 30)
        # To ask by another unplug is all that is left to do.
        self.assertEqual(self.mock.look()[0].violations, {"not_plugged": 1})
        self.device.order("violations", "clear")
