"""Studies that must not be supported, end to end on the simulated learner, each with the reason that it prints."""

from pathlib import Path
from typing import Any

import pytest

from here import run_here
from netgain.claim import Claim
from netgain.executors import Reference
from netgain.recipes import build_recipe
from netgain.session import Study

ARMS = ("self", "frozen", "ordinary", "placebo")


def verdict_of(folder: Path, claim: Claim, arms: tuple[str, ...] = ARMS, **options: Any) -> Any:
    built = build_recipe("ladder", options, "tiny")
    reference = Reference("netgain.recipes.ladder:make", {**options, "size": "tiny"})
    return run_here(Study(built.loop, built.suite, arms, claim, rounds=3, reference=reference), folder)


def test_a_loop_without_a_check_has_no_placebo_and_is_not_supported(tmp_path: Path) -> None:
    claim = Claim("ladder", by=0.3, beats=("frozen", "ordinary"), rung="R2")
    found = verdict_of(tmp_path, claim, check=0.0, gain=0.0)
    assert found.word == "REFUTED"
    assert any("`placebo` is not testable: the loop declares no `filters`" in reason for reason in found.reasons)


@pytest.mark.parametrize("arm", ["placebo", "ordinary"])
def test_a_control_that_is_claimed_is_refuted_as_a_control(tmp_path: Path, arm: str) -> None:
    found = verdict_of(tmp_path, Claim("ladder", by=0.2, beats=("frozen",), rung="R2", arm=arm))
    assert found.word == "REFUTED"
    assert f"net gain of `{arm}` is not above 0.2" in found.reasons[0]
    assert found.effect["estimate"] <= 0.0, "nothing exceeds itself"


def test_a_second_self_is_not_beaten(tmp_path: Path) -> None:
    arms = ("self", "frozen", "self_again")
    found = verdict_of(tmp_path, Claim("ladder", by=0.1, beats=("self_again",)), arms)
    assert found.word in ("INCONCLUSIVE", "REFUTED")
    assert found.effect["estimate"] < 0.1
