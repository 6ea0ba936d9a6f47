# SPDX-License-Identifier: GPL-2.0-or-later
"""vmemctl on the host: with QEMU alone, and beside virsh with libvirtd as packaged."""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest
import urllib.request

import console
import initramfs
import kernels
from case import GIB, MIB, POOL, GuestCase
from guest import Guest, GuestError
from qmp import QMP
from vm import CONFIGS, TOP, our_module, run_dir

SOURCE = TOP / "tools" / "vmemctl"
LIBRARIES = ("libvirt", "libvirt-qemu", "libxml-2.0", "json-c", "smartcols", "ncursesw")
BB = 256 * MIB
MET, ERROR, USAGE, PARTLY, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def program():
    """vmemctl, built once for each version of its sources, without a warning."""
    have = shutil.which("pkg-config") and subprocess.run(
        ["pkg-config", "--exists", *LIBRARIES], check=False).returncode == 0
    if not have:
        raise unittest.SkipTest("needs the libraries of `make tools`")
    files = sorted([SOURCE / "Makefile", *SOURCE.glob("*.[ch]")])
    tag = hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:16]
    target = kernels.cache_dir("tools") / f"vmemctl-{tag}"
    if not target.exists():
        with tempfile.TemporaryDirectory() as scratch:
            for file in files:
                shutil.copy(file, scratch)
            subprocess.run(["make", "-s", "-C", scratch, "CFLAGS=-O2 -g -Werror"], check=True)
            temp = target.with_name(f".{target.name}.{os.getpid()}")
            shutil.copy(f"{scratch}/vmemctl", temp)
            temp.rename(target)
    return target


def packaged(package, path):
    """A program of a package, which is unpacked if it is not installed.

    Installed, it would be a service of this machine.
    """
    if pathlib.Path(path).exists():
        return pathlib.Path(path)
    root = kernels.cache_dir("packages") / package
    if not root.exists():
        with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
            done = subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root",
                                   "download", package], cwd=scratch, check=False,
                                  capture_output=True, text=True)
            if done.returncode:
                raise unittest.SkipTest(f"needs {package}: {done.stderr.strip()}")
            deb, = pathlib.Path(scratch).glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", deb, f"{scratch}/root"], check=True)
            with contextlib.suppress(FileExistsError, OSError):
                pathlib.Path(scratch, "root").rename(root)
    return root / path.lstrip("/")


class Ctl:
    """How vmemctl is called here, and what it must keep to."""

    def __init__(self, test, *where):
        self._test, self._program, self._where = test, program(), where

    def command(self, *words):
        """The whole command line."""
        return [str(self._program), *self._where, *map(str, words)]

    def run(self, status, *words, timeout=120):
        """It ends with that status; returns (standard output, standard error)."""
        done = subprocess.run(self.command(*words), check=False, capture_output=True,
                              text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        self._test.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def fails(self, status, pattern, *words, timeout=120):
        """It ends with that status, one line on standard error, and no other."""
        out, err = self.run(status, *words, timeout=timeout)
        self._test.assertEqual(out, "", words)
        self._test.assertRegex(err, rf"\Avmemctl: [^\n]*{pattern}[^\n]*\n\Z", words)

    def json(self, status, *words, timeout=120):
        """What it prints with --json."""
        return json.loads(self.run(status, *words, "--json", timeout=timeout)[0])

    def start(self, *words, **how):
        """Run on; ended with the test."""
        process = subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL,
                                   **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                       "text": True} | how))
        self._test.addCleanup(process.communicate)
        self._test.addCleanup(process.kill)
        return process

    def on_terminal(self, *words, keys="", seconds=10):
        """On a terminal of 120 columns: (status, all that it wrote there)."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
        process = subprocess.Popen(self.command(*words), stdin=slave, stdout=slave,
                                   stderr=slave, env=os.environ | {"TERM": "xterm"})
        os.close(slave)
        out, deadline = b"", time.monotonic() + seconds
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline:
                if select.select([master], [], [], 0.2)[0]:
                    out += os.read(master, 65536)
                if keys and time.monotonic() > deadline - seconds / 2:
                    os.write(master, keys.encode())
                    keys = ""
        process.kill()
        os.close(master)
        return process.wait(), out.decode(errors="replace")


class FakeAgent:
    """A guest agent that says what it is told to.

    answer  function of a command and its arguments: what "return" holds, or an
            exception, or None for silence
    """

    def __init__(self, test, path, answer):
        self._answer, self.asked = answer, []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(5)
        test.addCleanup(self._server.close)
        test.addCleanup(lambda: self._server.shutdown(socket.SHUT_RDWR))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client):
        with contextlib.suppress(OSError), client, client.makefile("rw") as file:
            for line in file:
                query = json.loads(line)
                self.asked.append(query["execute"])
                if query["execute"] == "guest-sync":
                    # What it still owes to who asked before comes first.
                    said = {"return": query["arguments"]["id"]}
                    file.write('{"return": {}}\n')
                else:
                    value = self._answer(query["execute"], query.get("arguments"))
                    said = {"error": {"class": "GenericError", "desc": str(value)}} \
                        if isinstance(value, Exception) else {"return": value}
                    if value is None:
                        time.sleep(60)
                file.write(json.dumps(said) + "\n")
                file.flush()


def vmem_says(**device):
    """A guest agent's answers where vmem prints that of one device."""
    def answer(command, _):
        if command == "guest-exec":
            return {"pid": 7}
        text = json.dumps({"devices": [device]}).encode()
        return {"exited": True, "exitcode": 0, "out-data": base64.b64encode(text).decode()}
    return answer


