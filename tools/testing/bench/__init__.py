# SPDX-License-Identifier: GPL-2.0-or-later
"""This driver and the kernel's own, compared."""
