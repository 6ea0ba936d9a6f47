# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices in software that misbehave at random, by a seed that repeats it.

VM_SEED=N repeats a run; VM_SECONDS=N makes it as long (default: 10).
"""

import os
import random
import time

from vm.cases.case import MIB
from vm.cases.mock_case import MocksCase

# Faults that end by themselves. One of a kind: two can hit the same request, and
# "busy" with another's "done" is a lie that no driver can see through.
RULES = (("plug nack", "plug busy", "plug error", "plug unknown done", "plug short",
          "plug late=150"),
         ("unplug nack", "unplug busy", "unplug error", "unplug unknown done",
          "unplug long", "unplug late=150"),
         ("unplug_all busy", "state late=100"))
LIES = ("block_size=0", "region_size=130M", "plugged_size=8G", "requested_size=1M",
        "usable_region_size=8G", "node_id=99")


class Random(MocksCase):
    """Sizes, faults and lies by the dice; all is met when they end."""

    def step(self, dice):
        """Something for each device; now and then the driver goes and comes."""
        orders = []
        for i in range(self.count):
            what = dice.random()
            if what < 0.3:
                orders.append((i, "fault", "clear"))
                for rule in map(dice.choice, RULES):
                    orders.append((i, "fault", f"{rule} chance={dice.randint(100, 500)} "
                                               f"seed={dice.randint(1, 1 << 30)}"))
            if what > 0.9:
                orders.append((i, "config", dice.choice(LIES)))
            elif what > 0.7:
                orders.append((i, "config", "truth"))
            orders.append((i, "requested", dice.randint(0, 4) * 128 * MIB))
        self.mock.orders(*orders)
        time.sleep(dice.random())
        if dice.random() < 0.1:
            # A driver that asks for STATE only takes an answer for one.
            self.mock.all("config", "truth")
            self.guest.ok("rmmod virtio_mem", timeout=30)
            self.load()

    def test_sizes_are_right_after_random_faults(self):
        """No violation on the way, sizes to the byte in the end."""
        seed = int(os.environ.get("VM_SEED") or random.randrange(1 << 32))
        seconds = int(os.environ.get("VM_SECONDS") or 10)
        print(f"# {self.id()}: VM_SEED={seed}", flush=True)
        dice, steps = random.Random(seed), 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            steps += 1
            self.at = f"seed {seed}, step {steps}"
            self.step(dice)
            look = self.mock.look()
            self.assertEqual([d.violations for d in look.devices], [{}] * self.count)
            self.assertNotIn("broken", [d.state for d in look.devices])
        self.mock.all("fault", "clear")
        self.mock.all("config", "truth")
        sizes = {i: dice.randint(0, 4) * 128 * MIB for i in range(self.count)}
        self.resize(sizes, 60)
        asked = sum(len(self.mock[i].log()) for i in range(self.count))
        print(f"# {self.id()}: {steps} steps, the last {asked} requests are in the logs",
              flush=True)
        self.resize(0)
        self.assert_zones(0)
