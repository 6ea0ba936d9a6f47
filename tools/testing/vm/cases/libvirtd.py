# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirtd as packaged, which sees nothing of the host that it could change.

It is the system's daemon in a mount namespace, where its directories are ours. Where
none can be made, as in a plain container, it is the daemon of a user without rights,
whose directories are ours because the environment says so.
"""

import functools
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

from vm.harness.guest import GuestError
from vm.harness.vm import CONFIGS

# Nothing of the host may be asked for, or changed: no other daemon, no security
# labels, no ownership of our files, no cgroups.
QEMU_CONF = """
stdio_handler = "file"
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
namespaces = [ ]
cgroup_controllers = [ ]
seccomp_sandbox = 0
"""
LIBVIRTD_CONF = """
listen_tls = 0
listen_tcp = 1
listen_addr = "127.0.0.1"
tcp_port = "{port}"
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
"""
# No client may start a daemon of its own.
os.environ["LIBVIRT_AUTOSTART"] = "0"
# Who the daemon is where it can't be the system's.
NOBODY = 65534
# The directories of the system that it writes to are ours, for it alone.
PRIVATE = r"""
cd "$0"
mount --make-rprivate /
umount -R -l /sys/fs/cgroup 2>/dev/null
mount --bind etc /etc/libvirt
mount --bind lib /var/lib
mount --bind log /var/log
mount --bind cache /var/cache
mount --bind run /run
exec /usr/sbin/libvirtd --listen -f "$0/etc/libvirtd.conf" -p "$0/libvirtd.pid"
"""


def _works(*command):
    return not subprocess.run([*command, "true"], check=False, capture_output=True).returncode


@functools.cache
def _namespace():
    """How to make a mount namespace here; None if that is not allowed."""
    how = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-r", "-m"]
    return how if _works(*how) else None


def _as_user():
    """How to become a user without rights, whom root alone need become."""
    return [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] \
        if os.geteuid() == 0 else []


def missing():
    """Why there can be no daemon here; None if there can."""
    if not shutil.which("virsh") or not pathlib.Path("/usr/sbin/libvirtd").exists():
        return "needs libvirt-clients and libvirt-daemon"
    if not _namespace() and not _works("setpriv", *_as_user(), "--pdeathsig=KILL"):
        return "may neither make a mount namespace nor become another user"
    return None


def users(root):
    """libvirt looks up a user that only a package of services makes."""
    names = root / "passwd", root / "group"
    lines = "libvirt-qemu:x:0:0::/:/bin/false\n", "libvirt-qemu:x:0:\n"
    for path, line in zip(names, lines):
        path.write_text(pathlib.Path("/etc", path.name).read_text(encoding="utf-8") + line)
    return {"LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": str(names[0]),
            "NSS_WRAPPER_GROUP": str(names[1])}


def domain_xml(name, kernel, root, console):
    """The domain of qemu-configs with a guest of ours, whose files are in root."""
    # Whom the daemon runs QEMU as may read nothing elsewhere.
    shutil.copy(kernel.image, root / "kernel")
    values = {"NAME": name, "KERNEL": root / "kernel", "INITRD": root / "initrd",
              "CONSOLE": console, "AGENT": root / "agent", "CMDLINE":
              "console=ttyS0 panic=-1 oops=panic loglevel=7 "
              f"panic_on_warn={kernel.panic_on_warn} "
              "memhp_default_state=online_movable vm.mod=ours"}
    xml = (CONFIGS / "libvirt-virtio-mem.xml.in").read_text()
    for key, value in values.items():
        xml = xml.replace(f"@{key}@", str(value))
    return xml


class Libvirtd:
    """The daemon, with all its files in a directory that nobody else uses."""

    def __init__(self, root):
        self._root, self._process = root, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        for name in ("etc", "lib", "log", "cache", "run", "etc/libvirt"):
            (root / name).mkdir()
        (root / "etc" / "qemu.conf").write_text(QEMU_CONF)
        # Where a user's daemon looks, which can give nothing to another user.
        (root / "etc" / "libvirt" / "qemu.conf").write_text(
            re.sub(r"(?m)^(user|group) = .*\n", "", QEMU_CONF))
        (root / "etc" / "libvirtd.conf").write_text(LIBVIRTD_CONF.format(port=self._port))
        kind = "system" if _namespace() else "session"
        self.local = f"qemu+unix:///{kind}?socket={root}/run/libvirt/libvirt-sock"
        self.remote = f"qemu+tcp://127.0.0.1:{self._port}/{kind}"
        self._env = os.environ | users(root)
        self._command = [*(_namespace() or ()), "sh", "-c", PRIVATE, root]
        if kind == "session":
            self._env |= {"HOME": str(root), "XDG_RUNTIME_DIR": f"{root}/run",
                          "XDG_CONFIG_HOME": f"{root}/etc", "XDG_CACHE_HOME": f"{root}/cache"}
            self._command = ["/usr/sbin/libvirtd", "--listen", "-f", f"{root}/etc/libvirtd.conf",
                             "-p", f"{root}/libvirtd.pid"]

    def own(self):
        """Give what is in the directory to whom the daemon and its guests run as."""
        if not _namespace() and os.geteuid() == 0:
            for path in (self._root, *self._root.rglob("*")):
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    def start(self):
        """Until it answers."""
        self.own()
        user = [] if _namespace() else _as_user()
        with (self._root / "libvirtd.log").open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                ["setpriv", *user, "--pdeathsig", "KILL", *self._command],
                env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while self.virsh("version", check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise GuestError((self._root / "libvirtd.log").read_text())
            time.sleep(0.2)

    def virsh(self, *words, check=True):
        """One virsh command."""
        return subprocess.run(["virsh", "-q", "-c", self.local, *words], check=check,
                              capture_output=True, text=True, timeout=60)

    def signal(self, number):
        """To the daemon itself."""
        os.kill(int((self._root / "libvirtd.pid").read_text()), number)

    def kill(self):
        """As a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()
