"""The user's signing keys, and the checkpoints that a run signs with one of them.

A key is made by `netgain keys new` and lives in the user's configuration folder, never in a study. From then on,
studies that are registered here name its public half, and every batch of decisions and every end of a run leaves a
signed checkpoint in the study's `checkpoints.txt`.

Only the coordinator opens a key. Workers get neither its bytes nor the name of its folder, but a worker without a
sandbox is a process of the same account. A passphrase in `NETGAIN_KEY_PASSPHRASE`, which no worker is given, keeps a
hostile loop from reading the file; only a sandbox keeps it from the memory of this process.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netgain.canonical import digest
from netgain.errors import ConfigError
from netgain.ledger import Event, Ledger
from netgain.ledger.checkpoint import NAME, Key, Note, append, checkpoint, last_size, origin, read_key
from netgain.ledger.files import DIGESTS, write_durably
from netgain.study import Stepped, Watcher

Json = Any
PASSPHRASE = "NETGAIN_KEY_PASSPHRASE"
CURRENT = "current"  # file that names the key of new studies
ROTATED = "key_rotated"


@dataclass(frozen=True)
class Signer:
    """A private key, opened.

    Attributes:
        key: its public half.
        sign: bytes -> signature of 64 bytes (RFC 8032, Ed25519).
    """

    key: Key
    sign: Callable[[bytes], bytes]

    def note(self, text: str, *others: Signer) -> Note:
        """The text, signed by this key and by others."""
        return Note(text, [(one.key.name, one.key.id, one.sign(text.encode())) for one in (self, *others)])


# --- keys of this user ------------------------------------------------------------------------------------------------


def keys_folder() -> Path:
    """Where keys are kept: `netgain/keys` below the user's configuration folder."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "netgain" / "keys"


def new_key(name: str) -> Key:
    """Make a key, readable by this account only, and let new studies be signed by it.

    Raises:
        ConfigError: a name with a space or a plus, a folder inside a study, or no `cryptography`.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(f"key name {name!r}", where="--name", fix="give a name without spaces and plus")
    folder = keys_folder()
    study = next((one for one in folder.absolute().parents if (one / "ledger.db").exists()), None)
    if study is not None:
        raise ConfigError("keys would lie inside a study", where=str(study), fix="set XDG_CONFIG_HOME elsewhere")
    private = _ed25519().generate()
    key = Key(name, private.public_key().public_bytes_raw())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = _private(key)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # never wider, not even for an instant
    with open(handle, "wb") as file:
        file.write(_pem(private))
        file.flush()
        os.fsync(file.fileno())
    write_durably(path.with_suffix(".pub"), f"{key}\n".encode())
    write_durably(folder / CURRENT, f"{key.id.hex()}\n".encode())
    return key


def known_keys() -> Sequence[Key]:
    """Public halves of this user's keys, sorted by id."""
    return [read_key(path.read_text()) for path in sorted(keys_folder().glob("*.pub"))]


def current_key() -> Key | None:
    """The key that new studies name; None where this user has none."""
    path = keys_folder() / CURRENT
    if not path.exists():
        return None
    wanted = path.read_text().strip()
    found = [key for key in known_keys() if key.id.hex() == wanted]
    if not found:
        raise ConfigError(f"no key {wanted!r}, which {CURRENT!r} names", where=str(path), fix="`netgain keys new`")
    return found[0]


def opened(key: Key) -> Signer | None:
    """The private half of a key; None where this machine does not have it.

    Raises:
        ConfigError: others may read the file, the passphrase is wrong or missing, or no `cryptography`.
    """
    path = _private(key)
    if not path.exists():
        return None
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError("others may read this key", where=str(path), fix=f"chmod 600 {path}, or make a new key")
    said = os.environ.get(PASSPHRASE)
    try:
        private = _ed25519_from(path.read_bytes(), said.encode() if said else None)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"cannot open this key: {error}", where=str(path), fix=f"set {PASSPHRASE} to its passphrase")\
            from None  # fmt: skip
    if private.public_key().public_bytes_raw() != key.public:
        raise ConfigError("this file holds another key", where=str(path), fix="restore it from a copy")
    return Signer(key, private.sign)


def _private(key: Key) -> Path:
    return keys_folder() / f"{key.id.hex()}.pem"


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise ConfigError("signing needs `cryptography`", fix="pip install 'netgain[sign]'") from None
    return ed25519.Ed25519PrivateKey


