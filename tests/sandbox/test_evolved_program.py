"""The example in which programs edit themselves: systems are source text, and every answer comes out of a sandbox."""

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bwrap: apt-get install bubblewrap")
EXAMPLE = Path(__file__).parents[2] / "examples" / "evolved_program.py"
EXITS = {"SUPPORTED": 0, "REFUTED": 3, "INCONCLUSIVE": 4}


def ran(tmp_path, *changes):
    """The word of the example's study, run from its file with some text changed, and verified."""
    text = EXAMPLE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "evolved_program.py").write_text(text)
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    commands = [["evolved_program.py"], ["-m", "netgain.verify", "studies/evolved"]]
    said, verified = (
        subprocess.run(
            [sys.executable, *one], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        for one in commands
    )
    assert said.returncode == 0, said.stderr
    word = said.stdout.split()[0]
    assert verified.returncode == EXITS[word], verified.stdout
    return word


def test_a_study_of_programs_ends_in_a_verdict_that_verifies(tmp_path):
    assert ran(tmp_path, ("range(20)", "range(3)"), ("rounds=5", "rounds=2")) in EXITS


@pytest.mark.nightly
def test_the_example_finds_a_better_program(tmp_path):
    assert ran(tmp_path) == "SUPPORTED"


def test_programs_are_scored_from_outside():
    example = runpy.run_path(str(EXAMPLE))
    items = [dict(zip(("input", "target"), example["item"](seed, 0), strict=True)) for seed in range(40)]
    right, judge = example["right"], example["judge"]
    with judge.backend:
        assert 0.3 < right(example["FIRST"], items) < 0.7
        assert right("def solve(x): return int(3 * x[0] - 2 * x[1] + x[2] > 0)", items) == 1.0
        assert right("def solve(x): return x[7]", items) == 0.0
        assert right("def solve(x: return", items) == 0.0
        assert right("import os; os._exit(0)", items) == 0.0
        source = "import os, sys\ndef solve(x): return [sorted(os.environ), len(sys._getframe(0).f_back.f_globals)]"
        seen = judge.ask(source, [items[0]["input"]], rng=np.random.default_rng(0))
        assert seen.answers.outputs[0][0] == [] and seen.level == 2
