# SPDX-License-Identifier: GPL-2.0-or-later
"""What test classes are derived from."""
