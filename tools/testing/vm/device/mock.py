# SPDX-License-Identifier: GPL-2.0-or-later
"""The memory devices in software, one or more: orders to them, and all that can be seen."""

import re

DIR = "/sys/kernel/debug/virtio_mem_mock"
VIRTIO = "/sys/bus/virtio/devices"
# Where the guest has their memory, see qemu-configs/mock.cfg.
ADDR, SIZE = 4 << 30, 4 << 30
# The end of addresses in an emulated guest: all up to there is reserved, because a device
# may be larger than its memory.
END = 1 << 40
# A guest's options for it. Pages are not zeroed with these devices; host.busy tests the
# cost of that.
OPTIONS = {"append": f"memmap={END - ADDR >> 30}G${ADDR:#x} init_on_alloc=0"}

# All in one go, and little of it: each process takes an emulated guest a while. The
# error once more after the state, because it was there before that, and counts then.
LOOK = (f"cd {DIR}; f=; e=; for d in [0-9]; do "
        f"read n <$d/name && f=\"$f {VIRTIO}/$n/virtio_mem/*\" "
        f"e=\"$e {VIRTIO}/$n/virtio_mem/last_error\"; done; "
        "grep . /dev/null [0-9]/name [0-9]/plugged [0-9]/pending [0-9]/fault "
        "[0-9]/violations $f $e 2>/dev/null; "
        "grep 'RAM (virtio_mem)' /proc/iomem; grep MemTotal: /proc/meminfo")


def ranges(text):
    """[(start, end)] of all FIRST-LAST in a text, hexadecimal."""
    return [(int(a, 16), int(b, 16) + 1) for a, b in
            re.findall(r"(?:0x)?([0-9a-f]+)-(?:0x)?([0-9a-f]+)", text)]


def violations(lines):
    """{kind: how many} of a device's file, without those that there are none of."""
    pairs = [line.split() for line in lines if not line.startswith("last")]
    return {k: int(v) for k, v in pairs if int(v) and k != "total"}


class Seen:
    """One device and its driver at one time.

    name        of the virtio device, None if it is absent
    ranges      that are plugged
    size        bytes of these
    pending     requests that are not answered
    rules       faults that are left
    violations  {kind: how many}, without those that there are none of
    attrs       the driver's sysfs group; empty without a driver
    """

    def __init__(self, lines):
        files = {}
        for line in lines:
            file, _, text = line.partition(":")
            files.setdefault(file, []).append(text)
        self.name = files.get("name", [None])[0]
        self.ranges = ranges("\n".join(files.get("plugged", [])))
        self.size = sum(end - start for start, end in self.ranges)
        self.pending = int(files["pending"][0])
        self.rules = files.get("fault", [])
        self.violations = violations(files["violations"])
        self.last_violation = files["violations"][-1]
        self.attrs = {}

    @property
    def added(self):
        """Bytes that the driver has added, by its books."""
        return (int(self.attrs.get("blocks_added", 0)) *
                int(self.attrs.get("big_block_size", 0)))

    def rests(self, size):
        """Whether driver and device are done, and both have so much.

        A look takes its time: what the driver wrote down before it was done may be read
        before its state.
        """
        want = {"state": "idle", "plugged_size": str(size), "blocks_plugged": "0",
                "blocks_fake_offline": "0"}
        return self.size == size == self.added and want.items() <= self.attrs.items()

    @property
    def state(self):
        """The driver's state, or None."""
        return self.attrs.get("state")

    @property
    def error(self):
        """The driver's last error."""
        return self.attrs.get("last_error", "")


class Look:
    """All devices, and what Linux has of them, at one time."""

    def __init__(self, text):
        own, drivers, iomem, self.mem_total = {}, {}, [], None
        for line in text.splitlines():
            mine = re.match(r"(\d+)/(.*)", line)
            driver = re.match(rf"{VIRTIO}/(\w+)/virtio_mem/(\w+):(.*)", line)
            if mine:
                own.setdefault(int(mine[1]), []).append(mine[2])
            elif driver:
                drivers.setdefault(driver[1], {})[driver[2]] = driver[3]
            elif line.startswith("MemTotal"):
                self.mem_total = int(line.split()[1]) * 1024
            elif "virtio_mem" in line:
                iomem += ranges(line)
        self.iomem = sorted(iomem)
        self.devices = [Seen(own[i]) for i in sorted(own)]
        for seen in self.devices:
            seen.attrs = drivers.get(seen.name, {})

    def __getitem__(self, index):
        return self.devices[index]


class Device:
    """Orders to one of the devices, and what it says."""

    ends = True     # it can end in ways that need a new driver, see soak's load.py

    def __init__(self, mock, index):
        self._mock, self._index = mock, index

    def order(self, file, text, timeout=60):
        """Write to one of its files."""
        self._mock.orders((self._index, file, text), timeout=timeout)

    def read(self, file):
        """The contents of one of its files."""
        return self._mock.guest.read(f"{DIR}/{self._index}/{file}")

    def base(self):
        """Its first address."""
        return ADDR + self._index * SIZE // self._mock.count

    def request(self, size):
        """As a host that wants another size."""
        self.order("requested", size)

    def fault(self, text):
        """Misbehave."""
        self.order("fault", text)

    def behave(self):
        """No faults, no lies, nothing pending, the device there."""
        self._mock.behave(self._index)

    def plugged(self):
        """[(start, end)] by its bitmap."""
        return ranges(self.read("plugged"))

    def size(self):
        """Bytes that are plugged."""
        return sum(end - start for start, end in self.plugged())

    def pending(self):
        """How many requests are not answered yet."""
        return int(self.read("pending"))

    def violations(self):
        """{kind: how many}, without those that there are none of."""
        return violations(self.read("violations").splitlines())

    def log(self, request=None):
        """Its log's lines, as lists of words; perhaps of one kind of request only."""
        lines = [line.split() for line in self.read("log").splitlines()]
        return [words for words in lines if request in (None, words[2])]

    def answers(self, request):
        """Answers to one kind of request so far, in order."""
        return [words[5] for words in self.log(request)]


class Mock:
    """The module with one device or more: mock[0] is the first Device."""

    def __init__(self, guest, count=1):
        self.guest, self.count = guest, count

    def __getitem__(self, index):
        return Device(self, index)

    def loaded(self):
        """Whether the module is there."""
        return self.guest.run(f"[ -d {DIR} ]")[0] == 0

    def load(self, args):
        """insmod."""
        self.guest.ok(f"insmod /mod/virtio_mem_mock.ko addr={ADDR:#x} "
                      f"size={SIZE} devices={self.count} {args}", 120)

    def unload(self):
        """rmmod."""
        self.guest.ok("rmmod virtio_mem_mock")

    def look(self):
        """The present state of all devices."""
        return Look(self.guest.run(LOOK)[1])

    def orders(self, *orders, timeout=60):
        """Each (device, file, text); in one go."""
        self.guest.ok(f"cd {DIR}" + "".join(
            f" && echo '{text}' >{index}/{file}" for index, file, text in orders), timeout)

    def all(self, file, text):
        """To all devices the same."""
        self.orders(*((i, file, text) for i in range(self.count)))

    def request(self, sizes):
        """As a host that wants other sizes, {device: bytes}."""
        self.orders(*((i, "requested", size) for i, size in sizes.items()))

    def behave(self, which="[0-9]"):
        """No faults, no lies, nothing pending, all devices there."""
        self.guest.ok(f"cd {DIR}; for d in {which}; do echo clear >$d/fault; "
                      "echo truth >$d/config; echo now >$d/pending; "
                      "grep -q absent $d/device && echo add >$d/device; done; true")
