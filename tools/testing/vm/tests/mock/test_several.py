# SPDX-License-Identifier: GPL-2.0-or-later
"""Several devices in software at a time."""

from vm.cases.case import MIB
from vm.cases.mock_case import MocksCase


class Several(MocksCase):
    """Each device has a worker of its own, and its own books."""

    def test_grow_and_shrink(self):
        """All at once, by different sizes, in different directions."""
        self.resize({i: (i % 4) * 128 * MIB for i in range(8)})
        self.resize({i: (3 - i % 4) * 128 * MIB for i in range(8)})
        self.resize(0)
        self.assert_zones(0)

    def test_bad_devices_disturb_no_others(self):
        """Broken, gone, silent and refusing devices are no others' business."""
        self.resize(128 * MIB)
        self.mock.orders((0, "device", "break"), (1, "device", "surprise"),
                         (2, "fault", "plug never"), (3, "fault", "plug nack every=1"))
        self.mock.request(dict.fromkeys(range(8), 256 * MIB))
        self.settled(dict.fromkeys(range(4, 8), 256 * MIB))
        look = self.until(lambda look: look[0].state == "broken" and look[2].pending
                          and look[3].state == "waiting", "each in its state")
        # The silent one has plugged; only its driver doesn't know it yet.
        self.assertEqual([d.size // MIB for d in look.devices],
                         [128, 128, 256, 128, 256, 256, 256, 256])
        self.mock.request(dict.fromkeys(range(4, 8), 0))
        self.settled(dict.fromkeys(range(4, 8), 0))
        self.guest.ok("rmmod virtio_mem", timeout=15)
        self.mock.behave()
        self.load()
        self.reached({i: 256 * MIB if i < 4 else 0 for i in range(8)})
