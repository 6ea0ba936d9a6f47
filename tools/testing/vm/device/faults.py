# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of faults: which step of which operation fails, and how.

An order is as in modules/fault/README.md; "new,old" are names of one
function in different kernels. BB stands for the first address of the big block
that the operation is about.
"""

import dataclasses
import os
import re

FULL = bool(os.environ.get("VM_FULL"))
MIB = 1 << 20
BLOCK = 128 * MIB    # a memory block
CONTIG = "alloc_contig_range_noprof,alloc_contig_range"
# Everything that hands out objects; each kernel has some of them.
OBJECTS = ("__kmalloc_noprof,__kmalloc,__kmalloc_cache_noprof,kmalloc_trace,"
           "__kmalloc_node_noprof,__kmalloc_node,__kmalloc_node_track_caller_noprof,"
           "__kmalloc_node_track_caller,kmem_cache_alloc_noprof,kmem_cache_alloc,"
           "kmem_cache_alloc_lru_noprof,kmem_cache_alloc_lru,"
           "kmem_cache_alloc_node_noprof,kmem_cache_alloc_node")
NUMBER = {-4: "EINTR", -5: "EIO", -12: "ENOMEM", -16: "EBUSY", -17: "EEXIST",
          -22: "EINVAL", -28: "ENOSPC"}


@dataclasses.dataclass(frozen=True)
class Case:
    """One fault at one step.

    ends     how the operation may end while the fault lasts: "waiting" (rolled
             back), "idle" (done nevertheless), "broken"
    cause    what last_error must say then
    core     never left out
    first    shell in the guest, before the operation
    clear    the fault is cleared before the way back
    fresh    with a driver that was loaded just now
    reload   the driver is loaded anew afterwards (it avoids a big block)
    all_fire every order must have taken effect, else one of them
    nth      the worker's n-th allocation of anything fails; debug kernels only
    slow     only in the whole table, and not on debug kernels
    """

    # pylint: disable=too-many-instance-attributes
    step: str
    fault: str
    orders: tuple = ()
    mock: tuple = ()
    ends: tuple = ("waiting",)
    cause: str = ""
    core: bool = False
    first: str = ""
    clear: bool = False
    fresh: bool = False
    reload: bool = False
    all_fire: bool = True
    nth: int = 0
    slow: bool = False

    def functions(self):
        """Of each order the names of its function, of which a kernel has one or more."""
        return [o.split()[0].split(",") for o in self.orders]

    def is_removal(self):
        """Whether the core does not remove what it has offlined."""
        return any(o.startswith("try_remove_memory ret=") for o in self.orders)

    def fits(self, blocks):
        """Whether a big block of so many memory blocks has that step.

        With one it is a kernel that adds memory with its memmap in it, if it can; it says
        by EINVAL that it can't.
        """
        text = " ".join(self.orders)
        if blocks > 1 or self.step.startswith(("request", "sweep:")) or self.step == "sweep":
            return True
        if self.step.startswith("add") and "EINVAL" in self.fault:
            return False
        return not re.search(r"after=[1-9]", text) and self.first != "gap" and all(
            int(n) < BLOCK for n in re.findall(r"BB\+(\d+)", text))

    def __str__(self):
        return f"{self.step}: {self.fault}"


def returns(step, function, value, more="", **kw):
    """A function returns an error and does nothing."""
    label = f"{NUMBER.get(value, value)}{' ' + more if more else ''}"
    return Case(step, label, (f"{function} ret={value} {more}".strip(),), **kw)


def signal(step, function, more="", **kw):
    """The deadline's signal comes just then."""
    kw.setdefault("ends", ("waiting", "idle"))
    return Case(step, f"signal{' ' + more if more else ''}",
                (f"{function} signal in=virtio_mem_mm_shrink {more}".strip(),), **kw)


