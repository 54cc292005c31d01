"""What every sandbox backend has to do, as checks that need no test runner: call `check(backend)` for each of `CHECKS`.

A check raises AssertionError. `FROM` says from which level on a check applies, `UNLESS` which backends cannot tell or
do something, as their documentation says.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from netgain.errors import SandboxError
from netgain.sandbox import Backend, Finished, Job, Level, Limits

MIB = 1 << 20
SMALL = Limits(wall_s=5.0, memory=96 * MIB, processes=8, disk=2 * MIB, result=1000, logs=100)
Check = Callable[[Backend], None]
LOOP = b"while True: pass"
FILL = b"""
file = open("big", "wb", buffering=0)
try:
    while True: file.write(bytes(65536))
except OSError:
    import time
    time.sleep(2)
"""
HOLD = b"held = []\nwhile True: held.append(b'x' * (1 << 20))"
BOMB = b"""
import os, time
while True:
    try:
        if os.fork() == 0: time.sleep(60); os._exit(0)
    except OSError: time.sleep(1)
"""


def ran(backend: Backend, source: bytes, limits: Limits = SMALL, **more: object) -> Finished:
    """Run one program."""
    return backend.run(Job(source=source, limits=limits, **more))  # type: ignore[arg-type]


def the_result_comes_through_the_private_pipe(backend: Backend) -> None:
    """Bytes on descriptor 3 are the result; what is printed is a log."""
    said = ran(backend, b"import os, sys\nos.write(3, b'answer')\nprint('out')\nprint('err', file=sys.stderr)")
    assert (said.ending, said.code, said.result) == ("ended", 0, b"answer"), said
    assert (said.out, said.err) == (b"out\n", b"err\n"), said
    assert (said.backend, said.level) == (backend.name, backend.level)
    assert said.wall_s > 0


def a_program_gets_its_input_and_its_files(backend: Backend) -> None:
    """Standard input, and files beside the program in folders of their own."""
    source = b"import os, sys\nos.write(3, sys.stdin.buffer.read() + open('a/b', 'rb').read() + open('c', 'rb').read())"
    said = ran(backend, source, stdin=b"in", files={"a/b": b"two", "c": b"three"})
    assert said.result == b"intwothree", said


def a_program_is_main(backend: Backend) -> None:
    """The program runs as `__main__`, by its own name, in isolated mode, with nothing of ours to import."""
    source = b"import os, sys\nos.write(3, repr((__name__, sys.argv, sys.flags.isolated)).encode())\nimport netgain"
    said = ran(backend, source, Limits(logs=4000))
    assert said.result == repr(("__main__", ["main.py"], 1)).encode(), said
    assert said.code == 1 and b"netgain" in said.err, said


def an_exit_code_is_told(backend: Backend) -> None:
    """Code and traceback of a program that fails."""
    assert ran(backend, b"import sys\nsys.exit(7)").code == 7
    said = ran(backend, b"1 / 0", Limits(logs=4000))
    assert said.code == 1 and b'File "main.py", line 1' in said.err, said


def the_environment_is_empty(backend: Backend) -> None:
    """No variable of ours is seen."""
    os.environ["NETGAIN_SECRET"] = "secret"
    try:
        said = ran(backend, b"import os\nos.write(3, repr(dict(os.environ)).encode())")
    finally:
        del os.environ["NETGAIN_SECRET"]
    assert said.result == b"{}", said


def logs_are_cut(backend: Backend) -> None:
    """More than `logs` bytes are thrown away; the program goes on."""
    said = ran(backend, b"import os\nprint('x' * 5000, flush=True)\nos.write(3, b'done')")
    assert (said.out, said.result, said.ending) == (b"x" * SMALL.logs, b"done", "ended"), said


def a_long_result_ends_the_job(backend: Backend) -> None:
    """More than `result` bytes on the private pipe end it: half an answer is no answer."""
    said = ran(backend, b"import os\nwhile True: os.write(3, b'x' * 500)")
    assert said.ending == "output" and said.code is None and len(said.result) == SMALL.result, said


def the_deadline_is_kept(backend: Backend) -> None:
    """The parent's clock ends a loop, soon."""
    said = ran(backend, LOOP, Limits(wall_s=0.3))
    assert said.ending == "deadline" and said.code is None and 0.3 <= said.wall_s < 3.0, said


def memory_is_limited_and_told(backend: Backend) -> None:
    """Too much memory ends the job, and is told as that."""
    said = ran(backend, HOLD)
    assert said.ending == "memory" and said.code is None, said


