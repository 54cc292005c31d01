"""The probe: attacks that succeed are seen, whatever a backend calls itself."""

from dataclasses import dataclass, replace

import pytest
from test_bubblewrap import needed

from netgain.claim import Claim
from netgain.errors import SandboxError
from netgain.executors import Reference
from netgain.sandbox import Finished, Job, Level
from netgain.sandbox.bare import Bare, Limited
from netgain.sandbox.judge import Judge
from netgain.sandbox.probe import ATTACKS, probed, refuse_weak
from netgain.session import Study, run_study
from netgain.testing.ladder import Ladder


@dataclass
class Boasting:
    """A backend that claims level S2 for what another one does, or that changes what it is given or answers."""

    inner: object
    name: str = "boasting"
    level: Level = Level.S2

    def run(self, job: Job) -> Finished:
        return self.changed(self.inner.run(job))

    def changed(self, said: Finished) -> Finished:
        return said


def test_a_plain_process_that_claims_to_be_a_sandbox_loses_to_nearly_every_attack():
    outcomes = {one.attack: one for one in probed(Boasting(Bare()))}
    assert set(outcomes) == {one.name for one in ATTACKS}
    won = {name for name, one in outcomes.items() if not one.stopped}
    # what is no secret of this machine or not possible for this account may be stopped even here
    assert won >= {
        "file",
        "write",
        "process",
        "network",
        "packet",
        "unix socket",
        "memory",
        "disk",
        "trace",
        "deadline",
    }
    assert "still alive" in outcomes["deadline"].detail and "packet arrived" in outcomes["packet"].detail


def test_a_backend_is_refused_with_what_it_let_happen():
    with pytest.raises(SandboxError, match="does not keep level S2.*read a file of the host") as error:
        refuse_weak(Boasting(Limited()), probed(Boasting(Limited())))
    assert "do not run foreign code" in str(error.value)


def test_a_study_does_not_begin_in_a_sandbox_that_lets_an_attack_succeed(tmp_path):
    ladder = Ladder(target=6)
    loop = replace(ladder.loop(), ready=Judge(backend=Boasting(Limited())).ready)
    claim, plain = Claim("ladder", by=0.05), Reference("netgain.testing.ladder:make", {"target": 6})
    study = Study(loop, ladder.suite(), ("self", "frozen"), claim, replicas=1, rounds=1, reference=plain)
    with pytest.raises(SandboxError, match="do not run foreign code"):
        run_study(study, tmp_path / "study", exploratory=True)
    assert not (tmp_path / "study" / "ledger.db").exists()


def test_a_sandbox_that_held_is_attacked_once_a_process(monkeypatch):
    monkeypatch.setattr("netgain.sandbox.probe.HELD", [])
    monkeypatch.setattr("netgain.sandbox.probe.probed", lambda backend: asked.append(backend) or [])
    asked, one, other = [], Limited(), Limited()
    for backend in (one, other, one, other):
        Judge(backend=backend, least=Level.S0).ready()
    assert [place is backend for place, backend in zip(asked, (one, other), strict=True)] == [True, True]


def test_a_plain_process_with_limits_keeps_its_own_level():
    refuse_weak(Limited(), probed(Limited()))


def test_only_attacks_of_its_level_are_asked_of_a_backend():
    assert [one.attack for one in probed(Bare())] == []
    assert {one.attack for one in probed(Limited())} == {"environment", "memory"}


def test_a_backend_that_runs_nothing_has_stopped_nothing():
    @dataclass
    class Dead(Boasting):
        def changed(self, said):
            return replace(said, result=b"")

    with pytest.raises(SandboxError, match="runs no program"):
        probed(Dead(Limited()))


def test_silence_is_not_a_stopped_attack():
    @dataclass
    class Mute(Boasting):
        def changed(self, said):
            return said if said.result == b"works" else replace(said, result=b"", ending="ended", code=0)

    found = probed(Mute(Limited()), [one for one in ATTACKS if one.name == "root"])
    assert [(one.stopped, "no answer" in one.detail) for one in found] == [(False, True)]


def test_a_backend_that_breaks_during_an_attack_has_not_stopped_it():
    @dataclass
    class Breaking(Boasting):
        def run(self, job):
            if b"works" not in job.files.values():
                raise SandboxError("gone")
            return self.inner.run(job)

    assert "gone" in probed(Breaking(Limited()), ATTACKS[:1])[0].detail


@needed
def test_our_own_environment_is_as_it_was(monkeypatch):
    import os

    before = dict(os.environ)
    probed(Limited())
    assert dict(os.environ) == before
