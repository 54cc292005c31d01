"""One thread, a seed, every fault: the invariants hold after each stage, and the end is as if nothing had happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from netgain.facts import reduce
from netgain.ledger import Event
from netgain.seal import open_seal, score_sealed
from netgain.testing.crashfs import swapped
from netgain.testing.simulation import History, Rates, simulate
from netgain.testing.trials import record

SEED = 100
COMMAND = "pytest tests/reliability/test_simulated_faults.py"
CLOCKS = Rates(jump=0.6, dies=0.1, late=0.1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> History:
    none = Rates(dies=0, late=0, twice=0, coordinator=0, full=0, short=0, jump=0)
    found = simulate(tmp_path_factory.mktemp("undisturbed") / "study", 1, rates=none)
    assert not found.faults and not found.broken
    return found


def wrong_in(history: History, undisturbed: History) -> list[str]:
    same = history.digest == undisturbed.digest
    return [f"seed {history.seed}: {one}" for one in [*history.broken, *([] if same else ["another result"])]]


@pytest.mark.parametrize("seeds", [24, pytest.param(3000, marks=pytest.mark.nightly)])
def test_no_fault_breaks_an_invariant_or_changes_the_result(tmp_path: Path, undisturbed: History, seeds: int) -> None:
    found = [simulate(tmp_path / str(seed), seed) for seed in range(SEED, SEED + seeds)]
    wrong = [one for history in found for one in wrong_in(history, undisturbed)]
    seen = {fault for history in found for fault in history.faults}
    assert seen == {"dies", "late", "twice", "coordinator", "full", "short", "clock", "zombie coordinator"}
    record("simulation", "studies with faults", trials=seeds, failures=len(wrong), seed=SEED, command=COMMAND)
    assert not wrong, wrong[:5]


@pytest.mark.parametrize("seeds", [10, pytest.param(200, marks=pytest.mark.nightly)])
def test_no_decision_rests_on_the_wall_clock(tmp_path: Path, undisturbed: History, seeds: int) -> None:
    found = [simulate(tmp_path / str(seed), seed, rates=CLOCKS) for seed in range(SEED, SEED + seeds)]
    wrong = [one for history in found for one in wrong_in(history, undisturbed)]
    for history in found:
        times = [entry.time for entry in history.entries]
        assert times != sorted(times), "the clock never ran backwards: the test shows nothing"
        assert [entry.seq for entry in history.entries] == list(range(len(times)))
        told = [(one.run, one.data["round"], one.data["stage"]) for one in history.entries if one.kind == "stage_done"]
        before = [
            (one.run, one.data["round"], one.data["stage"]) for one in undisturbed.entries if one.kind == "stage_done"
        ]
        wrong += [] if told == before else [f"seed {history.seed}: another order"]
    record("G15", "studies under a clock that jumps", trials=seeds, failures=len(wrong), seed=SEED, command=COMMAND)
    assert not wrong, wrong[:5]


def test_the_same_seed_is_the_same_history(tmp_path: Path) -> None:
    one, two = (simulate(tmp_path / name, SEED) for name in ("one", "two"))
    assert [(e.kind, e.run, e.time) for e in one.entries] == [(e.kind, e.run, e.time) for e in two.entries]
    assert one.faults == two.faults and one.digest == two.digest


def sealed(world, *, early: bool = False) -> None:
    """What comes after the last stage, in its order or in the wrong one."""
    if early:
        world.dealer.sealed(world.suite.axes[0], 0, b"s" * 32)
    if not list(world.log.events("claim_registered")):  # only what the seal reads of it
        claim = {"claim": {"arm": "self", "metric": "echo"}, "claim_digest": "0" * 64, "contract": {}}
        world.log.append([Event("claim_registered", None, claim)])
    facts = reduce(world.log.events())
    if not facts.seals:
        open_seal(world.log, facts, 1, [0], ["self", "frozen"])
    facts = reduce(world.log.events())
    score_sealed(world, facts, facts.seals[-1], 1)


def test_no_sealed_item_exists_before_the_seal_is_on_record(tmp_path: Path) -> None:
    for seed in range(SEED, SEED + 8):
        history = simulate(tmp_path / str(seed), seed, then=sealed)
        assert history.broken == []
        kinds = [entry.kind for entry in history.entries if entry.kind in ("seal_opened", "sealed_answered")]
        assert kinds[0] == "seal_opened" and {*kinds[1:]} == {"sealed_answered"}


def test_a_sealed_item_that_is_drawn_too_early_is_seen(tmp_path: Path) -> None:
    history = simulate(tmp_path / "study", SEED, then=lambda world: sealed(world, early=True))
    assert any("before the seal was on record" in one for one in history.broken)


def test_spend_that_falls_is_seen(tmp_path: Path) -> None:
    from netgain import loop

    def forgetful(outcome):
        row = charged(outcome)
        return row if row.stage != "judge" else row.__class__.from_json({**row.to_json(), "build": {"tokens": 1.0}})

    charged = loop._charged
    with swapped((loop, "_charged", forgetful)):
        history = simulate(tmp_path / "study", SEED)
    assert any("spent" in one for one in history.broken)
