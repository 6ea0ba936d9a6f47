# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal in memory: what a program has written becomes rows of coloured cells."""

import re

# A cell: (character, colour 0 to 15 or None, bold, reverse).
BLANK = (" ", None, False, False)
TOKEN = re.compile(r"\x1b\[(?P<args>[?>]?[0-9;]*)(?P<do>[@-~])|\x1b[()].|\x1b[=>78]"
                   r"|(?P<char>[^\x1b])", re.S)


class Screen:
    """As much of a terminal as the tools and ncurses use; an unknown sequence is an error.

    rows, columns   its size
    """

    def __init__(self, rows, columns):
        self._columns = columns
        self.cells = [[BLANK] * columns for _ in range(rows)]
        self._row = self._column = 0
        self._colour, self._bold, self._reverse = None, False, False
        self._last = " "

    def write(self, text):
        """What a program writes; returns the screen itself."""
        at = 0
        while at < len(text):
            token = TOKEN.match(text, at)
            if not token:
                raise ValueError(f"no sequence that is known: {text[at:at + 12]!r}")
            at = token.end()
            if token["char"]:
                self._put(token["char"])
            elif token["do"]:
                self._control(token["do"], token["args"])
        return self

    def _put(self, char):
        if char == "\r":
            self._column = 0
        elif char == "\n":
            if self._row == len(self.cells) - 1:
                self.cells = [*self.cells[1:], [BLANK] * self._columns]
            else:
                self._row += 1
        elif char == "\b":
            self._column = max(0, self._column - 1)
        elif char >= " ":
            if self._column == self._columns:
                self._column = 0
                self._put("\n")
            self.cells[self._row][self._column] = (char, self._colour, self._bold,
                                                   self._reverse)
            self._column += 1
            self._last = char

    def _control(self, name, text):
        if text[:1] in ("?", ">") or name in "lhrt":
            return      # modes: nothing that is seen
        args = [int(a or 0) for a in text.split(";")]
        if name == "m":
            self._attributes(args)
        elif name in "HfdGABCD":
            self._move(name, args[0] or 1, (args[1:] or [1])[0] or 1)
        elif name == "b":
            for _ in range(args[0] or 1):
                self._put(self._last)
        elif name in "XKJ":
            self._clear(name, args[0])
        elif name in "P@":
            self._shift(name, args[0] or 1)
        else:
            raise ValueError(f"no sequence that is known: {text}{name}")

    def _move(self, name, count, column):
        row, at = self._row, self._column
        self._row, self._column = {
            "H": (count - 1, column - 1), "f": (count - 1, column - 1),
            "d": (count - 1, at), "G": (row, count - 1),
            "A": (row - count, at), "B": (row + count, at),
            "C": (row, at + count), "D": (row, at - count)}[name]

    def _clear(self, name, what):
        if name == "X":
            self._erase(self._row, self._column, self._column + (what or 1))
        elif name == "K":
            self._erase(self._row, *((self._column, self._columns), (0, self._column + 1),
                                     (0, self._columns))[what])
        else:
            if not what:
                self._erase(self._row, self._column, self._columns)
            for row in range(0 if what else self._row + 1, len(self.cells)):
                self._erase(row, 0, self._columns)

    def _shift(self, name, count):
        row, at, room = self.cells[self._row], self._column, self._columns - self._column
        blank = [BLANK] * min(count, room)
        row[at:] = row[at + count:] + blank if name == "P" else (blank + row[at:])[:room]

    def _erase(self, row, first, end):
        end = min(end, self._columns)
        self.cells[row][first:end] = [BLANK] * (end - first)

    def _attributes(self, args):
        for arg in args:
            if arg == 0:
                self._colour, self._bold, self._reverse = None, False, False
            elif arg in (1, 22):
                self._bold = arg == 1
            elif arg in (7, 27):
                self._reverse = arg == 7
            elif 30 <= arg <= 37:
                self._colour = arg - 30
            elif 90 <= arg <= 97:
                self._colour = arg - 82
            elif arg == 39:
                self._colour = None

    def text(self):
        """The screen's lines without trailing blanks."""
        return "\n".join("".join(c[0] for c in row).rstrip() for row in self.cells).rstrip()
