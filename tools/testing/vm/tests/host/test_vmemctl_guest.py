# SPDX-License-Identifier: GPL-2.0-or-later
"""vmemctl resizes a guest, which says itself what is in the way; virsh stands beside."""

import atexit
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from vm.cases.case import GIB, MIB, POOL, GuestCase
from vm.cases.libvirtd import Libvirtd, domain_xml, missing
from vm.cases.vmemctl import ERROR, MET, PARTLY, REFUSED, Ctl, packaged, program
from vm.harness import console, initramfs, kernels
from vm.harness.guest import Guest
from vm.harness.vm import TOP, our_module, run_dir

BB = 256 * MIB
AGENT_CHANNEL = """
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
"""


def guest_files(kernel):
    """qemu-ga, what its channel needs, and vmem, for the guest's initramfs."""
    agent = packaged("qemu-guest-agent", "/usr/sbin/qemu-ga")
    files = initramfs.program(agent, "bin/qemu-ga")
    for path in initramfs.module_files(kernel, ["virtio_console"]):
        name = path.name.removesuffix(".xz")
        files[f"mod/{name}"] = (0o644, initramfs.read_module(path))
    files["bin/vmem"] = (0o755, VMEM.encode())
    if REAL.exists():
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run(["make", "-s", "-C", REAL, f"out={scratch}"], check=True)
            files |= initramfs.program(f"{scratch}/vmem", "real/vmem")
    return files


REAL = TOP / "tools" / "vmem"
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


def start_agent(guest, path="/bin"):
    """Start qemu-ga in a guest, which finds programs there; returns its process."""
    # Built into some kernels.
    guest.run("[ -e /mod/virtio_console.ko ] && insmod /mod/virtio_console.ko")
    guest.ok("for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /dev/vport*p1 ] && break; sleep 1; done; "
             f"PATH={path}:$PATH qemu-ga -d -m virtio-serial -p $(ls /dev/vport*p1) "
             "-t /tmp -f /tmp/qga.pid -l /tmp/qga.log")
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
            # The guest has them for longer than a test.
            atexit.register(pathlib.Path(f"{self.sockets}.{name}").unlink, missing_ok=True)
        self.ctl = Ctl(self, "--qmp", f"{self.sockets}.qmp", "--agent", f"{self.sockets}.qga")

    def test_set_tells_the_end_and_the_guests_reason(self):
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
        self.assertRegex(out, r"guest: waiting: .*held by")
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


class WithVmem(WithGuest):
    """The same guest, and the vmem that guests have."""

    def test_set_tells_the_end_and_the_guests_reason(self):
        """Its keys are those that vmemctl reads."""
        if not REAL.exists():
            self.skipTest("needs tools/vmem")
        agent = start_agent(self.guest, "/real")
        self.at_end(f"kill -9 {agent}")
        self.ctl.run(MET, "set", "1G")
        self.wait_state("idle")
        start = self.region()[0]
        pinner = self.guest.spawn(f"memtool pin {start} {start + 8 * GIB}", "/tmp/pin")
        self.at_end(f"kill -9 {pinner}")
        self.guest.wait_line("/tmp/pin", "PINNED")
        said = self.ctl.json(PARTLY, "set", "0", "--timeout", "15")
        self.assertEqual((said["plugged"], said["guest_unknown"]), (BB, None))
        self.assertEqual((said["guest"]["state"], said["guest"]["plugged"]), ("waiting", BB))
        self.assertIn("held by", said["guest"]["cause"])
        self.guest.kill(pinner)
        self.vm.resize(GIB)
        # Linux has the last of it only some time after it is plugged.
        self.wait_state("idle")
        self.at = "no less than is safe"
        # Locked, so that so much has to stay.
        holder = self.guest.spawn("memtool lock 0x50000000", "/tmp/lock")
        self.at_end(f"kill -9 {holder}")
        self.guest.wait_line("/tmp/lock", "READY")
        said = self.ctl.json(PARTLY, "set", "0", "--safe", "--timeout", "60")
        self.assertGreater(said["asked"], 0)
        self.assertEqual(said["plugged"], said["asked"])


class WithLibvirt(unittest.TestCase):
    """virsh and vmemctl side by side."""

    config = "vmemctl-libvirt"  # a group of its own: it shares no guest
    at = ""

    def setUp(self):
        reason = missing()
        if reason:
            self.skipTest(reason)
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
        log = self.root / "console.log"
        self.addCleanup(lambda: log.exists() and shutil.copy(log, self.logs))
        xml = domain_xml(self.name, self.kernel, self.root, log)
        xml = xml.replace("    <memory model=", f"{AGENT_CHANNEL}    <memory model=")
        (self.root / "domain.xml").write_text(xml)
        self.daemon.own()
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
        """Each shows the other's requests."""
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
        # The driver may be about to try again at this moment.
        self.assertRegex(out, "guest: (waiting|shrinking): .*held by")
        self.assertRegex(self.ctl.json(MET, "list", "--guest")["devices"][0]["guest"],
                         "(waiting|shrinking): .*held by")
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
        self.at = "libvirtd does not answer any more"
        process = self.ctl.start("set", self.name, "1G")
        time.sleep(2)
        self.daemon.signal(signal.SIGSTOP)
        out, err = process.communicate(timeout=40)
        self.daemon.signal(signal.SIGCONT)
        self.assertEqual((process.returncode, out), (ERROR, ""))
        self.assertRegex(err, r"\Avmemctl: [^\n]*; 1 GiB were asked for, [^\n]*\n\Z")
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

    def test_virsh_and_vmemctl_agree(self):
        """One guest, all of it."""
        guest = self.boot()
        self.bad_input()
        self.side_by_side()
        self.stuck(guest)
        self.daemon_dies(guest)
        text = (self.root / "console.log").read_text(errors="replace")
        self.assertEqual(console.scan(text), [])
