# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of the cases "states-...": one line a state, both drivers beside each other."""

import statistics

from bench.statecase import PHASE

DRIVERS = ("stock", "ours")
HEAD = (f"{'':28}{'':14}" + "".join(f"{d:>18}" for d in DRIVERS) +
        f"{'migrated pages':>18}{'swapped pages':>16}{'OOM kills':>11}\n"
        f"{'state':28}{'MiB':14}" + f"{'MiB':>9}{'s':>9}" * 2 +
        f"{'stock':>9}{'ours':>9}{'stock':>8}{'ours':>8}{'stock':>6}{'ours':>5}")


def _median(samples, value):
    values = [v for v in map(value, samples) if v is not None]
    return statistics.median(values) if values else None


def _of(samples):
    """(reached MiB, seconds, migrated, swapped, killed) as text."""
    if not samples:
        return ("-",) * 5
    count = {name: _median(samples, lambda s, n=name: s["vmstat"].get(n))
             for name in ("pgmigrate_success", "pswpout", "oom_kill")}
    met = all(s["met"] for s in samples)
    took = _median(samples, lambda s: s["device_s"] if met else s["watched_s"])
    out = [f"{_median(samples, lambda s: s['to'] >> 20):.0f}",
           f"{took:.1f}" if met else f"> {took:.0f}"]
    return (*out, *("-" if v is None else f"{v:.0f}" for v in count.values()))


def _line(name, samples):
    first = samples[0]
    if "skipped" in first:
        return f"{name:28}{first['skipped']}"
    stock, ours = (_of([s for s in samples if s["driver"] == d]) for d in DRIVERS)
    size = f"{first['from'] >> 20} to {first['goal'] >> 20}"
    return (f"{name:28}{size:14}" + f"{stock[0]:>9}{stock[1]:>9}{ours[0]:>9}{ours[1]:>9}"
            f"{stock[2]:>9}{ours[2]:>9}{stock[3]:>8}{ours[3]:>8}{stock[4]:>6}{ours[4]:>5}")


def text(result):
    """The table, or nothing; what is lost is said below it."""
    groups = {}
    for s in result["samples"]:
        if s["phase"] == PHASE and "died" not in s and not s["warmup"]:
            groups.setdefault(s["case"], []).append(s)
    if not groups:
        return ""
    lines = [HEAD]
    for name, samples in groups.items():
        lines.append(_line(name, samples))
    return "\n".join(["", *lines, ""])
