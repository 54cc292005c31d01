"""Content-addressed bytes in a folder: the name of an object is the SHA-256 of its bytes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from netgain.errors import IntegrityError
from netgain.ledger import files

NAME = re.compile(r"[0-9a-f]{64}")


class ObjectStore:
    """`folder/ab/cdef…`: written once, checked at every read. Safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def put(self, data: bytes) -> str:
        """Keep bytes durably; their digest, 64 hex digits. Keeping the same bytes twice changes nothing.

        Raises:
            DiskFull: no room; nothing half-written is left under a digest's name.
            ConfigError: no permission.
        """
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if not path.exists():
            self._make(path.parent)
            files.write_durably(path, data)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of a digest.

        Raises:
            IntegrityError: no such object, or its bytes have another digest.
        """
        path = self._path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise IntegrityError(f"no object {digest}", where=str(self.folder), fix="restore it from a copy") from None
        found = hashlib.sha256(data).hexdigest()
        if found != digest:
            raise IntegrityError(f"bytes have digest {found}", where=str(path), fix="restore the object from a copy")
        return data

    def has(self, digest: str) -> bool:
        """Whether there is an object of this name (its bytes are checked by `get`)."""
        return self._path(digest).exists()

    def delete(self, digest: str) -> None:
        """Drop an object; one that is not there is no error, so that a repeated clean-up changes nothing."""
        self._path(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """All names, sorted; half-written files are left out."""
        names = (path.parent.name + path.name for path in sorted(self.folder.glob("??/*")))
        return (name for name in names if NAME.fullmatch(name))

    def _path(self, digest: str) -> Path:
        if not NAME.fullmatch(digest):
            raise IntegrityError(f"object name {digest!r}", where=str(self.folder), fix="give 64 lower-case hex digits")
        return self.folder / digest[:2] / digest[2:]

    def _make(self, folder: Path) -> None:
        try:
            if not folder.is_dir():
                os.makedirs(folder, exist_ok=True)
                files.sync_folder(self.folder)
                files.sync_folder(self.folder.parent)  # where the store itself may be new
        except OSError as error:
            raise files.translate(error, self.folder) from error
