# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts that a machine needs beside those of other tests for the states of states.py:
two disks, a balloon, and in the guest the modules for them.
"""

import re
import subprocess
import threading

from vm.harness import initramfs
from vm.harness.cache import cache_dir

# Sparse, and left as they are: QEMU writes to a file of its own.
DATA, SWAP = 6 << 30, 4 << 30
# The modules that states load, and those that these find by name only.
MODULES = {"virtio_blk": (), "virtio_balloon": (), "zram": ("lzo-rle",), "zsmalloc": (),
           "lzo": ()}


def image(name, size, *command):
    """An image in the cache, made when it isn't there."""
    path = cache_dir("guest") / name
    if not path.exists():
        temp = path.with_name(f".{name}.{threading.get_native_id()}")
        with temp.open("wb") as file:
            file.truncate(size)
        if command:
            subprocess.run([*command, str(temp)], check=True)
        temp.rename(path)
    return path


def options(reporting=False):
    """QEMU's options. /dev/vda has an empty ext4, /dev/vdb is for swap.

    reporting  whether the balloon reports free pages
    """
    data = image("states-ext4.img", DATA, "/sbin/mke2fs", "-q", "-t", "ext4", "-F")
    swap = image("states-swap.img", SWAP)
    out = []
    for name, path in (("data", data), ("swap", swap)):
        out += ["-drive", f"file={path},format=raw,if=none,id={name},snapshot=on",
                "-device", f"virtio-blk-pci,drive={name},id={name}0"]
    more = ",free-page-reporting=on" if reporting else ""
    return out + ["-device", f"virtio-balloon-pci,id=balloon0{more}"]


def files(kernel, modules=None):
    """The parts of the guest beside those of other tests."""
    out = {}
    for module, more in (modules or MODULES).items():
        paths = initramfs.module_files(kernel, (*more, module))
        names = [re.sub(r"\.xz$", "", path.name) for path in paths]
        out |= {f"state/{name}": (0o644, initramfs.read_module(path))
                for name, path in zip(names, paths)}
        out[f"state/{module}.order"] = (
            0o644, "".join(f"/state/{name}\n" for name in names).encode())
    return out
