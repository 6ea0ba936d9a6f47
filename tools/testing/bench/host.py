# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's view of a resize: QEMU's log of requests, and its memory."""

import re
import threading
import time

PAGE = 4096
# -msg timestamp=on puts "PID@SECONDS:" in front.
LINE = re.compile(r"\d+@([\d.]+):virtio_mem_(\w+) ?(.*)")
POLL = 0.005


class Requests:
    """Follows QEMU's log: what is plugged, since when, by how many requests."""

    def __init__(self, vm, block, size):
        self._path, self._block = vm.dir / "trace.log", block
        self._file = self._path.open(errors="replace")
        self._file.seek(0, 2)
        self._open, self._rest = None, ""
        self.size = size
        self.count = {}      # by kind
        self.refused = 0     # answers other than ACK
        self.steps = []      # (time, size after it), one an answer that changed it
        self.times = []      # when a request came

    def poll(self):
        """Read on; returns the bytes that are plugged now."""
        lines = (self._rest + self._file.read()).split("\n")
        self._rest = lines.pop()
        for line in lines:
            found = LINE.match(line)
            if found:
                self._take(float(found[1]), found[2], found[3])
        return self.size

    def _take(self, when, what, args):
        if what in ("plug_request", "unplug_request", "unplug_all_request",
                    "state_request"):
            blocks = re.search(r"nb_blocks=(\d+)", args)
            sign = {"plug_request": 1, "unplug_request": -1}.get(what, 0)
            self._open = sign * int(blocks[1]) if blocks else 0
            self.count[what] = self.count.get(what, 0) + 1
            self.times.append(when)
        elif what == "unplugged_all":
            self.size = 0
            self.steps.append((when, 0))
        elif what == "send_response" and self._open is not None:
            if args.strip() != "type=0":
                self.refused += 1
            elif self._open:
                self.size += self._open * self._block
                self.steps.append((when, self.size))
            self._open = None

    def close(self):
        """Let go of the file."""
        self._file.close()


class Resident(threading.Thread):
    """Sums up how much memory becomes resident in QEMU, whatever is given back.

    Looking only before and after would miss memory that is touched and then
    discarded, which is what a careless unplug does. Between two looks more may
    be discarded than touched, so the sum can be a little low.
    """

    def __init__(self, pid):
        super().__init__(daemon=True)
        self._path = f"/proc/{pid}/statm"
        self._end = threading.Event()
        self.before = self.after = self.peak = self._pages()
        self.added = 0

    def _pages(self):
        with open(self._path, encoding="ascii") as file:
            return int(file.read().split()[1])

    def run(self):
        while not self._end.wait(POLL):
            self._look()

    def _look(self):
        try:
            pages = self._pages()
        except (OSError, IndexError):
            return   # QEMU has ended; others notice that
        self.added += max(0, pages - self.after)
        self.after, self.peak = pages, max(self.peak, pages)

    def stop(self):
        """Bytes that became resident since start()."""
        self._end.set()
        self.join()
        self._look()
        return self.added * PAGE


def now():
    """The clock of QEMU's log."""
    return time.time()
