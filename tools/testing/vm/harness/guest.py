# SPDX-License-Identifier: GPL-2.0-or-later
"""Talk to the agent in the guest, and read what the guest's kernel shows."""

import functools
import re
import select
import shlex
import socket
import time


class GuestError(Exception):
    """The guest died, does not answer, or a command that must work failed."""


class Guest:
    """The agent behind the guest's second serial port."""

    def __init__(self, path, alive, slow=1):
        self._alive, self._slow = alive, slow
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.connect(str(path))
        self._buffer = b""
        self._count = 0
        self._log = []

    def moved(self, path):
        """The guest has moved to another QEMU; no command is under way."""
        self._sock.close()
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.connect(str(path))

    def _read_until(self, pattern, timeout):
        """Read up to a match of the bytes pattern and return the match."""
        deadline = time.monotonic() + timeout * self._slow
        while True:
            found = re.search(pattern, self._buffer, re.DOTALL)
            if found:
                self._buffer = self._buffer[found.end():]
                return found
            if not select.select([self._sock], [], [], 0.5)[0]:
                self._alive()
                if time.monotonic() > deadline:
                    raise GuestError(f"no answer within {timeout} s: "
                                     f"{self._buffer[-500:]!r}")
                continue
            data = self._sock.recv(65536)
            if not data:
                self._alive()
                raise GuestError("the guest's serial port closed")
            self._buffer += data.replace(b"\r\n", b"\n")

    def wait_ready(self, timeout):
        """Wait until the agent says hello."""
        self._read_until(rb"<<agent>>\n", timeout)

    def run(self, command, timeout=60):
        """Run one line of shell in the guest: (exit status, output)."""
        if "\n" in command:
            raise ValueError("one line only")
        self._count += 1
        tag = f"c{self._count}"
        self._sock.sendall(f"{tag} {command}\n".encode())
        found = self._read_until(
            rb"<<%b\n(.*)\n%b (\d+)>>\n" % (tag.encode(), tag.encode()), timeout)
        return int(found.group(2)), found.group(1).decode(errors="replace")

    def ok(self, command, timeout=60):
        """Run a command that must succeed; return its output, stripped."""
        status, out = self.run(command, timeout)
        if status:
            raise GuestError(f"guest: {command!r}: status {status}: {out}")
        return out.strip()

    def leave(self, command):
        """Run what ends this guest, or its kernel; nothing comes back."""
        self._sock.sendall(f"end {command}\n".encode())

    def write(self, path, value):
        """Write to a file: (exit status, error text)."""
        return self.run(f"echo {shlex.quote(str(value))} > {path}")

    def read(self, path):
        """A file's text, stripped."""
        return self.ok(f"cat {path}")

    # --- what the kernel shows ---

    @functools.cached_property
    def page(self):
        """The size of a page in bytes."""
        return int(self.ok("grep -m 1 KernelPageSize: /proc/1/smaps").split()[1]) * 1024

    def mem_total(self):
        """MemTotal in bytes."""
        return int(self.ok("grep MemTotal: /proc/meminfo").split()[1]) * 1024

    def meminfo(self):
        """/proc/meminfo in bytes."""
        return {m[1]: int(m[2]) * 1024 for m in
                re.finditer(r"^(\S+):\s+(\d+) kB", self.read("/proc/meminfo"), re.M)}

    def zones(self):
        """{(node, zone): {spanned, present, managed}} in pages."""
        out, key = {}, None
        for line in self.read("/proc/zoneinfo").splitlines():
            head = re.match(r"Node (\d+), zone\s+(\S+)", line)
            if head:
                key = (int(head[1]), head[2])
                out[key] = {}
            field = re.match(r"\s+(spanned|present|managed)\s+(\d+)", line)
            if field and key:
                out[key][field[1]] = int(field[2])
        return out

    def iomem(self):
        """[(depth, start, end, name)] of /proc/iomem, end exclusive."""
        out = []
        for line in self.read("/proc/iomem").splitlines():
            m = re.match(r"( *)([0-9a-f]+)-([0-9a-f]+) : (.*)", line)
            out.append((len(m[1]) // 2, int(m[2], 16), int(m[3], 16) + 1, m[4]))
        return out

    def added(self):
        """[(start, end)] of memory that virtio_mem added, from /proc/iomem."""
        return [(start, end) for _, start, end, name in self.iomem()
                if name == "System RAM (virtio_mem)"]

    def lsmem_online(self):
        """[(start, end)] of online memory as lsmem sees it."""
        out = self.ok("lsmem -r -n -a -o RANGE,STATE")
        return [(int(m[1], 16), int(m[2], 16) + 1) for m in
                re.finditer(r"0x([0-9a-f]+)-0x([0-9a-f]+) online", out)]

    def memory_blocks(self, start, end):
        """{number: state} of the kernel's memory blocks in a range."""
        size = int(self.read("/sys/devices/system/memory/block_size_bytes"), 16)
        # One process for all of them: a guest without KVM forks slowly. -s, since
        # most may not be there.
        files = " ".join(f"memory{n}/state" for n in range(start // size, end // size))
        out = self.run(f"cd /sys/devices/system/memory && grep -Hs . {files}")[1]
        return {int(m[1]): m[2] for m in re.finditer(r"^memory(\d+)/state:(.*)$", out, re.M)}

    def dmesg(self):
        """The kernel log so far."""
        return self.ok("dmesg")

    # --- the driver ---

    def attr(self, name, index=0):
        """A file of the driver's sysfs group on the index-th device."""
        return self.read(f"$(ls -d /sys/bus/virtio/devices/*/virtio_mem | "
                         f"sed -n {index + 1}p)/{name}")

    def attrs(self, index=0):
        """The whole group, as {name: text}."""
        out = self.ok(f"cd $(ls -d /sys/bus/virtio/devices/*/virtio_mem | "
                      f"sed -n {index + 1}p) && grep -H . $(ls -p | grep -v /)")
        return dict(line.split(":", 1) for line in out.splitlines())

    def blocks(self, index=0):
        """[(start, end, count, state, zone, online, reason)] from debugfs."""
        out = self.ok(f"cat $(ls -d /sys/kernel/debug/virtio_mem/* | "
                      f"sed -n {index + 1}p)/blocks")
        rows = []
        for line in out.splitlines():
            span, count, *words = line.split()
            start, end = (int(x, 16) for x in span.split("-"))
            rows.append((start, end + 1, int(count), *words))
        return rows

    # --- helpers that run on in the guest ---

    def spawn(self, command, log):
        """Run in the background; returns the process id."""
        return int(self.ok(f"rm -f {log}; "
                           f"setsid {command} >>{log} 2>&1 & echo $!"))

    def wait_line(self, log, pattern, timeout=120):
        """Wait until a log file's last line matches; returns the match."""
        deadline = time.monotonic() + timeout * self._slow
        while True:
            lines = self.run(f"cat {log}")[1].strip().splitlines()
            found = re.match(pattern, lines[-1]) if lines else None
            if found:
                return found
            if time.monotonic() > deadline or (
                    lines and re.match("(memtool|fill):", lines[-1])):
                raise GuestError(f"{log}: wanted {pattern!r}, got {lines[-3:]}")
            time.sleep(0.3)

    def kill(self, pid):
        """End a spawned helper and wait until its memory is free."""
        self.run(f"kill -9 {pid}")
        for _ in range(200):
            if self.run(f"kill -0 {pid}")[0]:
                return
            time.sleep(0.1)
        raise GuestError(f"process {pid} does not die")

    def close(self):
        """Hang up."""
        self._sock.close()


class Pattern:
    """A guest process that owns patterned memory and can verify it.

    program, how: which one, and what it shall be told after size and seed
    """

    # pylint: disable-next=too-many-arguments
    def __init__(self, guest, size, seed=1, program="memtool pattern", how=""):
        self._guest = guest
        self._name = f"/tmp/pattern{seed}"
        guest.ok(f"rm -f {self._name}; mkfifo {self._name}")
        # Opened for reading and writing, the FIFO never reports an end.
        self.pid = guest.spawn(f"{program} {size} {seed} {how} <>{self._name}",
                               f"{self._name}.log")
        guest.wait_line(f"{self._name}.log", "READY", 300)

    def _ask(self, line, timeout=120):
        self._guest.ok(f": >{self._name}.log; echo {line} >{self._name}")
        return self._guest.wait_line(f"{self._name}.log", ".+", timeout).group(0)

    def check(self):
        """Every byte: "OK pages" or "BAD offset want got"."""
        return self._ask("check")

    def last(self):
        """As check(), and free it all ("fill anon" only)."""
        return self._ask("last", 300)

    def poison(self, start, end):
        """Declare one of its pages in a physical range broken ("fill anon" only)."""
        answer = self._ask(f"poison {start} {end}")
        if not answer.startswith("POISONED"):
            raise GuestError(answer)

    def pages_in(self, start, end):
        """How many of its pages lie in a physical range now."""
        return int(self._ask(f"in {start} {end}"))
