# SPDX-License-Identifier: GPL-2.0-or-later
"""vmemctl with a QEMU that never runs its guest, and without any."""

import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import unittest.mock
import urllib.request

from pictures.screen import Screen
from vm.cases.case import GIB, MIB, POOL
from vm.cases.vmemctl import (ERROR, INTERRUPTED, MET, PARTLY, REFUSED, SOURCE, USAGE, Ctl,
                              FakeAgent, FakeMonitor, packaged, program, vmem_prints,
                              vmem_says)
from vm.harness import qemu
from vm.harness.qmp import QMP
from vm.harness.vm import CONFIGS

BB = 256 * MIB


class Alone(unittest.TestCase):
    """QEMU without libvirt, and stopped: no request is ever met."""

    config = "vmemctl-alone"  # a group of its own: it shares no guest
    at = ""  # which step this is: a subtest's failure would not be reported

    def setUp(self):
        POOL.drop()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vm-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.qemu = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", qemu.get().program, "-name", "web",
             "-nodefaults", "-no-user-config", "-display", "none", "-accel", "tcg", "-S",
             "-readconfig", str(CONFIGS / "bb-256m.cfg"),
             *(word for name in ("ours", "theirs") for word in
               ("-qmp", f"unix:{self.dir}/{name},server=on,wait=off"))],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(self.qemu.wait)
        self.addCleanup(self.qemu.kill)
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                self.qmp = QMP(self.dir / "ours")
                break
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.addCleanup(self.qmp.close)
        self.ctl = Ctl(self, "--qmp", self.dir / "theirs")

    def requested(self):
        """What QEMU says is requested, in bytes."""
        return self.qmp.memory_device("vm0")["requested-size"]

    def wait_requested(self, size):
        """Until QEMU says so."""
        deadline = time.monotonic() + 20
        while self.requested() != size:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_impossible_requests_change_nothing(self):
        """An impossible request gets one line, and nothing changes."""
        self.qmp.request("vm0", GIB)
        for status, pattern, *words in (
                (REFUSED, "3 B is not a multiple of .* 256 MiB", "web", "3"),
                (REFUSED, "300 MiB is not a multiple", "web", "300M", "--round", "fail"),
                (REFUSED, "16 GiB is more than the device's 8 GiB", "web", "16G"),
                (REFUSED, "more than", "web", "8193M", "--round", "up"),
                (ERROR, "is web, not db", "db", "1G"),
                (ERROR, "no virtio-mem device vm7, but vm0", "web", "1G", "--device", "vm7"),
                (USAGE, "not a size: 12Q", "web", "12Q"),
                (USAGE, "not a size: 1.0000000001", "web", "1.0000000001"),
                (USAGE, "not a size: 2GB", "web", "2GB"),
                (USAGE, "not a size: 0x10", "web", "0x10"),
                (USAGE, "not a size: 99999999T", "web", "99999999T"),
                (USAGE, r"not a size:  \(a number", "web", ""),
                (USAGE, "not a time: soon", "web", "1G", "--timeout", "soon"),
                (USAGE, "up, down or fail", "web", "1G", "--round", "near"),
                (USAGE, "set has no option --guest", "web", "1G", "--guest"),
                (USAGE, "too many", "web", "1G", "more"),
                (USAGE, "needs a size")):
            self.at = f"{words}"
            self.ctl.fails(status, pattern, "set", *words)
            self.assertEqual(self.requested(), GIB)
        self.ctl.fails(USAGE, "no command shrink", "shrink")
        said = json.loads(self.ctl.run(REFUSED, "set", "3", "--json")[0])
        self.assertEqual((said["result"], said["wanted"], said["plugged"]), ("refused", 3, 0))

    def test_sizes_have_units_and_are_rounded(self):
        """Rounding, units, and a name that may be left out."""
        for words, size in ((("300M",), None), (("300M", "--round", "up"), 2 * BB),
                            (("300M", "--round", "down"), BB), (("web", "1.5GiB"), 6 * BB),
                            (("1048576K",), GIB), (("0",), 0)):
            self.at = f"{words}"
            status = REFUSED if size is None else PARTLY if size else MET
            said = self.ctl.json(status, "set", *words, "--timeout", "0")
            if size is not None:
                self.assertEqual((said["asked"], self.requested()), (size, size))

    def test_unmet_request_is_told_and_stands(self):
        """Not met in time: status 3, how far, why not, and the request stands."""
        begin = time.monotonic()
        out, _ = self.ctl.run(PARTLY, "set", "web", "1G", "--timeout", "1")
        self.assertLess(time.monotonic() - begin, 5)
        self.assertRegex(out, r"\Aweb: partly met: 0 B plugged of 1 GiB asked for.*stands\n"
                              r"guest: unknown, because: no guest agent.*\n\Z")
        self.assertEqual(self.requested(), GIB)
        said = self.ctl.json(PARTLY, "set", "web", "2G", "--timeout", "0.5")
        self.assertEqual([said[k] for k in ("domain", "device", "result", "wanted", "asked",
                                            "requested", "plugged", "plugged_before", "guest")],
                         ["web", "vm0", "partly", 2 * GIB, 2 * GIB, 2 * GIB, 0, 0, None])
        self.assertIn("--agent", said["guest_unknown"])

    def test_interrupt_leaves_or_takes_back_the_request(self):
        """Ctrl-C leaves the request, or takes it back; so does SIGTERM."""
        for sign in (signal.SIGINT, signal.SIGTERM):
            for more, left, text in (((), GIB, "the request stands"),
                                     (("--revert",), BB, "the request is 256 MiB again")):
                self.at = f"{sign} {more}"
                self.qmp.request("vm0", BB)
                process = self.ctl.start("set", "web", "1G", *more)
                self.wait_requested(GIB)
                process.send_signal(sign)
                out, err = process.communicate(timeout=10)
                self.assertEqual((process.returncode, err), (INTERRUPTED, ""))
                self.assertIn("web: interrupted: 0 B plugged", out)
                self.assertIn(text, out)
                self.assertEqual(self.requested(), left)

    def test_newer_request_of_others_is_left_alone(self):
        """Another request takes the place of ours; it is left alone."""
        process = self.ctl.start("set", "web", "1G", "--revert")
        self.wait_requested(GIB)
        self.qmp.request("vm0", 2 * GIB)
        out, _ = process.communicate(timeout=10)
        self.assertEqual(process.returncode, PARTLY)
        self.assertIn("somebody else has asked for another size", out)
        self.assertEqual(self.requested(), 2 * GIB)

    def test_lost_monitor_is_told(self):
        """QEMU ends in the middle; a monitor that is not there, in use, or none."""
        process = self.ctl.start("set", "web", "1G")
        self.wait_requested(GIB)
        Ctl(self, "--qmp", self.dir / "theirs").fails(ERROR, "another program", "list")
        self.qemu.kill()
        out, err = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out), (ERROR, ""))
        self.assertRegex(err, r"\Avmemctl: web: .*hung up.*; 1 GiB were asked for, "
                              r"0 B plugged when last seen\n\Z")
        self.ctl.fails(ERROR, "refused", "list")
        Ctl(self, "--qmp", self.dir / "nothing").fails(ERROR, "No such file", "list")
        FakeAgent(self, self.dir / "rubbish", lambda *_: None)
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(str(self.dir / "http"))
        server.listen(1)

        def talk():
            client, _ = server.accept()
            client.sendall(b"HTTP/1.1 200 OK\r\n")
            client.close()
        threading.Thread(target=talk, daemon=True).start()
        Ctl(self, "--qmp", self.dir / "http").fails(ERROR, "can't be understood", "list")

    def test_agents_words_stand_beside_the_answer(self):
        """The words of a guest agent, if any, stand beside the answer."""
        for nr, (answer, status, pattern) in enumerate((
                (vmem_says(device="virtio0", state="waiting", cause="a page is pinned"),
                 PARTLY, "guest: waiting: a page is pinned\n"),
                (vmem_says(state="waiting", cause={"token": "x", "text": "too much in use"}),
                 PARTLY, "guest: waiting: too much in use\n"),
                (vmem_says(state="waiting", cause="pinned", since=125),
                 PARTLY, "guest: waiting: pinned, for 2 min 05 s\n"),
                (vmem_says(state="growing", cause=None, since=3), PARTLY, "guest: growing\n"),
                (vmem_says(), PARTLY, "guest: state unknown\n"),
                (vmem_says(state="broken", cause="the device contradicts itself"),
                 REFUSED, "refused: .*\nguest: broken: the device contradicts itself\n"),
                (lambda *_: RuntimeError("guest-exec has been disabled"),
                 PARTLY, "guest: unknown, because: guest-exec has been disabled\n"),
                (lambda *_: {}, PARTLY, "unknown, because: .*did not say what it started\n"),
                (lambda c, _: {"pid": 1} if c == "guest-exec" else {"exited": True},
                 PARTLY, "unknown, because: vmem in the guest printed nothing\n"),
                (lambda c, _: {"pid": 1} if c == "guest-exec" else
                 {"exited": True, "out-data": "bm90IGpzb24="},
                 PARTLY, "unknown, because: vmem in the guest printed no list"),
                (lambda c, _: {"pid": 1} if c == "guest-exec" else
                 {"exited": True, "out-data": None}, PARTLY, "printed nothing"),
                (lambda c, _: {"pid": None}, PARTLY, "guest: unknown, because: "),
                (lambda *_: [1], PARTLY, "did not say what it started"),
                (vmem_says(state=5, cause=["x"], requested="y"), PARTLY, "guest: state unknown"),
                (vmem_says(state="\x1b[2Jwaiting", cause="a\nb"),
                 PARTLY, r"guest:  \[2Jwaiting: a b\n"))):
            self.at = f"{pattern}"
            path = self.dir / f"agent{nr}"
            agent = FakeAgent(self, path, answer)
            out, err = self.ctl.run(status, "--agent", path, "set", "1G", "--timeout",
                                    "20" if status == REFUSED else "0.5")
            self.assertRegex(out, pattern)
            self.assertEqual((err, self.requested()), ("", GIB))
            self.assertIn("guest-exec", agent.asked)

    def test_silent_agent_delays_little(self):
        """An agent that never answers delays the end, but not for long."""
        FakeAgent(self, self.dir / "agent", lambda *_: None)
        begin = time.monotonic()
        out, _ = self.ctl.run(PARTLY, "--agent", self.dir / "agent", "set", "1G",
                              "--timeout", "1")
        self.assertIn("guest: unknown, because: the guest agent does not answer", out)
        self.assertLess(time.monotonic() - begin, 12)
        # Neither does Ctrl-C wait for it.
        process = self.ctl.start("--agent", self.dir / "agent", "set", "2G")
        self.wait_requested(2 * GIB)
        time.sleep(3.5)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        self.assertEqual(process.returncode, INTERRUPTED)
        self.assertLess(time.monotonic() - begin, 1.5)

    def test_list_shows_device_and_guest(self):
        """Table, JSON and what the guest says."""
        self.qmp.request("vm0", GIB)
        self.assertEqual(self.ctl.run(MET, "list")[0].split(),
                         "DOMAIN DEVICE NODE REQUESTED PLUGGED REGION BLOCK STATE web vm0 0 "
                         "1 GiB 0 B 8 GiB 256 MiB below".split())
        self.assertEqual(self.ctl.json(MET, "list"), {"devices": [
            {"domain": "web", "device": "vm0", "node": 0, "requested": GIB, "plugged": 0,
             "region": 8 * GIB, "block": BB, "state": "below"}]})
        FakeAgent(self, self.dir / "agent", vmem_says(state="waiting", cause="no memory"))
        said = self.ctl.json(MET, "--agent", self.dir / "agent", "list", "--guest")
        self.assertEqual(said["devices"][0]["guest"], "waiting: no memory")

    def test_top_prints_json_or_draws_on_a_terminal(self):
        """JSON lines; the screen with its keys; no terminal, no screen."""
        self.qmp.request("vm0", GIB)
        lines = self.ctl.run(MET, "top", "--json", "-n", "3", "-d", "0.2")[0].splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual(json.loads(lines[2])["devices"], [
            {"domain": "web", "device": "vm0", "requested": GIB, "plugged": 0,
             "region": 8 * GIB, "speed": 0, "state": "growing"}])
        self.ctl.fails(USAGE, "needs a terminal", "top")
        status, out = self.ctl.on_terminal("top", "-n", "1", seconds=2, term="dumb")
        self.assertEqual((status, out.strip()),
                         (USAGE, "vmemctl: top needs a terminal; without one use --json"))
        status, out = self.ctl.on_terminal("top", keys="uuq", seconds=4)
        self.assertEqual(status, MET)
        for text in ("1 device, 1 not met, 0 stuck", "(only those not met)", "web", "growing",
                     "[++......"):
            self.assertIn(text, out)
        # The screen is left as it was found.
        self.assertIn("\x1b[?1049l", out)

    def test_bash_completes_commands_options_domains(self):
        """bash completes commands, options, and the domains of whom is asked."""
        (self.dir / "vmemctl").symlink_to(program())
        qmp = f"--qmp {self.dir}/theirs"
        for words, want in (("''", "set list top"), ("se", "set"), ("set --ro", "--round"),
                            ("top --de", "--delay"), ("list --pro", "--prometheus"),
                            ("set web 1G --round ''", "up down fail"),
                            ("set web 1G --round = u", "up"), (f"{qmp} set ''", "web"),
                            (f"{qmp} set web ''", ""), ("top ''", "")):
            self.at = f"{words}"
            out = subprocess.run(
                ["bash", "-c", f"source {SOURCE}/vmemctl.bash; COMP_WORDS=(vmemctl {words}); "
                 'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _vmemctl; echo "${COMPREPLY[*]}"'],
                check=True, capture_output=True, text=True,
                env=os.environ | {"PATH": f"{self.dir}:{os.environ['PATH']}"})
            self.assertEqual((out.stdout.strip(), out.stderr), (want, ""))

    def test_progress_line_is_gone_at_the_end(self):
        """On a terminal a line shows how far it is; it is gone at the end."""
        FakeAgent(self, self.dir / "agent", vmem_says(state="waiting", cause="no memory"))
        status, out = self.ctl.on_terminal("--agent", self.dir / "agent", "set", "1G",
                                           "--timeout", "5")
        self.assertEqual(status, PARTLY)
        self.assertRegex(out, r"\rweb \[\.+\] 0 B of 1 GiB, no change for 4\.\d s; "
                              r"waiting: no memory\x1b\[K")
        self.assertRegex(out, r"\r\x1b\[Kweb: partly met: ")

    def metrics(self, directory):
        """What Debian's node_exporter makes of the files in a directory."""
        exporter = packaged("prometheus-node-exporter", "/usr/bin/prometheus-node-exporter")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", exporter, "--collector.disable-defaults",
             "--collector.textfile", f"--collector.textfile.directory={directory}",
             f"--web.listen-address=127.0.0.1:{port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
                        return page.read().decode()
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
        self.fail("node_exporter does not answer")
        return None

    def test_prometheus_file_is_read_by_node_exporter(self):
        """node_exporter reads the file; where it can't be written, the old one stays."""
        directory = self.dir / "textfiles"
        directory.mkdir()
        file = directory / "virtio_mem.prom"
        self.qmp.request("vm0", GIB)
        self.assertEqual(self.ctl.run(MET, "list", "--prometheus", file), ("", ""))
        self.assertEqual([file], list(directory.iterdir()))
        page = self.metrics(directory)
        uuid = self.qmp.cmd("query-uuid")["UUID"]
        label = f'device="vm0",domain="web",node="0",uuid="{uuid}"'
        for name, value in (("requested", GIB), ("plugged", 0), ("region", 8 * GIB),
                            ("block", BB)):
            found = re.search(rf"^virtio_mem_{name}_bytes\{{{label}\}} (\S+)$", page, re.M)
            self.assertTrue(found, page)
            self.assertEqual(float(found[1]), value)
            self.assertIn(f"# TYPE virtio_mem_{name}_bytes gauge", page)
        self.assertIn("virtio_mem_devices 1", page)
        self.assertIn("node_textfile_scrape_error 0", page)
        self.assertRegex(page, r'node_textfile_mtime_seconds\{file="[^"]*virtio_mem.prom"\}')
        before = file.read_bytes()
        self.qemu.kill()
        self.ctl.fails(ERROR, "refused|hung up", "list", "--prometheus", file)
        self.assertEqual((file.read_bytes(), list(directory.iterdir())), (before, [file]))

    def test_prometheus_file_is_whole_at_any_time(self):
        """Who reads the file while it is written never sees a part of it."""
        file = self.dir / "virtio_mem.prom"
        self.ctl.run(MET, "list", "--prometheus", file)
        whole, stop = file.read_text(), time.monotonic() + 3
        writer = self.ctl.start("list", "--prometheus", file)
        seen = set()
        while time.monotonic() < stop:
            if writer.poll() is not None:
                self.assertEqual(writer.returncode, MET)
                writer = self.ctl.start("list", "--prometheus", file)
            seen.add(file.read_text())
        writer.wait()
        self.assertEqual(seen, {whole})
        self.ctl.fails(ERROR, "No such file or directory", "list", "--prometheus",
                       self.dir / "nowhere" / "x.prom")


