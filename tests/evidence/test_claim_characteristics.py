"""Operating characteristics of the default claim analysis: method.md section 0, "the proposed default analysis".

5,000 simulated studies of up to twelve starts each; the tolerance is three binomial standard errors of ours and of a
reference of 2,000 studies. Unstated details (chosen here): every arm has a spread of 3 points between starts, blocks of
500 items, three controls at .20, .15, .10 below a self at .75, a starved start ends at its best control.
"""

import math

import numpy as np
import pytest

from netgain.evidence.looks import chances, default_looks, words
from netgain.evidence.means import mean_words
from netgain.testing.claim_worlds import (
    ClaimWorld,
    analyses,
    boundary_world,
    characteristics,
    draw_studies,
    jackpot_world,
    ruin_world,
    true_net_gain,
    worlds,
)

STUDIES = 5000
GENUINE = {"level": 0.75, "controls": (0.20, 0.15, 0.10), "spread": 0.03}


def shares(world, delta, *, seed=21):
    """Share of studies SUPPORTED and REFUTED."""
    gains = draw_studies(world, np.random.default_rng(seed), studies=STUDIES, starts=12).net_gains
    word = words(gains > delta, gains > delta, default_looks())
    return (word == 1).mean(), (word == -1).mean()


def near(measured, reference):
    spread = max(reference * (1.0 - reference), 0.002)
    return abs(measured - reference) <= 3.0 * math.sqrt(spread * (1.0 / STUDIES + 1.0 / 2000))


@pytest.mark.parametrize(("starve", "supported"), [(0.0, 1.0), (0.05, 0.98), (0.10, 0.91), (0.20, 0.61)])
def test_genuine_loop_with_starved_starts(starve, supported):
    measured, refuted = shares(ClaimWorld(**GENUINE, starve=starve), 0.30)
    assert near(measured, supported)
    assert refuted <= 0.001


def test_boundary_is_supported_at_the_registered_level():
    """The registered level within its two-sided binomial error: over-claiming at the boundary is exactly .0354."""
    level = default_looks().levels[0]
    error = 3.0 * math.sqrt(level * (1.0 - level) / STUDIES)
    supported, refuted = shares(boundary_world(0.30), 0.30)
    assert abs(supported - level) <= error
    assert abs(refuted - level) <= error


def test_compute_only_fake_is_refuted_at_the_first_look():
    world = ClaimWorld(level=0.75, controls=(0.75, 0.15, 0.10), spread=0.03)
    assert shares(world, 0.30) == (0.0, 1.0)


def test_jackpot_fake_is_never_supported():
    """A fifth of starts gains .8, the rest nothing: the mean is .16, the typical start has no gain."""
    world = ClaimWorld(level=0.1, controls=(0.10, 0.05, 0.05), jackpot=0.2, jackpot_gain=0.8, spread=0.01)
    assert shares(world, 0.30)[0] <= 0.001
    assert true_net_gain(world, np.random.default_rng(0)) < 0.05
    assert chances(default_looks(), 0.2).supported < 1e-3


def test_equal_controls_make_the_claim_stricter():
    """Claim "at least 0": .037 against one equal control, .001 against three."""
    assert near(shares(ClaimWorld(level=0.5, controls=(0.5,), spread=0.03, items=None), 0.0)[0], 0.037)
    three = shares(ClaimWorld(level=0.5, controls=(0.5,) * 3, spread=0.03, items=None), 0.0)[0]
    assert three <= 0.001 + 3.0 * math.sqrt(0.001 / STUDIES)


def test_small_gain_with_small_spread_is_often_inconclusive():
    """+4 points at sd 1.5, claim at least 1: SUPPORTED .64, the rest INCONCLUSIVE.

    The item noise is unstated; the figure lies between none at all and 10,000 independent answers an arm (the noise of
    a paired block of 2,000 items at discordance .10).
    """
    noisy, clear = (
        shares(ClaimWorld(level=0.54, controls=(0.5,) * 3, spread=0.015, items=items), 0.01) for items in (10_000, None)
    )
    assert noisy[0] < 0.64 < clear[0]
    assert clear[0] - noisy[0] < 0.10
    assert max(noisy[1], clear[1]) <= 0.001


