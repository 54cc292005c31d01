"""The judge, on a backend without isolation: what it keeps out by what it reads, whatever the sandbox."""

import json
import subprocess
import sys

import numpy as np
import pytest
from bare import Bare

from netgain.budget import Budget
from netgain.errors import ConfigError, EvaluateError, IntegrityError, SandboxError
from netgain.metric import METRICS
from netgain.sandbox import Finished, Level, Limits
from netgain.sandbox.answers import read_answers
from netgain.sandbox.judge import Judge
from netgain.sandbox.strict import NotStrict

NONCE = "n" * 32
RIGHT = [[0, "value", 1], [1, "raised", "ValueError: x"], [2, "untyped", "set"]]
WRONG_SETS = {
    "partial": RIGHT[:2],
    "duplicate": [RIGHT[0], RIGHT[0], RIGHT[2]],
    "too many": [*RIGHT, RIGHT[0]],
    "unknown place": [*RIGHT[:2], [3, "value", 1]],
    "negative place": [*RIGHT[:2], [-1, "value", 1]],
    "true for a place": [RIGHT[0], [True, "value", 1], RIGHT[2]],
    "fraction for a place": [RIGHT[0], [1.0, "value", 1], RIGHT[2]],
    "unknown kind": [*RIGHT[:2], [2, "skipped", ""]],
    "no text of a fault": [*RIGHT[:2], [2, "raised", 7]],
    "short entry": [*RIGHT[:2], [2, "value"]],
    "no list": {"0": 1, "1": 2, "2": 3},
}


def frame(answers=RIGHT, nonce=NONCE, **more):
    return json.dumps({"nonce": nonce, "answers": answers, **more}).encode()


def judge(**options):
    return Judge(backend=Bare(), least=Level.S0, limits=Limits(wall_s=5.0), **options)


class Ends:
    """A backend that ends every job in one way."""

    name, level = "ends", Level.S2

    def __init__(self, ending="ended", code=0, result=b"", before=lambda: None):
        self._given, self._before = (ending, code, result), before

    def run(self, job):
        self._before()
        ending, code, result = self._given
        return Finished(
            ending=ending, code=code, result=result, out=b"", err=b"", wall_s=0.0, cpu_s=None, peak_memory=None,
            backend=self.name, level=self.level,
        )  # fmt: skip


def test_a_complete_set_is_read_in_the_order_of_places():
    found = read_answers(frame(RIGHT[::-1]), NONCE, 3)
    assert found.outputs == (1, None, None) and found.faults == {1: "raised", 2: "untyped"}
    assert found.said == {1: "ValueError: x", 2: "set"}


@pytest.mark.parametrize("name", WRONG_SETS)
def test_any_other_set_is_no_answer(name):
    with pytest.raises(NotStrict):
        read_answers(frame(WRONG_SETS[name]), NONCE, 3)


@pytest.mark.parametrize(
    "data", [frame(nonce="m" * 32), frame(nonce=7), frame(score=1.0), frame() + frame(), b"[]", b"", b'{"score": 1}']
)
def test_any_other_frame_is_no_answer(data):
    with pytest.raises(NotStrict):
        read_answers(data, NONCE, 3)


def test_each_input_has_its_own_fate():
    source = (
        "def solve(x):\n    return [lambda: 0, lambda: 1 // 0, lambda: {1}, lambda: float('nan'), lambda: None][x]()"
    )
    told = judge().ask(source, [0, 1, 2, 3, 4]).per_input(5)
    assert told == [("value", 0), ("raised", None), ("untyped", None), ("untyped", None), ("value", None)]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import sys\nsys.exit(0)", "without an answer"),
        ("def solve(x): raise SystemExit(0)", "without an answer"),
        ("import os\ndef solve(x): os._exit(0)", "without an answer"),
        ("def solve(x:", "code 1"),
        ("solved = None", "code 1"),
        ("def solve(x): return 1\nprint('score: 1.0')\nraise SystemExit(3)", "code 3"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "signal"),
        ("import os\nos.write(3, b'{}')\ndef solve(x): return x", "not JSON"),
    ],
)
def test_what_is_not_complete_is_invalid_and_has_no_score(source, reason):
    items = [{"input": 1, "target": 1}, {"input": 2, "target": 2}]
    scored = judge().score(source, items, METRICS["exact"])
    assert scored.judged.status == "invalid" and reason in scored.judged.reason
    assert scored.values == (None, None) and set(scored.status) == {"0", "1"}


