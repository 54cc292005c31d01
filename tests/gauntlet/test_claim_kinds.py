"""Claims other than the usual one in simulated studies: what is true of each, words of a fake and of a gain."""

import numpy as np
import pytest

from netgain.errors import ConfigError
from netgain.gauntlet.campaign import measure
from netgain.gauntlet.found import Found, Size
from netgain.gauntlet.lineage import draw_starts, run_arms
from netgain.gauntlet.population import development
from netgain.gauntlet.record import claim_of
from netgain.gauntlet.studies import run_studies
from netgain.gauntlet.truth import claimed_gain, net_gains, truth_of
from netgain.gauntlet.world import Asked, Gain, World

PUBLIC = {one.name: one for one in development().mechanisms}
FAKES = ("compute only, as a mean", "jackpot, claimed of four fifths", "rare jackpot, open looks",
         "version that misses its claim")  # fmt: skip
GAINS = ("true gain, as a mean", "true gain in four fifths", "true gain, open looks", "true gain of a version")


def world_of(name, place=3):
    return PUBLIC[name].at(PUBLIC[name].grid[place])


def words_of(world, studies=3):
    return [one.word for one in run_studies(world, studies, [2])]


@pytest.mark.parametrize("name", FAKES)
def test_a_fake_is_false_and_not_supported(name):
    world = world_of(name)
    assert not truth_of(world, starts=100).bears(world)
    assert not any(word.startswith("SUPPORTED") for word in words_of(world))


@pytest.mark.parametrize("name", GAINS)
def test_a_gain_is_true_promised_and_supported(name):
    world = world_of(name)
    truth = truth_of(world, starts=100)
    assert truth.bears(world) and Found(0.0, world, truth, ()).promised >= 0.8
    assert sum(word.startswith("SUPPORTED") for word in words_of(world)) >= 2


def test_a_share_is_what_stops_gains_of_two_thirds_of_starts():
    world = world_of("jackpot, claimed of four fifths", 0)
    assert not any(word.startswith("SUPPORTED") for word in words_of(world))
    half = world.at("asked.share", 0.5).at("asked.looks", (20,))
    assert truth_of(half, starts=100).bears(half) and sum(one.startswith("SUPPORTED") for one in words_of(half)) >= 2


def test_the_number_that_a_claim_is_about():
    base = {"gain": Gain(signal=0.2, starve=0.3), "asked": Asked(rung="R1", mode="watch")}
    worlds = {name: World(**base).at(*change) for name, change in {
        "median": ("asked.share", 0.5), "share": ("asked.share", 0.8), "mean": ("asked.analysis", "mean"),
    }.items()}  # fmt: skip
    starts = draw_starts(World(**base), np.random.default_rng(1), 400, 1)
    ran = run_arms(World(**base), starts, np.random.SeedSequence(1))
    found = {name: claimed_gain(one, ran, "R1") for name, one in worlds.items()}
    gains = net_gains(World(**base), ran, "R1")
    assert found["median"] == pytest.approx(0.2, abs=0.02) and found["share"] == pytest.approx(0.0, abs=0.02)
    assert found["mean"] == pytest.approx(float(gains.mean())) and found["mean"] == pytest.approx(0.14, abs=0.03)


def test_ten_starts_do_not_show_a_rare_failure_and_the_rate_counts_apart():
    one = PUBLIC["mean of starts that rarely fail"]
    world = one.at(one.grid[0])
    assert not truth_of(world, starts=2000).bears(world)
    assert any(word.startswith("SUPPORTED") for word in words_of(world, 6))
    assert (one.kind, one.detector) == ("outside", "none")


def test_a_registered_claim_is_the_one_that_is_asked():
    version = claim_of(world_of("true gain of a version"))
    assert (version.about, version.sizes) == ("version", (1,))
    assert claim_of(world_of("true gain, open looks")).looks == "open"
    assert claim_of(world_of("true gain, as a mean")).sizes == (10,)
    assert claim_of(World()).to_json()["looks"] == [6, 9, 12]
    with pytest.raises(ConfigError, match="analysis"):
        World.from_json({"asked": {"analysis": "median"}})
    with pytest.raises(ConfigError, match="analysis 'mean'"):
        claim_of(World(asked=Asked(analysis="mean")))


def test_rules_of_the_field_meet_only_claims_that_they_make():
    tiny = Size(studies=1, truth=20, rules=6, random=0, probe=0, again=0, real=0, engines=0)
    met = {name: bool(measure(PUBLIC[name], tiny, 1).rules) for name in ("no gain", "version that misses its claim")}
    assert met == {"no gain": True, "version that misses its claim": False}
    assert not any(PUBLIC[name].world.asked.usual for name in (*FAKES, *GAINS, "true gain, recursive"))
