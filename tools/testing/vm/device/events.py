# SPDX-License-Identifier: GPL-2.0-or-later
"""The trace events of the guest's driver.

Read them before it is unloaded: the kernel empties its trace when a module goes whose
events were in use.
"""

import base64
import gzip
import re

TRACE = "/sys/kernel/debug/tracing"
LINE = re.compile(r"\s*.+-\d+\s+\[\d+\]\s+\S+\s+(?P<t>[\d.]+): (?P<name>\w+): (?P<text>.*)")


def fetch(guest):
    """Stop recording; returns the trace, which must be whole."""
    text = guest.ok(f"cd {TRACE}; echo 0 >tracing_on; gzip -c trace >/tmp/trace.gz; "
                    "echo >trace; base64 /tmp/trace.gz", 300)
    text = gzip.decompress(base64.b64decode(text)).decode(errors="replace")
    kept = re.search(r"entries-in-buffer/entries-written: (\d+)/(\d+)", text)
    if not kept or kept[1] != kept[2] or "LOST" in text:
        raise RuntimeError("the guest's trace buffer overflowed")
    return text


class Event:
    """One event: name (the driver's without virtio_mem_), when, text, {key: value}."""

    def __init__(self, time, name, text):
        self.end, self.text = time, text
        self.name = name.removeprefix("virtio_mem_")
        self.keys = dict(re.findall(r"(\w+)=(\S+)", text))
        if self.name == "op":
            # "virtio0 offline-remove addr=...": the step is what happened.
            self.name = text.split()[1]

    @property
    def seconds(self):
        """How long the step took that ended with this event."""
        return int(self.keys["us"]) / 1e6

    @property
    def start(self):
        """When that step began."""
        return self.end - self.seconds

    def is_of(self, addr):
        """Whether it is about the big block at that address."""
        return int(self.keys.get("addr", "0"), 16) == addr


class Events:
    """Records the events of the driver."""

    def __init__(self, guest):
        self._guest = guest

    def arm(self):
        """Begin to record; what was recorded before is forgotten."""
        self._guest.ok(f"cd {TRACE}; echo mono >trace_clock; echo 2048 >buffer_size_kb; "
                       "echo >trace; echo 1 >events/virtio_mem/enable; echo 1 >tracing_on")

    def read(self):
        """Stop recording; returns the events, in order."""
        found = map(LINE.match, fetch(self._guest).splitlines())
        return [Event(float(m["t"]), m["name"], m["text"]) for m in found if m]

    def off(self):
        """No event costs anything any more."""
        self._guest.run(f"echo 0 >{TRACE}/events/virtio_mem/enable")
