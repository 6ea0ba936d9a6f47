# SPDX-License-Identifier: GPL-2.0-or-later
"""One memory device in software: orders to it, and what it says."""

import re

import mocks
from mocks import ADDR, SIZE, ranges

__all__ = ["ADDR", "DIR", "SIZE", "Mock", "ranges"]

DIR = f"{mocks.DIR}/0"


class Mock:
    """Orders to the device, and what it says."""

    ends = True     # it can end in ways that need a new driver: see load.py

    def __init__(self, guest):
        self._guest = guest

    def loaded(self):
        """Whether the module is there."""
        return self._guest.run(f"[ -d {DIR} ]")[0] == 0

    def load(self, block_size, args=""):
        """insmod."""
        self._guest.ok(f"insmod /mod/virtio_mem_mock.ko addr={ADDR:#x} "
                       f"size={SIZE} block_size={block_size} {args}", 120)

    def unload(self):
        """rmmod."""
        self._guest.ok("rmmod virtio_mem_mock")

    def order(self, name, text, timeout=60):
        """Write to one of its files."""
        self._guest.ok(f"echo '{text}' >{DIR}/{name}", timeout)

    def read(self, name):
        """What one of its files says."""
        return self._guest.read(f"{DIR}/{name}")

    def request(self, size):
        """As a host that wants another size."""
        self.order("requested", size)

    def fault(self, text):
        """Misbehave."""
        self.order("fault", text)

    def behave(self):
        """No faults, no lies, nothing pending, the device there."""
        self._guest.ok(f"cd {DIR}; echo clear >fault; echo truth >config; "
                       "echo now >pending; "
                       "if grep -q absent device; then echo add >device; fi")

    def plugged(self):
        """[(start, end)] by its bitmap."""
        return ranges(self.read("plugged"))

    def size(self):
        """Bytes that are plugged."""
        return sum(end - start for start, end in self.plugged())

    def config(self):
        """The configuration space, as the driver sees it."""
        return {m[1]: int(m[2]) for m in
                re.finditer(r"^(\w+) (\d+)", self.read("config"), re.M)}

    def pending(self):
        """How many requests are not answered yet."""
        return int(self.read("pending"))

    def violations(self):
        """{kind: how many}, without those that there are none of."""
        text = self.read("violations")
        found = {m[1]: int(m[2]) for m in re.finditer(r"^(\w+) (\d+)$", text, re.M)}
        return {k: v for k, v in found.items() if v and k != "total"}

    def log(self):
        """Its log's lines."""
        return self.read("log").splitlines()

    def answers(self, request):
        """Answers to one kind of request so far, in order."""
        return [line.split()[5] for line in self.log() if line.split()[2] == request]