def grow():
    """Faults on the way up."""
    out = [
        # Nothing of that says that the queue is broken.
        returns("request", "virtqueue_add_sgs", -12, cause="memory", core=True),
        returns("request", "virtqueue_add_sgs", -28, "times=3", ends=("idle",)),
        returns("request", "virtqueue_add_sgs", -5, "times=15", ends=("idle", "waiting"),
                cause="memory", core=True),
        Case("request: state", "ENOMEM after an ERROR",
             ("virtqueue_add_sgs ret=-12 after=1 times=12",), ("plug error",),
             ends=("idle", "waiting"), cause="memory|ERROR", core=True),
        returns("add", "add_memory_driver_managed", -12, cause=r"memory|\(-12\)", core=True),
        returns("add: group", "memory_group_register_dynamic", -12, fresh=True,
                cause=r"memory|\(-12\)", core=True),
        Case("table", "allocation fails",
             ("__kvmalloc_node_noprof,kvmalloc_node ret=0 in=virtio_mem_table_reserve",),
             cause=r"memory|\(-12\)", fresh=True, core=True),
    ]
    for value in (-17, -22):
        # The driver gives that big block up and takes the next one.
        out.append(returns("add", "add_memory_driver_managed", value, "times=1",
                           ends=("idle",), reload=True, core=value == -17))
        out.append(returns("add: resource", "register_memory_resource", value, "times=1",
                           ends=("idle",), reload=True))
    out += [
        returns("add: resource", "register_memory_resource", -12, cause=r"memory|\(-12\)"),
        returns("add: core", "add_memory_resource", -12, cause=r"memory|\(-12\)"),
        returns("add: arch", "arch_add_memory", -12, cause=r"memory|\(-12\)", core=True),
        returns("add: arch", "arch_add_memory", -22, "times=1", ends=("idle",), reload=True),
        returns("add: block devices", "create_memory_block_devices", -12, cause=r"memory|\(-12\)",
                core=True),
        returns("add: block devices", "create_memory_block_devices", -17, "times=1",
                ends=("idle",), reload=True),
    ]
    out += [returns("add: block devices", "add_memory_block", -12, f"after={k}",
                    cause=r"memory|\(-12\)", core=k == 2) for k in (0, 1, 2, 3)]
    out += [returns("online", "online_pages", value, f"after={k}", ends=("idle",),
                    cause="came online" if k else "", core=(value, k) == (-16, 2))
            for value in (-16, -12) for k in (0, 1, 2, 3)]
    # Refused by another notifier: Linux says so, and the driver does.
    out.append(Case("online", "vetoed",
                    ("notifier_err_inject_callback ret=0x8011 in=online_pages",),
                    ends=("idle",), cause="only 0 of .* MiB came online, as onlining was refused",
                    core=True))
    # Not the later ones: x86's add_pages() warns when one of its own fails.
    out.append(Case("add: objects", "first allocation fails",
                    (f"{OBJECTS} ret=0 in=virtio_mem_mm_add times=1",),
                    ends=("waiting", "idle"), reload=True))
    return out


def grow_pairs():
    """Two faults at once on the way up: the memory can't be given back, either."""
    out = []
    for answer in ("nack", "busy", "error"):
        for step, function in (("add", "add_memory_driver_managed"),
                               ("add: arch", "arch_add_memory"),
                               ("add: block devices", "create_memory_block_devices")):
            out.append(Case(f"{step} + unplug", f"ENOMEM + {answer.upper()}",
                            (f"{function} ret=-12",), (f"unplug {answer} every=1",),
                            cause=r"memory|\(-12\)|NACK|(?i:busy)|ERROR|refuse", clear=True,
                            core=step == "add" and answer != "busy"))
    return out


def nth(step, **kw):
    """The kernel's own fault injection: allocations that the worker does."""
    # Far beyond the last: whoever goes through them stops when none fails.
    numbers = range(1, 1000) if FULL else [*range(1, 8), *range(8, 1000, 23)]
    return [Case(step, f"fail-nth {n}", nth=n, ends=("waiting", "idle"), **kw)
            for n in numbers]


def shrink_signals(functions):
    """The signal at the entry of each function, at its first and later calls."""
    return [signal(f"{step}", function, f"after={k}" if k else "", core=core and not k)
            for step, function, ks, core in functions for k in ks]


