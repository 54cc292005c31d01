"""WebAssembly: CPython for WASI on wasmtime, for programs in pure Python, on every system.

The program has no system calls at all: no processes, no sockets, no signals, no threads, and memory that cannot grow
past its limit. Its folder is read-only here, unlike in other backends. Slow: loops take several times as long as
natively, and there is no NumPy. The interpreter is a file that you name.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from netgain.errors import SandboxError
from netgain.sandbox.channels import Channels
from netgain.sandbox.handing import checked_name, readable
from netgain.sandbox.seam import Ending, Finished, Job, Level

VARIABLE = "NETGAIN_PYTHON_WASM"
INSTALL = "pip install 'netgain[wasm]'"
START_S = 300.0  # seconds for compiling the interpreter, once; a cache in your home keeps it
STARTED = b"embed: started\n"
NOT_STARTED = 120
TRAPPED = 137
BOOT = """import sys
sys.argv[:] = ["main.py"]
module = type(sys)("__main__")
module.__dict__.update(__file__="main.py", __builtins__=__builtins__)
sys.modules["__main__"] = module
with open("/main.py", "rb") as file:
    code = compile(file.read(), "main.py", "exec")
exec(code, module.__dict__)
"""


@dataclass
class Wasm:
    """wasmtime around each job.

    Args:
        module: CPython for WASI preview 1 with its library inside; the file that NETGAIN_PYTHON_WASM names by default.
        packages: The folder that holds wasmtime; where this interpreter finds it when not given.
        cache: Whether wasmtime may keep what it has compiled in your home.

    Raises:
        SandboxError: wasmtime is not installed, or there is no such file.
    """

    module: str | None = None
    packages: str | None = None
    cache: bool = True
    name: str = field(init=False, default="wasm")
    level: Level = field(init=False, default=Level.S3)

    def __post_init__(self) -> None:
        self.module = self.module or os.environ.get(VARIABLE)
        if not self.module:
            raise SandboxError("no CPython for WASI is named", fix=f"set {VARIABLE} to the file; see docs/sandbox.md")
        if not os.path.isfile(self.module):
            raise SandboxError(f"no file {self.module!r}, expected CPython for WASI", fix=f"mend {VARIABLE}")
        if self.packages is None:
            found = find_spec("wasmtime")
            if found is None or found.origin is None:
                raise SandboxError("the package 'wasmtime' is not installed", fix=INSTALL)
            self.packages = str(Path(found.origin).parents[1])

    def run(self, job: Job) -> Finished:
        """Run a job; see `netgain.sandbox.seam.Backend`.

        Raises:
            SandboxError: packages are asked for, or the program could not be started.
        """
        if job.site:
            raise SandboxError(f"site {job.site}, but WebAssembly runs pure Python only", fix="use 'bubblewrap'")
        with _folders(job) as folder, Channels(job.limits) as channels:
            process = self._started(job, folder, channels)
            try:
                self._await_start(process, channels)
                began = time.monotonic()
                done, until = (lambda: process.poll() is not None), began + job.limits.wall_s
                broken = channels.wait(done, until, lambda: None)
                wall = time.monotonic() - began
            finally:
                process.kill()
                process.wait()
            broken = channels.rest() or broken
            return self._finished(process.returncode, broken, wall, channels)

    def _started(self, job: Job, folder: Path, channels: Channels) -> subprocess.Popen[bytes]:
        spec = {"module": self.module, "cache": self.cache, "memory": job.limits.memory, "given": str(folder),
                "argv": ["python", "-I", "-S", "/.boot.py"], "pipe": channels.theirs["result"]}  # fmt: skip
        command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("embed.py")), str(self.packages)]
        home = {name: os.environ[name] for name in ("HOME", "XDG_CACHE_HOME") if name in os.environ}
        stdin = readable(job.stdin)
        try:
            return subprocess.Popen(
                [*command, json.dumps(spec)], stdin=stdin, stdout=channels.theirs["out"],
                stderr=channels.theirs["err"], env=home if self.cache else {}, cwd="/", start_new_session=True,
                pass_fds=[channels.theirs["result"]],
            )  # fmt: skip
        finally:
            os.close(stdin)
            channels.handed_over()

    @staticmethod
    def _await_start(process: subprocess.Popen[bytes], channels: Channels) -> None:
        """The clock of the job starts when its interpreter has been compiled or read from the cache."""
        until = time.monotonic() + START_S

        def begun() -> bool:
            return STARTED in channels.kept["err"] or process.poll() is not None

        while not begun() and time.monotonic() < until:
            channels.wait(begun, min(until, time.monotonic() + 0.05), lambda: None)
        if process.poll() == NOT_STARTED or STARTED not in channels.kept["err"]:
            channels.rest()
            if STARTED not in channels.kept["err"]:
                said = bytes(channels.kept["err"]).decode(errors="replace")[-500:] or "it took too long"
                raise SandboxError(f"WebAssembly could not be started: {said!r}", fix="see docs/sandbox.md")
        channels.kept["err"] = bytearray(bytes(channels.kept["err"]).replace(STARTED, b"", 1))

    def _finished(self, code: int, broken: Ending | None, wall: float, channels: Channels) -> Finished:
        ending: Ending = broken or ("killed" if code < 0 or code == TRAPPED else "ended")
        return Finished(
            ending=ending, code=code if ending == "ended" else None, result=channels.result,
            out=bytes(channels.kept["out"]), err=bytes(channels.kept["err"]), wall_s=wall, cpu_s=None, peak_memory=None,
            backend=self.name, level=self.level,
        )  # fmt: skip


@contextlib.contextmanager
def _folders(job: Job) -> Iterator[Path]:
    """A folder with what the program may read."""
    with tempfile.TemporaryDirectory(prefix="netgain-", ignore_cleanup_errors=True) as name:
        given = {**{checked_name(one): data for one, data in job.files.items()}, "main.py": job.source}
        given[".boot.py"] = BOOT.encode()
        for relative, data in given.items():
            path = Path(name, relative)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        yield Path(name)
