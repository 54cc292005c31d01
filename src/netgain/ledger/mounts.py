"""On what kind of disk a folder lies, and which journal SQLite may use there.

The write-ahead log needs memory that all processes share and locks that hold, which network file systems do not give
(https://www.sqlite.org/wal.html, "Disadvantages"). And SQLite 3.7.0 to 3.51.2 can lose a commit when two connections
write or checkpoint a write-ahead log at the same instant (the WAL-reset bug, same page; repaired in 3.51.3, 3.50.7 and
3.44.6). A study has one writer, guarded by a file lock, so on a local disk the bug cannot bite. On a disk of a kind
that is not known here, and for an affected SQLite where the kind cannot be told, the persistent rollback journal is
used.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from netgain.errors import ConfigError

MOUNTS = Path("/proc/self/mounts")
LOCAL = frozenset({
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "tmpfs", "ramfs", "overlay",
    "aufs", "vfat", "exfat", "ntfs", "ntfs3",
})  # fmt: skip
NETWORK = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "lustre", "gpfs", "beegfs", "ceph", "glusterfs", "orangefs",
    "pvfs2", "panfs", "wekafs", "virtiofs", "vboxsf", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.rclone",
    "fuse.s3fs", "fuse.gcsfuse", "fuse.juicefs", "fuse.vmhgfs-fuse", "fuse.lizardfs", "fuse.moosefs", "fuse.beegfs",
})  # fmt: skip
BACKPORTS = {(3, 44): 6, (3, 50): 7}  # series -> first release that has the repair
REPAIRED = (3, 51, 3)


def kind_of(folder: Path, mounts: str) -> str:
    """Type of the file system that holds a folder, "" where the table does not say.

    Args:
        folder: absolute and resolved.
        mounts: text of a mount table, /proc/mounts: device, mount point, type, ...; a later line covers an earlier one.
    """
    found, depth = "", -1
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1]))  # a space is \040
        if folder.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = fields[2], len(point.parts)
    return found


def mount_table() -> str:
    """This machine's mount table, "" where there is none to read (no Linux)."""
    try:
        return MOUNTS.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def reset_bug(version: tuple[int, ...]) -> bool:
    """Whether an SQLite of a version, (3, 50, 4), has the WAL-reset bug."""
    patch = BACKPORTS.get((version[0], version[1]))
    return (3, 7, 0) <= version < REPAIRED and not (patch is not None and version[2] >= patch)


def journal_for(folder: Path, *, mounts: str | None = None, version: tuple[int, ...] | None = None) -> str:
    """ "WAL" or "PERSIST": the journal of a ledger that is written in a folder.

    Args:
        folder: of the study; there.
        mounts: a mount table in place of this machine's.
        version: of SQLite, in place of the one that is loaded.

    Raises:
        ConfigError: the folder lies on a network file system.
    """
    kind = kind_of(Path(folder).resolve(), mount_table() if mounts is None else mounts)
    if kind in NETWORK:
        raise ConfigError(
            f"a network file system ({kind}): its locks and shared memory do not keep a ledger whole",
            where=str(folder),
            fix="run the study on a local disk, then copy it, or what `netgain bundle` makes, there",
        )
    sound = not kind and not reset_bug(version or sqlite3.sqlite_version_info)
    return "WAL" if kind in LOCAL or sound else "PERSIST"
