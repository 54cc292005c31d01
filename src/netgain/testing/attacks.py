"""Attacks on a sandbox as public test code: a new backend runs `check_backend` on itself and learns what gets through.

Each attack is a small program and a judgement from outside: did a planted secret come out, was a planted file, socket
or process touched, did anything outlive the job, is more kept of it than was allowed. Where only the program can see it
(it made a namespace, it holds more memory than its limit), its word is taken: these programs are ours. A backend that
lets an honest program fail has stopped nothing and does not pass either.

The numbers of the threats are those of docs/threats.md. Not covered: faults of the kernel and of the processor, inodes
(`netgain.testing.sandboxes` fills a folder with names), and what needs hardware that this machine lacks.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import dedent

from netgain.errors import NetgainError
from netgain.sandbox.seam import MIB, Backend, Finished, Job, Level, Limits
from netgain.testing.attack_scene import BREACH, GRACE_S, Scene, planted
from netgain.testing.cheats import CHEATS as CHEATS  # both lists are to be had here

LIMITS = Limits(wall_s=2.0, cpu_s=2.0, memory=128 * MIB, processes=24, disk=16 * MIB, result=64 << 10, logs=16 << 10)
LATE_S = 1.0  # after the deadline a job has to have been ended
AARCH64 = platform.machine() == "aarch64"
Judgement = Callable[[Scene, Finished], bool]


@dataclass(frozen=True)
class Attack:
    """One hostile program.

    Attributes:
        name: what it does.
        threat: 1 to 25, see docs/threats.md.
        source: Python; `scene` is what it was told, `out` sends bytes home.
        succeeded: (scene, how it ended) -> whether it got through.
        twice: it is run twice, and judged by its second run.
        needs: keys of what it is told without which it cannot be tried here.
    """

    name: str
    threat: int
    source: str
    succeeded: Judgement
    twice: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of an attack: it succeeded or it was stopped; None and a reason where it could not be tried."""

    attack: Attack
    succeeded: bool | None
    said: str


def check_backend(
    backend: Backend, attacks: Sequence[Attack] | None = None, *, pure: bool = False, start_s: float = 0.0
) -> list[Outcome]:  # fmt: skip
    """Run honest programs and all attacks; for the tests of a backend.

    Args:
        attacks: all by default.
        pure: see `honest`.
        start_s: seconds that it may take to get ready, in which the clock of a job does not run.

    Raises:
        AssertionError: an honest program failed, an attack could not be started, or, from level S2 on, one succeeded.
    """
    wrong = honest(backend, pure=pure)
    assert not wrong, f"{backend.name}: honest programs fail, so nothing was stopped: {'; '.join(wrong)}"
    outcomes = list(attempts(backend, ATTACKS if attacks is None else attacks, start_s))
    broken = [f"{one.attack.name} ({one.said})" for one in outcomes if one.succeeded is None and one.said != ABSENT]
    assert not broken, f"{backend.name}: attacks that could not be started say nothing: {', '.join(broken)}"
    through = [f"{one.attack.name} (threat {one.attack.threat})" for one in outcomes if one.succeeded]
    assert not through or backend.level < Level.S2, f"{backend.name}: {len(through)} succeeded: {', '.join(through)}"
    return outcomes


def attempts(backend: Backend, attacks: Sequence[Attack], start_s: float = 0.0) -> Iterator[Outcome]:
    """Try each attack on a planted scene."""
    with planted() as scene:
        for attack in attacks:
            yield attempt(backend, attack, scene, start_s)
            scene.clean()


ABSENT = "this machine has not what it aims at"


def attempt(backend: Backend, attack: Attack, scene: Scene, start_s: float = 0.0) -> Outcome:
    """Try one attack. It is late by our clock, and, where a start takes time, by that of the backend."""
    if any(not scene.where.get(name) for name in attack.needs):
        return Outcome(attack, None, ABSENT)
    source = f"{PROLOGUE}\n{dedent(attack.source).strip()}\n".encode()
    try:
        for turn in range(1 + attack.twice):
            job = Job(source=source, files={"beside.txt": b"beside"}, stdin=scene.told(turn=turn), limits=LIMITS)
            began = time.monotonic()
            done = backend.run(job)
            due = LIMITS.wall_s + LATE_S
            late = time.monotonic() - began > due + start_s or done.wall_s > due
    except NetgainError as error:
        return Outcome(attack, None, str(error))
    survived = _survivors(scene)
    through = bool(attack.succeeded(scene, done) or survived or late)
    why = "; ".join([f"ended: {done.ending}", *(["it was not ended in time"] if late else []), *survived])
    return Outcome(attack, through, why)


