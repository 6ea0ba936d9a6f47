# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases: what is done to a guest, and which parts of that are measured."""

import dataclasses
import time
import typing

from bench import statecase
from bench.host import now
from bench.machine import SLOW_CLEAR
from bench.measure import Resize
from vm.harness.guest import GuestError
from vm.harness.vm import GIB, MIB

KB = 1024
LIMIT = 90        # seconds after which a request counts as not met
PREPARE = 300     # seconds that preparing something in the guest may take


@dataclasses.dataclass
class Case:
    """One row of the bench.

    what       for people
    about      seconds that one run takes, with what comes before and after
    machine    arguments for Machine
    function   what to do, with a Run and the arguments
    on_demand  whether it must be named to be run, and has no round to warm up
    """

    what: str
    about: int
    machine: dict
    function: typing.Callable
    arguments: dict
    on_demand: bool = False


class Run:
    """One run of a case with one driver, in a guest with nothing plugged."""

    def __init__(self, machine, driver):
        self.vm, self.block, self.driver = machine.vm, machine.block, driver
        self.guest = guest = machine.vm.guest
        self.samples = {}
        self._machine, self._holders = machine, []
        self.base = guest.mem_total()
        guest.ok(f"insmod /mod/{driver}/virtio_mem.ko")
        # Else not the same would be compared: the kernel's own driver has another
        # mode for device blocks smaller than Linux's memory blocks.
        if driver == "stock":
            guest.ok(f"dmesg | grep virtio_mem | tail -n 12 | "
                     f"grep -q 'big block size: {self.block:#x}$'")
        elif int(guest.attr("big_block_size")) != self.block:
            raise GuestError("our driver has another big block size")
        self.start = machine.vm.qmp.memory_device("vm0")["memaddr"]

    def resize(self):
        """Measure one."""
        return Resize(self.vm, self.block)

    def grow(self, size):
        """Not measured; online as the guest does it by itself."""
        self.vm.resize(size, timeout=PREPARE / 2)
        if self.guest.run(f"meter total {(self.base + size) // KB} 60", 120)[0]:
            raise GuestError("grown, but not online")

    def pages(self, size):
        """[(slab pages, mapped pages)] of each big block, from the lowest."""
        out = self.guest.ok(f"meter pages {self.start} {self.start + size} {self.block}",
                            PREPARE)
        return [tuple(map(int, line.split())) for line in out.splitlines()]

    def hold(self, command):
        """Start what holds memory, and wait until it has it; returns its process."""
        pid = self.guest.spawn(command, "/tmp/hold")
        self._holders.append(pid)
        self.ready("/tmp/hold")
        return pid

    def ready(self, log):
        """Wait for what holds memory, or for what it complains of."""
        line = self.guest.wait_line(log, r"READY|occupy:.*", PREPARE)[0]
        if line != "READY":
            raise GuestError(line)

    def stale(self):
        """This run leaves behind what only a reset removes."""
        self._machine.stale = True

    def end(self):
        """Free what was held."""
        for pid in self._holders:
            self.guest.kill(pid)

    def isolations_in(self, sample, blocks):
        """How often parts of these big blocks were isolated, all in all."""
        numbers = [(a - self.start) // self.block for a in sample.pop("isolated")]
        return {str(b): numbers.count(b) for b in blocks}


def resize(run, size, limit, measured):
    """Cases 1, 2 and 7: grow from nothing, shrink to nothing."""
    if "grow" in measured:
        with run.resize() as r:
            r.ask(size)
            met = r.until(lambda: r.size == size, limit) and \
                r.until_online(run.base + size, 1 + 0.4 * size / GIB, limit)
        run.samples["grow"] = r.sample | {"met": met}
    else:
        run.grow(size)
    if "shrink" in measured:
        with run.resize() as r:
            r.ask(0)
            met = r.until(lambda: r.size == 0, limit)
        run.samples["shrink"] = r.sample | {"met": met}


def spread(run, size, goal, keep, chunk, limit):
    """Case 3: user memory all over the place."""
    run.grow(size)
    run.hold(f"occupy spread {size - 32 * MIB} {keep} {chunk} 20250711")
    mapped = [m for _, m in run.pages(size)]
    with run.resize() as r:
        r.ask(goal)
        met = r.until(lambda: r.size == goal, limit)
    gone = (size - goal) // run.block
    run.samples["shrink"] = r.sample | {
        "met": met, "mapped": mapped,
        # Pages that any choice of big blocks would have to migrate.
        "unavoidable": sum(sorted(mapped)[:gone])}


def _reach(run, doomed, limit, after):
    """Ask for nothing, wait for all that can go, go on watching for a while."""
    goal = len(doomed) * run.block
    with run.resize() as r:
        r.ask(0)
        met = r.until(lambda: r.size <= goal, limit)
        r.until(lambda: False, after)
    if r.sample["to"] < goal:
        raise GuestError(f"{goal - r.sample['to']} bytes went that should have been held")
    sample = r.sample | {"met": met, "doomed": len(doomed), "goal": goal}
    sample["doomed_isolations"] = run.isolations_in(r.sample, doomed)
    sample["doomed_looks"] = {str(b): r.sample["looked"].count(b) for b in doomed}
    sample.pop("isolated", None)
    run.samples["shrink"] = sample


def pins(run, size, limit, after):
    """Case 4: every fourth big block has one page that can't move."""
    run.grow(size)
    run.hold(f"occupy pins {run.start} {run.start + size} {4 * run.block} {run.block}")
    _reach(run, range(0, size // run.block, 4), limit, after)


# Every fourth memory block to the kernel, the rest to ZONE_MOVABLE.
ONLINE = ("sh -c 'cd /sys/devices/system/memory; while :; do for m in memory[0-9]*; do "
          "read s <$m/state; [ $s = offline ] || continue; n=${{m#memory}}; "
          "[ $(((n - {first}) / {per} % 4)) = 0 ] && w=online_kernel || w=online_movable; "
          "echo $w >$m/state; done; sleep 0.1; done'")


def slab(run, size, limit, after):
    """Case 4: every fourth big block is the kernel's, and has slab pages."""
    run.stale()
    unit = int(run.guest.read("/sys/devices/system/memory/block_size_bytes"), 16)
    pid = run.guest.spawn(ONLINE.format(first=run.start // unit, per=run.block // unit),
                          "/tmp/online")
    run.grow(size)
    run.guest.kill(pid)
    run.guest.spawn("occupy slab 8192 64", "/tmp/slab")
    run.ready("/tmp/slab")
    doomed = [i for i, (count, _) in enumerate(run.pages(size)) if count]
    if len(doomed) != size // run.block // 4:
        raise GuestError(f"slab pages in other blocks than meant: {doomed}")
    _reach(run, doomed, limit, after)


STOP = 30         # seconds within which the load should end when asked
LOAD = ("stress-ng --vm 1 --vm-bytes 384m --fork 1 --fault 1 --hdd 1 --hdd-bytes 128m "
        "--malloc 1 --malloc-bytes 128m --vm-madvise hugepage --temp-path /tmp/disk "
        "--metrics-brief --no-rand-seed")


def load(run, size, goal, limit):
    """Case 5: a guest that is busy with its memory in many ways."""
    run.guest.ok("[ -e /dev/vda ] || while read -r m; do insmod $m; done </disk/order; "
                 "mkdir -p /tmp/disk; sleep 1; mount -t ext4 /dev/vda /tmp/disk")
    run.grow(size)
    pid = run.guest.spawn(LOAD, "/tmp/load")
    time.sleep(10)
    with run.resize() as r:
        r.ask(goal)
        met = r.until(lambda: r.size == goal, limit)
    run.guest.run(f"kill -INT {pid}")
    end = time.monotonic() + STOP
    while run.guest.run(f"kill -0 {pid}")[0] == 0 and time.monotonic() < end:
        time.sleep(0.2)
    if run.guest.run(f"kill -9 -{pid} 2>&-; sleep 0.2; umount /tmp/disk")[0]:
        run.stale()
    lines = run.guest.read("/tmp/load").splitlines()
    run.samples["shrink"] = r.sample | {
        "met": met, "load": [s for s in lines if "metrc" in s or "fail" in s]}


def tight(run, size, locked, limit):
    """Case 6: what must move does not fit; then it is freed."""
    run.grow(size)
    holder = run.hold(f"memtool lock {locked}")
    with run.resize() as r:
        r.ask(0)
        r.until(lambda: False, 5)
        lived = run.guest.run(f"kill -0 {holder}")[0] == 0
        before = r.size
        run.guest.kill(holder)
        freed = now()
        met = r.until(lambda: r.size == 0, limit)
        took = r.changed - freed if met else None
    run.samples["shrink"] = r.sample | {
        "met": met, "holder_lived": lived, "at_free": before,
        "after_free_s": took}


def table(quick):
    """{name: Case}, the most important first; quick: small sizes."""
    big, middle, small = (2 * GIB, 2 * GIB, GIB) if quick else (8 * GIB, 4 * GIB, 2 * GIB)
    plain = {"region": big, "cpu": SLOW_CLEAR}
    out = {}
    for on in (1, 0):
        out[f"2-init{on}"] = Case(
            f"shrink an empty guest, init_on_alloc={on}",
            (18 if quick else 45) if on else 9,
            plain | {"append": f"init_on_alloc={on}"}, resize,
            # Who zeroes all of it needs that long.
            {"size": big, "limit": 2 * LIMIT, "measured": ["shrink"]})
    # Page by page, to fill memory takes minutes under emulation.
    for name, chunk, size in (("64m", 64 * MIB, big), ("4k", 4096, small)):
        out[f"3-{name}"] = Case(
            f"shrink to half, user memory spread in pieces of {name}", 18 if quick else 40,
            {"region": size}, spread, {"size": size, "goal": size // 2, "keep": size * 3 // 8,
                                       "chunk": chunk, "limit": LIMIT})
    reach = {"size": middle, "limit": LIMIT, "after": 5}
    out["4-pins"] = Case("a pinned page in every fourth BB", 15 if quick else 25,
                         {"region": middle}, pins, reach)
    out["4-slab"] = Case("slab pages in every fourth BB", 20 if quick else 30,
                         {"region": middle, "online": "offline"}, slab, reach)
    out["6"] = Case("800 MiB locked in 512 MiB + 1 GiB, freed after 5 s", 30,
                    {"region": GIB, "boot": 512 * MIB}, tight,
                    {"size": GIB, "locked": 800 * MIB, "limit": LIMIT})
    for name, block in (("128m", 128 * MIB), ("1g", GIB)):
        for zone, how in (("movable", "online_movable"), ("normal", "online_kernel")):
            out[f"1-{name}-{zone}"] = Case(
                f"grow an empty guest, BBs of {name}, to ZONE_{zone.upper()}",
                9 if quick else 12, plain | {"block": block, "online": how}, resize,
                {"size": big, "limit": LIMIT, "measured": ["grow"]})
    out["5"] = Case("shrink under load (stress-ng)", 40, {"region": big, "disk": True}, load,
                    {"size": big, "goal": 0 if quick else GIB, "limit": LIMIT})
    for size in (1, 2) if quick else (1, 4, 16, 64):
        out[f"7-{size}g"] = Case(
            f"grow an empty guest by {size} GiB, and shrink it, init_on_alloc=0",
            12 + size, {"region": size * GIB, "boot": 4 * GIB, "append": "init_on_alloc=0"},
            resize, {"size": size * GIB, "limit": LIMIT, "measured": ["grow", "shrink"]})
    return out | statecase.table(Case, quick)
