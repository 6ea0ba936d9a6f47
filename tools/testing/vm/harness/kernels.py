# SPDX-License-Identifier: GPL-2.0-or-later
"""Bring Debian's packaged guest kernels into the cache, without installing them.

Which there are is in series.txt; debug builds (see ../../debug) are made when asked for,
and those of the next Debian come from its mirror (mirror.py).
A guest needs the kernel as Debian ships it: same configuration, same modules,
same module symbol versions as the headers the driver is built with. Installing
it would change the host's boot menu, so the package is only unpacked.
"""

import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from vm.harness import mirror
from vm.harness.arch import ARCHES, DEFAULT as HOST
from vm.harness.cache import cache_dir

TESTING = pathlib.Path(__file__).resolve().parents[2]


def _table():
    """{name: {field: text}} of series.txt."""
    out = {}
    for line in (TESTING / "series.txt").read_text().splitlines():
        field, _, text = line.partition(": ")
        if field == "name":
            row = out[text] = {}
        if text and not line.startswith("#"):
            row[field] = f"{row[field]} {text}" if field in row else text
    return out


TABLE = _table()
DEFAULT = next(iter(TABLE))
# What kbuild takes for granted, and C=1.
BUILDERS = "make sparse dash bash coreutils grep sed mawk findutils diffutils".split()
COMPILER = "gcc-14"
# Where Debian's package with the kernel's source has it.
TARBALL = pathlib.Path("/usr/src", f"{TABLE[DEFAULT]['source']}.tar.xz")


def words(series, field):
    """A field of the table as a list of words, empty where there is none."""
    return TABLE[series].get(field, "").split()


def running(*stages):
    """Names of the series that one of these stages runs on."""
    return [name for name in TABLE if set(stages) & set(words(name, "runs"))]


class Kernel:
    """One unpacked kernel package, or a debug build that looks like one.

    arch     of its guests
    headers  what modules for it are built with; may be missing
    debug    whether it has the checkers, and is so much slower
    panic_on_warn  0 where a warning need not be about the driver
    append   of the kernel's command line
    """

    def __init__(self, series, kver, path, headers=None):
        self.series, self.kver, self.path = series, kver, path
        self.arch = ARCHES[TABLE[series].get("arch", HOST.name)]
        self.headers = headers or pathlib.Path("/lib/modules", kver, "build")
        self.debug = "debug" in TABLE[series]
        # Each race that KCSAN finds is a warning, and most are not ours.
        self.panic_on_warn = int("warns" not in words(series, "flags"))
        self.append = TABLE[series].get("append", "")
        self.modules = path / "lib" / "modules" / kver
        self.image = path / "boot" / f"vmlinuz-{kver}"
        if not self.image.exists():
            self.image = self.modules / "vmlinuz"


def _newest(series):
    """Which kernel version the series' meta package wants, or None offline."""
    out = subprocess.run(["apt-cache", "depends", TABLE[series]["kernel"]], check=False,
                         capture_output=True, text=True).stdout
    found = re.search(r"Depends: linux-image-(\d\S*)", out)
    return found.group(1) if found else None


def _cached(series):
    """A version of the series that an earlier run unpacked, or None."""
    # The package that always depends on the newest may have no version in its name.
    version = re.match(r"linux-image-(\d[\d.]*)-", TABLE[series]["kernel"])
    name = re.compile(re.escape(version[1] if version else series) + r"\.[^-]*(-\d+)?-"
                      + TABLE[series]["flavour"])
    names = [p.name for p in cache_dir("kernels").iterdir()
             if name.fullmatch(p.name) and (p / "complete").exists()]
    return max(names, key=lambda n: [int(x) for x in re.findall(r"\d+", n)],
               default=None)


def _depmod(root, kver):
    """The package relies on its postinst for modules.dep."""
    subprocess.run([shutil.which("depmod") or "/sbin/depmod", "-b", root, kver], check=True)


