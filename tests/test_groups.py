"""A cluster taken together: its worst item, or the share of its answers that agree; a gap leaves it without a value."""

import random
from itertools import pairwise
from pathlib import Path

import pytest

from netgain.canonical import digest
from netgain.evaluation import Asking, averaged, evaluate
from netgain.groups import ALONE, Single, pooled, taken
from netgain.items import Block
from netgain.jobs import Jobs
from netgain.records import Change
from netgain.stages import Loop
from netgain.stores import ObjectStore
from netgain.suite import NO_ANSWER, axis
from netgain.testing.inprocess import InProcess
from netgain.wire import pack


def single(values, answers=None, **status):
    told = tuple(status.get(f"_{i}", "" if one is not None else "broken") for i, one in enumerate(values))
    return Single(tuple(values), told, tuple(answers or map(str, range(len(values)))))


def test_the_worst_item_speaks_for_its_cluster():
    values, status = taken("worst", single([1.0, 0.4, 1.0, 1.0, 0.0]), ["a", "a", "b", "b", "c"])
    assert values == [0.4, 0.4, 1.0, 1.0, 0.0]
    assert status == {}


def test_agreement_is_the_share_of_the_commonest_answer_whatever_is_right():
    answers = ["x", "y", "y", "z", "z", "z", "z"]
    values, _ = taken("agree", single([0.0] * 7, answers), ["a", "a", "a", "b", "b", "b", "b"])
    assert values == [0.666667] * 3 + [1.0] * 4


def test_one_answer_alone_has_no_agreement():
    values, status = taken("agree", single([1.0, 1.0, 1.0]), ["a", "a", "b"])
    assert values[2] is None and status == {"2": ALONE}


@pytest.mark.parametrize("rule", ["worst", "agree"])
def test_an_item_without_a_score_leaves_its_cluster_without_and_no_other(rule):
    values, status = taken(rule, single([1.0, None, 1.0, 1.0], list("xxxx")), ["a", "a", "b", "b"])
    assert values == [None, None, 1.0, 1.0]  # not the worst, or the share, of what is there
    assert status == {"0": "broken", "1": "broken"}


def test_of_several_reasons_training_comes_first_then_silence_then_our_own_errors():
    trained = "quarantined: the run trained on this question"
    three = single([None, None, None], _0="broken", _1=NO_ANSWER, _2=trained)
    assert set(taken("worst", three, ["a"] * 3)[1].values()) == {trained}
    two = single([None, None, 1.0], _0="broken", _1=NO_ANSWER)
    assert set(taken("worst", two, ["a"] * 3)[1].values()) == {NO_ANSWER}


def test_without_clusters_every_item_is_its_own():
    assert taken("worst", single([1.0, 0.0]), None)[0] == [1.0, 0.0]


def test_draws_are_pooled_inside_the_item():
    assert pooled([([1.0, 0.0], {}), ([0.0, None], {"1": "broken"})]) == ([0.5, None], {"1": "broken"})


# --- Where systems are asked -----------------------------------------------------------------------------------------
def answer(system, inputs, budget, rng):
    return [None if text == "silent" else {"answer": text[:1], "confidence": 0.5} for text in inputs]


def sheets(folder, of, items, cuts):
    """Sheets of one system over consecutive blocks of items."""
    store = ObjectStore(folder)
    jobs = Jobs(InProcess(Loop(lambda rng: "s", lambda view: Change([]), answer)), store)
    systems = {"released": store.put(pack("s"))}
    edges = [0, *cuts, len(items)]
    for start, end in pairwise(edges):
        block = Block("gate", of.source_key, "k", start, tuple(items[start:end]))
        yield evaluate(jobs, [of], {of.name: block}, systems, Asking(0, "1f"))[0][0]


def clustered(count, size, rng):
    texts = [rng.choice(["ax"] * 5 + ["bx", "cx"]) for _ in range(count)]
    return [{"input": f"{text}{i}", "target": "a", "cluster": i // size} for i, text in enumerate(texts)]


@pytest.mark.parametrize("rule", ["worst", "agree"])
@pytest.mark.parametrize("cuts", [[4], [3, 7], [1, 2, 3, 11]])
def test_a_cluster_that_two_blocks_cut_is_taken_together_as_in_one_block(tmp_path: Path, rule, cuts):
    items = clustered(12, 4, random.Random(7))
    of = axis("a", items, group=rule)
    whole = next(sheets(tmp_path, of, items, []))
    first, *rest = sheets(tmp_path, of, items, cuts)
    for later in rest:
        first = first.then(later)
    assert first.values == whole.values and dict(first.status) == dict(whole.status)
    assert len(set(whole.values)) > 1
    twice = averaged([whole, whole]).then(averaged([whole, whole]))
    assert twice.values == whole.values * 2


def test_the_values_of_a_cluster_are_equal_and_silence_takes_all_of_it(tmp_path: Path):
    items = [
        {"input": text, "target": "a", "cluster": of} for text, of in (("a1", 0), ("b1", 0), ("a2", 1), ("silent", 1))
    ]
    (sheet,) = sheets(tmp_path, axis("a", items, group="worst"), items, [])
    assert sheet.values == (0.0, 0.0, None, None)
    assert sheet.status == {"2": NO_ANSWER, "3": NO_ANSWER}
    (own,) = sheets(tmp_path, axis("a", items), items, [])
    assert own.values == (1.0, 0.0, 1.0, None)  # the same answers, item by item
    assert own.outputs == sheet.outputs == digest(answer(None, [one["input"] for one in items], None, None))


# --- Two scorers -----------------------------------------------------------------------------------------------------
def lenient(output, target):
    """Wrong about answers "b"."""
    return float(output["answer"] in ("a", "b"))


def broken(output, target):
    raise TimeoutError("grader is busy")


def scored_twice(folder, texts, **options):
    items = [{"input": text, "target": "a"} for text in texts]
    (sheet,) = sheets(folder, axis("a", items, **options), items, [])
    return sheet


def test_scorers_that_disagree_on_more_than_their_share_leave_those_items_without_a_score(tmp_path: Path):
    texts = ["a1", "a2", "a3", "b1", "c1", "a4", "a5", "a6", "a7", "a8"]
    sheet = scored_twice(tmp_path, texts, second=lenient, disagree=0.05)
    assert sheet.values == (1, 1, 1, None, 0, 1, 1, 1, 1, 1)
    assert sheet.status == {"3": "scorers disagree: 0 and 1"}
    allowed = scored_twice(tmp_path, texts, second=lenient, disagree=0.1)
    assert allowed.values[3] == 0.0 and not allowed.status  # one in ten is not more than .1: the first scorer holds


def test_a_second_scorer_that_fails_leaves_the_item_without_a_score(tmp_path: Path):
    sheet = scored_twice(tmp_path, ["a1", "silent"], second=broken)
    assert sheet.values == (None, None)
    assert sheet.status["0"].startswith("second scorer: metric 'broken' raised TimeoutError")
    assert sheet.status["1"] == NO_ANSWER  # said once, in the words that silence has everywhere


def test_scorers_that_agree_change_nothing(tmp_path: Path):
    plain, twice = (scored_twice(tmp_path, ["a1", "c1"], **more) for more in ({}, {"second": lenient}))
    assert plain.values == twice.values == (1.0, 0.0)
