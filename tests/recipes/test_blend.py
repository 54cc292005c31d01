"""`blend`: every surface can be closed alone, trials go by the own check alone, and shares sum to what was gained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netgain.errors import ConfigError
from netgain.recipes import build_recipe
from netgain.recipes.blend import ARMS, NONE_OPEN, PLAYERS, SURFACES
from netgain.recipes.blend.sizes import FASTEST, FIRST_RATE, POLICIES, SLOWEST, WORTH, Numbers
from netgain.recipes.length.sizes import Shape, Size, Stage

pytest.importorskip("torch")

from netgain.budget import Budget
from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.recipes.blend import steps, trials
from netgain.recipes.length import tasks
from netgain.records import Change, Examples, Feedback, Part, View
from netgain.report.attribution import Process, attribute
from netgain.report.reading import read
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.verify import verify

TOY = Numbers(
    Size(target=3, rounds=1, shape=Shape(2, 16, 16), base_length=2, base=Stage(40, 32, peak=1e-2, warmup=5),
         round=Stage(4, 16, peak=FIRST_RATE, warmup=1, fall=0.5), own=20, advance=0.4),
    starts=1, trial=2, asked=8, gate=4, report=4, sealed=12, known=(4, 4, 8),
)  # fmt: skip


@pytest.fixture(scope="module")
def first() -> Any:
    """A generation 0 that knows single symbols at best: enough for everything but a score."""
    return steps.start(TOY, np.random.default_rng(1)).system


def view(system: Any, **more: Any) -> View:
    given: dict[str, Any] = {
        "parent": system, "improver": system, "state": None, "accepted": None, "feedback": Feedback(), "dev": (),
        "budget": Budget(), "rng": np.random.default_rng(5), "round": 1,
    }  # fmt: skip
    return View(**{**given, **more})


def touched(change: Change) -> set[str]:
    return {part.surface for part in change.parts}


@pytest.mark.parametrize("closed", [(), ("data",), ("training",), ("policy",), PLAYERS])
def test_a_closed_surface_is_left_alone_and_the_others_are_not(first: Any, closed: tuple[str, ...]) -> None:
    asked = view(first, closed=closed)
    change = steps.propose(TOY, False, asked)
    assert touched(change) == set(SURFACES) - set(closed)
    assert (change.examples is None) == ("data" in closed) == (not change.checks)
    built = steps.build(TOY, first, change, Budget(), np.random.default_rng(2))
    assert not built.weights["head"].equal(first.weights["head"]), "a round trains, whatever is open"
    chosen = {part.surface: part.payload for part in change.parts}
    assert built.rate == (first.rate if "training" in closed else chosen["training"]["rate"])
    assert (built.tries, built.pick) == (POLICIES[0] if "policy" in closed else tuple(chosen["policy"].values()))
    assert (asked.budget.spent["tokens"] > 0) == (closed != PLAYERS)


def test_a_round_with_nothing_open_is_plain_training(first: Any) -> None:
    none = steps.propose(TOY, False, view(first, closed=PLAYERS))
    plain = steps.ordinary(view(first))
    one, two = (steps.build(TOY, first, change, Budget(), np.random.default_rng(2)) for change in (none, plain))
    assert steps.encode(one) == steps.encode(two)


def test_more_tries_are_taken_only_where_clearly_more_passes() -> None:
    assert trials.cheapest([0.5, 0.5, 0.5, 0.5]) == 0
    assert trials.cheapest([0.5, 0.5 + WORTH / 2, 0.5 + WORTH / 2, 0.5]) == 0
    assert trials.cheapest([0.5, 0.6, 0.6 + WORTH / 2, 0.6]) == 1
    assert trials.cheapest([0.5, 0.6, 0.7, 0.6]) == 2
    assert trials.cheapest([0.5, 0.4, 0.4, 0.6]) == 3


def test_rates_stay_in_their_bounds_and_the_one_in_use_comes_first() -> None:
    assert trials.rates_beside(1e-3) == (1e-3, 2e-3, 5e-4)
    assert trials.rates_beside(FASTEST) == (FASTEST, FASTEST / 2)
    assert trials.rates_beside(SLOWEST) == (SLOWEST, 2 * SLOWEST)


def test_a_trial_takes_the_rate_under_which_most_passes(first: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([(0.2, trials.Work(1, 1)), (0.1, trials.Work(1, 1)), (0.6, trials.Work(1, 1))])
    monkeypatch.setattr(trials, "passing", lambda *given: next(told))
    found = trials.rates(
        first.weights, first.weights, TOY.length, 1e-3, [], 3, TOY.trial, TOY.asked, np.random.default_rng(1)
    )
    assert found.shares == (0.2, 0.1, 0.6) and found.taken == 2
    assert found.work.tokens > 3, "what the trials trained is booked beside what was asked"


def test_trials_go_by_the_own_check_and_never_by_the_truth(first: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def looked(*given: Any) -> str:
        raise AssertionError("the loop looked at a right answer")

    monkeypatch.setattr(tasks, "truth", looked)
    steps.propose(TOY, False, view(first))


def test_the_next_questions_are_longer_where_enough_passed(first: Any) -> None:
    def length(state: Any, shares: dict[str, float]) -> int:
        at = view(first, state=state, feedback=Feedback(Examples(), shares), closed=PLAYERS)
        found: int = steps.propose(replace(TOY, length=replace(TOY.length, target=4)), False, at).state["length"]
        return found

    assert length(None, {}) == 3
    before = {"length": 3, "sets": [], "share": None}
    assert length(before, {}) == 3, "nothing was asked"
    assert length(before, {"cycle": 0.39}) == 3 and length(before, {"cycle": 0.4}) == 4
    assert length({**before, "share": 0.9}, {}) == 4, "with the data closed the trials say it"
    assert length({**before, "length": 4}, {"cycle": 1.0}) == 4, "the target is the last"


def test_labels_are_made_as_the_system_is_asked_or_greedily(first: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[int, str]] = []
    plain = steps.answers
    monkeypatch.setattr(steps, "answers", lambda weights, tries, pick, *rest: used.append((tries, pick))
                        or plain(weights, tries, pick, *rest))  # fmt: skip
    many = replace(first, tries=2, pick="check")
    steps.propose(TOY, False, view(many, closed=("policy", "training")))
    steps.propose(TOY, True, view(many, closed=("policy", "training")))
    assert used == [(2, "check"), POLICIES[0]]


def test_what_was_kept_is_trained_on_and_what_is_due_is_spent(first: Any) -> None:
    kept = Examples(["123>", "456>"], ["321", "654"])
    change = Change([Part("data", kept)], {"length": 3, "sets": []})
    none = Change([Part("data", Examples())], {"length": 3, "sets": []})
    one, two = (steps.build(TOY, first, each, Budget(), np.random.default_rng(2)) for each in (change, none))
    assert not one.weights["head"].equal(two.weights["head"])
    due = Budget(tokens=2000.0)
    steps.build(TOY, first, change, due, np.random.default_rng(2))
    assert due.spent["tokens"] >= 2000.0


def test_a_random_edit_is_admissible_and_asks_no_trial(first: Any) -> None:
    change = steps.random_search(TOY, False, view(first, closed=("data",)))
    given = {part.surface: part.payload for part in change.parts}
    assert tuple(given["policy"].values()) in POLICIES and SLOWEST <= given["training"]["rate"] <= FASTEST


def test_a_system_is_its_bytes_and_its_two_parts(first: Any) -> None:
    many = replace(first, tries=6, pick="check", rate=0.002)
    for again in (steps.decode(steps.encode(many)), steps.join(steps.split(many))):
        assert steps.encode(again) == steps.encode(many)
    mixed = steps.join({**steps.split(first), "policy": steps.split(many)["policy"]})
    assert (mixed.tries, mixed.rate) == (6, FIRST_RATE)


def test_answers_cost_what_the_policy_asks(first: Any) -> None:
    one, six = Budget(), Budget()
    steps.answer(first, ["12>", "34>"], one, np.random.default_rng(1))
    steps.answer(replace(first, tries=6, pick="vote"), ["12>", "34>"], six, np.random.default_rng(1))
    assert (one.spent["calls"], six.spent["calls"]) == (2, 12) and six.spent["tokens"] > 5 * one.spent["tokens"]


def test_more_tries_of_generation_0_cost_as_many_answers_and_pick_what_passes(first: Any) -> None:
    asked, four = ["12>", "34>", "567>"], Budget(tries=4)
    given = [one["answer"] for one in steps.sampled(first, asked, four, np.random.default_rng(1))]
    assert four.spent["calls"] == 12
    checked = replace(first, tries=4, pick="check")
    assert given == [one["answer"] for one in steps.answer(checked, asked, Budget(), np.random.default_rng(1))]


def test_the_truth_and_the_own_score_are_what_they_say(first: Any) -> None:
    assert steps.oracle(["12>", "12>", "12"], ["21", "12", "!"]) == [True, False, True]
    budget = Budget()
    share = steps.own_score(TOY, first, first, budget, np.random.default_rng(1))
    assert share * TOY.asked == pytest.approx(round(share * TOY.asked)) and budget.spent["tokens"] > 0


@pytest.mark.parametrize(
    ("given", "said"), [({"labels": "true"}, "labels"), ({"size": "huge"}, "size"), ({"label": "greedy"}, "option")]
)
def test_bad_options_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_recipe("blend", {one: two for one, two in given.items() if one != "size"}, given.get("size", "tiny"))
    with pytest.raises(ConfigError, match="cpu"):
        build_recipe("blend", {}, "tiny", "cuda")


def test_the_arms_are_all_subsets_of_three_surfaces() -> None:
    told = [frozenset(one.removeprefix("without:") for one in name.split("+")) for name in ARMS[2:]]
    assert len(ARMS) == 9 and len(set(told)) == 7 and set(NONE_OPEN.split("+")) == {f"without:{one}" for one in PLAYERS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of two starts and one round at size tiny: too few for a word, enough for everything else."""
    built = build_recipe("blend", {}, "tiny")
    reference = Reference("netgain.recipes.blend:make", {"size": "tiny"})
    study = Study(built.loop, built.suite, built.arms, built.claim, replicas=2, rounds=1, reference=reference)
    path = tmp_path_factory.mktemp("blend")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(path / "state"))
        run_study(study, path / "study", workers=1)
    return path / "study"


