# SPDX-License-Identifier: GPL-2.0-or-later
"""Rounds of load and resizes in a guest, and what must hold between them.

In a round the guest's actors (guest_src/soak) use, pin, online and offline memory
while the host resizes the device, fills a balloon and reloads the driver at
random. Then all of them stop; what the host wants must be met, and every count
agree to the byte.

All draws come from the seed and the number of the round, none from what
happened: a seed repeats the same operations in the same order, by the same
pauses. How they fall together is up to the machine.
"""

import random
import re
import statistics
import time
import typing

from vm.cases.case import MIB, PAGE, merge, total
from vm.harness.guest import GuestError, Pattern
from vm.states.actor import Actor

BOARD = "/tmp/soak.log"
MEMORY = "/sys/devices/system/memory"
VIRTIO = "/sys/bus/virtio/devices"
BIND = "/sys/bus/virtio/drivers/virtio_mem"
PATTERN = 96 * MIB
# Where the kernel can, it says to its log why a big block stays.
LOAD = "insmod /mod/ours/virtio_mem.ko dyndbg=+p"
ROUND = 20          # seconds of load in a round, as planned
LONGEST = 35        # after that long no more steps: a loaded host is slow
TELL = 15           # seconds between lines of progress
# How long a request may take once nothing is in its way; the harness doubles it
# under emulation. 60 s is the longest that the driver rests.
BOUND = 90
# Kernel memory that is left in the kernel's zones may stay there. That long it
# is given to go.
PATIENCE = 12

# Online what is offline, whoever made it so; a claimed block says EBUSY. Those with
# a broken page can't be onlined, ever: their names come out.
ONLINE = (f"cd {MEMORY}; for f in $(grep -ls offline memory*/state); "
          "do case $(echo online_movable 2>&1 >$f) in *hardware*) echo ${f%/*};; esac; "
          "done 2>/dev/null; true")

# The kinds of a round's swap, and their shares. zram uses memory itself.
SWAPS = {"none": 2, "disk": 3, "file": 2, "zram": 3}
SWAP_FILE, ZRAM = 512 * MIB, 192 * MIB
# How much the balloon takes at most, and what it leaves available: as the actors
# that take much (HIGH_FLOOR in soak.h).
BALLOON, FLOOR = 160 * MIB, 512 * MIB
# Of /proc/vmstat: pages.
SWAPPED = ("pswpout", "pswpin")

# Faults of a device in software in a round, each with a probability.
WRONG = ("plug nack", "plug busy", "plug error", "plug error done", "plug unknown",
         "plug unknown done", "plug short", "plug short undone", "plug long",
         "plug late=700", "unplug nack", "unplug busy", "unplug error",
         "unplug error done", "unplug unknown", "unplug unknown done",
         "unplug short", "unplug short undone", "unplug long", "unplug late=700",
         "plug requested=0", "plug requested=1G", "unplug requested=1G",
         "state late=300", "unplug_all busy", "unplug_all late=500")
# Once in a while: after these nothing may go on before a reload, or an answer.
ENDS = ("plug twice", "unplug twice", "plug break", "unplug break", "any reset",
        "any needs_reset", "plug never", "unplug never")


class Qemu:
    """The device of QEMU, as the host sees it."""

    ends = False

    def __init__(self, vm):
        self._vm = vm

    def request(self, size):
        """Ask for a size."""
        self._vm.qmp.request("vm0", size)

    def size(self):
        """Bytes that are plugged."""
        return self._vm.qmp.size("vm0")


class Plan(typing.NamedTuple):
    """The plan of a round.

    kernel  whether memory is onlined into the kernel's zones, too
    swap    a key of SWAPS
    poison  whether pages are declared broken
    steps   of the host: [(pause, what, arg)]
    after   the size that is requested when they are done
    """

    kernel: bool
    swap: str
    poison: bool
    steps: list
    after: int


