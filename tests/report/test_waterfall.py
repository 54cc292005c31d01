"""The waterfall draws what sums, and refuses everything else."""

import dataclasses

import numpy as np
import pytest
import report_studies as studies

from netgain.evidence.effects import chain
from netgain.report import waterfall
from netgain.report.reading import read


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    with studies.write(tmp_path_factory.mktemp("study")) as log:
        return read(studies.facts_in(log))


def test_the_chain_is_the_registered_one(reading):
    assert waterfall.order(reading) == ["frozen", "ordinary", "stacked+placebo", "stacked", "self"]


def test_steps_sum_in_every_start_and_in_the_mean(reading):
    found = waterfall.links(reading)
    total = np.array(reading.sealed("self")) - np.array(reading.sealed("frozen"))
    assert np.sum([step.differences for step in found.steps], axis=0) == pytest.approx(total)
    assert sum(step.mean for step in found.steps) == pytest.approx(float(total.mean()))


def test_a_loss_is_drawn_downward(reading):
    said, figure = waterfall.figure(reading)
    assert "bar compute loss" in figure.pictures[0]
    assert "\N{MINUS SIGN}0.050" in said  # plain training ends one of twenty answers lower


def test_steps_that_do_not_sum_are_refused():
    true = chain({"frozen": [0.1, 0.2], "ordinary": [0.2, 0.2], "self": [0.5, 0.6]}, ["frozen", "ordinary", "self"])
    forged = dataclasses.replace(true, total=true.total + 0.01)
    assert waterfall.checked(true) is true
    with pytest.raises(waterfall.Refused, match=r"steps sum to \+0\.400000, the total is \+0\.410000"):
        waterfall.checked(forged)
    with pytest.raises(waterfall.Refused):
        waterfall.checked(dataclasses.replace(true, total=float("nan")))


def test_a_refused_chain_says_why_in_place_of_a_picture(reading, monkeypatch):
    def broken(scores, order):
        return dataclasses.replace(chain(scores, order), total=0.0)

    monkeypatch.setattr(waterfall, "chain", broken)
    said, figure = waterfall.figure(reading)
    assert figure.pictures == []
    assert "not drawn: the steps sum to" in said


def test_an_arm_that_was_not_run_is_left_out_of_the_chain(tmp_path):
    ends = {name: end for name, end in studies.ENDS.items() if name != "stacked+placebo"}
    with studies.write(tmp_path, ends=ends) as log:
        assert waterfall.order(read(studies.facts_in(log))) == ["frozen", "ordinary", "stacked", "self"]
