"""Commands that keep a record: keys, bundle, redact, gc."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from netgain import verify as verifier
from netgain.bundle import write_bundle
from netgain.cli.answer import Reply, note
from netgain.cli.folder import need_folder
from netgain.cli.repeating import sound
from netgain.collection import collect
from netgain.errors import ConfigError
from netgain.ledger import FolderLock, Ledger
from netgain.ledger.files import DIGESTS
from netgain.redaction import redact as redacted
from netgain.signing import Publisher, current_key, key_of, keys_folder, known_keys, new_key, opened, rotated

Json = Any


def keys_new(*, name: str) -> Reply:
    """`netgain keys new`."""
    key = new_key(name)
    record = {"schema": "netgain.keys.new/1", "key": str(key), "id": key.id.hex(), "folder": str(keys_folder())}
    told = f"{key}\nnew studies are signed by it; its private half is in {keys_folder()}, to be copied to a safe place"
    return Reply(record, told)


def keys_list() -> Reply:
    """`netgain keys list`."""
    current = current_key()
    listed = [{"key": str(one), "id": one.id.hex(), "current": one == current, "opens": opened(one) is not None}
              for one in known_keys()]  # fmt: skip
    lines = [f"{one['key']}{'  current' if one['current'] else ''}" for one in listed]
    record = {"schema": "netgain.keys/1", "folder": str(keys_folder()), "keys": listed}
    return Reply(record, "\n".join(lines) or "no keys; `netgain keys new` makes one")


def keys_rotate(*, folder: Path) -> Reply:
    """`netgain keys rotate`: the log goes over to this user's current key."""
    need_folder(folder)
    if (folder / DIGESTS).exists():
        raise ConfigError("the study is finished: its log grows no more", where=str(folder), fix="leave it as it is")
    with FolderLock(folder), Ledger.open(folder) as log:
        old, new = key_of(log), current_key()
        if old is None:
            fix = "keys are named when a claim is registered; run a new study"
            raise ConfigError("the study names no key", where=str(folder), fix=fix)
        if new is None or new == old:
            raise ConfigError("there is no newer key", where=str(keys_folder()), fix="make one: `netgain keys new`")
        signers = opened(old), opened(new)
        if signers[0] is None or signers[1] is None:
            what = f"the old key {old.name}+{old.id.hex()} is not here, and a change needs both"
            raise ConfigError(what, where=str(keys_folder()), fix="restore its file from a copy")
        log.append([rotated(log, signers[0], signers[1])])
        Publisher(folder, log).publish()
    record = {"schema": "netgain.keys.rotate/1", "folder": str(folder), "old": str(old), "new": str(new)}
    return Reply(record, f"{folder} is signed by {new} from here on")


def bundle(*, folder: Path, out: Path | None) -> Reply:
    """`netgain bundle`."""
    need_folder(folder)
    beside = folder.resolve().with_name(f"{folder.resolve().name}.zip")
    made = write_bundle(folder, out or beside)
    record = {"schema": "netgain.bundle/1", "bundle": str(made.path), "files": made.files, "bytes": made.size,
              "sha256": made.sha256}  # fmt: skip
    told = f"{made.path}  {made.files} files, {made.size / 1e6:.2f} MB, sha256 {made.sha256}"
    return Reply(record, f"{told}\nnext     netgain verify {made.path}")


def redact(*, folder: Path, digest: str, reason: str, by: str | None) -> Reply:
    """`netgain redact`: only what verifies is sealed anew."""
    need_folder(folder)
    sound(folder)
    gone = redacted(folder, digest, reason=reason, by=by or getpass.getuser(), say=note)
    missed = [one for one in verifier.verify(folder)["checks"] if one["ok"] is False]
    record = {"schema": "netgain.redact/1", "folder": str(folder), "redacted": gone, "reason": reason,
              "verifies": not missed}  # fmt: skip
    return Reply(record, f"{gone} is gone; the log keeps its digest, and `netgain verify {folder}` calls it redacted")


def gc(*, folder: Path, dry: bool) -> Reply:
    """`netgain gc`."""
    need_folder(folder)
    found = collect(folder, dry=dry)
    record = {"schema": "netgain.gc/1", "folder": str(folder), "dry_run": dry, "removed": list(found.removed),
              "bytes": found.size, "kept": found.kept}  # fmt: skip
    verb = "would be removed" if dry else "removed"
    total = f"{len(found.removed)} objects of {found.size} bytes {verb}, {found.kept} kept"
    return Reply(record, "\n".join([*found.removed, total]))
