# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt resizes the guest, saves it and restores it: virsh.

No daemon is needed: virsh itself becomes the driver ("embed"), with all its
files in a directory of ours. It must stay open for as long as the domain runs.
"""

import atexit
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import uuid

from vm.cases.case import MIB, PAGE, POOL
from vm.cases.libvirtd import QEMU_CONF, domain_xml, users
from vm.harness import console, initramfs, kernels
from vm.harness.guest import Guest, GuestError, Pattern
from vm.harness.vm import our_module, run_dir

END = "end-of-answer"


class Virsh:
    """One interactive virsh, as the embedded driver lives and dies with it."""

    def __init__(self, root):
        (root / "etc").mkdir(parents=True)
        (root / "etc" / "qemu.conf").write_text(QEMU_CONF)
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "virsh", "-q", "-c",
             f"qemu:///embed?root={root}"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | users(root))

    def run(self, command, timeout=60):
        """One virsh command; returns what it printed."""
        self._process.stdin.write(f"{command}\necho {END}\n".encode())
        self._process.stdin.flush()
        out, deadline = "", time.monotonic() + timeout
        while True:
            # virsh shows its prompt and what it reads, too: the end is where
            # our word stands at the beginning of a line. No newline follows.
            answer, found, _ = out.partition(f"\n{END}")
            if found:
                return answer
            left = max(0, deadline - time.monotonic())
            if not select.select([self._process.stdout], [], [], left)[0]:
                raise GuestError(f"virsh {command}: no answer in {timeout} s: {out}")
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                raise GuestError(f"virsh ended: {out}")
            out += data.decode(errors="replace")

    def close(self):
        """End virsh."""
        self._process.kill()
        self._process.communicate()


class Libvirt(unittest.TestCase):
    """A domain from our XML."""

    at = ""
    base = 0            # MemTotal with nothing plugged
    config = "libvirt"  # a group of its own: it shares no guest

    def setUp(self):
        if not shutil.which("virsh") or not pathlib.Path(
                "/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/"
                "libvirt_driver_qemu.so").exists():
            self.skipTest("needs libvirt-clients and libvirt-daemon")
        POOL.drop()
        self.kernel = kernels.get(POOL.series)
        self.logs = run_dir(f"libvirt-{POOL.series}")
        # Short, because the length of a unix socket's path is limited.
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="vm-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.addCleanup(self.kill_qemu)
        # Cleanups don't run in a thread that an interrupted run abandons.
        atexit.register(self.kill_qemu)
        self.addCleanup(atexit.unregister, self.kill_qemu)
        self.name = f"virtio-mem-test-{os.getpid()}"
        self.virsh = Virsh(self.root / "libvirt")
        self.addCleanup(self.virsh.close)
        self.assertIn("QEMU", self.virsh.run("version", 30))

    def kill_qemu(self):
        """QEMU outlives virsh; end exactly the one that we started."""
        for file in self.root.rglob(f"{self.name}.pid"):
            pid = int(file.read_text())
            try:
                command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if self.name.encode() in command:
                os.kill(pid, signal.SIGKILL)

    def start(self):
        """Write the XML, create the domain, connect to the guest."""
        log = self.logs / "console.log"
        initramfs.build(self.kernel, self.root / "initrd", our_module())
        xml = domain_xml(self.name, self.kernel, self.root, log)
        # So that it can be defined while it runs.
        xml = xml.replace("</name>", f"</name><uuid>{uuid.uuid4()}</uuid>", 1)
        (self.root / "domain.xml").write_text(xml)
        said = self.virsh.run(f"create --paused {self.root}/domain.xml")
        self.assertIn("paused", self.virsh.run(f"domstate {self.name}"), said)
        # Paused until we listen: what the guest says to nobody is lost.
        guest = Guest(self.root / "agent", lambda: None)
        self.addCleanup(guest.close)
        self.virsh.run(f"resume {self.name}")
        guest.wait_ready(180)
        return guest, log

    def current(self):
        """The plugged size in bytes, as libvirt has it."""
        xml = self.virsh.run(f"dumpxml {self.name}")
        return int(re.search(r"<current unit='KiB'>(\d+)<", xml)[1]) * 1024

    def resize(self, guest, size):
        """Have virsh request so many MiB; libvirt's <current> and the guest agree."""
        self.virsh.run(f"update-memory-device {self.name} --node 0 "
                       f"--requested-size {size}M --live")
        deadline = time.monotonic() + 90
        while (self.current(), guest.mem_total() - self.base, guest.attr("state")) \
                != (size * MIB, size * MIB, "idle"):
            if time.monotonic() > deadline:
                self.fail(f"want {size} MiB: libvirt {self.current()}, guest "
                          f"{guest.mem_total() - self.base}, {guest.attrs()}")
            time.sleep(0.3)

    def end(self, guest, log):
        """Destroy the domain, which has nothing added."""
        self.assertEqual(guest.added(), [])
        self.virsh.run(f"destroy {self.name}")
        self.assertEqual(console.scan(log.read_text(errors="replace")), [])

    def test_update_memory_device(self):
        """Up and down."""
        guest, log = self.start()
        self.base = guest.mem_total()
        for size in (1024, 256, 1280, 0):
            self.at = f"size {size}"
            self.resize(guest, size)
        self.end(guest, log)

    def test_save_and_restore(self):
        """virsh save, restore, managedsave and start: memory and data are as before."""
        guest, log = self.start()
        self.base = guest.mem_total()
        self.resize(guest, 512)
        pattern = Pattern(guest, 128 * MIB)
        self.virsh.run(f"define {self.root}/domain.xml")
        for leave, come in ((f"save {self.name} {self.root}/saved", f"restore {self.root}/saved"),
                            (f"managedsave {self.name}", f"start {self.name}")):
            self.at = leave
            self.virsh.run(leave, 120)
            self.assertIn("shut off", self.virsh.run(f"domstate {self.name}"))
            self.assertEqual(console.scan(log.read_text(errors="replace")), [])
            self.virsh.run(come, 120)
            self.assertIn("running", self.virsh.run(f"domstate {self.name}"))
            guest.moved(self.root / "agent")
            self.assertEqual(guest.mem_total() - self.base, 512 * MIB)
            self.assertEqual(self.current(), 512 * MIB)
            self.assertEqual(pattern.check(), f"OK {128 * MIB // PAGE}")
            self.resize(guest, 1024)
            self.resize(guest, 512)
        guest.kill(pattern.pid)
        self.resize(guest, 0)
        self.end(guest, log)
