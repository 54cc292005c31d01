"""A finished study as one zip file that verifies by itself, offline: `netgain verify FILE.zip`, `verify.py FILE.zip`.

It holds the sealed folder as it is (log, files, objects, checkpoints, report, list of digests) below `study/`, the
public keys, and two lines for people. Names are sorted and times fixed: with the same zlib the same study gives the
same bytes. Items that a rule generates follow from the secrets in the log; items of a file or of the user's own code
are in the record by digest only, so a bundle does not hold them.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netgain import __version__
from netgain.errors import ConfigError, IntegrityError
from netgain.ledger import Ledger, files
from netgain.signing import ROTATED

Json = Any
README = """\
A netgain study: its sealed folder is study/. Check it offline with `netgain verify THIS.zip`, or with the one file
verify.py of the netgain source and plain Python: `python3 verify.py THIS.zip` (take that file from elsewhere).
"""
FIXED = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can say


@dataclass(frozen=True)
class Bundled:
    """What was written.

    Attributes:
        path: the file.
        files: of the study.
        size: bytes of the zip file.
        sha256: of the zip file, hex.
    """

    path: Path
    files: int
    size: int
    sha256: str


def write_bundle(folder: Path, path: Path) -> Bundled:
    """Pack a finished study.

    Args:
        folder: the study.
        path: file to be written, outside the folder; there must be none.

    Raises:
        ConfigError: not finished, or the file is there already or would lie inside the study.
        IntegrityError: a file of the study is not what its list of digests says.
        DiskFull: no room; no half-written bundle is left.
    """
    _check_place(folder, path)
    listed = [line[66:] for line in (folder / files.DIGESTS).read_text().splitlines()]
    temporary = path.with_name(f"{files.TEMPORARY}{os.getpid()}-{path.name}")
    try:
        with open(temporary, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
                for name, text in sorted(_head(folder, len(listed)).items()):
                    archive.writestr(_entry(name), text)
                for name, data in _contents(folder):
                    archive.writestr(_entry(f"study/{name}"), data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        files.sync_folder(path.parent)
    except OSError as error:
        raise files.translate(error, path.parent) from error
    finally:
        temporary.unlink(missing_ok=True)
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return Bundled(path, len(listed), path.stat().st_size, found)


def _check_place(folder: Path, path: Path) -> None:
    if not (folder / files.DIGESTS).exists():
        fix = f"`netgain run {folder}` goes on to the verdict"
        raise ConfigError("the study is not finished: its files are not sealed yet", where=str(folder), fix=fix)
    if path.resolve().is_relative_to(folder.resolve()):
        what = f"{str(path)!r} is inside the study, whose files are sealed"
        raise ConfigError(what, where="--out", fix="name a file outside")
    if path.exists():
        raise ConfigError(f"{str(path)!r} exists", where="--out", fix="remove it, or name another file")


def _head(folder: Path, count: int) -> dict[str, str]:
    """What stands beside the study: two lines for people, what is inside, and the public keys of its checkpoints."""
    with Ledger.open(folder, readonly=True) as log:
        registered = next(log.events("claim_registered")).data
        size, root = log.head()
        rotations = [str(event.data["new"]) for event in log.events(ROTATED)]
    keys = [str(registered["log_key"]), *rotations] if "log_key" in registered else []
    about: dict[str, Json] = {
        "schema": "netgain.bundle/1", "netgain": __version__, "claim_digest": registered["claim_digest"],
        "tree_size": size, "tree_head": root, "files": count,
    }  # fmt: skip
    found = {"README.txt": README, "bundle.json": json.dumps(about, indent=2, sort_keys=True) + "\n"}
    return {**found, "keys.txt": "".join(f"{key}\n" for key in keys)} if keys else found


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the sealed folder, in order, with the bytes that its list of digests promises."""
    text = (folder / files.DIGESTS).read_bytes()
    for line in text.decode().splitlines():
        wanted, name = line[:64], line[66:]
        try:
            data = (folder / name).read_bytes()
        except FileNotFoundError:
            data = b""
        if hashlib.sha256(data).hexdigest() != wanted:
            raise IntegrityError(f"{name!r} is not what was sealed", where=str(folder), fix="see `netgain verify`")
        yield name, data
    yield files.DIGESTS, text


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, FIXED)
    entry.create_system, entry.external_attr, entry.compress_type = 3, 0o100644 << 16, zipfile.ZIP_DEFLATED
    return entry