def offlining():
    """Faults while memory is offlined and removed, pages taken or not."""
    out = [returns("offline", "offline_pages", -16, f"after={k}", cause=r"\(-16\)",
                   core=k in (0, 2)) for k in range(4)]
    out += [
        returns("offline", "offline_pages", -12, "after=1", cause=r"\(-12\)|memory"),
        returns("offline", "offline_and_remove_memory", -22, cause=r"\(-22\)"),
        returns("offline", "offline_and_remove_memory", -12, cause=r"\(-12\)|memory"),
        returns("offline: hugetlb", "dissolve_free_hugetlb_folios,dissolve_free_huge_pages",
                -16, "in=offline_pages", cause=r"\(-16\)", core=True),
        # As if it had removed something. From 7.3 on it says so when it has not.
        returns("remove: not done", "offline_and_remove_memory", 0, cause=r"\(-16\)", core=True),
        returns("remove", "try_remove_memory", -16, cause=r"\(-16\)", core=True),
        returns("remove", "try_remove_memory", -22, cause=r"\(-22\)"),
    ]
    out += [returns("offline: isolate", "start_isolate_page_range", -16,
                    f"in=offline_pages after={k}", cause=r"\(-16\)") for k in (0, 1, 3)]
    out += [returns("offline: isolate section", "set_migratetype_isolate", -16,
                    f"in=offline_pages after={k}", cause=r"\(-16\)",
                    core=k == 100) for k in (0, 1, 63, 64, 100, 255)]
    # An offlining has two calls: going, and done.
    out += [Case("offline: veto after ours", f"EBUSY, memory block {k}",
                 (f"notifier_err_inject_callback ret=0x8011 in=offline_pages after={2 * k}",),
                 cause=r"\(-16\)", core=k in (0, 2)) for k in range(4)]
    out += [Case("offline: veto before ours", f"EBUSY, memory block {k}",
                 (f"notifier_err_inject_callback ret=0x8011 in=offline_pages after={2 * k}",),
                 first="first", cause=r"\(-16\)", core=k == 1) for k in range(4)]
    out += shrink_signals((
        ("offline", "offline_and_remove_memory", (0,), False),
        ("offline", "offline_pages", (0, 1, 3), True),
        ("offline: notifiers", "memory_notify", (0, 1, 2, 3, 5), True),
        ("offline: notifiers", "blocking_notifier_call_chain", (0, 1, 2), False),
        ("offline: isolate", "start_isolate_page_range", (1, 2), False),
        ("offline: hugetlb", "dissolve_free_hugetlb_folios,dissolve_free_huge_pages",
         (0, 2), False),
        ("offline: last look", "test_pages_isolated", (1, 2, 3), False),
        ("offline: gone", "__offline_isolated_pages", (0, 1, 3), False),
        ("remove", "try_remove_memory", (0,), True),
        ("remove", "arch_remove_memory", (0,), False),
        ("remove", "remove_memory_block_devices", (0,), False)))
    return out


def direct():
    """Faults on the way down, with pages left to the core's offlining."""
    # Unbounded, the core would try to move it for as long as it is held.
    holds = tuple(f"offline_and_remove_memory hold=BB+{k * MIB} ms=14000" for k in (1, 2, 3))
    return [Case("offline: deadline", "page held for longer", holds, cause="deadline|time",
                 all_fire=False, slow=True), *offlining()]


def held():
    """A page is held when it should be moved: neither that nor taking it succeeds."""
    orders = tuple(f"virtio_mem_pages_sweep hold=BB+{k * MIB} ms=6000" for k in (1, 2, 3))
    return [Case("sweep: held", "page held for longer", orders,
                 cause="taking its pages failed", all_fire=False)]


def taken(cases):
    """The same with pages taken first: sweeping, which comes before, fails at once."""
    return [dataclasses.replace(c, orders=("virtio_mem_pages_sweep ret=-16", *c.orders))
            for c in cases]


def sweep():
    """Faults of moving pages without taking any; those of taking follow, or none."""
    contig = f"{CONTIG} ret=%d in=virtio_mem_pages_sweep %s"
    return [
        Case("sweep", "no page to be had", (contig % (-16, ""),), ends=("idle",), core=True),
        Case("sweep", "EBUSY at once", (contig % (-16, "after=1"),), ends=("idle",), core=True),
        # On a slow host the next try, which takes the pages, is seen first.
        Case("sweep", "ENOMEM", (contig % (-12, "after=1"),), cause=r"\(-12\)|memory",
             ends=("waiting", "idle"), core=True),
        Case("sweep", "EINTR", (contig % (-4, "after=1"),), cause=r"\(-4\)",
             ends=("waiting", "idle")),
        returns("sweep: migrate", "__alloc_contig_migrate_range", -12, "after=1",
                cause=r"\(-12\)|memory", core=True),
        returns("sweep: migrate", "migrate_pages", -12, "in=virtio_mem_mm_shrink",
                cause=r"\(-12\)|memory"),
        returns("sweep: isolate", "start_isolate_page_range", -16,
                "in=virtio_mem_pages_sweep after=1", ends=("idle",), core=True),
        signal("sweep", CONTIG, "after=1", core=True),
        signal("sweep: migrate", "migrate_pages"),
        signal("sweep: last look", "test_pages_isolated", "after=1"),
        returns("sweep, offline", "offline_pages", -16, "after=2", cause=r"\(-16\)", core=True),
        Case("sweep, offline", "EBUSY on block 2, once", ("offline_pages ret=-16 after=2 times=1",),
             ends=("idle",), core=True),
    ]


