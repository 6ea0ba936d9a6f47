# SPDX-License-Identifier: GPL-2.0-or-later
"""One measured resize: everything that is counted and timed about it."""

import statistics
import time

from bench.host import Requests, Resident, now
from vm.device import probes

IDLE = 1          # seconds of the stall task alone, before the request
STEP = 0.01
COUNTERS = ("pgmigrate_success", "pgmigrate_fail", "thp_migration_success",
            "compact_stall", "allocstall_movable", "allocstall_normal",
            "pgscan_direct", "pgsteal_direct", "oom_kill")
# Memory that hotplug takes besides the memmap.
MEMINFO = ("Slab", "PageTables", "VmallocUsed", "Percpu")


class Resize:
    """Ask for a size, and watch.

    with Resize(vm, block) as r:
        r.ask(0); r.until(lambda: r.size == 0, 60)
    r.sample is then what was seen.
    """

    def __init__(self, vm, block):
        self._vm, self._guest, self._block = vm, vm.guest, block
        self._probes = probes.Probes(vm.guest)
        self.sample = {}
        self._asked = self._start = self._stall = self._before = None
        self._requests = self._resident = None

    def _cpu(self):
        out = {}
        for line in self._guest.ok("meter cpu").splitlines():
            pid, used, name = line.split(None, 2)
            out[int(pid)] = (int(used), name)
        return out

    def _vmstat(self):
        lines = (line.split() for line in self._guest.read("/proc/vmstat").splitlines())
        return {name: int(value) for name, value in lines if name in COUNTERS}

    def _stalls(self, signal):
        """The task's waits since last asked: (count, longest, 99.9 %, median, late)."""
        self._guest.ok(f": >/tmp/stall; kill -{signal} {self._stall}")
        found = self._guest.wait_line("/tmp/stall", r"\d+ \d+ \d+ \d+ \d+$", 300)
        keys = ("count", "max_us", "p999_us", "median_us", "late_us")
        return dict(zip(keys, map(int, found[0].split())))

    def __enter__(self):
        size = self._vm.qmp.size("vm0")
        self._stall = self._guest.spawn("stall", "/tmp/stall")
        time.sleep(0.5)
        self._stalls("USR1")
        time.sleep(IDLE)
        self.sample["stall_idle"] = self._stalls("USR1")
        self._probes.arm()
        self._before = self._cpu(), self._vmstat(), self._guest.meminfo()
        self._start = size
        self._requests = Requests(self._vm, self._block, size)
        self._resident = Resident(self._vm.pid)
        self._resident.start()
        return self

    @property
    def size(self):
        """Bytes plugged, at no cost to the guest."""
        return self._requests.poll()

    @property
    def changed(self):
        """When the plugged size changed last, by now()."""
        return self._requests.steps[-1][0]

    def ask(self, size):
        """Send the request."""
        self._asked = now()
        self._vm.qmp.request("vm0", size)

    def until(self, condition, limit):
        """Wait; returns whether that came about within limit seconds."""
        end = time.monotonic() + limit
        while not condition():
            self._vm.alive()
            if time.monotonic() > end:
                return False
            time.sleep(STEP)
        return True

    def until_online(self, size, guess, limit):
        """Wait until the guest has that much, too: it adds after it has plugged.

        To ask keeps an emulated guest from its work, and more so a driver that
        plugs all before it adds. So first leave it alone for a while, as long as
        that may take; when it was is known from the trace.
        """
        end = time.monotonic() + limit
        self.until(lambda: False, guess)
        while self._guest.run(f"meter total {size // 1024} 1")[0]:
            if time.monotonic() > end:
                return False
            self.until(lambda: False, 1)
        return True

    def __exit__(self, kind, value, trace):
        ended = now()
        resident = self._resident.stop()
        self._requests.poll()
        self._requests.close()
        # A guest that died can't tell any more.
        if kind is None:
            self._collect(ended, resident)

    def _guest_trace(self):
        number = len(list(self._vm.dir.glob("guest-trace-*")))
        return self._vm.dir / f"guest-trace-{number}.txt"

    def _collect(self, ended, resident):
        sample, requests = self.sample, self._requests
        sample["stall"] = self._stalls("TERM")
        cpu, vmstat, memory = self._cpu(), self._vmstat(), self._guest.meminfo()
        events = self._probes.read()
        # For whoever wonders about a figure.
        self._guest_trace().write_text(self._probes.text)
        sample.update({
            "from": self._start, "to": requests.size,
            "watched_s": ended - self._asked,
            "device_s": requests.steps[-1][0] - self._asked if requests.steps else None,
            "curve": [(round(t - self._asked, 6), size) for t, size in requests.steps],
            "requests": requests.count, "refused": requests.refused,
            "resident": resident,
            "resident_after": self._resident.after - self._resident.before,
            "meminfo": {k: memory[k] - self._before[2][k] for k in MEMINFO},
            "vmstat": {k: v - self._before[1].get(k, 0) for k, v in vmstat.items()}})
        sample.update(self._seen(events))
        self._times(sample, self._before[0], cpu, events)

    @staticmethod
    def _times(sample, before, after, events):
        """CPU time of the kernel's threads, and of those that did the work."""
        used = {pid: ns - before.get(pid, (0,))[0] for pid, (ns, _) in after.items()}
        workers = {e.pid for e in events
                   if e.name in ("add", "remove", "take", "offline", "look")}
        sample["kthreads_cpu_s"] = sum(used.values()) / 1e9
        sample["worker_cpu_s"] = sum(used.get(pid, 0) for pid in workers) / 1e9
        sample["busiest"] = [(after[pid][1], used[pid] / 1e9) for pid in
                             sorted(used, key=used.get, reverse=True)[:6]]

    def _seen(self, events):
        """Figures of the guest's trace."""
        asked = min((e.start for e in probes.calls(events, "config")), default=None)
        hold = probes.holds(events)
        out = {"hold_max_s": max(hold, default=0), "hold_sum_s": sum(hold),
               "holds": len(hold)}
        for name in (*probes.PROBES, *probes.OURS):
            took = [e.seconds for e in probes.calls(events, name) if e.end]
            out[f"{name}_calls"] = len(probes.calls(events, name))
            if took:
                out[f"{name}_sum_s"], out[f"{name}_max_s"] = sum(took), max(took)
                out[f"{name}_median_s"] = statistics.median(took)
        work = [e.end for e in events if e.name in ("add", "remove") and e.end]
        if asked and work:
            out["guest_s"] = max(work) - asked
        out["isolated"] = [e.args["pfn"] * probes.PAGE
                           for e in probes.calls(events, "isolate")]
        out["looked"] = [e.args["id"] for e in probes.calls(events, "look")]
        # Our driver's table has this many bytes; 0 if it had not to grow.
        out["table_bytes"] = max((e.args["bytes"] for e in probes.calls(events, "table")),
                                 default=0)
        return out
