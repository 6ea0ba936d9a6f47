# SPDX-License-Identifier: GPL-2.0-or-later
"""Unpack packages of the next Debian into the cache: its kernels, compilers, QEMUs.

They come from the mirror that the host's apt uses, and so do those of another
architecture, which may be the host's own release's. Nothing is installed, and apt's own
sources stay as they are: apt gets directories of its own, one for each architecture, and
believes that nothing is installed. Where the mirror can't be reached, an earlier run's
packages serve, a month.
"""

import contextlib
import fcntl
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile
import time
import typing

from vm.harness.cache import cache_dir

# The suite that the host's apt has the predecessor of, and what is newer than that.
STABLE, NEWEST = "trixie", "trixie-backports"
DAY = 86400


class Unreached(RuntimeError):
    """What is wanted is neither here nor on a mirror that answers."""


@contextlib.contextmanager
def _locked():
    """One process at a time: two stages of the tests may want the same."""
    with open(cache_dir("mirror") / "lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command, base=None, **more):
    env = {**os.environ, "LC_ALL": "C"}
    if base:
        env["APT_CONFIG"] = str(base / "apt.conf")
    return subprocess.run(command, check=False, capture_output=True, text=True, env=env,
                          stdin=subprocess.DEVNULL, timeout=900, **more)


class Lot(typing.NamedTuple):
    """Packages, and all that they depend on.

    only    a regular expression: of these only those whose names match
    suite   preferred
    arch    Debian's name of the architecture, empty for the host's
    """

    packages: list
    only: str = ""
    suite: str = NEWEST
    arch: str = ""


def _sites():
    """[(label, URI, suite)] of what apt here has from Debian."""
    out = _run(["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI) $(CODENAME)",
                "Created-By: Packages"]).stdout
    found = re.findall(r"^(Debian|Debian-Security) (\S+) (\S+)$", out, re.M)
    if not found or found[0][0] != "Debian":
        raise Unreached("apt here has no Debian mirror, or no package lists")
    return found


def release():
    """The suite that is the host's own."""
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def _apt(arch=""):
    """The directory of our own apt, its package lists a day old at most if possible."""
    base = cache_dir("mirror", f"apt-{arch}" if arch else "apt")
    stamp = base / "updated"
    if stamp.exists() and time.time() - stamp.stat().st_mtime < DAY:
        return base
    for name in ("lists/partial", "cache/archives/partial"):
        (base / name).mkdir(parents=True, exist_ok=True)
    key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    sites = _sites()
    site = sites[0][1]
    rows = [(site, suite) for suite in (STABLE, NEWEST)]
    if arch:
        rows += dict.fromkeys(row[1:] for row in sites)
    (base / "sources.list").write_text("".join(f"deb {key} {uri} {suite} main\n"
                                               for uri, suite in rows))
    (base / "status").touch()
    (base / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in {
        "Dir::Etc::sourcelist": base / "sources.list",
        "Dir::Etc::sourceparts": "/nonexistent",
        "Dir::State::lists": base / "lists",
        "Dir::State::status": base / "status",
        "Dir::Cache": base / "cache",
        "Acquire::Languages": "none",
        "Acquire::Retries": 1,
        "Acquire::http::Timeout": 20,
        # As root apt would give up rights that our directories ask for.
        "APT::Sandbox::User": "root"}.items()))
    if arch:
        # First the one that a package without a word about it has.
        native = _run(["dpkg", "--print-architecture"]).stdout.strip()
        with open(base / "apt.conf", "a", encoding="ascii") as file:
            file.write(f'APT::Architecture "{arch}";\n'
                       f'APT::Architectures {{ "{arch}"; "{native}"; }};\n')
    done = _run(["apt-get", "-qq", "-o", "APT::Update::Error-Mode=any", "update"], base)
    if not done.returncode:
        stamp.touch()
    elif not stamp.exists():
        raise Unreached(f"{site} has no {NEWEST}, or does not answer: "
                        f"{(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return base


def versions(package):
    """[(version, suite)] of a package, the newest first."""
    with _locked():
        out = _run(["apt-cache", "madison", package], _apt()).stdout
    rows = (line.split("|") for line in out.splitlines())
    return [(row[1].strip(), row[2].split()[1].split("/")[0]) for row in rows]


def depends(package, pattern, suite=NEWEST, arch=""):
    """The first package that this one depends on, and that the pattern matches."""
    with _locked():
        out = _run(["apt-cache", "-o", f"APT::Default-Release={suite}", "depends",
                    package], _apt(arch)).stdout
    found = re.search(rf"Depends: ({pattern})$", out, re.M)
    if not found:
        raise Unreached(f"no {package} on the mirror depends on {pattern}")
    return found.group(1)


def _closure(base, lot):
    """PACKAGE=VERSION of what would be installed where nothing is."""
    done = _run(["apt-get", "-s", "-t", lot.suite, "--no-install-recommends", "install",
                 *lot.packages], base)
    if done.returncode:
        raise Unreached(f"{' '.join(lot.packages)}: {done.stderr.strip()}")
    return [f"{m[1]}={m[2]}" for m in re.finditer(r"^Inst (\S+) \((\S+)", done.stdout, re.M)
            if re.search(lot.only, m[1])]


def _fill(root, lots):
    """Download and unpack."""
    debs = root.with_name(f"{root.name}.debs")
    debs.mkdir()
    for lot in lots:
        base = _apt(lot.arch)
        done = _run(["apt-get", "-qq", "download", *_closure(base, lot)], base, cwd=debs)
        if done.returncode:
            raise Unreached(f"download: {(done.stderr or done.stdout).strip()}")
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    for name in ("dev", "mnt", "proc", "tmp"):
        (root / name).mkdir(exist_ok=True)
    for deb in debs.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", deb, root], check=True)


def cached(kind):
    """Directories of this kind that are complete, the newest version first."""
    def key(path):
        return [int(n) for n in re.findall(r"\d+", path.name)]
    return sorted((path for path in cache_dir("mirror").glob(f"{kind}_*")
                   if (path / "complete").exists()), key=key, reverse=True)


def unpacked(kind, version, *lots):
    """A directory with all that is in these lots.

    kind, version: what the directory is called in the cache
    """
    target = cache_dir("mirror") / f"{kind}_{version}"
    with _locked():
        if not (target / "complete").exists():
            shutil.rmtree(target, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as scratch:
                root = pathlib.Path(scratch, "root")
                root.mkdir()
                _fill(root, lots)
                root.rename(target)
            (target / "complete").touch()
        os.utime(target / "complete")
        for old in cached(kind):
            if time.time() - (old / "complete").stat().st_mtime > 30 * DAY:
                shutil.rmtree(old, ignore_errors=True)
    return target
