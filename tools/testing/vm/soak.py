#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the soak test for as long as you like.

    soak.py [--minutes N] [--seed N] [--kver 6.1|6.12|kasan|kcsan] [--mock]

The driver must have been built for the guest's kernel, see run.py. Prints the
seed first; the same seed repeats the same operations. --mock: against the
device in software, which does much wrong, in place of QEMU's.
"""

import argparse
import os
import random
import signal
import sys

import case
import kernels
import run
import test_soak
import vm


def main():
    """Command line in, exit status out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kver", choices=[*kernels.META, *kernels.DEBUG], default="6.12")
    parser.add_argument("--mock", action="store_true")
    args = parser.parse_args()

    have, want = vm.module_kver(vm.our_module()), kernels.get(args.kver).kver
    if have != want:
        sys.exit(f"soak.py: {vm.our_module()} is built for {have}, the guest runs {want}")
    seed = args.seed
    if seed is None:
        seed = int(os.environ.get("VMEM_SEED") or random.randrange(1 << 32))
    os.environ["VMEM_SEED"] = str(seed)
    print(f"# soak: seed={seed}", flush=True)
    # Asked to end, run the exit handler that ends the guest.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    case.POOL.series = args.kver
    kind = test_soak.MockSoak if args.mock else test_soak.Soak
    kind.seconds = args.minutes * 60
    result = run.Tap()
    try:
        kind("test_soak").run(result)
    except KeyboardInterrupt:
        print("Bail out! interrupted", flush=True)
        return 130
    finally:
        case.POOL.drop()
    return 1 if run.Tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