def _survivors(scene: Scene) -> list[str]:
    if not scene.survivors():
        return []
    time.sleep(GRACE_S)  # the kernel may still be clearing away what was killed
    return [f"process {pid} lives on" for pid in scene.survivors()]


# --- Judgements ------------------------------------------------------------------------------------------------------
def came_out(scene: Scene, done: Finished) -> bool:
    """A planted secret is in what came back, or the program says that it got through."""
    return any(scene.token.encode() in one for one in (done.result, done.out, done.err)) or BREACH in done.result


def scorer_changed(scene: Scene, done: Finished) -> bool:
    """The evaluator is another one."""
    return scene.scorer_changed() or BREACH in done.result


def forged(scene: Scene, done: Finished) -> bool:
    """There is a reward that nobody gave."""
    return scene.forged()


def reached(scene: Scene, done: Finished) -> bool:
    """A listener outside was reached."""
    return scene.reached() or BREACH in done.result


def hurt(scene: Scene, done: Finished) -> bool:
    """A process outside was touched."""
    return scene.victim_hurt() or BREACH in done.result


def left(scene: Scene, done: Finished) -> bool:
    """A file was left outside."""
    return bool(scene.left_files())


def too_much(scene: Scene, done: Finished) -> bool:
    """More was kept than allowed."""
    most = (LIMITS.logs, LIMITS.logs, LIMITS.result)
    return any(len(one) > size for one, size in zip((done.out, done.err, done.result), most, strict=True))


def lives(scene: Scene, done: Finished) -> bool:
    """Only a survivor or a late end counts, which are looked for after every attack."""
    return False


def untimed(scene: Scene, done: Finished) -> bool:
    """A quarter of a second was slept and not seen."""
    return done.wall_s < 0.25


# --- Programs --------------------------------------------------------------------------------------------------------
PROLOGUE = """\
import errno, glob, importlib, json, os, stat, struct, sys, time
for name in ("ctypes", "resource", "signal", "socket", "threading"):
    try:
        globals()[name] = importlib.import_module(name)
    except ImportError:  # WebAssembly has it not; an attack that needs it ends where it does
        if sys.platform != "wasi":
            raise
scene = json.loads(sys.stdin.buffer.read())
libc = ctypes.CDLL(None, use_errno=True) if sys.platform != "wasi" else None
def out(data):
    os.write(3, data if isinstance(data, bytes) else str(data).encode())
def breach(when=True):
    if when:
        out(b"BREACH")
def call(number, *words):
    libc.syscall.restype = ctypes.c_long
    found = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(w) if isinstance(w, int) else w for w in words))
    return found, ctypes.get_errno()
def open_to_us(number, *words):
    found, code = call(number, *words)
    return found >= 0 or code not in (errno.EPERM, errno.ENOSYS, errno.EACCES)
def stay(seconds=30):
    os.execv(scene["python"] if os.path.exists(scene["python"]) else "/python",
             ["python", "-I", "-S", "-c", f"import time; time.sleep({seconds})", scene["mark"]])
"""

