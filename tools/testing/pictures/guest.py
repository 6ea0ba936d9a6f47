# SPDX-License-Identifier: GPL-2.0-or-later
"""A shrink that is stuck, seen from host and guest: pictures of vmem, and a transcript."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from pictures.draw import png
from pictures.screen import Screen
from vm.cases.vmemctl import program
from vm.harness import initramfs
from vm.harness.vm import VM
from vm.tests.host.test_vmemctl_guest import guest_files, start_agent
from vm.tests.vmem.test_tool import files as vmem_files

ROWS, COLUMNS = 30, 100
CLEAR = "\x1b[H\x1b[2J"
SLICE = "/cg/system.slice"


def _files(kernel):
    """The guest agent, vmem, and script(1), which gives a program a terminal."""
    return (guest_files(kernel) | vmem_files(kernel) |
            initramfs.program(shutil.which("script"), "bin/script"))


class Story:
    """One guest, db, and those who look at it."""

    def __init__(self, vm, sockets):
        self._vm, self.guest = vm, vm.guest
        self._where = ["--qmp", f"{sockets}.qmp", "--agent", f"{sockets}.qga"]
        self.guest.ok("mkdir -p /cg /dev/pts; mount -t cgroup2 none /cg; "
                      f"mount -t devpts none /dev/pts; mkdir {SLICE}; "
                      "echo +memory >/cg/cgroup.subtree_control; "
                      f"echo +memory >{SLICE}/cgroup.subtree_control")
        start_agent(self.guest)

    def ctl(self, words):
        """A command on the host, with what it prints and how it ends."""
        done = subprocess.run([program(), *self._where, *words.split()], check=False,
                              capture_output=True, text=True)
        print(f"$ vmemctl {words}\n{done.stdout}{done.stderr}$ echo $?\n{done.returncode}\n",
              flush=True)

    def show(self, command):
        """A command in the guest, with what it prints."""
        out = self.guest.run(command, 120)[1].rstrip()
        print(f"# {command}\n{out}\n", flush=True)

    def hold(self, how, mib, service):
        """Have a service hold memory; its process."""
        group, log = f"{SLICE}/{service}.service", f"/tmp/{service}.log"
        self.guest.ok(f"mkdir -p {group}; echo $$ >{group}/cgroup.procs; "
                      f"setsid hold {how} {mib} >{log} 2>&1 & echo $! >/tmp/pid")
        self.guest.wait_line(log, "READY")
        return int(self.guest.read("/tmp/pid"))

    def record(self, command):
        """Begin to write down what a command shows on a terminal."""
        self.guest.spawn(f"script -q -f -c 'stty rows {ROWS} cols {COLUMNS}; TERM=xterm "
                         f"{command}' /tmp/typescript", "/tmp/script.log")

    def recorded(self):
        """The typescript without script's own lines. The agent's port ate the \\r."""
        lines = self.guest.ok("cat /tmp/typescript").splitlines()
        return "\r\n".join(l for l in lines if not l.startswith("Script "))

    def wait(self, *states):
        """Until the driver is in one of these states."""
        self._vm.wait(lambda: self.guest.attr("state") in states, f"state {states}", 120)


def _screens(text):
    """What a program that draws again and again has shown, one after the other."""
    return [Screen(ROWS, COLUMNS).write(part) for part in text.split(CLEAR)]


def tell(story, target):
    """All of it, in order."""
    story.ctl("set db 5G")
    story.wait("idle")
    story.hold("lock", 300, "database")
    pid = story.hold("splice", 48, "backup")
    story.record("vmem map")
    time.sleep(8)
    png(_screens(story.recorded())[-1], target / "vmem-map.png")

    story.record("vmem watch -i 0.2")
    time.sleep(2)
    story.ctl("set db 0 --timeout 20")
    story.guest.run("killall vmem; sleep 1")
    seen = _screens(story.recorded())
    busy = [s for s in seen if "taking back" in s.text() and " left" in s.text()]
    stuck = [s for s in seen if "waiting" in s.text()]
    png((busy or stuck)[len(busy) // 2], target / "vmem-watch.png")
    png(stuck[-1], target / "vmem-stuck.png")

    for command in ("vmem", "vmem why", "vmem check", "dmesg | grep 'virtio_mem.*:' | tail -n 4"):
        story.show(command)
    story.guest.kill(pid)
    story.ctl("set db 0 --timeout 60")
    story.show("vmem")
    story.show("dmesg | grep 'virtio_mem.*:' | tail -n 2")


def draw(target, series):
    """Write vmem-watch.png and vmem-map.png; print the transcript."""
    with tempfile.TemporaryDirectory() as scratch:
        sockets = pathlib.Path(scratch, str(os.getpid()))
        with VM("bb-128m", series, files=_files, options=(
                "-name", "db",
                "-qmp", f"unix:{sockets}.qmp,server=on,wait=off",
                "-device", "virtio-serial-pci",
                "-chardev", f"socket,id=qga,path={sockets}.qga,server=on,wait=off",
                "-device", "virtserialport,chardev=qga,name=org.qemu.guest_agent.0")) as vm:
            tell(Story(vm, sockets), target)
