"""The fork server: what every backend has to do, every attack, and nothing handed from one child to the next."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import ordinary
import pytest
from test_bubblewrap import REASON, groups

from netgain.errors import SandboxError
from netgain.sandbox import Job, Limits, serve
from netgain.sandbox.namespace import inodes_of
from netgain.sandbox.probe import ATTACKS, probed
from netgain.sandbox.server import ForkServer
from netgain.testing.sandboxes import CHECKS, checks_of

pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)
NAMES = list(CHECKS)


@pytest.fixture(scope="module")
def server():
    with ForkServer() as one:
        yield one


def said(server, source, **limits):
    return server.run(Job(source=source.encode(), limits=Limits(**limits)))


@pytest.mark.parametrize("name", NAMES)
def test_it_does_what_every_backend_has_to(server, name):
    assert name in checks_of(server)
    CHECKS[name](server)


def test_every_attack_of_the_probe_is_stopped(server):
    outcomes = probed(server)
    assert [one.attack for one in outcomes] == [one.name for one in ATTACKS]
    assert [one for one in outcomes if not one.stopped] == []


@pytest.mark.parametrize("place", [*NAMES, *(f"attack {one.name}" for one in ATTACKS)])
def test_an_ordinary_user_has_the_same(place):
    found = ordinary.outcomes()
    if isinstance(found, str):
        pytest.skip(found)
    assert found[f"bubblewrap-server: {place}"] == ""


def test_nothing_that_one_child_writes_is_seen_by_the_next(server):
    source = """
import builtins, gc, os, socket, sys
seen = [os.listdir(), hasattr(builtins, "left"), "left" in sys.modules, sys.path.count("left")]
os.write(3, repr(seen).encode())
builtins.left = sys.modules["left"] = sys
sys.path.append("left")
open("left", "w").write("x")
for folder in ("/", "/tmp", "/dev/shm", "/netgain-job/..", "/dev"):
    try: open(os.path.join(folder, "left"), "w").write("x")
    except OSError: pass
"""
    first, second = said(server, source).result, said(server, source).result
    assert first == second == b"[['main.py'], False, False, 0]"


def test_ports_and_shared_memory_that_would_outlive_a_child_do_not_exist(server):
    source = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
found = [libc.shmget(1, 4096, 0o1666), libc.msgget(1, 0o1666), libc.semget(1, 1, 0o1666)]
for family in (socket.AF_INET, socket.AF_INET6):
    try: found.append(socket.socket(family).fileno())
    except OSError: found.append(-1)
os.write(3, repr(found).encode())
"""
    assert said(server, source).result == b"[-1, -1, -1, -1, -1]"


def test_a_child_is_alone_and_cannot_signal_the_server(server):
    source = """
import os
found = [os.getpid()]
for pid in range(2, 400):
    try: os.kill(pid, 0)
    except ProcessLookupError: continue
    except OSError: pass
    found.append(pid)
try: os.kill(-1, 9)
except ProcessLookupError: pass
os.write(3, repr(found).encode())
"""
    assert said(server, source).result == b"[1]"
    assert said(server, "import os; os.write(3, b'next')").result == b"next"


def test_a_child_has_no_capability_and_cannot_make_namespaces(server):
    source = """
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
head, data = struct.pack("=II", 0x20080522, 0), ctypes.create_string_buffer(24)
assert libc.capget(head, data) == 0
made = [libc.unshare(flag) for flag in (0x10000000, 0x20000, 0x20000000, 0x8000000)]
os.write(3, repr((set(data.raw), made, libc.mount(b"none", b".", b"tmpfs", 0, None))).encode())
"""
    rights, made, mounted = eval(said(server, source).result)
    assert rights == {0} and made == [-1] * 4 and mounted == -1


def test_every_child_has_its_own_limits(server):
    take = "held = b'x' * (64 << 20)\nimport os, time\nos.write(3, b'taken')\ntime.sleep(0.1)"
    assert said(server, take, memory=32 << 20).ending == "memory"
    assert said(server, take, memory=128 << 20).result == b"taken"
    assert said(server, take, memory=32 << 20).ending == "memory"
    assert said(server, "while True: pass", wall_s=0.2).ending == "deadline"
    assert said(server, "import time; time.sleep(0.4)", wall_s=2.0).ending == "ended"


def test_what_ends_a_child_does_not_end_the_server():
    with ForkServer() as server:
        first = inside(server)
        said(server, "held = []\nwhile True: held.append(b'x' * (1 << 20))", memory=64 << 20)
        said(server, "import os\nos.abort()")
        said(server, "import sys\nsys.stdout.close()\nsys.exit(3)")
        assert inside(server) == first


def inside(server):
    said(server, "pass")
    return server._box.inside


def test_a_server_that_dies_is_an_error_once_and_then_started_anew():
    with ForkServer() as server:
        os.kill(inside(server), signal.SIGKILL)
        with pytest.raises(SandboxError, match="fork server|broken|silent|Broken"):
            said(server, "pass")
        assert said(server, "import os; os.write(3, b'again')").result == b"again"


