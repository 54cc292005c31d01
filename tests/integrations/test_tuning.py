"""Optuna's search as a loop: rounds go on from earlier trials, failures are no values, random draws stand beside."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netgain as ng
from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.executors import Reference
from netgain.integrations.tuning import Tuning
from netgain.records import Feedback, View

optuna = pytest.importorskip("optuna")


def objective(trial: Any) -> float:
    cut = trial.suggest_float("cut", 0.0, 1.0)
    side = trial.suggest_categorical("side", ["above", "below"])
    return float(side == "above") - abs(cut - 0.3)


def answer(found: Any, inputs: Any) -> list[bool]:
    return [(one > found["cut"]) == (found["side"] == "above") for one in inputs]


def item(seed: int, index: int) -> tuple[float, bool]:
    x = float(np.random.default_rng(seed).random())
    return x, x > 0.3


TUNING = Tuning(objective, answer, {"cut": 0.9, "side": "below"}, trials=6)
loop = TUNING.loop()
suite = ng.Suite([ng.axis("right", item, gate_items=60, report_items=20, sealed_items=100)])
claim = ng.Claim("right", 0.05, ["frozen", "random_search"], looks=(2,))
study = ng.Study(loop, suite, ["self", "frozen", "random_search"], claim, replicas=2, rounds=2)


def asked(state: Any = None, seed: int = 1, tuning: Tuning = TUNING, *, random: bool = False, **allowed: Any) -> Any:
    parent = tuning.loop().start(np.random.default_rng(0)).system
    view = View(parent, parent, state, None, Feedback(), [], Budget(**allowed), np.random.default_rng(seed), 1)
    made = tuning.loop()
    return (made.random_search if random else made.propose)(view), view.budget


def test_the_first_trial_is_generation_0_and_the_best_is_proposed() -> None:
    change, budget = asked()
    trials = change.state["trials"]
    assert trials[0]["params"] == {"cut": 0.9, "side": "below"}
    best = max(trials, key=lambda one: one["value"])
    assert change.parts[0].payload == best["params"]
    assert change.parts[0].evidence == {"best": best["value"], "failed": 0}
    assert (len(trials), budget.spent) == (6, {"calls": 6})


def test_a_round_goes_on_from_what_was_tried() -> None:
    first, _ = asked()
    second, budget = asked(first.state, seed=2)
    assert second.state["trials"][:6] == first.state["trials"]
    assert (len(second.state["trials"]), budget.spent) == (12, {"calls": 6})
    alone, _ = asked(seed=2)
    assert second.state["trials"][6:] != alone.state["trials"]


def test_one_stream_gives_one_search() -> None:
    assert asked(seed=4)[0].state == asked(seed=4)[0].state != asked(seed=5)[0].state


def test_random_draws_learn_nothing_from_values() -> None:
    upside_down = replace(TUNING, objective=lambda trial: -objective(trial))
    one, other = (asked(seed=6, tuning=each, random=True)[0].state["trials"] for each in (TUNING, upside_down))
    assert [each["params"] for each in one] == [each["params"] for each in other]


def test_a_failed_trial_and_one_without_a_finite_value_are_no_bad_ones() -> None:
    def fails(trial: Any) -> float:
        value = objective(trial)
        if trial.number == 1:
            raise RuntimeError("no room")
        return float("inf") if trial.number == 2 else value

    change, _ = asked(tuning=replace(TUNING, objective=fails))
    assert [one["value"] is None for one in change.state["trials"]] == [False, True, True, False, False, False]
    assert change.parts[0].evidence["failed"] == 2
    nothing, _ = asked(tuning=replace(TUNING, objective=lambda trial: float("nan")))
    assert nothing.parts[0].payload == dict(TUNING.first)
    assert nothing.parts[0].evidence == {"best": None, "failed": 6}


def test_the_smallest_is_best_where_it_is_minimised_and_a_sampler_can_be_given() -> None:
    tuning = replace(TUNING, direction="minimize", sampler=lambda seed: optuna.samplers.RandomSampler(seed=seed))
    change, budget = asked(tuning=tuning, scale=2.0)
    assert change.parts[0].evidence["best"] == min(one["value"] for one in change.state["trials"])
    assert budget.spent == {"calls": 12}


def test_what_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="unknown direction 'up'"):
        replace(TUNING, direction="up")
    with pytest.raises(ConfigError, match="trials 0"):
        replace(TUNING, trials=0)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install 'netgain\[optuna\]'"):
        asked()


@pytest.mark.nightly
def test_a_search_runs_to_its_word_beside_random_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    found = replace(study, reference=Reference(f"{Path(__file__).resolve()}:study"))
    verdict = found.run(tmp_path / "study", workers=1, exploratory=True)
    assert verdict.word == "INCONCLUSIVE", "two starts say nothing"