def _unpack(kver, target):
    """Download and unpack next to the target, then rename: all or nothing."""
    package = f"linux-image-{kver}"
    # Left by a killed run, because a day is longer than any run.
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
        _depmod(temp / "root", kver)
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


def _program(path, line):
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def _headers(series, kver, suite, arch):
    """A root with what modules for a kernel are built with.

    Headers of the host's release take the host's compiler; the others' programs don't
    run here, so they bring their own (see ../../kbuild). Of another architecture the
    headers alone are taken, and the programs that belong to them are the host's.
    """
    kind, headers = f"headers-{series}", f"linux-headers-{kver}"
    lots = []
    if arch:
        lots = [mirror.Lot([headers], "^linux-headers", suite, arch)]
        try:
            tools = mirror.depends(headers, r"linux-kbuild-\S+", suite, arch)
        except mirror.Unreached:
            if not mirror.cached(kind):
                raise
            tools = ""
    if suite != mirror.NEWEST:
        lots += [mirror.Lot([f"{tools}:{HOST.name}"], "^linux-kbuild", suite, arch)]
        root = mirror.unpacked(kind, kver, *lots)
        # It names another one as if that were installed.
        makefile = root / "usr/src" / headers / "Makefile"
        text = makefile.read_text()
        if f" {root}" not in text:
            new = makefile.with_name(f".Makefile.{os.getpid()}")
            new.write_text(text.replace("include /", f"include {root}/"))
            new.rename(makefile)
    else:
        lots += [mirror.Lot([tools, f"{COMPILER}-{ARCHES[arch].cross.rstrip('-')}", *BUILDERS]
                            if arch else [headers, COMPILER, *BUILDERS])]
        root = mirror.unpacked(kind, kver, *lots)
        # The first would be by the package's script; the second Debian has left out.
        _program(root / "usr/bin/awk", 'exec mawk "$@"')
        for scripts in root.glob("usr/lib/linux-kbuild-*/scripts"):
            _program(scripts / "checker-valid.sh", "echo 1")
    return root / "usr/src" / headers


@functools.cache
def _from_mirror(series):
    """A kernel that the host's apt does not know, and its headers.

    Without a mirror the newest that an earlier run has unpacked.
    """
    image, arch = TABLE[series]["kernel"], TABLE[series].get("arch", "")
    suite = mirror.NEWEST if "mirror" in TABLE[series] else mirror.release()
    try:
        kver = mirror.depends(image, r"linux-image-\d\S*", suite, arch)
        kver = kver.removeprefix("linux-image-")
    except mirror.Unreached:
        have = mirror.cached(f"kernel-{series}")
        if not have:
            raise
        kver = have[0].name.partition("_")[2]
    path = mirror.unpacked(f"kernel-{series}", kver,
                           mirror.Lot([f"linux-image-{kver}"], re.escape(kver), suite, arch))
    if not (path / "lib/modules" / kver / "modules.dep").exists():
        _depmod(path, kver)
    return Kernel(series, kver, path, _headers(series, kver, suite, arch))


def get(series, kver=None):
    """Return the Kernel of a series, fetched or built when the cache has it not."""
    if "debug" in TABLE[series]:
        out = subprocess.run([TESTING / "debug" / "build", series], check=True,
                             stdout=subprocess.PIPE, text=True)
        kver, path, headers = out.stdout.split()
        return Kernel(series, kver, pathlib.Path(path), pathlib.Path(headers))
    if "mirror" in TABLE[series] or "arch" in TABLE[series]:
        return _from_mirror(series)
    kver = kver or _newest(series) or _cached(series)
    if not kver:
        raise RuntimeError(f"no kernel {series}: {TABLE[series]['kernel']} is unknown to "
                           "apt here; is apt's package list up to date?")
    target = cache_dir("kernels") / kver
    if not (target / "complete").exists():
        _unpack(kver, target)
    return Kernel(series, kver, target)