@pytest.mark.nightly
def test_the_verifier_computes_the_shares_that_the_report_shows(folder: Path) -> None:
    checked = verify(folder)
    assert [one["ok"] for one in checked["checks"] if one["ok"] is not None].count(False) == 0
    with Ledger.open(folder, readonly=True) as log:
        shown = attribute(read(facts_of(log))).process
    assert isinstance(shown, Process) and set(shown.shares) == set(PLAYERS) and not shown.refused
    for name, one in {**shown.shares, "together": shown.total}.items():
        theirs = [checked["shares"][name][which] for which in ("mean", "low", "high", "starts")]
        assert theirs == pytest.approx([one.over.mean, one.over.low, one.over.high, one.over.starts], abs=1e-6)
    assert sum(checked["shares"][name]["mean"] for name in PLAYERS) == pytest.approx(
        checked["shares"]["together"]["mean"]
    )


@pytest.mark.nightly
def test_every_told_arm_spent_what_the_loop_spent(folder: Path) -> None:
    with Ledger.open(folder, readonly=True) as log:
        facts = facts_of(log)
    for arm in ARMS[2:]:
        for unit in ("tokens", "flops"):
            assert facts.spent(0, arm, "build")[unit] >= 0.98 * facts.spent(0, "self", "build")[unit], arm
