# SPDX-License-Identifier: GPL-2.0-or-later
"""The tool in the guest: it names who holds what, with either driver."""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from vm.cases.case import GIB, MIB, POOL, GuestCase
from vm.harness import initramfs

TOOL = pathlib.Path(__file__).resolve().parents[5] / "tools/vmem"
BB = 128 * MIB


def files(kernel):
    """The guest's additional files: vmem, built here, and the module of a disk."""
    # Not in the cache, where another test would find what is being written.
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(["make", "-s", "-C", TOOL, f"out={out}"], check=True)
        more = initramfs.program(f"{out}/vmem", "bin/vmem")
    # The modules below it are there already, for the transport.
    module = initramfs.module_files(kernel, ["virtio_blk"])[-1]
    more["mod/blk/virtio_blk.ko"] = (0o644, initramfs.read_module(module))
    return more


@functools.cache
def built():
    """A directory with vmem for this machine, removed when the tests end."""
    out = tempfile.TemporaryDirectory(prefix="vm-")
    subprocess.run(["make", "-s", "-C", TOOL, f"out={out.name}"], check=True)
    return out


class VmemCase(GuestCase):
    """A guest with 1 GiB plugged, all of it online, and the tool."""

    config = "bb-128m"
    options = {"files": files}
    size = GIB

    def setUp(self):
        super().setUp()
        self.vm.resize(self.size)
        self.vm.wait(lambda: self.guest.mem_total() - self.base == self.size, "online")
        self.guest.run("mkdir -p /cg; mount -t cgroup2 none /cg; "
                       "echo +memory >/cg/cgroup.subtree_control")

    def vmem(self, args, status=0):
        """Run the tool; its JSON, decoded."""
        have, out = self.guest.run(f"vmem --json {args}", 120)
        self.assertEqual(have, status, out)
        return json.loads(out)

    def why(self):
        """The answer about the first device."""
        return self.vmem("why")["devices"][0]

    def hold(self, how, mib, *args, cgroup="/"):
        """Have memory held; the process that does."""
        log = f"/tmp/hold-{how}.log"
        self.guest.ok(f"mkdir -p /cg{cgroup}; echo $$ >/cg{cgroup}/cgroup.procs; "
                      f"setsid hold {how} {mib} {' '.join(args)} >{log} 2>&1 & echo $! >/tmp/pid")
        pid = int(self.guest.ok("cat /tmp/pid"))
        self.at_end(f"kill -9 {pid}")
        self.guest.wait_line(log, "READY")
        return pid

    def near(self, have, want):
        """Within 5 %."""
        self.assertLess(abs(have - want), want / 20, f"{have / MIB} MiB, want {want / MIB}")

    def held(self, kind, mib, *, command=None, pid=None, file=None, cgroup=None):
        """Whether those that match hold that many MiB of a kind."""
        why = self.why()
        rows = [h for h in why["holders"]
                if (not command or command in [p["command"] for p in h["processes"]])
                and (not pid or pid in [p["pid"] for p in h["processes"]])
                and (not file or h["file"] == file)
                and (not cgroup or h["cgroup"] == cgroup)]
        have = sum(h["kinds"].get(kind, 0) for h in rows)
        print(f"# {self.id()}: {kind} {have / MIB:.2f} MiB of {mib}: "
              f"{rows[0]['name'] if rows else 'nobody'}", flush=True)
        self.near(have, mib * MIB)
        return why


