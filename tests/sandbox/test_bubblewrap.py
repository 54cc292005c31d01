"""The default sandbox: what every backend has to do, every attack, and what only this one promises."""

import os
import resource
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import ordinary
import pytest

from netgain.errors import SandboxError
from netgain.sandbox import Job, Limits
from netgain.sandbox.bubblewrap import Bubblewrap, belts, boot, ending_of, lower
from netgain.sandbox.cgroups import Place
from netgain.sandbox.interpreter import Interpreter, interpreter, outermost
from netgain.sandbox.probe import ATTACKS, probed
from netgain.testing.sandboxes import CHECKS, checks_of, ran

NAMES = list(CHECKS)
ABSENT = "no program bwrap; next: apt-get install bubblewrap"
MIB = 1 << 20


def works():
    """Why bubblewrap cannot be tested here, or nothing."""
    if shutil.which("bwrap") is None:
        return ABSENT
    try:
        Bubblewrap().run(Job(source=b"pass"))
    except SandboxError as error:
        return str(error)
    return ""


REASON = works()
needed = pytest.mark.skipif(bool(REASON), reason=REASON)


@pytest.fixture(scope="module")
def backend():
    return Bubblewrap()


@needed
@pytest.mark.parametrize("name", NAMES)
def test_it_does_what_every_backend_has_to(backend, name):
    assert name in checks_of(backend)
    CHECKS[name](backend)


@needed
def test_every_attack_of_the_probe_is_stopped(backend):
    outcomes = probed(backend)
    assert [one.attack for one in outcomes] == [one.name for one in ATTACKS]
    assert [one for one in outcomes if not one.stopped] == []


@needed
@pytest.mark.parametrize("place", [*NAMES, *(f"attack {one.name}" for one in ATTACKS)])
def test_an_ordinary_user_has_the_same(place):
    found = ordinary.outcomes()
    if isinstance(found, str):
        pytest.skip(found)
    assert found[f"bubblewrap: {place}"] == ""


@needed
def test_what_no_control_group_keeps_for_an_ordinary_user_is_named():
    found = ordinary.outcomes()
    if isinstance(found, str):
        pytest.skip(found)
    assert set(found["missing"].split(", ")) <= {"memory", "pids", ""}


@needed
def test_process_1_has_no_environment_and_no_path_of_ours_in_its_command_line(monkeypatch):
    monkeypatch.setenv("NETGAIN_SECRET", "secret-of-ours")
    source = b"import os, time\nos.write(3, open('/proc/1/cmdline', 'rb').read())\ntime.sleep(1)"
    found = {}
    job = threading.Thread(target=lambda: found.update(said=Bubblewrap(proc=True).run(Job(source=source))))
    job.start()
    environments = []
    while job.is_alive() and len(environments) < 2:  # bwrap outside, and process 1 inside
        environments = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/environ") if bwrap_of_ours(path)]
    job.join()
    assert len(environments) >= 2 and not any(b"secret" in one or b"HOME" in one for one in environments)
    line = found["said"].result
    words = [word for word in line.split(b"\0") if word.startswith(b"/")]
    assert line.startswith(b"bwrap\0--args\0") and words == [b"/python", b"/boot.pyc"]


def bwrap_of_ours(environ):
    """Whether a process is a bwrap below this test's process."""
    try:
        status = environ.with_name("status").read_text().splitlines()
        above = [int(line.split()[1]) for line in status if line.startswith("PPid")]
        name, line = environ.with_name("comm").read_text(), environ.with_name("cmdline").read_bytes()
        if name != "bwrap\n" or not line.startswith(b"bwrap\0"):
            return False
        return above[0] == os.getpid() or bwrap_of_ours(Path(f"/proc/{above[0]}/environ"))
    except OSError:
        return False