class Strange(unittest.TestCase):
    """Monitors and guests that say anything at all."""

    config = "vmemctl-none"
    at = ""  # which step this is
    monitor = None

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vm-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def ctl(self, name="", **answers):
        """vmemctl with a monitor that answers so; an agent's socket is beside it."""
        where = self.dir / f"m{len(list(self.dir.iterdir()))}{name}"
        self.monitor = FakeMonitor(self, where, **answers)
        return Ctl(self, "--qmp", where)

    def test_answers_that_are_none_are_told(self):
        """An answer that is none gets one line at once, or in ten seconds."""
        for answer, pattern in ((b'{"return": {}}', "query-memory-devices is none"),
                                (b'{"return": null}', "query-memory-devices is none"),
                                (b'{"error": 5}', "without a description"),
                                (b"\xff\xfe}}", "can't be understood"),
                                (b"[" * 10000, "can't be understood")):
            self.ctl(query_memory_devices=answer).fails(
                ERROR, pattern, "list", timeout=5)
        self.ctl(greeting=b"HTTP/1.1 400").fails(ERROR, "can't be understood", "list")
        self.ctl(greeting=b"[]").fails(ERROR, "not QEMU's monitor", "list")
        ctl = self.ctl(query_memory_devices=lambda: b'{"return": "' + b"a" * (65 << 20))
        ctl.fails(ERROR, "can't be understood: Message too long", "list", timeout=9)
        ctl = self.ctl(query_memory_devices=lambda: b'{"event": "X"}' * (1 << 20))
        begin = time.monotonic()
        ctl.fails(ERROR, "does not answer", "list", timeout=30)
        self.assertLess(time.monotonic() - begin, 15)

    def test_monitor_without_room_is_not_waited_for(self):
        """A monitor that takes no more connections; a name that is none."""
        with socket.socket(socket.AF_UNIX) as server, contextlib.ExitStack() as waiting:
            server.bind(str(self.dir / "full"))
            server.listen(0)
            with contextlib.suppress(BlockingIOError):
                while True:
                    client = waiting.enter_context(socket.socket(socket.AF_UNIX))
                    client.setblocking(False)
                    client.connect(str(self.dir / "full"))
            Ctl(self, "--qmp", self.dir / "full").fails(ERROR, "timed out", "list", timeout=9)
        Ctl(self, "--qmp", "").fails(ERROR, "No such file", "list")

    def test_safe_believes_no_figure_that_can_not_be(self):
        """--safe with figures that no guest can have: nothing is given away."""
        def ask(figure):
            said = json.dumps({"devices": [{"device": "virtio0"}], "checks": [
                {"check": "lowest", "device": "virtio0", "bytes": figure}]})
            FakeAgent(self, self.dir / f"agent{figure}", vmem_prints(said.encode()))
            return "--agent", self.dir / f"agent{figure}", "set", "0", "--safe", "--timeout", "0"
        ctl = self.ctl()
        self.assertIn("1 GiB in place of 0 B", ctl.run(PARTLY, *ask(2 ** 64 - 1))[0])
        self.assertEqual([q["arguments"]["value"] for q in self.monitor.asked
                          if q["execute"] == "qom-set"], [GIB])
        ctl = self.ctl()
        ctl.fails(REFUSED, "does not tell", *ask(-1))
        self.assertNotIn("qom-set", [q["execute"] for q in self.monitor.asked])


    def test_wrong_words_and_places_are_told(self):
        """Options that are none, numbers too large, answers that can't be written."""
        ctl = self.ctl(query_memory_devices=[])
        self.assertRegex(ctl.run(USAGE, "list", "--what")[1], r"\A[^\n]*option '--what'\n\Z")
        for number in (2 ** 32 + 1, " 5", "+5", "0", ""):
            ctl.fails(USAGE, "not a number of looks", "top", "--json", "-n", number)
        self.assertEqual(ctl.run(MET, "list"), ("", "vmemctl: no virtio-mem device in what runs\n"))
        with open("/dev/full", "w", encoding="utf-8") as full:
            for words in (("list", "--json"), ("top", "--json", "-n", "2")):
                process = ctl.start(*words, stdout=full)
                self.assertEqual(process.communicate(timeout=10)[1],
                                 "vmemctl: can't write the answer\n")
                self.assertEqual(process.returncode, ERROR)
        for place in ("null", "directory"):
            place = self.dir / place
            if place.name == "null":
                place.symlink_to("/dev/null")
            else:
                place.mkdir()
            before = place.lstat()
            ctl.fails(ERROR, "is there, and no file", "list", "--prometheus", place)
            self.assertEqual(place.lstat().st_ino, before.st_ino)

    def test_top_keeps_its_columns(self):
        """Large sizes, fast devices and long names: each state is where it belongs."""
        steps = itertools.count()

        def devices():
            # The terabytes grow as fast as nothing else; the other is only asked for.
            return [FakeMonitor.device(1000 << 40, id="a-device-with-a-long-name",
                                       size=(next(steps) * 999 + 1) << 30, **{"max-size": 2 << 50}),
                    FakeMonitor.device(id="b")]
        for columns, heads in ((160, "DOMAIN DEVICE REQUESTED PLUGGED REGION SPEED STATE"),
                               (120, "DOMAIN DEVICE REQUESTED PLUGGED REGION SPEED STATE"),
                               (80, "DOMAIN DEVICE REQUESTED PLUGGED SPEED STATE"),
                               (45, "DOMAIN DEVICE PLUGGED STATE")):
            self.at = f"{columns}"
            ctl = self.ctl(query_name={"name": "a-domain-with-a-name-that-is-too-long"},
                           query_memory_devices=devices)
            status, out = ctl.on_terminal("top", "-d", "0.5", "-n", "5", columns=columns,
                                          seconds=5)
            self.assertEqual(status, MET)
            lines = Screen(30, columns).write(out[:out.rindex("\x1b[?1049l")]).text().splitlines()
            self.assertEqual((lines[3].split(), len(lines)), (heads.split(), 6))
            at = lines[3].index("STATE")
            self.assertEqual([line[at - 1:].split() for line in lines[4:]], [["growing"], ["met"]])
            self.assertEqual("TiB/s" in lines[4], "SPEED" in heads)
            self.assertEqual("[" in lines[4], columns == 160)

    def test_no_guest_reaches_the_terminal(self):
        """What guest or monitor say has no control character when it is printed."""
        bad = "a\x1b]0;x\x07\u009b31m\u202eb\u00e9"
        FakeAgent(self, self.dir / "bad", vmem_says(state="waiting", cause=bad))
        ctl = self.ctl(query_memory_devices=[FakeMonitor.device(size=0)],
                       query_name={"name": f"we{bad}"})
        with unittest.mock.patch.dict(os.environ, LC_ALL="C.UTF-8"):
            out, _ = ctl.run(PARTLY, "--agent", self.dir / "bad", "set", "1G", "--timeout", "0.1")
        self.assertRegex(out, r"\Awea ]0;x  31m b\u00e9: partly met: ")
        self.assertRegex(out, r"guest: waiting: a ]0;x  31m b\u00e9\n\Z")
        with unittest.mock.patch.dict(os.environ, LC_ALL="C"):
            out, _ = ctl.run(PARTLY, "--agent", self.dir / "bad", "set", "1G", "--timeout", "0.1")
        self.assertTrue(out.isascii(), out)
        FakeAgent(self, self.dir / "worse", vmem_prints(
            b'{"devices": [{"state": "waiting", "cause": "\xff\xc3"}]}'))
        said = ctl.json(MET, "--agent", self.dir / "worse", "list", "--guest")
        self.assertIn("no list of devices", said["devices"][0]["guest"])


