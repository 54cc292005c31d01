"""Forged epochs: copies of an honest study whose hashes all fit, so that only what events say can be found wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from test_epochs import in_this_process, mend

from netgain.canonical import digest
from netgain.contract import differences
from netgain.evidence.bridge import gaps, stated
from netgain.facts import reduce
from netgain.ledger import Event
from netgain.verify import verify
from study_forgery import entries, forged, places

Events = list[Event]
Edit = Callable[[Events], Events | None]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two starts; the scorer was edited while the first of them ran."""
    home = tmp_path_factory.mktemp("epochs")
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch, home)
        mend(home / "study", home / "code", replicas=2, stages=8)
    return home / "study"


def found(honest: Path, tmp_path: Path, edit: Edit) -> dict[str, str]:
    """Check that fails -> what it says."""
    checks = verify(forged(honest, tmp_path / "forged", lambda events: edit(copied(events))))["checks"]
    return {one["name"]: one["detail"] for one in checks if one["ok"] is False}


def copied(events: Sequence[Event]) -> Events:
    return [Event(one.kind, one.run, copy.deepcopy(dict(one.data))) for one in events]


def opening(events: Sequence[Event]) -> Any:
    return events[places(events, "epoch_opened")[0]].data


def put(kind: str, which: int = 0, **values: Any) -> Edit:
    def edit(events: Events) -> Events:
        events[places(events, kind)[which]].data.update(values)  # type: ignore[attr-defined]
        return events

    return edit


def recontracted(change: Callable[[Any], None]) -> Edit:
    """Another new contract, with everything that follows from it made again."""

    def edit(events: Events) -> Events:
        data, old = opening(events), opening(events)["contract_digest"]
        change(data["contract"])
        registered = events[places(events, "claim_registered")[0]].data["contract"]
        data |= {"contract_digest": digest(data["contract"]), "moved": differences(registered, data["contract"])}
        for event in events:
            for name, value in event.data.items():
                if name in ("contract", "contract_digest") and value in (old, old[:16]):
                    event.data[name] = data["contract_digest"][: len(value)]  # type: ignore[index]
        return events

    return edit


def moved_to(before: Callable[[Events], int]) -> Edit:
    """The opening and its bridge at another place of the log."""

    def edit(events: Events) -> Events:
        first, last = places(events, "epoch_opened")[0], places(events, "epoch_bridged")[0]
        block, rest = events[first : last + 1], events[:first] + events[last + 1 :]
        at = before(rest)
        return rest[:at] + block + rest[at:]

    return edit


def after_a_decision(events: Events) -> int:
    """Between a gate block that was scored in epoch 0 and the decision on it."""
    return places(events, "gate_decision")[0]


def without_one(events: Events) -> Events:
    del events[places(events, "scores", role="bridge")[0]]
    return events


def of_another_system(events: Events) -> Events:
    place = places(events, "scores", role="bridge")[0]
    events[place].data["system"] = "0" * 64  # type: ignore[index]
    return events


def kinder(events: Events) -> Events:
    """The bridge's scores as the old ones, so that nothing seems to have moved; its arithmetic made again."""
    measured = [one.data for one in events if one.kind == "scores" and one.data["split"] in ("report", "anchor")]
    old = {(one["items"], one["system"]): one["values"] for one in measured if one["epoch"] == 0}
    for place in places(events, "scores", role="bridge"):
        data = events[place].data
        data["values"] = old[data["items"], data["system"]]  # type: ignore[index]
    events[places(events, "epoch_bridged")[0]].data["change"][0]["mean"] += 0.01
    return events


def late_bridge(events: Events) -> Events:
    place = places(events, "epoch_bridged")[0]
    bridged = events.pop(place)
    events.insert(places(events, "seal_opened")[0], bridged)
    return events


def after_the_seal(events: Events) -> Events:
    first, last = places(events, "epoch_opened")[0], places(events, "epoch_bridged")[0]
    again = copied(events[first : last + 1])
    again[0].data.update({"epoch": 2, "from": again[0].data["contract_digest"], "moved": {}})  # type: ignore[attr-defined]
    return [*events, again[0]]


FORGERIES: dict[str, tuple[Edit, str, str]] = {
    "another number": (put("epoch_opened", epoch=2), "contract", "is number 1"),
    "no person": (put("epoch_opened", decided_by="rule"), "contract", "no person consented"),
    "no reason": (put("epoch_opened", reason=" "), "contract", "no person consented"),
    "a part that moved is not named": (put("epoch_opened", moved={}), "contract", "moved"),
    "another contract before": (put("epoch_opened", **{"from": "0" * 64}), "contract", "does not follow"),
    "a contract of another digest": (put("epoch_opened", contract={}), "contract", "contract digest"),
    "the gate moved along": (recontracted(lambda one: one["gate"].update(level=0.2)), "contract", "the question"),
    "items moved along": (
        recontracted(lambda one: one["suite"]["axes"][0].update(margin=0.9)), "contract", "the question itself",
    ),
    "tries moved along": (recontracted(lambda one: one["decoding"].update(tries=99)), "contract", "the question"),
    "a session under the old contract": (
        lambda events: put("session", 1, contract_digest=opening(events)["from"])(events),
        "contract", "another contract",
    ),
    "an epoch after the seal": (after_the_seal, "contract", "after the seal"),
    "a score of the new epoch called old": (put("scores", -1, epoch=0), "items", "scored under contract and epoch"),
    "opened earlier than it was": (
        moved_to(lambda events: places(events, "stage_started")[2]), "items", "scored under contract and epoch",
    ),
    "a decision on scores of another epoch": (moved_to(after_a_decision), "gate", "a score of another epoch"),
    "a system is not asked again": (without_one, "bridges", "leaves out"),
    "another system is asked": (of_another_system, "bridges", "not what was measured before"),
    "the change of the measuring": (kinder, "bridges", "the change of the measuring"),
    "more is called unbridged": (put("epoch_bridged", unbridged={"axis echo": "-"}), "bridges", "what else is not"),
    "stages before the bridge": (late_bridge, "bridges", "before its bridge"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_epoch_is_found(honest: Path, tmp_path: Path, name: str) -> None:
    edit, check, words = FORGERIES[name]
    assert words in found(honest, tmp_path, edit).get(check, "not found"), found(honest, tmp_path / "again", edit)


def test_an_honest_copy_is_sound(honest: Path, tmp_path: Path) -> None:
    assert found(honest, tmp_path, lambda events: events) == {}


def test_the_engine_and_the_verifier_state_the_same_bridge(honest: Path) -> None:
    """The twin: the recorded numbers are the engine's; `verify` has come to them by plain Python."""
    (epoch,) = reduce(entries(honest)).epochs
    assert epoch.bridged is not None and epoch.bridged["change"] == stated(epoch.pairs) != []
    assert epoch.bridged["unbridged"] == gaps(epoch.pairs)
