# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests, a room for each kind."""
