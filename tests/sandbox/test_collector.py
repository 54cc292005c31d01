"""Only plain files below the folder are taken: each way around that is planted on the disk and refused."""

import os
import socket
import stat
import time
from pathlib import Path

import pytest

from netgain.errors import EvaluateError
from netgain.sandbox import collector
from netgain.sandbox.collector import Room, collect, take, walked

ROOM = Room(file=1 << 20, total=1 << 21, files=20, folders=5, depth=3)
SECRET = b"the sealed answers"


@pytest.fixture
def folder(tmp_path):
    """An output folder with a plain file, and a secret beside it."""
    (tmp_path / "secret").write_bytes(SECRET)
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub" / "fine").write_bytes(b"fine")
    return out


def sparse(path, size):
    with open(path, "wb") as file:
        file.truncate(size)


def bound(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))  # a socket's name has at most 107 bytes


PLANTED = {
    "a link to the secret": lambda out: (out / "x").symlink_to(out.parent / "secret"),
    "a relative link": lambda out: (out / "x").symlink_to("../secret"),
    "a link to a plain neighbour": lambda out: (out / "x").symlink_to("sub/fine"),
    "a link to a folder": lambda out: (out / "x").symlink_to(out.parent),
    "a broken link": lambda out: (out / "x").symlink_to("nowhere"),
    "a magic link": lambda out: (out / "x").symlink_to("/proc/self/environ"),
    "a hard link to the secret": lambda out: (out / "x").hardlink_to(out.parent / "secret"),
    "a hard link to a neighbour": lambda out: (out / "x").hardlink_to(out / "sub" / "fine"),
    "a FIFO": lambda out: os.mkfifo(out / "x"),
    "a socket": lambda out: bound(out / "x"),
    "a sparse file within its size": lambda out: sparse(out / "x", 1 << 19),
    "a sparse terabyte": lambda out: sparse(out / "x", 1 << 40),
    "a file that is too large": lambda out: (out / "x").write_bytes(bytes((1 << 20) + 1)),
    "too much in all": lambda out: [(out / f"x{n}").write_bytes(os.urandom(1 << 20)) for n in range(3)],
    "too many files": lambda out: [(out / f"x{n}").write_bytes(b"") for n in range(21)],
    "too many folders": lambda out: [(out / f"x{n}").mkdir() for n in range(6)],
    "too deep": lambda out: (out / "a" / "b" / "c" / "d").mkdir(parents=True),
    "a name with a line feed": lambda out: (out / "x\ny").write_bytes(b""),
    "a name with an escape": lambda out: (out / "\x1b[2J").write_bytes(b""),
    "a name with a backslash": lambda out: (out / "..\\x").write_bytes(b""),
    "a name that is no text": lambda out: Path(os.fsdecode(os.fsencode(out) + b"/\xff")).write_bytes(b""),
}


@pytest.mark.parametrize("name", PLANTED)
def test_one_hostile_entry_refuses_the_folder(name, folder):
    assert collect(folder, ROOM) == {"sub/fine": b"fine"}
    PLANTED[name](folder)
    began = time.monotonic()
    with pytest.raises(EvaluateError, match="output refused") as error:
        collect(folder, ROOM)
    assert time.monotonic() - began < 2.0 and error.value.what.isprintable()


@pytest.mark.parametrize("name", ["../secret", "sub/../../secret", "/etc/passwd", "", ".", "sub/", "sub//fine", "x\0y"])
def test_a_name_that_leads_elsewhere_is_refused(name, folder):
    assert take(folder, "sub/fine", ROOM) == b"fine"
    with pytest.raises(EvaluateError, match="output refused"):
        take(folder, name, ROOM)


@pytest.mark.parametrize("name", ["x/secret", "y/fine", "x", "gone", "sub"])
def test_a_link_in_the_middle_is_not_followed(name, folder):
    (folder / "x").symlink_to(folder.parent)
    (folder / "y").symlink_to("sub")
    with pytest.raises(EvaluateError, match="output refused"):
        take(folder, name, ROOM)


def test_the_output_folder_itself_may_not_be_a_link(folder):
    there = folder.rename(folder.parent / "moved")
    folder.symlink_to(there)
    with pytest.raises(EvaluateError, match="no output folder"):
        collect(folder, ROOM)


def test_another_mount_is_refused():
    assert os.stat("/proc").st_dev != os.stat("/").st_dev
    with pytest.raises(EvaluateError, match="EXDEV"):
        take(Path("/"), "proc/version", ROOM)


def test_a_file_that_changes_while_it_is_read_is_refused(folder, monkeypatch):
    read = collector._read
    monkeypatch.setattr(collector, "_read", lambda file, most: [read(file, most), os.utime(folder / "sub/fine")][0])
    with pytest.raises(EvaluateError, match="changed while"):
        collect(folder, ROOM)


def test_without_openat2_the_path_is_walked_by_the_same_rules(folder, monkeypatch):
    def missing(top, name, flags):
        raise OSError(38, "no such call")

    monkeypatch.setattr(collector, "_openat2", missing)
    assert collect(folder, ROOM) == {"sub/fine": b"fine"}
    (folder / "x").symlink_to(folder.parent)
    (folder / "y").symlink_to("sub/fine")
    for name in ("x/secret", "y", "../secret"):
        with pytest.raises(EvaluateError, match="output refused"):
            take(folder, name, ROOM)
    with pytest.raises(EvaluateError, match="EXDEV"):
        take(Path("/"), "proc/version", ROOM)


def test_walking_leaves_no_descriptor_open(folder):
    top = os.open(folder, os.O_RDONLY)
    before = len(os.listdir("/proc/self/fd"))
    for name in ("sub/fine", "gone/x", "sub/gone"):
        try:
            os.close(walked(top, name, collector.READ))
        except OSError:
            continue
    for _ in range(3):
        collect(folder, ROOM)
    assert len(os.listdir("/proc/self/fd")) == before
    os.close(top)


def test_a_naive_reader_would_have_read_the_link(folder):
    (folder / "x").symlink_to("../secret")
    assert (folder / "x").read_bytes() == SECRET and stat.S_ISLNK(os.lstat(folder / "x").st_mode)