def _pem(private: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    said = os.environ.get(PASSPHRASE)
    secured = serialization.BestAvailableEncryption(said.encode()) if said else serialization.NoEncryption()
    return bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secured))


def _ed25519_from(pem: bytes, passphrase: bytes | None) -> Any:
    kind = _ed25519()
    from cryptography.hazmat.primitives import serialization

    private = serialization.load_pem_private_key(pem, passphrase)
    if not isinstance(private, kind):
        raise ValueError("not an Ed25519 key")
    return private


def signed_statement(said: Mapping[str, Json], signer: Signer | None) -> dict[str, Json]:
    """A statement about a study with the signature of whoever makes it; without a signer it says that it has none.

    The note is over SHA-256 of the statement in canonical JSON, without the note itself.
    """
    if signer is None:
        return {**said, "signed": False, "signed_reason": "its maker has no key, so it raises no level"}
    named = {**said, "signed": True, "signer": str(signer.key)}
    return {**named, "note": str(signer.note(f"{said['schema']}\n{digest(named)}\n"))}


def own_signer() -> Signer | None:
    """The signer of this user's current key; None where this user has no key.

    Raises:
        ConfigError: the private half is gone or cannot be opened.
    """
    signed_by()
    key = current_key()
    return None if key is None else opened(key)


# --- checkpoints of a study -------------------------------------------------------------------------------------------


def signed_by() -> dict[str, str]:
    """What a registration says of its key: nothing where this user has none."""
    key = current_key()
    if key is None:
        return {}
    if opened(key) is None:  # said before anything is registered, as is a library or a passphrase that is missing
        raise ConfigError("the private half of the current key is gone", where=str(_private(key)),
                          fix="restore it from a copy, or make another: `netgain keys new`")  # fmt: skip
    return {"log_key": str(key)}


def log_name(registration: Mapping[str, Json]) -> str:
    """Origin of a study's checkpoints."""
    return origin(registration["claim_digest"], registration["secret_sha256"])


def key_of(log: Ledger) -> Key | None:
    """The key that signs a study now; None in an unsigned study."""
    registered = next(log.events("claim_registered"), None)
    if registered is None or "log_key" not in registered.data:
        return None
    rotations = [str(event.data["new"]) for event in log.events(ROTATED)]
    return read_key([str(registered.data["log_key"]), *rotations][-1])


class Publisher:
    """Writes signed checkpoints of one open study; does nothing for one that names no key, or is closed."""

    def __init__(self, folder: Path, log: Ledger, say: Callable[[str], None] = lambda _: None) -> None:
        key = key_of(log)
        self._folder, self._log = folder, log
        self._signer = opened(key) if key else None
        self._last = last_size(folder)
        if key and not self._signer:
            say(f"the key {key.name}+{key.id.hex()} is not here: nothing is signed until it is restored")

    def publish(self) -> None:
        """Sign what the log holds now, unless that was done already."""
        if self._signer is None or (self._folder / DIGESTS).exists():
            return
        size, root = self._log.head()
        if size > self._last:
            name = log_name(next(self._log.events("claim_registered")).data)
            append(self._folder, self._signer.note(checkpoint(name, size, root)))
            self._last = size


@contextmanager
def published(folder: Path, log: Ledger, watch: Watcher, say: Callable[[str], None]) -> Iterator[Watcher]:
    """A watcher that has every batch of gate decisions and every finished run signed; signs at start and end too."""
    publisher = Publisher(folder, log, say)
    publisher.publish()  # of a new study: its claim, before anything is done

    def signing(stepped: Stepped) -> None:
        if stepped.outcome.row.done or any(event.kind == "gate_decision" for event in stepped.outcome.events):
            publisher.publish()
        watch(stepped)

    try:
        yield signing
    except BaseException:
        with suppress(Exception):  # broad: the first error is the one to report
            publisher.publish()
        raise
    publisher.publish()


def rotated(log: Ledger, old: Signer, new: Signer) -> Event:
    """The event by which a study's log goes over to another key: a note that both keys sign."""
    name = log_name(next(log.events("claim_registered")).data)
    note = old.note(f"netgain.key-rotation/1\n{name}\n{old.key}\n{new.key}\n", new)
    return Event(ROTATED, None, {"old": str(old.key), "new": str(new.key), "note": str(note)})
