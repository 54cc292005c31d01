"""Every recipe, size and option that can be asked for makes a study that can be run."""

import hashlib
from itertools import product

import pytest

from netgain.evaluators import check_evaluator
from netgain.recipes import RECIPES, build_recipe
from netgain.recipes.collapse import CHECKS as CHECKS_OF_COLLAPSE
from netgain.recipes.collapse.chains import MODES
from netgain.recipes.collapse.worlds import WORLDS
from netgain.recipes.leader.attack import ANSWERS
from netgain.recipes.length.options import CHECKS
from netgain.recipes.pack.laws import LAWS
from netgain.recipes.scaffold.parcels import KINDS
from netgain.recipes.solver import TRIALS
from netgain.recipes.trainer import KNOWN
from netgain.recipes.trainer.code import KNOWN as KNOWN_OF_CODE
from netgain.session import Study
from netgain.suite import Bank
from netgain.testing.ladder import IMPROVERS

LENGTH = [{"task": task, "check": check} for task, checks in CHECKS.items() for check in checks]
ASKED = [("length", options, size) for options, size in product(LENGTH, ("tiny", "default", "full"))]
ASKED += [("ladder", {"check": check}, size) for check, size in product((0.0, 0.95), ("tiny", "default", "full"))]
ASKED += [("ladder", {"improver": improver}, "default") for improver in IMPROVERS]
ASKED += [("collapse", {"chain": one, "mode": mode}, "tiny") for one, mode in product(WORLDS, MODES)]
ASKED += [("collapse", {"check": check}, size) for check, size in product(CHECKS_OF_COLLAPSE, ("tiny", "default"))]
ASKED += [("goodhart", {"labels": labels}, size) for labels, size in product((20, 1000), ("tiny", "default"))]
ASKED += [("improver", {"edits": edits}, size) for edits, size in product(("own", "step"), ("tiny", "demo", "default"))]
ASKED += [
    ("trainer", {kind: one}, size) for kind, known in KNOWN.items() for one, size in product(known, ("tiny", "default"))
]
ASKED += [("trainer", {kind: one}, "code") for kind, known in KNOWN_OF_CODE.items() for one in known]
ASKED += [("blend", {"labels": labels}, size) for labels, size in product(("policy", "greedy"), ("tiny", "default"))]
ASKED += [("solver", {"trials": one}, size) for one, size in product(TRIALS, ("tiny", "default"))]
ASKED += [("connect", {"decides": one}, size) for one, size in product(("network", "search"), ("tiny", "default"))]
ASKED += [("leader", {"answers": answers}, size) for answers, size in product(ANSWERS, ("tiny", "default"))]
ASKED += [("scaffold", {"edits": kind}, size) for kind, size in product(KINDS, ("tiny", "default"))]
ASKED += [("pack", {"law": law, "judge": "tree"}, size) for law, size in product(LAWS, ("tiny", "default"))]
ASKED += [
    ("drift", {"labels": labels, "check": check}, size)
    for labels, check, size in product(("own", "people"), ("sure", "none"), ("tiny", "default"))
]


def test_every_recipe_is_asked_for():
    assert {name for name, _, _ in ASKED} == set(RECIPES)


@pytest.mark.parametrize(("name", "options", "size"), ASKED)
def test_a_recipe_makes_a_study_whose_arms_are_there_once_and_can_be_run(name, options, size):
    for extra in RECIPES[name].needs if name != "length" else ():  # it imports its torch at the first round only
        pytest.importorskip(extra)
    built = build_recipe(name, options, size)
    study = Study(built.loop, built.suite, built.arms, built.claim, built.replicas, built.rounds)
    assert len(set(built.arms)) == len(built.arms)
    assert set(built.claim.beats) <= set(built.arms)
    untestable = set(study.untestable())
    channels = {"placebo", "stacked+placebo", "oracle", "shuffled"}
    assert untestable <= {*channels, *built.loop.not_testable}, "without a check there is no feedback to replace"
    assert ("placebo" in untestable) == (not built.loop.filters)
    assert len(study.chosen()) >= len(built.arms) - len(untestable)


@pytest.mark.parametrize(("name", "options", "size"), [one for one in ASKED if one[2] == "default"])
def test_every_scorer_of_a_recipe_stands_the_test_before_a_run(name, options, size):
    for extra in RECIPES[name].needs if name != "length" else ():
        pytest.importorskip(extra)
    suite = build_recipe(name, options, size).suite
    for one in suite.axes:
        found = check_evaluator(one, _some_items(one), decides=one is suite.gate_axis)
        assert [(bad.axis, bad.check, bad.said) for bad in found if bad.fatal] == []


def _some_items(asked):
    if isinstance(asked.source, Bank):
        return asked.source.items[:4]
    return [asked.source.draw(hashlib.sha256(str(index).encode()).hexdigest(), index) for index in range(4)]


def test_the_gate_does_not_tell_the_flagship_what_it_decided():
    assert not build_recipe("length", {}, "tiny").loop.sees_accepted


@pytest.mark.parametrize(("name", "options", "size"), ASKED)
def test_an_option_means_the_same_on_the_command_line(name, options, size):
    # `--set labels=true` would be a TOML bool and not the text "true": no option may have such a value.
    from netgain.cli.folder import _settings

    assert _settings([f"{key}={value}" for key, value in options.items()])["options"] == options
