#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare this driver with the kernel's own, run by run, in the same guest.

    run.py [--kver SERIES] [--runs 5] [--quick] [--minutes N] [--into FILE] [CASE...]
    run.py --list
    run.py --show FILE

A CASE selects all cases whose name begins with it; those of memory states
("states", "big-states") are run only if they are named. The result (see the last
line) is written after each run; --into goes on with one, and leaves out the
runs that it has. --minutes begins no run after that time.
"""

import argparse
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
# In place of this directory, whose files are those of a package.
sys.path[0] = str(HERE.parent)
sys.dont_write_bytecode = True
from bench import cases, paper, plot, report
from bench.machine import Machine
from bench.store import Store
from vm.harness import accel, kernels
from vm.harness.cache import cache_dir


def first_line(*command):
    """The version that a program prints."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout.splitlines()[0] if done.stdout else ""


def environment(series):
    """The conditions of the figures."""
    kernel = kernels.get(series)
    cpu = [line.split(":")[1].strip() for line in
           pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
           if "model name" in line]
    return {"date": time.strftime("%Y-%m-%d %H:%M:%S"),
            "host": {"cpu": cpu[0] if cpu else platform.machine(), "cpus": os.cpu_count(),
                     "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
                     "kernel": platform.release(), "load": os.getloadavg()},
            "qemu": first_line("qemu-system-x86_64", "--version"),
            "accel": accel.choose(kernel)[1],
            "guest_kernel": kernel.kver,
            "driver": first_line("git", "-C", str(HERE), "describe", "--always",
                                 "--dirty")}


class Bench:
    """Runs cases, and keeps the result up to date."""

    def __init__(self, series, runs, store, end):
        self.series, self.runs, self.store, self._end = series, runs, store, end

    def left(self, name, case):
        """[(round, driver)] still to do. Round 0 warms up, also when going on."""
        todo = []
        for number in range(1, self.runs + 1):
            # Who is first alternates, too.
            for driver in report.DRIVERS[::1 if number % 2 else -1]:
                if not self.store.done(name, number, driver):
                    todo.append((number, driver))
        if todo and not case.on_demand:
            todo[:0] = [(0, d) for d in report.DRIVERS[::-1]]
        return todo

    def estimate(self, chosen):
        """Seconds that all of it may take."""
        return sum(len(self.left(name, case)) * (self.store.seconds(name) or case.about)
                   for name, case in chosen.items())

    def case(self, name, case):
        """All runs of a case."""
        todo = self.left(name, case)
        if not todo:
            print(f"# {name}: all runs are there", flush=True)
            return
        machine = Machine(self.series, **case.machine)
        self.store.case(name, {"what": case.what, "machine": machine.describe(),
                               "arguments": case.arguments})
        print(f"# {name}: {case.what}; about "
              f"{len(todo) * (self.store.seconds(name) or case.about) / 60:.0f} min",
              flush=True)
        try:
            for number, driver in todo:
                if self._end and time.monotonic() > self._end:
                    return
                begin = time.monotonic()
                samples = self._run(machine, case, driver)
                self._keep(name, number, driver, samples, time.monotonic() - begin)
        finally:
            machine.close()

    @staticmethod
    def _run(machine, case, driver):
        """One run; returns its samples. A guest that died is one, too."""
        run = None
        try:
            guest = machine.fresh()
            guest.scan()
            run = cases.Run(machine, driver)
            case.function(run, **case.arguments)
            run.end()
            samples = run.samples
        except Exception as error:  # pylint: disable=broad-except
            # Whatever it is, the other runs and cases shall have their turn.
            where = traceback.extract_tb(error.__traceback__)[-1]
            samples = (run.samples if run else {}) | {"-": {
                "died": f"{type(error).__name__}: {str(error)[:400]} "
                        f"({pathlib.Path(where.filename).name}:{where.lineno})"}}
        if machine.vm:
            trouble = [f"{name}: {line}" for name, line in machine.vm.scan()]
            for sample in samples.values():
                sample["console"] = trouble[:20]
            if any("died" in s for s in samples.values()):
                machine.drop()
        return samples

    def _keep(self, name, number, driver, samples, took):
        for phase, sample in samples.items():
            self.store.add({"case": name, "phase": phase, "round": number, "driver": driver,
                            "warmup": number == 0, "run_s": took} | sample)
            print(f"#   {number} {driver:5} {phase}: {report.brief(sample)} "
                  f"(run {took:.0f} s)", flush=True)
        self.store.save()


def show(store):
    """Table, and plots if there is something to plot."""
    print(report.text(store.result) + paper.text(store.result))
    if report.summarise(store.samples):
        for path in plot.draw(store.result, store.path.parent):
            print(f"# {path}")


def main():
    """Command line in, exit status out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kver", choices=kernels.running("bench"), default=kernels.DEFAULT)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--minutes", type=float, help="begin no run after that time")
    parser.add_argument("--into", type=pathlib.Path, help="go on with this result.json")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--show", type=pathlib.Path, help="table and plots of a result.json")
    parser.add_argument("case", nargs="*")
    args = parser.parse_args()
    if args.show:
        show(Store(args.show))
        return 0
    chosen = {name: case for name, case in cases.table(args.quick).items()
              if (any(name.startswith(c) for c in args.case) if args.case
                  else args.list or not case.on_demand)}
    if args.list or not chosen:
        print("\n".join(f"{name:28} {case.what}" for name, case in chosen.items()))
        return 0 if chosen else 2
    # Asked to end, show what there is, and run the exit handlers that end the guest.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    store = Store(args.into or cache_dir("bench", time.strftime("%Y%m%d-%H%M%S")) /
                  "result.json", environment(args.kver))
    bench = Bench(args.kver, args.runs, store,
                  args.minutes and time.monotonic() + args.minutes * 60)
    print(f"# about {bench.estimate(chosen) / 60:.0f} min for {len(chosen)} cases; "
          f"{store.path}", flush=True)
    try:
        for name, case in chosen.items():
            bench.case(name, case)
    except KeyboardInterrupt:
        print("# interrupted; what there is:")
    finally:
        show(store)
        print(f"# {store.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
