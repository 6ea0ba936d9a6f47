# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine of a case, its guest, and how the guest gets back to nothing."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from vm.harness import accel, initramfs, kernels
from vm.harness.guest import GuestError
from vm.harness.qmp import QMPError
from vm.harness.vm import GIB, MIB, VM
from vm.states import machine as state_machine

CONFIG = """\
[machine]
  type = "q35"

[memory]
  size = "{boot}M"
  maxmem = "{most}"
  slots = "1"

[smp-opts]
  cpus = "2"

[object "vmem0"]
  qom-type = "memory-backend-ram"
  size = "{region}"
  reserve = "off"

[device "vm0"]
  driver = "virtio-mem-pci"
  memdev = "vmem0"
  block-size = "{block}"
  requested-size = "0"
"""
# clear_page() by "rep stosb" is what emulation is worst at: 8 times slower than
# by "rep stosq". Without erms the time to clear is nearer to that of hardware.
SLOW_CLEAR, FAST_CLEAR = "max", "max,-erms"
DISK = 512 * MIB
EMPTY = 20   # seconds within which a driver must be able to give back everything
GUEST = pathlib.Path(__file__).resolve().parent / "guest"


def files(kernel, disk, states):
    """The parts of a guest of the bench besides those of the tests."""
    out = state_machine.files(kernel) if states else {}
    out |= {f"bin/{f.stem}": (0o755, initramfs.compiled(f.stem, [f]))
           for f in GUEST.glob("*.c")}
    if disk:
        out |= initramfs.program(shutil.which("stress-ng"), "bin/stress-ng")
        order = initramfs.module_files(kernel, ("virtio_blk",))
        names = [re.sub(r"\.xz$", "", path.name) for path in order]
        out |= {f"disk/{name}": (0o644, initramfs.read_module(path))
                for name, path in zip(names, order)}
        out["disk/order"] = (0o644, "".join(f"/disk/{n}\n" for n in names).encode())
    return out


class Machine:
    """Keeps one guest for run after run, and replaces it when need be.

    boot, region, block   bytes: RAM at boot, the device's region and block
    online                memhp_default_state
    append                more for the kernel's command line
    cpu                   QEMU's -cpu under emulation
    disk                  whether there is a disk with an empty file system
    reporting             None, or it has what the memory states need: whether its
                          balloon reports free pages
    """

    # pylint: disable=too-many-arguments
    def __init__(self, series, *, region, block=128 * MIB, boot=2 * GIB,
                 online="online_movable", append="", cpu=FAST_CLEAR, disk=False,
                 reporting=None):
        self.series, self.region, self.block, self.boot = series, region, block, boot
        self._online, self._append, self.cpu, self._disk = online, append, cpu, disk
        self._reporting = reporting
        self.vm = None
        self.stale = False   # whether only a reset brings the guest back
        self.kernel = kernels.get(series)
        self.accel = accel.choose(self.kernel)[1].partition(",")[0]
        self._scratch = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))

    def describe(self):
        """For the results."""
        return {"boot": self.boot, "region": self.region, "block": self.block,
                "online": self._online, "append": self._append, "cpu": self.cpu,
                "disk": self._disk, "vcpus": 2} | (
                    {} if self._reporting is None else {"reporting": self._reporting})

    def _start(self):
        config = self._scratch / "bench.cfg"
        config.write_text(CONFIG.format(boot=self.boot // MIB, region=self.region,
                                        block=self.block,
                                        most=self.boot + self.region + 8 * GIB))
        options = ["-msg", "timestamp=on"]
        # Under KVM the guest has the host's CPU.
        if self.accel == "tcg":
            options += ["-cpu", self.cpu]
        if self._disk:
            image = self._scratch / "disk"
            with image.open("wb") as file:
                file.truncate(DISK)
            subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-F", str(image)],
                           check=True)
            options += ["-drive", f"file={image},format=raw,if=none,id=disk,cache=unsafe",
                        "-device", "virtio-blk-pci,drive=disk"]
        if self._reporting is not None:
            options += state_machine.options(self._reporting)
        self.vm = VM(config, self.series, mod="none", online=self._online,
                     reboots=True, append=self._append, options=options,
                     files=lambda kernel: files(kernel, self._disk,
                                                   self._reporting is not None))

    def _emptied(self):
        """Whether the guest is back to nothing plugged, and without a driver."""
        vm = self.vm
        # The same request again would be none, and wake nobody.
        vm.qmp.request("vm0", self.block)
        vm.qmp.request("vm0", 0)
        end = time.monotonic() + EMPTY
        while vm.qmp.size("vm0"):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        # The memory is gone, but the driver may not have said so yet.
        vm.guest.ok("sleep 0.2; [ ! -d /sys/module/virtio_mem ] || rmmod virtio_mem")
        return not vm.guest.added()

    def fresh(self):
        """A guest with nothing plugged and no driver: emptied, reset or new."""
        ways = [self._reset] if self.stale else [self._emptied, self._reset]
        for way in ways if self.vm else ():
            try:
                if way():
                    self.stale = False
                    return self.vm
            except (GuestError, QMPError, OSError):
                pass
        self.drop()
        self._start()
        return self.vm

    def _reset(self):
        self.vm.qmp.request("vm0", 0)
        self.vm.reset()
        return self.vm.qmp.size("vm0") == 0

    def drop(self):
        """End the guest."""
        vm, self.vm, self.stale = self.vm, None, False
        if vm:
            vm.stop(check=False)

    def close(self):
        """End the guest and remove what belongs to it."""
        self.drop()
        shutil.rmtree(self._scratch, ignore_errors=True)