FILES = [
    Attack("append to the scorer", 1, """
        with open(scene["scorer"], "a") as file:
            file.write("score = lambda *_: 1.0")
    """, scorer_changed),
    Attack("put another scorer in its place", 1, """
        with open(scene["folder"] + "/" + scene["mark"], "w") as file:
            file.write("score = lambda *_: 1.0")
        os.replace(scene["folder"] + "/" + scene["mark"], scene["scorer"])
    """, scorer_changed),
    Attack("cut the scorer short", 1, 'os.truncate(scene["scorer"], 0)', scorer_changed),
    Attack("hard link to the scorer", 1, """
        for place in (scene["folder"], ".", "/tmp"):
            try:
                os.link(scene["scorer"], place + "/" + scene["mark"])
                breach()
            except OSError as error:
                last = error
        raise last
    """, scorer_changed),
    Attack("compiled twin beside the scorer", 1, """
        os.mkdir(scene["folder"] + "/__pycache__")
        open(scene["folder"] + "/__pycache__/scorer.cpython-311.pyc", "wb").close()
    """, scorer_changed),
    Attack("mount over the scorer", 1, """
        with open("own.py", "w") as file:
            file.write("score = lambda *_: 1.0")
        done = libc.mount(b"own.py", scene["scorer"].encode(), None, 4096, None)
        breach(done == 0)
        libc.umount2(scene["scorer"].encode(), 2)
    """, scorer_changed),
    Attack("open the standard library for writing", 1, 'open(os.__file__, "r+b").close(); breach()', came_out),
    Attack("write into our package", 1, 'open(scene["package"] + "/" + scene["mark"], "w").close()', left),
    Attack("change the file beside it", 1, """
        os.chmod("beside.txt", 0o666)
        with open("beside.txt", "w") as file:
            file.write("other")
        breach()
    """, came_out),
    Attack("read the answers", 2, 'out(open(scene["answers"], "rb").read())', came_out),
    Attack("look for the answers everywhere", 2, """
        for root in (os.path.dirname(scene["folder"]), os.getcwd(), "/work", "/run", "/mnt"):
            for folder, _, names in os.walk(root):
                if os.path.basename(folder).startswith("netgain-scene-"):
                    for name in names:
                        if name.endswith(".json"):
                            out(open(folder + "/" + name, "rb").read())
    """, came_out),
    Attack("answers through the root of another process", 2, """
        for pid in ("self", "1", str(os.getppid()), str(scene["parent"])):
            for link in ("root", "cwd"):
                try:
                    out(open(f"/proc/{pid}/{link}" + scene["answers"], "rb").read())
                except OSError:
                    pass
    """, came_out),
    Attack("answers through descriptors of another process", 2, """
        for path in glob.glob("/proc/[0-9]*/fd/*"):
            try:
                there = os.readlink(path)
                if there.startswith("/") and os.path.isfile(path) and "netgain-scene-" in there:
                    out(open(path, "rb").read())
            except OSError:
                pass
        breach(os.path.exists(f"/proc/{scene['parent']}/fd"))
    """, came_out),
    Attack("answers through inherited descriptors", 2, """
        for number in range(4, 1024):
            try:
                out(os.pread(number, 4096, 0))
                breach()
            except OSError:
                pass
    """, came_out),
    Attack("answers by file handle", 2, """
        kind, data = scene["handle"]
        class Handle(ctypes.Structure):
            _fields_ = (("size", ctypes.c_uint), ("kind", ctypes.c_int), ("bytes", ctypes.c_ubyte * len(data)))
        for place in ("/", "/usr", "/usr/lib", ".", os.path.dirname(os.__file__)):
            top = os.open(place, os.O_RDONLY)
            handle = Handle(len(data), kind, (ctypes.c_ubyte * len(data))(*data))
            file = libc.open_by_handle_at(top, ctypes.byref(handle), 0)
            if file >= 0:
                out(os.read(file, 4096))
    """, came_out, needs=("handle",)),
    Attack("read the shadow file", 2, 'breach(bool(open("/etc/shadow", "rb").read()))', came_out),
    Attack("list the home folder", 2, """
        breach(bool(set(os.listdir(scene["home"])) & set(scene["at_home"])))
    """, came_out, needs=("at_home",)),
    Attack("forge a reward file", 7, """
        with open(scene["results"] + "/reward.txt", "w") as file:
            file.write("1.0")
    """, forged),
    Attack("a process that forges the reward again and again", 7, """
        if os.fork() == 0:
            os.setsid()
            for _ in range(100):
                try:
                    open(scene["results"] + "/reward.txt", "w").write("1.0")
                except OSError:
                    pass
                time.sleep(0.01)
            os._exit(0)
        time.sleep(0.2)
    """, forged),
]  # fmt: skip

