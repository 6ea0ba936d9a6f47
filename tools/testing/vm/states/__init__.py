# SPDX-License-Identifier: GPL-2.0-or-later
"""The memory states of a guest; the bench has them, too."""
