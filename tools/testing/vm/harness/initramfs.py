# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the test guest's initramfs: busybox, a few tools, modules, our init."""

import hashlib
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import threading

from vm.harness import mirror, modules
from vm.harness.cache import cache_dir

GUEST = pathlib.Path(__file__).resolve().parents[1] / "guest_src"
BUSYBOX = "bin/busybox"
# From util-linux: what an administrator looks at, so what the tests look at.
TOOLS = ("lsmem", "chmem")
# Packages with these programs, for guests that can't run the host's.
PACKAGES = ("busybox-static", "util-linux")
# virtio-mem needs it below itself. Built into some kernels.
TRANSPORT = ("virtio_pci",)
# Test helpers that the guest loads by hand, with everything they depend on.
EXTRA = ("memory-notifier-error-inject", "brd")


def _entry(ino, name, mode, data=b""):
    """One member of a "newc" cpio archive."""
    raw = name.encode() + b"\0"
    fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def cpio(files):
    """A cpio archive of {name: (mode, bytes)}, with the directories needed."""
    dirs = {str(parent) for name in files
            for parent in pathlib.PurePath(name).parents} - {"."}
    members = [(d, 0o040755, b"") for d in sorted(dirs)]
    # A mode with type bits is that of a symbolic link; the others are plain files.
    members += [(n, mode if mode >> 12 else 0o100000 | mode, data)
                for n, (mode, data) in files.items()]
    out = [_entry(i + 1, *m) for i, m in enumerate(members)]
    return b"".join(out) + _entry(0, "TRAILER!!!", 0)


def read_module(path):
    """A module of a kernel package, unpacked."""
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def module_files(kernel, names):
    """Paths of modules and all they depend on, dependencies first."""
    deps = {}
    for line in (kernel.modules / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        deps[re.sub(r"\.ko.*", "", path).rpartition("/")[2].replace("-", "_")] \
            = (path, rest.split())
    order = []
    for name in names:
        # A name that isn't there is built in.
        path, needs = deps.get(name.replace("-", "_"), (None, []))
        # modules.dep lists the nearest dependency first.
        order += [p for p in [*reversed(needs), path] if p and p not in order]
    return [kernel.modules / p for p in order]


def _libraries(path):
    """The libraries of a dynamic program, as ldd tells; a static one has none."""
    out = subprocess.run(["ldd", path], check=False, capture_output=True, text=True,
                         env={**os.environ, "LC_ALL": "C"})
    if out.returncode and "not a dynamic executable" not in out.stderr:
        raise RuntimeError(f"ldd {path}: {out.stderr}")
    return re.findall(r"(/\S+) \(0x", out.stdout)


def _needed(path, root, found):
    """The libraries of a program that the host can't run, below a root, added to found."""
    out = subprocess.run(["readelf", "-dl", path], check=True, capture_output=True, text=True,
                         env={**os.environ, "LC_ALL": "C"}).stdout
    for name in re.findall(r"\(NEEDED\).*\[(.*)\]|interpreter: .*/(.*)\]", out):
        name = "".join(name)
        if name not in found:
            found[name], *_ = root.glob(f"**/lib/*/{name}")
            _needed(found[name], root, found)


def _foreign(root, name):
    """A program of another architecture and its libraries, as files for cpio()."""
    path, *_ = root.glob(f"**/*bin/{name}")
    libraries = {}
    _needed(path, root, libraries)
    return {f"lib/{part}": (0o755, library.read_bytes())
            for part, library in libraries.items()} | {f"bin/{name}": (0o755, path.read_bytes())}


def _tools(kernel):
    """What the guest has of PACKAGES, as files for cpio()."""
    files = {}
    if not kernel.arch.foreign:
        files["bin/busybox"] = (0o755, pathlib.Path("/", BUSYBOX).read_bytes())
        for tool in TOOLS:
            path = shutil.which(tool, path="/usr/bin:/usr/sbin:/bin:/sbin")
            files.update(program(path, f"bin/{tool}"))
        return files
    suite = mirror.release()
    root = mirror.unpacked(f"guest-{kernel.arch.name}", suite,
                           mirror.Lot(PACKAGES, suite=suite, arch=kernel.arch.name))
    for tool in ("busybox", *TOOLS):
        files.update(_foreign(root, tool))
    return files


def compiled(name, files, cross=""):
    """Compile a helper for the guest, once for each version of its sources."""
    tag = hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:16]
    target = cache_dir("guest") / f"{cross}{name}-{tag}"
    if not target.exists():
        temp = target.with_name(f".{target.name}.{threading.get_native_id()}")
        subprocess.run([f"{cross}gcc", "-static", "-O2", "-Wall", "-Wextra", "-o", temp,
                        *(f for f in files if f.suffix == ".c")], check=True)
        temp.rename(target)
    return target.read_bytes()


def _helpers():
    """{name: sources}: each C file makes a program, and so does a directory of them."""
    helpers = {f.stem: [f] for f in GUEST.glob("*.c")}
    helpers |= {d.name: sorted(d.glob("*.[ch]")) for d in GUEST.iterdir() if d.is_dir()}
    return helpers


def program(path, name=None):
    """A host's program and the libraries it needs, as files for cpio()."""
    files = {part.lstrip("/"): (0o755, pathlib.Path(part).read_bytes())
             for part in _libraries(path)}
    files[name or str(path).lstrip("/")] = (0o755, pathlib.Path(path).read_bytes())
    return files


def build(kernel, target, module=None, more=None):
    """Write the initramfs for a kernel to target.

    module: path of our virtio_mem.ko; the kernel's own is always there too.
    more: what else this guest needs, as for cpio().
    """
    files = {"init": (0o755, (GUEST / "init").read_bytes()),
             "agent": (0o755, (GUEST / "agent").read_bytes())}
    for name, sources in _helpers().items():
        files[f"bin/{name}"] = (0o755, compiled(name, sources, kernel.arch.cross))
    files["bin/ingroup"] = (0o755, (GUEST / "ingroup").read_bytes())
    # init's first line needs a shell before busybox could install its links.
    files["bin/sh"] = (0o120777, b"busybox")
    for name in ("proc", "sys", "dev", "tmp"):
        files[f"{name}/.keep"] = (0o644, b"")
    files.update(_tools(kernel))
    order = []
    for path in module_files(kernel, TRANSPORT):
        name = re.sub(r"\.xz$", "", path.name)
        files[f"mod/{name}"] = (0o644, read_module(path))
        order.append(f"/mod/{name}\n")
    files["mod/order"] = (0o644, "".join(order).encode())
    for path in module_files(kernel, EXTRA):
        name = re.sub(r"\.xz$", "", path.name)
        files[f"mod/{name}"] = (0o644, read_module(path))
    for name in modules.NAMES:
        file = modules.build(name, kernel)
        if file:
            files[f"mod/{modules.PREFIX}{name}.ko"] = (0o644, file.read_bytes())
    # A debug build has none.
    for path in module_files(kernel, ["virtio_mem"])[-1:]:
        files["mod/stock/virtio_mem.ko"] = (0o644, read_module(path))
    if module:
        files["mod/ours/virtio_mem.ko"] = (0o644, pathlib.Path(module).read_bytes())
    files.update(more or {})
    target.write_bytes(cpio(files))
    return target