def processes_are_limited_and_told(backend: Backend) -> None:
    """Too many processes end the job, and are told as that."""
    said = ran(backend, BOMB)
    assert said.ending == "processes" and said.code is None, said


def disk_is_limited_and_told(backend: Backend) -> None:
    """A full folder ends the job, and is told as that."""
    said = ran(backend, FILL)
    assert said.ending == "disk" and said.code is None, said


def many_small_files_count_as_disk(backend: Backend) -> None:
    """Names without content fill a folder too."""
    said = ran(backend, b"import time\nfor n in range(20000): open(str(n), 'w').close()\ntime.sleep(2)")
    assert said.ending == "disk" or b"No space" in said.err, said


def cpu_time_is_limited(backend: Backend) -> None:
    """CPU seconds of one process end it before the clock does."""
    said = ran(backend, LOOP, Limits(wall_s=30.0, cpu_s=1.0))
    assert said.ending == "deadline" and said.wall_s < 29.0, said


def files_are_readable_only(backend: Backend) -> None:
    """A given file cannot be changed, whatever its mode is set to."""
    source = b"""
import os
for do in (lambda: open("given", "ab").write(b"x"), lambda: os.chmod("given", 0o777), lambda: open("given", "r+b")):
    try: do()
    except OSError: pass
os.write(3, open("given", "rb").read())
"""
    assert ran(backend, source, files={"given": b"same"}).result == b"same"


def the_folder_is_empty_and_writable(backend: Backend) -> None:
    """Nothing of an earlier job is in the folder, and the program may write there."""
    source = b"import os\nos.write(3, repr(sorted(os.listdir())).encode())\nopen('left', 'w').write('x')"
    assert [ran(backend, source).result for _ in range(2)] == [b"['main.py']"] * 2


def nothing_is_inherited(backend: Backend) -> None:
    """No descriptor but the first four is open."""
    read, write = os.pipe()
    os.set_inheritable(write, True)
    source = b"""
import os
found = []
for end in range(300):
    try: os.fstat(end)
    except OSError: continue
    found.append(end)
os.write(3, repr(found).encode())
"""
    try:
        assert ran(backend, source).result == b"[0, 1, 2, 3]"
    finally:
        os.close(read)
        os.close(write)


def a_name_that_leads_out_is_refused(backend: Backend) -> None:
    """A file of a job lies in its folder."""
    for name in ("../x", "/etc/x", "a/../../x", "", "main.py", "a//b"):
        try:
            ran(backend, b"pass", files={name: b""})
        except SandboxError as error:
            if repr(name) in str(error):
                continue
        raise AssertionError(name)


CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        the_result_comes_through_the_private_pipe, a_program_gets_its_input_and_its_files, a_program_is_main,
        an_exit_code_is_told, the_environment_is_empty, logs_are_cut, a_long_result_ends_the_job, the_deadline_is_kept,
        memory_is_limited_and_told, processes_are_limited_and_told, disk_is_limited_and_told,
        many_small_files_count_as_disk, cpu_time_is_limited, files_are_readable_only, the_folder_is_empty_and_writable,
        nothing_is_inherited, a_name_that_leads_out_is_refused,
    )
}  # fmt: skip
FROM: Mapping[str, Level] = {
    "memory_is_limited_and_told": Level.S2, "processes_are_limited_and_told": Level.S2,
    "disk_is_limited_and_told": Level.S2, "many_small_files_count_as_disk": Level.S2,
    "files_are_readable_only": Level.S2, "cpu_time_is_limited": Level.S1,
}  # fmt: skip
UNLESS: Mapping[str, frozenset[str]] = {
    # the package tells no reason for a kill, and its layer has no limit for names
    "sandlock": frozenset({
        "memory_is_limited_and_told", "processes_are_limited_and_told", "many_small_files_count_as_disk",
    }),
    # memory that cannot be had is an error of the program; nothing can be started or written; no clock of CPU time
    "wasm": frozenset({
        "memory_is_limited_and_told", "processes_are_limited_and_told", "disk_is_limited_and_told",
        "many_small_files_count_as_disk", "the_folder_is_empty_and_writable", "nothing_is_inherited",
        "cpu_time_is_limited",
    }),
}  # fmt: skip


def checks_of(backend: Backend) -> list[str]:
    """Names of the checks that apply to a backend."""
    without = UNLESS.get(backend.name, frozenset())
    return [name for name in CHECKS if backend.level >= FROM.get(name, Level.S0) and name not in without]
