"""Models of `length` trained abreast: equal to separate trainings, whoever is beside them, and told in the contract.

Tolerance: after 30 steps losses within 1e-5 nats and weights within 1e-3 (the largest differences seen were 5e-7 and
2e-5); later steps amplify what rounding began.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.executors.worker import Tasks, run_task
from netgain.recipes import length
from netgain.recipes.length import abreast, model, steps, tasks, train
from netgain.recipes.length.options import Options, options_of
from netgain.recipes.length.sizes import SIZES, Stage
from netgain.records import Change, Examples, Part
from netgain.session import Study
from netgain.stages import Building

LOSS, WEIGHT = 1e-5, 1e-3
SHORT = replace(SIZES["tiny"], base=Stage(30, 32, 6e-3, warmup=5), round=Stage(30, 32, 4e-3, 10, 0.5))


def trainings() -> list[train.Training]:
    """Of other lengths, own strings and steps."""
    sizes = [SHORT, replace(SHORT, base_length=5, base=Stage(28, 32, 6e-3, warmup=5)), SHORT]
    drawn = [train.base_of("reverse", size, np.random.default_rng(seed)) for seed, size in enumerate(sizes)]
    turned = dict(reversed(drawn[1].weights.items()))  # weights out of a file come in any order
    return [drawn[0], replace(drawn[1], weights=turned), drawn[2]]


def same_bits(one: train.Trained, other: train.Trained) -> bool:
    return one.losses == other.losses and model.to_bytes(one.weights) == model.to_bytes(other.weights)


def near(one: model.Weights, other: model.Weights) -> bool:
    return all(torch.allclose(one[name], other[name], rtol=0.0, atol=WEIGHT) for name in one)


def test_models_abreast_equal_separate_trainings_within_the_tolerance() -> None:
    torch.set_num_threads(1)
    given = trainings()
    before = [model.to_bytes(one.weights) for one in given]
    for found, one in zip(abreast.fit_abreast(given), given, strict=True):
        expected = train.fit(one)
        assert len(found.losses) == len(one.order) and found.work == expected.work
        np.testing.assert_allclose(found.losses, expected.losses, rtol=0.0, atol=LOSS)
        assert near(found.weights, expected.weights) and not near(found.weights, one.weights)
    assert [model.to_bytes(one.weights) for one in given] == before


def test_the_bits_of_a_model_do_not_depend_on_its_company() -> None:
    torch.set_num_threads(1)
    given = trainings()
    assert not abreast.company_matters()
    alone = [abreast.fit_abreast([one])[0] for one in given]
    for company in ([0, 2], [2, 1, 0]):
        found = abreast.fit_abreast([given[i] for i in company])
        assert [same_bits(one, alone[i]) for one, i in zip(found, company, strict=True)] == [True] * len(company)


def test_where_company_matters_each_is_trained_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given, seen, real = trainings(), list[int](), abreast._fit
    monkeypatch.setattr(abreast, "company_matters", lambda: True)
    monkeypatch.setattr(abreast, "_fit", lambda some: seen.append(len(some)) or real(some))
    found = abreast.fit_abreast(given)
    assert seen == [1, 1, 1]
    assert [len(one.losses) for one in found] == [30, 28, 30]  # in the order that they were given in


def building(options: Options, seed: int, own: int) -> Building:
    rng = np.random.default_rng(seed)
    bases = [model.fresh(options.numbers.shape, rng) for _ in range(3 if options.check == "vote" else 1)]
    asked = tasks.questions("reverse", 4, own, rng)
    examples = Examples(asked, [tasks.truth("reverse", one) for one in asked])
    change = Change((Part("data", examples),), {"length": 4, "sets": []})
    return Building(steps.System(bases[0], tuple(bases[1:])), change, Budget(0.2), rng)  # a fifth of a round's steps


@pytest.mark.parametrize("check", ["cycle", "vote"])
def test_a_stacked_build_gives_what_each_build_gives(check: str) -> None:
    options = options_of({"size": "tiny", "check": check, "abreast": True})
    many = [building(options, 0, 20), building(options, 1, 0)]
    made = steps.build_many(options, many)
    for i, own in enumerate((20, 0)):
        one, plain = (building(options, i, own) for _ in range(2))
        alone = steps.build(options, one.parent, one.change, one.budget, one.rng)
        apart = steps.build(replace(options, abreast=False), plain.parent, plain.change, plain.budget, plain.rng)
        assert steps.encode(made[i]) == steps.encode(alone)
        assert many[i].budget.spent == one.budget.spent == plain.budget.spent
        pairs = zip((made[i].weights, *made[i].voters), (apart.weights, *apart.voters), strict=True)
        assert all(near(now, then) for now, then in pairs)


def test_a_worker_builds_many_and_books_each() -> None:
    built = length.make({"size": "tiny", "abreast": True})
    tasked = Tasks(built.loop)

    def task(seed: int) -> dict[str, Any]:
        one = building(options_of({"size": "tiny"}), seed, 10)
        change = tasked._change_out(one.change)
        parent = {"digest": "", "data": steps.encode(one.parent)}
        return {"op": "build", "parent": parent, "change": change, "budget": Budget(0.1).limits(), "seed": f"{seed}"}

    both = run_task(tasked, {"op": "build_many", "tasks": [task(1), task(2)]})
    each = [run_task(tasked, task(seed)) for seed in (1, 2)]
    assert both["ok"], both
    assert [one["system"] for one in both["value"]] == [one["value"]["system"] for one in each]
    assert [one["spent"] for one in both["value"]] == [one["spent"] for one in each]


def test_only_a_study_that_asks_for_it_trains_abreast_and_its_contract_says_so() -> None:
    plain, stacked = (length.make({"size": "tiny", **more}) for more in ({}, {"abreast": True}))
    assert plain.loop.build_many is None and "abreast" not in plain.options and stacked.options["abreast"] is True
    told = [
        Study(loop=one.loop, suite=one.suite, arms=one.arms, claim=one.claim).contract()["batching"]
        for one in (plain, stacked)
    ]
    assert told == ["one run, one thread", "builds of up to 6 runs abreast, one thread"]
    with pytest.raises(ConfigError, match="true or false"):
        options_of({"abreast": "yes"})
