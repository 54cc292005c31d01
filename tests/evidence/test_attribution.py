"""Attribution in numbers: worlds in which the true shares are known, and what may not be read into them."""

import numpy as np
import pytest

from netgain.evidence.attribution import complementarity, recombination, verifier_gap
from netgain.evidence.student import mean_interval


def test_the_named_contrasts_of_a_recombination():
    # parts weights (bit 0) and scaffold (bit 1): each alone worth .1, both together .5
    found = recombination([[0.2, 0.3, 0.3, 0.7]])
    assert found.total[0] == pytest.approx(0.5)
    assert found.alone[0] == pytest.approx([0.1, 0.1]), "final weights in the first scaffold, and the reverse"
    assert found.missed[0] == pytest.approx([0.4, 0.4]), "what the final system loses with first weights"
    assert found.shares[0] == pytest.approx([0.25, 0.25])


def additive_world(rng, starts, items, shares):
    """Mixture scores of parts whose effects add up, measured on binomial items; one draw of start effects each."""
    k = len(shares)
    effects = np.array(shares) + rng.normal(0, 0.03, size=(starts, k))
    masks = (np.arange(1 << k)[:, None] >> np.arange(k)) & 1
    truth = np.clip(0.2 + effects @ masks.T, 0.0, 1.0)
    return rng.binomial(items, truth) / items


def covered(studies, seed, shares=(0.4, 0.1, 0.0)):
    rng = np.random.default_rng(seed)
    hits = []
    for _ in range(studies):
        found = recombination(additive_world(rng, 6, 300, shares)).shares
        ends = [mean_interval(column) for column in found.T]
        hits += [one.low <= share <= one.high for one, share in zip(ends, shares, strict=True)]
    return np.mean(hits)


def test_intervals_of_shares_cover_the_truth():
    assert covered(300, seed=5) == pytest.approx(0.95, abs=0.03)


@pytest.mark.nightly
@pytest.mark.parametrize("shares", [(0.4, 0.1, 0.0), (0.2, 0.2), (0.1, 0.1, 0.1, 0.1)])
def test_intervals_of_shares_cover_the_truth_in_many_studies(shares):
    assert covered(5000, seed=11, shares=shares) == pytest.approx(0.95, abs=0.01)


def test_effects_that_add_up_in_ability_look_complementary_from_a_low_start_and_not_from_a_high_one():
    def cells(first, step):
        odds = np.array([first + 2 * step, first + step, first + step, first])
        return 1.0 / (1.0 + np.exp(-odds))[None]

    items = np.full((1, 4), 1e9)
    low, high = complementarity(cells(-3.0, 2.0), items), complementarity(cells(1.0, 2.0), items)
    assert low.score[0] > 0.1 and high.score[0] < -0.05
    assert low.logit[0] == pytest.approx(0.0, abs=1e-6) and high.logit[0] == pytest.approx(0.0, abs=1e-6)


def test_opposite_signs_on_the_two_scales_are_named():
    items = np.full((2, 4), 100)
    split = complementarity([[0.99, 0.7, 0.75, 0.5], [0.98, 0.7, 0.75, 0.5]], items)
    assert split.score.mean() > 0 and split.logit.mean() > 0 and split.depends_on_scale is False
    odd = complementarity([[0.9999, 0.90, 0.95, 0.80]] * 2, np.full((2, 4), 10_000))
    assert odd.score.mean() < 0 < odd.logit.mean() and odd.depends_on_scale is True
    assert complementarity([[np.nan, 0.1, 0.2, 0.3]], items[:1]).depends_on_scale is None


def test_none_and_all_right_have_a_logit():
    found = complementarity([[1.0, 1.0, 0.0, 0.0]], np.full((1, 4), 50))
    assert np.isfinite(found.logit).all() and found.logit[0] == pytest.approx(0.0)


def test_the_gap_is_the_gain_in_rightness_by_keeping_what_passed():
    found = verifier_gap([[60, 90]], [[100, 100]], [[57, 90]], [[60, 92]])
    assert found.gap[0] == pytest.approx([0.95 - 0.6, 90 / 92 - 0.9])
    assert found.relative[0] == pytest.approx([0.35 / 0.4, (90 / 92 - 0.9) / 0.1])


def test_a_check_that_knows_nothing_has_no_gap():
    rng = np.random.default_rng(3)
    right = rng.random((6, 4, 500)) < 0.6
    passed = rng.random((6, 4, 500)) < 0.5
    counts = [one.sum(axis=2) for one in (right, np.ones_like(right), right & passed, passed)]
    found = mean_interval(verifier_gap(*counts).gap.mean(axis=1))
    assert found.low < 0 < found.high


def test_a_round_without_answers_or_without_head_room_has_no_gap():
    found = verifier_gap([[0, 100, 50]], [[0, 100, 100]], [[0, 100, 0]], [[0, 100, 0]])
    assert np.isnan(found.gap[0]).tolist() == [True, False, True]
    assert np.isnan(found.relative[0]).all(), "all right: there is no head-room to divide by"


def test_the_area_of_a_check_is_that_of_a_library_and_of_all_pairs():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(5)
    for trust in (0.0, 0.3, 0.7, 1.0):
        right = rng.random(60) < 0.6
        passed = np.where(rng.random(60) < trust, right, rng.random(60) < 0.4)
        (area,) = verifier_gap(*([[one.sum()]] for one in (right, np.ones(60), right & passed, passed))).auroc[0]
        pairs = passed[right][:, None].astype(float) - passed[~right][None, :]
        assert area == pytest.approx(metrics.roc_auc_score(right, passed), abs=1e-12)
        assert area == pytest.approx(np.where(pairs == 0, 0.5, pairs > 0).mean(), abs=1e-12)


def test_answers_of_one_kind_have_no_area():
    found = verifier_gap([[0, 100, 50, 50]], [[0, 100, 100, 100]], [[0, 60, 0, 50]], [[0, 60, 0, 50]])
    assert np.isnan(found.auroc[0][:2]).all(), "unknown is not a half"
    assert found.auroc[0][2:].tolist() == [0.5, 1.0], "a check that passes nothing tells nothing"


@pytest.mark.parametrize("shape", [(3, 3), (4,)])
def test_cells_that_are_not_two_by_two_are_refused(shape):
    with pytest.raises(ValueError, match="expected"):
        complementarity(np.zeros(shape), np.ones(shape))
