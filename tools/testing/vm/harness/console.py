# SPDX-License-Identifier: GPL-2.0-or-later
"""Find in a guest's console log what must never be there."""

import re

# A hit fails the run. Each has a name, so that a test that provokes one on
# purpose can allow that one and no other.
PATTERNS = {
    "warn": r"WARNING: (?!Support for|.*not recommended)",
    "bug": r"\bBUG: |kernel BUG at|\bBUG\b.*(?:process|at)",
    "oops": r"\bOops\b|general protection fault|unable to handle (?:page fault|kernel)",
    "panic": r"Kernel panic",
    "trace": r"Call Trace",
    "lockdep": r"possible (?:circular|recursive|irq|deadlock)|lock held when returning|"
               r"INFO: trying to register non-static key|suspicious RCU usage|"
               r"bad unlock balance|inconsistent lock state",
    "sanitizer": r"\b(?:KASAN|KCSAN|KMSAN|UBSAN|KFENCE)\b(?!.*(?:initialized|enabled))",
    "hung": r"blocked for more than|hung_task|soft lockup|hard LOCKUP",
    "rcu": r"rcu.*(?:detected stalls|self-detected stall|kthread starved)",
    "refcount": r"refcount_t:",
    "page": r"Bad page|bad page|bad_page|nonzero _refcount|"
            # The core explains so why an offlining failed; no fault by itself.
            r"page dumped because: (?!migration failure|unmovable page|isolation failed)",
    "oom": r"Out of memory|oom-kill|invoked oom-killer|oom_reaper",
    "alloc": r"page allocation failure|allocation failed",
    "taint": r"module verification failed.*fatal|Tainted:",
    "sysfs": r"cannot create duplicate filename|sysfs:.*warning",
    "memory": r"list_(?:add|del) corruption|double free|use-after-free|slab.*corrupt",
}


# One report: ruler, title, for each of the two accesses its stack, ruler.
RACE = re.compile(r"^.*?BUG: KCSAN: .*\n(?:.*\n)*?.*={60,}.*\n", re.M)


def others_races(text):
    """KCSAN's reports of races between accesses that are both not the driver's."""
    return [m[0] for m in RACE.finditer(text) if not _is_ours(m[0])]


def _is_ours(report):
    """Whether one of the accesses is by the driver, or by what it calls directly."""
    for stack in re.split(r"(?im)^(?:read|write|race|value changed|reported).*\n", report):
        frames = re.findall(r"\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[(\w+)\])?", stack)
        if "virtio_mem" in frames[:2]:
            return True
    return "[virtio_mem]" in report.partition("\n")[0]


# One report: title to the end of the trace.
CIRCLE = re.compile(r"^.*WARNING: possible circular locking dependency detected\n"
                    r"(?:.*\n)*?.*</TASK>.*\n", re.M)


def core_circles(text):
    """Lockdep's reports of a circle that the core's memory hotplug has by itself.

    A write to a memory block's state file holds the file and takes
    mem_hotplug_lock; removing the block holds mem_hotplug_lock and waits for the
    file. Both do so under device_hotplug_lock only, which lockdep does not
    consider. It takes a file that is open while its block is removed.
    """
    return [m[0] for m in CIRCLE.finditer(text)
            if re.search(r"trying to acquire lock:\n.*\(kn->active#?\d*\).*\n(?:.*\n)*?"
                         r".*already holding lock:\n.*\(mem_hotplug_lock\)"
                         r".*try_remove_memory", m[0])
            and "[virtio_mem]" not in m[0].partition("-> #0 ")[0]]


# The kernel's messages when there is no memory: of x86 once a boot, for added memory;
# of KASAN for its shadow.
NO_MEMORY = re.compile(r"^.*(?:WARNING: .* at add_pages\+.*\n(?:.*\n)*?.*end trace"
                       r"|vmalloc error: .*\n(?:.*\n)*?.*</TASK>).*\n", re.M)


# No 2 MiB for a memmap in one piece: the core says so once, and takes small pages.
PIECES = re.compile(r"^.*vmemmap alloc failure: order:[1-9]\d*,.*\n(?:.*\n)*?.*</TASK>.*\n",
                    re.M)


def scan(text, allow=()):
    """Return [(name, line)] of each line that must not be there.

    allow: names of patterns that are expected, or "no-memory", or "pieces"
    """
    hits = []
    if "pieces" in allow:
        text = PIECES.sub("", text)
    if "no-memory" in allow:
        text = NO_MEMORY.sub("", text)
    # The kernel has many of its own that are none of our business.
    for report in others_races(text) + core_circles(text):
        text = text.replace(report, "")
    for line in text.splitlines():
        for name, pattern in PATTERNS.items():
            if name not in allow and re.search(pattern, line):
                hits.append((name, line.strip()))
                break
    return hits