class Manual(unittest.TestCase):
    """The manual page."""

    config = "vmemctl-none"

    def test_manual_has_each_option(self):
        """mandoc finds no fault, EXAMPLES come first, and no option is left out."""
        page = (SOURCE / "vmemctl.1").read_text()
        self.assertEqual(re.findall(r"^\.SH (\w+)", page, re.M)[:3],
                         ["NAME", "EXAMPLES", "SYNOPSIS"])
        usage = subprocess.run([program(), "--help"], check=True, capture_output=True, text=True)
        for option in re.findall(r"--(\w+)", usage.stdout):
            if option not in ("help", "usage", "version"):
                self.assertIn(rf"\fB\-\-{option}\fR", page)
                self.assertIn(f"--{option}", (SOURCE / "vmemctl.bash").read_text())
        if not shutil.which("mandoc"):
            self.skipTest("needs mandoc to judge the manual page")
        lint = subprocess.run(["mandoc", "-T", "lint", SOURCE / "vmemctl.1"], check=False,
                              capture_output=True, text=True)
        self.assertEqual((lint.returncode, lint.stdout), (0, ""))


class NoDevice(unittest.TestCase):
    """libvirt's own test driver: domains without the device, and bad addresses."""

    config = "vmemctl-none"

    def test_domains_without_the_device_are_told(self):
        """A domain without the device, no such domain, a driver that can't."""
        ctl = Ctl(self, "-c", "test:///default")
        ctl.fails(ERROR, "test has no virtio-mem device", "set", "test", "1G")
        ctl.fails(ERROR, "no domain nope here", "set", "nope", "1G")
        ctl.fails(ERROR, "no domain nope here", "list", "nope")
        for name in ("00000000-0000-0000-0000-000000000001", "77"):
            ctl.fails(ERROR, f"no domain {name} here", "list", name)
        ctl.fails(USAGE, "needs a domain and a size", "set", "1G")
        ctl.fails(USAGE, "--agent goes with --qmp", "list", "--agent", "x")
        self.assertEqual(ctl.json(MET, "list"), {"devices": []})
        Ctl(self, "-c", "qemu+unix:///system?socket=/nonexistent").fails(
            ERROR, "/nonexistent", "set", "web", "1G")
