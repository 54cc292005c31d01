"""Objects are whole, named by their bytes, and checked at every read."""

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from netgain.errors import DiskFull, IntegrityError
from netgain.stores import ObjectStore


def test_bytes_come_back_under_their_digest(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "objects")
    name = store.put(b"weights")
    assert name == hashlib.sha256(b"weights").hexdigest()
    assert (tmp_path / "objects" / name[:2] / name[2:]).read_bytes() == b"weights"
    assert (store.get(name), store.has(name), list(store.digests())) == (b"weights", True, [name])


def test_keeping_twice_changes_nothing(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    name = store.put(b"a")
    before = (tmp_path / name[:2] / name[2:]).stat().st_mtime_ns
    assert store.put(b"a") == name
    assert (tmp_path / name[:2] / name[2:]).stat().st_mtime_ns == before


def test_threads_may_keep_the_same_bytes_at_once(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    threads = [threading.Thread(target=store.put, args=(b"x" * 10**6,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (name,) = store.digests()
    assert store.get(name) == b"x" * 10**6


def test_changed_bytes_are_never_returned(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    name = store.put(b"weights")
    (tmp_path / name[:2] / name[2:]).write_bytes(b"Weights")
    with pytest.raises(IntegrityError, match="bytes have digest"):
        store.get(name)


def test_missing_object_is_named(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="no object 00"):
        ObjectStore(tmp_path).get("0" * 64)


@pytest.mark.parametrize("name", ["", "ab", "../../etc/passwd", "A" * 64, "0" * 63 + "g", "0" * 64 + "\n"])
def test_a_name_that_is_no_digest_reaches_no_file(tmp_path: Path, name: str) -> None:
    store = ObjectStore(tmp_path)
    for ask in (store.get, store.has, store.delete):
        with pytest.raises(IntegrityError, match="64 lower-case hex digits"):
            ask(name)


def test_deleting_twice_is_no_error(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    name = store.put(b"a")
    store.delete(name)
    store.delete(name)
    assert not store.has(name)


def test_full_disk_leaves_no_object_and_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = ObjectStore(tmp_path)
    kept = store.put(b"before")
    store.put(hashlib.sha256(b"after").digest())  # so that only the file itself remains to be flushed
    (tmp_path / hashlib.sha256(b"after").hexdigest()[:2]).mkdir(exist_ok=True)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull):
        store.put(b"after")
    assert not store.has(hashlib.sha256(b"after").hexdigest())
    assert store.get(kept) == b"before"
    assert not list(tmp_path.rglob(".tmp-*"))
