# SPDX-License-Identifier: GPL-2.0-or-later
"""With faults in the guest's kernel, on order."""