class Holders(VmemCase):
    """Memory in ZONE_MOVABLE, held in ways with a known answer."""

    def test_locked_memory_is_named_and_can_move(self):
        """mlock: the process; it can be moved, so nothing is stuck."""
        pid = self.hold("lock", 64)
        why = self.held("locked", 64, pid=pid, command="hold-lock")
        row, = [p for p in why["processes"] if p["pid"] == pid]
        self.near(row["bytes"], 64 * MIB)

    def test_spliced_pages_are_pinned(self):
        """vmsplice: pinned, by that process, and only that is."""
        pid = self.hold("splice", 16)
        why = self.held("pinned", 16, pid=pid, command="hold-splice")
        self.near(why["stuck_bytes"], 16 * MIB)

    def test_file_that_nobody_has_open_is_named(self):
        """A file that nobody has open."""
        self.guest.ok("dd if=/dev/zero of=/tmp/held bs=1M count=48")
        self.at_end("rm -f /tmp/held")
        self.held("tmpfs", 48, file="/tmp/held")

    def test_names_have_nothing_that_a_terminal_obeys(self):
        """A file whose name would colour the terminal, and is no UTF-8."""
        self.guest.ok(r"dd if=/dev/zero of=$(printf '/tmp/h\033[31m\377\302\233\303\251') "
                      "bs=1M count=16")
        self.at_end("rm -f /tmp/h*")
        name = r"/tmp/h\x1b[31m\xff\xc2\x9b" + "\u00e9"
        self.held("tmpfs", 16, file=name)
        # The guest knows no locale but C.
        name = name.replace("\u00e9", r"\xc3\xa9")
        self.assertIn(f"file {name} ", self.guest.ok("vmem why --all"))

    def test_memfd_that_nobody_maps_is_named(self):
        """A file without a name, which nobody maps."""
        self.hold("memfd", 24)
        self.held("tmpfs", 24, file="/memfd:held (deleted)")

    def test_huge_pages_name_their_process(self):
        """Huge pages: the process that has them."""
        self.at_end("echo 0 >/proc/sys/vm/nr_hugepages")
        self.guest.ok("echo 32 >/proc/sys/vm/nr_hugepages")
        self.assertEqual(self.guest.ok("cat /proc/sys/vm/nr_hugepages"), "32")
        pid = self.hold("hugetlb", 64)
        self.held("hugetlb", 64, pid=pid)

    def test_merged_pages_name_both_processes(self):
        """KSM: both processes that share the pages."""
        ksm = "/sys/kernel/mm/ksm"
        self.at_end(f"echo 2 >{ksm}/run; echo 0 >{ksm}/run")
        self.guest.ok(f"echo 10000 >{ksm}/pages_to_scan; echo 1 >{ksm}/run")
        pid = self.hold("ksm", 16)
        self.vm.wait(lambda: int(self.guest.read(f"{ksm}/pages_sharing")) >= 4096,
                     "pages merged", 120, 1)
        why = self.held("ksm", 16, pid=pid)
        for row in why["holders"]:
            if row["kinds"].get("ksm", 0) > MIB:
                self.assertEqual(len(row["processes"]), 2, row)

    def test_cgroup_is_named_by_its_path(self):
        """A memory cgroup two levels down, by its path."""
        self.guest.ok("mkdir -p /cg/a; echo +memory >/cg/a/cgroup.subtree_control")
        pid = self.hold("lock", 40, cgroup="/a/b")
        self.held("locked", 40, pid=pid, cgroup="/a/b")

    def test_stuck_shrink_names_block_cause_and_process(self):
        """A shrink that is stuck: the block, its cause, and the process in its way."""
        pid = self.hold("splice", 8)
        self.vm.qmp.request("vm0", 0)
        self.wait_state("waiting", 90)
        why = self.why()
        row = why["holders"][0]
        self.assertEqual([p["pid"] for p in row["processes"]], [pid], row)
        self.near(row["kinds"]["pinned"], 8 * MIB)
        self.assertTrue(why["cause"])
        self.assertEqual(why["requested"], 0)
        blocks = [b for b in why["blocks"] if b["stuck_bytes"]]
        self.assertEqual(sum(b["size"] for b in blocks), self.vm.qmp.size("vm0"))
        rows = {r["check"]: r for r in self.vmem("check", 2)["checks"]}
        self.assertEqual(rows["lowest"]["bytes"], self.vm.qmp.size("vm0"))
        text = self.guest.ok("vmem why")
        self.assertIn(f"hold-splice[{pid}]", text)
        self.assertIn("must go, and stays", text)
        status, out = self.guest.run("vmem watch --once")
        self.assertEqual(status, 1, out)
        self.check_details(pid)
        self.guest.kill(pid)
        self.vm.wait(lambda: self.vm.qmp.size("vm0") == 0, "released", 75)
        self.assertEqual(self.guest.run("vmem watch --once")[0], 0)


    def check_details(self, pid):
        """What the driver found and tried is in map, why and watch."""
        def seen():
            # While a try lasts, pages are the driver's; between tries a CPU's list of
            # free pages may have one of the block, which a scan can't tell from held.
            block = [b for b in self.why()["blocks"]
                     if b["tries"] and b["way_holder"] == f"hold-splice[{pid}]"]
            return block and block[0]

        block = self.vm.wait(seen, "whose page it is", 60)
        self.assertEqual((block["way"], block["last_cause"]), ("pinned", "pinned"), block)
        self.assertTrue(block["start"] <= block["way_page"] < block["start"] + block["size"])
        self.assertLess(block["last_ms"], 120000)
        row, = [r for r in self.vmem("map")["blocks"] if r["start"] == block["start"]]
        self.assertGreaterEqual(row["tries"], block["tries"])
        self.assertEqual(row["last_cause"], "pinned")
        look = self.vmem("watch -n 1")
        self.assertGreaterEqual(look["tries"], 1)
        self.assertGreaterEqual(look["blocks_staying"], 1)
        for command in ("map", "why", "watch -n 1"):
            self.assertRegex(self.guest.ok(f"vmem {command}"),
                             r"0x[0-9a-f]+: (page 0x[0-9a-f]+ in the way \(pinned\); )?"
                             r"\d+ (try|tries) failed, .* ago \(pinned\)", command)


