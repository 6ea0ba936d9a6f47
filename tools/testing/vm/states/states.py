# SPDX-License-Identifier: GPL-2.0-or-later
"""The memory states that a guest is sooner or later in, and what is asked for there.

Each with any driver: the guest tests (test_states.py) and the bench use them.
A function here brings a guest into the state, by way of an Actor: it also grows
it to where the request starts from. The Actor knows what must hold in the end.
"""

import dataclasses
import typing

from vm.harness.vm import GIB, MIB

BOOT = GIB


@dataclasses.dataclass
class State:
    """One state and one request.

    name, what  for people
    full, small (start, goal): bytes plugged before, bytes requested, as in the
                bench and as in the tests
    prepare     function of the Actor, start and goal; ends with start bytes plugged
    during      function of the Actor and goal, right after the request
    machine     which one it needs: a key of MACHINES
    limit       seconds within which the request should be met
    met         whether it can be met at all, or must be survived
    stock       whether the kernel's own driver can do it
    stale       whether only a new guest can be at nothing plugged after it
    lacks       function of the guest: why it can't have this state, or None
    allow       what the console may have, for console.scan()
    counts      of /proc/vmstat: what has risen in the end if the state was this one
    """

    # pylint: disable=too-many-instance-attributes
    name: str
    what: str
    full: tuple
    small: tuple
    prepare: typing.Callable
    during: typing.Callable = None
    machine: str = "128m"
    limit: int = 60
    met: bool = True
    stock: bool = True
    stale: bool = False
    lacks: typing.Callable = None
    allow: tuple = ()
    counts: str = ""


@dataclasses.dataclass
class Kind:
    """A kind of machine.

    config     of qemu-configs
    boot       its RAM at boot
    block      its device's block
    reporting  whether its balloon reports free pages
    """

    config: str
    boot: int = BOOT
    block: int = 128 * MIB
    reporting: bool = False


MACHINES = {"128m": Kind("states"),
            "1g": Kind("bb-1g", block=GIB, reporting=True),
            "small": Kind("small", boot=512 * MIB)}


# --- page cache ---

def cache_clean(actor, start, goal):
    """Processes fill the boot memory, the page cache what is added."""
    actor.disk()
    actor.leave(160 * MIB)
    actor.grow(start)
    actor.cached(start - 64 * MIB)


def cache_only(actor, start, goal):
    """Nothing but page cache."""
    actor.grow(start)
    actor.cached(start + 256 * MIB)


