# SPDX-License-Identifier: GPL-2.0-or-later
"""Every step of growing, shrinking and loading fails; nothing may be lost."""

import itertools
import os
import random
import re
import time

from vm.cases.case import MIB, PAGE, POOL, merge, total
from vm.cases.mock_case import MockCase
from vm.device import faults
from vm.device.events import Events
from vm.device.fault import DIR, INJECT, Fault, census, counts, shell, wrong
from vm.device.faults import CONTIG, FULL
from vm.device.mock import ADDR, DIR as MOCKS, SIZE, VIRTIO, ranges
from vm.harness.guest import Pattern
from vm.harness.kernels import TABLE, words

MOCK = f"{MOCKS}/0"
BLOCK = 128 * MIB    # a memory block
BB = 4 * BLOCK
# In use in the big block that goes.
PATTERN = 24 * MIB
STAYS = 32 * MIB     # of ZONE_MOVABLE, whatever is unplugged
PATIENCE = 20        # seconds; a fault may hold a page for some
ONLY = os.environ.get("VM_ONLY")     # of the whole table those with this text
SEED = int(os.environ.get("VM_SEED") or 3)


def note(text):
    """A comment in the results."""
    print(text, flush=True)


class Snapshot:
    """Device, driver and Linux at one moment."""

    COMMAND = " ; echo ==; ".join((
        f"cat {DIR}/census", "grep -E '^Node|present |managed ' /proc/zoneinfo",
        "grep MemTotal: /proc/meminfo", "grep 'RAM (virtio_mem)' /proc/iomem",
        f"cat {MOCK}/plugged", f"cat {MOCK}/violations",
        "cat /sys/kernel/debug/virtio_mem/*/blocks",
        f"cd {VIRTIO}/*/virtio_mem && grep . *"))

    def __init__(self, guest):
        out = guest.ok(self.COMMAND).split("==\n")
        self.census, self.isolate = census(out[0])
        self.zones = re.findall(r"Node (\d+), zone +(\S+)|(present|managed) +(\d+)", out[1])
        self.mem = int(out[2].split()[1]) * 1024
        self.iomem, self.plugged = merge(ranges(out[3])), merge(ranges(out[4]))
        self.violations = {k: int(v) for k, v in re.findall(r"(?m)^(\w+) ([1-9]\d*)$", out[5])}
        rows = [line.split() for line in out[6].splitlines()]
        self.blocks = [what for w in rows for what in [w[2:5]] * int(w[1])]
        self.states = {state: merge(ranges(" ".join(w[0] for w in rows if w[2] == state)))
                       for state in ("ADDED", "PLUGGED", "FAKE_OFFLINE")}
        self.attrs = dict(line.split(":", 1) for line in out[7].splitlines())

    def online(self):
        """Bytes of the region that are online."""
        return sum(b["sum"] * PAGE for b in self.census.values() if isinstance(b, dict))

    def usable(self):
        """Of these, those that are not a memmap."""
        return self.online() - sum(b["memmap"] * PAGE for b in self.census.values()
                                   if isinstance(b, dict))

    def known(self):
        """{address: zone, or why there is none} of the region's memory blocks."""
        return {k: v["zone"] if isinstance(v, dict) else v for k, v in self.census.items()}

    def movable(self):
        """(present, managed) pages of ZONE_MOVABLE."""
        here, out = "", {"present": 0, "managed": 0}
        for _, zone, field, value in self.zones:
            here = zone or here
            if here == "Movable" and field:
                out[field] += int(value)
        return out["present"], out["managed"]

    def others(self):
        """The zones but for ZONE_MOVABLE."""
        here, out = "", []
        for node, zone, field, value in self.zones:
            here = zone or here
            if here != "Movable":
                out.append((node, here, field, value))
        return out

    def bad(self, base, mem, before=None, memmap=0):
        """Its faults at rest, as text; base: with nothing plugged.

        memmap: how many pages of each memory block its own memmap takes.
        """
        size, pages = total(self.plugged), (self.online() // PAGE, self.usable() // PAGE)
        stays = base.movable() if base else self.movable()
        out = wrong(self.census, self.isolate, before.census if before else {}, memmap)
        want = {
            "violations": (self.violations, {}),
            "sysfs plugged_size": (int(self.attrs["plugged_size"]), size),
            "added": (int(self.attrs["blocks_added"]) * int(self.attrs["big_block_size"]), size),
            "states": (self.states, {"ADDED": self.plugged, "PLUGGED": [], "FAKE_OFFLINE": []}),
            "blocks_plugged": (self.attrs["blocks_plugged"], "0"),
            "blocks_fake_offline": (self.attrs["blocks_fake_offline"], "0"),
            "iomem": (self.iomem, self.plugged),
            "MemTotal": (self.mem - mem, self.usable()),
            "movable": (self.movable(), tuple(map(sum, zip(stays, pages)))),
            "other zones": (self.others(), base.others() if base else self.others()),
        }
        if before:
            want["zones"] = (self.zones, before.zones)
            want["MemTotal before"] = (self.mem, before.mem)
            want["iomem before"] = (self.iomem, before.iomem)
            want["blocks before"] = (self.blocks, before.blocks)
            want["memory blocks before"] = (self.known(), before.known())
        return out + [f"{k}: {a}, not {b}" for k, (a, b) in want.items() if a != b]


# How many allocations of the worker until one fails; 0 when that has happened.
NTH = "$(grep -ls ^virtio_mem/ /proc/[0-9]*/comm | sed s/comm$/fail-nth/)"


class FaultCase(MockCase):
    """A guest with the device in software and the module that orders faults."""

    pattern = PATTERN
    size = BB            # of a big block
    memmap = 0           # pages of each memory block that its own memmap takes
    nth = False          # whether allocations are counted
    # Without zeroing: taking pages is what is tested, not memset.  And with some
    # ZONE_MOVABLE that stays: when the last of it leaves, the core rebuilds its
    # zonelists under the feet of whoever allocates, which debug kernels die of.
    options = {"append": f"memmap={SIZE >> 30}G${ADDR:#x} init_on_alloc=0 ibt=off "
                         f"movablecore={STAYS >> 20}M"}
    mod_args = f"bbm_block_size={BB:#x}"

    def setUp(self):
        self.fault = None
        super().setUp()
        self.fill()
        self.fault = Fault(self.guest)
        self.fault.load()
        self.veto = None
        self.place_veto("last")
        self.guest.ok(f"echo {ADDR:#x} {ADDR + SIZE:#x} >{DIR}/census")
        self.rest = None
        self.rest = self.look()
        self.results, self.fails, self.seconds = {}, [], 0
        self.skipped = {}    # why: cases of the table
        self.beyond = False
        # Whether the core's callers learn that a removal failed.
        self.told = "removal-error" not in words(self.vm.kernel.series, "lacks")

    def load(self, mod="ours", args=None):
        super().load(mod, self.mod_args if args is None else args)

    def fill(self):
        """Put something into the memory that stays; the rest goes to big blocks."""
        self.guest.spawn(f"memtool lock {STAYS}", "/tmp/fill")
        self.guest.wait_line("/tmp/fill", "READY", 60)

    def unload(self):
        self.guest.run("killall -9 memtool")
        self.guest.run(f"[ -d {DIR} ] && echo clear >{DIR}/points; "
                       f"echo {self.vm.kernel.panic_on_warn} >/proc/sys/kernel/panic_on_warn")
        super().unload()

    def place_veto(self, where):
        """Another notifier, called before ours ("first") or after ("last")."""
        if self.veto == where:
            return
        self.guest.ok("rmmod memory-notifier-error-inject 2>/dev/null; "
                      "[ -d /sys/module/notifier_error_inject ] || "
                      "insmod /mod/notifier-error-inject.ko; "
                      "insmod /mod/memory-notifier-error-inject.ko "
                      f"priority={100000 if where == 'first' else -100000}")
        self.veto = where

    # --- looking ---

    def look(self, before=None):
        """A snapshot at rest, with nothing wrong with it."""
        end = time.monotonic() + PATIENCE
        while True:
            now = Snapshot(self.guest)
            bad = now.bad(self.rest, self.base, before, self.memmap)
            if not bad:
                return now
            if time.monotonic() > end:
                self.fail("; ".join(bad))
            # E.g. a page that is on its way from one list to another.
            time.sleep(0.2)

    def status(self):
        """(counts of the points, state, bytes plugged, last error) in one go."""
        left = f"cat {NTH}" if self.nth else "true"
        out = self.guest.ok(f"cat {DIR}/points; echo ==; cat {MOCK}/plugged; echo ==; "
                            f"cat {MOCK}/log; echo ==; {left}; echo ==; "
                            f"cat {VIRTIO}/*/virtio_mem/state "
                            f"{VIRTIO}/*/virtio_mem/last_error").split("==\n")
        state, _, error = out[4].partition("\n")
        return counts(out[0]), state, total(ranges(out[1])), error, out[2], out[3].strip()

    # --- one case ---

    def wait_end(self, case, goal):
        """Until the faults have taken effect and the operation has ended."""
        last = self.status()

        def ended():
            nonlocal last
            last = self.status()
            fired = [f for _, f in last[0]]
            done = all(fired) if case.all_fire else any(fired)
            # The device's answers, too.
            done = done and all(m.split()[1].upper() in last[4] for m in case.mock)
            if case.nth:
                # Met without so many allocations: then there are no more cases.
                self.beyond = last[5] != "0" and last[1:3] == ("idle", goal)
                done = last[5] == "0" or self.beyond
            return done and last[1] in (*case.ends, "broken")

        try:
            self.vm.wait(ended, str(case), 20, 0.02)
        except Exception as error:
            raise AssertionError(f"not ended: {last[:4]}") from error
        self.assertIn(last[1], case.ends, last[3])
        if last[1] == "idle" and "online" in case.step and case.cause:
            self.assertRegex(last[3], case.cause)
        if last[1] != "idle":
            # After an EBUSY the driver looks for pages that are held, and finds
            # some in the CPUs' batches if the fault left these undrained.
            self.assertRegex(last[3], f"{case.cause or '...'}|is held by something")
        return last[1]

    def one(self, case, start, goal):
        """From start to goal with the fault, back, and again without it."""
        self.bring(start)
        if case.fresh:
            self.reload()
        pattern = Pattern(self.guest, self.pattern) if start else None
        if pattern:
            self.assertGreater(pattern.pages_in(ADDR, ADDR + SIZE), 0, "pattern's place")
            # So that none of its pages is held, by a list of a CPU's own: those
            # of files come to one (6.1) when they can't be dropped.
            self.guest.ok("echo 1 >/proc/sys/vm/drop_caches; memtool drain")
        self.place_veto("first" if case.first == "first" else "last")
        if case.first == "gap":
            self.guest.ok(f"echo offline >/sys/devices/system/memory/"
                          f"memory{ADDR // (128 * MIB) + 1}/state")
        before = self.look()
        orders = [re.sub(r"BB\+(\d+)", lambda m: f"{ADDR + self.memmap * PAGE + int(m[1]):#x}", o)
                  for o in case.orders]
        out = self.guest.ok("; ".join(
            [shell(orders) or "true"] +
            ([f"echo {case.nth} >{NTH}"] if case.nth else []) +
            [f"echo '{m}' >{MOCK}/fault" for m in case.mock] +
            [f"echo 4G >{MOCK}/usable; echo clear >{MOCK}/log; "
             f"echo {goal} >{MOCK}/requested"]))
        self.assertEqual(out, "")
        end = self.wait_end(case, goal)
        if case.clear or end != "waiting":
            self.without_faults()
        if end == "broken":
            self.reload()
        elif end == "waiting":
            self.device.request(start)
            self.settled(start, 20)
            self.by_hand(before)
            self.look(before)
        else:
            self.settled(goal, 20)
            self.look()
        self.without_faults()
        if case.reload:
            self.device.request(0)
            self.settled(0, 20)
            self.reload()
        if "online" in case.step and start == 0:
            self.bring(0)
        begin = time.monotonic()
        self.device.request(goal)
        self.settled(goal, 20)
        self.seconds = max(self.seconds, time.monotonic() - begin)
        self.look()
        if pattern:
            self.assertEqual(pattern.check(), f"OK {self.pattern // PAGE}")
            self.guest.kill(pattern.pid)

    def by_hand(self, before):
        """An administrator onlines the memory that the core could not."""
        if "by hand" not in self.at:
            return
        self.without_faults()
        now = self.look()
        left = [a for a, b in now.census.items() if b == "offline"]
        self.assertEqual(len(left), 1, "memory blocks that stayed offline")
        self.assertRegex(self.guest.ok("dmesg | grep virtio_mem | tail -n 20"),
                         "not unplugged, but 128 MiB of it stay offline")
        self.assertLess(now.mem, before.mem)
        self.guest.ok(f"echo online_movable >/sys/devices/system/memory/"
                      f"memory{left[0] // (128 * MIB)}/state")

    def without_faults(self):
        """Everything works again."""
        self.guest.ok(f"echo clear >{DIR}/points; echo clear >{MOCK}/fault; " +
                      (f'for i in {NTH}; do echo 0 >$i; done' if self.nth else "true"))

    def reload(self):
        """A driver that knows of nothing that went wrong."""
        self.without_faults()
        self.guest.ok("rmmod virtio_mem", timeout=15)
        self.load()

    def bring(self, size):
        """To where a case begins."""
        if self.device.size() != size or self.state() != "idle":
            self.device.request(size)
            self.settled(size, 20)

    # --- many ---

    def functions(self, cases):
        """Which of the functions in their orders this kernel has."""
        names = {f for c in cases for names in c.functions() for f in names}
        out = self.guest.ok(rf"grep -oE ' ({'|'.join(names)})(\.isra\.0|\.constprop\.0)?(\s|$)' "
                            "/proc/kallsyms")
        return {word.partition(".")[0] for word in out.split()}

    def fitting(self, cases):
        """Those of them whose step a big block of this size has, and this kernel."""
        fit, known = [], self.functions(cases)
        for case in cases:
            gone = [names for names in case.functions() if not known.intersection(names)]
            why = ""
            if not case.fits(self.size // BLOCK):
                why = "a big block has one memory block"
            elif case.is_removal() and not self.told:
                why = "the core does not tell that a removal failed"
            # The table is right for the others, so there such a case fails.
            elif gone and "mirror" in TABLE[self.vm.kernel.series]:
                why = f"Linux has no {gone[0][0]}"
            if why:
                self.skipped.setdefault(why, set()).add(case)
            else:
                fit.append(case)
        return fit

    def choose(self, cases, extra):
        """All of them, or the core and some more."""
        cases = self.fitting(cases)
        if FULL or ONLY:
            return cases
        rng = random.Random(SEED)
        rest = [c for c in cases if not c.core and not c.slow]
        some = set(rng.sample(rest, min(extra, len(rest))))
        return [c for c in cases if c.core or c in some]

    def table(self, title, cases, one):
        """Do them all; a failure ends only its own case."""
        for case in cases:
            self.at = f"{title} {case}"
            if ONLY and ONLY not in self.at:
                continue
            key = (title, case.step)
            good, bad = self.results.get(key, (0, 0))
            begin = time.monotonic()
            try:
                one(case)
                good += 1
            except Exception as error:  # pylint: disable=broad-except
                bad += 1
                text = re.sub(r"\s+", " ", f"{error}")[:600]
                self.fails.append(f"{self.at}: {type(error).__name__}: {text}")
                note(f"# failed: {self.fails[-1]}")
                self.recover()
            self.results[key] = good, bad
            if self.beyond:
                # There are no more that could fail.
                self.beyond = False
                return
            if FULL or ONLY:
                note(f"# {self.at}: {time.monotonic() - begin:.1f} s")
        self.at = ""

    def recover(self):
        """Whatever the failed case left: a fresh driver with nothing plugged."""
        self.vm.alive()
        self.without_faults()
        self.guest.run("killall -9 memtool")
        self.device.behave()
        self.device.request(0)
        self.guest.ok("rmmod virtio_mem", timeout=30)
        self.fill()
        self.load()
        self.settled(0, 30)
        self.look()

    def verdict(self):
        """Say how many, and fail if any did."""
        lines = [f"{op:8} {step:28} {good:3} ok {bad:3} failed"
                 for (op, step), (good, bad) in self.results.items()]
        done = sum(g + b for g, b in self.results.values())
        (self.vm.dir / "faults.txt").open("a").write("\n".join(lines) + "\n")
        if FULL:
            note("\n".join(f"# {line}" for line in lines))
        for why, cases in self.skipped.items():
            steps = ", ".join(sorted({c.step for c in cases}))
            note(f"# skipped {len(cases)} cases, because {why}: {steps}")
        note(f"# {self.id().split('.', 4)[4]}: {done} cases, "
             f"{sum(map(len, self.skipped.values()))} skipped, VM_SEED={SEED}, without the "
             f"fault at most {self.seconds:.1f} s")
        self.assertFalse(self.fails, "\n".join(self.fails))
        self.assertTrue(done or ONLY)


class Grow(FaultCase):
    """Faults on the way up."""

    def test_any_step_may_fail(self):
        """One at a time, then two."""
        for title, cases in (("grow", faults.grow()), ("grow, 2", faults.grow_pairs())):
            self.table(title, self.choose(cases, 2), lambda c: self.one(c, 0, self.size))
        self.verdict()


class Shrink(FaultCase):
    """Faults on the way down, pages taken first."""

    def test_any_step_may_fail(self):
        """One at a time."""
        self.table("shrink", self.choose(faults.shrink(), 3), lambda c: self.one(c, self.size, 0))
        self.verdict()

    def test_any_two_steps_may_fail(self):
        """Two at a time."""
        self.table("shrink, 2", self.choose(faults.shrink_pairs(), 1),
                   lambda c: self.one(c, self.size, 0))
        self.verdict()


class Sweep(FaultCase):
    """Pages in use are moved first, and none is taken if that suffices."""

    def test_any_step_may_fail(self):
        """One at a time."""
        self.table("sweep", self.choose(faults.sweep(), 2), lambda c: self.one(c, self.size, 0))
        self.verdict()

    def test_held_page_keeps_all_online(self):
        """A page that is held: nothing is offlined, and taking fails as well."""
        self.table("sweep", faults.held(), lambda c: self.one(c, self.size, 0))
        self.verdict()


class Direct(FaultCase):
    """Faults on the way down, offlined directly."""

    mod_args = f"bbm_block_size={BB:#x} bbm_safe_unplug=0"

    def test_any_step_may_fail(self):
        """One at a time."""
        some = [c for c in self.fitting(faults.offlining()) if not c.core]
        everything = [c for c in self.fitting(faults.direct())
                      if not (c.slow and self.vm.kernel.debug)]
        cases = everything if FULL or ONLY else random.Random(SEED + 1).sample(some, 5)
        self.table("direct", cases, lambda c: self.one(c, self.size, 0))
        self.verdict()


class Removal(FaultCase):
    """All of a big block is offline, and then the core does not remove it."""

    # Where it does not tell its callers, it warns.
    allow = ("warn", "trace", "taint")

    def test_failed_removal_is_noticed(self):
        """It stays plugged, the log says so, and it goes when it can."""
        self.guest.ok("echo 0 >/proc/sys/kernel/panic_on_warn")
        self.bring(BB)
        self.fault.order("try_remove_memory ret=-16")
        self.device.request(0)
        self.wait_state("waiting", 30)
        self.assertEqual(self.device.size(), BB)
        self.assertRegex(self.guest.attr("last_error"), r"\(-16\)")
        self.without_faults()
        self.settled(0, 60)
        self.look()


class Calls(FaultCase):
    """The driver's calls: none of them lasts, or comes again at once."""

    def record(self):
        """The driver's events from now on."""
        recorder = Events(self.guest)
        self.addCleanup(lambda: POOL.vm is self.vm and recorder.off())
        recorder.arm()
        return recorder

    def in_use(self, size):
        """Something in the memory; and the memory block that has most of it."""
        pattern = Pattern(self.guest, size)
        pages = {at: pattern.pages_in(at, at + BLOCK) for at in range(ADDR, ADDR + BB, BLOCK)}
        block = max(pages, key=pages.get)
        self.assertGreater(pages[block], 4000)
        return pattern, block

    def holds(self, function, block, milliseconds, more=""):
        """Orders to hold pages of a block when a function is called."""
        return [f"{function} hold={block + (k * 8 + 4) * MIB:#x} ms={milliseconds} "
                f"times=1 {more}".strip() for k in range(16)]

    def fired(self, timeout=20):
        """Wait until some page is held."""
        self.vm.wait(lambda: any(f for _, f in self.fault.points()), "a page is held", timeout)

    def test_locks_are_short_though_a_page_is_held(self):
        """A page comes to be held after the look: the locks aren't for long."""
        self.bring(BB)
        pattern, block = self.in_use(128 * MIB)
        recorder = self.record()
        # As if the look had found nothing in use: DIRECT.
        self.fault.order("virtio_mem_choose_method ret=1",
                         *self.holds("offline_pages", block, 25000))
        self.device.request(0)
        self.fired()
        self.wait_state("waiting", 22)
        seconds = [e.seconds for e in recorder.read() if e.name == "offline-remove"]
        note(f"# {self.id()}: {seconds}")
        # A second for each of four memory blocks; as long as for what is taken: 10.
        self.assertGreater(max(seconds), 3)
        self.assertLess(max(seconds), 8)
        self.without_faults()
        self.settled(0, 60)
        self.assertEqual(pattern.check(), f"OK {128 * MIB // PAGE}")

    def test_draining_takes_only_pages_that_are_claimed(self):
        """To drain the CPUs' batches no page is taken that others may offline."""
        count = ("virtio_mem_mm_drain ret=0 after=1000",
                 f"{CONTIG} ret=0 in=virtio_mem_mm_drain after=1000")
        # Of a huge page 6.1 does not tell a module whether something holds it.
        huge = "/sys/kernel/mm/transparent_hugepage/enabled"
        self.guest.ok(f"echo never >{huge}")
        self.at_end(f"echo madvise >{huge}")
        self.bring(BB)
        pattern, block = self.in_use(128 * MIB)
        self.fault.order(*count, *self.holds("virtio_mem_scan_bb", block, 3000))
        self.device.request(0)
        self.fired()
        self.settled(0, 60)
        calls, took = (c for c, _ in self.fault.points()[:2])
        self.assertTrue(calls and took, f"drained {calls} times, {took} pages taken")
        self.guest.kill(pattern.pid)
        self.without_faults()

        # The same while user space is offlining a part of it.
        self.bring(BB)
        pattern, block = self.in_use(128 * MIB)
        self.fault.order(*count, *self.holds("offline_pages", block, 25000, "task=any"))
        # Until it lasts: isolating the block may fail at once, on 6.1 now and then.
        state = f"/sys/devices/system/memory/memory{block // BLOCK}/state"
        self.guest.spawn(f"sh -c 'until echo offline >{state}; do sleep 1; done'",
                         "/tmp/offline.log")
        self.fired()
        self.vm.wait(lambda: self.guest.read(state) == "going-offline" and not
                     self.guest.run(f"sleep 0.5; grep going-offline {state}")[0],
                     "offlining lasts", 15)
        self.device.request(0)
        self.wait_state("waiting", 20)
        calls, took = (c for c, _ in self.fault.points()[:2])
        self.assertGreater(calls, 0, "nothing was to be drained")
        self.assertEqual(took, 0, "a page of an unclaimed big block")
        self.without_faults()
        self.settled(0, 60)
        self.assertEqual(pattern.check(), f"OK {128 * MIB // PAGE}")

    def test_request_that_is_not_sent_is_sent_again(self):
        """No memory for it for a moment: that is no reason to wait, nor to say so."""
        self.guest.ok("dmesg -c >/dev/null")
        self.fault.order("virtqueue_add_sgs ret=-28 times=3")
        self.device.request(BB)
        self.settled(BB)
        self.assertEqual(self.fault.points()[0][1], 3)
        self.assertNotIn("not met yet", self.guest.dmesg())

    def test_own_events_start_no_pass(self):
        """Offlining that is taken back is the worker's own: it comes again ever later."""
        if not self.told:
            self.skipTest("the core would warn of each")
        self.bring(BB)
        self.fault.order("try_remove_memory ret=-16")
        recorder = self.record()
        self.device.request(0)
        self.wait_state("waiting", 30)
        time.sleep(20)
        tries = [e for e in recorder.read() if e.name == "offline-remove"]
        gaps = [round(b.start - a.end, 1) for a, b in itertools.pairwise(tries)]
        note(f"# {self.id()}: {len(tries)} tries, {gaps} s between them")
        self.assertGreater(len(tries), 1)
        self.assertGreater(max(gaps), 2)
        self.without_faults()
        self.settled(0, 60)

    def test_events_start_no_pass_right_after_another(self):
        """Memory that comes and goes: no costly pass begins right after another."""
        if not self.told:
            self.skipTest("the core would warn of each")
        self.bring(2 * BB)
        self.fault.order("try_remove_memory ret=-16")
        block = (ADDR + 2 * BB) // BLOCK - 1
        self.device.request(BB)
        self.wait_state("waiting", 30)
        state = f"/sys/devices/system/memory/memory{block}/state"
        flips = self.guest.spawn("sh -c 'while :; do "
                                 f"echo offline >{state}; echo online_movable >{state}; "
                                 "sleep 0.1; done 2>/dev/null'", "/tmp/flips.log")
        self.at_end(f"kill -9 {flips}")
        recorder = self.record()
        begin = time.monotonic()
        time.sleep(20)
        events = recorder.read()
        passed = time.monotonic() - begin
        begins = [e.end for e in events if e.name == "pass_begin"]
        ends = [e.end for e in events if e.name == "pass_end" and e.end > min(begins, default=0)]
        spent = sum(b - a for a, b in zip(begins, ends))
        passes = len([e for e in events if e.name == "offline-remove"])
        note(f"# {self.id()}: {passes} tries, {spent:.1f} s of {passed:.1f} s")
        self.assertGreater(passes, 3, "no event began a pass")
        # A rest is as long as the tries of a pass took, about half of the time; without
        # it passes take all of the time.
        self.assertLess(spent, 0.8 * passed)
        self.guest.kill(flips)
        self.guest.run(f"echo online_movable >{state}")
        self.without_faults()
        self.settled(BB, 60)


class Vetoes(FaultCase):
    """Other notifiers refuse, each in its turn."""

    def test_refusal_before_ours_follows_one_after_ours(self):
        """Pages that were not handed over are not taken back, whatever was before."""
        self.bring(BB)
        pattern = Pattern(self.guest, self.pattern)
        self.guest.ok("echo 1 >/proc/sys/vm/drop_caches; memtool drain")
        before = self.look()
        # Pages are taken, handed over, and the core gives up then: ours is called twice.
        self.fault.order("dissolve_free_hugetlb_folios,dissolve_free_huge_pages ret=-16 "
                         "in=offline_pages", "virtio_mem_choose_method ret=3")
        self.device.request(0)
        self.refused(0)
        # Ours is called only when it is over; no page has been taken.
        self.place_veto("first")
        self.guest.ok(f"echo -16 >{INJECT}/MEM_GOING_OFFLINE/error")
        self.fault.clear()
        self.fault.order("virtio_mem_choose_method ret=0", "offline_pages ret=0 after=1000")
        self.refused(1)
        self.device.request(BB)
        self.settled(BB)
        self.without_faults()
        self.look(before)
        self.guest.ok(f"echo 0 >{INJECT}/MEM_GOING_OFFLINE/error")
        self.device.request(0)
        self.settled(0, 60)
        self.look()
        self.assertEqual(pattern.check(), f"OK {self.pattern // PAGE}")

    def refused(self, point):
        """Wait until a point was met more than once, so that a try has ended."""
        self.vm.wait(lambda: self.fault.points()[point][0] > 2, "tried twice", 30)


class Nth(FaultCase):
    """The kernel's own fault injection: the worker's n-th allocation fails."""

    debug_only = True
    allow = ("no-memory",)
    nth = True

    def setUp(self):
        super().setUp()
        # Memory that may be waited for fails, too, in silence.
        self.guest.ok(
            "cd /sys/kernel/debug; for i in failslab fail_page_alloc; do "
            "echo N >$i/ignore-gfp-wait; echo 0 >$i/verbose; done; "
            "echo N >fail_page_alloc/ignore-gfp-highmem")

    def pages_of(self, order):
        """Pages of this order and above fail as well."""
        self.guest.ok(f"echo {order} >/sys/kernel/debug/fail_page_alloc/min-order")

    def test_any_allocation_of_growing_may_fail(self):
        """Objects only: x86 does not live through a page table that it can't get."""
        self.guest.ok("echo 0 >/proc/sys/kernel/panic_on_warn")
        self.pages_of(20)
        self.table("grow", faults.nth("add: objects", reload=True),
                   lambda c: self.one(c, 0, self.size))
        self.verdict()

    def test_any_allocation_of_shrinking_may_fail(self):
        """Objects and pages."""
        self.pages_of(0)
        self.table("shrink", faults.nth("objects"), lambda c: self.one(c, self.size, 0))
        self.verdict()


class Hosted(FaultCase):
    """As another class, with memory blocks that begin with their own memmaps.

    6.1 can do that only with big blocks of one memory block, so the steps of the later
    ones are left out there.
    """

    memmap = BLOCK // PAGE // 64
    options = {"append": f"{FaultCase.options['append']} memory_hotplug.memmap_on_memory=1"}

    def setUp(self):
        """Big blocks of a size that the kernel can do it with."""
        if "large-hosted" in words(POOL.series, "lacks"):
            self.size = BLOCK
            self.mod_args = self.mod_args.replace(f"{BB:#x}", f"{BLOCK:#x}")
        super().setUp()


class HostedGrow(Hosted, Grow):
    """On the way up."""


class HostedShrink(Hosted, Shrink):
    """On the way down, pages taken first."""


class HostedSweep(Hosted, Sweep):
    """Pages in use are moved first."""


class HostedDirect(Hosted, Direct):
    """Offlined directly."""
