"""A task in a process and an empty folder of its own: what loop code leaves behind, no later task finds.

Loop code is a function of its task (`netgain.jobs`). Here it is made one: each task is done by a copy of a worker that
has loaded the loop and done nothing else, in a new folder that is its working directory, its home and its place for
temporary files. Afterwards what it started is ended, and the folder removed. On Linux with Landlock the copy can write
nowhere else (`fence`): a cache beside the loop's file, in /dev/shm or in the real home fails the task that writes it.

Not covered: what loop code reads, which is all that its account may; the network; a machine without `fork`, where one
process does task after task; a loop that asks for that itself (`Loop.apart`), or that runs on an accelerator.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

from netgain.executors.fence import fence
from netgain.executors.keeper import PATIENCE_SECONDS, descendants, reap

OWN = {"HOME": "home", "TMPDIR": "tmp"}  # variable -> folder in that of the task


@contextlib.contextmanager
def own_folder(given: Sequence[str] = ()) -> Iterator[str]:
    """An empty folder below the working directory, which it stands in for; gone afterwards, with all that is in it.

    Args:
        given: variables of the environment that keep their value because the loop has named them.

    Raises:
        OSError: it could not be emptied.
    """
    before = os.getcwd()
    folder = os.path.join(before, os.urandom(8).hex())  # a number would tell how many tasks came before
    os.mkdir(folder)
    for name, inner in OWN.items():
        os.mkdir(os.path.join(folder, inner))
        if name not in given:
            os.environ[name] = os.path.join(folder, inner)
    tempfile.tempdir = None  # else what the loop asked while it was imported stays
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)
        _remove(folder)


def _remove(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.exists(folder):  # folders that were closed: one after the other is opened
        for path, folders, _ in os.walk(folder):
            for name in folders:
                if not os.path.islink(os.path.join(path, name)):
                    os.chmod(os.path.join(path, name), 0o700)
        os.chmod(folder, 0o700)
        shutil.rmtree(folder)


def apart(do: Callable[[BinaryIO], None], sink: BinaryIO, given: Sequence[str] = (), *, fenced: bool = True) -> None:
    """Do something in a copy of this process, with a folder of its own; then end whatever it has started.

    What it tells reaches the sink when all that is over. The process ends, with the status of the copy, where the copy
    did not end well, or leaves something that cannot be ended: it is not known what a next task would find.

    Args:
        do: is given a file for its answer. It holds neither the sink nor what the tasks come from.
        sink: where the answer goes.
        given: as for `own_folder`.
        fenced: whether the copy can write into its folder only, where the system knows how (`fence`).
    """
    with open(os.memfd_create("answer"), "w+b") as told:
        with own_folder(given) as folder:
            copy = os.fork()
            if copy == 0:
                os.close(sink.fileno())
                _as_copy(do, told, folder if fenced else "")
            code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
            gone = end_started()
        silent = not os.fstat(told.fileno()).st_size  # loop code ended it, with a status that says nothing
        if code or silent or not gone:
            os._exit(code if code > 0 else 128 - code)
        told.seek(0)
        shutil.copyfileobj(told, sink, 1 << 20)
        sink.flush()


def _as_copy(do: Callable[[BinaryIO], None], told: BinaryIO, fenced: str) -> None:
    code = 1
    try:
        if fenced:
            fence(fenced)
        do(told)
        told.flush()
        code = 0
    finally:
        os._exit(code)


def end_started() -> bool:
    """End every process that this one is left with; whether none is left.

    This process has to be the reaper of all that it started (`keeper.prctl`), else what detached itself is not found.
    """
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        reap()
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        for pid in descendants():
            with contextlib.suppress(OSError):
                os.kill(pid, 9)
        time.sleep(0.001)
    return False


def can_copy(device: str) -> bool:
    """Whether a process may be copied once it has loaded a loop; the driver of an accelerator does not survive it."""
    return sys.platform == "linux" and device == "cpu"