# Less than it has to read in the time of a test: what is asked for stays pinned.
SLOW = ("-object", "throttle-group,id=tg,x-bps-read=4096",
        "-blockdev", "driver=null-co,node-name=null,size=1073741824,read-zeroes=on",
        "-blockdev", "driver=throttle,node-name=slow,throttle-group=tg,file=null",
        "-device", "virtio-blk-pci,drive=slow,id=slow0")


class Direct(VmemCase):
    """I/O that has no end."""

    options = {"files": files, "options": SLOW}

    def test_buffers_of_direct_io_are_pinned(self):
        """O_DIRECT: the buffers of reads under way are pinned, by their process."""
        self.addCleanup(POOL.drop)
        self.guest.ok("insmod /mod/blk/virtio_blk.ko")
        self.vm.wait(lambda: self.guest.run("[ -b /dev/vda ]")[0] == 0, "a disk", 20)
        pid = self.hold("direct", 16, "/dev/vda")
        self.held("pinned", 16, pid=pid, command="hold-direct")


class Kernel(VmemCase):
    """Memory in a kernel zone, which the kernel uses first."""

    options = {"files": files, "online": "online_kernel"}

    def setUp(self):
        # The kernel never gives back the memory that it took of it.
        self.addCleanup(POOL.drop)
        super().setUp()

    def test_registered_buffers_are_pinned(self):
        """io_uring: registered buffers are pinned, by their process."""
        pid = self.hold("uring", 32)
        self.held("pinned", 32, pid=pid, command="hold-uring")

    def test_page_tables_name_cgroup_and_process(self):
        """Page tables: how much, of which cgroup, probably of which process."""
        pid = self.hold("tables", 32, cgroup="/tables")
        self.held("page_table", 32, cgroup="/tables")
        self.assertIn(f"hold-tables[{pid}] has", self.guest.ok("vmem why"))

    def test_slab_is_as_much_as_the_kernel_counts(self):
        """Slab: as much as the kernel counts, and of which cache."""
        before = self.guest.meminfo()["Slab"]
        had = sum(h["kinds"].get("slab", 0) for h in self.why()["holders"])
        self.guest.ok("mkdir /tmp/files; hold files 60000 /tmp/files", 300)
        grown = self.guest.meminfo()["Slab"] - before
        have = sum(h["kinds"].get("slab", 0) for h in self.why()["holders"])
        print(f"# {self.id()}: slab {(have - had) / MIB:.2f} MiB of {grown / MIB:.2f}", flush=True)
        self.near(have - had, grown)
        self.assertIn("inode_cache", self.guest.ok("vmem why"))

    def test_check_says_why_it_can_not_shrink_to_nothing(self):
        """It says that this guest can't shrink to nothing, and why."""
        status, out = self.guest.run("vmem --json check")
        self.assertEqual(status, 1, out)
        rows = {r["check"]: r for r in json.loads(out)["checks"]}
        self.assertEqual(rows["online"]["result"], "warning")
        self.assertEqual(rows["zones"]["result"], "warning")
        self.assertGreaterEqual(rows["lowest"]["bytes"], BB)


# As a kernel with page_owner prints it. Its file's offset is a page number.
RECORD = """\
Page allocated via order 9, mask 0x52dc0(GFP_KERNEL|__GFP_ZERO), pid 321, \
tgid 320 (a, b (c)), ts 9 ns
PFN 0x%x type Unmovable Block 2048 type Unmovable Flags 0x200000000000000(node=0|zone=2)
 get_page_from_freelist+0x1234/0x5678
 pte_alloc_one+0x12/0x34
Charged to memcg %s
"""


