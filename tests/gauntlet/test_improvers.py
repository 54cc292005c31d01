"""Worlds that move their improver: each fake is stopped by the null or the control that is there for it."""

from dataclasses import replace

import numpy as np
import pytest

from netgain import case
from netgain.evidence import transplant, verdict
from netgain.gauntlet import studies
from netgain.gauntlet.improvers import moved, onto, worths
from netgain.gauntlet.lineage import draw_starts, run_arms
from netgain.gauntlet.population import development
from netgain.gauntlet.studies import run_studies
from netgain.gauntlet.truth import truth_of

PUBLIC = {one.name: one for one in development().mechanisms}


def world_of(name, place=3):
    return PUBLIC[name].at(PUBLIC[name].grid[place])


def supported(name, place=3, many=3):
    return sum(one.word.startswith("SUPPORTED") for one in run_studies(world_of(name, place), many, [1]))


@pytest.mark.parametrize(
    ("name", "rung"),
    [
        ("frozen improver that gains by more rounds", "R5"),
        ("shuffled-feedback improver", "R5"),
        ("shuffled-feedback improver behind a gate", "R5"),
        ("improver that any change makes better", "R5"),
        ("improver that fits the tasks of its maker", "R5"),
        ("improver of steady growth as accelerating", "R6"),
        ("improver of early growth as accelerating", "R6"),
        ("true gain, recursive", "R6"),
        ("true gain, accelerating", "R7"),
    ],
)
def test_truth_is_the_rung_that_the_world_really_has(name, rung):
    world = world_of(name)
    found = truth_of(world, starts=100)
    assert found.rung == rung
    assert found.bears(world) == (PUBLIC[name].kind == "genuine")


def test_genuine_improvers_are_supported():
    assert supported("true gain, recursive") == supported("true gain, accelerating") == 3


def without(monkeypatch, *nulls):
    """The verdict without some nulls."""
    kept = tuple(one for one in transplant.NULLS if one not in nulls)
    monkeypatch.setattr(transplant, "NULLS", kept)
    monkeypatch.setattr(case, "NULLS", kept)


@pytest.mark.parametrize(
    ("name", "nulls"),
    [
        ("shuffled-feedback improver", ["shuffled"]),
        ("improver that any change makes better", ["drifted"]),
    ],
)
def test_a_fake_improver_is_stopped_by_its_null_and_by_nothing_else(name, nulls, monkeypatch):
    assert supported(name) == 0
    without(monkeypatch, *nulls)
    assert supported(name) >= 2


def test_an_improver_that_fits_its_maker_is_stopped_by_moving_it_at_all(monkeypatch):
    name = "improver that fits the tasks of its maker"
    assert supported(name) == 0
    monkeypatch.setattr(verdict, "advantages", lambda improvers, starts: [1.0] * starts)
    assert supported(name) >= 2


def test_a_frozen_improver_is_stopped_by_stacked_and_by_its_nulls(monkeypatch):
    """Either is enough: the arm whose improver stays that of generation 0, and the improver of generation 0, moved."""
    name, controls = "frozen improver that gains by more rounds", verdict.controls
    assert supported(name) == 0
    monkeypatch.setattr(verdict, "advantages", lambda improvers, starts: [1.0] * starts)
    assert supported(name) == 0
    monkeypatch.setattr(verdict, "controls", lambda *of: tuple(one for one in controls(*of) if one != "stacked"))
    assert supported(name) >= 2


@pytest.mark.parametrize("curve", ["steady", "early"])
def test_growth_that_does_not_grow_is_stopped_by_the_second_difference(curve, monkeypatch):
    name = f"improver of {curve} growth as accelerating"
    assert supported(name) == 0
    monkeypatch.setattr(verdict, "accelerations", lambda improvers, starts, scale: [1.0] * starts)
    assert supported(name) >= 2


def test_behind_a_gate_the_null_is_what_the_placebo_works_with(monkeypatch):
    """With what it serves as null, which behind a gate is generation 0, the fake is SUPPORTED."""
    name = "shuffled-feedback improver behind a gate"
    assert supported(name, many=4) == 0
    monkeypatch.setattr(studies, "moved", served)
    assert supported(name, many=4) >= 2


def served(world, starts, ran, group, rng):
    placebo = replace(ran["placebo"], ahead=ran["placebo"].ahead & False)
    return moved(world, starts, {**ran, "placebo": placebo}, group, rng)


def test_foreign_starts_are_others_of_the_same_study():
    places = onto(12, 6)
    assert places.shape == (12, 2)
    assert all(place // 6 == at // 6 and place != at for at, row in enumerate(places) for place in row)
    assert onto(3, 3).tolist() == [[1, 2], [2, 0], [0, 1]]


def test_what_was_never_released_is_the_improver_of_generation_0():
    world = world_of("true gain, recursive").at("improver.scatter", 0.0).at("gain.signal", 0.0)
    world = world.at("asked.mode", "strict")
    starts = draw_starts(world, np.random.default_rng(1), 20, 1)
    ran = run_arms(world, starts, np.random.SeedSequence(1))
    found = worths(world, ran, np.random.default_rng(2))
    assert not ran["self"].changed.any()
    assert np.array_equal(found["last"], found["first"]) and np.array_equal(found["half"], found["first"])
