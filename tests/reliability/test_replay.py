"""G19: recorded decisions are computed again, by one file and plain Python, on every Python that is here."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.study_forgery import entries, ladder_study

from netgain import verify
from netgain.testing.trials import record

COMMAND = "pytest tests/reliability/test_replay.py"
MINORS = range(11, 20)
WHERE = (Path.home() / ".pyenv" / "versions", Path.home() / ".local" / "share" / "uv" / "python")
DECIDED = ("gate_decision", "verdict")
VERSION = "import platform; print(platform.python_version())"


def pythons() -> dict[str, str]:
    """Version -> interpreter, one for each minor version from 3.11 on; this one is always among them."""
    found = [sys.executable, *(shutil.which(f"python3.{minor}") or "" for minor in MINORS)]
    found += [str(one) for folder in WHERE for one in sorted(folder.glob("*3.*/bin/python3"))]
    by_minor: dict[str, tuple[str, str]] = {}
    for one in filter(None, found):
        said = subprocess.run([one, "-I", "-S", "-c", VERSION], capture_output=True, text=True, check=False)
        version = said.stdout.strip()
        minor = version.rpartition(".")[0]
        if said.returncode == 0 and minor in {f"3.{number}" for number in MINORS}:
            by_minor.setdefault(minor, (version, one))
    return dict(by_minor.values())


def computed(python: str, folder: Path) -> str:
    """Digest of all that the verifier says of a study, by this interpreter with nothing but its standard library."""
    command = [python, "-I", "-S", str(verify.__file__), "--json", str(folder)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(said.stdout)
    assert [one for one in found["checks"] if one["ok"] is not True] == [], said.stdout
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


@pytest.mark.parametrize(
    ("starts", "rounds"), [(5, 6), pytest.param(20, 25, marks=pytest.mark.nightly)], ids=["50", "1000"]
)
def test_every_recorded_decision_is_computed_again_on_every_python(tmp_path: Path, starts: int, rounds: int) -> None:
    arms = ("self", "frozen", "placebo")
    folder = ladder_study(tmp_path / "study", arms=arms, replicas=starts, rounds=rounds, exploratory=True)
    decisions = sum(one.kind in DECIDED for one in entries(folder))
    there = pythons()
    digests = {version: computed(python, folder) for version, python in there.items()}
    told = hashlib.sha256(json.dumps(verify.verify(folder), sort_keys=True).encode()).hexdigest()
    wrong = [version for version, one in digests.items() if one != told]
    record("G19", "decisions times Pythons, computed again from the record", trials=decisions * len(there),
           failures=decisions * len(wrong), seed=None, command=COMMAND, decisions=decisions,
           pythons=" ".join(sorted(there)))  # fmt: skip
    assert wrong == [] and decisions >= 50


def test_a_changed_decision_is_not_computed_again(tmp_path: Path) -> None:
    from tests.study_forgery import forged

    def edit(events):  # type: ignore[no-untyped-def]
        data = next(one.data for one in events if one.kind == "gate_decision")
        data["level"] = data["level"] / 2

    folder = ladder_study(tmp_path / "study", replicas=2, rounds=1, exploratory=True)
    copy = forged(folder, tmp_path / "forged", edit)
    with pytest.raises(AssertionError, match="level"):
        computed(sys.executable, copy)
