# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot a guest in QEMU, drive it, and never leave anything behind."""

import atexit
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from vm.harness import accel, console, initramfs, kernels, qemu
from vm.harness.cache import cache_dir
from vm.harness.guest import Guest, GuestError
from vm.harness.qmp import QMP

TOP = pathlib.Path(__file__).resolve().parents[4]
CONFIGS = TOP / "qemu-configs"
MIB, GIB = 1 << 20, 1 << 30
KEEP_RUNS = 100

# Every resource that is still in use; emptied by stop(), or at exit.
_running = set()
atexit.register(lambda: [vm.stop(check=False) for vm in list(_running)])


def our_module():
    """The virtio_mem.ko that make built. VM_MODULE overrides."""
    return pathlib.Path(os.environ.get("VM_MODULE") or TOP / "virtio_mem.ko")


def module_kver(path):
    """The kernel version that a module was built for, or None."""
    if not path.exists():
        return None
    found = re.search(rb"vermagic=(\S+)", path.read_bytes())
    return found.group(1).decode() if found else None


def run_dir(name):
    """A new directory for one run's logs; the oldest ones go."""
    base = cache_dir("runs")
    for old in sorted(base.iterdir())[:-KEEP_RUNS]:
        shutil.rmtree(old, ignore_errors=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return pathlib.Path(tempfile.mkdtemp(prefix=f"{stamp}-{name}-", dir=base))


class VM:
    """One guest.

    config   file in qemu-configs/ without its suffix, or the path of another
    series   guest kernel, a name of series.txt, or a kernels.Kernel of one's own
    mod      which driver the guest loads at boot: "ours", "stock", "none"
    mod_args parameters for it, "A=B,C=D"
    online   memhp_default_state
    reboots  whether the guest may reset (else that ends QEMU)
    allow    console patterns that this guest provokes on purpose
    files    function of the kernel: more files for the guest, see initramfs.cpio()
    options  more options for QEMU
    """

    # pylint: disable=too-many-instance-attributes,too-many-arguments
    def __init__(self, config, series=kernels.DEFAULT, *, mod="ours", mod_args="",
                 online="online_movable", reboots=False, append="", allow=(),
                 files=None, options=()):
        self.kernel = kernels.get(series) if isinstance(series, str) else series
        # By so much more time may anything take.
        self.slow = 4 if self.kernel.debug else 1
        # Set by who makes it panic: another kernel follows.
        self.panics = False
        self.allow = tuple(allow)
        config = CONFIGS / (config if "/" in str(config) else f"{config}.cfg")
        self.dir = run_dir(f"{config.stem}-{self.kernel.series}")
        self._sockets = pathlib.Path(tempfile.mkdtemp(prefix="vm-"))
        self._trace = self.dir / "trace.log"
        self._scanned = 0
        self._qemu = self._command = self.guest = self.qmp = None
        _running.add(self)
        try:
            self._boot(config, mod, mod_args, [*options] + ["-no-reboot"] * (not reboots),
                       f"memhp_default_state={online} {append}",
                       files(self.kernel) if files else None)
        except BaseException:
            self.stop(check=False)
            raise

    def _boot(self, config, mod, mod_args, more, append, files):
        module = our_module() if mod == "ours" or our_module().exists() else None
        if module and module_kver(module) != self.kernel.kver:
            if mod == "ours":
                raise RuntimeError(f"{module} is for {module_kver(module)}, the "
                                   f"guest runs {self.kernel.kver}; make KVER=...")
            module = None
        image = initramfs.build(self.kernel, self.dir / "initramfs.cpio", module, files)
        agent, monitor = self._sockets / "agent", self._sockets / "qmp"
        arch = self.kernel.arch
        append, memory = arch.hidden(append)
        line = (f"console={arch.console} panic=-1 oops=panic loglevel=7 vm.tty={arch.tty} "
                f"panic_on_warn={self.kernel.panic_on_warn} "
                f"vm.mod={mod} {append}") + (f" vm.arg={mod_args}" if mod_args else "")
        if self.kernel.debug:
            # The core takes all pages of a block without a pause; poisoned and
            # checked, and emulated, that can last.  Twice as much is a lockup.
            line += " watchdog_thresh=60"
        line += f" {self.kernel.append}"
        how = accel.choose(self.kernel)
        self.accel = how[1].partition(",")[0]
        if how == arch.tcg:
            line += f" {arch.boot}"
        # setpriv: even a harness that was killed leaves no QEMU.
        command = ["setpriv", "--pdeathsig", "KILL",
                   qemu.get(arch).program, "-nodefaults", "-no-user-config",
                   "-display", "none", "-readconfig", str(config),
                   *arch.machine, *memory, *how,
                   "-kernel", str(self.kernel.image), "-initrd", str(image),
                   "-append", line,
                   # Appended to, because a guest may move to another QEMU.
                   "-chardev", f"file,id=console,path={self.dir}/console.log,append=on",
                   "-serial", "chardev:console",
                   "-chardev", f"socket,id=agent,path={agent},server=on,wait=off",
                   *arch.agent,
                   # Frozen until we listen: what the guest says to nobody is lost.
                   "-S", "-qmp", f"unix:{monitor},server=on,wait=off",
                   "-trace", "virtio_mem_*", "-D", f"{self.dir}/trace.log",
                   *more]
        self._command = command
        self._start(command)
        self.qmp = self._monitor(monitor)
        self.guest = Guest(agent, self.alive, self.slow)
        self.qmp.cmd("cont")
        self.guest.wait_ready(180)
        image.unlink()  # the guest has it; it is the bulk of the directory

    def _start(self, command):
        """A QEMU process, stopped."""
        (self.dir / "command").write_text("\n".join(command) + "\n")
        self._qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL,
                                      stderr=(self.dir / "qemu.log").open("a"))

    def _monitor(self, path):
        deadline = time.monotonic() + 30
        while True:
            try:
                return QMP(path)
            except (FileNotFoundError, ConnectionRefusedError):
                self.alive()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    @property
    def pid(self):
        """QEMU's process."""
        return self._qemu.pid

    def alive(self):
        """Raise if QEMU ended or the guest's kernel gave up."""
        if self._qemu.poll() is not None:
            raise GuestError(f"QEMU ended ({self._qemu.returncode}); logs in "
                             f"{self.dir}: {self.tail()}")
        if "Kernel panic" in self.console() and not self.panics:
            raise GuestError(f"guest panicked; logs in {self.dir}: {self.tail()}")

    def migrate(self, bandwidth, meanwhile, timeout=60):
        """Move the guest to a second QEMU on this machine, by live migration.

        meanwhile() is called once it is under way, at so many bytes a second; then it
        goes on as fast as it can.
        """
        old, command = self._qemu, list(self._command)
        initrd = command.index("-initrd")
        del command[initrd:initrd + 2]      # it is gone, and the guest has it
        sockets = pathlib.Path(tempfile.mkdtemp(dir=self._sockets))
        command = [word.replace(f"path={self._sockets}/agent", f"path={sockets}/agent")
                   .replace(f"unix:{self._sockets}/qmp", f"unix:{sockets}/qmp")
                   .replace(f"{self.dir}/trace.log", f"{self.dir}/trace-{sockets.name}.log")
                   for word in command]
        trace = self.dir / f"trace-{sockets.name}.log"
        ours = self.qmp
        try:
            self._start([*command, "-incoming", f"unix:{sockets}/migration"])
            theirs = self._monitor(sockets / "qmp")
            ours.cmd("migrate-set-parameters", **{"max-bandwidth": bandwidth})
            ours.cmd("migrate", uri=f"unix:{sockets}/migration")
            self.wait(lambda: ours.cmd("query-migrate")["status"] == "active", "migrating", 30,
                      0.02)
            meanwhile()
            ours.cmd("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
            self.wait(lambda: ours.cmd("query-migrate")["status"] in ("completed", "failed"),
                      "migrated", timeout)
            if ours.cmd("query-migrate")["status"] == "failed":
                raise GuestError(f"migration failed; logs in {self.dir}: {self.tail()}")
            ours.close()
            self.qmp, self._trace = theirs, trace
            self.guest.moved(sockets / "agent")
        finally:
            old.kill()
            old.wait()
        theirs.cmd("cont")

    def console(self):
        """The console log so far."""
        path = self.dir / "console.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def tail(self, lines=25):
        """The logs' last lines, for an error message."""
        errors = self.dir / "qemu.log"
        text = (errors.read_text(errors="replace") if errors.exists() else "")
        return "\n" + "\n".join((text + self.console()).splitlines()[-lines:])

    def trace(self):
        """QEMU's log of every request and answer so far."""
        path = self._trace
        return path.read_text(errors="replace") if path.exists() else ""

    def scan(self, allow=()):
        """The console's lines since the last scan that must not be there."""
        text = self.console()
        new, self._scanned = text[self._scanned:], len(text)
        return console.scan(new, (*self.allow, *allow))

    def wait(self, condition, what, timeout=60, step=0.2):
        """Poll until condition() is true; return its value."""
        # Emulation on a host with other work: only that it ends is judged here.
        deadline = time.monotonic() + timeout * (2 if self.accel == "tcg" else 1) * self.slow
        if self.kernel.debug:
            # A look forks, which takes such a guest up to 100 ms, all its CPUs.
            step = max(step, 1)
        while True:
            value = condition()
            if value:
                return value
            self.alive()
            if time.monotonic() > deadline:
                self._autopsy()
                raise GuestError(f"not within {timeout} s: {what}; logs in {self.dir}")
            time.sleep(step)

    def _autopsy(self):
        """Write down what QEMU and the guest are doing, to tell which of them is stuck.

        Nothing on the console: some tests wait in vain on purpose.
        """
        with (self.dir / "autopsy").open("a") as out:
            for line in ("info status", "info registers -a", "info irq"):
                with contextlib.suppress(Exception):
                    out.write(f"{line}\n" + self.qmp.cmd(
                        "human-monitor-command", **{"command-line": line}) + "\n")
            for line in ("cat /proc/uptime /proc/interrupts",
                         "head -n 50 /sys/bus/virtio/devices/*/virtio_mem/*",
                         "head -n 20 /proc/[0-9]*/stack"):
                try:
                    out.write(f"{line}\n{self.guest.run(line, 20)[1]}\n")
                except Exception as error:  # pylint: disable=broad-except
                    out.write(f"{line}: {error!r}\n")
                    break

    def resize(self, size, device="vm0", want=None, timeout=90):
        """Request a size, and wait until want bytes (default: size) are plugged."""
        want = size if want is None else want
        self.qmp.request(device, size)
        self.wait(lambda: self.qmp.size(device) == want,
                  f"{device}: requested {size}, want {want}", timeout)

    def reset(self, timeout=180):
        """Hard reset, as the reset button does; wait until the agent is back."""
        self.qmp.cmd("system_reset")
        self.guest.wait_ready(timeout)

    def ends(self, timeout):
        """Wait until QEMU has ended by itself, because its guest has."""
        limit = timeout * (2 if self.accel == "tcg" else 1) * self.slow
        try:
            self._qemu.wait(limit)
        except subprocess.TimeoutExpired:
            raise GuestError(f"still up after {timeout} s; logs in {self.dir}") from None

    def stop(self, check=True):
        """End QEMU. With check, raise if the console shows something bad."""
        if self in _running:
            _running.discard(self)
            for end in (self.guest, self.qmp):
                if end:
                    end.close()
            if self._qemu:
                self._qemu.kill()
                self._qemu.wait()
            shutil.rmtree(self._sockets, ignore_errors=True)
            (self.dir / "initramfs.cpio").unlink(missing_ok=True)
        if check:
            hits = self.scan()
            if hits:
                raise GuestError(f"console: {hits}; logs in {self.dir}")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop(check=kind is None)
