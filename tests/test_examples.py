"""The examples are short, run as they stand, and end in a verdict."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


def code_lines(path: Path) -> int:
    """Return the lines that are code: no blanks, no comments, no docstring of the module."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return sum(1 for line in lines if line.strip() and not line.lstrip().startswith(("#", '"""')))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(path: Path) -> None:
    limits = {"first_loop": 25, "self_training_recorded": 60}  # a script of 40 lines, and the 20 that were added
    assert code_lines(path) <= limits.get(path.stem, 40)


def test_the_first_loop_gets_a_verdict(tmp_path: Path) -> None:
    example = Path(__file__).parents[1] / "examples" / "first_loop.py"
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(example)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    word = next(word for word in ("SUPPORTED", "INCONCLUSIVE", "REFUTED") if done.stdout.startswith(word))
    assert (tmp_path / "studies" / "first" / "report.html").stat().st_size > 10_000
    check = [sys.executable, "-m", "netgain.verify", "studies/first"]
    verified = subprocess.run(check, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert verified.returncode == {"SUPPORTED": 0, "REFUTED": 3, "INCONCLUSIVE": 4}[word], verified.stdout