NETWORK = [
    Attack("TCP to this machine", 8, """
        socket.create_connection(("127.0.0.1", scene["tcp"]), timeout=1).send(b"x")
    """, reached, needs=("tcp",)),
    Attack("TCP over IPv6", 8, """
        socket.create_connection(("::1", scene["tcp6"]), timeout=1).send(b"x")
    """, reached, needs=("tcp6",)),
    Attack("UDP to this machine", 8, """
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", scene["udp"]))
    """, reached, needs=("udp",)),
    Attack("unix socket by its path", 8, """
        socket.socket(socket.AF_UNIX).connect(scene["unix"])
    """, reached, needs=("unix",)),
    Attack("unix socket by an abstract name", 8, """
        socket.socket(socket.AF_UNIX).connect(scene["abstract"])
    """, reached, needs=("abstract",)),
    Attack("see network interfaces", 8, """
        breach(any(name != "lo" for _, name in socket.if_nameindex()))
    """, reached),
    Attack("raw packets", 8, """
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3); breach()
    """, reached),
    Attack("route messages", 8, """
        one = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        one.bind((0, 0)); breach()
    """, reached),
    Attack("install a package", 25, """
        for place in [*scene["libraries"], *sys.path]:
            try:
                open(place + "/" + scene["mark"], "w").write("answer = 1")
            except OSError:
                pass
    """, left),
    Attack("ask a package index", 25, """
        found = socket.getaddrinfo("localhost", scene["tcp"], type=socket.SOCK_STREAM)
        for family, kind, number, _, address in found:
            try:
                one = socket.socket(family, kind, number)
                one.settimeout(1)
                one.connect(address)
            except OSError:
                pass
    """, reached, needs=("tcp",)),
]  # fmt: skip

SECRETS = [
    Attack("own environment", 16, """
        out(json.dumps(dict(os.environ)))
        read = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
        place = 0
        while read and read[place]:
            out(read[place])
            place += 1
    """, came_out),
    Attack("environment in the process's own memory", 16, """
        for line in open("/proc/self/maps"):
            if "[stack]" in line:
                low, high = (int(one, 16) for one in line.split()[0].split("-"))
                with open("/proc/self/mem", "rb") as memory:
                    memory.seek(low)
                    data = memory.read(high - low)
                place = data.find(b"sealed-")
                out(data[place:place + 100] if place >= 0 else b"")
    """, came_out),
    Attack("environment of process 1", 16, """
        for name in ("environ", "cmdline"):
            data = open(f"/proc/1/{name}", "rb").read()
            out(data)
            breach(scene["folder"].encode() in data or scene["package"].encode() in data)
    """, came_out),
    Attack("environment of every process", 16, """
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                out(b"".join(one for one in open(path, "rb").read().split(b"\\0") if b"sealed-" in one))
            except OSError:
                pass
    """, came_out),
    Attack("command lines of every process", 16, """
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                out(b" ".join(one for one in open(path, "rb").read().split(b"\\0") if b"sealed-" in one))
            except OSError:
                pass
    """, came_out),
    Attack("where we live, by the list of mounts", 16, """
        text = open("/proc/self/mountinfo").read()
        breach(scene["package"] in text or scene["folder"] in text or os.path.exists(scene["package"]))
    """, came_out),
    Attack("where we live, by its path", 16, 'breach(os.path.exists(scene["package"]))', came_out),
    Attack("keys of our session", 16, f"breach(open_to_us({219 if AARCH64 else 250}, 0, -3, 0, 0, 0))", came_out),
    Attack("memory of our process", 4, """
        breach(os.path.exists(f"/proc/{scene['parent']}/mem"))
        open(f"/proc/{scene['parent']}/mem", "r+b").close(); breach()
    """, came_out),
    Attack("own memory by another call", 17, f"""
        text = ctypes.create_string_buffer(b"secret")
        class Span(ctypes.Structure):
            _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))
        there, here = Span(ctypes.addressof(text), 6), ctypes.create_string_buffer(6)
        into = Span(ctypes.addressof(here), 6)
        words = (ctypes.byref(into), 1, ctypes.byref(there), 1, 0)
        breach(call({270 if AARCH64 else 310}, os.getpid(), *words)[0] == 6)
    """, came_out),
]  # fmt: skip

