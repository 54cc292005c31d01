"""`netgain attest`: a verdict computed again, and a signed statement that it was."""

from __future__ import annotations

import json
from pathlib import Path

from netgain import verify as verifier
from netgain.cli.answer import Reply
from netgain.errors import ConfigError, IntegrityError
from netgain.ledger import utc_now
from netgain.ledger.files import write_durably
from netgain.replication import recomputation
from netgain.signing import keys_folder, own_signer, signed_statement


def attest(*, folder: Path, to: Path | None) -> Reply:
    """`netgain attest`: of a study's folder or of a bundle."""
    signer = own_signer()
    if signer is None:
        raise ConfigError("nobody signs: there is no key", where=str(keys_folder()), fix="make one: `netgain keys new`")
    path = to or folder.resolve().with_name(f"{folder.resolve().stem}.attested.json")
    if path.exists():
        raise ConfigError("this file is there already", where=str(path), fix="name another with --to")
    try:
        found = verifier.verify(folder)
    except LookupError as error:
        fix = "give the folder, or the bundle, of a study of this version"
        raise ConfigError(str(error), where=str(folder), fix=fix) from None
    open_ = [one for one in found["checks"] if one["ok"] is not True]
    if open_:
        what = f"it does not verify: {open_[0]['name']}: {open_[0]['detail']}"
        raise IntegrityError(what, where=str(folder), fix=f"see `netgain verify {folder}`")
    with verifier.unpacked(folder) as study:
        side = verifier.side(verifier.Study(study))
    said = signed_statement(recomputation(found, side, utc_now()), signer)
    write_durably(path, json.dumps(said, indent=2, sort_keys=True).encode())
    record = {"schema": "netgain.attest/1", "written": str(path), "word": said["word"], "signer": said["signer"]}
    check = f"netgain verify {folder} --statement {path} --trust {said['signer']}"
    return Reply(
        record, f"{said['word']}, computed here and signed by {said['signer']}\nwritten  {path}\ncheck    {check}"
    )
