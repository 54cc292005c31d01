"""A change that waits for people: asked for, answered or expired, then applied or dropped. Silence is a no.

    judge → approve → apply

The request is written with the judgement, in one transaction; the row then stands at "approve". Answers come through
the inbox and are bound to run, round and digest of the change, so a kill loses none and grants none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from netgain.arms import Arm
from netgain.canonical import digest
from netgain.ledger.events import Event
from netgain.ledger.store import utc_now
from netgain.policy import Policy
from netgain.run import Row
from netgain.surfaces import SURFACES
from netgain.wire import pack, unpack
from netgain.world import Log, Outcome, World

Json = Any
APPROVE, DENY = "approve", "deny"
APPROVED, DENIED, EXPIRED = "approved", "denied", "expired"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")  # as the log writes it
PREFIX = 8  # hex digits of a digest that an answer has to name at least


def policy_of(log: Log) -> Policy:
    """The registered policy."""
    held = next(iter(log.events("claim_registered")), None)
    return Policy.from_json(held.data["study"].get("policy") if held else None)


def size_of(change: Mapping[str, Json]) -> dict[str, int]:
    """Parts, bytes and examples of a change as it is to be built."""
    examples = [len(part["examples"]["inputs"]) for part in change["parts"] if "examples" in part]
    return {"parts": len(change["parts"]), "bytes": len(pack(change)), "examples": sum(examples)}


def surfaces_of(change: Mapping[str, Json]) -> list[str]:
    """Surfaces that a change touches, in the order of `SURFACES`."""
    touched = {part["surface"] for part in change["parts"]}
    return [name for name in SURFACES if name in touched]


def refusal(row: Row, world: World, change: Mapping[str, Json]) -> str:
    """Why the policy lets a change not even be built; "" when it does."""
    policy = policy_of(world.log)
    return policy.refusal(surfaces_of(change), size_of(change)) if policy.binds else ""


def gated(row: Row, world: World, adopts: bool) -> tuple[Row, list[Event]]:
    """The row after a judgement: on to "apply", or to "approve" with the request that people answer.

    Args:
        adopts: whether the candidate would become the working or the released system.
    """
    policy = policy_of(world.log)
    if not adopts or not policy.binds:
        return replace(row, stage="apply"), []
    change = unpack(world.store.get(str(row.change)))["change"]
    surfaces = surfaces_of(change)
    if not policy.people(surfaces):
        return replace(row, stage="apply"), []
    strictest = sorted(surfaces, key=lambda name: -policy.people([name]))
    asked = [] if unaided(world.arm(row)) else [_request(row, policy, strictest, size_of(change))]
    return replace(row, stage="approve"), asked


def unaided(arm: Arm) -> bool:
    """Whether the default, which is no, stands for people in an arm: nobody is asked there."""
    return arm.proposer == "unaided"


def _request(row: Row, policy: Policy, surfaces: Sequence[str], size: Mapping[str, int]) -> Event:
    ends = datetime.fromisoformat(utc_now()) + timedelta(hours=policy.expires_hours)
    record = {
        "id": request_id(row), "round": row.round, "change": row.change, "candidate": row.candidate,
        "surfaces": list(surfaces), "people": policy.people(surfaces), "size": dict(size), "expires": stamp(ends),
    }  # fmt: skip
    return Event("approval_requested", row.id, record)


def request_id(row: Row) -> str:
    """Id of a request, 8 hex digits: of run, round and change, and without the name of the arm for whoever answers."""
    return digest([row.id, row.round, row.change])[:8]


def stamp(moment: datetime) -> str:
    """A time as the log writes it: UTC, ISO 8601, milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- Answers ---------------------------------------------------------------------------------------------------------