@pytest.mark.parametrize("ending", ["deadline", "memory", "processes", "disk", "output", "killed"])
def test_a_broken_limit_is_invalid_whatever_was_answered(ending):
    done = Judge(backend=Ends(ending, None, b"{}")).ask("", [1])
    assert done.status == "invalid" and done.answers is None and "{" not in done.reason


def test_our_own_failure_is_nobodys_score():
    with pytest.raises(SandboxError):
        Judge(backend=Ends("broken", None)).ask("", [1])


def test_a_weaker_backend_than_asked_for_is_refused():
    with pytest.raises(ConfigError, match="S0, expected S2"):
        Judge(backend=Bare())


def test_scores_are_made_here_from_typed_answers():
    items = [{"input": x, "target": x + 1} for x in range(4)]
    scored = judge().score("def solve(x): return [1, True, 3.0, 4][x] if x != 3 else 1 // 0", items, METRICS["exact"])
    assert scored.values == (1.0, 0.0, 0.0, None) and scored.status == {"3": "raised"}


def test_a_changed_evaluator_ends_the_evaluation(tmp_path):
    scorer = tmp_path / "scorer.py"
    scorer.write_text("right = 1")
    sound = Judge(backend=Ends(), watched=[scorer])
    assert sound.ask("", []).status == "invalid"  # nothing changed: only the answer is missing
    touched = Judge(backend=Ends(before=lambda: scorer.write_text("right = 2")), watched=[scorer])
    with pytest.raises(IntegrityError, match="before an evaluation"):
        touched.ask("", [])
    gone = Judge(backend=Ends(before=scorer.unlink), watched=[scorer])
    with pytest.raises(IntegrityError, match="cannot be read"):
        gone.ask("", [])


def test_time_is_taken_outside():
    patched = "time.time = time.monotonic = time.perf_counter = lambda: 0.0"
    source = f"import time\ntime.sleep(0.3)\n{patched}\ndef solve(x): return x"
    done = judge().ask(source, [1])
    assert done.status == "complete" and done.wall_s > 0.3


def test_a_background_thread_after_the_answer_counts_and_changes_nothing():
    source = (
        "import threading, time\n"
        "def solve(x):\n    threading.Thread(target=time.sleep, args=(0.3,)).start()\n    return x"
    )
    done = judge().ask(source, [1])
    assert done.wall_s > 0.3


def test_every_call_has_a_nonce_of_its_own_and_a_drawn_order():
    source = "seen = []\ndef solve(x):\n    seen.append(x)\n    return list(seen)"
    kept = judge().ask(source, list(range(6))).answers.outputs
    assert kept == tuple(list(range(n + 1)) for n in range(6))
    drawn = judge().ask(source, list(range(6)), rng=np.random.default_rng(1)).answers.outputs
    again = judge().ask(source, list(range(6)), rng=np.random.default_rng(1)).answers.outputs
    assert drawn == again != kept and all(one[-1] == place for place, one in enumerate(drawn))


def test_a_program_of_another_form_speaks_for_itself():
    source = (
        "import json, os, sys\ntask = json.load(sys.stdin)\n"
        "said = {'nonce': task['nonce'], 'answers': [[i, 'value', x * 2] for i, x in task['inputs']]}\n"
        "os.write(3, json.dumps(said).encode())"
    )
    assert judge(form="program").ask(source, [1, 2]).answers.outputs == (2, 4)


def test_answering_for_a_loop_makes_a_fault_a_wrong_answer():
    budget = Budget()
    outputs = judge().answer("def solve(x): return 6 // x", [0, 2], budget, np.random.default_rng(0))
    assert outputs == [{"answer": {"fault": "raised"}}, 3] and budget.spent["calls"] == 2.0
    assert METRICS["exact"].score(outputs[0], 5) == 0.0
    assert budget.spent["device_seconds"] > 0.0  # of the sandbox, which the worker's own clock does not see
    with pytest.raises(EvaluateError, match="invalid"):
        judge().answer("raise SystemExit", [0], Budget(), np.random.default_rng(0))


def test_the_inside_needs_nothing_of_ours():
    from importlib import resources

    text = resources.files("netgain.sandbox").joinpath("inside.py").read_text("utf-8")
    assert "import netgain" not in text and "from netgain" not in text
    done = subprocess.run([sys.executable, "-I", "-S", "-c", text], input=b"", capture_output=True, check=False)
    assert done.returncode == 1 and b"JSONDecodeError" in done.stderr  # it starts, and finds no task
