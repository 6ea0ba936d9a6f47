# SPDX-License-Identifier: GPL-2.0-or-later
"""Draw a bench's result with gnuplot: bars of medians, whiskers of spreads."""

import subprocess

from bench import report

PANELS = (("seconds", "seconds until it is met (or the limit)"),
          ("cpu", "CPU s per GiB, all kernel threads"),
          ("migrated", "pages migrated per GiB"),
          ("resident", "MiB made resident on the host per GiB"),
          ("stall_ms", "longest stall of a user task, ms"),
          ("hold_ms", "longest hold of mem_hotplug_lock, ms"))
COLOURS = {"stock": "#b0b0b0", "ours": "#1f77b4"}
# A logarithmic axis has no 0: what is less is drawn as this.
FLOOR = {"seconds": 0.001, "cpu": 0.001, "migrated": 1, "resident": 0.1,
         "stall_ms": 0.1, "hold_ms": 0.01}

SCRIPT = """\
set encoding utf8
set terminal {terminal}
set output '{output}'
set multiplot layout 3,2 title "{title}" font ",12" noenhanced
set style fill solid 0.9 border -1
set boxwidth 0.38
set lmargin 14
set grid ytics
set xtics noenhanced nomirror out rotate by 40 right font ",8" ({labels})
set xrange [-0.6:{count}-0.4]
set logscale y
set format y "%g"
set key outside right bottom horizontal font ",8"
{panels}
unset multiplot
"""


def _block(summary, metric, driver, shift):
    """Lines of a gnuplot data block: x median min max."""
    low, lines = FLOOR[metric], []
    for number, metrics in enumerate(summary.values()):
        values = metrics.get(metric, {}).get(driver)
        if values:
            lines.append(" ".join([str(number + shift)] +
                                  [f"{max(v, low):g}" for v in values[:3]]))
    # gnuplot warns of a data block without a point.
    return lines or ["NaN NaN NaN NaN"]


def _top(summary, metric):
    """The end of the axis: above all there is, and above its beginning."""
    most = [v[2] for m in summary.values() for v in m.get(metric, {}).values()]
    return 1.5 * max([*most, 10 * FLOOR[metric]])


def _panel(summary, metric, title):
    data, plots = [], []
    for driver, shift in (("stock", -0.2), ("ours", 0.2)):
        name = f"${metric}_{driver}"
        data += [f"{name} << EOD", *_block(summary, metric, driver, shift), "EOD"]
        plots += [f"{name} using 1:2 with boxes lc rgb '{COLOURS[driver]}' "
                  f"title '{driver}'",
                  f"{name} using 1:3:(0):($4-$3) with vectors nohead lw 2 lc black notitle"]
    # Bars begin at the bottom, wherever that is.
    return "\n".join([*data, f'set title "{title}" noenhanced',
                      f"set yrange [{FLOOR[metric]}:{_top(summary, metric)}]",
                      "plot " + ", ".join(plots)])


def draw(result, where):
    """Write plot.svg and plot.png into a directory; returns their paths."""
    summary, env = report.summarise(result["samples"]), result["environments"][-1]
    title = (f"{env['driver']} and the kernel's own driver, {env['guest_kernel']}, "
             f"{env['accel'].partition(',')[0]}: medians, least to most")
    labels = ", ".join(f'"{name}" {i}' for i, name in enumerate(summary))
    panels = "\n".join(_panel(summary, m, t) for m, t in PANELS)
    out = []
    for kind, terminal in (("svg", "svg size 1200,1300 font 'DejaVu Sans,10' background 'white'"),
                           ("png", "pngcairo size 1200,1300 font 'DejaVu Sans,10'")):
        path = where / f"plot.{kind}"
        script = SCRIPT.format(terminal=terminal, output=path, labels=labels,
                               count=len(summary), panels=panels,
                               title=title)
        subprocess.run(["gnuplot"], input=script, text=True, check=True)
        out.append(path)
    return out
