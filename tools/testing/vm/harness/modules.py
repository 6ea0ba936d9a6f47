# SPDX-License-Identifier: GPL-2.0-or-later
"""Test modules for a guest's kernel, built when their sources are new."""

import hashlib
import pathlib
import shutil
import subprocess
import tempfile
import threading

from vm.harness.cache import cache_dir

TESTING = pathlib.Path(__file__).resolve().parents[2]
MODULES, KBUILD = TESTING / "modules", TESTING / "kbuild"
# Each a directory there, with a Kbuild that makes PREFIX + NAME.ko.
NAMES = ("mock", "raw", "fault")
PREFIX = "virtio_mem_"


def build(name, kernel):
    """One of NAMES for a guest kernel; None without that kernel's headers."""
    if not kernel.headers.exists():
        return None
    source = MODULES / name
    name = PREFIX + name
    files = sorted([source / "Kbuild", *source.glob("*.[ch]")])
    files = [f for f in files if not f.name.endswith(".mod.c")]
    # A debug kernel keeps its version if its configuration is another.
    made_of = [*files, pathlib.Path(kernel.headers, ".config")]
    tag = hashlib.sha256(b"".join(f.read_bytes() for f in made_of)).hexdigest()[:16]
    target = cache_dir("guest") / f"{name}-{kernel.kver}-{tag}.ko"
    if not target.exists():
        with tempfile.TemporaryDirectory() as scratch:
            for file in files:
                shutil.copy(file, scratch)
            done = subprocess.run([KBUILD, kernel.headers, scratch, "-s",
                                   "modules"], check=False, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
            if done.returncode:
                raise RuntimeError(f"{name} for {kernel.kver}: {done.stderr[-2000:]}")
            subprocess.run([f"{kernel.arch.cross}strip", "-g", f"{scratch}/{name}.ko"], check=True)
            temp = target.with_name(f".{target.name}.{threading.get_native_id()}")
            shutil.copy(f"{scratch}/{name}.ko", temp)
            temp.rename(target)
    return target
