# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole Debian guest: a disk, systemd, and the kernel and initramfs that it has made."""

import pathlib
import subprocess
import tempfile
import time

from vm.harness import accel, console
from vm.harness.guest import Guest, GuestError
from vm.harness.qmp import QMP
from vm.harness.vm import CONFIGS


class Machine:
    """One boot of the disk.

    disk       raw ext4
    kernel     a vm.harness Kernel: which of the disk's kernels to boot
    logs       directory for the logs
    name       of the logs
    requested  bytes that the device asks for from the start
    append     of the kernel's command line
    """

    # pylint: disable=too-many-arguments
    def __init__(self, disk, kernel, logs, name, requested=0, append=""):
        self.kver, self._log = kernel.kver, logs / f"{name}.console"
        self._scratch = tempfile.TemporaryDirectory(prefix="deb-")
        scratch = pathlib.Path(self._scratch.name)
        for file in ("vmlinuz", "initrd.img"):
            self._dump(disk, f"/boot/{file}-{kernel.kver}", scratch / file)
        how = accel.choose(kernel)
        # Emulated, with everything else on the host's CPUs: only that it ends counts.
        self.slow = 4 if how == kernel.arch.tcg else 1
        line = (f"root=/dev/vda rw console=ttyS0 loglevel=7 panic=-1 oops=panic "
                f"systemd.show_status=0 {append}")
        if how == kernel.arch.tcg:
            line += f" {kernel.arch.boot}"
        self._qemu = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-nodefaults",
             "-no-user-config", "-display", "none", "-no-reboot", *how,
             "-readconfig", str(CONFIGS / "bb-128m.cfg"),
             "-set", f"device.vm0.requested-size={requested}",
             "-drive", f"file={disk},if=none,id=root,format=raw,cache=unsafe",
             "-device", "virtio-blk-pci,drive=root",
             "-kernel", str(scratch / "vmlinuz"), "-initrd", str(scratch / "initrd.img"),
             "-append", line, "-serial", f"file:{self._log}",
             "-chardev", f"socket,id=agent,path={scratch}/agent,server=on,wait=off",
             "-serial", "chardev:agent",
             "-S", "-qmp", f"unix:{scratch}/qmp,server=on,wait=off"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(logs / f"{name}.qemu").open("w"))
        self.guest = None
        try:
            self.qmp = self._connect(scratch / "qmp")
            self.guest = Guest(scratch / "agent", self.alive, self.slow)
            self.qmp.cmd("cont")
            self.guest.wait_ready(120)
        except BaseException:
            self.kill()
            raise

    @staticmethod
    def _dump(disk, source, target):
        """A file out of the disk, which nobody has mounted."""
        subprocess.run(["/sbin/debugfs", "-R", f"dump {source} {target}", disk], check=True,
                       capture_output=True)
        if not target.exists() or not target.stat().st_size:
            raise GuestError(f"{source} is not on the disk")

    def _connect(self, path):
        for _ in range(600):
            try:
                return QMP(path)
            except (FileNotFoundError, ConnectionRefusedError):
                self.alive()
                time.sleep(0.05)
        raise GuestError("QEMU does not answer")

    def alive(self):
        """Raise if QEMU has ended or the guest's kernel has given up."""
        if self._qemu.poll() is not None:
            raise GuestError(f"QEMU has ended: {self._qemu.returncode}; {self._log}")
        if "Kernel panic" in self.console():
            raise GuestError(f"guest panicked; {self._log}")

    def console(self):
        """The console so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def wait(self, condition, what, timeout=60):
        """Poll until the condition is true."""
        deadline = time.monotonic() + timeout * self.slow
        while not condition():
            self.alive()
            if time.monotonic() > deadline:
                raise GuestError(f"not within {timeout} s: {what}")
            time.sleep(0.5)

    def resize(self, size):
        """Request a size and wait until that is what the guest has."""
        self.qmp.request("vm0", size)
        self.wait(lambda: self.qmp.size("vm0") == size, f"{size} bytes plugged")

    def end(self):
        """Shut down as a reboot does, and return what must not be on the console."""
        # The agent may be gone before it could answer.
        self.guest.leave("systemctl --no-block reboot")
        try:
            self._qemu.wait(120 * self.slow)
        except subprocess.TimeoutExpired as error:
            raise GuestError(f"the guest does not shut down; {self._log}") from error
        finally:
            self.kill()
        return console.scan(self.console())

    def kill(self):
        """Let nothing go on."""
        for end in (self.guest, getattr(self, "qmp", None)):
            if end:
                end.close()
        self._qemu.kill()
        self._qemu.wait()
        self._scratch.cleanup()
