# SPDX-License-Identifier: GPL-2.0-or-later
"""A screen as a PNG, drawn by gnuplot."""

import itertools
import subprocess

WIDTH, HEIGHT, MARGIN, SIZE = 9, 18, 12, 11      # pixels, and points of the font
PAPER, INK = "#101418", "#d8dee4"
# Black to white, dark and then bright.
COLOURS = ("#3b4048", "#e06c6c", "#7fbf6a", "#d9b45b", "#5d9cec", "#c58af0", "#56b6c2",
           "#d8dee4", "#7d8590", "#ff7b72", "#9be07f", "#f2cc60", "#79b8ff", "#d2a8ff",
           "#76e3ea", "#ffffff")


def _colours(cell):
    """(ink, paper) of a cell."""
    _, colour, bold, reverse = cell
    ink = INK if colour is None else COLOURS[colour + 8 if bold and colour < 8 else colour]
    return (PAPER, ink) if reverse else (ink, None)


def _script(rows, path):
    """What gnuplot shall do. A label a run of cells that look the same."""
    columns = max(len(row) for row in rows)
    width, height = columns * WIDTH + 2 * MARGIN, len(rows) * HEIGHT + 2 * MARGIN
    out = [f"set terminal pngcairo size {width},{height} background rgb '{PAPER}' "
           f"font 'DejaVu Sans Mono,{SIZE}' noenhanced", f"set output '{path}'",
           "unset key; unset border; unset tics",
           "set lmargin 0; set rmargin 0; set tmargin 0; set bmargin 0",
           f"set xrange [0:{width}]; set yrange [{height}:0]"]
    number = itertools.count(1)
    for line, row in enumerate(rows):
        top, column = MARGIN + line * HEIGHT, 0
        for look, cells in itertools.groupby(row, lambda c: (_colours(c), c[2])):
            (ink, paper), bold = look
            text = "".join(c[0] for c in cells)
            left = MARGIN + column * WIDTH
            if paper:
                out.append(f"set object {next(number)} rectangle from {left},{top} to "
                           f"{left + len(text) * WIDTH},{top + HEIGHT} fc rgb '{paper}' "
                           "fs solid noborder behind")
            # A character each: in a longer text they would not stay in their columns.
            for i, char in enumerate(text):
                if char != " ":
                    char = char.replace("\\", "\\\\").replace('"', '\\"')
                    name = "DejaVu Sans Mono:Bold" if bold else "DejaVu Sans Mono"
                    out.append(f'set label "{char}" at {left + (i + 0.5) * WIDTH},'
                               f"{top + HEIGHT / 2} center font '{name},{SIZE}' "
                               f"tc rgb '{ink}' front")
            column += len(text)
    return "\n".join([*out, "plot -1 notitle lc rgb '" + PAPER + "'"])


def png(screen, path):
    """Draw the part of a screen that has something on it."""
    rows = [list(row) for row in screen.cells]

    def plain(cell):
        return cell[0] == " " and not cell[3]

    while rows and all(map(plain, rows[-1])):
        rows.pop()
    width = max(max((i for i, c in enumerate(row) if not plain(c)), default=0)
                for row in rows) + 1
    subprocess.run(["gnuplot"], input=_script([row[:width] for row in rows], path), text=True,
                   check=True)
