"""The autonomy profile: three shares that answer three questions, and how often people stepped in."""

import itertools
import random
from fractions import Fraction

import pytest

from netgain.evidence.autonomy import Decision, Share, gain_share, kaplan_meier_median, profile, touches


def decided(*rows, run="r0/self"):
    """Decisions from (round, locus, decider, options)."""
    return [Decision(run, *row) for row in rows]


def profiled(decisions, *, rounds=None, promotions=2, gain=None):
    return profile(
        decisions, rounds=rounds or {"r0/self": 5}, promotions=promotions, gain=gain or Share(None, 0, 0, "none")
    )


TYPICAL = decided(
    (1, "data", "system", None), (1, "curriculum", "system", 4), (1, "gate", "rule", 2), (2, "data", "person", 16),
    (5, "stop", "rule", 1),
)  # fmt: skip


def test_a_fixed_gate_is_a_rule_and_no_decision_of_the_system():
    found = profiled(TYPICAL)
    assert found.overall.counts == {"system": 2, "rule": 2, "model": 0, "person": 1}
    assert found.overall.count_share.value == pytest.approx(2 / 5)
    gate = next(one for one in found.loci if one.name == "gate")
    assert (gate.counts["rule"], gate.count_share.value) == (1, 0.0)


def test_the_entropy_share_weighs_options_and_counts_what_does_not_say_how_many():
    found = profiled(TYPICAL).overall.entropy_share  # log2: 2 of the system, 1 of the gate, 4 of a person, 0 of the end
    assert (found.value, found.counted, found.of) == (pytest.approx(2 / 7), 4, 5)
    silent = profiled(decided((1, "data", "system", None))).overall.entropy_share
    assert silent.value is None and "no decision says" in silent.reason
    fixed = profiled(decided((1, "stop", "rule", 1))).overall.entropy_share
    assert fixed.value is None


def test_no_decision_is_no_share_of_zero():
    found = profiled([]).overall.count_share
    assert found.value is None and found.to_json()["value_reason"] == "no decision is recorded"


def test_an_unknown_decider_is_refused():
    with pytest.raises(ValueError, match="'committee'"):
        profiled(decided((1, "data", "committee", None)))


def test_every_null_of_the_record_has_its_reason():
    def walk(value):
        if isinstance(value, dict):
            for name, one in value.items():
                assert one is not None or value[f"{name}_reason"], name
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(profiled([], promotions=0).to_json())
    walk(profiled(TYPICAL).to_json())


# --- Touches ---------------------------------------------------------------------------------------------------------
def test_touches_per_promotion_and_rounds_between_them():
    people = decided((2, "data", "person", None), (2, "curriculum", "person", None), (5, "data", "person", None))
    found = touches(people, rounds={"r0/self": 6, "r1/self": 6}, promotions=4)
    assert (found.count, found.per_promotion) == (3, 0.75)
    # waits: 2 and 3 rounds ended by a touch, 1 and 6 by the end of a run
    assert (found.waits, found.censored, found.rounds_between, found.longest) == (4, 2, 3, 6)


def test_runs_that_nobody_touched_count_as_waits_that_have_not_ended():
    found = touches([], rounds={"r0/self": 8, "r1/self": 8}, promotions=0)
    assert (found.rounds_between, found.longest, found.per_promotion) == (None, 8, None)
    one = decided((1, "data", "person", None))
    among_many = touches(one, rounds={"r0/self": 1, **{f"r{r}/self": 9 for r in range(1, 9)}}, promotions=1)
    assert among_many.rounds_between is None  # left out, the eight untouched runs would make it 1


def test_the_median_is_that_of_the_product_limit_estimate_by_another_hand():
    stats = pytest.importorskip("scipy.stats")
    rng = random.Random(5)
    for _ in range(60):
        waits = [(rng.randint(1, 9), rng.random() < 0.6) for _ in range(rng.randint(1, 12))]
        touched, censored = [w for w, ended in waits if ended], [w for w, ended in waits if not ended]
        survival = stats.ecdf(stats.CensoredData(uncensored=touched, right=censored)).sf
        ended = [
            int(time) for time, left in zip(survival.quantiles, survival.probabilities, strict=True)
            if left <= 0.5 + 1e-12 and time in touched
        ]  # fmt: skip
        assert kaplan_meier_median(waits) == (min(ended) if ended else None), waits


# --- Gain share ------------------------------------------------------------------------------------------------------
SURFACES = ("curriculum", "data", "weights")


def dumb_shapley(value, players, player):
    """Mean marginal contribution over all orders."""
    orders = list(itertools.permutations(players))
    gains = [value[frozenset(o[: o.index(player) + 1])] - value[frozenset(o[: o.index(player)])] for o in orders]
    return sum(map(Fraction, gains)) / len(orders)


def test_the_gain_share_is_the_shapley_values_of_what_the_system_owned():
    rng = random.Random(3)
    subsets = [frozenset(one) for size in range(4) for one in itertools.combinations(SURFACES, size)]
    scores = {subset: [len(subset) / 4 + rng.random() / 8 for _ in range(6)] for subset in subsets}
    owners = {"data": "system", "curriculum": "rule", "weights": "system"}
    own = total = Fraction(0)
    for start in range(6):
        value = {subset: column[start] for subset, column in scores.items()}
        shares = {name: dumb_shapley(value, SURFACES, name) for name in SURFACES}
        own, total = own + shares["data"] + shares["weights"], total + sum(shares.values())
    found = gain_share(scores, SURFACES, owners)
    assert found.value == pytest.approx(float(own / total)) and (found.counted, found.of) == (6, 6)


def test_the_gain_share_is_not_identifiable_without_every_subset():
    found = gain_share({frozenset(SURFACES): [0.9], frozenset(): [0.1]}, SURFACES, dict.fromkeys(SURFACES, "system"))
    assert found.value is None
    assert "add arm" in found.reason and "without:curriculum+without:data" in found.reason
    one = {frozenset(["data"]): [0.9], frozenset(): [0.1]}
    assert gain_share(one, ["data"], {"data": None}).value is None
    assert gain_share(one, ["data"], {"data": "system"}).value == 1.0
    assert "not above 0" in gain_share({**one, frozenset(): [0.9]}, ["data"], {"data": "system"}).reason


def test_a_start_without_a_score_in_some_subset_is_left_out_and_counted():
    scores = {frozenset(["data"]): [0.9, None], frozenset(): [0.1, 0.0]}
    found = gain_share(scores, ["data"], {"data": "rule"})
    assert (found.value, found.counted, found.of) == (0.0, 1, 2)