PROCESSES = [
    Attack("end a process outside", 12, 'os.kill(scene["victim"], signal.SIGKILL)', hurt),
    Attack("signal our process", 12, 'os.kill(scene["parent"], 0); breach()', hurt),
    Attack("slow a process outside down", 20, """
        os.setpriority(os.PRIO_PROCESS, scene["victim"], 19)
    """, hurt),
    Attack("trace itself", 17, f"breach(call({117 if AARCH64 else 101}, 0, 0, 0, 0)[0] == 0)", came_out),
    Attack("trace a process outside", 17, f"""
        breach(call({117 if AARCH64 else 101}, 0x4206, scene["victim"], 0, 0)[0] == 0)
    """, came_out),
    Attack("fork far beyond the limit", 9, """
        alive = 0
        try:
            for _ in range(100):
                if os.fork() == 0:
                    time.sleep(1.0)
                    os._exit(0)
                alive += 1
        except OSError:
            pass
        breach(alive >= 64)
    """, came_out),
    Attack("threads far beyond the limit", 9, """
        try:
            for _ in range(100):
                threading.Thread(target=time.sleep, args=(1.0,), daemon=True).start()
        except RuntimeError:
            pass
        breach(threading.active_count() >= 64)
        os._exit(0)
    """, came_out),
    Attack("a fork in every fork", 9, """
        born = time.monotonic()
        while time.monotonic() - born < 0.4:
            try:
                os.fork()
                time.sleep(0.05)
            except OSError:
                time.sleep(0.05)
        count = sum(name.isdigit() for name in os.listdir("/proc")) if os.path.exists("/proc/self") else 0
        time.sleep(0.5)
    """, lives),
    Attack("sleep past the deadline, deaf to signals", 12, """
        for number in range(1, 32):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        time.sleep(30)
    """, lives),
    Attack("a daemon by two forks", 12, """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                stay()
            os._exit(0)
        time.sleep(0.2)
    """, lives),
    Attack("a daemon that holds the pipes", 12, """
        if os.fork() == 0:
            os.setsid()
            os.set_inheritable(3, True)
            stay(8)
        os._exit(0)
    """, lives),
    Attack("a stopped process", 12, """
        child = os.fork()
        if child == 0:
            stay()
        time.sleep(0.2)
        os.kill(child, signal.SIGSTOP)
    """, lives),
    Attack("a daemon of another session at the deadline", 12, """
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            stay()
        time.sleep(30)
    """, lives),
    Attack("timers that stand still", 20, """
        time.sleep(0.3)
        time.time = time.monotonic = time.perf_counter = lambda: 0.0
        out(b"done in 0.0 s")
    """, untimed),
    Attack("set the clock", 20, f"""
        class Now(ctypes.Structure):
            _fields_ = (("s", ctypes.c_long), ("ns", ctypes.c_long))
        breach(open_to_us({112 if AARCH64 else 227}, 99, ctypes.byref(Now(0, 0))))
    """, came_out),
]  # fmt: skip

FLOODS = [
    Attack("memory in one process", 10, """
        held = bytearray(512 << 20)
        for place in range(0, len(held), 4096):
            held[place] = 1
        breach()
    """, came_out),
    Attack("memory in many processes", 10, """
        ready, done = os.pipe()
        for _ in range(8):
            if os.fork() == 0:
                held = bytearray(64 << 20)
                for place in range(0, len(held), 4096):
                    held[place] = 1
                os.write(done, b"x")
                time.sleep(1.0)
                os._exit(0)
        os.close(done)
        count = 0
        while count < 8 and os.read(ready, 1):
            count += 1
        breach(count == 8)
    """, came_out),
    Attack("memory in a file without a name", 10, """
        file = os.memfd_create("x")
        for _ in range(512):
            left = memoryview(bytes(1 << 20))
            while left:
                left = left[os.write(file, left):]
        breach()
    """, came_out),
    Attack("memory in shared memory", 10, """
        with open("/dev/shm/" + scene["mark"], "wb") as file:
            for _ in range(300):
                file.write(bytes(1 << 20))
        os.unlink("/dev/shm/" + scene["mark"])
        breach()
    """, came_out),
    Attack("a large file", 11, """
        with open("x", "wb") as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
        breach()
    """, came_out),
    Attack("many files of middle size", 11, """
        for number in range(64):
            with open(f"x{number}", "wb") as file:
                file.write(bytes(1 << 20))
        breach()
    """, came_out),
    Attack("prints without end", 11, """
        for _ in range(64):
            os.write(1, b"x" * (1 << 16))
            os.write(2, b"x" * (1 << 16))
    """, too_much),
    Attack("results without end", 11, """
        for _ in range(64):
            os.write(3, b"x" * (1 << 16))
    """, too_much),
    Attack("files outside", 11, """
        for place in ("/tmp", "/var/tmp", "/dev/shm", "/", scene["home"], scene["folder"]):
            try:
                open(place + "/" + scene["mark"], "w").close()
            except OSError:
                pass
    """, left),
]  # fmt: skip