@pytest.mark.parametrize("loading", [b"    refuse(last)\n", b"    refuse(first[1])\n"])
def test_a_child_that_keeps_its_rights_runs_nothing(monkeypatch, loading):
    whole = Path.read_bytes
    assert loading in Path(serve.__file__).read_bytes()
    monkeypatch.setattr(Path, "read_bytes", lambda path: whole(path).replace(loading, b"    pass\n"))
    with ForkServer() as server, pytest.raises(SandboxError, match="could not be prepared, or give up its rights"):
        server.run(Job(source=b"import os\nos.write(3, b'ran')"))


def test_the_server_itself_may_call_nothing_that_it_does_not_need(monkeypatch):
    whole, asked = Path.read_bytes, b'    control.send(b"ready")\n'
    tried = b"    sys.stderr.write(str([libc.personality(-1), libc.chroot(b'/'), libc.unshare(0)]))\n    sys.exit(1)\n"
    assert asked in Path(serve.__file__).read_bytes()
    monkeypatch.setattr(Path, "read_bytes", lambda path: whole(path).replace(asked, tried))
    with ForkServer() as server, pytest.raises(SandboxError, match=r"\[-1, -1, 0\]"):
        said(server, "pass")


def test_files_of_any_size_arrive_and_cannot_be_changed(server):
    source = b"""
import os
found = [len(open("large", "rb").read()), open("deep/small").read(), sorted(os.listdir())]
for name in ("large", "deep/small", "main.py"):
    for change in (lambda: open(name, "w"), lambda: os.unlink(name), lambda: os.rename(name, "x"),
                   lambda: os.chmod(name, 0o777)):
        try: change()
        except OSError: continue
        found.append(name)
os.write(3, repr(found).encode())
"""
    for padding in (b"", b"#" * (1 << 20)):  # with the message, and in memory of their own
        files = {"large": b"x" * (3 << 20) if padding else b"x", "deep/small": b"given"}
        found = server.run(Job(source=source + padding, files=files))
        assert eval(found.result) == [len(files["large"]), "given", ["deep", "large", "main.py"]], found


def test_a_folder_is_as_large_as_its_job_may_have(server):
    source = """
import os
room = os.statvfs(".")
os.write(3, repr((room.f_blocks * room.f_frsize, room.f_files)).encode())
"""
    for disk in (1 << 20, Limits().disk, 256 << 20):
        assert eval(said(server, source, disk=disk).result) == (disk, inodes_of(disk))


def test_every_limit_of_a_process_is_there(server):
    source = """
import os, resource
names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
os.write(3, repr({name: resource.getrlimit(getattr(resource, name)) for name in names}).encode())
"""
    limits = Limits(cpu_s=3.0, processes=7, disk=2 << 20)
    found = eval(said(server, source, cpu_s=3.0, processes=7, disk=2 << 20).result)
    assert {name: (value, value) for name, value in server._belts(limits).items()}.items() <= found.items()


def test_modules_are_loaded_once_for_all_children():
    with ForkServer(preload=("decimal",)) as server:
        found = said(server, "import os, sys; os.write(3, str('decimal' in sys.modules).encode())")
    assert found.result == b"True"


def test_a_module_that_is_missing_is_said():
    with ForkServer(preload=("no_such_module",)) as server, pytest.raises(SandboxError, match="no_such_module"):
        said(server, "pass")


def test_only_packages_of_the_server_can_be_asked_for(tmp_path):
    (tmp_path / "given.py").write_text("word = b'given'")
    tmp_path.chmod(0o755)
    site = (str(tmp_path),)
    with ForkServer(site=site) as server:
        assert server.run(Job(source=b"import os, given; os.write(3, given.word)", site=site)).result == b"given"
        with pytest.raises(SandboxError, match="/elsewhere"):
            server.run(Job(source=b"pass", site=("/elsewhere",)))


def test_nothing_is_left_after_closing():
    before, descriptors = groups(), len(os.listdir("/proc/self/fd"))
    with ForkServer() as server:
        first = inside(server)
    assert not Path(f"/proc/{first}").exists() and groups() == before
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_the_server_ends_with_the_process_that_started_it():
    code = """
import os, sys
from netgain.sandbox import Job
from netgain.sandbox.server import ForkServer
server = ForkServer()
server.run(Job(source=b"pass"))
print(server._box.inside, flush=True)
os.kill(os.getpid(), 9)
"""
    started = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    pid, until = int(started.stdout), time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()


def test_what_it_imports_beforehand_needs_its_room_and_its_time():
    with ForkServer(preload=("json",), patience_s=1e-9) as hasty, pytest.raises(SandboxError, match="silent"):
        hasty.run(Job(source=b"pass"))
    with ForkServer(preload=("json",), room=300 << 20, patience_s=60.0) as one:
        assert said(one, "import os, sys; os.write(3, str('json' in sys.modules).encode())").result == b"True"
        limited = one._limited
    assert limited is not None and limited[0] > Limits().memory, "a child's memory comes on top of the server's own"
