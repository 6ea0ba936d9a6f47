# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose between KVM and TCG by trying, and remember the outcome.

That /dev/kvm opens proves little: on some (nested) hosts a stock guest kernel
dies in its first instructions. So boot a guest for a moment, until it says that
it is up.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import threading

from vm.harness import initramfs, qemu
from vm.harness.cache import cache_dir

KVM = ("-accel", "kvm", "-cpu", "host")
LIMIT = 20


def _trial(kernel):
    """Does this kernel come up under KVM within the limit?"""
    image = initramfs.build(kernel, cache_dir("guest") / f"probe-{os.getpid()}.cpio")
    try:
        with subprocess.Popen(
                [qemu.get(kernel.arch).program, "-nodefaults", "-no-user-config",
                 "-display", "none", "-no-reboot", "-m", "512", *kernel.arch.machine, *KVM,
                 "-kernel", kernel.image, "-initrd", image, "-serial", "stdio",
                 "-append", f"console={kernel.arch.console} panic=-1 quiet vm.agent=0"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT) as running:
            timer = threading.Timer(LIMIT, running.kill)
            timer.start()
            try:
                for line in running.stdout:
                    # After an internal error QEMU only waits to be looked at.
                    if b"guest: ready" in line or b"KVM internal error" in line:
                        return b"guest: ready" in line
                return False
            finally:
                timer.cancel()
                running.kill()
    finally:
        image.unlink()


def choose(kernel):
    """QEMU options for the best accelerator that works here."""
    if (os.environ.get("VM_ACCEL") == "tcg" or kernel.arch.foreign or
            not os.access("/dev/kvm", os.W_OK)):
        return kernel.arch.tcg
    # A reboot or another host kernel can change the answer.
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    key = f"{boot} {os.uname().release} {kernel.kver} {qemu.get(kernel.arch).program}"
    memo = cache_dir("kvm") / hashlib.sha256(key.encode()).hexdigest()[:16]
    if not memo.exists():
        print(f"# does KVM work here? trying for up to {LIMIT} s", file=sys.stderr)
        answer = "yes" if _trial(kernel) else "no"
        temp = memo.with_name(f"{memo.name}.{os.getpid()}")
        temp.write_text(answer)
        temp.rename(memo)
    return KVM if memo.read_text() == "yes" else kernel.arch.tcg
