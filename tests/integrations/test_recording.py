"""`netgain.record`: what a script's functions are given, and what becomes of it; the lines of the example."""

from __future__ import annotations

import difflib
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import netgain as ng
from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.executors import Reference, reference_of
from netgain.ledger import Ledger
from netgain.records import Change, Feedback, Part, View
from netgain.seal import facts_of
from netgain.session import run_study
from netgain.status import status_of
from netgain.verify import verify

EXAMPLES = Path(__file__).parents[2] / "examples"
ROWS = 10  # of one training of these scripts


def start() -> nn.Module:
    return nn.Linear(2, 2)


def label(model: nn.Module, round: int) -> tuple[Any, Any, Any]:
    x = torch.rand(4, 2) + round
    return x, model(x).argmax(1), x[:, 0] > x[:, 1]


def train(model: nn.Module, x: Any, y: Any) -> None:
    for _ in range(5):
        model(x[:2])
    with torch.no_grad():
        model.bias += len(x) + 0.001 * random.random()


def plain(model: nn.Module) -> None:
    for _ in range(5):
        model(torch.ones(2, 2))


def item(seed: int, index: int) -> tuple[Any, Any]:
    return [float(seed % 2), 0.5], seed % 2


def view(loop: ng.Loop, seed: int = 1, *, state: Any = None, **allowed: Any) -> View:
    system = loop.start(np.random.default_rng(0)).system
    return View(system, loop.codec.decode(loop.codec.encode(system)), state, None, Feedback(), [], Budget(**allowed),
                np.random.default_rng(seed), 1)  # fmt: skip


SCRIPT = ng.Script(start, label=label, train=train, plain=plain)


def test_a_round_is_labelled_by_the_improver_and_counted() -> None:
    loop = SCRIPT.loop()
    seen = view(loop, state={"round": 2})
    change = loop.propose(seen)
    inputs = torch.tensor(change.examples.inputs)
    assert inputs.shape == (4, 2) and inputs.min() >= 3, "the third round"
    assert change.examples.labels == seen.improver(inputs).argmax(1).tolist()
    assert change.checks == {"passed": [bool(x > y) for x, y in inputs]}
    assert (change.state, seen.budget.spent) == ({"round": 3}, {"tokens": 4, "calls": 0})


def test_what_passed_is_trained_on_as_the_script_does_and_counted() -> None:
    loop, budget = SCRIPT.loop(), Budget()
    parent = start()
    before = parent.bias.detach().clone()
    change = Change([Part("data", ng.Examples([[0.0, 1.0], [1.0, 2.0], [3.0, 4.0]], [0, 1, 1]))], {"round": 1})
    built = loop.build(parent, change, budget, np.random.default_rng(3))
    assert (built.bias - before).round().tolist() == [3.0, 3.0], "three examples, edited in place"
    assert budget.spent == {"tokens": ROWS, "calls": 1}


def test_nothing_that_passed_leaves_the_system_as_it_is() -> None:
    budget, parent = Budget(), start()
    empty = Change([Part("data", ng.Examples([], []))])
    assert SCRIPT.loop().build(parent, empty, budget, np.random.default_rng(3)) is parent
    assert budget.spent == {"tokens": 0, "calls": 0}


def test_two_calls_on_one_stream_are_the_same_to_the_bit() -> None:
    loop = SCRIPT.loop()
    one, other, third = (loop.propose(view(loop, seed)).examples.inputs for seed in (1, 1, 2))
    assert one == other != third


@pytest.mark.parametrize(("due", "tokens"), [(None, 10), (4, 10), (13, 14), (25, 26)])
def test_a_control_goes_on_until_it_is_level_and_no_further_than_a_batch(due: int | None, tokens: int) -> None:
    loop = SCRIPT.loop()
    seen = view(loop, tokens=due)
    loop.menu["plain"](seen)
    assert seen.budget.spent["tokens"] == tokens


def test_a_round_that_gives_a_new_system_is_not_cut_and_lost() -> None:
    def anew(model: nn.Module) -> nn.Module:
        plain(model)
        made = start()
        made.load_state_dict({"weight": model.weight, "bias": model.bias + 1})
        return made

    loop = replace(SCRIPT, plain=anew).loop()
    seen = view(loop, tokens=13)
    moved = loop.menu["plain"](seen).parts[0].payload.bias - seen.parent.bias
    assert seen.budget.spent == {"tokens": 2 * ROWS, "calls": 2}
    assert moved.detach().numpy() == pytest.approx([2.0, 2.0], abs=1e-5), "both rounds that are booked stand"


def test_one_long_step_labels_and_trains_as_often_as_there_are_rounds() -> None:
    loop = SCRIPT.loop()
    seen = view(loop, scale=3.0)
    assert len(loop.propose(seen).examples.inputs) == 12
    loop.menu["plain"](seen)
    assert seen.budget.spent == {"tokens": 12 + 3 * ROWS, "calls": 3}


def test_what_nobody_counts_is_unknown_and_a_control_does_not_wait_for_it() -> None:
    def improve(rule: list[float], rng: Any) -> list[float]:
        return [one + 1 for one in rule]

    def books(rule: list[float], budget: Budget) -> list[float]:
        budget.spend(tokens=7)
        return rule

    for function, spent in ((improve, {"tokens": 0, "calls": 1}), (books, {"tokens": 7, "calls": 1})):
        loop = ng.Script(lambda: [0.0], improve=function, answer=lambda rule, inputs: inputs).loop()
        seen = view(loop, tokens=5)
        hidden = sys.modules.pop("torch")  # as in a script without it
        try:
            loop.propose(seen)
        finally:
            sys.modules["torch"] = hidden
        assert seen.budget.spent == {name: value for name, value in spent.items() if value}


