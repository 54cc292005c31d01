"""The flagship at size tiny, end to end: workers with torch, real training, seal, verdict, and the stranger's check."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.recipes import build_recipe
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.verify import verify

ARMS = ("self", "frozen", "ordinary", "placebo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of one start: too few for a word, enough for everything else."""
    options = {"task": "reverse", "check": "cycle"}
    built = build_recipe("length", options, "tiny")
    reference = Reference("netgain.recipes.length:make", {**options, "size": "tiny"})
    about = {"recipe": "length", "size": "tiny", "options": options}
    claim = type(built.claim)("ladder", by=0.1, beats=("frozen", "ordinary", "placebo"), rung="R2", expected=0.2)
    study = Study(
        built.loop, built.suite, ARMS, claim, replicas=1, rounds=built.rounds, reference=reference, about=about,
        root="2" * 64,  # one start of this size may climb little; this one climbs
    )  # fmt: skip
    path = tmp_path_factory.mktemp("length")
    run_study(study, path)
    return path


def test_one_start_decides_nothing_and_everything_verifies(folder: Path) -> None:
    found = verify(folder)
    assert found["verdict"] == "INCONCLUSIVE"
    assert all(check["ok"] for check in found["checks"] if check["ok"] is not None), found["checks"]
    assert "no registered look" in " ".join(found["reasons"])


def test_the_loop_climbs_and_what_stands_still_does_not(folder: Path) -> None:
    """Over plain training it gains in several starts; of one, the sealed items are drawn anew each time."""
    facts = facts_of(Ledger.open(folder, readonly=True))
    scores = {arm: facts.sealed_score(0, arm, "ladder") for arm in ARMS}
    assert scores["self"].mean > scores["frozen"].mean
    assert facts.runs["r0/self"].row["released"] != facts.runs["r0/frozen"].row["released"]


def test_controls_spend_what_the_loop_spent(folder: Path) -> None:
    facts = facts_of(Ledger.open(folder, readonly=True))
    own = facts.spent(0, "self", "build")
    for control in ("ordinary", "placebo"):
        for unit in ("tokens", "flops"):
            assert facts.spent(0, control, "build")[unit] >= 0.98 * own[unit]


def test_the_checks_of_the_loop_keep_mostly_right_answers(folder: Path) -> None:
    facts = facts_of(Ledger.open(folder, readonly=True))
    first = facts.runs["r0/self"].channel[1]["right"]
    assert first["passed_right"] / first["passed"] > first["right"] / first["of"]


def test_every_released_system_has_a_round_0_score_that_is_not_the_same_for_all(folder: Path) -> None:
    run = facts_of(Ledger.open(folder, readonly=True)).runs["r0/self"]
    assert sorted(run.round_0) == list(range(run.row["round"] + 1))
    scores = [score for score in run.round_0.values() if score is not None]
    assert len(scores) == len(run.round_0) and max(scores) > min(scores)
