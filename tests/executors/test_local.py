"""Real worker processes: what they are told, what they may print, and what happens when they die."""

import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from netgain.errors import ConfigError, SandboxError, StageError, WorkerDied
from netgain.executors import LocalWorkers, Reference, reference_of
from netgain.executors.local import ONE_THREAD, PASSED_ON
from netgain.poison import Deaths
from netgain.testing.ladder import Ladder
from netgain.wire import pack, unpack

FILE = '''
import gc, io, os, signal, sys, threading, time
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
        elif question == "fork":
            os.fork()
        elif question == "twice":
            from netgain.executors.frames import send
            pipes = [f for f in gc.get_objects() if isinstance(f, io.BufferedWriter) and isinstance(f.name, int)]
            pipe = next(f for f in pipes if f.name > 2)
            for number in range(5):
                send(pipe, {"ok": True, "value": {"outputs": ["first"]}, "lease": [0, 1]})
        elif question in ("hang", "stop", "detach"):
            if question == "detach" and os.fork() == 0:
                os.setsid()
                if os.fork():
                    os._exit(0)
            for number in range(1, 32):
                if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD):
                    signal.signal(number, signal.SIG_IGN)
            with open(HERE / "pids", "a") as file:
                print(os.getpid(), file=file)
            if question == "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(60)
        elif question == "die once" and not (HERE / "died").exists():
            (HERE / "died").touch()
            os._exit(9)
    return [os.getpid() for question in inputs]


loop = stages.Loop(start, lambda view: records.Change([]), answer)
kept = stages.Loop(start, lambda view: records.Change([]), answer, apart=False)
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


@pytest.fixture(scope="module")
def one_process(file):
    """A worker that does task after task in one process, which may write anywhere."""
    with LocalWorkers(Reference(f"{file}:kept"), 1) as executor:
        yield executor


def asked(executor, *questions, **more):
    system = {"digest": "d", "data": pack(None)}
    return executor.call({**ANSWER, "system": system, "inputs": list(questions), **more})


@pytest.fixture(scope="module")
def told(worker):
    """What loop code can read of its surroundings."""
    return unpack(worker.call({"op": "start", "seed": "1", "budget": {}})["value"]["system"])


def test_the_environment_of_a_worker_is_a_short_list_and_one_thread(told):
    extra = set(told["environment"]) - set(PASSED_ON) - set(ONE_THREAD)
    assert extra <= {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "LC_CTYPE"}  # the last is set by Python itself
    assert {told["environment"][name] for name in ONE_THREAD} == {"1"}


def test_variables_that_a_loop_names_are_passed_on_and_no_others(file, monkeypatch):
    monkeypatch.setenv("MY_SERVICE", "there")
    monkeypatch.setenv("MY_OTHER", "not for loops")
    with LocalWorkers(Reference(f"{file}:loop", environment=("MY_SERVICE", "MY_ABSENT")), 1) as executor:
        seen = unpack(executor.call({"op": "start", "seed": "1", "budget": {}})["value"]["system"])["environment"]
    assert seen.get("MY_SERVICE") == "there" and not {"MY_OTHER", "MY_ABSENT"} & set(seen)


def test_a_worker_is_told_how_to_find_the_loop_and_nothing_of_arm_replica_or_study(told, file):
    (argument,) = told["arguments"]
    assert json.loads(argument) == {"target": f"{file}:loop", "options": None, "device": "cpu", "given": []}
    assert told["files"] == ["home", "tmp"]
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


def test_loop_code_that_raises_is_a_stage_error_with_its_line_and_the_worker_lives_on(one_process):
    (before,) = asked(one_process, "x")["value"]["outputs"]
    with pytest.raises(StageError, match="ValueError in answer: ‹lost›") as error:
        asked(one_process, "raise")
    assert error.value.where == f"mine.py:{RAISES}"
    assert asked(one_process, "x")["value"]["outputs"] == [before]


def test_a_worker_that_died_is_replaced_for_the_next_call(one_process):
    (before,) = asked(one_process, "x")["value"]["outputs"]
    with pytest.raises(WorkerDied, match="status 9 during 'answer'"):
        asked(one_process, "die")
    (after,) = asked(one_process, "x")["value"]["outputs"]
    assert after != before


def test_a_task_on_which_a_worker_dies_twice_is_an_error_of_infrastructure_and_no_answer(worker):
    for _ in range(2):
        with pytest.raises(SandboxError, match="status 9 during 'answer'"):
            asked(worker, "die")
    assert len(asked(worker, "x")["value"]["outputs"]) == 1  # the next task gets a new worker


def test_a_task_whose_worker_dies_once_is_repeated_by_who_gave_it_out(one_process, file):
    pauses = []
    found = Deaths(sleep=pauses.append).attempt("t", {"op": "answer"}, lambda: asked(one_process, "die once"))
    assert (file.parent / "died").exists()
    assert len(found["value"]["outputs"]) == 1 and pauses == [0.1]


def test_a_worker_that_cannot_start_is_an_error_of_ours_and_no_death(file, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with LocalWorkers(Reference(f"{file}:loop"), 1) as executor, pytest.raises(SandboxError) as error:
        asked(executor, "x")
    assert not isinstance(error.value, WorkerDied)


def test_a_copy_that_loop_code_left_running_gives_no_second_result(file):
    with LocalWorkers(Reference(f"{file}:kept"), 1) as executor:
        (first,) = asked(executor, "fork")["value"]["outputs"]
        for question in "abc":
            assert asked(executor, question)["value"]["outputs"] == [first]


def test_a_result_that_is_delivered_again_is_refused_by_its_lease(file):
    with LocalWorkers(Reference(f"{file}:kept"), 1) as executor:
        assert asked(executor, "twice")["value"]["outputs"] == ["first"]
        assert asked(executor, "a")["value"]["outputs"] == [executor._all[0].pid]


@pytest.mark.parametrize("question", ["hang", "stop", "detach"])
def test_a_worker_that_gives_no_answer_in_time_is_ended_with_all_that_it_started(file, question):
    (file.parent / "pids").unlink(missing_ok=True)
    with LocalWorkers(Reference(f"{file}:kept"), 1) as executor:
        asked(executor, "x")
        began = time.monotonic()
        with pytest.raises(WorkerDied, match=r"no answer to 'answer' within 1.0 s"):
            asked(executor, question, deadline_seconds=1.0)
        assert time.monotonic() - began < 3.0
        pids = [int(one) for one in (file.parent / "pids").read_text().split()]
        assert pids and not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        assert len(asked(executor, "x")["value"]["outputs"]) == 1


def test_a_worker_that_reads_nothing_is_ended_too(file):
    with LocalWorkers(Reference(f"{file}:loop"), 1) as executor:
        asked(executor, "x")
        os.kill(executor._all[0].pid, signal.SIGSTOP)
        with pytest.raises(WorkerDied, match="no answer"):
            asked(executor, "long" * 1_000_000, deadline_seconds=0.5)  # more than a pipe holds


def test_workers_that_are_closed_while_one_answers_are_no_death(file):
    executor = LocalWorkers(Reference(f"{file}:kept"), 1)
    with executor, ThreadPoolExecutor(1) as pool:
        asked(executor, "x")
        late = pool.submit(asked, executor, "hang")
        time.sleep(0.1)
        executor.close()
        with pytest.raises(SandboxError) as error:
            late.result()
    assert not isinstance(error.value, WorkerDied)


def test_several_workers_are_several_processes_side_by_side_and_end_with_the_executor(file):
    with LocalWorkers(Reference(f"{file}:kept"), 2) as executor:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda question: asked(executor, question)["value"]["outputs"][0], "abcdefgh"))
        pids = {worker.pid for worker in executor._all} - {0}  # one that was never asked has not said its own
        keepers = [worker.process for worker in executor._all]
        assert set(found) <= pids
        assert len({keeper.pid for keeper in keepers}) == 2
    assert all(keeper.poll() is not None for keeper in keepers)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_loop_that_is_no_name_of_the_script_is_refused_with_what_to_write():
    with pytest.raises(ConfigError, match="top-level name"):
        reference_of(Ladder().loop())