def waiting(log: Log, run: str) -> dict[str, Json] | None:
    """The request that a run waits with, and its answers so far under "answers"; None when it does not wait."""
    row = log.row(run)
    if row is None or row["stage"] != "approve":
        return None
    asked = [one.data for one in log.events("approval_requested", run) if one.data["id"] == request_id(Row(**row))]
    counted = [one.data for one in log.events("approval", run) if one.data["id"] == request_id(Row(**row))]
    return {**asked[-1], "run": run, "answers": counted} if asked else None


def objection(found: Mapping[str, Json] | None, answer: Mapping[str, Json], now: str) -> str:
    """Why an answer does not count; "" when it does.

    Args:
        found: what `waiting` gave for the request that is answered.
        answer: kind, by, digest, reason, and `at`, when it was given.
        now: time, as in the log.
    """
    if found is None:
        return f"{answer['id']!r} does not wait for an answer"
    if len(answer["digest"]) < PREFIX or not found["change"].startswith(answer["digest"].lower()):
        return f"digest {answer['digest']!r} does not name the change that waits, {found['change'][:16]}…"
    if _given(answer, now) > found["expires"]:
        return f"the request expired at {found['expires']}"
    if not answer["by"].strip() or not answer["reason"].strip():
        return "an answer needs a name and a reason"
    if answer["by"].strip().casefold() in {one["by"].casefold() for one in found["answers"]}:
        return f"{answer['by']!r} has answered already, and two people are two names"
    return ""


def answered(log: Log, answer: Mapping[str, str], now: str) -> tuple[list[Event], str]:
    """The event of an answer that counts, or none and why it does not."""
    found = next((one for run in log.rows() if (one := waiting(log, run)) and one["id"] == answer["id"]), None)
    wrong = objection(found, answer, now)
    if wrong or found is None:
        return [], wrong
    record = {name: found[name] for name in ("id", "round", "change")}
    record |= {"answer": answer["kind"], "by": answer["by"].strip(), "reason": answer["reason"].strip()}
    return [Event("approval", found["run"], {**record, "at": _given(answer, now)})], ""


def _given(answer: Mapping[str, str], now: str) -> str:
    """When an answer was given, as it says; one that does not say is given when it is read."""
    said = answer.get("at", "")
    return min(said, now) if TIME.fullmatch(said) else now


def outcome(log: Log, row: Row, arm: Arm, now: str) -> str | None:
    """What became of a request: "approved", "denied", "expired", or None while it waits."""
    if unaided(arm):
        return EXPIRED
    found = waiting(log, row.id)
    if found is None:
        return None
    said = [one["answer"] for one in found["answers"]]
    if DENY in said:
        return DENIED
    if said.count(APPROVE) >= found["people"]:
        return APPROVED
    return EXPIRED if now > found["expires"] else None


def approve(row: Row, world: World) -> Outcome:
    """The stage between judge and apply: the answers on record become decisions of people, and the change goes on."""
    said = outcome(world.log, row, world.arm(row), utc_now())
    assert said is not None, "a run that waits is not stepped"
    found = waiting(world.log, row.id)
    after = replace(row, stage="apply", verdict=row.verdict if said == APPROVED else said)
    return Outcome(after, {"answer": said}, _decisions(row, found, said))


def _decisions(row: Row, found: Mapping[str, Json] | None, said: str) -> list[Event]:
    """Decision records, as a proposal's parts have them: one for every answer, and one for silence.

    Silence is a person's no, since somebody who dislikes a change can just let it expire.
    """
    if found is None:
        return []
    shown = {name: found[name] for name in ("id", "change", "surfaces", "size")}
    base = {"round": row.round, "locus": "approval", "surface": found["surfaces"][0], "options": 2, "evidence": shown}
    people = [{**base, "decided_by": "person", "reason": f"{one['answer']}, {one['by']}: {one['reason']}"}
              for one in found["answers"]]  # fmt: skip
    silent = {**base, "decided_by": "person", "reason": f"no answer until {found['expires']}, which is a no"}
    return [Event("decision", row.id, one) for one in people + ([silent] if said == EXPIRED else [])]