def test_without_an_answer_a_module_is_a_classifier() -> None:
    budget, system = Budget(), start()
    inputs = [[0.1, 0.9], [5.0, -5.0]]
    given = SCRIPT.loop().answer(system, inputs, budget, np.random.default_rng(0))
    assert given == system(torch.tensor(inputs)).argmax(1).tolist()
    assert budget.spent == {"tokens": 2, "calls": 2}


def test_a_study_has_the_controls_that_the_functions_allow() -> None:
    arms = ["self", "frozen", "ordinary", "placebo", "unguarded:passed.filter", "stacked"]
    whole = ng.record(SCRIPT, item, by=0.1)
    assert (list(whole.arms), whole.claim.rung, whole.loop.gate) == (arms, "R2", "advance")
    bare = ng.record(replace(SCRIPT, plain=None), item, by=0.1)
    assert (list(bare.arms), bare.claim.rung, bare.claim.beats) == (["self", "frozen", "stacked"], "R1", ("frozen",))
    one_piece = ng.record(ng.Script(start, improve=lambda model: None), item, by=0.1)
    assert list(one_piece.arms) == ["self", "frozen"]
    assert ng.Script(list, improve=list).loop().start(np.random.default_rng(0)).system == []
    taught = ng.record(ng.Script(start, improve=lambda model, teacher: None), item, by=0.1)
    assert "stacked" in taught.arms


def refused(*given: Any, **named: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        ng.record(ng.Script(*given), item, **{"by": 0.1, **named})
    return str(caught.value)


def test_what_does_not_fit_is_refused_before_anything_runs() -> None:
    def odd(model: Any, strength: float) -> Any: ...

    assert "start is Ellipsis, expected a function" in refused(...)
    assert "a round from nothing, expected `label` and `train`" in refused(start)
    assert "a round from label, expected `label` and `train`" in refused(start, label)
    assert "unknown parameter of label 'strength', expected one of 'round'" in refused(start, odd, train)
    assert "train takes 1 arguments, expected 3" in refused(start, label, plain)
    assert "rung R2 needs the arm `ordinary`" in refused(start, label, train, rung="R2")
    with pytest.raises(ConfigError, match=r"items is list \[\], expected a function"):
        ng.record(SCRIPT, [], by=0.1)


@pytest.mark.parametrize("made", [(1, 2), ([1], [1], [True, False]), None])
def test_three_columns_of_one_length_or_nothing(made: Any) -> None:
    loop = ng.Script(start, label=lambda model: made, train=train).loop()
    with pytest.raises(ValueError, match="expected inputs, labels, passed"):
        loop.propose(view(loop))


def test_workers_find_a_loop_by_the_study_that_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    main, study = sys.modules["__main__"], ng.record(SCRIPT, item, by=0.1)
    monkeypatch.setattr(main, "__file__", "/somewhere/script.py", raising=False)
    with pytest.raises(ConfigError, match="no top-level name"):
        reference_of(study.loop)
    monkeypatch.setattr(main, "recorded", study, raising=False)
    assert reference_of(study.loop) == Reference("/somewhere/script.py:recorded")


# ---- the example


def code(name: str) -> list[str]:
    return (EXAMPLES / name).read_text(encoding="utf-8").splitlines()


def test_the_example_adds_at_most_twenty_lines_and_changes_none() -> None:
    before, after = (
        code("self_training.py")[1:],
        code("self_training_recorded.py")[1:],
    )  # what each says of itself aside
    marks = [line[0] for line in difflib.ndiff(before, after)]
    assert marks.count("-") == 0
    assert 10 < marks.count("+") <= 20


def example(**smaller: Any) -> Any:
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile((EXAMPLES / "self_training_recorded.py").read_text(encoding="utf-8"), "example", "exec"), namespace)
    reference = Reference(f"{EXAMPLES / 'self_training_recorded.py'}:study")
    return replace(namespace["study"], reference=reference, **smaller)


@pytest.mark.nightly
def test_the_example_gets_a_word_that_the_verifier_gives_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    study = example(replicas=2, rounds=2)
    study = replace(study, claim=replace(study.claim, looks=(2,), expected=None))
    verdict = study.run(tmp_path / "study", workers=1, exploratory=True)
    assert verdict.word == "INCONCLUSIVE", "two starts say nothing"
    assert verify(tmp_path / "study")["verdict"] == verdict.word
    with Ledger.open(tmp_path / "study", readonly=True) as log:
        spent = {arm: facts_of(log).spent(0, arm, "build")["tokens"] for arm in study.arms if arm != "frozen"}
    assert all(abs(one / spent["self"] - 1) < 0.01 for one in spent.values()), "level to a batch, in every control"


def test_a_script_without_torch_runs_to_a_word_and_repeats_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = Path(__file__).with_name("recorded_script.py")
    namespace: dict[str, Any] = {"__name__": "recorded"}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
    study = replace(namespace["study"], reference=Reference(f"{path}:study"), root="ab" * 32)
    study = replace(study, arms=study.arms[:4], claim=replace(study.claim, rung="R1", looks=(2,)))
    for folder in ("one", "other"):
        verdict = run_study(study, tmp_path / folder, workers=1, exploratory=True)
        assert verdict.word == "INCONCLUSIVE", "two starts say nothing"
    assert verify(tmp_path / "one")["verdict"] == "INCONCLUSIVE"
    digests = [status_of(tmp_path / folder)["result_digest"] for folder in ("one", "other")]
    assert digests[0] == digests[1]
    with Ledger.open(tmp_path / "one", readonly=True) as log:
        spent = facts_of(log).spent(0, "self", "build")
    assert spent["calls"] == 2
    assert spent["tokens"] is None, "what labelling costs is booked by nobody, so it is unknown and not nothing"
