#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bring Debian's packaged guest kernels into the cache, without installing them.

    kernels.py [6.1|6.12|kasan|kcsan...]    one line each: SERIES KVER DIRECTORY HEADERS

kasan and kcsan are debug builds of 6.12 (see ../debug), made when asked for.
A guest needs the kernel as Debian ships it: same configuration, same modules,
same module symbol versions as the headers the driver is built with. Installing
it would change the host's boot menu, so the package is only unpacked.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

# The series we support, and the Debian package that always depends on its
# newest kernel. The "cloud" flavour is the smallest that has virtio-mem.
META = {"6.1": "linux-image-cloud-amd64", "6.12": "linux-image-6.12-cloud-amd64"}
DEBUG = ("kasan", "kcsan")
BUILD = pathlib.Path(__file__).resolve().parent.parent / "debug" / "build"


def cache_dir(*parts):
    """The directory below the user's cache where everything generated goes."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    path = pathlib.Path(base, "virtio-mem", *parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


class Kernel:
    """One unpacked kernel package, or a debug build that looks like one.

    headers  what modules for it are built with; may be missing
    debug    whether it has the checkers, and is so much slower
    panic_on_warn  0 where a warning need not be about the driver
    """

    def __init__(self, series, kver, path, headers=None):
        self.series, self.kver, self.path = series, kver, path
        self.headers = headers or pathlib.Path("/lib/modules", kver, "build")
        self.debug = series in DEBUG
        # Each race that KCSAN finds is a warning, and most are not ours.
        self.panic_on_warn = int(series != "kcsan")
        self.image = path / "boot" / f"vmlinuz-{kver}"
        self.modules = path / "lib" / "modules" / kver


def _newest(series):
    """Which kernel version the series' meta package wants, or None offline."""
    out = subprocess.run(["apt-cache", "depends", META[series]], check=False,
                         capture_output=True, text=True).stdout
    found = re.search(r"Depends: linux-image-(\d\S*)", out)
    return found.group(1) if found else None


def _cached(series):
    """A version of the series that an earlier run unpacked, or None."""
    names = [p.name for p in cache_dir("kernels").iterdir()
             if p.name.startswith(series + ".") and (p / "complete").exists()]
    return max(names, key=lambda n: [int(x) for x in re.findall(r"\d+", n)],
               default=None)


def _unpack(kver, target):
    """Download and unpack next to the target, then rename: all or nothing."""
    package = f"linux-image-{kver}"
    # What a killed run left; a day is longer than any run.
    for old in target.parent.glob(".new-*"):
        if time.time() - old.stat().st_mtime > 86400:
            shutil.rmtree(old, ignore_errors=True)
    temp = pathlib.Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        # As root, apt would otherwise complain that its sandbox user cannot
        # write to our directory.
        subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root",
                        "download", package], cwd=temp, check=True, timeout=600,
                       stdout=sys.stderr)
        deb, = temp.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", deb, temp / "root"], check=True)
        # The package relies on its postinst for modules.dep; make it here.
        depmod = shutil.which("depmod") or "/sbin/depmod"
        subprocess.run([depmod, "-b", temp / "root", kver], check=True)
        (temp / "root" / "complete").touch()
        try:
            (temp / "root").rename(target)
        except OSError:
            # Somebody else was faster (fine), or a stranger's directory is
            # in the way (then say so).
            if not (target / "complete").exists():
                raise
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def get(series, kver=None):
    """Return the Kernel of a series, fetched or built when the cache has it not."""
    if series in DEBUG:
        out = subprocess.run([BUILD, series], check=True, stdout=subprocess.PIPE, text=True)
        kver, path, headers = out.stdout.split()
        return Kernel(series, kver, pathlib.Path(path), pathlib.Path(headers))
    kver = kver or _newest(series) or _cached(series)
    if not kver:
        raise RuntimeError(f"no kernel {series}: {META[series]} is unknown to "
                           "apt here; is apt's package list up to date?")
    target = cache_dir("kernels") / kver
    if not (target / "complete").exists():
        _unpack(kver, target)
    return Kernel(series, kver, target)


def main():
    """Fetch what the command line names (default: all) and print it."""
    for series in sys.argv[1:] or META:
        if series not in (*META, *DEBUG):
            sys.exit(f"kernels.py: unknown series {series}, have {[*META, *DEBUG]}")
        kernel = get(series)
        print(series, kernel.kver, kernel.path, kernel.headers)


if __name__ == "__main__":
    main()
