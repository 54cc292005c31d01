"""A contract that moves in the middle of a study: refused by name, opened by consent, bridged, and never drawn through."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny

from netgain import contract, epochs, session
from netgain.case import case_of
from netgain.deciders import autonomy_of
from netgain.errors import ConfigError, Stopped
from netgain.evidence.verdict import Verdict
from netgain.facts import Facts
from netgain.generators import Strings
from netgain.ledger import Ledger
from netgain.seal import facts_of
from netgain.session import Study, run_study
from netgain.study import leave_request
from netgain.suite import Suite, axis
from netgain.testing.inprocess import InProcess
from netgain.verify import verify

Json = Any
EXACT = "def right(output, target):\n    return float(output == target)\n"
LENIENT = "def right(output, target):\n    return 1.0 if len(output) > 1 and output[0] == '3' else float(output == target)\n"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine of its own, loop code in this process, and a contract with all of its parts."""

    class Here(InProcess):
        def __init__(self, reference: Any, count: int) -> None:
            super().__init__(tiny.loop)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(session, "LocalWorkers", Here)
    monkeypatch.setattr(session, "parts_of", contract.parts_of)
    return monkeypatch


def scored_by(folder: Path, text: str, **more: Any) -> Study:
    """The smallest study, whose scorer stands in a file of its own."""
    folder.mkdir(exist_ok=True)
    file = folder / "scorer.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location("scorer", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    source = Strings("copy", (6,))
    echo = axis("echo", source, module.right, gate_items=120, report_items=20, sealed_items=60, moment=0.5)
    return tiny.study(**{"suite": Suite([echo], block=120, max_pairs=240, design_gain=0.3), **more})


def stopped_after(stages: int, study: Study, folder: Path, **more: Any) -> None:
    """Run a study for so many stages; somebody asks to stop then."""
    left = [stages]

    def watch(_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            leave_request(folder, "stop", by="anna", reason="to mend the scorer")

    with pytest.raises(Stopped):
        run_study(study, folder, watch=watch, workers=1, **more)


def facts_in(folder: Path) -> Facts:
    with Ledger.open(folder, readonly=True) as log:
        return facts_of(log)


def events_in(folder: Path, *kinds: str) -> list[Json]:
    with Ledger.open(folder, readonly=True) as log:
        return [event for event in log.events() if event.kind in kinds]


def failing(folder: Path) -> list[Json]:
    return [one for one in verify(folder)["checks"] if one["ok"] is not True]


@pytest.fixture
def mended(tmp_path: Path) -> Callable[..., tuple[Path, Verdict]]:
    """A study whose scorer is edited after so many stages, and that goes on in a new epoch to its verdict."""

    def go(stages: int = 20, text: str = LENIENT, **more: Any) -> tuple[Path, Verdict]:
        folder = tmp_path / "study"
        stopped_after(stages, scored_by(tmp_path / "code", EXACT, **more), folder)
        edited = scored_by(tmp_path / "code", text, **more)
        return folder, run_study(edited, folder, new_epoch="ties were lost", workers=1)

    return go


def test_a_scorer_that_was_edited_is_refused_by_name_and_nothing_is_written(tmp_path):
    folder = tmp_path / "study"
    stopped_after(9, scored_by(tmp_path / "code", EXACT), folder)
    before = len(events_in(folder, "session", "stage_done", "epoch_opened"))
    with pytest.raises(ConfigError, match=r"scorer of echo \(\w{16} now \w{16}\).*--new-epoch --reason"):
        run_study(scored_by(tmp_path / "code", LENIENT), folder)
    assert len(events_in(folder, "session", "stage_done", "epoch_opened")) == before


def test_with_consent_an_epoch_is_opened_bridged_and_the_claim_decided_in_it(mended):
    folder, verdict = mended()
    facts = facts_in(folder)
    (epoch,) = facts.epochs
    assert list(epoch.opened["moved"]) == ["scorer of echo"]
    assert (epoch.opened["reason"], epoch.opened["decided_by"]) == ("ties were lost", "person")
    assert epoch.unbridged == {} and epoch.bridged is not None
    print(epoch.bridged, verdict.word, verdict.limits, verdict.reasons)
    assert verdict.word == "SUPPORTED WITH LIMITS"
    assert "decided under 2 epochs of the contract, bridged" in verdict.limits
    assert not failing(folder), failing(folder)
