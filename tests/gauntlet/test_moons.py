"""The small real loops learn what they are said to learn, and the fakes do not."""

import numpy as np
import pytest

from netgain.budget import Budget
from netgain.gauntlet.moons import KINDS, Moons, item, nearest, study
from netgain.records import Change, Examples, Feedback, Part, View
from netgain.stages import Loop


def climbed(kind, *, rounds=7, kept="checked", seed=1):
    """Score of generation 0 and of the last generation, when its check, chance or nobody decides what is kept."""
    own, rng = Moons(kind), np.random.default_rng(seed)
    system = own.start(rng).system
    first = score(system)
    for turn in range(1, rounds + 1):
        view = View(system, system, None, None, Feedback(), (), Budget(), rng, turn)
        change = own.propose(view)
        sure = np.array(change.checks["sure"])
        keep = {"checked": sure, "drawn": rng.permutation(sure), "all": np.ones_like(sure)}[kept]
        whole = change.examples
        places = np.flatnonzero(keep)
        part = Examples([whole.inputs[place] for place in places], [whole.labels[place] for place in places])
        system = own.build(system, Change([Part("data", part)]), Budget(), rng)
    return first, score(system)


def score(system):
    asked = [item(99, place) for place in range(300)]
    labels, _ = nearest(system, [where for where, _ in asked])
    return float(np.mean([label == truth for label, (_, truth) in zip(labels, asked, strict=True)]))


@pytest.mark.parametrize("kept", ["drawn", "all"])
def test_the_frontier_learns_from_its_own_check_and_not_without_its_content(kept):
    gains, over = [], []
    for seed in (1, 2, 3):
        first, own = climbed("frontier", seed=seed)
        gains.append(own - first)
        over.append(own - climbed("frontier", kept=kept, seed=seed)[1])
    assert np.median(gains) > 0.1
    assert np.median(over) > 0.05


@pytest.mark.parametrize("kind", ["no gain", "check that passes all"])
def test_a_loop_without_information_learns_nothing(kind):
    first, own = climbed(kind)
    assert abs(own - first) < 0.05


@pytest.mark.parametrize("kept", ["drawn", "all"])
def test_a_teacher_inside_teaches_the_arms_without_content_as_well(kept):
    first, own = climbed("teacher inside")
    _, replaced = climbed("teacher inside", kept=kept)
    assert min(own, replaced) - first > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_them_is_a_study_that_can_be_registered(kind):
    found = study(kind)
    assert isinstance(found.loop, Loop) and found.reference.options == {"kind": kind}
    assert found.untestable() == {}
