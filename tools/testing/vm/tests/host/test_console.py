# SPDX-License-Identifier: GPL-2.0-or-later
"""The search of a guest's console finds the driver's complaints, and no others."""

import unittest

from vm.harness import console

RULER = "=" * 66
# An interrupt in the driver, which none of the two accesses is by.
OTHERS = f"""{RULER}
BUG: KCSAN: data-race in ktime_get_mono_fast_ns / timekeeping_update

write to 0xffffffff81cb4cc8 of 56 bytes by interrupt on cpu 1:
 timekeeping_update+0x1a4/0x490
 timekeeping_advance+0x6b6/0xb30
 asm_sysvec_apic_timer_interrupt+0x16/0x20
 __tsan_read4+0x96/0x110
 virtio_mem_pages_take+0x77/0x100 [virtio_mem]
 worker+0x119/0x310 [virtio_mem]

read to 0xffffffff81cb4cf0 of 8 bytes by task 10 on cpu 0:
 ktime_get_mono_fast_ns+0x43/0x150
 rpm_resume+0x548/0x9e0

Reported by Kernel Concurrency Sanitizer on:
CPU: 0 UID: 0 PID: 10 Comm: kworker/0:1 Tainted: G           O       6.12.117-kcsan #1
{RULER}
"""
OURS = OTHERS.replace(" rpm_resume+0x548/0x9e0", " worker+0x119/0x310 [virtio_mem]")


class Console(unittest.TestCase):
    """KCSAN's reports."""

    def test_only_the_drivers_races_are_found(self):
        """Those between others are left, those of the driver found."""
        self.assertEqual(console.scan(OTHERS + "fine\n"), [])
        self.assertTrue(console.scan(OURS))
        self.assertEqual(console.scan(f"{OTHERS}WARNING: CPU: 0\n{OTHERS}"),
                         [("warn", "WARNING: CPU: 0")])
