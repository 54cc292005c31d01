"""The sandbox of a study is on its record: which, of what level, and before any result that came out of it."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from tests.study_forgery import entries, forged

from netgain.errors import SandboxError
from netgain.executors import Reference
from netgain.ledger import Event, Ledger
from netgain.sandboxed import Sandboxes
from netgain.session import run_study
from netgain.verify import verify

EXAMPLE = Path(__file__).parents[2] / "examples" / "evolved_program.py"
SMALL = (
    ("from netgain.sandbox.server import ForkServer", "from netgain.sandbox.bare import Limited"),
    ("Judge(backend=ForkServer())", "Judge(backend=Limited(), least=1)"),
    ("gate_items=200, report_items=50, sealed_items=300", "gate_items=20, report_items=4, sealed_items=8"),
    ("range(20)", "range(2)"), ("dev_items=80", "dev_items=8"),
)  # fmt: skip


def made(folder, least):
    """The example with the weak backend `process`, and with the lowest level that its loop registers."""
    text = EXAMPLE.read_text()
    for old, new in (*SMALL, ("sandbox=2", f"sandbox={least}")):
        assert old in text
        text = text.replace(old, new)
    file = folder / "programs.py"
    file.write_text(text)
    study = runpy.run_path(str(file))["study"]
    reference = Reference(f"{file}:loop")
    return replace(study, reference=reference, arms=("self", "frozen", "random_search"), replicas=2, rounds=1)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    run_study(made(folder, 1), folder / "study", workers=1, exploratory=True)
    return folder / "study"


def outcome(folder):
    (found,) = [one for one in verify(folder)["checks"] if one["name"] == "sandboxes"]
    return found


def test_the_sandbox_is_on_record_before_the_first_result_of_it(honest):
    kinds = [one.kind for one in entries(honest)]
    (used,) = [one for one in entries(honest) if one.kind == "sandbox_used"]
    assert used.data == {"backend": "process", "level": 1}
    assert used.seq < kinds.index("scores")
    registered = next(one.data for one in entries(honest) if one.kind == "claim_registered")
    assert registered["study"]["sandbox"] == 1
    assert outcome(honest) == {"name": "sandboxes", "ok": True, "detail": "programs ran in process (S1)"}


def test_a_study_below_its_registered_level_stops_and_has_no_score(tmp_path):
    with pytest.raises(SandboxError, match="level S1, registered is S2"):
        run_study(made(tmp_path, 2), tmp_path / "study", workers=1, exploratory=True)
    with Ledger.open(tmp_path / "study", readonly=True) as log:
        found = list(log.events())
    assert [one.data for one in found if one.kind == "sandbox_used"] == [{"backend": "process", "level": 1}]
    assert not [one for one in found if one.kind == "scores"]
    assert outcome(tmp_path / "study")["ok"] is False


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "no sandbox by the seal"),
        ({"backend": "process", "level": 2}, "no sandbox of level S2"),
        ({"backend": "none", "level": 0}, "'none' keeps S0, registered is S1"),
        ({"backend": "other", "level": 9}, "no sandbox of level S9"),
        ({"backend": "other", "level": True}, "no sandbox of level STrue"),
    ],
)
def test_verify_fails_a_record_of_another_sandbox(honest, tmp_path, data, said):
    def edit(events):
        place = next(at for at, one in enumerate(events) if one.kind == "sandbox_used")
        events[place : place + 1] = [] if data is None else [Event("sandbox_used", None, data)]

    found = outcome(forged(honest, tmp_path / "forged", edit))
    assert found["ok"] is False and said in found["detail"]


def test_a_record_that_comes_after_the_seal_is_none(honest, tmp_path):
    def edit(events):
        place = next(at for at, one in enumerate(events) if one.kind == "sandbox_used")
        events.append(events.pop(place))

    assert "by the seal" in outcome(forged(honest, tmp_path / "forged", edit))["detail"]


def test_a_sandbox_is_recorded_once_in_a_session_and_a_weak_one_before_it_is_refused():
    class Log(list):
        def append(self, events):
            self.extend(events)

    log = Log()
    note = Sandboxes(log, 2)
    for told in ([["wasm", 3]], [["wasm", 3], ["bubblewrap", 2]], []):
        note(told)
    assert [one.data["backend"] for one in log] == ["wasm", "bubblewrap"]
    for _ in range(2):  # it is refused again: what was refused once is not known from then on
        with pytest.raises(SandboxError):
            note([["sandlock", 1]])
    assert [one.data["level"] for one in log] == [3, 2, 1, 1]
