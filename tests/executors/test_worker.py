"""What a worker does with a task: it calls loop code, and whatever that does is a value or a failure with its place."""

import os
import sys
from io import BytesIO

import pytest

from netgain.executors.frames import receive, send
from netgain.executors.worker import Tasks, find_loop, run_task, serve
from netgain.records import Change, Examples, Part, Started
from netgain.stages import Filter, Loop
from netgain.wire import pack, unpack

SEED = "0f"


class Shout:
    """A system that is no plain value."""

    def __init__(self, text):
        self.text = text


class ShoutCodec:
    def __init__(self):
        self.decoded = 0

    def encode(self, system):
        return system.text.encode()

    def decode(self, data):
        self.decoded += 1
        return Shout(data.decode())


def loop(**functions):
    """A loop that is at rest, with the functions of a test in it."""
    rest = {"start": lambda rng: 1, "propose": lambda view: Change([]), "answer": lambda *_: []}
    return Loop(**{**rest, **functions})


def done(own, op, **task):
    return run_task(Tasks(own), {"op": op, "seed": SEED, "budget": {}, **task})


def system(value):
    data = pack(value)
    return {"digest": str(hash(data)), "data": data}


def view(**more):
    task = {"proposer": "propose", "parent": system("p"), "improver": system("i"), "state": None, "feedback": None,
            "accepted": None, "dev": [], "round": 1}  # fmt: skip
    return {**task, **more}


def test_a_start_depends_on_its_seed_alone():
    own = loop(start=lambda rng: int(rng.integers(1 << 30)))
    one, same, other = (done(own, "start", seed=seed)["value"] for seed in ("0f", "0f", "10"))
    assert one == same != other


def test_a_start_may_say_what_it_cost_and_is_unknown_otherwise():
    told = done(loop(start=lambda rng: Started(1, {"tokens": 9})), "start")
    silent = done(loop(start=lambda rng: 1), "start")
    assert told["value"] == silent["value"]
    assert (told["spent"], silent["spent"]) == ({"tokens": 9.0}, {})


def test_a_proposal_sees_what_it_was_sent():
    seen = []
    own = loop(propose=lambda view: seen.append(view) or Change([]))
    feedback = {"inputs": ["q"], "labels": ["a"], "shares": {"own": 0.5}}
    sent = {"state": pack({"length": 6}), "feedback": feedback, "accepted": False, "dev": [{"input": 1}], "round": 3}
    done(own, "propose", **view(**sent))
    (found,) = seen
    assert (found.parent, found.improver, found.state) == ("p", "i", {"length": 6})
    assert (found.accepted, found.round) == (False, 3)
    assert (found.feedback.kept, found.feedback.shares) == (Examples(["q"], ["a"]), {"own": 0.5})
    assert found.dev == [{"input": 1}]


def test_a_first_proposal_has_no_state_and_empty_feedback():
    seen = []
    done(loop(propose=lambda view: seen.append(view) or Change([])), "propose", **view())
    assert seen[0].state is None and seen[0].feedback.kept.inputs == [] and seen[0].feedback.shares == {}


def test_a_change_crosses_twice_and_is_built_from_as_it_was_made():
    made = Change(
        [
            Part("data", Examples(["q"], ["a"]), options=3, evidence={"share": 0.5}),
            Part("policy", {"k": 1}, "rule", "why"),
        ],
        state={"n": 2},
        checks={"own": [True]},
    )
    seen = []
    own = loop(propose=lambda view: made, build=lambda parent, change, budget, rng: seen.append((parent, change)) or 2)
    sent = unpack(pack(done(own, "propose", **view())["value"]["change"]))
    assert done(own, "build", parent=system("p"), change=sent)["ok"]
    parent, found = seen[0]
    assert parent == "p"
    assert found == Change(tuple(made.parts), {"n": 2}, {"own": [True]})


def test_a_payload_that_is_a_system_crosses_by_the_loops_codec():
    own = loop(propose=lambda view: Change([Part("policy", Shout("hey"))]), codec=ShoutCodec())
    plain = {"digest": "d", "data": b"x"}
    change = done(own, "propose", **view(parent=plain, improver=plain))["value"]["change"]
    assert done(own, "build", parent=plain, change=change)["value"] == {"system": b"hey"}


def test_the_truth_of_own_labels_is_told_to_the_coordinator_where_there_is_an_oracle():
    change = Change([Part("data", Examples(["a", "b"], ["a", "x"]))], checks={"own": [1, 0]})
    own = loop(propose=lambda view: change, filters=(Filter("own"),))
    assert done(own, "propose", **view())["value"]["truth"] is None
    told = loop(propose=lambda view: change, oracle=lambda inputs, labels: [label == "a" for label in labels])
    value = done(told, "propose", **view())["value"]
    assert value["truth"] == [True, False]
    assert value["change"]["checks"] == {"own": [True, False]}


@pytest.mark.parametrize(("proposer", "expected"), [
    ("propose", "propose"), ("ordinary.plain", "ordinary"), ("random_search", "random_search")
])  # fmt: skip
def test_the_function_that_was_asked_for_proposes(proposer, expected):
    called = []
    names = {name: (lambda view, name=name: called.append(name) or Change([])) for name in
             ("propose", "ordinary", "random_search")}  # fmt: skip
    done(loop(**names), "propose", **view(proposer=proposer))
    assert called == [expected]


def test_a_search_without_a_function_of_its_own_proposes_as_the_loop_does():
    called = []
    done(loop(propose=lambda view: called.append("propose") or Change([])), "propose", **view(proposer="random_search"))
    assert called == ["propose"]


