"""What the flagship proposes when a surface is closed, and how its improver is moved: no training is needed for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from netgain.budget import Budget
from netgain.recipes.length import model, steps
from netgain.recipes.length.options import Options
from netgain.records import Change, Feedback, View

torch.set_flush_denormal(False)  # importing `steps` sets it, here for all tests of this process
OPTIONS = Options(size="tiny")
SIZE = OPTIONS.numbers


@pytest.fixture(autouse=True, scope="module")
def _as_before():
    """`steps` has torch round the smallest numbers to zero in its process; other tests have theirs without."""
    torch.set_flush_denormal(True)
    yield
    torch.set_flush_denormal(False)


def system(seed: int) -> steps.System:
    return steps.System(model.fresh(SIZE.shape, np.random.default_rng(seed)))


def view(**changes: Any) -> View:
    ready = View(
        parent=system(1), improver=system(2), state=None, accepted=None, feedback=Feedback(), dev=(), budget=Budget(),
        rng=np.random.default_rng(0), round=1,
    )  # fmt: skip
    return replace(ready, **changes)


def surfaces(change: Change) -> list[str]:
    return [part.surface for part in change.parts]


@pytest.mark.parametrize(
    ("closed", "left"),
    [((), ["data", "curriculum"]), (("data",), ["curriculum"]), (("curriculum",), ["data"]),
     (("data", "curriculum"), ["weights"])],
)  # fmt: skip
def test_a_closed_surface_is_left_alone(closed: tuple[str, ...], left: list[str]) -> None:
    change = steps.propose(OPTIONS, view(closed=closed))
    assert surfaces(change) == left
    assert (change.examples is None) == ("data" in closed)


def test_with_the_curriculum_closed_the_length_stays_the_first_one() -> None:
    later = {"state": {"length": SIZE.target, "sets": []}, "feedback": Feedback(shares={"cycle": 1.0})}
    change = steps.propose(OPTIONS, view(closed=("curriculum",), **later))
    assert change.examples is not None
    assert {len(one) for one in change.examples.inputs} == {SIZE.base_length + 2}, "symbols and the separator"


def test_a_transplanted_round_asks_beyond_the_length_at_which_runs_stop_and_carries_nothing_along() -> None:
    change = steps.transplant(OPTIONS, view())
    assert change.examples is not None
    assert {len(one) for one in change.examples.inputs} == {SIZE.target + 2}
    assert len(change.checks["cycle"]) == len(change.examples.inputs)
    assert change.state["sets"] == []


def test_a_drifted_improver_is_as_far_away_and_elsewhere() -> None:
    first, last = system(1), system(2)
    moved = steps.drifted(OPTIONS, first, last, np.random.default_rng(5))
    for name, before in first.weights.items():
        far, ours = last.weights[name] - before, moved.weights[name] - before
        assert torch.allclose(ours.norm(), far.norm(), rtol=1e-4)
        if far.numel() > 100:
            assert abs(float(torch.nn.functional.cosine_similarity(ours.flatten(), far.flatten(), dim=0))) < 0.5
    again = steps.drifted(OPTIONS, first, last, np.random.default_rng(5))
    assert steps.encode(again) == steps.encode(moved)
