"""The review of all candidates together: e-BH on their release tests, told in one sentence."""

from copy import deepcopy

import numpy as np
import pytest
import report_studies as studies

from netgain.evidence.spending import e_bh
from netgain.facts import reduce
from netgain.report import batch
from netgain.report.reading import Reading


@pytest.fixture
def facts(tmp_path):
    with studies.write(tmp_path / "study") as log:
        yield reduce(log.events())


def judged(facts, values, outcomes=None, **test):
    """The study with other e-values for the claimed arm's candidates, in order of the log."""
    own = sorted((one for run in facts.runs.values() if run.row.get("arm", "self") == "self" for one in run.decisions),
                 key=lambda one: one["seq"])  # fmt: skip
    for one, value, outcome in zip(own, values, outcomes or ["promote"] * len(own), strict=False):
        one["tests"] = [{**deepcopy(one["tests"][0]), "log_e": value, **test}]
        one["outcome"] = outcome
    return batch.said(Reading(facts, None, None)), len(own)


def test_the_review_is_that_of_e_bh(facts):
    values = [9.0, 0.0, 9.0, 6.0, 2.0] * 6
    (said,), count = judged(facts, values, ["promote", "promote", "undecided", "promote", "reject"] * 6)
    better = e_bh(np.array(values), 0.05)
    assert count == 30 and 0 < better.sum() < 30
    assert f"{int(better.sum())} are better" in said and "at most 5 %" in said
    assert f"{int(better[2::5].sum())} of them the gate had not promoted" in said
    assert f"and {6 - int(better[1::5].sum())} that it promoted are not among them" in said


def test_a_reused_set_of_items_raises_what_the_review_asks_for(facts):
    facts.registration["contract"]["gate"]["log_raise"] = 20.0
    (said,), _ = judged(facts, [9.0] * 30)
    assert ", 0 are better" in said


def test_a_candidate_without_a_pair_is_not_reviewed_and_an_exact_test_has_no_e_value(facts):
    assert judged(facts, [20.0] * 30, pairs=0) == ([], 30)
    (said,), _ = judged(facts, [9.0] * 30, form="exact", pairs=40)
    assert "does not give" in said
