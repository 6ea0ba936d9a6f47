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

HOST = "qemu-system-x86_64"
LIBRARIES = "usr/lib/x86_64-linux-gnu"


class Qemu:
    """A program, and its version as a tuple."""

    def __init__(self, program):
        self.program = str(program)
        out = subprocess.run([program, "--version"], check=True, capture_output=True,
                             text=True).stdout
        self.text = out.split("(")[0].split()[-1]
        self.version = tuple(int(n) for n in re.findall(r"\d+", self.text))


def _script(root):
    """One word that runs it."""
    path = root / HOST
    if not path.exists():
        new = path.with_name(f".{HOST}.{os.getpid()}")
        at = {name: shlex.quote(str(root / name)) for name in
              (LIBRARIES, f"{LIBRARIES}/qemu", "lib64/ld-linux-x86-64.so.2",
               f"usr/bin/{HOST}", "usr/share/qemu", "usr/share/seabios")}
        library, module, loader, program, data, bios = at.values()
        new.write_text("#!/bin/sh\n"
                       f"export QEMU_MODULE_DIR={module}\n"
                       f"exec {loader} --library-path {library} {program} "
                       f'-L {data} -L {bios} "$@"\n')
        new.chmod(0o755)
        new.rename(path)
    return path


def _unpacked(wanted):
    """The root of the newest with that major version; else of one that is here already."""
    try:
        found = [(version, suite) for version, suite in mirror.versions("qemu-system-x86")
                 if wanted in ("newest", version.partition(":")[2].partition(".")[0])]
    except mirror.Unreached:
        have = [path for path in mirror.cached("qemu")
                if wanted in ("newest", path.name.partition("_")[2].partition(".")[0])]
        if not have:
            raise
        return have[0]
    if not found:
        raise mirror.Unreached(f"the mirror has no QEMU {wanted}")
    version, suite = found[0]
    return mirror.unpacked("qemu", version.partition(":")[2], ["qemu-system-x86"], suite=suite)


@functools.cache
def get():
    """The Qemu that VM_QEMU names."""
    wanted = os.environ.get("VM_QEMU")
    return Qemu(_script(_unpacked(wanted)) if wanted else HOST)
