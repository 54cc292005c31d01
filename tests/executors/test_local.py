"""Real worker processes: what they are told, what they may print, and what happens when they die."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from netgain.errors import ConfigError, SandboxError, StageError
from netgain.executors import LocalWorkers, Reference, reference_of
from netgain.executors.local import ONE_THREAD, PASSED_ON
from netgain.testing.ladder import Ladder
from netgain.wire import pack, unpack

FILE = '''
import os, sys, threading
from pathlib import Path
from netgain import records, stages

HERE = Path(__file__).parent


def start(rng):
    return {"environment": dict(os.environ), "arguments": sys.argv[1:], "files": sorted(os.listdir(".")),
            "pid": os.getpid(), "stdin": sys.stdin.read()}


def answer(system, inputs, budget, rng):
    for question in inputs:
        if question == "print":
            print("thinking aloud", flush=True)
            os.write(1, b"and past the file object\\n")
        elif question == "raise":
            raise ValueError("lost")
        elif question == "die":
            os._exit(9)
        elif question == "die once" and not (HERE / "died").exists():
            (HERE / "died").touch()
            os._exit(9)
    return [os.getpid() for question in inputs]


loop = stages.Loop(start, lambda view: records.Change([]), answer)
'''
RAISES = 1 + next(place for place, line in enumerate(FILE.splitlines()) if "raise ValueError" in line)
ANSWER = {"op": "answer", "seed": "1", "budget": {}, "sampled": False, "system": {"digest": "d", "data": b""}}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("loop") / "mine.py"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def worker(file):
    with LocalWorkers(Reference(f"{file}:loop"), 1) as executor:
        yield executor


def asked(executor, *questions):
    system = {"digest": "d", "data": pack(None)}
    return executor.call({**ANSWER, "system": system, "inputs": list(questions)})


@pytest.fixture(scope="module")
def told(worker):
    """What loop code can read of its surroundings."""
    return unpack(worker.call({"op": "start", "seed": "1", "budget": {}})["value"]["system"])


def test_the_environment_of_a_worker_is_a_short_list_and_one_thread(told):
    extra = set(told["environment"]) - set(PASSED_ON) - set(ONE_THREAD)
    assert extra <= {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "LC_CTYPE"}  # the last is set by Python itself
    assert {told["environment"][name] for name in ONE_THREAD} == {"1"}


def test_a_worker_is_told_how_to_find_the_loop_and_nothing_of_arm_replica_or_study(told, file):
    (argument,) = told["arguments"]
    assert json.loads(argument) == {"target": f"{file}:loop", "options": None, "device": "cpu"}
    assert told["files"] == []
    rest = {name: value for name, value in told["environment"].items() if name not in ("PATH", "PYTHONPATH", "HOME")}
    words = json.dumps(rest).lower()
    assert not any(word in words for word in ("arm", "replica", "label", "claim", "secret", "sealed"))


def test_loop_code_cannot_read_the_tasks_of_others(told):
    assert told["stdin"] == ""


def test_what_loop_code_prints_does_not_reach_the_pipe(file, capfd):
    with LocalWorkers(Reference(f"{file}:loop"), 1) as executor:
        assert len(asked(executor, "print", "x")["value"]["outputs"]) == 2
        assert len(asked(executor, "y")["value"]["outputs"]) == 1
    printed = capfd.readouterr()
    assert "thinking aloud" in printed.err and "past the file object" in printed.err
    assert printed.out == ""


def test_loop_code_that_raises_is_a_stage_error_with_its_line_and_the_worker_lives_on(worker):
    (before,) = asked(worker, "x")["value"]["outputs"]
    with pytest.raises(StageError, match="ValueError in answer: ‹lost›") as error:
        asked(worker, "raise")
    assert error.value.where == f"mine.py:{RAISES}"
    assert asked(worker, "x")["value"]["outputs"] == [before]


def test_a_worker_that_died_is_replaced_and_its_task_repeated(worker, file):
    (before,) = asked(worker, "x")["value"]["outputs"]
    (after,) = asked(worker, "die once")["value"]["outputs"]
    assert (file.parent / "died").exists()
    assert after != before


def test_a_task_on_which_a_worker_dies_twice_is_an_error_of_infrastructure_and_no_answer(worker):
    with pytest.raises(SandboxError, match="status 9 during 'answer'"):
        asked(worker, "die")
    assert len(asked(worker, "x")["value"]["outputs"]) == 1  # the next task gets a new worker


def test_several_workers_are_several_processes_side_by_side_and_end_with_the_executor(file):
    with LocalWorkers(Reference(f"{file}:loop"), 2) as executor:
        workers = [worker.process for worker in executor._all]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda question: asked(executor, question)["value"]["outputs"][0], "abcdefgh"))
        assert set(found) <= {process.pid for process in workers}
        assert len({process.pid for process in workers}) == 2
    assert all(process.poll() is not None for process in workers)


def test_a_loop_that_is_no_name_of_the_script_is_refused_with_what_to_write():
    with pytest.raises(ConfigError, match="top-level name"):
        reference_of(Ladder().loop())
