# SPDX-License-Identifier: GPL-2.0-or-later
"""A QMP client, as small as the tests need it."""

import contextlib
import json
import socket


class QMPError(Exception):
    """QEMU refused a command."""


class QMP:
    """One connection to QEMU's monitor over a unix socket."""

    def __init__(self, path, timeout=30):
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.settimeout(timeout)
        self._sock.connect(str(path))
        self._file = self._sock.makefile("rw", encoding="utf-8")
        json.loads(self._file.readline())
        self.cmd("qmp_capabilities")

    def cmd(self, name, **arguments):
        """Run one command and return its result. Events are skipped."""
        self._file.write(json.dumps({"execute": name, "arguments": arguments}))
        self._file.write("\n")
        self._file.flush()
        while True:
            line = self._file.readline()
            if not line:
                raise ConnectionError("QEMU closed the monitor")
            answer = json.loads(line)
            if "error" in answer:
                raise QMPError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]

    def request(self, device, size):
        """Ask the guest to have size bytes plugged in a virtio-mem device."""
        self.cmd("qom-set", path=f"/machine/peripheral/{device}",
                 property="requested-size", value=size)

    def memory_device(self, device):
        """One device, as query-memory-devices has it."""
        for entry in self.cmd("query-memory-devices"):
            if entry["data"].get("id") == device:
                return entry["data"]
        raise KeyError(device)

    def size(self, device):
        """Bytes that are plugged now."""
        return self.memory_device(device)["size"]

    def close(self):
        """Hang up."""
        # A QEMU that has ended needs nothing more.
        with contextlib.suppress(OSError):
            self._file.close()
        self._sock.close()
