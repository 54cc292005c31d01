"""The file of checkpoints only grows, one whole note at a time, however long it is."""

import errno
import os
from pathlib import Path

import pytest

from netgain.errors import DiskFull
from netgain.ledger import checkpoint
from netgain.ledger.checkpoint import FILE, Key, Note, append, last_size, origin, read_key

KEY = Key("lab", bytes(range(32)))


def note(size: int) -> Note:
    text = checkpoint.checkpoint(origin("11" * 32, "22" * 32), size, f"{size:064x}")
    return Note(text, [(KEY.name, KEY.id, bytes([size % 256]) * 64)])


def test_a_key_is_read_as_it_is_written() -> None:
    assert read_key(str(KEY)) == read_key(f"  {KEY}\n") == KEY


def test_notes_stand_one_after_another_and_the_last_is_known(tmp_path: Path) -> None:
    assert last_size(tmp_path) == 0
    for size in range(1, 300):
        append(tmp_path, note(size))
        assert last_size(tmp_path) == size
    assert (tmp_path / FILE).read_text() == "".join(f"{note(size)}\n" for size in range(1, 300))
    assert (tmp_path / FILE).stat().st_size > 4 * checkpoint.WINDOW_BYTES


@pytest.mark.parametrize("before", [0, 1, 100])
def test_what_was_half_written_is_cut_off_wherever_it_ends(tmp_path: Path, before: int) -> None:
    whole = "".join(f"{note(size)}\n" for size in range(1, before + 1)).encode()
    torn, path = f"{note(before + 1)}\n".encode(), tmp_path / FILE
    for cut in range(len(torn)):
        path.write_bytes(whole + torn[:cut])
        assert last_size(tmp_path) == before
        append(tmp_path, note(before + 1))
        assert path.read_bytes() == whole + torn, cut


def test_no_room_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    append(tmp_path, note(1))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull):
        append(tmp_path, note(2))
    assert (tmp_path / FILE).read_text() == f"{note(1)}\n"
