#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make pictures of the tools for docs/pictures, from guests that run.

    run.py [--kver SERIES] [--into DIRECTORY] [vmem] [top]

vmem also prints a transcript of a shrink that is stuck, for docs/operators.md. Needs what
the guest tests need, libvirtd, gnuplot and DejaVu Sans Mono (tools/testing/deps vm libvirt
bench), and the driver built for the guests' kernel (VM_MODULE names it).
"""

import argparse
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "tools/testing"))
sys.dont_write_bytecode = True
from pictures import guest, host
from vm.harness import kernels

PARTS = {"vmem": guest.draw, "top": host.draw}


def main():
    """Command line in, pictures out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kver", choices=kernels.running("guest"), default=kernels.DEFAULT)
    parser.add_argument("--into", type=pathlib.Path, default=TOP / "docs/pictures")
    parser.add_argument("part", nargs="*", help="vmem, top; default: both")
    args = parser.parse_args()
    for part in args.part or PARTS:
        PARTS[part](args.into, args.kver)


if __name__ == "__main__":
    main()