class Owner(VmemCase):
    """page_owner. Debian's kernels are built without it, so its file is made up."""

    options = {"files": files, "online": "online_kernel"}

    def setUp(self):
        # What the kernel took of it never comes back.
        self.addCleanup(POOL.drop)
        super().setUp()

    def test_stacks(self):
        """A stack of all pages of its allocations, whichever cgroup is charged."""
        self.hold("tables", 32)
        self.guest.ok("mkdir /r /r/proc /r/sys; mount --bind /proc /r/proc; "
                      "mount --bind /sys /r/sys; mount -t tmpfs none /r/sys/kernel/debug")
        self.at_end("umount /r/sys/kernel/debug /r/sys /r/proc")
        self.assertEqual(self.stacks(), [])
        first = self.region()[0] // 4096
        # Records of 512 pages each, and as far from each other as their offsets are.
        record = RECORD.replace("\n", "\\n")
        self.guest.ok(f"awk 'BEGIN {{ for (pfn = {first}; pfn < {first + GIB // 4096}; pfn += 512)"
                      f" printf \"%-512s\", sprintf(\"{record}\\n\", pfn, pfn) }}' | "
                      f"dd of=/r/sys/kernel/debug/page_owner bs=512 seek={first // 512}", 120)
        stack, = self.stacks()
        print(f"# {self.id()}: {stack['pages']} pages, {stack['by']}", flush=True)
        self.assertEqual(stack["by"], "pid 321, tgid 320 (a, b (c))")
        self.assertEqual(stack["stack"], " get_page_from_freelist+0x1234/0x5678\n"
                         " pte_alloc_one+0x12/0x34")
        self.assertGreater(stack["pages"], 256)
        text = self.guest.ok("vmem --sysroot /r why")
        self.assertRegex(text, r"Allocated by \(page_owner, of \d+ pages looked up\)")
        self.assertIn("\n pte_alloc_one+0x12/0x34", text)

    def stacks(self):
        """Those of the first device, as seen below /r."""
        return self.vmem("--sysroot /r why")["devices"][0]["stacks"]


