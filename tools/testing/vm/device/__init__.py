# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory devices in software, faults on order, events and probes, as a guest's host drives them."""
