"""Signed checkpoints: size and head of a log, as short texts that anybody can keep (C2SP signed-note, tlog-checkpoint).

This module knows the form and the file; it neither signs nor checks a signature (`netgain.signing`, `netgain.verify`).
A note is a text, a blank line, and a line per signature: an em dash, the key's name, and base64 of four bytes of key id
and the signature. `checkpoints.txt` holds notes one after another, each with a blank line behind it. It is appended to
only, after the log is on the disk, so that it never says more than the log holds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from netgain.canonical import digest
from netgain.errors import ConfigError
from netgain.ledger import files

FILE = "checkpoints.txt"
ED25519 = b"\x01"  # signature type of the C2SP specification
NAME = re.compile(r"[^\s+]{1,200}")  # of a key: its specification forbids spaces and plus
WINDOW_BYTES = 8192  # many times the length of a note


@dataclass(frozen=True)
class Key:
    """A public key of signed notes.

    Attributes:
        name: of whoever signs; no space and no plus.
        public: 32 bytes, Ed25519.
    """

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes: SHA-256 of name, line feed, type and key (C2SP signed-note, "Signatures")."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """`name+id+key`, the form in which keys are registered and passed on."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"


def read_key(text: str) -> Key:
    """The key of a `name+id+key` text.

    Raises:
        ConfigError: another form, another type of key, or an id that is not that of the key.
    """
    name, _, rest = text.strip().partition("+")
    ident, _, body = rest.partition("+")
    try:
        raw = base64.b64decode(body, validate=True)
    except binascii.Error:
        raw = b""
    key = Key(name, raw[1:])
    if not NAME.fullmatch(name) or len(raw) != 33 or raw[:1] != ED25519 or key.id.hex() != ident:
        raise ConfigError(f"{text.strip()!r} is no key, expected name+id+key", fix="copy the whole line")
    return key


@dataclass(frozen=True)
class Note:
    """A text and who signed it.

    Attributes:
        text: lines, with the last line feed; what the signatures cover.
        signed: (key name, key id, signature of 64 bytes), one for each signature line.
    """

    text: str
    signed: Sequence[tuple[str, bytes, bytes]]

    def __str__(self) -> str:
        lines = [f"— {name} {base64.b64encode(ident + made).decode()}\n" for name, ident, made in self.signed]
        return f"{self.text}\n{''.join(lines)}"


def origin(claim_digest: str, secret_sha256: str) -> str:
    """Name of a study's log, which no other study has: the secret's digest is drawn at random."""
    return f"netgain/{digest([claim_digest, secret_sha256])[:32]}"


def checkpoint(origin: str, size: int, root: str) -> str:
    """The text of a checkpoint: origin, entries, and the tree head (`root`, hex) in base64."""
    return f"{origin}\n{size}\n{base64.b64encode(bytes.fromhex(root)).decode()}\n"


def append(folder: Path, note: Note) -> None:
    """Add a note to the study's file, durably; what a power cut left half-written at its end is cut off first.

    Raises:
        DiskFull: no room; complete notes are kept.
        ConfigError: no permission.
    """
    path = folder / FILE
    new = not path.exists()
    try:
        with open(path, "a+b") as file:
            start, tail = _tail(file)
            if tail != (whole := _whole(tail)) and (whole or not start):
                file.truncate(start + len(whole))
            _write(file, f"{note}\n".encode())
        if new:
            files.sync_folder(folder)
    except OSError as error:
        raise files.translate(error, folder) from error


def _write(file: BinaryIO, data: bytes) -> None:
    """Add bytes durably, or nothing: what was not flushed would be signed a second time."""
    before = file.seek(0, os.SEEK_END)
    try:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            os.ftruncate(file.fileno(), before)
        raise


def last_size(folder: Path) -> int:
    """Entries that the last complete checkpoint of a folder covers, 0 without one."""
    path = folder / FILE
    if not path.exists():
        return 0
    with open(path, "rb") as file:
        parts = _whole(_tail(file)[1]).decode(errors="replace").split("\n\n")
    found = re.search(r"\n([0-9]+)\n[^\n]*$", parts[-3]) if len(parts) > 2 else None
    return int(found[1]) if found else 0


def _tail(file: BinaryIO) -> tuple[int, bytes]:
    """The end of a file and where it starts: there are as many notes as decisions, and each is short."""
    start = max(0, file.seek(0, os.SEEK_END) - WINDOW_BYTES)
    file.seek(start)
    return start, file.read()


def _whole(data: bytes) -> bytes:
    """Up to the last note that is complete: a signature line, and a blank line behind it."""
    ends = [found.end() for found in re.finditer(rb"\n\xe2\x80\x94 [^\n]*\n\n", data)]
    return data[: ends[-1]] if ends else b""
