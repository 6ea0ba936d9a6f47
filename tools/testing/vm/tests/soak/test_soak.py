# SPDX-License-Identifier: GPL-2.0-or-later
"""Races and load, for two minutes; `make soak` does it for longer."""

import os
import random
import unittest

from case import GIB, MIB, GuestCase
from load import Load, Qemu, plan
from state_machine import files, options
from test_mock import MockCase


def seed():
    """What was asked for by seed=, else a new one."""
    return int(os.environ.get("VMEM_SEED") or random.randrange(1 << 32))


class Soak(GuestCase):
    """Against the device of QEMU."""

    config = "soak"
    options = {"files": files, "options": tuple(options())}
    seconds = 120
    stays = True    # what one of the actors has onlined to ZONE_NORMAL

    def test_soak(self):
        """Resizes at random while everything uses memory; nothing is lost."""
        # KASAN's shadow takes an eighth of what is added.
        most = 2 * GIB if self.vm.kernel.debug else 4 * GIB
        Load(self, Qemu(self.vm), seed=seed(), seconds=self.seconds,
             unit=256 * MIB, most=most).run()


class MockSoak(MockCase):
    """Against the device in software, which does much wrong."""

    seconds = 0     # one round

    def test_soak(self):
        """No violation; and when it behaves again, every request is met."""
        most = 2 * GIB if self.vm.kernel.debug else 4 * GIB
        Load(self, self.mock, seed=seed(), seconds=self.seconds,
             unit=128 * MIB, most=most).run()


class Plan(unittest.TestCase):
    """What a seed promises."""

    def test_repeats(self):
        """The same seed plans the same rounds, another one others."""
        for mock in (False, True):
            rounds = [plan(7, n, 128 * MIB, 4 * GIB, mock) for n in range(20)]
            self.assertEqual(rounds, [plan(7, n, 128 * MIB, 4 * GIB, mock)
                                      for n in range(20)])
            self.assertNotEqual(rounds[0], rounds[1])
            self.assertNotEqual(rounds[0], plan(8, 0, 128 * MIB, 4 * GIB, mock))