def test_undoing_the_per_start_minimum_would_support_a_fake():
    """Mutation: the mean over controls instead of their minimum calls the compute-only fake a gain."""
    world = ClaimWorld(level=0.75, controls=(0.75, 0.15, 0.10), spread=0.03)
    drawn = draw_studies(world, np.random.default_rng(22), studies=200, starts=12)
    mutated = (drawn.own[:, None, :] - drawn.controls).mean(axis=1) > 0.30
    assert (words(mutated, mutated, default_looks()) == 1).mean() > 0.95


# --- every analysis --------------------------------------------------------------------------------------------------
def rates(world, delta, name, *, studies):
    return characteristics(world, delta, analyses()[name], np.random.default_rng(5), studies=studies)


@pytest.mark.parametrize("name", analyses())
def test_every_analysis_keeps_its_level_at_the_boundary_and_supports_no_fake(name):
    """Levels: at most .05, within three binomial errors of 600 studies; compute only is never SUPPORTED."""
    analysis, allowed = analyses()[name], 0.05 + 3.0 * math.sqrt(0.05 * 0.95 / 600)
    edge = rates(boundary_world(0.30), 0.30, name, studies=600)
    assert edge.supported <= allowed
    if analysis.looks is None or analysis.looks.share == 0.5:
        assert edge.refuted <= allowed  # at one half of successes a claim of more than .8 is false, and is refuted
    fake, delta = worlds()["compute only"]
    assert rates(fake, delta, name, studies=200).supported == 0.0


@pytest.mark.parametrize("name", analyses())
def test_every_analysis_finds_a_genuine_gain(name):
    world, delta = worlds()["gains .55, 0% starved"]
    found = rates(world, delta, name, studies=200)
    assert found.supported >= 0.99
    assert found.starts <= 20


def test_a_mean_finds_a_few_points_that_a_typical_start_leaves_open():
    world, delta = worlds()["gains 4 points, one hump"]
    mean, typical = (rates(world, delta, name, studies=400) for name in ("mean, 10", "typical start, 6 9 12"))
    assert mean.supported > typical.supported
    assert mean.supported >= 0.9


def test_a_jackpot_is_no_typical_gain_and_may_be_a_mean():
    """Claim .1: the mean of .16 is truly above it, the typical gain of nothing is not."""
    typical = rates(jackpot_world(), 0.10, "typical start, 6 9 12", studies=400)
    mean = rates(jackpot_world(), 0.10, "mean, 12", studies=400)
    assert typical.supported <= 0.001 and typical.refuted >= 0.5
    assert mean.supported < 0.3


def test_rare_ruin_is_what_no_mean_of_few_starts_can_see():
    """method.md 0, "two-humped": a tenth of starts fails, true mean 0: .28 at 12 starts. Hence the sentence."""
    found = rates(ruin_world(), 0.0, "mean, 12", studies=1000)
    assert found.supported == pytest.approx(0.28, abs=0.06)


def test_without_the_price_of_several_controls_a_mean_refutes_too_often():
    """Mutation: REFUTED for any control at the full level is false in over a tenth of studies with five of them."""
    rng = np.random.default_rng(6)
    level = np.full((2000, 5, 10), 0.1) + rng.normal(0.0, 0.015, (2000, 5, 10))
    kept = (mean_words(level, delta=0.1) == -1).mean()
    mutated = (mean_words(level, delta=0.1, level=0.05 * 5) == -1).mean()
    assert kept <= 0.05 + 3.0 * math.sqrt(0.05 * 0.95 / 2000)
    assert mutated > 0.12


@pytest.mark.nightly
@pytest.mark.parametrize("name", analyses())
def test_every_analysis_keeps_its_level_in_many_studies(name):
    found = rates(boundary_world(0.30), 0.30, name, studies=20_000)
    assert found.supported <= 0.05 + 3.0 * math.sqrt(0.05 * 0.95 / 20_000)


@pytest.mark.nightly
def test_the_tables_of_the_page_are_what_the_command_makes():
    import importlib.util
    from pathlib import Path

    root = Path(__file__).parents[2]
    spec = importlib.util.spec_from_file_location("characteristics", root / "tools" / "characteristics.py")
    command = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(command)
    text = (root / "docs" / "analyses.md").read_text(encoding="utf-8")
    assert text.partition(command.MARKS[0])[2].partition(command.MARKS[1])[0] == command.tables()


def test_the_tables_of_the_page_are_there_and_name_every_world_and_analysis():
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "analyses.md").read_text(encoding="utf-8")
    for name in (*worlds(), *analyses()):
        assert name in text
