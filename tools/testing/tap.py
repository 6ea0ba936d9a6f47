#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads TAP and KTAP: counts results and finds out whether a plan was kept.

As a command, "tap.py --check NAME" passes its input on and exits with a reason
and status 1 if a test failed, none ran, or a plan was not kept.
"""
import re
import sys

RESULT = re.compile(r"^( *)(ok|not ok) (\d+)\s*(?:- )?(.*?)\s*"
                    r"(?:# *(skip|todo)\b:?\s*(.*))?$", re.I)
PLAN = re.compile(r"^( *)1\.\.(\d+)(?:\s+#\s*skip\b:?\s*(.*))?$", re.I)


class Reader:
    """Feed it lines; then ask for the results and for complaints."""

    def __init__(self):
        self.results = []  # (verdict, name, reason), innermost tests only
        self.complaints = []
        self.plans = {}  # depth -> tests announced and not seen yet
        self.below = {}  # depth -> results seen deeper since the last one here

    def feed(self, line):
        """Takes in one line; returns the verdict if it holds a result that counts."""
        line = line.rstrip("\r\n")
        plan = PLAN.match(line)
        if plan:
            self._plan(len(plan[1]), int(plan[2]), plan[3])
            return None
        if re.match(r"^ *Bail out!", line):
            self.complaints.append(line.strip())
        match = RESULT.match(line)
        if not match:
            return None
        depth, name, bad = len(match[1]), match[4], match[2].lower() == "not ok"
        children = [v for d in list(self.below) if d > depth for v in self.below.pop(d)]
        for inner in [d for d in self.plans if d > depth]:
            self._unkept(self.plans.pop(inner), name)
        if depth in self.plans:
            self.plans[depth] -= 1
        skip = (match[5] or "").lower() == "skip"
        verdict = "skipped" if skip else "failed" if bad else "passed"
        self.below.setdefault(depth, []).append(verdict)
        # A suite is no test of its own, unless it failed where none of its tests did.
        if children and ("failed" in children or verdict != "failed"):
            return None
        self.results.append((verdict, name, match[6] or ""))
        return verdict

    def close(self):
        """The input has ended."""
        if not self.plans:
            self.complaints.append("no plan")
        for left in self.plans.values():
            self._unkept(left, "the whole")
        if not self.results:
            self.complaints.append("no test ran")
        self.plans = {}

    def count(self, verdict):
        """How many results are "passed", "failed" or "skipped"."""
        return sum(1 for v, _, _ in self.results if v == verdict)

    def _plan(self, depth, number, reason):
        self.plans[depth] = self.plans.get(depth, 0) + number
        # A plan at the end comes after the results that it announces.
        self.plans[depth] -= sum(len(v) for d, v in self.below.items() if d == depth)
        if number == 0 and reason is not None:
            self.results.append(("skipped", "everything", reason))

    def _unkept(self, left, name):
        if left:
            self.complaints.append(f"plan of {name}: {abs(left)} tests too "
                                   f"{'few' if left > 0 else 'many'}")


def main():
    """Input in, input out, exit status."""
    reader = Reader()
    for line in sys.stdin:
        reader.feed(line)
        sys.stdout.write(line)
        sys.stdout.flush()
    reader.close()
    if reader.count("failed"):
        reader.complaints.append(f"{reader.count('failed')} failed")
    for complaint in reader.complaints:
        print(f"{sys.argv[-1]}: {complaint}", file=sys.stderr)
    return 1 if reader.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