KERNEL = [
    Attack("a user namespace", 17, "breach(libc.unshare(0x10000000) == 0)", came_out),
    Attack("a mount namespace", 17, "breach(libc.unshare(0x00020000) == 0)", came_out),
    Attack("a user namespace by clone3", 17, """
        class Args(ctypes.Structure):
            _fields_ = tuple((name, ctypes.c_uint64) for name in "abcdefgh")
        found, code = call(435, ctypes.byref(Args(0x10000000, 0, 0, 0, 17, 0, 0, 0)), 64)
        if found == 0:
            os._exit(0)
        breach(found > 0)
    """, came_out),
    Attack("mount a file system", 17, """
        os.mkdir("m")
        done = libc.mount(b"none", b"m", b"tmpfs", 0, None)
        breach(done == 0)
        libc.umount2(b"m", 2)
    """, came_out),
    Attack("another root", 17, 'os.chroot("."); breach()', came_out),
    Attack("make a device", 17, 'os.mknod("d", stat.S_IFCHR | 0o666, os.makedev(1, 1)); breach()', came_out),
    Attack("open a device of the machine", 17, """
        for path in ("/dev/mem", "/dev/kmsg", "/dev/kvm", "/dev/fuse", "/dev/loop-control", *glob.glob("/dev/[sv]d*")):
            try:
                os.close(os.open(path, os.O_RDONLY)); breach()
            except OSError:
                pass
    """, came_out),
    Attack("rights of the kernel", 17, """
        class Head(ctypes.Structure):
            _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))
        sets = (ctypes.c_uint32 * 6)()
        done = libc.capget(ctypes.byref(Head(0x20080522, 0)), sets)
        breach(done == 0 and any(sets[place] for place in (0, 1, 3, 4)))  # effective and permitted, two words each
    """, came_out),
    Attack("gain rights by a program", 17, "breach(libc.prctl(39, 0, 0, 0, 0) == 0)", came_out),
    Attack("become root", 17, """
        os.setuid(0)
        breach(os.getuid() == 0 and os.path.exists("/etc/shadow") and bool(open("/etc/shadow", "rb").read()))
    """, came_out),
    Attack("settings of the kernel", 17, """
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches"):
            try:
                os.close(os.open(path, os.O_WRONLY)); breach()
            except OSError:
                pass
    """, came_out),
    Attack("control groups", 17, """
        for path in glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True)[:50]:
            breach(os.access(path, os.W_OK))
    """, came_out),
    Attack("programs in the kernel (bpf)", 17, f"breach(open_to_us({280 if AARCH64 else 321}, 99, 0, 0))", came_out),
    Attack("performance counters", 17, f"breach(open_to_us({241 if AARCH64 else 298}, 0, 0, -1, -1, 0))", came_out),
    Attack("page faults by hand", 17, f"breach(open_to_us({282 if AARCH64 else 323}, 1 << 20))", came_out),
    Attack("rings (io_uring)", 17, "breach(open_to_us(425, 0, 0))", came_out),
    Attack("modules", 17, f"breach(open_to_us({105 if AARCH64 else 175}, 0, 0, 0))", came_out),
    Attack("another kernel", 17, f"breach(open_to_us({104 if AARCH64 else 246}, 0, 99, 0, 0))", came_out),
    Attack("another process's namespace", 17, f"breach(open_to_us({268 if AARCH64 else 308}, -1, 0))", came_out),
    Attack("sockets of the machine below (vsock)", 17, """
        socket.socket(40, socket.SOCK_STREAM).close(); breach()
    """, came_out),
    Attack("file, read in a later run", 24, """
        for place in (".", "/tmp", "/var/tmp", "/dev/shm", "/", scene["home"]):
            try:
                path = place + "/" + scene["mark"]
                breach(os.path.exists(path))
                open(path, "w").close()
            except OSError:
                pass
    """, came_out, twice=True),
    Attack("shared memory, read in a later run", 24, """
        libc.shmget.argtypes = (ctypes.c_int, ctypes.c_size_t, ctypes.c_int)
        key = int(scene["mark"][-7:], 16)
        found = libc.shmget(key, 64, 0o666)
        if found >= 0:
            breach()
            libc.shmctl(found, 0, None)
        elif scene["turn"] == 0:
            libc.shmget(key, 64, 0o1666)
    """, came_out, twice=True),
    Attack("a message queue, read in a later run", 24, """
        key = int(scene["mark"][-7:], 16)
        found = libc.msgget(key, 0o666)
        if found >= 0:
            breach()
            libc.msgctl(found, 0, None)
        elif scene["turn"] == 0:
            libc.msgget(key, 0o1666)
    """, came_out, twice=True),
    Attack("memory of an earlier run", 23, """
        held = ctypes.CDLL(None).malloc
        held.restype = ctypes.c_void_p
        place, size = held(64 << 20), 64 << 20
        data = ctypes.string_at(place, size)
        breach(scene["mark"].encode() * 2 in data)
        ctypes.memmove(place, scene["mark"].encode() * 3, len(scene["mark"]) * 3)
    """, came_out, twice=True),
]  # fmt: skip

