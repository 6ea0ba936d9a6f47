# SPDX-License-Identifier: GPL-2.0-or-later
"""The Linux Test Project: the files of it that a guest needs, and what they must say.

Debian has no package of it, so it is a release from GitHub, built in the cache.
"""

import functools
import os
import pathlib
import re
import subprocess

from vm.harness import initramfs
from vm.tests.peers import kselftest

HERE = pathlib.Path(__file__).resolve().parent
TESTS = "testcases/kernel"
MEMTOY = f"{TESTS}/hotplug/memory_hotplug"
# Other tests of LTP that move pages between nodes, or take single ones offline.
DIRS = ("syscalls/move_pages", "syscalls/migrate_pages", "syscalls/mbind",
        "syscalls/set_mempolicy")
ALSO = ("syscalls/madvise/madvise07", "syscalls/madvise/madvise11", "mem/ksm/ksm06")
# Tests that don't "exit 0" for reasons of the guest's, not the driver's: the
# first two want a loop device and mkfs, the last one is for 32-bit x86.
NATURE = {"set_mempolicy03": "exit 2 1 BROK", "set_mempolicy04": "exit 2 1 BROK",
          "set_mempolicy05": "exit 32 1 CONF"}
# Those leave pages behind that nobody may use again.
POISON = ("move_pages12", "madvise11", "madvise07")


@functools.cache
def built():
    """(directory in which LTP has been built, None), or (None, why there is none)."""
    done = subprocess.run([HERE / "fetch-ltp"], stdout=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode == 3:
        return None, done.stdout.strip()
    done.check_returncode()
    return pathlib.Path(done.stdout.strip()), None


def files(kernel):
    """memtoy with its scripts, the tests, and what they expect of a system."""
    top = built()[0]
    found = initramfs.program(top / MEMTOY / "memtoy", "ltp/memtoy")
    for folder in ("Scripts", "Xpm-tests"):
        for path in (top / MEMTOY / folder).iterdir():
            found[f"ltp/{folder}/{path.name}"] = (0o644, path.read_bytes())
    for path in programs():
        found.update(initramfs.program(path, f"ltp/{path.name}"))
    found.update(kselftest.modprobe(kernel, ["hwpoison_inject"]))
    config = kernel.path / "boot" / f"config-{kernel.kver}"
    if config.exists():
        found[f"boot/{config.name}"] = (0o644, config.read_bytes())
    found["etc/passwd"] = (0o644, b"root:x:0:0::/:/bin/sh\n"
                                  b"nobody:x:65534:65534::/:/bin/sh\n")
    found["etc/group"] = (0o644, b"root:x:0:\nnogroup:x:65534:\n")
    return found


def programs():
    """The other test programs."""
    tests = built()[0] / TESTS
    found = [p for d in DIRS for p in sorted((tests / d).glob("*[0-9]"))]
    found += [tests / name for name in ALSO]
    return [p for p in found if p.is_file() and os.access(p, os.X_OK)]


def scripts():
    """memtoy's scripts, (name in the guest, text)."""
    top = built()[0] / MEMTOY
    return [(f"{folder}/{path.name}", path.read_text()) for folder in ("Scripts", "Xpm-tests")
            for path in sorted((top / folder).iterdir())]


def memtoy_wants(text):
    """The pattern of memtoy's right answer to a script."""
    # "migrate" calls migrate_pages() with lists of numbers where Linux wants
    # bit masks: it moves nothing; with a list from which to move, it fails.
    if re.search(r"^migrate \S+ \S", text, re.M):
        return "exit 4; pages on nodes .*; migrate_pages failed - Invalid argument"
    # Pages begin on node 1, where the first policy puts them; "+move", which does
    # work, gets them to others if that one isn't allowed.
    moved = re.search(r"^mbind .*\+m\S* [23,]+$", text, re.M)
    return "exit 0; pages on nodes [0-3,]+.*" + (r"[23]" if moved else "")


def program_wants(name, lacks):
    """The pattern of an LTP program's right answer; lacks: see series.txt."""
    # That is mended in later kernels, as the program itself says.
    if name == "move_pages04" and "move_pages04-fix" in lacks:
        return "exit 1 2 PASS 1 FAIL"
    if name in POISON and "memory-failure" in lacks:
        return r"exit (0|32)( [0-9]+ (PASS|CONF))+"
    return NATURE.get(name, r"exit 0 [0-9]+ PASS")
