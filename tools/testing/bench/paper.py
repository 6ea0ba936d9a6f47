# SPDX-License-Identifier: GPL-2.0-or-later
"""A region of 16 TiB on paper, from what case 7 measured of smaller ones."""

import statistics

from bench import report

GIB, TIB = 1 << 30, 1 << 40
SIZE = 16 * TIB
# The big blocks of case 7.
BLOCK = 128 << 20
COUNT = SIZE // BLOCK


def _line(points):
    """Least squares: (a, b) of a + b * x; through one point it is flat."""
    mx, my = (statistics.fmean(p[i] for p in points) for i in (0, 1))
    square = sum((x - mx) ** 2 for x, _ in points)
    slope = sum((x - mx) * (y - my) for x, y in points) / square if square else 0
    return my - slope * mx, slope


def _points(samples, driver, phase, key):
    """[(GiB, median of the figure)], one a size."""
    sizes = {}
    for s in samples:
        if s["case"].startswith("7-") and (s["driver"], s["phase"]) == (driver, phase) \
                and s["met"] and s.get(key):
            sizes.setdefault(max(s["to"], s["from"]) / GIB, []).append(s[key])
    return sorted((size, statistics.median(v)) for size, v in sizes.items())


def _row(samples, driver, phase, key):
    """The measured cost of one step on one BB, and of 16 TiB of them."""
    points = _points(samples, driver, phase, key)
    # Two small sizes make no line: their noise would be all there is.
    if len(points) < 3:
        return None
    a, b = _line(points)
    # The cost of a step grows with the memory that is there (the core rescans the
    # zone): half of it on the average. A falling line is noise.
    b = max(b, 0)
    return points, a, b, COUNT * points[-1][1], COUNT * (max(a, 0) + b * SIZE / GIB / 2)


def _memory(samples):
    """Lines about the guest's memory, besides the memmap."""
    lines, grown = [], [s for s in samples if s["case"].startswith("7-") and s["met"]
                        and s["phase"] == "grow"]
    for s in sorted((s for s in grown if s["driver"] == "ours"),
                    key=lambda s: (s["to"], s["table_bytes"]))[-1:]:
        lines.append(f"  our driver's table: {s['table_bytes']} bytes for "
                     f"{s['to'] // BLOCK} BBs" if s.get("table_bytes") else
                     "  our driver's table had not to grow")
    for driver in report.DRIVERS:
        blocks = [sum(s["meminfo"][k] for k in ("Slab", "VmallocUsed", "Percpu"))
                  / (s["to"] // BLOCK) for s in grown
                  if s["driver"] == driver and s["to"] >= 4 * GIB]
        if blocks:
            each = statistics.median(blocks)
            lines.append(f"  slab and vmalloc of the whole guest, {driver}: {each / 1024:.3g} "
                         f"KiB a BB; 16 TiB: {each * COUNT / (1 << 20):.4g} MiB")
    lines += [f"  16 TiB in BBs of {block >> 20} MiB: {SIZE // block} BBs, a table of "
              f"{SIZE // block / 1024:g} KiB" for block in (BLOCK, GIB, 2 * GIB)]
    return lines


def text(result):
    """Lines for people; none without case 7."""
    samples = report.valid(result["samples"])
    lines = []
    for phase, key, what in (("grow", "add_median_s", "adding a BB"),
                             ("shrink", "remove_median_s", "offlining and removing a BB"),
                             ("shrink", "look_median_s", "a look at a BB")):
        for driver in report.DRIVERS:
            row = _row(samples, driver, phase, key)
            if row:
                points, a, b, flat, line = row
                seen = ", ".join(f"{size:g} GiB: {s * 1000:.3g}" for size, s in points)
                lines.append(f"  {what:<28} {driver:<6} {seen} ms; "
                             f"{a * 1000:.3g} + {b * 1000:.3g} a GiB; "
                             f"16 TiB: {flat / 60:.3g} min if it grows no more, "
                             f"{line / 60:.3g} min by the line")
    if not lines:
        return ""
    lines += _memory(samples)
    return "\n".join(["", "16 TiB on paper, BBs of 128 MiB, from case 7 (median of each "
                      "size, straight line):", *lines, ""])