class Alone(unittest.TestCase):
    """QEMU without libvirt, and stopped: what is asked for is never met."""

    config = "vmemctl-alone"  # a group of its own: it shares no guest
    at = ""  # which step this is: a subtest's failure would not be reported

    def setUp(self):
        POOL.drop()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vm-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.qemu = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-name", "web",
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

    def test_refused(self):
        """What can't be is said in one line, and nothing changes."""
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
                (USAGE, "not a size: $", "web", ""),
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

    def test_sizes(self):
        """Rounding, units, and a name that may be left out."""
        for words, size in ((("300M",), None), (("300M", "--round", "up"), 2 * BB),
                            (("300M", "--round", "down"), BB), (("web", "1.5GiB"), 6 * BB),
                            (("1048576K",), GIB), (("0",), 0)):
            self.at = f"{words}"
            status = REFUSED if size is None else PARTLY if size else MET
            said = self.ctl.json(status, "set", *words, "--timeout", "0")
            if size is not None:
                self.assertEqual((said["asked"], self.requested()), (size, size))

    def test_timeout(self):
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

    def test_interrupted(self):
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

    def test_somebody_else(self):
        """Another request takes the place of ours; it is left alone."""
        process = self.ctl.start("set", "web", "1G", "--revert")
        self.wait_requested(GIB)
        self.qmp.request("vm0", 2 * GIB)
        out, _ = process.communicate(timeout=10)
        self.assertEqual(process.returncode, PARTLY)
        self.assertIn("somebody else has asked for another size", out)
        self.assertEqual(self.requested(), 2 * GIB)

    def test_gone(self):
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
        Ctl(self, "--qmp", self.dir / "http").fails(ERROR, "hung up", "list")

    def test_agents(self):
        """What a guest agent may say, or not: it stands beside the answer."""
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
                 PARTLY, "unknown, because: vmem in the guest printed no list"))):
            self.at = f"{pattern}"
            path = self.dir / f"agent{nr}"
            agent = FakeAgent(self, path, answer)
            out, err = self.ctl.run(status, "--agent", path, "set", "1G", "--timeout",
                                    "20" if status == REFUSED else "0.5")
            self.assertRegex(out, pattern)
            self.assertEqual((err, self.requested()), ("", GIB))
            self.assertIn("guest-exec", agent.asked)

    def test_silent_agent(self):
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

    def test_list(self):
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

    def test_top(self):
        """JSON lines; the screen with its keys; no terminal, no screen."""
        self.qmp.request("vm0", GIB)
        lines = self.ctl.run(MET, "top", "--json", "-n", "3", "-d", "0.2")[0].splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual(json.loads(lines[2])["devices"], [
            {"domain": "web", "device": "vm0", "requested": GIB, "plugged": 0,
             "region": 8 * GIB, "speed": 0, "state": "growing"}])
        self.ctl.fails(USAGE, "needs a terminal", "top")
        status, out = self.ctl.on_terminal("top", keys="uuq", seconds=4)
        self.assertEqual(status, MET)
        for text in ("1 device, 1 not met, 0 stuck", "(only those not met)", "web", "growing",
                     "[++......"):
            self.assertIn(text, out)
        # The screen is left as it was found.
        self.assertIn("\x1b[?1049l", out)

    def test_completion(self):
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

    def test_progress(self):
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

    def test_prometheus(self):
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

    def test_prometheus_whole(self):
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


