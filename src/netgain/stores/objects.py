"""Content-addressed bytes in a folder: the name of an object is the SHA-256 of its bytes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from netgain.errors import IntegrityError
from netgain.ledger import files

NAME = re.compile(r"[0-9a-f]{64}")
REMEMBERED = 10_000  # names that a store remembers to have flushed


class ObjectStore:
    """`folder/ab/cdef…`: written once, checked at every read. Safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._flushed: set[str] = set()  # objects, and folders of two digits, whose names survive a power cut

    def put(self, data: bytes) -> str:
        """Keep bytes durably; their digest, 64 hex digits. Keeping the same bytes twice changes nothing.

        Raises:
            DiskFull: no room; nothing half-written is left under a digest's name.
            ConfigError: no permission.
        """
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if digest not in self._flushed:
            self._keep(path, data)
            self._flushed = self._flushed if len(self._flushed) < REMEMBERED else set()
            self._flushed.add(digest)
        return digest

    def _keep(self, path: Path, data: bytes) -> None:
        """Write the object; of one that is there already the name may not have reached the disk, so it is flushed.

        Who was killed, or still is, between rename and flush leaves such a name.
        """
        with _translated(self.folder):
            self._make(path.parent)
            if os.path.exists(path):
                files.sync_folder(path.parent)
            else:
                files.write_durably(path, data)

    def _make(self, folder: Path) -> None:
        """The folder of some objects, its own name flushed once by each process, for the same reason."""
        if folder.name not in self._flushed:
            files.make_folder(folder)
            files.sync_folder(self.folder.parent)
            files.sync_folder(self.folder)
            self._flushed.add(folder.name)

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
        self._flushed.discard(digest)
        self._path(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """All names, sorted; half-written files are left out."""
        names = (path.parent.name + path.name for path in sorted(self.folder.glob("??/*")))
        return (name for name in names if NAME.fullmatch(name))

    def _path(self, digest: str) -> Path:
        if not NAME.fullmatch(digest):
            raise IntegrityError(f"object name {digest!r}", where=str(self.folder), fix="give 64 lower-case hex digits")
        return self.folder / digest[:2] / digest[2:]


@contextlib.contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise files.translate(error, folder) from error