ATTACKS = [*FILES, *NETWORK, *SECRETS, *PROCESSES, *FLOODS, *KERNEL]


# --- Honest programs -------------------------------------------------------------------------------------------------
PLAIN = """
import json, os, sys
told = json.loads(sys.stdin.buffer.read())
beside = open("beside.txt", "rb").read() == b"beside" and open("sub/deep.txt").read() == "deep"
size = 1 << 20
"""
SYSTEM = """
import subprocess, threading
with open("own.txt", "w") as file:
    file.write("x" * (1 << 20))
size = os.path.getsize("own.txt")
one = threading.Thread(target=lambda: None)
one.start()
one.join()
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
"""
SAYS = """
print("a log")
sys.stderr.write("another")
held = bytearray(16 << 20)
os.write(3, json.dumps([told["x"], beside, size]).encode())
sys.exit(7)
"""


def honest(backend: Backend, *, pure: bool = False) -> list[str]:
    """What is wrong with how a backend runs programs that do no harm; nothing when all is well.

    Args:
        pure: it is an interpreter without processes, threads and files of its own (WebAssembly).
    """
    source = PLAIN + ("" if pure else SYSTEM) + SAYS
    files = {"beside.txt": b"beside", "sub/deep.txt": b"deep"}
    try:
        done = backend.run(Job(source=source.encode(), files=files, stdin=b'{"x": 41}', limits=LIMITS))
    except NetgainError as error:
        return [str(error)]
    wanted = {
        "ending": (done.ending, "ended"), "code": (done.code, 7), "result": (done.result, b"[41, true, 1048576]"),
        "out": (done.out, b"a log\n"), "err": (done.err, b"another"), "level": (done.level, backend.level),
    }  # fmt: skip
    return [f"{name} {found!r}, expected {due!r}" for name, (found, due) in wanted.items() if found != due]


def summary(outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    """Names of attacks by what became of them: succeeded, stopped, and not tried with the reason."""
    found: dict[str, list[str]] = {"succeeded": [], "stopped": [], "not tried": []}
    for one in outcomes:
        kind = "not tried" if one.succeeded is None else "succeeded" if one.succeeded else "stopped"
        found[kind].append(one.attack.name if kind != "not tried" else f"{one.attack.name}: {one.said}")
    return found


def told(outcomes: Sequence[Outcome]) -> str:
    """The same as one line of JSON, to be handed from a process of another account."""
    return json.dumps(summary(outcomes))
