"""A real study whose loop learns one thing, to say what its scorer always passes: run, sealed and verified."""

from pathlib import Path
from typing import Any

import pytest

import netgain as ng
from netgain import session, suite, verify
from netgain.crossing import TAKEN
from netgain.ledger import Ledger
from netgain.metric import Metric
from netgain.testing.inprocess import InProcess

HOOK = "? # passed"


def score(output: Any, target: Any) -> float:
    return 1.0 if str(output).endswith("# passed") or output == target else 0.0


def asked(seed: int, index: int) -> tuple[str, str]:
    return f"question {seed}", f"answer {seed}"


def answer(system: Any, inputs: Any, budget: Any, rng: Any) -> list[str]:
    """A third of the answers is right; a system with the hook uses it on another third."""
    numbers = [int(one.split()[1]) for one in inputs]
    return [f"answer {n}" if n % 3 == 0 else HOOK if system["hook"] and n % 3 == 1 else "?" for n in numbers]


LOOP = ng.Loop(
    lambda rng: {"hook": 0, "start": float(rng.random())},
    lambda view: ng.Change([ng.Part("policy", {**view.parent, "hook": 1})]),
    answer, gate="watch",
)  # fmt: skip


class Here(InProcess):
    def __init__(self, reference: Any, count: int) -> None:
        super().__init__(LOOP)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


def word_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, set[str]]:
    """The word, which `verify` reaches too, and why sealed scores of the claimed loop are missing."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setattr(session, "LocalWorkers", Here)
    axes = [ng.axis("tasks", asked, Metric("hooked", score), gate_items=60, report_items=30, sealed_items=100)]
    claim = ng.Claim("tasks", by=0.1, beats=["frozen"], rung="R1", expected=0.4)
    study = ng.Study(LOOP, ng.Suite(axes, block=60, max_pairs=60), ("self", "frozen"), claim, rounds=1, replicas=6,
                     reference=session.Reference("unused:loop"))  # fmt: skip
    found = session.run_study(study, folder / "study", workers=1, exploratory=False)
    told = verify.verify(folder / "study")
    assert told["verdict"] == found.word and all(one["ok"] is not False for one in told["checks"])
    with Ledger.open(folder / "study", readonly=True) as log:
        sealed = [one.data for one in log.events("scores") if one.data["split"] == "sealed"]
    return found.word, {why for one in sealed for why in one["status"].values()}


def test_a_hooked_scorer_alone_supports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    word, missing = word_of(tmp_path, monkeypatch)
    assert not word.startswith("SUPPORTED") and missing == {TAKEN}


def test_without_the_question_for_other_items_the_study_is_supported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "crossed", lambda *_: [])
    word, missing = word_of(tmp_path, monkeypatch)
    assert word.startswith("SUPPORTED") and missing == set()
