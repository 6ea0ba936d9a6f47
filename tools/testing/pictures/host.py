# SPDX-License-Identifier: GPL-2.0-or-later
"""A picture of vmemctl top: four domains, two of them guests that run."""

import fcntl
import os
import pathlib
import pty
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time

from pictures.draw import png
from pictures.screen import Screen
from vm.cases.libvirtd import Libvirtd, domain_xml
from vm.cases.vmemctl import program
from vm.harness import initramfs, kernels
from vm.harness.guest import Guest
from vm.harness.vm import our_module

ROWS, COLUMNS, SECONDS = 12, 116, 25


class Domains:
    """libvirtd and its domains, in a directory of theirs."""

    def __init__(self, root, series):
        self._root, self._kernel = root, kernels.get(series)
        self.daemon = Libvirtd(root)
        self.daemon.start()
        self._guests = []

    def create(self, name, runs):
        """A domain; its guest, if it runs."""
        where = self._root / f"of-{name}"
        where.mkdir()
        initramfs.build(self._kernel, where / "initrd", our_module())
        (where / "xml").write_text(domain_xml(name, self._kernel, where, where / "console"))
        self.daemon.virsh("create", "--paused", str(where / "xml"))
        if not runs:
            return None
        guest = Guest(where / "agent", lambda: None)
        self._guests.append(guest)
        self.daemon.virsh("resume", name)
        guest.wait_ready(180)
        return guest

    def ask(self, name, size):
        """Request a size."""
        self.daemon.virsh("update-memory-device", name, "--node", "0",
                          "--requested-size", size, "--live")

    def end(self):
        """All of it; QEMU outlives the daemon."""
        for guest in self._guests:
            guest.close()
        for file in self._root.rglob("run/libvirt/qemu/*.pid"):
            pid = int(file.read_text())
            if str(self._root).encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        self.daemon.kill()


def _watch(command, then):
    """(seconds, screen) after each output of a command on a terminal.

    then   what to do after some seconds: {seconds: function}
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                          env=os.environ | {"TERM": "xterm"}) as process:
        begin, text, todo = time.monotonic(), "", dict(then)
        while (passed := time.monotonic() - begin) < SECONDS:
            for at in [at for at in todo if at < passed]:
                todo.pop(at)()
            if select.select([master], [], [], 0.1)[0]:
                text += os.read(master, 65536).decode()
            elif text:
                yield passed, Screen(ROWS, COLUMNS).write(text)
        process.kill()
    os.close(slave)
    os.close(master)


def draw(target, series):
    """Write vmemctl-top.png."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="vm-"))
    domains = Domains(root, series)
    try:
        web, db = domains.create("web", True), domains.create("db", True)
        domains.create("batch", False)
        domains.create("cache", False)
        domains.ask("web", "1G")
        domains.ask("db", "1G")
        domains.ask("batch", "2G")
        time.sleep(5)
        start, end = db.added()[0][0], db.added()[-1][1]
        db.spawn(f"memtool pin {start} {end}", "/tmp/pin")
        db.wait_line("/tmp/pin", "PINNED")
        domains.ask("db", "0")
        web.wait_line("/sys/bus/virtio/devices/virtio0/virtio_mem/state", "idle")
        db.wait_line("/sys/bus/virtio/devices/virtio0/virtio_mem/state", "waiting")
        best = None
        for _, screen in _watch([program(), "-c", domains.daemon.local, "top"],
                                {14: lambda: domains.ask("web", "3584M")}):
            if best is None or "growing" in screen.text():
                best = screen
        print(best.text(), flush=True)
        png(best, target / "vmemctl-top.png")
    finally:
        domains.end()
        shutil.rmtree(root, ignore_errors=True)
