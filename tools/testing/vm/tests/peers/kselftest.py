# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own test of memory hotplug: what a guest needs to run it.

The script comes out of Debian's kernel source and is kept in the cache.
"""

import functools
import hashlib
import os
import re
import shutil
import subprocess

from vm.harness import initramfs
from vm.harness.cache import cache_dir
from vm.harness.kernels import TARBALL

KSELFTEST = "tools/testing/selftests/memory-hotplug/mem-on-off-test.sh"


@functools.cache
def script():
    """The kernel's script as text; unpacking takes a while, so it is kept."""
    # The package's version would do as well; this also notices another file.
    with TARBALL.open("rb") as file:
        tag = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    target = cache_dir("peers") / f"mem-on-off-test-{tag}.sh"
    if not target.exists():
        done = subprocess.run(["tar", "-xJOf", TARBALL, "--occurrence=1",
                               f"{TARBALL.name.removesuffix('.tar.xz')}/{KSELFTEST}"],
                              check=True, stdout=subprocess.PIPE)
        temp = target.with_name(f".{target.name}.{os.getpid()}")
        temp.write_bytes(done.stdout)
        temp.rename(target)
    return target.read_bytes()


def missing():
    """Why the kernel's script can't be had; None if it can."""
    return None if TARBALL.exists() else f"no kselftest: {TARBALL} is not there"


def modprobe(kernel, names):
    """A module directory for the guest, and the modprobe that scripts expect."""
    where = f"lib/modules/{kernel.kver}"
    builtin = kernel.modules / "modules.builtin"
    found = {"sbin/modprobe": (0o120777, b"/bin/busybox"),
             f"{where}/modules.builtin": (0o644, builtin.read_bytes())}
    order = []
    for path in initramfs.module_files(kernel, names):
        # Some programs look for a name with a slash before it.
        name = "kernel/" + re.sub(r"\.xz$", "", path.name)
        found[f"{where}/{name}"] = (0o644, initramfs.read_module(path))
        # More than is needed: whatever came before it.
        order.append(f"{name}: {' '.join(o.split(':')[0] for o in reversed(order))}\n")
    found[f"{where}/modules.dep"] = (0o644, "".join(order).encode())
    return found


def files(kernel):
    """bash, the script, and the module that it looks for."""
    found = initramfs.program(shutil.which("bash"), "bin/bash")
    found.update(modprobe(kernel, initramfs.EXTRA))
    if not missing():
        found["kselftest"] = (0o755, script())
    return found
