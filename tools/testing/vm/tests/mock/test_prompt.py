# SPDX-License-Identifier: GPL-2.0-or-later
"""Promises of "at once" are kept, however long the driver would rest."""

import time

from vm.cases.case import MIB
from vm.cases.mock_case import MocksCase
from vm.device.mock import DIR

BB = 128 * MIB
MEMORY = "/sys/devices/system/memory"
RESERVE = "/sys/module/virtio_mem/parameters/unplug_reserve_mib"
# After so many seconds of waiting the next rest lasts for more than ten.
LONG = 42
PROMPT = 3
LOCKED = 512 * MIB


class Prompt(MocksCase):
    """Devices that wait for different things, and then get them."""

    # The size of each in the end, and the event that made it go on.
    ENDS = {0: (BB, "a new request, refused once"), 1: (4 * BB, "a larger usable region"),
            2: (BB, "a late answer"), 3: (2 * BB, "memory that user space has offlined"),
            4: (0, "memory that was freed")}

    def wait_long(self):
        """Until the first device has been asked once more, after a long rest."""
        time.sleep(LONG * self.vm.slow)
        asked = len(self.mock[0].answers("PLUG"))
        self.vm.wait(lambda: len(self.mock[0].answers("PLUG")) > asked, "tried again", 40, 0.3)

    def all_wait(self):
        """So does the last one; all of them, for long."""
        self.mock.request({4: 0})
        self.seen(4, lambda d: d.state == "waiting", "does not fit")
        self.wait_long()
        look = self.mock.look()
        self.assertEqual([d.state for d in look.devices[:5]], ["waiting"] * 5)
        self.assertEqual([d.size // BB for d in look.devices[:5]], [0, 3, 1, 1, 1])

    def block(self):
        """The state of memory that one of them has."""
        return f"{MEMORY}/memory{self.mock[3].base() // BB}/state"

    def test_events_end_a_long_rest(self):
        """Each of five events is acted upon within seconds."""
        self.resize({0: 0, 1: 0, 2: 0, 3: BB, 4: BB})
        self.mock.orders((0, "fault", "plug nack every=1"), (0, "requested", 2 * BB),
                         (1, "fault", "plug usable=384M"), (1, "requested", 4 * BB),
                         (2, "fault", "plug never"), (2, "requested", BB),
                         (3, "fault", "plug busy every=1"), (3, "requested", 2 * BB))
        self.until(lambda look: all(d.state == "waiting" for d in look.devices[:4]),
                   "each waits", 40)
        # The last one's memory fits into the memory left, but not with this locked.
        left = self.guest.meminfo()["MemAvailable"]
        self.guest.write(RESERVE, (left - BB - LOCKED // 2) // MIB)
        holder = self.guest.spawn(f"memtool lock {LOCKED}", "/tmp/lock")
        self.at_end(f"kill -9 {holder}; echo -1 >{RESERVE}")
        self.guest.wait_line("/tmp/lock", "READY", 60)
        self.all_wait()
        begin, took = time.monotonic(), {}
        # A new request that is refused once is tried again as soon as the first one was.
        self.guest.ok(f"kill -9 {holder}; cd {DIR}; echo clear >0/fault; "
                      f"echo plug nack >0/fault; echo {BB} >0/requested; "
                      "echo 512M >1/usable; echo now >2/pending; echo clear >3/fault; "
                      f"echo offline >{self.block()}")
        while len(took) < len(self.ENDS) and time.monotonic() - begin < 30 * self.vm.slow:
            look = self.mock.look()
            for index, (size, why) in self.ENDS.items():
                if look[index].size == size == look[index].added:
                    took.setdefault(why, time.monotonic() - begin)
        print(f"# {self.id()}: " + ", ".join(f"{w} {s:.1f} s" for w, s in took.items()),
              flush=True)
        self.assertEqual({why for _, why in self.ENDS.values()} - set(took), set(), "never")
        for why, seconds in took.items():
            self.assertLess(seconds, PROMPT * self.vm.slow, why)
        self.guest.ok(f"echo -1 >{RESERVE}; echo online_movable >{self.block()}")
        self.reached({i: size for i, (size, _) in self.ENDS.items()})
