# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's policy auto-movable decides about a big block as a whole."""

from vm.cases.case import MIB, GuestCase

BB = 256 * MIB


class AutoMovable(GuestCase):
    """Of 1 GiB that the kernel can use, 110 % may be movable."""

    options = {"online": "online",
               "append": "memory_hotplug.online_policy=auto-movable "
                         "memory_hotplug.auto_movable_ratio=110"}
    stays = True

    def test_big_blocks_are_in_one_zone_each(self):
        """Movable as long as the ratio allows, then the kernel's, each as a whole."""
        policy = "/sys/module/memory_hotplug/parameters"
        self.assertEqual(self.guest.read(f"{policy}/online_policy"), "auto-movable")
        self.resize(7 * BB)
        rows = [r for r in self.guest.blocks() if r[3] == "ADDED"]
        zones = [row[4] for row in rows for _ in range(row[2])]
        self.assertEqual(len(zones), 7)
        self.assertEqual(set(zones), {"Movable", "Normal"}, rows)
        # Half of a big block would still have been allowed to be movable.
        self.assertEqual(zones[:4], ["Movable"] * 4, rows)
        self.assertEqual(zones[4], "Normal", rows)
        self.assert_size(7 * BB)
