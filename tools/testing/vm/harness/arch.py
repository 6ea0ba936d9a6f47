# SPDX-License-Identifier: GPL-2.0-or-later
"""What differs between the architectures that guests have."""

import dataclasses
import platform
import re


# pylint: disable-next=too-many-instance-attributes
@dataclasses.dataclass(frozen=True)
class Arch:
    """One of them, by Debian's name for it.

    cpu       what Linux calls it
    emulator  QEMU's program, of the package
    package
    machine   QEMU options in place of those in qemu-configs
    console   the first serial port, for the kernel's log
    agent     QEMU options for the second one, of the character device "agent"
    tty       what that port is called in the guest
    tcg       QEMU options without KVM
    boot      words for the kernel's command line then
    cross     what the names of a cross compiler's programs begin with
    bottom    where RAM begins
    """

    name: str
    cpu: str
    emulator: str
    package: str
    machine: tuple
    console: str
    agent: tuple
    tty: str
    tcg: tuple
    boot: str
    cross: str
    bottom: int = 0

    @property
    def foreign(self):
        """Whether this host can't run its programs."""
        return self.cpu != platform.machine()

    def hidden(self, append):
        """A kernel's command line that keeps memory from it, and QEMU options for that.

        Only x86 has memmap=SIZE$START. Elsewhere Linux gets no more than 2 GiB, and the
        machine has RAM to the end of what is kept, or of its first 4 GiB, which the devices
        in software have memory for.
        """
        found = re.search(r"memmap=(\d+)G\$(\w+)", append)
        if not self.bottom or not found:
            return append, ()
        end = int(found[2], 0) + (min(int(found[1]), 4) << 30)
        return append.replace(found[0], "mem=2G"), ("-m", f"{end - self.bottom >> 20}M")


# One host thread for all vCPUs: with a thread each, QEMU 7.2 now and then runs a
# stale breakpoint after the guest's kernel patched its own code on another CPU
# ("Oops: int3"). On two host CPUs it is no slower, and two guests run at a time.
_TCG = ("-accel", "tcg,thread=single", "-cpu")

_ALL = (
    # No PIT: on a busy host Linux calibrates the TSC with it, wrongly, and then its
    # clock runs up to 24 times too fast. There is the HPET.
    # tsc=reliable: all vCPUs read the host's; where it seems not so, that is QEMU's
    # scheduling, and Linux would go on with the HPET, which is slow.
    # no_timer_check: Linux counts the timer's interrupts in a moment of the host's time at
    # boot, and panics if a busy host had none for us.
    Arch("amd64", "x86_64", "qemu-system-x86_64", "qemu-system-x86", (), "ttyS0",
         ("-serial", "chardev:agent"), "ttyS1", (*_TCG, "max", "-machine", "pit=off"),
         "tsc=reliable no_timer_check", ""),
    # max has 16 KiB pages, and clears 512 bytes at a time. pauth: signing each return
    # address is slow to emulate.
    Arch("arm64", "aarch64", "qemu-system-aarch64", "qemu-system-arm",
         ("-machine", "virt"), "ttyAMA0", ("-device", "pci-serial,chardev=agent"), "ttyS0",
         (*_TCG, "max,pauth=off"), "", "aarch64-linux-gnu-", 1 << 30),
)
ARCHES = {arch.name: arch for arch in _ALL}
DEFAULT = _ALL[0]
