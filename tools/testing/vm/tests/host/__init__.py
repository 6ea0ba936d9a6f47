# SPDX-License-Identifier: GPL-2.0-or-later
"""With the host's own device, which is QEMU's."""
