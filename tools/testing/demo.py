#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Show a guest of 1 GiB grow to 5 GiB and shrink back, live.

    demo.py [--kver SERIES]

In a terminal the picture is redrawn in place; elsewhere it is plain lines.
"""

import argparse
import itertools
import signal
import sys
import time

from vm.harness import kernels
from vm.harness.guest import GuestError
from vm.harness.vm import GIB, MIB, VM

DEVICE, CONFIG, REGION, BIG_BLOCK = "vm0", "bb-128m", 8 * GIB, 128 * MIB
BOOT, TARGET = 1 * GIB, 5 * GIB
LIMIT = 300   # seconds for one resize; a slow emulation is no failure

# (character, terminal colour, meaning) for what a big block can be.
LOOK = {"unused": (".", "90", "unused"),
        "plugged": ("+", "33", "plugged"),
        "offline": ("o", "36", "added, offline"),
        "online": ("#", "32", "in use by Linux"),
        "claimed": ("~", "31", "being taken back")}


def kinds(rows, base):
    """The character of each big block of the region, from the debugfs rows."""
    out = ["unused"] * (REGION // BIG_BLOCK)
    for start, _, count, state, _, online, _ in rows:
        kind = {"PLUGGED": "plugged", "FAKE_OFFLINE": "claimed", "ADDED":
                "offline" if online == "offline" else "online"}.get(state, "unused")
        first = (start - base) // BIG_BLOCK
        out[first:first + count] = [kind] * count
    return out[:REGION // BIG_BLOCK]


class Screen:
    """Draws in place on a terminal, a line now and then elsewhere."""

    def __init__(self):
        self.tty = sys.stdout.isatty()
        self._drawn = self._last = None

    def blocks(self, what):
        """The row of blocks, coloured where colours work."""
        if not self.tty:
            return "".join(LOOK[k][0] for k in what)
        return "".join(f"\033[{LOOK[k][1]}m{LOOK[k][0] * len(list(run))}"
                       for k, run in itertools.groupby(what)) + "\033[0m"

    def legend(self):
        """The meaning of the characters."""
        return "  ".join(f"{self.blocks([k])} {look[2]}" for k, look in LOOK.items())

    def draw(self, what, done, goal, start, seconds, state):
        """One frame: what is plugged (bytes), on the way from start to goal."""
        part = (done - start) / (goal - start) if goal != start else 1
        done_part = "=" * round(62 * part)
        speed = abs(done - start) / GIB / seconds if seconds else 0
        # Nothing wider than 80 columns: a wrapped line can't be drawn over.
        lines = [f"  {self.blocks(what)}",
                 f"  [{done_part:<62}]",
                 f"  plugged {(BOOT + done) / GIB:.3f} GiB, requested "
                 f"{(BOOT + goal) / GIB:.3f} GiB, {speed:.2f} GiB/s, "
                 f"{seconds:.1f} s, {state}"]
        if self.tty:
            up = f"\033[{len(lines)}A" if self._drawn else ""
            print(up + "\n".join(f"\033[2K{l}" for l in lines), flush=True)
            self._drawn = True
        elif (key := (done, state)) != self._last:
            self._last = key
            print("\n".join(lines), flush=True)

    def finish(self):
        """The next frame starts below this one."""
        self._drawn = self._last = None


def resize(vm, screen, total):
    """Ask for a total size, watch it happen; returns the seconds it took."""
    base = vm.qmp.memory_device(DEVICE)["memaddr"]
    start, goal = vm.qmp.size(DEVICE), total - BOOT
    begin = time.monotonic()
    vm.qmp.request(DEVICE, goal)
    ended = False
    while not ended:
        state, done = vm.guest.attr("state"), vm.qmp.size(DEVICE)
        seconds = time.monotonic() - begin
        ended = state == "idle" and done == goal
        screen.draw(kinds(vm.guest.blocks(), base), done, goal, start, seconds, state)
        if seconds > LIMIT:
            raise GuestError(f"not done within {LIMIT} s: {vm.guest.attrs()}")
        if not ended:
            time.sleep(0.1)
    screen.finish()
    return seconds


def show(vm, screen):
    """The whole story; returns whether every size was exact."""
    small = vm.guest.mem_total()
    rows, good = [], True
    for total in (TARGET, BOOT):
        word = "grow" if total > BOOT else "shrink"
        print(f"\n{word} to {total / GIB:g} GiB")
        seconds = resize(vm, screen, total)
        host, guest = BOOT + vm.qmp.size(DEVICE), vm.guest.mem_total()
        good = good and host == total and guest - small == total - BOOT
        rows.append((f"{word} to {total / GIB:g} GiB", seconds, host, guest))
    print(f"\n{'':16}{'seconds':>9}{'host: bytes (QMP)':>20}{'guest: MemTotal, kB':>22}")
    print(f"{'boot':16}{'':9}{BOOT:>20}{small // 1024:>22}")
    for what, seconds, host, guest in rows:
        print(f"{what:16}{seconds:>9.1f}{host:>20}{guest // 1024:>22}")
    print("\nThe guest's share agrees with the host's to the byte." if good
          else "\nHost and guest disagree!")
    return good


def main():
    """Command line in, exit status out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kver", choices=kernels.running("guest"), default=kernels.DEFAULT)
    args = parser.parse_args()
    screen = Screen()
    # Asked to end, end the guest too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        print("booting a guest of 1 GiB with this driver ...", flush=True)
        begin = time.monotonic()
        with VM(CONFIG, args.kver) as vm:
            print(f"up after {time.monotonic() - begin:.1f} s: kernel {vm.kernel.kver},"
                  f" {vm.accel}; one character is a big block of "
                  f"{BIG_BLOCK // MIB} MiB\n{screen.legend()}")
            return 0 if show(vm, screen) else 1
    except KeyboardInterrupt:
        print("\ninterrupted; the guest is gone")
        return 130
    except (GuestError, RuntimeError, OSError) as error:
        print(f"\ndemo.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
