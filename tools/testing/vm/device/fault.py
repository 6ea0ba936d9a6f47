# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults in the guest's kernel on order, and the census of its pages."""

import re

DIR = "/sys/kernel/debug/virtio_mem_fault"
INJECT = "/sys/kernel/debug/notifier-error-inject/memory/actions"
# Kinds of pages that memory must not have after an operation has ended.
NEVER = ("lost", "offline", "extra", "isolated")


class Fault:
    """Orders to the module, and what it says."""

    def __init__(self, guest):
        self._guest = guest

    def load(self):
        """insmod, unless it is there."""
        self._guest.ok(f"[ -d {DIR} ] || insmod /mod/virtio_mem_fault.ko", 120)

    def order(self, *orders):
        """Give orders."""
        self._guest.ok(shell(orders))

    def clear(self):
        """No faults."""
        self.order("clear")

    def points(self):
        """[(calls, fired)] of each point, in the order they were given."""
        return counts(self._guest.read(f"{DIR}/points"))


def shell(orders):
    """Shell text that gives orders, and says which it can't."""
    return "; ".join(f"echo '{o}' >{DIR}/points || echo refused: '{o}'" for o in orders)


def counts(text):
    """[(calls, fired)] of the points in a text."""
    return [(int(c), int(f)) for c, f in re.findall(r"calls=(\d+) fired=(\d+)", text)]


def census(text):
    """{address: {kind: pages}} of online, {address: word} of other memory blocks."""
    blocks, isolate = {}, 0
    for line in text.splitlines():
        words = line.split()
        if words[0] == "zone":
            isolate += int(words[3].partition("=")[2])
        elif words[1] != "online":
            blocks[int(words[0], 16)] = words[1]
        else:
            blocks[int(words[0], 16)] = {k: int(v) for k, _, v in
                                         (w.partition("=") for w in words[2:])}
    return blocks, isolate


def wrong(blocks, isolate, before, memmap=0):
    """Faults in a census, in words; compared with an earlier one.

    memmap: how many pages of each memory block its own memmap takes.
    """
    bad = [f"nr_isolate_pageblock {isolate}"] if isolate else []
    for addr, now in blocks.items():
        if isinstance(now, str):
            continue
        bad += [f"{addr:#x}: {now[kind]} {kind}" for kind in NEVER if now[kind]]
        old = before.get(addr)
        allowed = old["unknown"] if isinstance(old, dict) else 0
        if now["unknown"] > allowed:
            bad.append(f"{addr:#x}: {now['unknown']} of unknown owner, {allowed} before")
        if now["memmap"] != memmap:
            bad.append(f"{addr:#x}: {now['memmap']} pages of its memmap, not {memmap}")
        if now["sum"] * 4096 != 128 << 20:
            bad.append(f"{addr:#x}: {now['sum']} pages")
    return bad
