#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel's own virtio_mem does with the devices in software: a table.

    stock_mock.py [--kver 6.1|6.12] [--list] [PATTERN...]

Not a test: nothing is judged, and all is written down as it was seen. Each
group of cases has a guest of its own, and each case one of its eight devices.
PATTERN selects groups.
"""

import argparse
import re
import signal
import sys
import time

import kernels
from guest import GuestError
from mocks import DIR, SIZE, VIRTIO, Mocks
from mocks_case import OPTIONS
from vm import MIB, VM

BLOCK = 128 * MIB
COUNT = 8
STOCK = "/mod/stock/virtio_mem.ko"
# What it tells of any device that works.
CHATTER = re.compile("(start address|region size|device block size|memory block size|"
                     "subblock size|big block size|nid|plugged size|requested size|"
                     "usable region size|bb size): ")
# Its timer for another try begins with 50 s.
PATIENCE = 75
LASTS = 3

# Requests that meet a fault: MiB before, MiB requested, the order, and how many
# MiB there should be in the end if not what was requested at first. "every=1"
# is taken back after 3 s; all others end by themselves.
FAULTS = {
    "plug": [(0, 256, f"plug {what}") for what in (
        "nack every=1", "busy every=1", "error", "error done", "unknown",
        "unknown done", "short", "long")],
    "plug2": [(0, 256, f"plug {what}") for what in (
        "twice", "late=1500", "error every=1", "busy every=2", "short undone",
        "nack", "busy", "late=12000")],
    "unplug": [(256, 0, f"unplug {what}") for what in (
        "nack every=1", "busy every=1", "error", "error done", "unknown",
        "unknown done", "short", "long")],
    "unplug2": [(256, 0, f"unplug {what}") for what in (
        "twice", "late=1500", "error every=1", "busy every=2", "short undone",
        "nack", "busy", "late=12000")],
    "config": [(0, 256, "plug requested=0", 0), (0, 256, "plug requested=384M", 384),
               (384, 0, "unplug requested=256M late=300", 256),
               (128, 384, "plug usable=512M late=300"),
               (128, 384, "plug usable=256M", 256), (384, 0, "unplug usable=128M", 256),
               (128, 384, "plug plugged_size=512M"), (384, 0, "unplug block_size=3M")],
}
# What it is asked for when it has to go, and MiB before and requested.
ENDS = [(0, 256, "plug break"), (0, 256, "plug reset"), (0, 256, "plug needs_reset"),
        (0, 256, "plug never"), (256, 0, "unplug break"), (256, 0, "unplug never"),
        (256, 256, ""), (0, 0, "")]
LIES = ("block_size=0", "block_size=512", "block_size=3M", "block_size=8G",
        f"addr={(4 << 30) + 4096}", "addr=0xfffffffff0000000", "region_size=0",
        "region_size=130M", "region_size=0xffffffff80000000", "usable_region_size=1M",
        "usable_region_size=8G", "plugged_size=1M", "plugged_size=8G",
        "requested_size=1M", "node_id=77")


def row(*cells):
    """A line of the table."""
    print("| " + " | ".join(str(c).replace("|", "/") for c in cells) + " |", flush=True)


class Stock:
    """A guest with eight devices and that driver."""

    def __init__(self, kver):
        self.vm = VM("mock", kver, mod="none", append=OPTIONS["append"])
        self.guest = self.vm.guest
        # Go on after a warning: what comes then is to be seen, too.
        self.guest.ok("echo 0 >/proc/sys/kernel/panic_on_warn")
        self.mock = Mocks(self.guest, COUNT)
        self.mock.load("block_size=128M")

    def close(self):
        """End it."""
        self.vm.stop(check=False)

    def insert(self):
        """Load the driver, unless it is."""
        self.guest.ok(f"[ -d /sys/module/virtio_mem ] || insmod {STOCK}; "
                      "dmesg -c >/dev/null")

    def added(self, look, index):
        """Bytes of a device's region that Linux has."""
        low = self.mock.base(index)
        return sum(e - s for s, e in look.iomem if low <= s < low + SIZE // COUNT)

    def has(self, look, index, size):
        """Whether a device and Linux have that much of it."""
        return look[index].size == size == self.added(look, index)

    def said(self, name):
        """What the driver said of a device."""
        lines = [line.partition("] ")[2] for line in self.guest.dmesg().splitlines()]
        found = [line.partition(": ")[2] for line in lines
                 if f" {name}: " in line and not CHATTER.search(line)]
        return [re.sub(r"0x[0-9a-f]+", "0x...", line) for line in dict.fromkeys(found)]

    def sizes(self, look, index):
        """What it has."""
        return (f"{look[index].size // MIB} MiB plugged, "
                f"{self.added(look, index) // MIB} MiB added")

    def describe(self, look, index, name):
        """Sizes, violations and messages."""
        return "; ".join([self.sizes(look, index), *self.notes(look[index], name)])

    def notes(self, seen, name):
        """Violations and messages."""
        notes = [f"violations {seen.violations}"] if seen.violations else []
        return notes + [f'"{line}"' for line in self.said(name)[:3]]

    def warnings(self):
        """A row for what the kernel says of no device."""
        found = re.findall(r"(?:WARNING: |BUG: |Oops: |divide error)[^\n]*", self.vm.console())
        if found:
            row("all of these in one guest", "; ".join(dict.fromkeys(found)))

    def watch(self, goals, patience=PATIENCE):
        """{index: seconds until it was met}, without those that were not; the last look."""
        met, begin = {}, time.monotonic()
        while True:
            look = self.mock.look()
            now = time.monotonic() - begin
            for index, size in goals.items():
                if index not in met and self.has(look, index, size):
                    met[index] = now
            if len(met) == len(goals) or now > patience:
                return met, look
            time.sleep(0.3)


def ready(stock, cases):
    """The driver loaded, each device with what its case begins with."""
    stock.insert()
    before = {i: case[0] * MIB for i, case in enumerate(cases)}
    stock.mock.request(before)
    stock.watch(before)
    stock.guest.ok("dmesg -c >/dev/null")
    stock.mock.orders(*((i, "fault", case[2]) for i, case in enumerate(cases) if case[2]))
    stock.mock.request({i: case[1] * MIB for i, case in enumerate(cases)})


def faults(stock, cases):
    """A group of FAULTS."""
    ready(stock, cases)
    goals = {i: case[-1] * MIB if len(case) > 3 else case[1] * MIB
             for i, case in enumerate(cases)}
    early, _ = stock.watch(goals, LASTS)
    lasting = [i for i, case in enumerate(cases) if "every=1" in case[2]]
    stock.mock.orders(*((i, "fault", "clear") for i in lasting))
    met, look = stock.watch(goals)
    texts = {}
    for i in goals:
        if i in early:
            texts[i] = [f"met in {early[i]:.1f} s"]
        elif i in met:
            texts[i] = [f"met {met[i]:.1f} s after the end of the fault" if i in lasting
                        else f"met in {met[i] + LASTS:.0f} s"]
        else:
            texts[i] = [f"not met within {PATIENCE} s: " + stock.sizes(look, i)]
        texts[i] += stock.notes(look[i], look[i].name)
    # Does it go on?
    stock.mock.all("fault", "clear")
    stock.mock.all("config", "truth")
    stock.mock.all("usable", "512M")
    stock.mock.all("violations", "clear")
    stock.guest.ok("dmesg -c >/dev/null")
    # What no device has now.
    other = {i: (384 if look[i].size == 128 * MIB else 128) * MIB for i in goals}
    stock.mock.request(other)
    met, look = stock.watch(other)
    for i, case in enumerate(cases):
        texts[i].append(f"then {other[i] // MIB} MiB requested: " + (
            f"met in {met[i]:.0f} s" if i in met else "not met, " + stock.sizes(look, i)))
        row(f"{case[0]} to {case[1]} MiB: {case[2]}",
            "; ".join([*texts[i], *stock.notes(look[i], look[i].name)]))
    stock.warnings()


def done(stock):
    """{index: seconds} of those whose driver let go within 40 s."""
    begin, out = time.monotonic(), {}
    while len(out) < COUNT and time.monotonic() < begin + 40:
        for i in stock.guest.run("cat /tmp/done")[1].split():
            out.setdefault(int(i), time.monotonic() - begin)
        time.sleep(0.3)
    return out


def ends(stock, order):
    """Devices that are in a bad way, and then their driver is to let go."""
    ready(stock, ENDS)
    time.sleep(5)
    look = stock.mock.look()
    names = [d.name for d in look.devices]
    orders = [(f"{names[i]} >/sys/bus/virtio/drivers/virtio_mem/unbind"
               if order == "unbind" else f"{order} >{DIR}/{i}/device") for i in range(COUNT)]
    stock.guest.ok(": >/tmp/done; " + " ".join(
        f"(echo {text}; echo {i} >>/tmp/done) &" for i, text in enumerate(orders)))
    ended = done(stock)
    look = stock.mock.look()
    for i, case in enumerate(ENDS):
        text = f"done in {ended[i]:.0f} s" if i in ended else "not done within 40 s"
        row(f"{case[0]} to {case[1]} MiB: {case[2] or 'no fault'}; then {order}",
            f"{text}; {stock.describe(look, i, names[i])}")
    stock.warnings()
    if order != "unbind":
        again(stock)


def again(stock):
    """The last two devices come back."""
    for i, text in ((6, "256 MiB added"), (7, "nothing added")):
        stock.guest.ok("dmesg -c >/dev/null")
        status, _ = stock.guest.run(f"timeout 20 sh -c 'echo add >{DIR}/{i}/device'", 30)
        look = stock.mock.look()
        name = look[i].name
        there = stock.guest.run(f"[ -e {VIRTIO}/{name}/driver ]")[0] == 0
        row(f"the device comes back, {text}",
            f"{'bound' if there else 'refused'}{'' if status == 0 else ' (not added)'}; " +
            stock.describe(look, i, name))


def suspends(stock, _):
    """Suspend while a request is out."""
    stock.insert()
    stock.mock.order(0, "fault", "plug never")
    stock.mock.request({0: 256 * MIB})
    time.sleep(3)
    begin = time.monotonic()
    status, _ = stock.guest.run("echo freeze >/sys/power/state", timeout=60)
    row("plug never; then suspend",
        f"{'refused' if status else 'suspended'} after {time.monotonic() - begin:.0f} s")


def probes(stock, lies):
    """What makes no sense from the start; each device is added with a lie."""
    stock.insert()
    for i, lie in enumerate(lies):
        stock.guest.ok(f"echo remove >{DIR}/{i}/device; dmesg -c >/dev/null; "
                       f"echo {lie} >{DIR}/{i}/config")
        died = f"from the start: {lie}", "the guest died"
        try:
            stock.guest.ok(f"timeout 20 sh -c 'echo add >{DIR}/{i}/device'", 30)
            name = stock.mock.look()[i].name
            there = stock.guest.run(f"[ -e {VIRTIO}/{name}/driver ]")[0] == 0
            texts = ["accepted" if there else "refused"]
            texts += [f'"{line}"' for line in stock.said(name)[:3]]
            if there:
                stock.guest.ok("dmesg -c >/dev/null")
                stock.mock.request({i: 256 * MIB})
                time.sleep(4)
                texts.append("256 MiB requested: " +
                             stock.describe(stock.mock.look(), i, name))
                stock.mock.orders((i, "config", "truth"), (i, "requested", 0))
            row(f"from the start: {lie}", "; ".join(texts))
        except GuestError:
            why = re.findall(r"(?:divide error|BUG: |Oops: |WARNING: |Kernel panic)[^\n]*",
                             stock.vm.console())
            row(died[0], "; ".join([died[1], *why[:1]]))
            raise


def groups():
    """{name: [(what to do, with what)]}: a guest for each of them."""
    out = {name: [(faults, cases)] for name, cases in FAULTS.items()}
    for order in ("unbind", "remove", "surprise"):
        out[f"end-{order}"] = [(ends, order)]
    out["suspend"] = [(suspends, None)]
    # Those that follow one of which the guest dies are in the next one.
    out["probe"] = [(probes, LIES[:1]), (probes, LIES[1:5]), (probes, LIES[5:10]),
                    (probes, LIES[10:])]
    return out


def run(kver, name, steps):
    """One of them."""
    stock = None
    for what, argument in steps:
        try:
            stock = Stock(kver)
            what(stock, argument)
        except GuestError as error:
            row(name, f"not finished: {str(error).splitlines()[0]}")
        finally:
            stock = stock and stock.close()


def main():
    """Command line in, table out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kver", choices=["6.1", "6.12"], default="6.12")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("pattern", nargs="*")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    names = {name: steps for name, steps in groups().items()
             if not args.pattern or any(p in name for p in args.pattern)}
    if args.list:
        print("\n".join(names))
        return 0
    print(f"Kernel {kernels.get(args.kver).kver}, its own driver\n")
    row("case", "what was seen")
    row("---", "---")
    for name, steps in names.items():
        run(args.kver, name, steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
