"""A ledger is written on local disks only, and never with a journal that this disk or this SQLite does not bear."""

from pathlib import Path

import pytest

from netgain.errors import ConfigError
from netgain.ledger import Event, Ledger, mounts
from netgain.ledger.mounts import journal_for, kind_of, reset_bug

OLD, NEW = (3, 50, 4), (3, 51, 3)
TABLE = """\
/dev/vda / ext4 rw 0 0
proc /proc proc rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/scratch xfs rw 0 0
share /mnt/mein\\040Käse cifs rw 0 0
odd /mnt/odd fuse.odd rw 0 0
/dev/vdc /over ext4 rw 0 0
scratch /over lustre rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"), ("/srv/study", "ext4"), ("/home/me/study", "nfs4"), ("/homeless/study", "ext4"),
        ("/home/scratch/study", "xfs"), ("/mnt/mein Käse/a", "cifs"), ("/mnt/odd", "fuse.odd"), ("/over/a", "lustre"),
    ],
)  # fmt: skip
def test_the_deepest_and_latest_mount_holds_a_folder(folder: str, kind: str) -> None:
    assert kind_of(Path(folder), TABLE) == kind


def test_a_torn_table_says_nothing_rather_than_something_wrong() -> None:
    assert kind_of(Path("/srv"), "") == kind_of(Path("/srv"), "/dev/vda /\n\n") == ""


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False),
        ((3, 45, 0), True), ((3, 50, 6), True), ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)  # fmt: skip
def test_versions_with_the_bug_are_the_documented_ones(version: tuple[int, ...], has: bool) -> None:
    assert reset_bug(version) is has


@pytest.mark.parametrize(
    ("table", "version", "journal"),
    [
        ("/dev/vda / ext4 rw", OLD, "WAL"),  # one writer, guarded by a lock that holds
        ("odd / fuse.odd rw", OLD, "PERSIST"), ("odd / fuse.odd rw", NEW, "PERSIST"),
        ("", OLD, "PERSIST"), ("", NEW, "WAL"),
    ],
)  # fmt: skip
def test_the_journal_follows_from_disk_and_version(
    tmp_path: Path, table: str, version: tuple[int, ...], journal: str
) -> None:
    assert journal_for(tmp_path, mounts=table, version=version) == journal


def test_a_network_file_system_is_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "mount_table", lambda: "server:/x / nfs4 rw 0 0\n")
    with pytest.raises(ConfigError, match=r"network file system \(nfs4\).*run the study on a local disk"):
        Ledger.create(tmp_path / "study")


def test_what_lies_on_a_network_disk_can_still_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger.create(tmp_path) as log:
        log.append([Event("note", None, {})])
    monkeypatch.setattr(mounts, "mount_table", lambda: "server:/x / nfs4 rw 0 0\n")
    with Ledger.open(tmp_path, readonly=True) as log:
        assert log.size == 1


def test_a_ledger_with_the_rollback_journal_is_written_continued_read_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "mount_table", lambda: "odd / fuse.odd rw 0 0\n")
    for _ in range(2):
        with Ledger.create(tmp_path) if not Ledger.begun(tmp_path) else Ledger.open(tmp_path) as log:
            log.append([Event("note", None, {})])
            assert (tmp_path / "ledger.db-journal").exists() and not (tmp_path / "ledger.db-wal").exists()
            with Ledger.open(tmp_path, readonly=True) as reader:
                assert reader.size == log.size
    with Ledger.open(tmp_path) as log:
        log.seal_files()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger.db", "study.sha256"]