class Manual(unittest.TestCase):
    """What is written about the program."""

    config = "vmemctl-none"

    def test_manual(self):
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

    def test_no_device(self):
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


# --- guests ---

def guest_files(kernel):
    """qemu-ga, what its channel needs, and vmem, for the guest's initramfs."""
    agent = packaged("qemu-guest-agent", "/usr/sbin/qemu-ga")
    files = initramfs.program(agent, "bin/qemu-ga")
    for path in initramfs.module_files(kernel, ["virtio_console"]):
        name = path.name.removesuffix(".xz")
        files[f"mod/{name}"] = (0o644, initramfs.read_module(path))
    files["bin/vmem"] = (0o755, VMEM.encode())
    return files


# In the place of vmem, which has tests of its own: the driver's own words.
VMEM = r"""#!/bin/sh
[ "$1" != check ] || {
	printf '{"checks": [{"check": "online", "device": null, "result": "ok", "bytes": null}, '
	printf '{"check": "lowest", "device": "virtio0", "result": "ok", "bytes": %s}]}\n' \
		"$(cat /tmp/lowest || echo 0)"
	exit 0
}
cd /sys/bus/virtio/devices/virtio*/virtio_mem || exit
printf '{"devices": [{"device": "virtio0", "requested": %s, "plugged": %s, ' \
	"$(cat requested_size)" "$(cat plugged_size)"
printf '"state": "%s", "since": 7, "cause": "%s"}]}\n' "$(cat state)" "$(cat last_error)"
"""


def start_agent(guest):
    """Start qemu-ga in a guest; returns its process."""
    # Built into some kernels.
    guest.run("[ -e /mod/virtio_console.ko ] && insmod /mod/virtio_console.ko")
    guest.ok("for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /dev/vport*p1 ] && break; sleep 1; done; "
             "qemu-ga -d -m virtio-serial -p $(ls /dev/vport*p1) -t /tmp -f /tmp/qga.pid "
             "-l /tmp/qga.log")
    return int(guest.read("/tmp/qga.pid"))


class WithGuest(GuestCase):
    """A real guest and its agent, by bare sockets."""

    # Where these are must be known before the guest is.
    sockets = f"{tempfile.gettempdir()}/vm-ctl-{os.getpid()}"
    options = {"files": guest_files, "options": (
        "-name", "web",
        "-qmp", f"unix:{sockets}.qmp,server=on,wait=off",
        "-device", "virtio-serial-pci",
        "-chardev", f"socket,id=qga,path={sockets}.qga,server=on,wait=off",
        "-device", "virtserialport,chardev=qga,name=org.qemu.guest_agent.0")}

    def setUp(self):
        super().setUp()
        for name in ("qmp", "qga"):
            self.addCleanup(pathlib.Path(f"{self.sockets}.{name}").unlink, missing_ok=True)
        self.ctl = Ctl(self, "--qmp", f"{self.sockets}.qmp", "--agent", f"{self.sockets}.qga")

    def test_set(self):
        """Up and down, met; then stuck, with the reason; then no less than is safe."""
        agent = start_agent(self.guest)
        self.at_end(f"kill -9 {agent}")
        said = self.ctl.json(MET, "set", "web", "1G")
        self.assertEqual((said["result"], said["plugged"], self.vm.qmp.size("vm0")),
                         ("met", GIB, GIB))
        self.assertEqual(self.ctl.run(MET, "set", "512M")[0].partition(" after")[0],
                         "web: met: 512 MiB plugged")
        self.wait_state("idle")
        self.assert_size(512 * MIB)

        self.at = "no less than is safe"
        self.guest.write("/tmp/lowest", 300 * MIB)
        out, _ = self.ctl.run(PARTLY, "set", "0", "--safe", "--timeout", "2")
        self.assertIn("512 MiB in place of 0 B, because the guest says that no less fits", out)
        self.guest.write("/tmp/lowest", BB)
        said = self.ctl.json(PARTLY, "set", "0", "--safe")
        self.assertEqual((said["asked"], said["plugged"]), (BB, BB))

        self.at = "stuck"
        start = self.region()[0]
        pinner = self.guest.spawn(f"memtool pin {start} {start + 8 * GIB}", "/tmp/pin")
        self.at_end(f"kill -9 {pinner}")
        self.guest.wait_line("/tmp/pin", "PINNED")
        out, _ = self.ctl.run(PARTLY, "set", "0", "--timeout", "5")
        self.assertRegex(out, r"partly met: 256 MiB plugged of 0 B asked for, 0 B moved")
        self.assertRegex(out, r"guest: waiting: .*pinned")
        self.at = "released"
        process = self.ctl.start("set", "0", "--timeout", "90", "--json")
        self.guest.kill(pinner)
        out, _ = process.communicate(timeout=100)
        self.assertEqual((process.returncode, json.loads(out)["result"]), (MET, "met"))

        self.at = "no agent"
        self.guest.kill(agent)
        self.vm.resize(BB)
        self.ctl.fails(REFUSED, "can't say what is safe, because: .*does not answer",
                       "set", "0", "--safe")
        self.assertEqual(self.vm.qmp.size("vm0"), BB)


