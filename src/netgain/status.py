"""Where a study stands: one record, made from its folder, that `netgain status` and later pages show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from netgain.budget import UNITS, total
from netgain.errors import ConfigError
from netgain.facts import Facts, reduce
from netgain.ledger import Ledger, Stored, held, utc_now
from netgain.result import result_digest
from netgain.study import unread

Json = Any
STATES = ("planned", "running", "paused", "waiting_approval", "stuck", "stopped", "done", "failed")
ENDED = "the process ended; run again"
NOBODY_COUNTED = "not everything that was run books it"
NOT_YET = "the study is not finished"
SHOWN = 16  # hex digits of a digest that are shown to people


def status_of(folder: Path) -> dict[str, Json]:
    """The record, schema netgain.status/1.

    Raises:
        ConfigError: the folder holds no study.
    """
    entries = _entries(folder)
    if not entries:
        return {
            **_planned(folder),
            **_progress(Facts(), folder),
            "result_digest": None,
            "result_digest_reason": NOT_YET,
        }
    facts = reduce(entries)
    head = {"schema": "netgain.status/1", **_state(folder, facts, entries[-1].time)}
    return {**head, **_progress(facts, folder), "result_digest": result_digest(entries)}


def _entries(folder: Path) -> Sequence[Stored]:
    if not Ledger.begun(folder):
        return ()
    with Ledger.open(folder, readonly=True) as log:
        return list(log.events())


def _planned(folder: Path) -> dict[str, Json]:
    if not (folder / "netgain.toml").exists():
        fix = "`netgain init DIR --from RECIPE` makes one"
        raise ConfigError("no study here: neither netgain.toml nor ledger.db", where=str(folder), fix=fix)
    return {
        "schema": "netgain.status/1", "state": "planned", "reason": "nothing was started yet", "since": None,
        "since_reason": "it is not recorded before the start", "next": _next(folder),
    }  # fmt: skip


def _state(folder: Path, facts: Facts, latest: str) -> dict[str, Json]:
    """The last recorded state, put right by who holds the folder: a process that was killed could record nothing."""
    if not facts.states:
        last = {"state": "running", "reason": "the claim is registered", "since": facts.registered_time}
    else:
        last = {name: facts.states[-1][name] for name in ("state", "reason", "since")}
    now = held(folder)
    if last["state"] in ("running", "stuck") and not now:
        last = {"state": "paused", "reason": ENDED, "since": latest}
    elif last["state"] not in ("running", "stuck", "done") and now:
        last = {"state": "running", "reason": "a run has just started", "since": latest}
    if last["state"] in ("waiting_approval", "running") and (missing := _missing_answer(folder, facts.waiting)):
        return {**last, "next": {"who": "human", "cmd": missing}}
    if last["state"] == "done":
        return {**last, "next": _next(folder, "verify")}
    if last["state"] == "stuck":
        return {**last, "next": _next(folder, "stop")}
    wait = {"who": "nobody", "cmd": None, "cmd_reason": "a run holds the folder: wait for it"}
    return {**last, "next": wait if now else _next(folder)}


def _missing_answer(folder: Path, waiting: Sequence[Mapping[str, Json]]) -> str:
    """The command of the answer that is missing first; "" when what is left in the inbox, or silence, is enough."""
    for one in waiting:
        said = [*one["answers"], *unread(folder, one["id"])]
        over = utc_now() > one["expires"] or any(other["answer"] == "deny" for other in said)
        if not over and len(said) < one["people"]:
            return f"netgain approve {one['id']} --study {folder} --digest {one['change'][:SHOWN]} --reason TEXT"
    return ""


def _waiting(facts: Facts) -> list[dict[str, Json]]:
    """What waits for people; without the run, so that whoever answers does not know the arm."""
    now = datetime.fromisoformat(utc_now())
    told = ("id", "round", "surfaces", "people", "size", "since", "expires")
    return [
        {
            **{name: one[name] for name in told},
            "digest": one["change"],
            "answers": [{"by": said["by"], "answer": said["answer"]} for said in one["answers"]],
            "age_seconds": round((now - datetime.fromisoformat(one["since"])).total_seconds(), 3),
        }
        for one in facts.waiting
    ]


def _next(folder: Path, command: str = "run") -> dict[str, Json]:
    return {"who": "human", "cmd": f"netgain {command} {folder}"}


def _progress(facts: Facts, folder: Path) -> dict[str, Json]:
    rows = [run.row for run in facts.runs.values()]
    horizon = facts.rounds if facts.registration else None
    verdict = facts.verdict["verdict"] if facts.verdict and facts.concluded else None
    rounds = {"done": sum(_rounds_done(row) for row in rows), "of": len(rows) * (horizon or 0), "each": horizon}
    return {
        "folder": str(folder),
        "runs": {"done": sum(row["stage"] == "done" for row in rows), "of": len(rows)},
        "rounds": rounds if horizon else {**rounds, "each_reason": "nothing is registered yet"},
        "replicas": len(facts.enrolled),
        **_policy(facts),
        "waiting": _waiting(facts),
        "spend": spend_of(facts),
        "verdict": verdict,
        **({} if verdict else {"verdict_reason": NOT_YET}),
    }


def _policy(facts: Facts) -> dict[str, Json]:
    if not facts.registration:
        return {"policy": None, "policy_reason": "it is registered when the study starts"}
    return {"policy": facts.policy.sentence()}


def _rounds_done(row: Mapping[str, Json]) -> int:
    """Rounds that are over: the round of a stage that comes next is not."""
    return int(row["round"]) if row["stage"] == "done" else max(0, int(row["round"]) - 1)


def spend_of(facts: Facts) -> dict[str, Json]:
    """Everything that was spent, by unit: generation 0 once per start, building and answering of every run, the sealed
    pass; null with a reason where nobody counted it."""
    parts = [run.row[phase] for run in facts.runs.values() for phase in ("build", "answer") if run.row.get(phase)]
    parts += [*facts.starts.values(), *(spend for run in facts.runs.values() for spend in run.phase("sealed"))]
    amounts = total(parts) if parts else dict.fromkeys(UNITS)
    found: dict[str, Json] = {}
    for unit in UNITS:
        found[unit] = amounts[unit]
        if amounts[unit] is None:
            found[f"{unit}_reason"] = NOBODY_COUNTED if parts else "nothing was run yet"
    return found


def status_in_words(record: Mapping[str, Json]) -> str:
    """The record for people."""
    runs, rounds, spend = record["runs"], record["rounds"], record["spend"]
    known = [f"{unit} {spend[unit]:.4g}" for unit in UNITS if spend[unit] is not None]
    lines = [
        ("state", f"{record['state']}: {record['reason']}"),
        ("since", record["since"] or "-"),
        ("runs", f"{runs['done']} of {runs['of']} done, {rounds['done']} of {rounds['of']} rounds"),
        ("spend", ", ".join(known) or "nothing counted"),
        ("verdict", record["verdict"] or f"none yet: {record['verdict_reason']}"),
        ("result", record["result_digest"] or "-"),
        ("policy", record["policy"] or record["policy_reason"]),
        *(("waits", _wait_in_words(one)) for one in record["waiting"]),
        ("next", record["next"]["cmd"] or "wait"),
    ]
    return "\n".join(f"{name:<9}{text}" for name, text in lines)


def _wait_in_words(one: Mapping[str, Json]) -> str:
    size = ", ".join(f"{count} {what}" for what, count in one["size"].items())
    said = "".join(f", {other['answer']} by {other['by']}" for other in one["answers"])
    return (
        f"{one['id']}  digest {one['digest'][:SHOWN]}  {', '.join(one['surfaces'])}: {size}; {len(one['answers'])} of "
        f"{one['people']} answers{said}; for {one['age_seconds'] / 60:.0f} min, until {one['expires']}"
    )
