# SPDX-License-Identifier: GPL-2.0-or-later
"""With devices in software, which misbehave on order."""