def shrink():
    """Faults on the way down, with pages taken first."""
    out = [returns("take", CONTIG, value, cause=rf"\({value}\)|memory", core=value == -16)
           for value in (-16, -12, -4)]
    out += [returns("take: second run", CONTIG, value, "after=1 times=3",
                    first="gap", cause=rf"\({value}\)|memory", core=value == -12)
            for value in (-16, -12, -4)]
    out += [returns("take: isolate", "start_isolate_page_range", value,
                    "in=virtio_mem_mm_shrink", cause=rf"\({value}\)|memory")
            for value in (-16, -12)]
    out += [returns("take: isolate section", "set_migratetype_isolate", -16, f"after={k}",
                    cause=r"\(-16\)", core=k == 100) for k in (0, 1, 63, 64, 100, 254, 255)]
    out += [returns("take: isolate edges", "isolate_single_pageblock", -16, f"after={k}",
                    cause=r"\(-16\)") for k in (0, 1)]
    out += [returns("take: migrate", "__alloc_contig_migrate_range", value,
                    cause=rf"\({value}\)|memory", core=value == -4) for value in (-16, -12, -4)]
    out += [
        returns("take: migrate", "isolate_migratepages_range", -12, cause=r"\(-12\)|memory"),
        returns("take: migrate", "isolate_migratepages_range", -4, cause=r"\(-4\)"),
        returns("take: migrate", "migrate_pages", -12, "in=virtio_mem_mm_shrink",
                cause=r"\(-12\)|memory", core=True),
        # Seen late it is the next attempt, at what is empty by then: offlined directly.
        returns("take: last look", "test_pages_isolated", -16,
                cause=r"\(-16\)|longer than allowed", core=True),
    ]
    out += [Case("hand over", f"held page, memory block {k}",
                 (f"offline_and_remove_memory hold=BB+{(k * 128 + 5) * MIB + 4096 * 7} ms=3000",),
                 cause=r"\(-16\)", core=k in (0, 2)) for k in range(4)]
    out += shrink_signals((
        ("take", CONTIG, (0,), True),
        ("take: isolate", "start_isolate_page_range", (0,), False),
        ("take: isolate section", "set_migratetype_isolate", (0, 100), False),
        ("take: migrate", "__alloc_contig_migrate_range", (0,), False),
        ("take: migrate", "isolate_migratepages_range", (0, 1), False),
        ("take: migrate", "migrate_pages", (0, 1), True),
        ("take: last look", "test_pages_isolated", (0,), True)))
    out += [Case("objects", f"allocation {n} fails",
                 (f"{OBJECTS} ret=0 in=virtio_mem_mm_shrink after={n} times=1",),
                 ends=("waiting", "idle")) for n in range(0, 12, 2)]
    return taken(out + offlining())


def shrink_pairs():
    """Two faults at once on the way down that hurt."""
    def pair(step, fault, *orders, **kw):
        kw.setdefault("cause", r"failed \(-\d+\)|memory")
        return Case(step, fault, orders, **kw)

    return taken([
        pair("offline + back online", "EBUSY on block 2 + signal",
             "offline_pages ret=-16 after=2", "online_pages signal in=virtio_mem_mm_shrink",
             core=True),
        pair("offline + back online", "EBUSY on block 3 + ENOMEM on block 1, later by hand",
             "offline_pages ret=-16 after=3", "online_pages ret=-12 after=1 times=1",
             core=True),
        pair("remove + back online", "EBUSY + EBUSY on block 2, later by hand",
             "try_remove_memory ret=-16", "online_pages ret=-16 after=2 times=1"),
        pair("offline + signal", "veto after ours on block 2 + signal",
             "notifier_err_inject_callback ret=0x8011 in=offline_pages after=4",
             "memory_notify signal in=virtio_mem_mm_shrink after=5", core=True),
        pair("hand over + signal", "held page in block 2 + signal in block 1",
             f"offline_and_remove_memory hold=BB+{300 * MIB} ms=3000",
             "offline_pages signal in=virtio_mem_mm_shrink after=1", core=True),
        pair("hand over + back online", "held page in block 3 + EBUSY, later by hand",
             f"offline_and_remove_memory hold=BB+{400 * MIB} ms=3000",
             "online_pages ret=-16 times=1"),
        pair("take + offline", "second run EBUSY + offlining EBUSY",
             f"{CONTIG} ret=-16 after=1 times=3", "offline_pages ret=-16",
             first="gap", all_fire=False),
        Case("remove + unplug", "EBUSY once + ERROR", ("try_remove_memory ret=-16 times=1",),
             ("unplug error every=1",), cause="ERROR|refuse|no big block", clear=True,
             core=True),
        Case("request: unplug", "virtqueue_add_sgs ENOSPC", ("virtqueue_add_sgs ret=-28",),
             cause="memory", clear=True, core=True),
        Case("signal + unplug", "at the end + NACK",
             ("arch_remove_memory signal in=virtio_mem_mm_shrink",),
             ("unplug nack every=1",), cause="NACK", clear=True),
        Case("unplug", "ERROR but done + requested changes",
             ("offline_and_remove_memory signal in=virtio_mem_mm_shrink times=1",),
             ("unplug error done every=1",), ends=("idle", "waiting"), clear=True),
    ])
