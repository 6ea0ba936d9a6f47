# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests in QEMU, and the tests in them; each room imports from those before it only:
harness, device, states, cases, then bin and tests.
"""
