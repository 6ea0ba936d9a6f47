# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver's trace events as trace-cmd, perf and bpftrace show them, all as packaged.

What bpftrace runs is what docs/operators.md tells people to run.
"""

import pathlib
import re
import shutil

from vm.cases.case import MIB, GuestCase
from vm.device.events import TRACE
from vm.harness import initramfs
from vm.harness.vm import TOP

BB = 256 * MIB
EVENTS = {"request", "answer", "state", "pick", "op", "dislike", "guard", "pass_begin",
          "pass_end"}
RESERVE = "/sys/module/virtio_mem/parameters/unplug_reserve_mib"
PROGRAMS = re.findall(r"^bpftrace -e '(.*)'$", (TOP / "docs/operators.md").read_text(), re.M)


def tracers(kernel):
    """The programs that are installed here, with their libraries: 200 MiB."""
    out = {}
    if kernel.debug:
        return out
    for path in filter(None, map(shutil.which, ("trace-cmd", "bpftrace", "perf"))):
        out |= initramfs.program(pathlib.Path(path).resolve(), f"bin/{pathlib.Path(path).name}")
    return out


class Tracers(GuestCase):
    """A guest in which each of the driver's events occurs."""

    options = {"files": tracers}
    log = "/tmp/tracer.log"

    def setUp(self):
        super().setUp()
        if self.vm.kernel.debug:
            self.skipTest("a debug kernel has no BPF, and too little memory for its tools")

    def start(self, package, command, ready):
        """Have a program record; it does when the command ready is true."""
        program = command.split()[0]
        if not shutil.which(program):
            self.skipTest(f"needs {package}")
        self.at = program
        self.guest.spawn(command, self.log)
        self.at_end(f"killall -9 {program}")
        self.vm.wait(lambda: self.guest.run(ready)[0] == 0, f"{program} records", 120, 1)
        return program

    def end(self, program, signal="INT", whom=None):
        """Ctrl-C, or end the command that it waits for; returns what it has printed."""
        self.guest.ok(f"killall -{signal} {whom or program}")
        self.vm.wait(lambda: self.guest.run(f"pidof {program}")[0], f"{program} ends", 60)
        return self.guest.read(self.log)

    def story(self):
        """Grow; too little memory would be left; a page is held; it is let go."""
        self.resize(2 * BB)
        self.at_end(f"echo -1 >{RESERVE}")
        self.guest.write(RESERVE, 1 << 20)
        self.vm.qmp.request("vm0", BB)
        self.wait_state("waiting")
        self.guest.write(RESERVE, -1)
        self.vm.qmp.request("vm0", 2 * BB)
        self.wait_state("idle")
        start = self.region()[0]
        pinner = self.guest.spawn(f"memtool pin {start} {start + BB}", "/tmp/pin")
        self.at_end(f"kill -9 {pinner}")
        page = int(self.guest.wait_line("/tmp/pin", r"PINNED (0x[0-9a-f]+)")[1], 16)
        self.vm.qmp.request("vm0", 0)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == BB, "the other one gone", 60)
        self.wait_state("waiting")
        self.guest.kill(pinner)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "all gone", 60)
        self.wait_state("idle")
        return page * 4096

    def test_trace_cmd(self):
        """Every event, in words."""
        # What it says of itself stays in its buffer.
        program = self.start("trace-cmd", "trace-cmd record -e virtio_mem -o /tmp/trace.dat",
                             f"cd {TRACE}; grep 1 events/virtio_mem/enable && grep 1 tracing_on")
        page = self.story()
        self.end(program)
        report = self.guest.ok("trace-cmd report -i /tmp/trace.dat", 180)
        (self.vm.dir / "trace-cmd.txt").write_text(report)
        found = re.findall(r": virtio_mem_(\w+): +virtio\d+ (.*)", report)
        self.assertEqual({name for name, _ in found}, EVENTS)
        self.assertNotRegex(report, "FAILED|ARG|UNKNOWN")
        for name, words in (("request", "UNPLUG addr="), ("answer", "answer=ACK"),
                            ("state", "ADDED -> FAKE_OFFLINE"), ("pick", "method="),
                            ("op", "offline-remove"), ("guard", "zones=all"),
                            ("dislike", f"cause=pinned page=0x{page:x}"),
                            ("pass_end", "cause=pinned")):
            self.assertTrue([text for event, text in found if event == name and words in text],
                            f"{name}: {words}")

    def test_bpftrace(self):
        """All that the docs have, at once: each prints what has happened."""
        self.assertEqual([re.match(r"t:virtio_mem:virtio_mem_(\w+) ", p)[1] for p in PROGRAMS],
                         ["request", "answer", "state", "pick", "op", "dislike", "guard",
                          "pass_begin", "pass_end"])
        script = " ".join(['BEGIN { printf("ready\\n"); }', *PROGRAMS])
        program = self.start("bpftrace", f"bpftrace -e '{script}'", f"grep ready {self.log}")
        page = self.story()
        out = self.end(program)
        (self.vm.dir / "bpftrace.txt").write_text(out)
        self.assertNotRegex(out, "Lost|WARN|ERROR")
        # Numbers of virtio_mem_proto.h, _bb.h, _stats.h and _cause.h: the docs have them.
        request, answer = (dict(re.findall(rf"^@{name}\[virtio0, (\d+.*?)\]: ?(.*)$", out, re.M))
                           for name in ("blocks", "answers"))
        self.assertEqual(request, {"0": "2", "1": "2"})
        self.assertEqual({key.split(", ")[1] for key in answer}, {"0"})
        states = dict(re.findall(r"^@states\[virtio0, (\d, \d)\]: (\d+)$", out, re.M))
        self.assertEqual((states["0, 1"], states["1, 2"]), ("2", "2"))
        self.assertIn("@op_us[virtio0, 4]: ", out)
        self.assertIn("@op_us[virtio0, 7]: ", out)
        self.assertRegex(out, r"(?m)^virtio0: try 0x[0-9a-f]+ for \d+ ms: \d+ pages in use, ")
        self.assertRegex(out, rf"(?m)^virtio0: page {page:#x}, cause 7$")
        self.assertRegex(out, r"(?m)^virtio0: \d+ pages would be left, 268435456 must be$")
        self.assertRegex(out, rf"(?m)^virtio0: {2 * BB} bytes plugged, {BB} requested$")
        self.assertRegex(out, rf"(?m)^virtio0: {BB} bytes plugged, 0 requested; "
                              r"cause 7, next try in \d+ ms$")

    def test_perf(self):
        """Each event is counted."""
        program = self.start("linux-perf", "perf stat -a -e virtio_mem:* sleep 600",
                             "pidof sleep")
        self.story()
        counts = dict((name, int(number)) for number, name in re.findall(
            r"^ *(\d+) +virtio_mem:virtio_mem_(\w+)", self.end(program, "TERM", "sleep"), re.M))
        self.assertEqual(set(counts), EVENTS)
        self.assertTrue(all(counts.values()), counts)
        self.assertEqual(counts["request"], counts["answer"])
