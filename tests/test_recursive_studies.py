"""Whole studies of improvers whose truth is known: the rung that each reaches, and for the right reason."""

from pathlib import Path

import pytest

from netgain import verify
from netgain.case import case_of
from netgain.claim import Claim
from netgain.evidence.verdict import decide_verdict
from netgain.facts import reduce
from study_forgery import entries, ladder_study

ARMS = (
    "self",
    "frozen",
    "ordinary",
    "placebo",
    "unguarded:own.filter",
    "flat",
    "one_step",
    "stacked",
    "random_proposer",
)
TRUTH = {
    "accelerating": ("R7", {}),
    "saturating": ("R6", {"R7": "the advantage grew more"}),
    "overfit": ("R5", {"R6": "a round by the last improver on a foreign start"}),
    "fixed": ("R5", {"R6": "net gain over"}),
}


@pytest.mark.nightly
@pytest.mark.parametrize("improver", TRUTH)
def test_a_study_reaches_the_rung_that_is_true_and_no_higher(tmp_path: Path, improver: str) -> None:
    rung, failing = TRUTH[improver]
    claim = Claim("ladder", 0.05, rung="R7", looks=(5,), transplant_by=0.02)
    options = {"target": 11, "own": 60, "improver": improver}
    folder = ladder_study(tmp_path / "s", options=options, claim=claim, arms=ARMS, replicas=5, rounds=6)
    verdict = decide_verdict(case_of(reduce(entries(folder))))
    assert verdict.rung == rung
    results = {one.name: one for one in verdict.rungs}
    for name, why in failing.items():
        assert results[name].result == "fail"
        assert why in results[name].detail
    checked = verify.verify(folder)
    assert [check["ok"] for check in checked["checks"]] == [True] * len(verify.CHECKS)
    assert (checked["verdict"], checked["rung"]) == (verdict.word, rung)
