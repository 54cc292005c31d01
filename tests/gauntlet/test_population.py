"""Populations: the public one is complete, a file is checked before anything runs, an opening is booked."""

import json

import pytest

from netgain.errors import ConfigError
from netgain.gauntlet import population
from netgain.gauntlet.population import (
    CLASSES,
    Opening,
    book_look,
    development,
    exposure_ledger,
    held_out,
    verdict_code,
)  # fmt: skip
from netgain.gauntlet.truth import truth_of
from netgain.gauntlet.world import World

ASKED = (  # issue: at least these
    "true gain, small", "true gain, large", "true gain, late", "no gain", "lucky seed", "best-of-many noise",
    "compute only", "leaked gate items", "leaked sealed items", "memorised benchmark", "harness drift",
    "lucky baseline", "denominator change", "NaN or infinite score", "scorer exploit",
    "adaptive probing of the gate by reported scores", "guard ratchet", "gain on one axis paid on another",
    "human-supplied gain", "teacher-supplied gain", "random reward", "biased feedback", "contaminated self-data",
    "collapse after a peak", "oscillation", "metric sum ≠ 1",
)  # fmt: skip


@pytest.fixture(scope="module")
def public():
    return {one.name: one for one in development().mechanisms}


def test_the_public_population_holds_what_was_asked_for(public):
    assert not set(ASKED) - set(public)
    numbered = {one.adversarial for one in public.values() if one.adversarial}
    assert numbered == set(range(1, 23))
    assert {one.kind for one in public.values()} == {"fake", "genuine", "boundary", "a/a", "outside"}
    assert all(one.letter in CLASSES for one in public.values() if one.kind == "fake")


def test_a_mechanism_sets_one_strength_and_says_what_is_right(public):
    for one in public.values():
        assert len(set(one.grid)) >= 6 and one.right, one.name
        worlds = [one.at(strength) for strength in one.grid]
        assert len(set(worlds)) == len(worlds), one.name


def agrees(mechanism, strength, starts):
    """Whether the truth of a world is what its kind says. A boundary has no truth worth a test: it is on the line."""
    world = mechanism.at(strength)
    return truth_of(world, starts=starts).bears(world) == (mechanism.kind == "genuine")


QUICKLY = ("compute only", "lucky seed", "guard ratchet", "teacher-supplied gain", "rare jackpot", "true gain, small",
           "true gain, late", "placebo with residual truth", "harmful placebo beside a teacher")  # fmt: skip


@pytest.mark.parametrize("name", QUICKLY)
def test_truth_computed_again_is_what_the_kind_says(public, name):
    assert agrees(public[name], public[name].grid[3], 100)


@pytest.mark.nightly
def test_every_truth_computed_again_is_what_the_kind_says(public):
    wrong = [(one.name, strength) for one in public.values() if one.kind in ("fake", "genuine")
             for strength in one.grid if not agrees(one, strength, 1000)]  # fmt: skip
    assert wrong == []


def test_a_world_is_what_its_record_says():
    world = World.from_json({"gain": {"signal": 0.2}, "asked": {"rung": "R4", "beats": ["frozen"]}})
    assert World.from_json(json.loads(json.dumps(world.to_json()))) == world
    assert World.from_json({}).to_json() == {}
    assert world.at("faults.cluster", 3.0).faults.cluster == 3


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"gains": {}}, "gains"),
        ({"gain": {"signl": 0.1}}, "signl"),
        ({"gain": {"signal": "much"}}, "much"),
        ({"gain": {"profile": "wild"}}, "wild"),
        ({"gain": {"tries": 0}}, "counts from 1"),
        ({"asked": {"rung": "R6"}}, "R6"),
    ],
)
def test_a_wrong_world_is_an_error_that_names_it(record, told):
    with pytest.raises(ConfigError, match=told):
        World.from_json(record)


def written(folder, **changed):
    one = {"mechanism": "x", "kind": "fake", "class": "N", "strength": ["gain.luck"], "grid": [0.01] * 6, "world": {}}
    path = folder / "held-out.json"
    path.write_text(json.dumps({"schema": "netgain.population/1", "name": "mine", "mechanisms": [{**one, **changed}]}))
    return path


def test_each_opening_of_a_held_out_file_is_a_look_whatever_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = written(tmp_path)
    assert [held_out(path).opening.number for _ in range(2)] == [1, 2]
    renamed = path.rename(tmp_path / "other.json")
    assert held_out(renamed).opening == Opening(3, changed=False)
    assert held_out(written(tmp_path, right="else", mechanism="y")).opening == Opening(4, changed=False)
    assert held_out(written(tmp_path, grid=[0.02] * 6)).opening == Opening(1, changed=None)
    assert exposure_ledger().is_relative_to(tmp_path)


def test_an_opening_that_cannot_be_booked_is_unknown_and_not_zero(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    exposure_ledger().parent.mkdir(parents=True)
    exposure_ledger().write_text("{broken")
    assert book_look("d") == Opening(None, None)


def test_an_opening_after_a_change_of_the_verdict_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert book_look("d") == Opening(1, None)
    monkeypatch.setattr(population, "verdict_code", lambda: "other")
    assert book_look("d") == Opening(2, changed=True)
    assert len(verdict_code()) == 64


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"kind": "odd"}, "odd"),
        ({"grid": [0.1] * 5}, "5 strengths"),
        ({"strength": ["gain.nothing"]}, "gain.nothing"),
        ({"colour": "red"}, "colour"),
        ({"detector": "luck"}, "luck"),
    ],
)
def test_a_wrong_file_is_an_error_before_anything_runs(tmp_path, monkeypatch, changed, told):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=told):
        held_out(written(tmp_path, **changed))
    assert not exposure_ledger().exists()


def test_no_file_and_no_population_are_errors(tmp_path):
    with pytest.raises(ConfigError, match="cannot read"):
        held_out(tmp_path / "absent.json")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(ConfigError, match="no population"):
        held_out(tmp_path / "list.json")
