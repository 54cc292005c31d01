"""A task finds nothing that an earlier task left, whatever loop code tries: every place that it can reach is tried."""

import os
from pathlib import Path

import pytest

from netgain.errors import StageError, WorkerDied
from netgain.executors import LocalWorkers, Reference, apart, worker
from netgain.executors.apart import own_folder
from netgain.executors.fence import version
from netgain.wire import pack, unpack

FILE = """
import os, signal, socket, sys, tempfile, time
from pathlib import Path
from netgain import records, stages

HERE = Path(__file__).parent
NOTES = []


def shelf(name):
    return {
        "working directory": Path("note"), "home": Path.home() / "note",
        "temporary files": Path(tempfile.gettempdir()) / "note",
        "beside the loop": HERE / "note", "shared memory": Path("/dev/shm/netgain-test-note"), "above": Path("../note"),
        "var": Path("/var/tmp/netgain-test-note"),
    }[name]


def listening():
    with socket.socket(socket.AF_UNIX) as other:
        return other.connect_ex("\\0netgain-test-note") == 0


def leave(name):
    if name == "module":
        NOTES.append(1)
    elif name == "builtins":
        sys.modules["note"] = sys
    elif name == "environment":
        os.environ["NOTE"] = "1"
    elif name == "signals":
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    elif name == "folder that is closed":
        os.makedirs("deep/note")
        os.chmod("deep/note", 0)
        os.chmod("deep", 0)
    elif name == "process":
        ready, told = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            with socket.socket(socket.AF_UNIX) as own:
                own.bind("\\0netgain-test-note")
                own.listen()
                os.write(told, b"1")
                time.sleep(60)
        os.read(ready, 1)
        assert listening()
    else:
        shelf(name).write_text("x")


def found(name):
    if name == "module":
        return bool(NOTES)
    if name == "builtins":
        return "note" in sys.modules
    if name == "environment":
        return "NOTE" in os.environ
    if name == "signals":
        return signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
    if name == "folder that is closed":
        return os.path.exists("deep") or len(os.listdir("..")) > 1
    return listening() if name == "process" else shelf(name).exists()


def answer(system, inputs, budget, rng):
    told = []
    for what, name in inputs:
        if what == "leave":
            try:
                leave(name)
                told.append("left")
            except PermissionError:
                told.append("refused")
        elif what == "found":
            told.append(found(name))
        elif what == "end":
            os.kill(os.getppid(), 9)
        elif what == "quit":
            os._exit(0)
        elif what == "write elsewhere":
            (HERE / "log").touch()
        elif what == "surroundings":
            told.append([os.getcwd(), dict(os.environ), sorted(os.listdir(".")), os.getpid()])
    return told


loop = stages.Loop(lambda rng: 1, lambda view: records.Change([]), answer)
kept = stages.Loop(lambda rng: 1, lambda view: records.Change([]), answer, apart=False)
"""
IN_MEMORY = ("module", "builtins", "environment", "signals", "process")
IN_FOLDERS = ("working directory", "home", "temporary files", "folder that is closed", "above")
OUTSIDE = ("beside the loop", "shared memory", "var")
fences = pytest.mark.skipif(not version(), reason="no Landlock in this kernel")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("noting") / "noting.py"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def workers(file):
    with LocalWorkers(Reference(f"{file}:loop"), 1) as executor:
        yield executor


def asked(executor, *questions):
    task = {"op": "answer", "seed": "1", "budget": {}, "sampled": False, "inputs": [list(one) for one in questions]}
    return executor.call({**task, "system": {"digest": "d", "data": pack(None)}})["value"]["outputs"]


@pytest.mark.parametrize("place", [*IN_MEMORY, *IN_FOLDERS])
def test_what_a_task_leaves_no_later_task_finds(workers, place):
    left, there = asked(workers, ("leave", place), ("found", place))
    assert (left, there) == ("left", True) or (place, left) == ("above", "refused")
    assert asked(workers, ("found", place)) == [False]


@fences
@pytest.mark.parametrize("place", OUTSIDE)
def test_a_task_can_leave_nothing_outside_its_folder(workers, place):
    assert asked(workers, ("leave", place), ("found", place)) == ["refused", False]


@fences
def test_a_loop_that_writes_elsewhere_is_told_where_it_may(workers):
    with pytest.raises(StageError, match="its own folder only, and a loop that judges programs says so"):
        asked(workers, ("write elsewhere", ""))


@fences
def test_a_task_cannot_end_who_does_the_next_one(workers):
    with pytest.raises(StageError, match="PermissionError"):
        asked(workers, ("end", ""))
    assert asked(workers, ("found", "module")) == [False]


def test_a_task_that_ends_its_process_as_if_it_were_done_is_no_answer_that_is_waited_for(file):
    with LocalWorkers(Reference(f"{file}:loop"), 1) as executor, pytest.raises(WorkerDied):
        asked(executor, ("quit", ""))


def test_the_surroundings_of_two_tasks_differ_by_random_names_only(workers):
    """Folders are named by chance and processes by the system: neither says how many tasks came before, nor whose."""
    one, other = (asked(workers, ("surroundings", ""))[0] for _ in range(2))
    for folder, environment, *_ in (one, other):
        assert len(Path(folder).name) == 16 and environment["HOME"] == f"{folder}/home"
        assert environment["TMPDIR"] == f"{folder}/tmp"
    named = [{name: value.replace(folder, "") for name, value in environment.items()}
             for folder, environment, *_ in (one, other)]  # fmt: skip
    assert named[0] == named[1] and one[2] == other[2] == ["home", "tmp"] and one[0] != other[0]
    assert Path(one[0]).parent == Path(other[0]).parent and not Path(one[0]).exists()


def test_variables_that_a_loop_names_keep_their_value(file, monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere/else")
    with LocalWorkers(Reference(f"{file}:loop", environment=("HOME",)), 1) as executor:
        ((folder, environment, *_),) = asked(executor, ("surroundings", ""))
    assert environment["HOME"] == "/somewhere/else" and environment["TMPDIR"] == f"{folder}/tmp"


def test_a_loop_that_asks_for_one_process_keeps_its_memory_and_still_has_folders_of_its_own(file):
    with LocalWorkers(Reference(f"{file}:kept"), 1) as executor:
        asked(executor, ("leave", "module"), ("leave", "home"), ("leave", "temporary files"))
        found = asked(executor, ("found", "module"), ("found", "home"), ("found", "temporary files"))
    assert found == [True, False, False]


def test_what_cannot_be_emptied_is_an_error_and_not_left_for_the_next_task(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(apart.shutil, "rmtree", lambda *_, ignore_errors=False: None if ignore_errors else 1 / 0)
    with pytest.raises(ZeroDivisionError), own_folder():
        pass


def test_an_accelerator_is_not_copied():
    assert not apart.can_copy("cuda") and apart.can_copy("cpu") == (os.uname().sysname == "Linux")
    assert worker.can_copy is apart.can_copy


def test_arrays_come_back_from_a_copy_as_they_are(tmp_path):
    import numpy as np

    path = tmp_path / "big.py"
    path.write_text("import numpy as np\nfrom netgain import records, stages\n"
                    "loop = stages.Loop(lambda rng: {'w': rng.random(300_000)}, lambda view: records.Change([]),"
                    " lambda *_: [])\n")  # fmt: skip
    with LocalWorkers(Reference(f"{path}:loop"), 1) as executor:
        made = unpack(executor.call({"op": "start", "seed": "1", "budget": {}})["value"]["system"])
    assert np.array_equal(made["w"], np.random.Generator(np.random.Philox(key=1)).random(300_000))
