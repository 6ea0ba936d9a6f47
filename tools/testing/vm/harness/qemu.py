# SPDX-License-Identifier: GPL-2.0-or-later
"""Which QEMU runs the guests: the host's, or with VM_QEMU=N a newer one.

N is a major version, or "newest". A newer one is the next Debian's (mirror.py), and so
are its libraries: it is run by its own dynamic loader, so it needs neither rights nor a
root of its own, and sees the host's files.
"""

import functools
import os
import re
import shlex
import subprocess

from vm.harness import mirror
from vm.harness.arch import DEFAULT

LIBRARIES = "usr/lib/x86_64-linux-gnu"


class Qemu:
    """A program, and its version as a tuple."""

    def __init__(self, program):
        self.program = str(program)
        out = subprocess.run([program, "--version"], check=True, capture_output=True,
                             text=True).stdout
        self.text = out.split("(")[0].split()[-1]
        self.version = tuple(int(n) for n in re.findall(r"\d+", self.text))


def _script(root, emulator):
    """One word that runs it."""
    path = root / emulator
    if not path.exists():
        new = path.with_name(f".{emulator}.{os.getpid()}")
        at = {name: shlex.quote(str(root / name)) for name in
              (LIBRARIES, f"{LIBRARIES}/qemu", "lib64/ld-linux-x86-64.so.2",
               f"usr/bin/{emulator}", "usr/share/qemu", "usr/share/seabios")}
        library, module, loader, program, data, bios = at.values()
        new.write_text("#!/bin/sh\n"
                       f"export QEMU_MODULE_DIR={module}\n"
                       f"exec {loader} --library-path {library} {program} "
                       f'-L {data} -L {bios} "$@"\n')
        new.chmod(0o755)
        new.rename(path)
    return path


def _unpacked(wanted, arch):
    """The root of the newest with that major version; else of one that is here already."""
    kind = "qemu" if arch == DEFAULT else f"qemu-{arch.name}"
    try:
        found = [(version, suite) for version, suite in mirror.versions(arch.package)
                 if wanted in ("newest", version.partition(":")[2].partition(".")[0])]
    except mirror.Unreached:
        have = [path for path in mirror.cached(kind)
                if wanted in ("newest", path.name.partition("_")[2].partition(".")[0])]
        if not have:
            raise
        return have[0]
    if not found:
        raise mirror.Unreached(f"the mirror has no QEMU {wanted}")
    version, suite = found[0]
    return mirror.unpacked(kind, version.partition(":")[2], mirror.Lot([arch.package], suite=suite))


@functools.cache
def get(arch=DEFAULT):
    """The Qemu that VM_QEMU names, for guests of an architecture."""
    wanted = os.environ.get("VM_QEMU")
    return Qemu(_script(_unpacked(wanted, arch), arch.emulator) if wanted else arch.emulator)