# Nothing of the host may be asked for, or changed: no other daemon, no security
# labels, no ownership of our files, no cgroups.
QEMU_CONF = """
stdio_handler = "file"
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
namespaces = [ ]
cgroup_controllers = [ ]
seccomp_sandbox = 0
"""
LIBVIRTD_CONF = """
listen_tls = 0
listen_tcp = 1
listen_addr = "127.0.0.1"
tcp_port = "{port}"
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
"""
# The directories of the system that it writes to are ours, for it alone.
PRIVATE = r"""
cd "$0"
mount --make-rprivate /
umount -R -l /sys/fs/cgroup 2>/dev/null
mount --bind etc /etc/libvirt
mount --bind lib /var/lib
mount --bind log /var/log
mount --bind cache /var/cache
mount --bind run /run
exec /usr/sbin/libvirtd --listen -f "$0/etc/libvirtd.conf" -p "$0/libvirtd.pid"
"""
AGENT_CHANNEL = """
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
"""


def users(root):
    """libvirt looks up a user that only a package of services makes."""
    names = root / "passwd", root / "group"
    lines = "libvirt-qemu:x:0:0::/:/bin/false\n", "libvirt-qemu:x:0:\n"
    for path, line in zip(names, lines):
        path.write_text(pathlib.Path("/etc", path.name).read_text() + line)
    return {"LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": str(names[0]),
            "NSS_WRAPPER_GROUP": str(names[1])}


