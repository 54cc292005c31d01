"""`netgain run --new-epoch`: a user's own file that is edited in the middle of a study, at the command line."""

from pathlib import Path

import pytest
from test_run import OWN

from netgain import contract, session
from netgain.ledger import Ledger
from netgain.verify import verify


def events(kind):
    with Ledger.open(Path("mine"), readonly=True) as log:
        return [event.data for event in log.events(kind)]


@pytest.fixture
def begun(cli, monkeypatch):
    """A study of one's own in `mine`, paused after three stages; its scorer and the limit that pauses were edited."""
    for name in ("code_digest", "parts_of"):  # the real ones: other tests count netgain's own code as unchanged
        monkeypatch.setattr(session, name, getattr(contract, name))
    Path("own.py").write_text(OWN)
    Path("own_truth.py").write_text("SHIFT = 7\n")
    cli("init", "mine", "--from", "own.py:study", "--set", "study.workers=1", "--set", "budget.device_seconds=1e-9")
    for _ in range(3):
        assert cli("run", "mine", "--json").code == 8
    for name, before, now in (("own.py", "/ 10.0", "/ 9.0"), ("netgain.toml", "1e-09", "1e3")):
        text = Path("mine", name).read_text()
        assert before in text
        Path("mine", name).write_text(text.replace(before, now))
    return cli


def test_a_file_that_was_edited_is_refused_until_somebody_consents_and_says_why(begun):
    for words in (("--new-epoch",), ("--reason", "because"), ("--new-epoch", "--reason", " "), ()):
        said = begun("run", "mine", "--json", *words)
        assert (said.code, said.record["error"]) == (2, "ConfigError"), words
    assert said.record["what"] == "netgain.toml changed since it was registered"
    toml = Path("mine/netgain.toml")
    toml.write_text(toml.read_text().replace("1e3", "1e-09"))
    said = begun("run", "mine", "--json").record
    assert "loop (" in said["what"] and "scorer of near (" in said["what"] and " axis" not in said["what"]
    assert "--new-epoch --reason TEXT" in said["fix"]
    assert events("epoch_opened") == []


def test_with_consent_the_study_goes_on_to_its_verdict(begun):
    said = begun("run", "mine", "--json", "--new-epoch", "--reason", "scores fell too steeply")
    assert said.code == 0, said
    (opened,) = events("epoch_opened")
    assert sorted(opened["moved"]) == ["loop", "scorer of near"]
    assert opened["reason"] == "scores fell too steeply" and opened["by"]
    found = verify(Path("mine"))
    assert [one for one in found["checks"] if not one["ok"]] == []
    assert found["verdict"] == said.record["verdict"] == "SUPPORTED WITH LIMITS"
