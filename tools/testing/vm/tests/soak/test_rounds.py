# SPDX-License-Identifier: GPL-2.0-or-later
"""Races and load, for a minute; `make soak` does it for longer."""

import os
import random
import unittest

from vm.cases.case import GIB, MIB, GuestCase
from vm.cases.mock_case import MockCase
from vm.states.machine import files, options
from vm.tests.soak.load import Load, Qemu, plan


def seed():
    """VM_SEED, else a new one."""
    return int(os.environ.get("VM_SEED") or random.randrange(1 << 32))


def seconds(otherwise):
    """How long to go on: VM_MINUTES, else otherwise."""
    minutes = os.environ.get("VM_MINUTES")
    return float(minutes) * 60 if minutes else otherwise


class Soak(GuestCase):
    """Against the device of QEMU."""

    config = "soak"
    options = {"files": files, "options": tuple(options())}
    stays = True    # what one of the actors has onlined to ZONE_NORMAL

    def test_nothing_is_lost(self):
        """Resizes at random while everything uses memory; nothing is lost."""
        # KASAN's shadow takes an eighth of what is added.
        most = 2 * GIB if self.vm.kernel.debug else 4 * GIB
        Load(self, Qemu(self.vm), seed=seed(), seconds=seconds(40),
             unit=256 * MIB, most=most).run()


class MockSoak(MockCase):
    """Against the device in software, which does much wrong."""

    def test_nothing_is_lost(self):
        """No violation; and when it behaves again, every request is met.

        One round of it, if not told otherwise.
        """
        most = 2 * GIB if self.vm.kernel.debug else 4 * GIB
        Load(self, self.device, seed=seed(), seconds=seconds(0),
             unit=128 * MIB, most=most).run()


class Plan(unittest.TestCase):
    """The promise of a seed."""

    def test_seed_repeats_the_plan(self):
        """The same seed plans the same rounds, another one others."""
        for mock in (False, True):
            rounds = [plan(7, n, 128 * MIB, 4 * GIB, mock) for n in range(20)]
            self.assertEqual(rounds, [plan(7, n, 128 * MIB, 4 * GIB, mock)
                                      for n in range(20)])
            self.assertNotEqual(rounds[0], rounds[1])
            self.assertNotEqual(rounds[0], plan(8, 0, 128 * MIB, 4 * GIB, mock))