class Libvirtd:
    """The system's libvirtd, in a view of the file system of its own."""

    def __init__(self, root):
        self._root, self._process = root, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        for name in ("etc", "lib", "log", "cache", "run"):
            (root / name).mkdir()
        (root / "etc" / "qemu.conf").write_text(QEMU_CONF)
        (root / "etc" / "libvirtd.conf").write_text(LIBVIRTD_CONF.format(port=self._port))
        self.local = f"qemu+unix:///system?socket={root}/run/libvirt/libvirt-sock"
        self.remote = f"qemu+tcp://127.0.0.1:{self._port}/system"
        self._env = os.environ | users(root)

    def start(self):
        """Until it answers."""
        how = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-r", "-m"]
        with (self._root / "libvirtd.log").open("a") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *how, "sh", "-c", PRIVATE, self._root],
                env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while self.virsh("version", check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise GuestError((self._root / "libvirtd.log").read_text())
            time.sleep(0.2)

    def virsh(self, *words, check=True):
        """One virsh command."""
        return subprocess.run(["virsh", "-q", "-c", self.local, *words], check=check,
                              capture_output=True, text=True, timeout=60)

    def kill(self):
        """As a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()


class WithLibvirt(unittest.TestCase):
    """virsh and vmemctl side by side."""

    config = "vmemctl-libvirt"  # a group of its own: it shares no guest
    at = ""

    def setUp(self):
        if not shutil.which("virsh") or not pathlib.Path("/usr/sbin/libvirtd").exists():
            self.skipTest("needs libvirt-clients and libvirt-daemon")
        if subprocess.run(["unshare", "-r", "-m", "true"], check=False).returncode:
            self.skipTest("may not make a mount namespace")
        POOL.drop()
        program()
        self.kernel = kernels.get(POOL.series)
        self.logs = run_dir(f"vmemctl-{POOL.series}")
        # Short, because the length of a unix socket's path is limited.
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="vm-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.addCleanup(self.kill_qemu)
        self.name = f"web-{os.getpid()}"
        self.daemon = Libvirtd(self.root)
        self.addCleanup(self.daemon.kill)
        self.daemon.start()
        self.ctl = Ctl(self, "-c", self.daemon.local)

    def kill_qemu(self):
        """QEMU outlives the daemon; end exactly the one that we started."""
        for file in self.root.rglob(f"{self.name}.pid"):
            pid = int(file.read_text())
            with contextlib.suppress(OSError):
                if self.name.encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)

    def boot(self):
        """A domain with one virtio-mem device and the agent's channel."""
        initramfs.build(self.kernel, self.root / "initrd", our_module(),
                        guest_files(self.kernel))
        values = {"NAME": self.name, "KERNEL": self.kernel.image,
                  "INITRD": self.root / "initrd", "CONSOLE": self.logs / "console.log",
                  "AGENT": self.root / "agent", "CMDLINE":
                  "console=ttyS0 panic=-1 oops=panic loglevel=7 "
                  f"panic_on_warn={self.kernel.panic_on_warn} "
                  "memhp_default_state=online_movable vm.mod=ours"}
        xml = (CONFIGS / "libvirt-virtio-mem.xml.in").read_text()
        for key, value in values.items():
            xml = xml.replace(f"@{key}@", str(value))
        xml = xml.replace("    <memory model=", f"{AGENT_CHANNEL}    <memory model=")
        (self.root / "domain.xml").write_text(xml)
        said = self.daemon.virsh("create", "--paused", f"{self.root}/domain.xml", check=False)
        self.assertEqual(said.returncode, 0, said.stderr)
        # Paused until we listen: what the guest says to nobody is lost.
        guest = Guest(self.root / "agent", lambda: None)
        self.addCleanup(guest.close)
        self.daemon.virsh("resume", self.name)
        guest.wait_ready(180)
        return guest

    def seen(self):
        """(requested, plugged) as virsh shows them."""
        xml = self.daemon.virsh("dumpxml", self.name).stdout
        return tuple(int(re.search(rf"<{key} unit='KiB'>(\d+)<", xml)[1]) * 1024
                     for key in ("requested", "current"))

    def bad_input(self):
        """One line, a status, and virsh sees no change."""
        self.at = "bad input"
        before = self.seen()
        for status, pattern, *words in (
                (ERROR, "no domain nope here", "nope", "1G"),
                (REFUSED, "3 B is not a multiple of the device's block", self.name, "3"),
                (REFUSED, "64 GiB is more than the device's 4 GiB", self.name, "64G"),
                (ERROR, "no virtio-mem device vm0, but virtiomem0", self.name, "1G",
                 "--device", "vm0")):
            self.ctl.fails(status, pattern, "set", *words)
            self.assertEqual(self.seen(), before)

    def side_by_side(self):
        """What one asks for the other shows."""
        for size, uri in ((GIB, self.daemon.local), (3 * BB, self.daemon.remote)):
            self.at = f"{size} by {uri}"
            said = Ctl(self, "-c", uri).json(MET, "set", self.name, size, "--timeout", "90")
            self.assertEqual((said["domain"], said["device"], said["result"], said["plugged"]),
                             (self.name, "virtiomem0", "met", size))
            self.assertEqual(self.seen(), (size, size))
        self.at = "virsh asks, vmemctl shows"
        self.daemon.virsh("update-memory-device", self.name, "--node", "0",
                          "--requested-size", "512M", "--live")
        deadline = time.monotonic() + 60
        while True:
            device, = self.ctl.json(MET, "list", self.name)["devices"]
            self.assertEqual((device["requested"], device["region"], device["block"],
                              device["node"]), (2 * BB, 4 * GIB, BB, 0))
            if device["state"] == "met":
                break
            self.assertLess(time.monotonic(), deadline, device)
            time.sleep(0.2)
        self.assertEqual(self.seen(), (device["requested"], device["plugged"]))
        uuid = self.daemon.virsh("domuuid", self.name).stdout.strip()
        number = self.daemon.virsh("domid", self.name).stdout.strip()
        for name in (uuid, number):
            self.assertEqual(self.ctl.json(MET, "list", name)["devices"], [device])
        top = json.loads(self.ctl.run(MET, "top", "-j", "-n", "1")[0])["devices"]
        self.assertEqual([(d["domain"], d["plugged"], d["state"]) for d in top],
                         [(self.name, 2 * BB, "met")])

    def stuck(self, guest):
        """The reason comes by libvirt and the guest's own agent, or why it doesn't."""
        self.at = "stuck"
        agent = start_agent(guest)
        iomem = guest.added()
        pinner = guest.spawn(f"memtool pin {iomem[0][0]} {iomem[-1][1]}", "/tmp/pin")
        guest.wait_line("/tmp/pin", "PINNED")
        out, _ = self.ctl.run(PARTLY, "set", self.name, "0", "--timeout", "15")
        self.assertRegex(out, "partly met: 256 MiB plugged of 0 B asked for, 256 MiB moved")
        self.assertRegex(out, "guest: waiting: .*pinned")
        self.assertIn("waiting: ", self.ctl.json(MET, "list", "--guest")["devices"][0]["guest"])
        self.at = "an agent that never answers"
        guest.ok(f"kill -STOP {agent}")
        begin = time.monotonic()
        out, _ = self.ctl.run(PARTLY, "set", self.name, "0", "--timeout", "1")
        self.assertLess(time.monotonic() - begin, 13)
        self.assertRegex(out, "guest: unknown, because: .*[Aa]gent .*(respond|answer)")
        guest.ok(f"kill -9 {agent}")
        self.at = "an agent that does not allow it"
        guest.run("sleep 1; qemu-ga -d -m virtio-serial -p $(ls /dev/vport*p1) -t /tmp "
                  "-f /tmp/qga2.pid -b guest-exec")
        out, _ = self.ctl.run(PARTLY, "set", self.name, "0", "--timeout", "1")
        self.assertRegex(out, "guest: unknown, because: .*guest-exec")
        guest.kill(pinner)

    def daemon_dies(self, guest):
        """In the middle of a wait; QEMU and the request go on without it."""
        self.at = "libvirtd dies"
        guest.ok("rmmod virtio_mem")
        for more in ((), ("--revert",)):
            process = self.ctl.start("set", self.name, "1G", *more)
            deadline = time.monotonic() + 20
            while self.seen()[0] != GIB:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.1)
            self.daemon.kill()
            out, err = process.communicate(timeout=30)
            self.assertEqual((process.returncode, out), (ERROR, ""), err)
            self.assertRegex(err, rf"\Avmemctl: {self.name}: [^\n]*; 1 GiB were asked for, "
                                  r"[^\n]* plugged when last seen\n\Z")
            self.ctl.fails(ERROR, "libvirt-sock", "list")
            self.daemon.start()
            self.assertEqual(self.seen()[0], GIB)
            self.daemon.virsh("update-memory-device", self.name, "--requested-size", "0",
                              "--node", "0", "--live")
        self.at = "the domain ends"
        process = self.ctl.start("set", self.name, "1G")
        time.sleep(2)
        self.daemon.virsh("destroy", self.name)
        out, err = process.communicate(timeout=30)
        self.assertEqual((process.returncode, out), (ERROR, ""))
        self.assertRegex(err, r"\Avmemctl: [^\n]*\n\Z")
        self.assertEqual(self.ctl.json(MET, "list"), {"devices": []})

    def test_side_by_side(self):
        """One guest, all of it."""
        guest = self.boot()
        self.bad_input()
        self.side_by_side()
        self.stuck(guest)
        self.daemon_dies(guest)
        text = (self.logs / "console.log").read_text(errors="replace")
        self.assertEqual(console.scan(text), [])
