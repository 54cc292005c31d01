"""A study run once more: to the bit from its own root, or under a root that another party drew; and what that shows.

Evidence level 5 is *re-run by another party*. A second study counts when its claim was registered before its root was
drawn by the other party, and when it passes the same PASS(C, delta) by itself (`method.md` 2, row R8): two intervals
that overlap show nothing. A statement says what was found; it raises the level only for a reader who knows the key that
it is signed with (decision 0066).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netgain import __version__
from netgain.case import case_of
from netgain.comparison import first_difference
from netgain.errors import ConfigError
from netgain.evidence.verdict import Case, Verdict, decide_verdict
from netgain.facts import Facts, reduce
from netgain.ledger import Ledger, Stored
from netgain.result import result_digest

Json = Any
REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
REPEATED, DIFFERS = "repeated to the bit", "repeated with another result"
SHARED = (
    "suite",
    "gate",
    "code",
    "batching",
)  # parts of a contract that both need; libraries may differ, and are named


@dataclass(frozen=True)
class Finished:
    """A finished study as a statement speaks of it: its tables, result digest and tree head."""

    facts: Facts
    result: str
    size: int
    head: str


def read_finished(log: Ledger) -> Finished:
    """A finished study from its log.

    Raises:
        ConfigError: it has no verdict yet.
    """
    entries: Sequence[Stored] = list(log.events())
    facts = reduce(entries)
    if not facts.registration or not facts.concluded:
        fix = "finish it with `netgain run`"
        raise ConfigError("this study has no verdict yet", where=str(log.folder), fix=fix)
    return Finished(facts, result_digest(entries), log.size, log.root())


def challenge_root(claim_digest: str, challenge: str) -> str:
    """The root that a challenge gives: SHA-256("challenge|claim digest|challenge"), 64 hex digits.

    The claim's digest is in it, so a challenge fixes no root before there is a claim.

    Raises:
        ConfigError: the challenge is not 32 to 64 hex digits, at least 128 bits.
    """
    if not re.fullmatch("[0-9a-f]{32,64}", challenge):
        fix = "let the other party draw it: `python3 -c 'import secrets; print(secrets.token_hex(32))'`"
        raise ConfigError(f"{challenge!r} is no challenge: expected 32 to 64 lower-case hex digits", fix=fix)
    return hashlib.sha256(f"challenge|{claim_digest}|{challenge}".encode("ascii")).hexdigest()


def looks_taken(facts: Facts) -> list[int]:
    """Numbers of starts at which the study was sealed, in order."""
    return [int(seal["look"]) for seal in facts.seals]


def revealed(entries: Iterable[Stored]) -> dict[int, str]:
    """Look -> secret that the study's items were drawn with."""
    return {int(one.data["look"]): str(one.data["secret"]) for one in entries if one.kind == "secret_revealed"}


def incomparable(first: Mapping[str, Json], claim: Mapping[str, Json], study: Mapping[str, Json],
                 contract: Mapping[str, Json]) -> str | None:  # fmt: skip
    """Why a study is no repetition of a registered one: the first part that differs, or None.

    Args:
        first: registration of the first study.
        claim, study, contract: of the second, as they are or would be registered.
    """
    shared = {name: first["contract"].get(name) for name in SHARED}
    pairs = (
        (first["claim"], claim, "claim"), (first["study"], study, "study"),
        (shared, {name: contract.get(name) for name in SHARED}, "contract"),
    )  # fmt: skip
    return next((found for one, other, name in pairs if (found := first_difference(one, other, name))), None)


def passes(case: Case) -> Verdict:
    """The verdict of a second study by itself; whose its root is stands in the statement, not against it."""
    return decide_verdict(replace(case, given_root=False))


def statement(first: Finished, second: Finished, *, challenge: str | None, folder: str, time: str) -> dict[str, Json]:
    """What the second study shows about the first.

    Args:
        challenge: what the other party drew; None when the root of the first study was used again.
        folder: name of the second study's folder, beside which the statement lies.
        time: now, UTC.
    """
    found, reason = _repeated(first, second) if challenge is None else _reproduced(first, second, challenge)
    told = (
        {"challenge": challenge} if challenge else {"challenge": None, "challenge_reason": "the first study's own root"}
    )
    one, other = (study.facts.registration["contract"]["libraries"] for study in (first, second))
    return {
        "schema": "netgain.statement/1", "kind": "replication", "word": found, "reason": reason, **told,
        "first": _side(first), "second": {**_side(second), "folder": folder},
        "libraries": first_difference(one, other, "libraries") or "equal", "time": time, "netgain": __version__,
    }  # fmt: skip


def recomputation(found: Mapping[str, Json], side: Mapping[str, Json], time: str) -> dict[str, Json]:
    """What another party's computing of a verdict comes to, evidence level 4 once it is signed.

    Args:
        found: what `verify` said.
        side: the study's names: claim digest, tree head, result digest.
        time: now, UTC.
    """
    told = {name: found[name] for name in ("rung", "rung_reason", "effect") if name in found}
    return {
        "schema": "netgain.statement/1", "kind": "recomputation", "word": found["verdict"], **told,
        "record": found["record"]["reached"], "first": dict(side), "time": time, "netgain": __version__,
    }  # fmt: skip


def _repeated(first: Finished, second: Finished) -> tuple[str, str]:
    if first.result == second.result:
        return REPEATED, "equal result digests from the same root: the record is what this code gives; no new evidence"
    one, other = (study.facts.registration["contract"]["libraries"] for study in (first, second))
    libraries = first_difference(one, other, "libraries")
    told = f"perhaps because {libraries}" if libraries else "and so are the libraries"
    return DIFFERS, f"the result digests differ although root, secrets and code are the same, {told}"


def _reproduced(first: Finished, second: Finished, challenge: str) -> tuple[str, str]:
    wanted = challenge_root(str(first.facts.registration["claim_digest"]), challenge)
    if second.facts.registration["root"] != wanted:
        return NOT_REPRODUCED, "the second study's root is not that of the challenge"
    alone = passes(case_of(second.facts))
    told = f"by itself the second study is {alone.word} ({alone.reasons[0]})"
    return (REPRODUCED if alone.word.startswith("SUPPORTED") else NOT_REPRODUCED), told


def _side(study: Finished) -> dict[str, Json]:
    names = ("claim_digest", "contract_digest", "root")
    told = {name: study.facts.registration[name] for name in names}
    verdict = study.facts.verdict or {}
    return {
        **told, "result_digest": study.result, "tree_size": study.size, "tree_head": study.head,
        "starts": len(study.facts.enrolled), "verdict": verdict["verdict"], "effect": verdict["effect"],
    }  # fmt: skip
