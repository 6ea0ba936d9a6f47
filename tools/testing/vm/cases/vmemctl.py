# SPDX-License-Identifier: GPL-2.0-or-later
"""How tests call vmemctl, and a guest agent that says what it is told to."""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest

from vm.harness.cache import cache_dir
from vm.harness.vm import TOP

SOURCE = TOP / "tools" / "vmemctl"
LIBRARIES = ("libvirt", "libvirt-qemu", "libxml-2.0", "json-c", "smartcols", "ncursesw")
MET, ERROR, USAGE, PARTLY, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def program():
    """vmemctl, built once for each version of its sources, without a warning."""
    have = shutil.which("pkg-config") and subprocess.run(
        ["pkg-config", "--exists", *LIBRARIES], check=False).returncode == 0
    if not have:
        raise unittest.SkipTest("needs the libraries of `make tools`")
    files = sorted([SOURCE / "Makefile", *SOURCE.glob("*.[ch]")])
    tag = hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:16]
    target = cache_dir("tools") / f"vmemctl-{tag}"
    if not target.exists():
        with tempfile.TemporaryDirectory() as scratch:
            for file in files:
                shutil.copy(file, scratch)
            subprocess.run(["make", "-s", "-C", scratch, "CFLAGS=-O2 -g -Werror"], check=True)
            temp = target.with_name(f".{target.name}.{threading.get_native_id()}")
            shutil.copy(f"{scratch}/vmemctl", temp)
            temp.rename(target)
    return target


def packaged(package, path):
    """A program of a package, which is unpacked if it is not installed.

    Installed, it would be a service of this machine.
    """
    if pathlib.Path(path).exists():
        return pathlib.Path(path)
    root = cache_dir("packages") / package
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
        """Its output with --json."""
        return json.loads(self.run(status, *words, "--json", timeout=timeout)[0])

    def start(self, *words, **how):
        """Run on; ended with the test."""
        process = subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL,
                                   **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                       "text": True} | how))
        self._test.addCleanup(process.communicate)
        self._test.addCleanup(process.kill)
        return process

    def on_terminal(self, *words, keys="", seconds=10, columns=120,
                    term="xterm"):
        """On a terminal: (status, all that it wrote there)."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        process = subprocess.Popen(self.command(*words), stdin=slave, stdout=slave,
                                   stderr=slave, env=os.environ | {"TERM": term})
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
                    # Answers that it owes to an earlier client come first.
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


class FakeMonitor:
    """A monitor that is asked for one client after the other, and says what it is told to.

    answers  by command: what "return" holds, or bytes to send as they are
    """

    def __init__(self, test, path, **answers):
        self.asked = []
        self._answers = {"greeting": b'{"QMP": {}}', "qmp_capabilities": {},
                         "query-name": {"name": "web"}, "query-uuid": {"UUID": "1-2"},
                         "query-memory-devices": [self.device()], "qom-set": {}}
        self._answers |= {name.replace("_", "-"): said for name, said in answers.items()}
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(5)
        test.addCleanup(self._server.close)
        test.addCleanup(lambda: self._server.shutdown(socket.SHUT_RDWR))
        threading.Thread(target=self._serve, daemon=True).start()

    @staticmethod
    def device(requested=1 << 30, **more):
        """What QEMU tells of a device of 8 GiB, all that is requested plugged."""
        return {"type": "virtio-mem", "data": {
            "id": "vm0", "node": 0, "memaddr": 1 << 32, "requested-size": requested,
            "size": requested, "max-size": 8 << 30, "block-size": 256 << 20} | more}

    def _serve(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), client, client.makefile("r") as file:
                self._say(client, "greeting")
                for line in file:
                    query = json.loads(line)
                    self.asked.append(query)
                    self._say(client, query["execute"])

    def _say(self, client, name):
        said = self._answers[name]
        if callable(said):
            said = said()
        if not isinstance(said, bytes):
            said = json.dumps({"return": said}).encode()
        client.sendall(said + b"\n")


def vmem_prints(text):
    """A guest agent's answers where vmem prints that, in bytes."""
    def answer(command, _):
        if command == "guest-exec":
            return {"pid": 7}
        return {"exited": True, "exitcode": 0, "out-data": base64.b64encode(text).decode()}
    return answer


def vmem_says(**device):
    """A guest agent's answers where vmem prints that of one device."""
    return vmem_prints(json.dumps({"devices": [device]}, ensure_ascii=False).encode())
