"""Incidents of class H of docs/incidents.md: the denominator, the artefact or the harness is another one."""

import math

import numpy as np
import pytest

from netgain.contract import code_digest
from netgain.evidence.tally import paired
from netgain.executors import Reference
from netgain.monitors import MONITORS
from netgain.monitors.drift import moved
from netgain.suite import NO_ANSWER


def test_09_a_template_that_was_edited_is_another_contract(tmp_path):
    """Detectors: `contract.code_digest` over what a loop imports, and `monitors.drift.moved`, which names the part."""
    (tmp_path / "template.py").write_text("CHAT = '<user>{question}</user>'\n")
    (tmp_path / "mine.py").write_text("import template\nloop = template\n")
    before = code_digest(Reference(f"{tmp_path / 'mine.py'}:loop"))
    (tmp_path / "template.py").write_text("CHAT = '<user>{question} The answer follows.</user>'\n")
    after = code_digest(Reference(f"{tmp_path / 'mine.py'}:loop"))
    assert before != after
    assert moved({"template": before, "data": "d"}, {"template": after, "data": "d"}) == ["template"]


def test_18_a_harness_that_moves_moves_a_frozen_system_too():
    """Detector: the monitor `drift`: generation 0 is asked again, and its own scores should be what they were."""
    rng = np.random.default_rng(18)
    kept = (rng.random(400) < 0.5).astype(float)
    other_decoding = np.where(rng.random(400) < 0.15, 1.0, kept)
    look = MONITORS["drift"]().look
    for now, alarm in ((kept, False), (other_decoding, True)):
        assert look([{"round": 1, "sentinel": {"differences": (now - kept).tolist()}}]).alarm is alarm


def sheet(right, wrong, silent):
    values = [1] * right + [0] * wrong + [None] * silent
    return {"values": values, "status": {str(right + wrong + n): NO_ANSWER for n in range(silent)}}


def test_21_tasks_that_were_left_out_are_wrong_and_the_denominator_stays():
    """Detector: `evidence.tally`: what the claim is about gains nothing by silence, here on 23 of 500 tasks."""
    own, first = sheet(300, 177, 23), sheet(300, 200, 0)
    reported = 300 / 477
    found = paired({"self": own, "frozen": first}, strict=["self"])
    assert reported > 0.62
    assert found["self"].mean == found["frozen"].mean == 0.6
    assert found["self"].n == 500
    assert math.isclose(
        paired({"self": own, "frozen": first})["self"].mean, reported
    )  # a mere control's silence is left out


def test_21_over_a_twentieth_left_out_is_no_score():
    """Detector: `SILENT_LIMIT`, for arms that the claim is not about."""
    found = paired({"self": sheet(300, 200, 0), "ordinary": sheet(300, 174, 26)}, strict=["self"])
    assert found["ordinary"].score is None and found["self"].score == pytest.approx(0.6)
