"""A backend without any isolation, for tests of what stands on our side of it: level S0, and a deadline."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from netgain.sandbox import RESULT_FD, Finished, Job, Level


class Bare:
    """A child process in a fresh folder, with the parent's environment and rights."""

    name = "bare"
    level = Level.S0

    def run(self, job: Job) -> Finished:
        """The seam's one method."""
        with tempfile.TemporaryDirectory(prefix="bare-", ignore_cleanup_errors=True) as folder:
            for name, data in {"main.py": job.source, **job.files}.items():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / name).write_bytes(data)
            return self._run(job, folder)

    def _run(self, job: Job, folder: str) -> Finished:
        reading, writing = os.pipe()
        kept: list[bytes] = []
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        process = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$0" -I -S main.py {RESULT_FD}>/dev/fd/{writing}', sys.executable],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[writing],
        )  # fmt: skip
        os.close(writing)
        reader = threading.Thread(target=_read, args=(os.fdopen(reading, "rb"), kept, job.limits.result), daemon=True)
        reader.start()
        ending = "ended"
        try:
            out, err = process.communicate(job.stdin, timeout=job.limits.wall_s)
        except subprocess.TimeoutExpired:
            process.kill()  # the one process: what it left behind lives on
            ending, out, err = "deadline", b"", b""
            with suppress(subprocess.TimeoutExpired):
                out, err = process.communicate(timeout=0.2)
        reader.join(0.2)
        for pipe in (process.stdin, process.stdout, process.stderr):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if ending == "ended" and process.returncode < 0:
            ending = "killed"
        return Finished(
            ending="output" if len(b"".join(kept)) > job.limits.result else ending,  # type: ignore[arg-type]
            code=process.returncode if ending == "ended" else None, result=b"".join(kept)[: job.limits.result],
            out=out[: job.limits.logs], err=err[: job.limits.logs], wall_s=time.monotonic() - began,
            cpu_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak_memory=None,
            backend=self.name, level=self.level,
        )  # fmt: skip


def _read(pipe: IO[bytes], kept: list[bytes], most: int) -> None:
    with pipe:
        while sum(map(len, kept)) <= most and (piece := os.read(pipe.fileno(), 1 << 16)):
            kept.append(piece)
