# SPDX-License-Identifier: GPL-2.0-or-later
"""Who brings a guest into a state, knows what must hold in it, and tidies up.

It needs the guest's agent and QEMU's monitor only, whichever driver there is.
"""

import re

from vm.harness.guest import GuestError, Pattern
from vm.harness.vm import MIB

DISK = "/disk"
FILE = f"{DISK}/data"
# Who still writes to it may need a moment.
UMOUNT = f"for i in $(seq 50); do umount {DISK} && exit; sleep 0.2; done; false"
CGROUP = "/sys/fs/cgroup/state"
KSM = "/sys/kernel/mm/ksm"
BLOCK = 128 * MIB  # Linux's memory block in these guests
LONG = 300        # seconds that any preparation may take
SEED = 7          # of files
WRITTEN = 64 * MIB  # of a file that is to be cached; the rest is allocated only


class Actor:
    """One state of one guest, from nothing plugged until it is left."""

    def __init__(self, vm):
        self.vm, self.guest = vm, vm.guest
        self.base = vm.guest.mem_total()
        self.balloon = 0          # bytes that the balloon has taken
        self._patterns, self._pids, self._files, self._undo = [], [], [], []
        self._in = ""             # what puts a process into the cgroup
        self._oom = self.counters()["oom_kill"]

    def counters(self):
        """/proc/vmstat."""
        lines = (line.split() for line in self.guest.read("/proc/vmstat").splitlines())
        return {name: int(value) for name, value in lines}

    def undo(self, command):
        """Have release() do this, last things first: a command in the guest, or a function."""
        self._undo.append(command)

    def insmod(self, module, unload=False):
        """Load a module of the state guests, and what it needs, if it isn't built in."""
        self.guest.ok(f"[ -d /sys/module/{module} ] || while read -r m; do "
                      f"insmod $m 2>&-; done </state/{module}.order; "
                      f"[ ! -s /state/{module}.order ] || [ -d /sys/module/{module} ]", LONG)
        if unload:
            self.undo(f"rmmod {module}")

    def setting(self, path, value):
        """Write to a file of the kernel, until the state is left."""
        old = self.guest.read(path)
        chosen = re.search(r"\[(\w+)\]", old)
        self.undo(f"echo {chosen[1] if chosen else old} >{path}")
        self.guest.ok(f"echo {value} >{path}")

    def sysctl(self, name, value):
        """Set one, until the state is left."""
        self.setting("/proc/sys/" + name.replace(".", "/"), value)

    # --- memory that comes and goes ---

    def grow(self, size, online="online_movable"):
        """To so many bytes, online by themselves."""
        self.guest.ok(f"echo {online} >/sys/devices/system/memory/auto_online_blocks")
        self.vm.resize(size, timeout=60)
        self.vm.wait(lambda: self.is_total(size), f"{size} bytes online", 60)

    def is_total(self, size):
        """Whether MemTotal is right for so many bytes plugged."""
        return self.guest.mem_total() == self.base + size - self.balloon

    def mixed(self, size, last):
        """Grow; the last blocks go to a kernel zone, the others to ZONE_MOVABLE."""
        self.guest.ok("echo offline >/sys/devices/system/memory/auto_online_blocks")
        self.vm.resize(size, timeout=60)
        device = self.vm.qmp.memory_device("vm0")
        start = device["memaddr"]
        self.vm.wait(lambda: len(self.guest.memory_blocks(start, start + size))
                     == size // BLOCK, "blocks", 60)
        for number in self.guest.memory_blocks(start, start + size):
            how = "kernel" if number * BLOCK >= start + size - last * BLOCK else "movable"
            self.guest.ok(f"echo online_{how} "
                          f">/sys/devices/system/memory/memory{number}/state")
        self.vm.wait(lambda: self.is_total(size), f"{size} bytes online", 60)

    # --- who uses it ---

    def _spawn(self, command, log):
        pid = self.guest.spawn(command, log)
        self._pids.append(pid)
        return pid

    def anon(self, size, how=""):
        """A process with that much anonymous memory, to be verified in the end."""
        pattern = Pattern(self.guest, size, len(self._patterns) + 1, f"{self._in}fill anon", how)
        self._patterns.append(pattern)
        self._pids.append(pattern.pid)
        return pattern

    def leave(self, size, what="available", how="lock"):
        """A process that takes memory until that much is left."""
        log = f"/tmp/leave{len(self._pids)}"
        self._spawn(f"fill leave {size} {what} {how}", log)
        self.guest.wait_line(log, "READY", LONG)

    def churn(self, command):
        """A process that does something over and over."""
        self._spawn(f"{self._in}sh -c 'while {command}; do :; done'", "/tmp/churn")

    # --- files ---

    def disk(self):
        """Mount the disk."""
        if UMOUNT in self._undo:
            return
        self.insmod("virtio_blk")
        self.guest.ok(f"mkdir -p {DISK}; mount -t ext4 /dev/vda {DISK}")
        self.undo(UMOUNT)

    def write(self, size, path=FILE):
        """Write a file, without sync; it will be verified."""
        self.guest.ok(f"{self._in}fill write {path} {size} {SEED}", LONG)
        self._files.append((path, size, size))

    def cached(self, size, times=1):
        """Have that much of a file in the page cache, clean; read so many times."""
        self.disk()
        if self.guest.run(f"[ $(stat -c %s {FILE}) -ge {size} ]")[0]:
            self.guest.ok(f"fill write {FILE} {WRITTEN} {SEED} && "
                          f"fallocate -l {size} {FILE} && sync", LONG)
        self.guest.ok(f"echo 1 >/proc/sys/vm/drop_caches; for i in $(seq {times}); do "
                      f"dd if={FILE} of=/dev/null bs=1M count={size // MIB} 2>&-; done", LONG)
        self._files.append((FILE, size, WRITTEN))

    def throttle(self, rate):
        """Let QEMU write that many bytes a second only to the disk; 0: no limit."""
        if rate:
            self.undo(lambda: self.throttle(0))
        self.vm.qmp.cmd("block_set_io_throttle", device="data", bps=0, bps_rd=0,
                        bps_wr=rate, iops=0, iops_rd=0, iops_wr=0)

    # --- swap ---

    def swap(self):
        """Swap on a disk of 4 GiB."""
        self.insmod("virtio_blk")
        self._swapon("/dev/vdb")

    def swap_file(self, size):
        """Swap in a file on ext4."""
        self.disk()
        self.undo(f"rm {DISK}/swap")
        self.guest.ok(f"fallocate -l {size} {DISK}/swap && chmod 600 {DISK}/swap", LONG)
        self._swapon(f"{DISK}/swap")

    def zram(self, size):
        """Swap in memory."""
        self.insmod("zram", unload=True)
        self.guest.ok(f"echo {size} >/sys/block/zram0/disksize")
        self._swapon("/dev/zram0")

    def zswap(self):
        """Have pages compressed in memory before they go to swap."""
        self.insmod("zsmalloc")
        self.insmod("lzo")
        self.setting("/sys/module/zswap/parameters/enabled", "Y")

    def _swapon(self, device):
        self.guest.ok(f"mkswap {device} && swapon {device}")
        self.undo(f"swapoff {device}")

    def shmem(self, size):
        """A file in a tmpfs of its own."""
        self.guest.ok("mkdir -p /shm && mount -t tmpfs -o size=100% shm /shm")
        self.undo("umount /shm")
        self.write(size, "/shm/data")

    def cgroup(self):
        """A memory cgroup, in which all is that comes from now on."""
        self.guest.ok("grep -q ' /sys/fs/cgroup ' /proc/mounts || "
                      "mount -t cgroup2 cgroup /sys/fs/cgroup; "
                      f"cd /sys/fs/cgroup && echo +memory >cgroup.subtree_control && "
                      f"mkdir {CGROUP}")
        self.undo(f"rmdir {CGROUP}")
        self._in = "ingroup "

    # --- special pages ---

    def limit(self, size):
        """Limit the cgroup to that much."""
        self.guest.ok(f"echo {size} >{CGROUP}/memory.max")

    def reclaim(self, size):
        """Reclaim that much of the cgroup's memory, as far as it goes."""
        self.guest.run(f"echo {size} >{CGROUP}/memory.reclaim", LONG)

    def merge(self, size):
        """Let KSM work until it has saved so many bytes."""
        self.undo(f"echo 0 >{KSM}/run")
        self.guest.ok(f"cd {KSM} && echo 20000 >pages_to_scan && echo 10 >sleep_millisecs "
                      "&& echo 1 >run")
        self.vm.wait(lambda: int(self.guest.read(f"{KSM}/pages_sharing")) * 4096 >= size,
                     "merged", LONG)
        # They stay merged. Who scans all the time keeps pages from being moved.
        self.guest.ok(f"echo 0 >{KSM}/run")

    def pool(self, count):
        """A pool of so many hugetlb pages of 2 MiB."""
        self.sysctl("vm.nr_hugepages", count)
        have = int(self.guest.read("/proc/sys/vm/nr_hugepages"))
        if have != count:
            raise GuestError(f"{have} hugetlb pages instead of {count}")

    def poison(self):
        """Declare one page of the process started last broken, in what was added."""
        device = self.vm.qmp.memory_device("vm0")
        self._patterns[-1].poison(device["memaddr"], device["memaddr"] + device["max-size"])

    # --- devices ---

    def inflate(self, size):
        """Have so many bytes in the balloon."""
        if self.guest.run("[ -d /sys/module/virtio_balloon ]")[0]:
            self.balloon_driver()
        self.target(size)
        self.vm.wait(lambda: self.taken() == size, f"balloon of {size} bytes", 60)
        self.balloon = size

    def balloon_driver(self):
        """Without it nothing is taken."""
        self.insmod("virtio_balloon", unload=True)

    def _most(self):
        """The size that the balloon counts from, without plugged memory (QEMU 7.2)."""
        return self.vm.qmp.cmd("query-memory-size-summary")["base-memory"]

    def target(self, size):
        """Ask the balloon for so many bytes, and don't wait."""
        self.vm.qmp.cmd("balloon", value=self._most() - size)

    def taken(self):
        """Bytes that the balloon has now."""
        return self._most() - self.vm.qmp.cmd("query-balloon")["actual"]

    # --- the end ---

    def losses(self):
        """Who died; empty if nobody did."""
        out = [f"process {pid} died" for pid in self._pids
               if self.guest.run(f"kill -0 {pid}")[0]]
        killed = self.counters()["oom_kill"] - self._oom
        if killed:
            out.append(f"{killed} killed for want of memory")
        return out

    def faults(self):
        """Conditions that must hold and do not; asked last, because asking frees memory."""
        out = self.losses()
        if out:
            return out
        checks = [pattern.last() for pattern in self._patterns]
        checks += [self.guest.run(f"fill check {path} {size} {SEED} {written}", LONG)[1].strip()
                   for path, size, written in self._files]
        return [answer for answer in checks if not answer.startswith("OK")]

    def release(self):
        """Give back whatever this state has taken, also if it was reached in part only."""
        pids, self._pids, self._patterns = self._pids, [], []
        for pid in pids:
            self.guest.run(f"kill -9 -{pid}")
        for pid in pids:
            self.guest.kill(pid)
        if self.balloon:
            self.inflate(0)
        undo, self._undo = self._undo, []
        failed = [c for c in reversed(undo)
                  if (c() if callable(c) else self.guest.run(c, LONG)[0])]
        if failed:
            raise GuestError(f"could not tidy up: {failed}")
