# SPDX-License-Identifier: GPL-2.0-or-later
"""Count and time, by kprobes in the guest, what no trace event of the driver tells.

That is what the kernel's core does, the same few functions whichever driver runs, also
while a driver is unloaded, because its own events are gone with it; and how much the
driver's looks and table cost. Some ten events a big block, so the probes themselves
cost next to nothing.
"""

import re

from vm.device.events import TRACE, fetch

PAGE = 4096
# name -> (function, arguments, what it returns if its end counts, too)
PROBES = {
    "config": ("virtio_config_changed", "", ""),
    "add": ("add_memory_driver_managed", "start=$arg2 size=$arg3", "int"),
    "remove": ("offline_and_remove_memory", "start=$arg1 size=$arg2", "int"),
    "offline": ("offline_pages", "pfn=$arg1 pages=$arg2", "int"),
    "isolate": ("start_isolate_page_range", "pfn=$arg1 end=$arg2", ""),
    "take": (r"alloc_contig_range(?:_noprof)?", "pfn=$arg1 end=$arg2", "int"),
    "signal": ("send_sig", "sig=$arg1", ""),
    "down": ("percpu_down_write", "sem=$arg1", "void"),
    "up": ("percpu_up_write", "sem=$arg1", ""),
}
# Our driver's look at a big block, and its larger table.
OURS = {"look": ("virtio_mem_scan_bb", "id=$arg2", "void"),
        "table": ("virtio_mem_bbt_replace", "bytes=$arg3", "")}
LINE = re.compile(r"\s*(?P<task>.+)-(?P<pid>\d+)\s+\[\d+\]\s+\S+\s+(?P<t>[\d.]+): "
                  r"(?P<name>\w+): \([^)]*\)(?P<args>.*)")


def missing(guest):
    """Why there can be no probes in this guest; None if there can."""
    if guest.run(f"[ -e {TRACE}/kprobe_events ]")[0]:
        return "the guest's kernel has no kprobe events"
    return None


class Event:
    """One probe that was hit, or with an end: one call."""

    def __init__(self, name, start, pid, args):
        self.name, self.start, self.pid, self.args = name, start, pid, args
        self.end = self.result = None

    @property
    def seconds(self):
        """How long the call took; None if it had not ended."""
        return None if self.end is None else self.end - self.start


class Probes:
    """The probes of one guest.

    Setting one takes the guest's kernel up to a second under emulation, so they
    stay from recording to recording, all but those in a module.

    names   which of PROBES; all if empty
    ends    whether calls are timed, or only counted
    """

    def __init__(self, guest, names=(), ends=True):
        self._guest, self._ends = guest, ends
        self._names = names or [*PROBES, *OURS]
        self.text = ""    # what was read last
        names = "|".join(f[0].replace("(?:", "(") for f in (*PROBES.values(), *OURS.values()))
        found = guest.ok(rf"grep -E ' (mem_hotplug_lock|{names})(\s|$)' /proc/kallsyms")
        self._symbols = {line.split()[2]: line.split()[0]
                         for line in found.splitlines()}

    def _find(self, pattern):
        for name in self._symbols:
            if re.fullmatch(pattern, name):
                return name
        return None

    def _set(self, probes):
        """Define some probes, and switch them on."""
        lines, on = [], []
        for name, (pattern, args, end) in probes.items():
            function = self._find(pattern)
            if not function:
                if name in PROBES:
                    raise RuntimeError(f"the guest's kernel lacks {pattern}")
                continue
            lines.append(f"p:vm/{name} {function} {args}")
            on.append(name)
            if end and self._ends:
                # Kernels with BTF refuse to read what isn't there.
                value = "ret=$retval:s32" if end == "int" else ""
                lines.append(f"r64:vm/{name}_end {function} {value}")
                on.append(f"{name}_end")
        command = [f"cd {TRACE}"] + [f"echo '{line}' >>kprobe_events" for line in lines]
        # Others of these semaphores are none of our business.
        command += [f"echo sem==0x{self._symbols['mem_hotplug_lock']} "
                    f">events/vm/{name}/filter" for name in on if name in ("down", "up")]
        command += [f"echo 1 >events/vm/{name}/enable" for name in on]
        self._guest.ok(" && ".join(command), 120)

    def arm(self):
        """Set what is not set yet, and begin to record."""
        chosen = {k: v for k, v in PROBES.items() if k in self._names}
        if self._guest.run(f"[ -d {TRACE}/events/vm ]")[0]:
            self._guest.ok(f"cd {TRACE}; echo mono >trace_clock; echo 2048 >buffer_size_kb")
            self._set(chosen)
        self._set({k: v for k, v in OURS.items() if k in self._names})
        self._guest.ok(f"cd {TRACE}; echo >trace; echo 1 >tracing_on")

    def read(self):
        """Stop recording; returns the calls, in order."""
        self.text = fetch(self._guest)
        # A module must be free to go.
        self._drop([f"{name}{end}" for name in OURS for end in ("", "_end")])
        return pair(self.text)

    def _drop(self, names):
        there = f"for e in {' '.join(names)}; do [ -d events/vm/$e ] || continue; "
        self._guest.ok(f"cd {TRACE}; {there} echo 0 >events/vm/$e/enable; "
                       "echo -:vm/$e >>kprobe_events; done", 120)

    def remove(self):
        """Take all probes away."""
        self._drop([f"{name}{end}" for name in (*PROBES, *OURS) for end in ("", "_end")])


def pair(text):
    """The calls in a trace. A call's end is the next one in its task."""
    events, running = [], {}
    for line in text.splitlines():
        m = LINE.match(line)
        if not m:
            continue
        args = dict(re.findall(r"(\w+)=(\S+)", m["args"]))
        name, time, pid = m["name"], float(m["t"]), int(m["pid"])
        if name.endswith("_end"):
            # An unpaired end is another semaphore's, or older than the probes.
            stack = running.get((pid, name[:-4]))
            if stack:
                event = stack.pop()
                event.end, event.result = time, int(args.get("ret", 0))
            continue
        event = Event(name, time, pid, {k: int(v, 16) for k, v in args.items()})
        events.append(event)
        running.setdefault((pid, name), []).append(event)
    return events


def calls(events, name):
    """The calls of one kind."""
    return [e for e in events if e.name == name]


def holds(events):
    """For how many seconds each time mem_hotplug_lock was held for writing."""
    out, since = [], None
    for event in sorted((e for e in events if e.name in ("down", "up")),
                        key=lambda e: e.start):
        if event.name == "down":
            since = event.end
        elif since is not None:
            out.append(event.start - since)
            since = None
    return out