def plan(seed, number, unit, most, mock=False):
    """A round's plan."""
    rng = random.Random(f"{seed}/{number}")

    def size():
        kind = rng.random()
        if kind < 0.15:
            return 0
        return most if kind < 0.25 else rng.randrange(1, most // unit // 2 + 1) * unit

    def flips():
        low, high = sorted((size(), size()))
        return tuple((rng.uniform(0.05, 0.5), (low, high)[i % 2])
                     for i in range(rng.randrange(2, 8)))

    def faults():
        # One for a kind of request: "busy" with another's "done" would be a lie
        # that no driver can see through.
        rules = {what.split()[0]: what for what in rng.sample(WRONG, rng.randrange(2, 7))}
        return tuple(f"{what} chance={rng.randrange(50, 400)} seed={rng.randrange(1 << 30)}"
                     for what in rules.values())

    kinds = {"resize": 10, "flip": 6, "reload": 2, "rebind": 1}
    kinds |= {"faults": 3, "end": 2} if mock else {"balloon": 5}
    kernel = rng.random() < 0.35 and not mock
    swap, = rng.choices(list(SWAPS), SWAPS.values())
    poison = rng.random() < 0.4 and not mock
    steps = [(0.0, "faults", faults())] if mock else []
    passed = 0.0
    while passed < ROUND:
        pause = rng.uniform(0.1, 3.0)
        passed += pause
        what, = rng.choices(list(kinds), kinds.values())
        arg = {"resize": size, "flip": flips,
               "reload": lambda: (rng.uniform(0.0, 1.5), size()),
               "rebind": lambda: (rng.uniform(0.0, 1.0), size()),
               "balloon": lambda: rng.randrange(BALLOON // MIB + 1) * MIB,
               "faults": faults, "end": lambda: rng.choice(ENDS)}[what]()
        steps.append((pause, what, arg))
    return Plan(kernel, swap, poison, steps, rng.randrange(most // unit + 1) * unit)


class Load:
    """The rounds, on a guest that a GuestCase holds."""

    # pylint: disable=too-many-instance-attributes,too-many-arguments
    def __init__(self, test, device, *, seed, seconds, unit, most, say=print):
        self.test, self.vm, self.guest = test, test.vm, test.guest
        self.device, self.seed, self.seconds = device, seed, seconds
        self.unit, self.most, self._say = unit, most, say
        self.counts = {}                  # {actor: [done, refused, skipped]}
        self.errors, self.why = {}, {}    # {error: how often}, {actor: why skipped}
        self.did = {}                     # {host operation: how often}
        self.converged, self.unloads = [], []
        self.kept = {}                    # {why a big block stayed: how often}
        self.stuck = 0                    # most bytes that stayed in kernel zones
        self.ballooned = 0                # bytes asked from the balloon and given to it
        self.vmstat = {}                  # {counter of SWAPPED: how much more}
        self.declared = {}                # {"softly" or "with loss": pages declared broken}
        self.offline, self.broken = [], 0 # what can't be onlined; most bytes of it
        self.rounds = 0
        self.pattern = None
        self.host = None                  # who knows of disk, swap and balloon
        self.furnished = False            # whether this guest has them
        self._log = (self.vm.dir / "soak.log").open("a", encoding="utf-8", buffering=1)
        self._begin = self._told = time.monotonic()

    def say(self, line):
        """To the user and to the log."""
        self.log(line)
        self._say(f"# soak: {line}")

    def log(self, line):
        """Write down an event with its time, for whoever has to find out why."""
        self._log.write(f"{time.monotonic() - self._begin:8.2f} {line}\n")

    # --- the whole ---

    def run(self):
        """Rounds until the time is over; raises at the first thing that is wrong."""
        self.say(f"seed={self.seed} on {self.vm.kernel.kver}, {self.seconds:.0f} s, "
                 f"up to {self.most // MIB} MiB; logs in {self.vm.dir}")
        try:
            self.prepare()
            while self.more():
                self.round(self.rounds)
                self.rounds += 1
        except Exception:
            self.evidence()
            raise
        finally:
            self.report()

    def more(self):
        """Whether another round would end nearer to the time than none."""
        passed = time.monotonic() - self._begin
        return not self.rounds or passed + passed / self.rounds / 2 < self.seconds

    def prepare(self):
        """Prepare for all rounds: a disk for direct I/O, memory that stays in use."""
        # All its pages come from memory that is not in the region.
        self.guest.run("insmod /mod/brd.ko rd_nr=1 rd_size=8192 && "
                       "dd if=/dev/zero of=/dev/ram0 bs=1M count=8", 120)
        self.pattern = Pattern(self.guest, PATTERN, seed=9)
        self.guest.run("dmesg -c; echo module virtio_mem +p "
                       ">/sys/kernel/debug/dynamic_debug/control")
        self.test.at_end(f"kill -9 {self.pattern.pid}; rmmod brd")
        # Not with the device in software, and not on debug kernels.
        self.furnished = not self.guest.run("[ -s /state/virtio_blk.order ]")[0]
        if not self.furnished:
            self.say("no disk, no swap and no balloon here")

    def round(self, number):
        """One round of load, and what must hold after it."""
        todo = plan(self.seed, number, self.unit, self.most, self.device.ends)
        words = ("kernel" if todo.kernel else "movable") + " poison" * todo.poison
        self.test.at = f"seed {self.seed} round {number}"
        self.log(f"round {number}: {words}, swap: {todo.swap}, {len(todo.steps)} steps")
        self.furnish(todo.swap)
        before = self.host.counters()
        low, _ = self.test.region()
        pid = self.guest.spawn(f"soak run {self.seed} {number} {low:#x} "
                               f"{low + self.most:#x} {words}", BOARD)
        begin = time.monotonic()
        for pause, what, arg in todo.steps:
            time.sleep(pause)
            if time.monotonic() - begin > LONGEST:
                self.log("the rest is left out")
                break
            self.log(f"{what} {arg}")
            self.did[what] = self.did.get(what, 0) + 1
            getattr(self, f"do_{what}")(arg)
            self.watch()
        self.stop_actors(pid)
        # Deflated, the balloon is not a part of the counts; what was swapped out
        # comes back.
        if self.furnished:
            self.host.inflate(0)
        self.host.release()
        now = self.host.counters()
        for name in SWAPPED:
            self.vmstat[name] = self.vmstat.get(name, 0) + now[name] - before[name]
        self.behave()
        self.quiet(todo.after)
        self.quiet(0)
        self.reload()

    def furnish(self, swap):
        """Disk, swap and balloon for a round."""
        self.host = Actor(self.vm)
        if not self.furnished:
            return
        self.host.disk()
        # For an actor who reclaims.
        self.host.cgroup()
        {"none": lambda: None, "disk": self.host.swap,
         "file": lambda: self.host.swap_file(SWAP_FILE),
         "zram": lambda: self.host.zram(ZRAM)}[swap]()
        self.host.balloon_driver()
        self.did[f"swap={swap}"] = self.did.get(f"swap={swap}", 0) + 1

    # --- steps ---

    def do_resize(self, size):
        """Another size, whatever is under way."""
        self.device.request(size)

    def do_flip(self, arg):
        """Less, more, less: each time before the last request is met."""
        for pause, size in arg:
            self.device.request(size)
            time.sleep(pause)

    def do_reload(self, arg):
        """The driver goes, a request comes, the driver comes."""
        pause, size = arg
        self.unload()
        self.device.request(size)
        time.sleep(pause)
        self.guest.ok(LOAD, 120)

    def do_rebind(self, arg):
        """The same through sysfs."""
        pause, size = arg
        name = self.guest.ok(f"basename $(dirname $(ls -d {VIRTIO}/*/virtio_mem))")
        self.guest.ok(f"echo {name} >{BIND}/unbind", 120)
        self.device.request(size)
        time.sleep(pause)
        # The worker may still be ending; the driver has the device probed again after
        # that.
        self.guest.ok(f"for i in $(seq 60); do [ -e {VIRTIO}/{name}/driver ] && exit; "
                      f"echo {name} >{BIND}/bind && exit; sleep 1; done; exit 1", 120)

    def do_balloon(self, size):
        """The balloon takes more, or gives back, whatever else is under way."""
        if not self.furnished:
            return
        mem = self.guest.meminfo()
        # As room() in main.c: what is swapped out has to fit, too.
        spare = (mem["MemAvailable"] - FLOOR
                 - (mem["SwapTotal"] - mem["SwapFree"] - mem["SwapCached"]))
        have = self.host.taken()
        size = min(size, max(have + spare // MIB * MIB, 0))
        self.log(f"balloon: {have // MIB} to {size // MIB} MiB")
        self.ballooned += abs(size - have)
        self.host.target(size)

    def do_faults(self, rules):
        """Other faults than before."""
        self.device.fault("clear")
        for rule in rules:
            self.device.fault(rule)

    def do_end(self, rule):
        """A fault after which the driver waits, or needs a reload."""
        self.device.fault(rule)
        time.sleep(1.5)
        self.device.order("pending", "now")
        self.reload()

    # --- the driver ---

    def unload(self):
        """rmmod; somebody who just reads one of its files keeps it for a moment."""
        begin = time.monotonic()
        while True:
            # In the background: if it hangs, the agent can still be asked why.
            status, out = self.guest.run(
                "rmmod virtio_mem & p=$!; for i in $(seq 300); do kill -0 $p 2>/dev/null || "
                "{ wait $p; exit; }; sleep 0.2; done; exit 99", 120)
            if not status:
                break
            if status == 99:
                raise GuestError("rmmod has not returned after 60 s")
            if time.monotonic() - begin > 60:
                raise GuestError(f"rmmod: {out}")
        self.unloads.append(time.monotonic() - begin)

    def reload(self):
        """Unload and load."""
        self.unload()
        self.guest.ok(LOAD, 120)

    def behave(self):
        """The end of all faults; a driver that stopped because of them is reloaded."""
        if not self.device.ends:
            return
        self.device.behave()
        # It may have been in the middle of a request.
        time.sleep(0.5)
        # Without an answer the driver can't take over what is plugged: then it
        # has refused the device, and says so.
        status, state = self.guest.run(f"cat {VIRTIO}/*/virtio_mem/state")
        if status or state.strip() == "broken":
            self.log("broken: reload")
            self.did["broken"] = self.did.get("broken", 0) + 1
            self.reload()

    def watch(self):
        """Between steps: nothing bad on the console; now and then a line."""
        hits = self.vm.scan(self.test.allow)
        if hits:
            raise GuestError(f"console: {hits}")
        if time.monotonic() - self._told < TELL:
            return
        self._told = time.monotonic()
        out = self.guest.ok(f"soak counts; cat {VIRTIO}/*/virtio_mem/state; true")
        if "\nBAD" in out:
            raise GuestError(out)
        now = [line.split()[:2] for line in out.splitlines() if " " in line]
        state = out.splitlines()[-1] if " " not in out.splitlines()[-1] else "no driver"
        self.say(f"{self._told - self._begin:.0f} s: round {self.rounds}, "
                 f"{self.device.size() // MIB} MiB, {state}; "
                 + ", ".join(f"{name} {done}" for name, done in now))

    # --- the actors ---

    def stop_actors(self, pid):
        """Verify and free everything; add up what they did."""
        begin = time.monotonic()
        self.guest.run(f"kill -TERM {pid}")
        self.guest.wait_line(BOARD, r"END ", 240)
        lines = self.guest.read(BOARD).splitlines()
        self.log(f"actors stopped in {time.monotonic() - begin:.1f} s\n" + "\n".join(lines))
        for line in lines:
            found = re.match(r"(\w+) (\d+) (\d+) (\d+)((?: \w+=\d+)*)(?: \((.*)\))?$", line)
            if not found:
                continue
            sums = self.counts.setdefault(found[1], [0, 0, 0])
            for i in range(3):
                sums[i] += int(found[2 + i])
            for name, count in re.findall(r"(\w+)=(\d+)", found[5]):
                self.errors[name] = self.errors.get(name, 0) + int(count)
            if found[6]:
                self.why[found[1]] = found[6]
        self.count_kept()
        self.test.assertEqual(lines[-1], "END ok", "\n".join(lines[-3:]))

    def count_kept(self):
        """Unplugs that failed half-way and were rolled back, by what the driver says."""
        out = self.guest.run("dmesg -c | grep -E 'it stays|at process virtual'")[1]
        for how, text in (("softly", "Soft offlining"),
                          ("with loss", "Injecting memory failure")):
            self.declared[how] = self.declared.get(how, 0) + out.count(text)
        for what, why in re.findall(r": ([\w ]+) failed \(-?\d+\): (.*); it stays", out):
            self.kept[f"{what}: {why}"] = self.kept.get(f"{what}: {why}", 0) + 1

    # --- between rounds ---

    def quiet(self, size):
        """Nothing is in the way of a request: it is met, and all counts agree."""
        begin = time.monotonic()
        self.log(f"quiet: {size // MIB} MiB")
        self.device.request(size)
        got = self.vm.wait(lambda: self.settled(size, begin), f"settled at {size}", BOUND, 0.3)
        got -= 1
        took = time.monotonic() - begin
        self.log(f"quiet: {got // MIB} MiB after {took:.1f} s")
        self.converged.append(took)
        self.stuck = max(self.stuck, got - size)
        self.broken = max(self.broken, total(self.offline))
        if got == size:
            self.test.assert_size(size, offline=self.offline)
        else:
            self.test.assert_between_tries(got, offline=self.offline)
        self.compare_zones()
        self.test.assertEqual(self.pattern.check(), f"OK {PATTERN // PAGE}")
        if self.device.ends:
            self.test.assertEqual(self.device.violations(), {})
        self.watch()

    def settled(self, size, begin):
        """Bytes plugged, plus 1, once that is what the request allows; else 0."""
        broken = self.guest.run(ONLINE)[1].split()
        offline = self.guest.run(f"cd {MEMORY}; grep -ls offline memory*/state")[1]
        if re.findall(r"\w+(?=/)", offline) != broken:
            return 0
        block = int(self.guest.read(f"{MEMORY}/block_size_bytes"), 16)
        starts = [int(name[len("memory"):]) * block for name in broken]
        self.offline = merge((start, start + block) for start in starts)
        now, state = self.device.size(), self.test.state()
        if now == size and state == "idle":
            return now + 1
        if now <= size or state != "waiting" or time.monotonic() - begin < PATIENCE:
            return 0
        # Only memory that the kernel itself uses may stay.
        self.guest.run("echo 3 >/proc/sys/vm/drop_caches")
        rows = [row for row in self.guest.blocks() if row[3] != "UNUSED"]
        if any(row[3] != "ADDED" or row[4] == "Movable" for row in rows):
            return 0
        self.log(f"stays: {rows}")
        return now + 1

    def compare_zones(self):
        """Each zone has what it had at boot, and what is online of the region."""
        want = {key: (z["present"], z["managed"]) for key, z in self.test.zones.items()}
        low, high = self.test.region()
        block = int(self.guest.read(f"{MEMORY}/block_size_bytes"), 16)
        out = self.guest.ok(f"cd {MEMORY}; grep -s . memory*/valid_zones; "
                            "ls -d memory*/node*")
        nodes = dict(re.findall(r"memory(\d+)/node(\d+)", out))
        for number, zone in re.findall(r"memory(\d+)/valid_zones:(\w+)", out):
            start = int(number) * block
            if low <= start < high and not any(a <= start < b for a, b in self.offline):
                key = (int(nodes[number]), zone)
                present, managed = want.get(key, (0, 0))
                want[key] = (present + block // PAGE, managed + block // PAGE)
        now = {key: (z["present"], z["managed"]) for key, z in self.guest.zones().items()}
        for key in want.keys() | now.keys():
            self.test.assertEqual(now.get(key, (0, 0)), want.get(key, (0, 0)),
                                  f"{key}: pages (present, managed)")

    # --- the end ---

    def evidence(self):
        """Into the log, as far as the guest still answers."""
        try:
            for command in ("soak counts", "ps",
                            f"grep . {VIRTIO}/*/virtio_mem/*",
                            "cat /sys/kernel/debug/virtio_mem/*/blocks",
                            f"cd {MEMORY}; grep . memory*/state memory*/valid_zones",
                            "cat /proc/iomem /proc/meminfo /proc/zoneinfo", "dmesg | tail -200",
                            "for p in /proc/[0-9]*; do echo $p $(cat $p/comm); "
                            "cat $p/stack; done"):
                self.log(f"{command}\n{self.guest.run(command, 30)[1]}")
        except (GuestError, OSError) as err:
            self.log(f"no more evidence: {err}")

    def report(self):
        """The counts of all that was done."""
        took = time.monotonic() - self._begin
        self.say(f"{self.rounds} rounds in {took / 60:.1f} min, seed={self.seed}")
        for name, (done, refused, skipped) in self.counts.items():
            self.say(f"{name}: {done} done, {refused} refused"
                     + (f", {skipped} skipped ({self.why[name]})" if skipped else ""))
        for title, counts in (("errors", self.errors), ("host", self.did),
                              ("unplugs rolled back", self.kept)):
            self.say(f"{title}: " + (", ".join(f"{k} {v}" for k, v in sorted(counts.items()))
                                     or "none"))
        for title, times in (("requests met between rounds", self.converged),
                             ("unloads", self.unloads)):
            if times:
                self.say(f"{title}: {len(times)}, median {statistics.median(times):.1f} s, "
                         f"longest {max(times):.1f} s")
        if self.furnished:
            self.say("swapped: " + ", ".join(f"{name} {pages * PAGE // MIB} MiB"
                                             for name, pages in self.vmstat.items()))
            self.say(f"balloon: {self.ballooned // MIB} MiB asked for and given back")
        if any(self.declared.values()):
            self.say("declared broken: "
                     + ", ".join(f"{count} pages {how}" for how, count in self.declared.items()))
        if self.broken:
            self.say("offline for good, with a broken page, until unplugged: up to "
                     f"{self.broken // MIB} MiB")
        if self.stuck:
            self.say(f"kept by kernel memory in the kernel's zones: up to "
                     f"{self.stuck // MIB} MiB")
        self._log.flush()
