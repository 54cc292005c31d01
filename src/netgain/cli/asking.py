"""Commands that ask something of a study: stop, pause, approve, deny, rollback. They leave a request in its inbox."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netgain.approvals import APPROVE, DENY, objection, waiting
from netgain.cli.answer import Reply
from netgain.cli.folder import need_folder
from netgain.errors import ConfigError
from netgain.ledger import Ledger, held, utc_now
from netgain.ledger.files import DIGESTS
from netgain.redaction import hidden
from netgain.rollback import generations, unwanted
from netgain.stores import ObjectStore
from netgain.study import leave_request, unread

Json = Any


def stop(*, folder: Path, reason: str) -> Reply:
    """`netgain stop`."""
    return _end(folder, "stop", reason)


def pause(*, folder: Path, reason: str) -> Reply:
    """`netgain pause`."""
    return _end(folder, "pause", reason)


def _end(folder: Path, kind: str, reason: str) -> Reply:
    """Leave a request that ends a run, and only where somebody is there to read it."""
    need_folder(folder)
    record = {"schema": f"netgain.{kind}/1", "asked": held(folder), "folder": str(folder)}
    if not record["asked"]:
        if not Ledger.begun(folder):
            raise ConfigError("no study was started here", where=str(folder), fix="start it with `netgain run`")
        why = f"no run holds this study: there is nothing to {kind}"
        return Reply({**record, "asked_reason": why}, why)
    leave_request(folder, kind, by=getpass.getuser(), reason=reason)
    return Reply(record, f"asked the run in {folder} to {kind}; `netgain run {folder}` continues it")


def approve(*, ident: str, folder: Path, digest: str, reason: str, by: str | None, private: bool = False) -> Reply:
    """`netgain approve`."""
    return _answer(folder, {"kind": APPROVE, "id": ident, "digest": digest, "reason": reason}, by, private)


def deny(*, ident: str, folder: Path, digest: str, reason: str, by: str | None, private: bool = False) -> Reply:
    """`netgain deny`."""
    return _answer(folder, {"kind": DENY, "id": ident, "digest": digest, "reason": reason}, by, private)


def _answer(folder: Path, said: Mapping[str, str], by: str | None, private: bool) -> Reply:
    """Leave an answer, unless it cannot count: the run would refuse it later, when nobody looks."""
    _going_on(folder)
    answer = {**said, "by": by if by is not None else getpass.getuser()}
    with Ledger.open(folder, readonly=True) as log:
        known = {one["id"]: one for run in log.rows() if (one := waiting(log, run))}
    found = known.get(answer["id"])
    if found is not None:  # what is left in the inbox has been said too
        found = {**found, "answers": [*found["answers"], *unread(folder, answer["id"])]}
    if wrong := objection(found, answer, utc_now()):
        listed = ", ".join(sorted(known)) or "none"
        raise ConfigError(wrong, where=str(folder), fix=f"`netgain status {folder}` lists what waits: {listed}")
    assert found is not None
    if private:
        answer["reason"] = hidden(folder, answer["reason"])
    leave_request(folder, answer["kind"], by=answer["by"], reason=answer["reason"], id=answer["id"],
                  digest=answer["digest"].lower())  # fmt: skip
    missing = found["people"] - len(found["answers"]) - 1 if answer["kind"] == APPROVE else 0
    return _left(folder, answer["kind"], {**answer, "change": found["change"], "still_needed": max(0, missing)})


def rollback(*, folder: Path, run: str | None, to: int, reason: str, by: str | None) -> Reply:
    """`netgain rollback`."""
    _going_on(folder)
    with Ledger.open(folder, readonly=True) as log:
        name = run or _only_run(log)
        wrong = unwanted(log, name, str(to)) or _not_stored(log, folder, name, to)
    if wrong:
        raise ConfigError(wrong, where=str(folder), fix="`netgain status` says where the runs stand")
    by = by if by is not None else getpass.getuser()
    leave_request(folder, "rollback", by=by, reason=reason, run=name, to=str(to))
    return _left(folder, "rollback", {"run": name, "to": to, "by": by, "reason": reason})


def _only_run(log: Ledger) -> str:
    """The one run of the claimed arm; where there are several it has to be named."""
    arm = next(iter(log.events("claim_registered"))).data["claim"]["arm"]
    own = [run for run, row in log.rows().items() if row["arm"] == arm]
    if len(own) != 1:
        raise ConfigError(f"{len(own)} runs of {arm!r}", where="--run", fix=f"name one of {', '.join(own)}")
    return own[0]


def _not_stored(log: Ledger, folder: Path, run: str, to: int) -> str:
    system = generations(log, run)[to]["released"]
    return "" if ObjectStore(folder / "objects").has(system) else f"generation {to} of {run} is not stored any more"


def _going_on(folder: Path) -> None:
    """Raises ConfigError where no run can obey any more, or none was started."""
    need_folder(folder)
    if not Ledger.begun(folder):
        raise ConfigError("no study was started here", where=str(folder), fix="start it with `netgain run`")
    if (folder / DIGESTS).exists():
        raise ConfigError("the study is finished: nothing waits", where=str(folder), fix="look at it: netgain report")


def _left(folder: Path, kind: str, facts: Mapping[str, Json]) -> Reply:
    now = held(folder)
    following = "the run that goes on obeys before its next stage" if now else f"next: netgain run {folder}"
    record = {"schema": f"netgain.{kind}/1", "folder": str(folder), **facts, "held": now, "next": following}
    missing = facts.get("still_needed")
    more = f"; {missing} more {'person has' if missing == 1 else 'people have'} to agree" if missing else ""
    return Reply(record, f"left in the inbox: {kind} by {facts['by']}{more}\n{following}")