class Views(VmemCase):
    """The other commands agree with host and kernel."""

    def test_list_has_sizes_to_the_byte(self):
        """Sizes to the byte."""
        row, = self.vmem("")["devices"]
        self.assertEqual(row["requested"], self.size)
        self.assertEqual(row["plugged"], self.vm.qmp.size("vm0"))
        self.assertEqual((row["online"], row["movable"]), (self.size, self.size))
        self.assertEqual(row["address"], self.region()[0])
        self.assertEqual(row["region"], self.region()[1] - self.region()[0])
        self.assertLess(self.size - row["free"], 32 * MIB)
        self.assertEqual(row["state"], "idle")

    def test_map_has_a_mark_for_each_block(self):
        """A block each; as many marks in the map."""
        blocks = self.vmem("map")["blocks"]
        self.assertEqual(len(blocks), 8 * GIB // BB)
        self.assertEqual(sum(b["online"] for b in blocks), self.size)
        self.assertEqual({b["state"] for b in blocks}, {"online", "unused"})
        lines = self.guest.ok("vmem map").splitlines()
        marks = "".join(l.split()[1] for l in lines if re.match(r" *0x", l))
        self.assertEqual(len(marks), len(blocks))
        self.assertEqual(marks.count("."), len(blocks) - self.size // BB)

    def test_watch_follows_a_resize_to_its_end(self):
        """It follows a resize to its end."""
        self.vm.qmp.request("vm0", 3 * GIB)
        out = self.guest.ok("vmem watch --once --json -i 0.2", 120)
        last = json.loads(out.splitlines()[-1])
        self.assertEqual((last["plugged"], last["state"]), (3 * GIB, "idle"))

    def test_looks_while_memory_leaves(self):
        """The kernel's reads of page flags don't keep the memmap; vmem has it kept."""
        pids = [self.guest.spawn("sh -c 'while :; do vmem map; done'", f"/tmp/map{i}")
                for i in range(2)]
        # With what each has started, which keeps the module in use while it looks.
        end = "; ".join(f"kill -9 -- -{pid}" for pid in pids)
        self.at_end(f"{end}; while pidof vmem; do sleep 0.1; done")
        for _ in range(6):
            self.resize(0)
            self.resize(4 * GIB)

    def test_watch_wakes(self):
        """It looks when the state changes, not when its time has come."""
        self.guest.spawn("vmem watch --json -i 3600", "/tmp/watch")
        self.at_end("killall -9 vmem; while pidof vmem; do sleep 0.1; done")

        def looks():
            return [json.loads(line) for line in self.guest.read("/tmp/watch").splitlines()]

        self.vm.wait(looks, "the first look", 20)
        begin = time.monotonic()
        self.resize(2 * GIB)
        self.vm.wait(lambda: (looks()[-1]["plugged"], looks()[-1]["state"]) == (2 * GIB, "idle"),
                     "the last look", 5)
        took = time.monotonic() - begin
        print(f"# {self.id()}: {len(looks())} looks in {took:.1f} s", flush=True)

    def test_check_finds_nothing_wrong(self):
        """All is well, and it could give back nearly all."""
        rows = {r["check"]: r for r in self.vmem("check")["checks"]}
        self.assertEqual({r["result"] for r in rows.values()}, {"ok"}, rows)
        self.assertLess(rows["lowest"]["bytes"], self.size)

    def test_log_has_the_drivers_own_lines(self):
        """The driver's own lines."""
        texts = [r["text"] for r in self.vmem("log")["log"]]
        self.assertTrue([t for t in texts if "request met" in t], texts)

    def test_log_has_trace_events(self):
        """Both by time: what the driver did is between what it said."""
        tracing = "/sys/kernel/tracing"
        self.guest.ok(f"[ -e {tracing}/trace ] || mount -t tracefs none {tracing}; "
                      f"echo >{tracing}/trace; echo 1 >{tracing}/tracing_on")
        hint = self.guest.ok("vmem log 2>&1 >/dev/null")
        self.assertEqual(hint, "vmem: log: trace events are off: "
                         f"echo perf >{tracing}/trace_clock; "
                         f"echo 1 >{tracing}/events/virtio_mem/enable")
        self.at_end(f"echo 0 >{tracing}/events/virtio_mem/enable; echo 1 >{tracing}/tracing_on; "
                    f"echo local >{tracing}/trace_clock")
        self.guest.ok(hint.split(": ", 3)[3])
        self.resize(2 * GIB)
        self.assertEqual(self.guest.ok("vmem log 2>&1 >/dev/null"), "")
        rows = self.vmem("log")["log"]
        times = [float(r["time"]) for r in rows]
        self.assertEqual(times, sorted(times))
        at = {}
        for i, row in enumerate(rows):
            word = row["text"].split(":")[0] if row["source"] == "trace" else None
            for said in ("growing in big blocks", "request met"):
                word = said if row["source"] == "kernel" and said in row["text"] else word
            at.setdefault(word, []).append(i)
        counts = {word: len(where) for word, where in at.items() if word}
        print(f"# {self.id()}: {counts}", flush=True)
        # 8 blocks: each plugged, then added.
        self.assertEqual((counts["virtio_mem_state"], counts["virtio_mem_op"]), (16, 8))
        self.assertEqual(counts["virtio_mem_request"], counts["virtio_mem_answer"])
        self.assertLess(at["growing in big blocks"][-1], at["virtio_mem_request"][0])
        self.assertLess(at["virtio_mem_state"][-1], at["request met"][-1])
        self.assertLess(at["request met"][-1], at["virtio_mem_pass_end"][-1])
        self.check_log_hints(tracing)

    def check_log_hints(self, tracing):
        """Why there may be more events than it shows."""
        def hint():
            return self.guest.ok("vmem log 2>&1 >/dev/null")

        # Some events are on: those are shown, and nothing is amiss.
        self.guest.ok(f"echo 0 >{tracing}/events/virtio_mem/virtio_mem_state/enable")
        self.assertEqual(hint(), "")
        self.guest.ok(f"echo 0 >{tracing}/tracing_on")
        self.assertEqual(hint(), f"vmem: log: tracing is off: echo 1 >{tracing}/tracing_on")
        self.guest.ok(f"echo 1 >{tracing}/tracing_on")
        for clock in ("x86-tsc", "local"):
            self.guest.ok(f"echo {clock} >{tracing}/trace_clock")
            self.assertIn("other times than the kernel's lines", hint())
        self.guest.ok(f"echo perf >{tracing}/trace_clock")
        self.at_end(f"echo 1408 >{tracing}/buffer_size_kb")
        self.guest.ok(f"echo 4 >{tracing}/buffer_size_kb; "
                      f"echo 1 >{tracing}/events/virtio_mem/virtio_mem_state/enable")
        # Two CPUs have 12 KiB each: one resize alone may fit, if they share it evenly.
        self.resize(8 * GIB)
        self.resize(4 * GIB)
        self.assertRegex(hint(), r"\d+ older trace events are lost: echo 16384 >")


class Stock(VmemCase):
    """With the kernel's own driver, which has none of our files."""

    mod = "stock"

    def test_sizes_and_holders_are_told_without_our_driver(self):
        """Sizes as the device has them, and who holds what."""
        row, = self.vmem("")["devices"]
        self.assertEqual((row["requested"], row["plugged"]), (self.size, self.size))
        self.assertEqual(row["state"], "idle")
        self.assertEqual(row["online"], self.size)
        pid = self.hold("splice", 16)
        self.held("pinned", 16, pid=pid)
        blocks = self.vmem("map")["blocks"]
        self.assertEqual(len(blocks), 8 * GIB // BB)
        # Only the other driver tells of its tries.
        self.assertEqual({(b["way_page"], b["tries"], b["last_cause"]) for b in blocks},
                         {(None, None, None)})
        self.assertEqual({b["tries"] for b in self.why()["blocks"]}, {None})
        self.assertIsNone(self.vmem("watch -n 1")["staying"])
        self.assertIn("virtio0", self.guest.ok("vmem map"))
        self.assertEqual(self.vmem("check", 1)["checks"][-1]["result"], "ok")


class Copy(unittest.TestCase):
    """Without a guest: a copy of /proc and /sys, in which something is missing or wrong."""

    config = "vmem-none"
    at = ""  # which step this is
    device = "sys/bus/virtio/devices/virtio0"
    memory = "sys/devices/system/memory"

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="vm-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        for name, text in {
                "proc/iomem": "100000000-2ffffffff : virtio0\n"
                              "  100000000-107ffffff : System RAM (virtio_mem)\n"
                              "  110000000-117ffffff : System RAM (virtio_mem)\n",
                f"{self.device}/device": "0x0018",
                f"{self.device}/driver": None,
                f"{self.device}/virtio_mem/device_block_size": f"{BB}",
                f"{self.device}/virtio_mem/big_block_size": f"{BB}",
                f"{self.device}/virtio_mem/requested_size": "0",
                f"{self.device}/virtio_mem/plugged_size": f"{2 * BB}",
                f"{self.device}/virtio_mem/state": "waiting",
                f"{self.memory}/block_size_bytes": f"{BB:x}",
                f"{self.memory}/auto_online_blocks": "online_movable",
                f"{self.memory}/memory32/state": "online",
                f"{self.memory}/memory32/valid_zones": "Movable",
                f"{self.memory}/memory34/state": "offline"}.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.symlink_to("../../../../drivers/virtio_mem")
            else:
                path.write_text(f"{text}\n")

    def run_vmem(self, status, *words, out=subprocess.PIPE, **how):
        """It ends with that status; what it wrote to both."""
        done = subprocess.run([f"{built().name}/vmem", "--sysroot", self.root, *words], text=True,
                              check=False, stdout=out, stderr=subprocess.PIPE, timeout=10, **how)
        self.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def without(self, name):
        """Take something out of the copy."""
        path = self.root / name
        (shutil.rmtree if path.is_dir() else os.unlink)(path)

    def test_size_of_memory_blocks_is_not_known(self):
        """No size of memory blocks: what lies in them is not known, and nothing crashes."""
        self.without(f"{self.memory}/block_size_bytes")
        for words in ((), ("map",), ("watch", "-n", "1")):
            self.at = f"{words}"
            self.assertIn("virtio0", self.run_vmem(0, *words)[0])

    def test_sizes_that_are_not_known_are_not_met(self):
        """Another driver, no root: no size is known, and no request met."""
        self.without(f"{self.device}/virtio_mem")
        self.without("proc/iomem")
        self.assertIn("] ? plugged, ? requested, unknown", self.run_vmem(0, "watch", "-n1")[0])
        said = json.loads(self.run_vmem(0, "watch", "-n1", "--json")[0])
        self.assertEqual((said["requested"], said["plugged"]), (None, None))
        out, err = self.run_vmem(2, "watch", "--once")
        self.assertEqual(out, "")
        self.assertRegex(err, r"\Avmem: watch: --once: [^\n]*not known[^\n]*\n\Z")

    def test_check_says_what_it_does_not_know(self):
        """Pages that can't be looked at: no figure; memory to online: a command that works."""
        said = json.loads(self.run_vmem(1, "check", "--json")[0])
        checks = {row["check"]: row for row in said["checks"]}
        self.assertNotIn("lowest", checks)
        self.assertIn("not known", checks["stuck"]["text"])
        # Without memory 0, as on arm64 and in this copy, chmem would online it for the kernel.
        self.assertIn("do echo online_movable >$f", checks["offline"]["command"])
        zones = self.root / self.memory / "memory0/valid_zones"
        zones.parent.mkdir(exist_ok=True)
        zones.write_text("none")
        said = json.loads(self.run_vmem(1, "check", "--json")[0])
        command, = (row["command"] for row in said["checks"] if row["check"] == "offline")
        self.assertEqual(command, "chmem -e 128M -z Movable")

    def test_check_says_how_to_set_the_online_policy(self):
        """The policy is not online_movable: what it is, what follows, the one thing to do."""
        policy = "/sys/module/memory_hotplug/parameters/online_policy"
        (self.root / policy[1:]).parent.mkdir(parents=True)
        for how, ratio, text, command in (
                ("online_movable", "contig-zones", "becomes movable", None),
                ("online", "auto-movable", "auto-movable", None),
                ("online", "contig-zones", "is online, not online_movable: the kernel may", "apt"),
                ("online_kernel", "auto-movable", "is online_kernel, not", "apt"),
                ("offline", "contig-zones", "is offline, not online_movable: .* waits", "apt"),
                ("offline", "contig-zones", "is offline, not", "default")):
            self.at = f"{how}, {ratio}, {command}"
            (self.root / self.memory / "auto_online_blocks").write_text(f"{how}\n")
            (self.root / policy[1:]).write_text(f"{ratio}\n")
            if command == "default":
                (self.root / "lib/udev").mkdir(parents=True)
                (self.root / "lib/udev/virtio-mem-online").touch()
            said = json.loads(self.run_vmem(1, "check", "--json")[0])
            row = {row["check"]: row for row in said["checks"]}["online"]
            self.assertRegex(row["text"], text)
            self.assertEqual(row["result"], "warning" if command else "ok")
            self.assertEqual(row["command"], {
                None: None,
                "apt": "apt install virtio-mem-dkms, or boot with "
                       "memhp_default_state=online_movable",
                "default": "ONLINE=online_movable in /etc/default/virtio-mem-dkms, "
                           "update-initramfs -u, reboot"}[command])

    def test_check_says_whether_there_is_room_to_grow(self):
        """The memory map of all that is left: in added memory, or in free pages and cache."""
        zone = """Node 0, zone   Normal
  pages free     %d
        managed  262144
      nr_zone_inactive_file %d
      nr_zone_active_file 0
"""
        for host, free, cache, result, text in (
                (("Y", "Y"), 0, 0, "ok", "hold their own memory map"),
                (("Y", "Y", "6.8.0", 2), 0, 0, "ok", "hold their own memory map"),
                # Several memory blocks at a time.
                (("Y", "Y", "6.7.9", 2), 200000, 0, "ok", "has 781.2 MiB free$"),
                (("N", "Y"), 200000, 0, "ok", "has 781.2 MiB free$"),
                (("Y", "N"), 200000, 0, "ok", "has 781.2 MiB free$"),
                (("Y", None), 200000, 0, "ok", "has 781.2 MiB free$"),
                (("N", "Y"), 0, 200000, "ok", "has 0 B free, and 781.2 MiB of page cache$"),
                (("N", "Y"), 0, 0, "warning", "has 0 B free$")):
            self.at = f"{host}, {free}, {cache}"
            for name, value in zip(("memory_hotplug", "virtio_mem"), host):
                path = self.root / f"sys/module/{name}/parameters/memmap_on_memory"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                if value:
                    path.write_text(f"{value}\n")
            release, blocks = host[2:] or ("6.2.0", 1)
            (self.root / "proc/sys/kernel").mkdir(parents=True, exist_ok=True)
            (self.root / "proc/sys/kernel/osrelease").write_text(f"{release}\n")
            (self.root / self.device / "virtio_mem/big_block_size").write_text(f"{blocks * BB}\n")
            (self.root / "proc/zoneinfo").write_text(zone % (free, cache))
            said = json.loads(self.run_vmem(1, "check", "--json")[0])
            row = {row["check"]: row for row in said["checks"]}["growth"]
            self.assertEqual(row["result"], result)
            self.assertRegex(row["text"], text)
            self.assertEqual(bool(row["command"]), result != "ok")

    def test_characters_that_the_locale_does_not_know(self):
        """Text of several bytes a character is shown in every locale, or escaped."""
        text = "\u00fcber \u3042 \u0378 \uffff."
        (self.root / f"{self.device}/virtio_mem/last_error").write_text(f"{text}\n")
        for locale, want in (("C", r"\xc3\xbcber \xe3\x81\x82 \xcd\xb8 \xef\xbf\xbf."),
                             ("C.UTF-8", "\u00fcber \u3042 \\xcd\\xb8 \\xef\\xbf\\xbf.")):
            self.at = locale
            env = os.environ | {"LC_ALL": locale}
            self.assertIn(want, self.run_vmem(0, env=env)[0])
            said = json.loads(self.run_vmem(0, "--json", env=env)[0])
            self.assertEqual(said["devices"][0]["cause"], text)

    def test_map_of_many_blocks_is_short(self):
        """More blocks than characters: several in one, no more than 16 lines of 80 columns."""
        iomem = (self.root / "proc/iomem").read_text()
        for gib in (64, 65, 100, 1000):
            self.at = f"{gib} GiB"
            (self.root / "proc/iomem").write_text(
                iomem.replace("2ffffffff", f"{((gib + 4) << 30) - 1:x}"))
            lines = self.run_vmem(0, "map")[0].splitlines()
            self.assertLessEqual(len([line for line in lines if "0x" in line]), 16)
            self.assertLessEqual(max(map(len, lines)), 80)
        self.assertEqual(self.run_vmem(0, "map", "--wide")[0].count("0x"), 1000 * 8 // 32)

    def test_lost_answers_are_told(self):
        """What can't be written is told, and ends watch; a wrong option gets one line."""
        with open("/dev/full", "w", encoding="utf-8") as full:
            for words in (("--json",), ("map",), ("watch", "-i", "0.1")):
                self.at = f"{words}"
                self.assertEqual(self.run_vmem(2, *words, out=full)[1],
                                 "vmem: can't write the answer\n")
        # As services have it.
        read, write = os.pipe()
        os.close(read)
        self.run_vmem(2, "watch", "-i", "0.1", out=write, restore_signals=False)
        os.close(write)
        self.assertRegex(self.run_vmem(2, "--what")[1], r"\A[^\n]*option '--what'\n\Z")


class Wrong(VmemCase):
    """Questions without an answer: one line, status 2, nothing changed."""

    def refuse(self, command, pattern):
        """It must fail, with a line that matches."""
        status, out = self.guest.run(command)
        self.assertEqual(status, 2, out)
        self.assertEqual(len(out.strip().splitlines()), 1, out)
        self.assertRegex(out, pattern)
        self.assertEqual(self.vm.qmp.size("vm0"), self.size)

    def test_wrong_words_change_nothing(self):
        """Wrong words, wrong device, no root, no page flags."""
        self.refuse("vmem nonsense", "unknown command: nonsense")
        self.refuse("vmem -d virtio9", "virtio9 is no virtio-mem device")
        self.refuse("vmem --sysroot /nowhere why", "no virtio-mem device")
        self.refuse("vmem watch -i 0", "0.1 to 3600")
        self.refuse("vmem watch -n x", "not a number")
        self.refuse("hold as 1000 vmem why", "not root")
        self.refuse("hold as 1000 vmem map", "only root")
        self.at_end("umount /proc/kpageflags")
        self.guest.ok("mount --bind /dev/null /proc/kpageflags")
        self.refuse("vmem why", "/proc/kpageflags")

    def test_without_root_only_public_values_are_shown(self):
        """Values that everybody may read are shown; the others are null."""
        row, = json.loads(self.guest.ok("hold as 1000 vmem --json"))["devices"]
        self.assertEqual((row["plugged"], row["state"]), (self.size, "idle"))
        self.assertIsNone(row["online"])
        self.assertIsNone(row["free"])