@needed
def test_only_libraries_one_interpreter_and_the_job_are_there(backend):
    looked = b"import os\nos.write(3, repr((sorted(os.listdir('/')), sorted(os.listdir('/dev')))).encode())"
    shown = [*interpreter().shown, *(path for _, path in interpreter().links)]
    roots = {Path(path).parts[1] for path in shown}
    at_top, devices = eval(backend.run(Job(source=looked)).result)
    assert set(at_top) == roots | {"boot.pyc", "dev", "netgain-job", "python"}
    assert devices == ["null", "random", "urandom", "zero"]
    for secret in (Path.home(), Path(__file__).parents[2] / "src", "/tmp", "/etc/passwd", "/proc"):
        said = ran(backend, f"import os\nos.write(3, str(os.path.exists({str(secret)!r})).encode())".encode())
        inside = any(Path(path).is_relative_to(secret) for path in interpreter().shown)
        assert said.result == b"False" or inside, secret


@needed
def test_the_job_has_no_capability_and_an_account_of_its_own(backend):
    source = b"""
import ctypes, os, struct
head, data = struct.pack("=II", 0x20080522, 0), ctypes.create_string_buffer(24)
assert ctypes.CDLL(None).capget(head, data) == 0
os.write(3, repr((os.getresuid(), os.getresgid(), os.getgroups(), data.raw)).encode())  # and what is inherited
"""
    users, groups, others, rights = eval(backend.run(Job(source=source)).result)
    assert rights == bytes(24) and len(set(users)) == len(set(groups)) == 1
    if os.geteuid() == 0:
        assert users[0] > 1 << 20 and not others


@needed
def test_two_jobs_at_a_time_have_two_accounts(backend):
    if os.geteuid() != 0:
        pytest.skip("only root has accounts to give")
    found = []
    source = b"import os, time\nos.write(3, str(os.getuid()).encode())\ntime.sleep(0.3)"
    threads = [threading.Thread(target=lambda: found.append(backend.run(Job(source=source)).result)) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(found)) == 2


@needed
def test_packages_that_are_asked_for_can_be_imported(backend, tmp_path):
    (tmp_path / "asked_for.py").write_text("word = b'imported'")
    tmp_path.chmod(0o755)
    source = b"import os, asked_for\nos.write(3, asked_for.word)"
    assert backend.run(Job(source=source, site=(str(tmp_path),))).result == b"imported"
    assert backend.run(Job(source=source)).code == 1


@needed
def test_numpy_works_inside(backend):
    numpy = pytest.importorskip("numpy")
    site = str(Path(numpy.__file__).parents[1])
    said = backend.run(Job(source=b"import os, numpy\nos.write(3, str(numpy.arange(4).sum()).encode())", site=(site,)))
    assert said.result == b"6", said


@needed
def test_memory_is_that_of_all_processes_together(backend):
    source = b"""
import os, time
for _ in range(4):
    if os.fork() == 0:
        held = b"x" * (40 << 20); time.sleep(5); os._exit(0)
time.sleep(3)
"""
    said = backend.run(Job(source=source, limits=Limits(memory=96 * MIB, wall_s=4.0)))
    assert said.ending == "memory"


@needed
def test_a_flood_of_logs_ends_the_job(backend):
    said = backend.run(Job(source=b"import os\nwhile True: os.write(1, bytes(65536))"))
    assert said.ending == "output" and len(said.out) == Limits().logs


@needed
def test_a_signal_is_told_as_killed(backend):
    said = backend.run(Job(source=b"import os\nos.kill(os.getpid(), 9)"))
    assert (said.ending, said.code) == ("killed", None)


@needed
def test_nothing_is_left_behind(backend):
    mark = f"left-{os.getpid()}"
    source = f"""
import ctypes, os, time
ctypes.CDLL(None).prctl(15, {mark!r}.encode(), 0, 0, 0)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(60)
    time.sleep(60)
time.sleep(0.05)
"""
    before, open_before = groups(), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        assert backend.run(Job(source=source.encode())).ending == "ended"
        assert mark not in subprocess.run(["ps", "-eo", "comm"], capture_output=True, text=True, check=True).stdout
    assert groups() == before and len(os.listdir("/proc/self/fd")) == open_before


def groups():
    """Control groups of this process that are there now."""
    return sorted(str(path) for path in Path("/sys/fs/cgroup").glob(f"**/netgain-{os.getpid()}-*"))


@needed
def test_a_bwrap_that_fails_is_an_error_and_no_result():
    broken = Interpreter(interpreter().program, ("/no/such/folder",), ())
    with pytest.raises(SandboxError, match="no/such/folder"):
        Bubblewrap(python=broken).run(Job(source=b"pass"))