def cache_hot(actor, start, goal):
    """The boot memory has active page cache, and what is to go must move there."""
    actor.cached(640 * MIB, times=3)
    actor.grow(start)
    actor.anon(start * 7 // 16, "spread")


def _keep_dirty(actor):
    actor.disk()
    actor.sysctl("vm.dirty_writeback_centisecs", 0)
    actor.sysctl("vm.dirty_background_ratio", 80)
    actor.sysctl("vm.dirty_ratio", 90)


def cache_dirty(actor, start, goal):
    """As cache-clean, but none of it is written to the disk."""
    _keep_dirty(actor)
    actor.leave(160 * MIB)
    actor.grow(start)
    actor.write(start * 3 // 4, "/disk/dirty")
    actor.undo("rm -f /disk/dirty")


def cache_throttled(actor, start, goal):
    """The disk is slow, and has more to write than it takes at once."""
    size = start // 2
    _keep_dirty(actor)
    # Two thirds of it fit into the boot memory.
    actor.leave(size * 2 // 3 + 160 * MIB)
    actor.grow(start)
    actor.write(size, "/disk/dirty")
    actor.undo("rm -f /disk/dirty")
    actor.throttle(THROTTLE)
    actor.guest.spawn("sync /disk/dirty", "/tmp/sync")
    actor.vm.wait(lambda: actor.guest.meminfo()["Writeback"] > size // 8, "writeback")


THROTTLE = 32 * MIB


# --- anonymous memory, swap, tmpfs ---

def anon_swap(actor, start, goal):
    """A little more than fits when it has shrunk; swap on a disk."""
    actor.swap()
    actor.grow(start)
    actor.anon(BOOT + goal - 148 * MIB)


def anon_zram(actor, start, goal):
    """The same, but what is swapped out stays in memory, at half the size."""
    actor.zram(GIB)
    actor.grow(start)
    actor.anon(BOOT + goal - 148 * MIB, "dense")


def anon_zswap(actor, start, goal):
    """The same, but what is swapped out stays in memory first, up to a fifth of it."""
    actor.zswap()
    actor.swap()
    actor.grow(start)
    actor.anon(BOOT + goal - 148 * MIB, "dense")


def no_zswap(guest):
    """Why there can be none."""
    if guest.run("[ -d /sys/module/zswap ]")[0]:
        return "this kernel has no CONFIG_ZSWAP"
    return None


def swap_cache(actor, start, goal):
    """tmpfs, swapped out, and read ahead again: unmapped pages of the swap cache."""
    actor.swap()
    actor.cgroup()
    actor.grow(start)
    size = start * 5 // 8
    actor.shmem(size)
    # Memory that is charged to a cgroup can be reclaimed on order.
    actor.reclaim(size)
    actor.guest.ok("fill ahead /shm/data", 120)
    actor.vm.wait(lambda: actor.guest.meminfo()["SwapCached"] > size // 2, "swap cache")


def shmem(actor, start, goal):
    """tmpfs."""
    actor.grow(start)
    actor.shmem(start * 9 // 16)


def ksm(actor, start, goal):
    """Pages that KSM has merged in pairs."""
    size = start // 4
    actor.grow(start)
    actor.anon(size, "merge")
    actor.merge(size // 2)


def memcg(actor, start, goal):
    """A cgroup at its limit, which reads more than it may keep."""
    actor.cached(256 * MIB)
    actor.cgroup()
    actor.grow(start)
    actor.limit(192 * MIB)
    actor.anon(128 * MIB)
    actor.churn("cat /disk/data >/dev/null")


def hugetlb(actor, start, goal):
    """A pool of hugetlb pages in use, in what is to go."""
    actor.grow(start)
    actor.pool(start // 4 // (2 * MIB))
    actor.anon(start // 4, "huge")


def hugetlb_half(actor, start, goal):
    """A pool in one BB, half of it used; none is enough for 6.12 to empty that BB:
    what is moved goes to the pool's free pages, also to those that are to go.
    """
    actor.grow(start)
    actor.pool(64)
    actor.anon(64 * MIB, "huge")


def hwpoison(actor, start, goal):
    """A page that is declared broken."""
    actor.grow(start)
    actor.anon(start // 4)
    actor.poison()


def no_hwpoison(guest):
    """Why there can be none."""
    if guest.run("[ -e /sys/devices/system/memory/hard_offline_page ]")[0]:
        return "this kernel has no CONFIG_MEMORY_FAILURE"
    return None


# --- balloon ---

def balloon(actor, start, goal):
    """The balloon has a part of what is to go."""
    actor.grow(start)
    actor.inflate(start * 3 // 8)


def balloon_kernel(actor, start, goal):
    """The same in a kernel zone; it has more than may stay."""
    actor.grow(start, "online_kernel")
    actor.inflate(start * 3 // 4)


def balloon_breathes(actor, goal):
    """It gives half back, and takes it again."""
    size = actor.balloon
    actor.inflate(size // 2)
    actor.inflate(size)


def reporting(actor, start, goal):
    """Free pages are reported to the host, which takes them."""
    actor.insmod("virtio_balloon", unload=True)
    actor.grow(start)
    # Only memory that was just freed is reported.
    actor.churn(f"fill write /tmp/churn.data {start // 8} 1; rm -f /tmp/churn.data")
    actor.undo("rm -f /tmp/churn.data")
    actor.anon(start // 16, "spread")


# --- growing ---

def grow_swapping(actor, start, goal):
    """It swaps already."""
    actor.swap()
    actor.anon(BOOT + 276 * MIB)


def grow_60(actor, start, goal):
    """Memory is locked until 60 MiB are free."""
    actor.leave(60 * MIB, "free")


def grow_20(actor, start, goal):
    """The same until 20 MiB are, with huge pages off: else Linux keeps 44 itself, and
    raises that when a zone is added, so that whoever had less would be killed.
    """
    actor.setting("/sys/kernel/mm/transparent_hugepage/enabled", "never")
    actor.leave(20 * MIB, "free")


def grow_processes(actor, start, goal):
    """No swap, and processes leave next to nothing."""
    actor.leave(12 * MIB, "available", "")


# --- what does not fit, and what does ---

def kernel_zone_mixed(actor, start, goal):
    """Kernel zones have little but one nearly empty BB; all others are half used."""
    actor.leave(80 * MIB, "free")
    actor.mixed(start, 1)
    actor.anon(start * 27 // 64, "spread")


def survive(actor, start, goal):
    """More is locked than would be left."""
    actor.grow(start)
    actor.anon(600 * MIB, "lock")


def _g(start, goal):
    """Sizes in GiB."""
    return int(start * GIB), int(goal * GIB)


STATES = [
    State("cache-clean", "processes in boot memory, clean page cache beside",
          _g(4, 2), _g(.75, .375), cache_clean),
    State("cache-only", "only page cache", _g(4, 1), _g(1, 0), cache_only, machine="1g"),
    State("cache-hot", "active page cache in boot memory",
          _g(2, 1), _g(1, .5), cache_hot),
    State("cache-dirty", "processes in boot memory, dirty page cache beside",
          _g(4, 2), _g(.75, .375), cache_dirty),
    State("cache-throttled", f"page cache under writeback, disk of {THROTTLE // MIB} MiB/s",
          _g(1, 0), _g(.5, 0), cache_throttled),
    State("anon-swap", "anonymous memory that just doesn't fit, swap on disk",
          _g(2, 1), _g(1, .5), anon_swap, counts="pswpout"),
    State("anon-zram", "the same, swap on zram", _g(2, 1), _g(1, .5), anon_zram,
          counts="pswpout"),
    State("anon-zswap", "the same, swap on disk behind zswap", _g(2, 1), _g(1, .5), anon_zswap,
          lacks=no_zswap, counts="zswpout"),
    State("swap-cache", "tmpfs swapped out and read ahead",
          _g(1, .25), _g(.5, .125), swap_cache),
    State("shmem", "tmpfs", _g(1, 0), _g(1, 0), shmem),
    State("ksm", "pages merged by KSM", _g(1, 0), _g(.5, 0), ksm),
    State("memcg", "a cgroup at its limit", _g(1, 0), _g(.5, 0), memcg),
    State("hugetlb", "hugetlb pages in use", _g(1, 0), _g(.5, 0), hugetlb),
    State("hugetlb-half", "a hugetlb pool in one BB, half used",
          _g(1, .125), _g(.5, .125), hugetlb_half),
    # The BB may stay: no page range with such a page can be allocated.
    State("hwpoison", "a broken page, all other BBs", _g(1, .125), _g(.5, .125), hwpoison,
          stale=True, lacks=no_hwpoison),
    State("balloon", "a balloon, in- and deflated meanwhile",
          _g(1, .25), _g(1, .25), balloon, balloon_breathes),
    State("reporting", "free page reporting", _g(2, 0), _g(1, 0), reporting, machine="1g"),
    State("grow-swapping", "1300 MiB in 1 GiB, swap on disk",
          _g(0, 3), _g(0, 3), grow_swapping, allow=("pieces",)),
    State("grow-60", "locked until 60 MiB are free",
          # Beside these 60 MiB the CPUs' batches have 1 to 42 more, which Linux doesn't
          # count as free; 1 GiB takes 18 of both, and the watermarks leave 12 of 60.
          _g(0, 1), _g(0, .5), grow_60, allow=("pieces",)),
    State("grow-20", "locked until 20 MiB are free",
          _g(0, .5), _g(0, .5), grow_20, allow=("pieces",)),
    State("grow-processes", "processes leave 12 MiB available, no swap",
          # With no page reclaimable some of 4 GiB's memmap can't be had, and of 2
          # GiB's only if the batches have pages by chance.
          _g(0, 4), _g(0, 1), grow_processes, allow=("pieces",)),
    State("survive", "600 MiB locked in 512 MiB + 1 GiB", _g(1, 0), _g(1, 0), survive,
          machine="small", limit=15, met=False, stock=False),
    State("balloon-kernel", "the balloon in a kernel zone",
          _g(1, .5), _g(1, .5), balloon_kernel, balloon_breathes, stale=True),
    State("kernel-zone-mixed", "a nearly empty BB of a kernel zone that doesn't fit",
          _g(1, .75), _g(1, .75), kernel_zone_mixed, stale=True),
]


def named(name):
    """The state of that name."""
    return next(state for state in STATES if state.name == name)
