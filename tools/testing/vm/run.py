#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the guest tests and print TAP.

    run.py [--kver 6.1|6.12|kasan|kcsan] [--jobs N] [--list] [PATTERN...]

PATTERN selects tests whose name contains it. The driver must have been built
for the guest's kernel (kernels.py prints which that is); VM_MODULE names
another file than the repository's. VM_ACCEL=tcg never tries KVM.
"""

import argparse
import os
import pathlib
import queue
import signal
import sys
import threading
import time
import traceback
import unittest

import case
import kernels
import vm
from leaks import Leaks


class Tap(unittest.TestResult):
    """Prints each outcome as it comes, from any thread."""

    lock = threading.Lock()
    count = failed = 0
    ended = False   # interrupted: what the dying guests' tests say is noise

    def __init__(self):
        super().__init__()
        self._begin, self._bad, self._skip = 0.0, [], None

    def startTest(self, test):
        super().startTest(test)
        self._begin, self._bad, self._skip = time.monotonic(), [], None

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._skip = reason

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._bad.append(self._text(test, err))

    def addError(self, test, err):
        super().addError(test, err)
        self._bad.append(self._text(test, err))

    def stopTest(self, test):
        """One line a test, whatever failed in it, and what came of that."""
        super().stopTest(test)
        note = (f"SKIP {self._skip}" if self._skip is not None
                else f"{time.monotonic() - self._begin:.1f} s")
        with Tap.lock:
            if Tap.ended:
                return
            Tap.count += 1
            Tap.failed += bool(self._bad)
            print(f"{'not ok' if self._bad else 'ok'} {Tap.count} - "
                  f"{name(test)} # {note}")
            for line in "\n".join(self._bad).splitlines():
                print(f"#   {line}")
            sys.stdout.flush()

    @staticmethod
    def _text(test, err):
        """Where in our files it failed, at which step, and why."""
        here = str(pathlib.Path(__file__).resolve().parent)
        where = [f"{pathlib.Path(f.filename).name}:{f.lineno} {f.line}"
                 for f in traceback.extract_tb(err[2]) if f.filename.startswith(here)]
        step = [f"step: {test.at}"] if getattr(test, "at", "") else []
        return "\n".join([*where, *step, f"{err[0].__name__}: {err[1]}"])


def name(test):
    """module.Class.test_name without what is in each of them."""
    return test.id().replace("test_", "", 1)


def flatten(suite):
    """All tests in a suite."""
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def collect(patterns, debug=False, leaks=False):
    """The selected tests in groups that can share a guest.

    debug: those that need what only a debug kernel has, too
    leaks: end each group with a search for memory that it lost
    """
    here = pathlib.Path(__file__).resolve().parent
    suite = unittest.defaultTestLoader.discover(str(here), "test_*.py")
    groups = {}
    for test in flatten(suite):
        if getattr(test, "debug_only", False) and not debug:
            continue
        if patterns and not any(p in name(test) for p in patterns):
            continue
        key = (getattr(test, "config", ""), str(getattr(test, "options", "")),
               type(test).__module__)
        groups.setdefault(key, []).append(test)
    for group in groups.values() if leaks else ():
        if isinstance(group[0], case.GuestCase):
            group.append(Leaks(group[0]))
    # By machine: a worker that takes the next group often keeps its guest.
    return [groups[key] for key in sorted(groups)]


def worker(groups, series, results):
    """Run groups until none is left."""
    case.POOL.series = series
    result = Tap()
    results.append(result)
    try:
        while True:
            for test in groups.get_nowait():
                test.run(result)
    except queue.Empty:
        pass
    finally:
        case.POOL.drop()


def main():
    """Command line in, exit status out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kver", choices=[*kernels.META, *kernels.DEBUG], default="6.12")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("pattern", nargs="*")
    args = parser.parse_args()

    tests = collect(args.pattern, args.kver in kernels.DEBUG, args.kver == "kasan")
    if args.list:
        print("\n".join(name(t) for group in tests for t in group))
        return 0
    kernel = kernels.get(args.kver)
    have = vm.module_kver(vm.our_module())
    if have != kernel.kver:
        print(f"Bail out! {vm.our_module()} is built for {have}; the guest "
              f"runs {kernel.kver}. Try: make KVER={kernel.kver} KDIR={kernel.headers}")
        return 1
    # Asked to end, run the exit handlers that end the guests.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    print(f"TAP version 13\n# guest kernel {kernel.kver}, "
          f"{vm.accel.choose(kernel)[1]}\n1..{sum(map(len, tests))}", flush=True)
    groups, results = queue.Queue(), []
    for group in tests:
        groups.put(group)
    # Daemon threads: Ctrl-C must not wait for them. vm.py's exit handler ends
    # their guests.
    threads = [threading.Thread(target=worker, args=(groups, args.kver, results),
                                daemon=True) for _ in range(args.jobs)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        with Tap.lock:
            Tap.ended = True
            print("Bail out! interrupted")
        return 130
    print(f"# {Tap.count} tests, {Tap.failed} failed, "
          f"{time.monotonic() - begin:.0f} s")
    return 1 if Tap.failed or Tap.count != sum(map(len, tests)) else 0


if __name__ == "__main__":
    sys.exit(main())