@needed
def test_a_job_before_which_root_was_not_given_up_is_an_error_and_no_result(monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root gives up root")
    name, whole = boot("of another interpreter")
    text = whole.replace(b"posix.setresuid(account, account, account)", b"pass")
    assert text != whole
    monkeypatch.setattr("netgain.sandbox.bubblewrap.boot", lambda program: (name, text))
    with pytest.raises(SandboxError, match="could not start"):
        Bubblewrap().run(Job(source=b"import os\nos.write(3, b'as root')"))


@needed
def test_the_first_program_is_compiled_for_our_own_interpreter_and_text_for_another():
    assert boot(interpreter().program)[0] == "/boot.pyc"
    other = next((one for one in ordinary.PYTHONS[1:] if os.path.exists(one) and one != interpreter().program), None)
    if other is None:
        pytest.skip(f"no other Python among {ordinary.PYTHONS[1:]}")
    shown = interpreter(other, str(Path(other).parents[1]))
    assert boot(shown.program)[0] == "/boot.py"
    assert Bubblewrap(python=shown).run(Job(source=b"import os; os.write(3, b'ran')")).result == b"ran"


@needed
def test_a_program_cannot_pretend_that_it_was_not_run(backend):
    said = backend.run(Job(source=b"import os\nos._exit(120)"))
    assert (said.ending, said.code) == ("ended", 120)


@needed
def test_a_program_that_is_no_bwrap_is_an_error():
    with pytest.raises(SandboxError, match="could not start"):
        Bubblewrap(program="/bin/false").run(Job(source=b"pass"))


def test_without_bwrap_the_message_has_the_next_step(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SandboxError, match="apt-get install bubblewrap"):
        Bubblewrap()


@needed
def test_without_control_groups_limits_are_kept_by_looking_and_named(monkeypatch):
    none = [Place(name, None, reason="none here") for name in ("memory", "pids")]
    monkeypatch.setattr("netgain.sandbox.cgroups.places", lambda: none)
    monkeypatch.setattr("netgain.sandbox.bubblewrap.places", lambda: none)
    backend = Bubblewrap()
    assert backend.missing == ("memory: none here", "pids: none here")
    for name in ("memory_is_limited_and_told", "processes_are_limited_and_told"):
        CHECKS[name](backend)


def test_belts_are_wider_where_a_control_group_counts():
    narrow = belts(Limits(), keeps_memory=False, keeps_processes=False, reaper=1)
    wide = belts(Limits(), keeps_memory=True, keeps_processes=True, reaper=1)
    assert narrow["RLIMIT_AS"] < wide["RLIMIT_AS"] and narrow["RLIMIT_NPROC"] < wide["RLIMIT_NPROC"]
    assert Limits().memory < narrow["RLIMIT_AS"] and Limits().processes < narrow["RLIMIT_NPROC"]


def test_a_limit_of_another_process_is_lowered_and_never_raised():
    child = subprocess.Popen(["sleep", "60"])
    try:
        lower(child.pid, "RLIMIT_NOFILE", 100, 120)
        lower(child.pid, "RLIMIT_NOFILE", 200, 200)
        assert resource.prlimit(child.pid, resource.RLIMIT_NOFILE) == (120, 120)
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(
    ("code", "ending"),
    [(0, "ended"), (1, "ended"), (128, "ended"), (137, "killed"), (152, "deadline"), (153, "disk"), (-11, "killed")],
)
def test_a_code_above_128_is_a_signal(code, ending):
    assert ending_of(code) == ending


def test_folders_below_others_are_not_shown_twice():
    assert outermost(["/usr/lib", "/usr/lib/python3", "/opt/x", "/usr/lib64"]) == ["/usr/lib", "/opt/x", "/usr/lib64"]


def test_the_interpreter_is_not_its_virtual_environment():
    shown = interpreter().shown
    assert sys.prefix == sys.base_prefix or not any(Path(path).is_relative_to(sys.prefix) for path in shown)
    assert sys.prefix == sys.base_prefix or not any(Path(sys.prefix).is_relative_to(path) for path in shown)
