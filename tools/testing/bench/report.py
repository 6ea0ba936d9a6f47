# SPDX-License-Identifier: GPL-2.0-or-later
"""From samples to medians, spreads and ratios, and the table of them."""

import statistics

from bench import statetable

GIB, MIB = 1 << 30, 1 << 20
DRIVERS = ("stock", "ours")


def _moved(sample):
    """GiB that went or came."""
    return abs(sample["to"] - sample["from"]) / GIB


def _per_gib(figure):
    return lambda s: figure(s) / _moved(s) if _moved(s) else None


def _seconds(sample):
    if not sample["met"]:
        return sample["watched_s"]
    # The device has the size as soon as the request is answered; growing is
    # over when the last big block is added and online.
    if sample["to"] > sample["from"]:
        return sample.get("guest_s")
    return sample["device_s"]


def _each_doomed(key):
    return lambda s: sum(s[key].values()) / s["doomed"] if s.get("doomed") else None


# name -> (what is printed, how it is got from a sample; None if it isn't there)
METRICS = {
    "seconds": ("seconds until it is met", _seconds),
    "device_s": ("seconds until the device's last change", lambda s: s["device_s"]),
    "guest_s": ("the same, from tracing in the guest", lambda s: s.get("guest_s")),
    "after_free_s": ("seconds from the freeing until met",
                     lambda s: s.get("after_free_s")),
    "moved": ("GiB moved", _moved),
    "cpu": ("s of CPU a GiB, all kernel threads",
            _per_gib(lambda s: s["kthreads_cpu_s"])),
    "worker_cpu": ("s of CPU a GiB, worker", _per_gib(lambda s: s["worker_cpu_s"])),
    "requests": ("requests a GiB", _per_gib(lambda s: sum(s["requests"].values()))),
    "isolations": ("isolation calls a GiB", _per_gib(lambda s: s["isolate_calls"])),
    "migrated": ("pages migrated a GiB",
                 _per_gib(lambda s: s["vmstat"]["pgmigrate_success"])),
    "unavoidable": ("  of these no choice could avoid",
                    _per_gib(lambda s: s["unavoidable"])),
    "resident": ("MiB made resident on the host a GiB",
                 _per_gib(lambda s: s["resident"] / MIB)),
    "stall_ms": ("longest stall of a task, ms", lambda s: s["stall"]["max_us"] / 1000),
    "stall_999_ms": ("99.9 % of stalls below, ms",
                     lambda s: s["stall"]["p999_us"] / 1000),
    "hold_ms": ("longest hold of mem_hotplug_lock, ms",
                lambda s: s["hold_max_s"] * 1000),
    "doomed": ("isolations of each BB that can't go", _each_doomed("doomed_isolations")),
    "looks": ("looks at each BB that can't go", _each_doomed("doomed_looks")),
    "look_ms": ("a look at a BB, ms, median", lambda s: s["look_median_s"] * 1000
                if s.get("look_median_s") else None),
    "add_ms": ("adding a BB, ms, median", lambda s: s["add_median_s"] * 1000
               if s.get("add_median_s") else None),
    "remove_ms": ("offlining and removing a BB, ms, median",
                  lambda s: s["remove_median_s"] * 1000
                  if s.get("remove_median_s") else None),
}


def value(metric, sample):
    """A figure of a sample, or None."""
    try:
        return METRICS[metric][1](sample)
    except KeyError:
        return None


def valid(samples):
    """Those that count."""
    return [s for s in samples if not s["warmup"] and "died" not in s]


def summarise(samples):
    """{case phase: {metric: {driver: [median, min, max, n, met]}}}.

    met: how many of the n runs got what was asked for in time.
    """
    out = {}
    for sample in valid(samples):
        if sample["phase"] == statetable.PHASE:
            continue
        where = out.setdefault(f"{sample['case']} {sample['phase']}", {})
        for metric in METRICS:
            number = value(metric, sample)
            if number is not None:
                where.setdefault(metric, {}).setdefault(sample["driver"], []).append(
                    (number, sample["met"]))
    for metrics in out.values():
        for drivers in metrics.values():
            for driver, pairs in drivers.items():
                values = [number for number, _ in pairs]
                drivers[driver] = [statistics.median(values), min(values), max(values),
                                   len(values), sum(met for _, met in pairs)]
    return out


def ratio(drivers):
    """ours / stock, or None."""
    stock, ours = (drivers.get(d) for d in DRIVERS)
    return ours[0] / stock[0] if ours and stock and stock[0] else None


def brief(sample):
    """One run in a few words."""
    if "died" in sample:
        return f"failed: {sample['died'].splitlines()[0]}"
    seconds = _seconds(sample)
    return ((f"{seconds:.2f} s" if sample["met"] and seconds is not None else
             f"not met within {sample['watched_s']:.0f} s") +
            f", {sample['from'] >> 20} to {sample['to'] >> 20} MiB")


def _cell(values, metric):
    if not values:
        return "-"
    # Who was stopped by the limit would have needed more.
    def short(number):
        return f"{number:.0f}" if number >= 1000 else f"{number:.3g}"
    more = "> " if metric == "seconds" and values[4] <= values[3] // 2 else ""
    return f"{more}{short(values[0])} ({short(values[1])}..{short(values[2])})"


def failures(samples):
    """Lines about runs that did not get where they should."""
    out = {}
    for s in samples:
        if s["warmup"]:
            continue
        what = []
        if "died" in s:
            what.append(brief(s))
        elif not s["met"] and s.get("wanted", True) and "skipped" not in s:
            what.append(f"not met within {s['watched_s']:.0f} s, "
                        f"{s['from'] / GIB:g} to {s['to'] / GIB:g} GiB")
        if s.get("holder_lived") is False:
            what.append("a task was killed")
        what += s.get("faults", [])
        for line in what + s.get("console", []):
            key = f"{s['case']} {s.get('phase', '')} {s['driver']}: {line}"
            out[key] = out.get(key, 0) + 1
    return [f"{n} x {line}" for line, n in out.items()]


def _where(result):
    """Lines about the machine; one a session, without repetition."""
    out = []
    for env in result["environments"]:
        host = env["host"]
        line = (f"{env['driver']}, guest {env['guest_kernel']}, {env['accel']}, "
                f"{env['qemu']}; {host['cpus']} x {host['cpu']}, "
                f"{host['memory'] / GIB:.0f} GiB, {host['kernel']}")
        if line not in out:
            out.append(line)
    return out


def text(result):
    """The table that people read."""
    lines = _where(result) + ["median (least..most) of the runs; the ratio of the medians"]
    for where, metrics in summarise(result["samples"]).items():
        what = result["cases"][where.split()[0]]["what"]
        runs = ", ".join(f"{v[3]} x {d}" for d, v in metrics["moved"].items())
        lines += ["", f"{where}: {what} ({runs})",
                  f"  {'':<40}{'stock':>32}{'ours':>32}{'ours/stock':>12}"]
        for metric, drivers in metrics.items():
            share = ratio(drivers)
            lines.append(f"  {METRICS[metric][0]:<40}"
                         f"{_cell(drivers.get('stock'), metric):>32}"
                         f"{_cell(drivers.get('ours'), metric):>32}"
                         + (f"{share:>12.3f}" if share is not None else f"{'-':>12}"))
    lines.append(statetable.text(result))
    bad = failures(result["samples"])
    return "\n".join(lines + (["", "not as they should be:"] + bad if bad else []) + [""])
