# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of the tools for the docs, made from what they print about real guests."""
