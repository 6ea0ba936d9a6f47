# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels, initramfs, QEMU, and the agent in the guest."""