def test_answers_are_as_many_as_questions():
    short = done(loop(answer=lambda *_: ["a"]), "answer", system=system(1), inputs=["q", "r"], sampled=False)
    assert (short["ok"], short["type"]) == (False, "ValueError")
    assert "1 outputs for 2 inputs" in short["message"]


def test_what_loop_code_books_comes_back_with_the_seconds():
    def answer(system, inputs, budget, rng):
        budget.spend(tokens=5)
        return inputs

    found = done(loop(answer=answer), "answer", system=system(1), inputs=["q"], sampled=False)
    assert found["spent"] == {"tokens": 5.0}
    assert found["device_seconds"] >= 0.0


def raising(*_):
    raise KeyError("notes")


LINE = raising.__code__.co_firstlineno + 1


@pytest.mark.parametrize("op", ["start", "propose", "build", "answer"])
def test_loop_code_that_raises_is_a_failure_with_file_and_line(op):
    task = {"start": {}, "propose": view(), "answer": {"system": system(1), "inputs": ["q"], "sampled": False},
            "build": {"parent": system(1), "change": {"parts": [], "state": None, "checks": {}}}}[op]  # fmt: skip
    found = done(loop(**{op: raising}), op, **task)
    assert found == {"ok": False, "type": "KeyError", "message": "'notes'", "where": f"test_worker.py:{LINE}"}


def test_loop_code_that_exits_is_a_failure_and_not_the_end_of_the_worker():
    found = done(loop(start=lambda rng: sys.exit(3)), "start")
    assert (found["ok"], found["type"]) == (False, "SystemExit")


@pytest.mark.parametrize(
    "value", [float("nan"), {"confidence": float("inf")}, {1, 2}, object()], ids=["nan", "inf", "set", "object"]
)
def test_an_answer_that_cannot_cross_is_a_failure_of_loop_code(value):
    found = done(loop(answer=lambda *_: [value]), "answer", system=system(1), inputs=["q"], sampled=False)
    assert found["ok"] is False
    assert "cannot cross" in found["message"]
    pack(found)


def test_a_proposal_that_is_no_change_is_a_failure():
    found = done(loop(propose=lambda view: {"parts": []}), "propose", **view())
    assert (found["type"], "expected a Change" in found["message"]) == ("TypeError", True)


def test_what_loop_code_does_to_a_system_in_place_is_gone_with_its_task():
    """Training code edits its parent in place; the system of that digest has to stay what it is."""

    def build(parent, change, budget, rng):
        parent.append(9)
        return parent

    tasks = Tasks(loop(build=build, answer=lambda own, inputs, budget, rng: [len(own) for _ in inputs]))
    task = {"seed": SEED, "budget": {}, "sampled": False, "inputs": ["?"], "system": system([1])}
    change = {"parts": [], "state": None, "checks": {}}
    for _ in range(2):
        built = run_task(tasks, {"op": "build", **task, "parent": system([1]), "change": change})
        assert unpack(built["value"]["system"]) == [1, 9]
        assert run_task(tasks, {"op": "answer", **task})["value"]["outputs"] == [1]


FILE = """
from netgain import records, stages
loop = stages.Loop(lambda rng: 7, lambda view: records.Change([]), lambda *given: [])

class Built:
    def __init__(self, loop):
        self.loop = loop

built = Built(loop)

def make(options, *, device):
    return Built(stages.Loop(lambda rng: [options["n"], device], loop.propose, loop.answer))

other = 3
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    return str(tmp_path / "mine.py")


@pytest.mark.parametrize(("name", "first"), [("loop", 7), ("built", 7), ("make", [5, "cpu"])])
def test_a_loop_is_found_by_file_and_name(file, name, first):
    found = find_loop(f"{file}:{name}", {"n": 5} if name == "make" else None)
    assert found.start(None) == first


def test_a_loop_is_found_in_a_module():
    assert find_loop("netgain.testing.ladder:make", {"known": 4}).gate == "advance"


def test_a_worker_answers_until_the_pipe_closes(file):
    source, sink = BytesIO(), BytesIO()
    for _ in range(2):
        send(source, {"op": "start", "seed": SEED, "budget": {}})
    serve(BytesIO(source.getvalue()), sink, {"target": f"{file}:loop", "options": None})
    sink.seek(0)
    assert receive(sink) == {"ready": os.getpid()}
    answers = [receive(sink), receive(sink), receive(sink)]
    assert [one and unpack(one["value"]["system"]) for one in answers] == [7, 7, None]


@pytest.mark.parametrize(
    ("target", "kind"),
    [("gone.py:loop", "FileNotFoundError"), ("no.such.module:loop", "ModuleNotFound"),
     ("{file}:nothing", "AttributeError"), ("{file}:other", "TypeError")],
)  # fmt: skip
def test_a_loop_that_cannot_be_loaded_fails_every_task_and_says_why(file, target, kind):
    source, sink = BytesIO(), BytesIO()
    for _ in range(2):
        send(source, {"op": "start", "seed": SEED, "budget": {}})
    serve(BytesIO(source.getvalue()), sink, {"target": target.format(file=file), "options": None})
    sink.seek(0)
    assert receive(sink) == {"ready": os.getpid()}
    for _ in range(2):
        answer = receive(sink)
        assert not answer["ok"] and kind in answer["type"]


def test_seconds_that_loop_code_books_are_added_to_those_of_its_process():
    def answer(system, inputs, budget, rng):
        budget.spend(device_seconds=5.0)  # a sandbox beside the worker, whose time the worker's clock does not see
        return [0 for _ in inputs]

    task = {"op": "answer", "system": {"digest": "", "data": pack(1)}, "inputs": [1], "seed": SEED, "sampled": False}
    done = run_task(Tasks(loop(answer=answer)), task)
    assert 5.0 <= done["device_seconds"] < 6.0
