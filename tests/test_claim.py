"""The frozen sentence: what can be claimed, and that it is stored as it is."""

import json

import pytest

from netgain.claim import CLAIMABLE, Claim
from netgain.errors import ConfigError


def test_a_claim_comes_back_from_json_as_it_was():
    claim = Claim("ladder", 0.1, ["frozen", "ordinary"], "R2", alpha=0.01, looks=[6, 9], expected=0.3, mode="strict")
    again = Claim.from_json(json.loads(json.dumps(claim.to_json())))
    assert again == claim


@pytest.mark.parametrize("rung", ["R0", "R3", "R8", "r1", ""])
def test_a_rung_that_cannot_be_claimed_is_an_error_that_lists_the_others(rung):
    with pytest.raises(ConfigError) as error:
        Claim("ladder", 0.1, rung=rung)
    assert all(known in str(error.value) for known in CLAIMABLE)


@pytest.mark.parametrize("margin", [-0.01, 1.0, float("nan")])
def test_a_margin_of_the_transplant_outside_the_range_of_scores_is_refused(margin):
    with pytest.raises(ConfigError, match="transplant"):
        Claim("ladder", 0.1, rung="R6", transplant_by=margin)


@pytest.mark.parametrize("by", [-0.01, 1.0, 30, float("nan")])
def test_a_net_gain_outside_the_range_of_scores_cannot_be_claimed(by):
    with pytest.raises(ConfigError, match="net gain"):
        Claim("ladder", by)


@pytest.mark.parametrize("alpha", [0.0, 0.06, 1.0, -0.05, float("nan")])
def test_the_chance_of_a_false_word_is_at_most_one_in_twenty(alpha):
    with pytest.raises(ConfigError, match="alpha"):
        Claim("ladder", 0.1, alpha=alpha)


def test_a_claim_cannot_be_edited():
    with pytest.raises(AttributeError):
        Claim("ladder", 0.1).by = 0.0


@pytest.mark.parametrize("looks", [[], [9, 6], [6, 6], [0, 6], [-6]])
def test_looks_are_increasing_numbers_of_starts(looks):
    with pytest.raises(ConfigError, match="looks"):
        Claim("ladder", 0.1, looks=looks)


def test_an_analysis_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="'median'") as error:
        Claim("ladder", 0.1, analysis="median")
    assert "'mean'" in str(error.value)


@pytest.mark.parametrize("looks", [(6, 9, 12), (9,), (10, 21), "open"])
def test_a_mean_is_claimed_from_ten_to_twenty_starts(looks):
    with pytest.raises(ConfigError, match="do not bound a mean"):
        Claim("ladder", 0.1, analysis="mean", looks=looks)
    assert Claim("ladder", 0.1, analysis="mean", looks=(10, 20)).sizes == (10, 20)


def test_open_looks_are_every_number_of_starts_and_come_back_from_json():
    claim = Claim("ladder", 0.1, ["frozen"], looks="open", share=0.8)
    assert claim.sizes == tuple(range(1, 25))
    assert Claim.from_json(json.loads(json.dumps(claim.to_json()))) == claim
    with pytest.raises(ConfigError, match="looks"):
        Claim("ladder", 0.1, looks="opne")


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2])
def test_a_share_is_between_0_and_1(share):
    with pytest.raises(ConfigError, match="share"):
        Claim("ladder", 0.1, share=share)


@pytest.mark.parametrize(
    "more", [{"rung": "R2"}, {"beats": ("frozen", "ordinary")}, {"share": 0.8}, {"looks": (10,)}, {"looks": "open"},
             {"analysis": "mean", "looks": (10,)}],
)  # fmt: skip
def test_what_needs_starts_does_not_fit_a_claim_about_a_version(more):
    with pytest.raises(ConfigError, match="whose unit is items"):
        Claim("ladder", 0.1, about="version", **more)
    assert Claim("ladder", 0.1, about="version").sizes == (1,)
