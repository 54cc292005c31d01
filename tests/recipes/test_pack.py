"""`pack`: packings are what a slow packer makes, programs mean the same everywhere, and nobody counts for himself."""

from __future__ import annotations

import importlib.util
import json
import shutil
from bisect import bisect_right
from pathlib import Path
from typing import Any

import numpy as np
import planted
import pytest

from netgain.budget import Budget
from netgain.errors import ConfigError, SandboxError
from netgain.recipes import build_recipe
from netgain.recipes.pack import ELSEWHERE, QUESTIONS, SPANS, Pack, scored, spared
from netgain.recipes.pack.asking import NoTable, level_of, ranks_asked, way_of
from netgain.recipes.pack.edits import LARGEST, drawn, moved_table, offspring, random_tree
from netgain.recipes.pack.grammar import BEST_FIT, KINDS, SCORE, nodes, read, table_of, text_of, type_of
from netgain.recipes.pack.laws import LAWS, lists_of
from netgain.recipes.pack.packing import excess, first_fit, opened, packed, ranks_of, replayed
from netgain.recipes.pack.search import BREED, Stages, bred, exam_costs, generation_costs, tried
from netgain.records import Change, Examples, Feedback, Part, View
from netgain.verify import verify

UNIFORM, WEIBULL = LAWS["uniform"], LAWS["weibull"]
# Best fit and first fit, mean excess in per cent as printed for the same laws (Romera-Paredes et al., Nature 625
# (2024), table 1), over how many lists: known for `uniform`, taken as five and as one for `weibull`.
PRINTED = {
    ("uniform", 250): (6.06, 6.45, 20), ("uniform", 500): (5.37, 5.74, 20), ("uniform", 1000): (4.94, 5.23, 20),
    ("weibull", 5000): (3.98, 4.23, 5), ("weibull", 10000): (3.90, 4.20, 1), ("weibull", 100000): (3.79, 4.00, 1),
}  # fmt: skip
HERE = Path(__file__).parents[2]
needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bwrap: apt-get install bubblewrap")


def some_programs(count: int, law: Any, seed: int = 1) -> list[Any]:
    """Programs as the rounds make them: offspring of offspring."""
    rng, found = np.random.default_rng(seed), [BEST_FIT]
    while len(found) < count:
        found.append(offspring(found[-6:], law, rng))
    return found


def run_as_python(text: str) -> Any:
    names: dict[str, Any] = {"steps": lambda length, cuts, values: values[bisect_right(cuts, length)]}
    exec(text, names)
    return names["priority"]


# ---- programs


@pytest.mark.parametrize("law", [UNIFORM, WEIBULL])
def test_a_program_is_read_back_and_means_to_numpy_what_it_means_to_python(law: Any) -> None:
    used, rng = set(), np.random.default_rng(4)
    for tree in (*some_programs(60, law)[::6], *(random_tree(SCORE, 6, law, rng) for _ in range(8))):
        text = text_of(tree)
        assert read(text) == tree and type_of(tree) == SCORE
        used |= {node[0] for _, node in nodes(tree)}
        table, priority = table_of(tree, law), run_as_python(text)
        for item in law.sizes[::40].tolist():
            said = [float(priority(item, room - item, room)) for room in range(item, law.capacity + 1)]
            assert table[item - law.least, item:].tolist() == said, text
        assert np.isnan(table[law.sizes[:, None] > np.arange(law.capacity + 1)]).all()
    assert used == set(KINDS)


@pytest.mark.parametrize("said", [
    "open('/etc/passwd')", "__import__('os')", "gap.real", "(gap / 99)", "steps(gap, [3, 2], [1.0, 2.0, 3.0])",
    "steps(gap, [3], [1.0])", "steps(0.5, [3], [1.0, 2.0])", "gap", "(gap < 3)", "(gap + 1.0)", "(gap * gap)",
    "[1.0][0]", "(lambda: 1.0)()", "True", "1e400", "max(1.0, 2.0, 3.0)", "size / 100", "1.0\n    import os",
])  # fmt: skip
def test_what_is_not_in_the_grammar_is_not_read(said: str) -> None:
    with pytest.raises(ConfigError, match="grammar"):
        read(f"def priority(item, gap, room):\n    return {said}\n")


@pytest.mark.parametrize("text", [
    "", "1.0", "def other(item, gap, room):\n    return 1.0\n",
    "def priority(item, gap, room=open('x')):\n    return 1.0\n",
    "@open\ndef priority(item, gap, room):\n    return 1.0\n", "def priority(item, gap, room):\n    return 1.0\n1.0",
])  # fmt: skip
def test_the_text_around_is_fixed(text: str) -> None:
    with pytest.raises(ConfigError, match="grammar"):
        read(text)


def test_edits_keep_types_size_and_numbers_and_make_other_programs() -> None:
    rng = np.random.default_rng(3)
    for law in LAWS.values():
        made = [*some_programs(60, law), *(drawn(BEST_FIT, law, rng) for _ in range(30))]
        table = BEST_FIT
        made += [table := moved_table(table, law, rng) for _ in range(30)]
        assert all(read(text_of(tree)) == tree for tree in made)
        assert max(sum(1 for _ in nodes(tree)) for tree in made) <= LARGEST
        assert len(set(made)) > 0.8 * len(made)


# ---- packing


def slowly(wants: Any, items: list[int], capacity: int, least: int) -> list[int]:
    """Rooms that items go into, one bin after the other looked at."""
    bins, rooms = [capacity], []
    for item in items:
        fits = [room for room in bins if room >= item]
        room = max(sorted(fits), key=lambda one: wants[item - least][one])  # the first of equals is the fullest
        bins.remove(room)
        bins += [room - item] + ([capacity] if room == capacity else [])
        rooms.append(room)
    return rooms


@pytest.mark.parametrize("law", [UNIFORM, WEIBULL])
def test_many_lists_by_many_programs_are_what_a_slow_packer_makes_of_each(law: Any) -> None:
    tables = [table_of(tree, law) for tree in (*some_programs(30, law)[::6], ("num", 0.5))]
    lists = lists_of(law, range(3), 150)
    rooms = packed(np.stack([ranks_of(table) for table in tables]), lists, law.least)
    for table, of_table in zip(tables, rooms.tolist(), strict=True):
        for items, found in zip(lists.tolist(), of_table, strict=True):
            assert found == slowly(table, items, law.capacity, law.least)
            assert replayed(items, found, law.capacity) == found.count(law.capacity)


def test_a_batch_does_not_change_what_is_in_it() -> None:
    ranks = np.stack([ranks_of(table_of(tree, UNIFORM)) for tree in some_programs(40, UNIFORM)])
    lists = lists_of(UNIFORM, range(30), 60)
    together = packed(ranks, lists, UNIFORM.least)
    assert (together[[7, 33]] == packed(ranks[[7, 33]], lists, UNIFORM.least)).all()


def test_a_packing_is_replayed_and_not_believed() -> None:
    assert replayed([60, 80, 90], [150, 90, 150], 150) == 2
    wrong: list[Any] = [[150, 90], [150, 90, 150, 150], [150, 90, 90], [150, 150, 91], [150, 90, 10], [150, 90, 151]]
    wrong += [[150, 90, True], [150, 90, 150.0], [150, 70, 150], None, {"bins": 1}, "150", [150, 90, None]]
    for rooms in wrong:
        assert replayed([60, 80, 90], rooms, 150) is None
    asked, target = QUESTIONS["uniform", 500](7, 0)
    assert spared({"fault": "raised"}, target) == 0.0 and spared([150] * 500, target) == 0.0
    items = lists_of(UNIFORM, [asked["seed"]], 500)
    best_fit = packed(ranks_of(table_of(BEST_FIT, UNIFORM))[None], items, UNIFORM.least)[0, 0].tolist()
    share = float(excess(best_fit.count(150), items[0], 150))
    assert spared(best_fit, target) == scored(share, "uniform", 500)


def test_a_score_runs_over_its_span_and_no_further() -> None:
    good, bad = SPANS["uniform", 500]
    assert scored(good, "uniform", 500) == 1.0 == scored(0.0, "uniform", 500)
    assert scored(bad, "uniform", 500) == 0.0 == scored(0.3, "uniform", 500)
    assert scored((good + bad) / 2, "uniform", 500) == pytest.approx(0.5)
    assert scored(0.01, "weibull", 5000) == pytest.approx(0.8)


def test_first_fit_takes_the_oldest_bin() -> None:
    lists = lists_of(UNIFORM, range(4), 120)
    for items, found in zip(lists.tolist(), first_fit(lists, 150).tolist(), strict=True):
        bins: list[int] = []
        for item in items:
            at = next((place for place, room in enumerate(bins) if room >= item), len(bins))
            bins[at:] = [(bins[at] if at < len(bins) else 150) - item, *bins[at + 1 :]]
        assert found == len(bins)


def test_first_fit_keeps_a_list_that_is_too_long_for_a_table_of_its_bins() -> None:
    items = lists_of(WEIBULL, [3], 20000)
    whole, parts = int(first_fit(items, 100)[0]), int(first_fit(items.reshape(4, 5000), 100).sum())
    assert -(-int(items.sum()) // 100) < whole < parts, "bins stay open from one part to the next"


@pytest.mark.parametrize(("law", "length", "many"), [
    ("uniform", 250, 300), ("uniform", 500, 300), ("uniform", 1000, 60),
    ("weibull", 5000, 20), ("weibull", 10000, 6), ("weibull", 100000, 1),
])  # fmt: skip
def test_best_fit_and_first_fit_are_as_printed_within_the_sampling_error(law: str, length: int, many: int) -> None:
    given, lists = LAWS[law], lists_of(LAWS[law], range(many), length)
    best_printed, first_printed, lists_printed = PRINTED[law, length]
    for bins, printed in ((best_fit, best_printed), (oldest_fit, first_printed)):
        found = 100 * excess(bins(lists, given), lists, given.capacity)
        error = spread_of(bins, lists, given) * np.sqrt(1 / many + 1 / lists_printed)
        assert abs(found.mean() - printed) < 3 * error
        assert error < 0.25, "an error that lets everything pass is no test"


def spread_of(bins: Any, lists: Any, law: Any) -> float:
    """Spread of the excess of a list in per cent; of one list, from its twentieths, by the root of their number."""
    parts = lists.reshape(-1, lists.shape[1] // 20) if len(lists) == 1 else lists
    of_parts = 100 * excess(bins(parts, law), parts, law.capacity)
    return float(of_parts.std(ddof=1) * np.sqrt(parts.shape[1] / lists.shape[1]))


def oldest_fit(lists: Any, law: Any) -> Any:
    """Bins of first fit."""
    return first_fit(lists, law.capacity)


def best_fit(lists: Any, law: Any) -> Any:
    """Bins of best fit."""
    return opened(packed(ranks_of(table_of(BEST_FIT, law))[None], lists, law.least)[0], law.capacity)


def the_tool() -> Any:
    spec = importlib.util.spec_from_file_location("pack_laws", HERE / "tools" / "pack_laws.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def test_the_tool_reads_the_lists_of_a_notebook_and_runs_nothing_in_it(tmp_path: Path) -> None:
    lists = lists_of(WEIBULL, range(3), 200)
    sets = {f"x{at}": {"capacity": 100, "num_items": 200, "items": one} for at, one in enumerate(lists.tolist())}
    code = f"datasets = {{}}\ndatasets['some'] = {sets!r}\nraise SystemExit\ndatasets['none'] = made()\n"
    cells = [{"cell_type": "markdown", "source": ["datasets["]}, {"cell_type": "code", "source": [code]}]
    (tmp_path / "lists.ipynb").write_text(json.dumps({"cells": cells}))
    tool = the_tool()
    ((name, (capacity, found)),) = tool.published(tmp_path / "lists.ipynb").items()
    assert (name, capacity) == ("some", 100) and (found == lists).all()
    told, bound = (
        tool.on_published({"best fit": [text_of(BEST_FIT)]}, 100, found, "tree"),
        (-(-lists.sum(1) // 100)).sum(),
    )
    assert told["best fit"][0] == pytest.approx(best_fit(lists, WEIBULL).sum() / bound - 1)
    assert told["first fit"][0] == pytest.approx(first_fit(lists, 100).sum() / bound - 1)


def test_the_tool_prints_what_it_measured_beside_the_published_cells() -> None:
    tool = the_tool()
    text = text_of(BEST_FIT)
    found = tool.measured({"best fit": [text, text]}, "weibull", 500, 12, "tree")
    lists = lists_of(WEIBULL, range(tool.SEEDS, tool.SEEDS + 12), 500)
    assert found["best fit"].shape == (2, 12) and found["first fit"].shape == (1, 12)
    assert (found["best fit"][1] == excess(best_fit(lists, WEIBULL), lists, 100)).all()
    said = tool.lines(found, "weibull", 5000)
    assert said[0].split() == ["FunSearch,", "printed", "0.68"], "the least excess stands first"
    error = 100 * found["first fit"][0].std(ddof=1) / np.sqrt(12)
    assert f"{100 * found['first fit'].mean():6.2f} ± {error:.2f}" in "\n".join(said)
    assert "printed" not in "".join(tool.lines(found, "weibull", 500)), "no cell was printed for that length"


# ---- judging


@needs_bwrap
def test_a_sandbox_and_a_tree_give_the_same_table_and_the_level_is_told() -> None:
    for law, tree in zip(LAWS, some_programs(20, UNIFORM)[-2:], strict=True):
        assert (ranks_asked(text_of(tree), law, "sandbox") == ranks_asked(text_of(tree), law, "tree")).all()
    assert level_of("sandbox") == "bubblewrap-server, level S2" and "no program runs" in level_of("tree")
    assert way_of("auto") == way_of("sandbox") == "sandbox"


@needs_bwrap
def test_foreign_python_is_run_in_the_sandbox_only_and_its_faults_are_its_own() -> None:
    foreign = "def priority(item, gap, room):\n    import math\n    return -math.sqrt(gap)\n"
    best_fit = ranks_asked(text_of(BEST_FIT), "uniform", "tree")
    assert (ranks_asked(foreign, "uniform", "sandbox") == best_fit).all()
    with pytest.raises(NoTable):
        ranks_asked(foreign, "uniform", "tree")
    asked, target = QUESTIONS["uniform", 500](1, 0)
    for said, why in (("1 / gap", "raised"), ("None", "no numbers"), ("gap > 3", "no numbers"), ("{gap}", "untyped")):
        system = {"program": f"def priority(item, gap, room):\n    return {said}\n", "breed": []}
        (answer,) = Pack(judge="sandbox").answer(system, [asked], Budget(), None)
        assert answer["fault"] == why and spared(answer, target) == 0.0


def test_no_sandbox_means_that_nothing_runs_or_that_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise SandboxError("none here")

    monkeypatch.setattr("netgain.recipes.pack.asking._backend", missing)
    assert way_of("auto") == way_of("tree") == "tree"
    with pytest.raises(SandboxError):
        way_of("sandbox")


# ---- the search


def test_what_is_tried_costs_what_is_said_and_keeps_the_best() -> None:
    stages, good = Stages((2, 4, 8), UNIFORM, 500), ("steps", ("gap",), (7, 23), (1.0, -1.0, 0.0))
    pool = [BEST_FIT, *(("steps", ("gap",), (at,), (0.0, 1.0)) for at in range(60, 98)), good]
    found = tried(pool, stages, np.random.default_rng(1))
    assert found.placed == stages.placed_by(40) and stages.pool_for(found.placed) == 40
    assert found.best == 39 and found.means[39] < found.means[0] - 0.005
    assert tried([*reversed(pool)], stages, np.random.default_rng(1)).best == 0, "what there is stays where it is best"
    assert stages.pool_for(stages.placed_by(10)) == 0, "too little for one trial"


def test_generations_cost_what_is_said_improve_and_never_lose_what_there_is() -> None:
    stages = Stages((2, 6, 20), UNIFORM, 200)
    rng = np.random.default_rng(2)
    found = bred([BEST_FIT], lambda parents: offspring(parents, UNIFORM, rng), stages, 4, rng)
    assert found.placed == 4 * generation_costs(stages) + exam_costs(stages)
    assert len(set(found.trees)) == len(found.trees) and len(found.breed) == BREED and 0 in found.breed
    fresh = lists_of(UNIFORM, range(200), 200)
    tables = [ranks_of(table_of(found.trees[at], UNIFORM)) for at in (0, found.best)]
    before, after = excess(opened(packed(np.stack(tables), fresh, 20), 150), fresh, 150).mean(axis=1)
    assert found.gain > 0 and after < before - 0.005
    idle = bred([BEST_FIT], lambda parents: ("add", BEST_FIT, ("num", float(rng.normal()))), stages, 1, rng)
    assert idle.best == 0, "what only looks different is not served"
    assert len(idle.trees) == 40 and idle.placed == generation_costs(stages) + exam_costs(stages)


def test_a_run_on_the_weibull_law_begins_with_a_wide_generation_of_random_tables_for_the_same_spend() -> None:
    tried_by = {}
    for law in LAWS:
        rng, loop, seen = np.random.default_rng(5), Pack(law=law, judge="tree", size="tiny"), view()
        texts = loop.propose(seen).examples.labels
        rooted = [read(text) for text in texts[: len(texts) // 2]]
        stages, count = loop.stages, loop._generations(Budget())
        tried_by[law] = sum(tree[0] == "add" and tree[1] == BEST_FIT for tree in rooted)
        assert seen.budget.spent["tokens"] == count * generation_costs(stages) + exam_costs(stages)
        later = view(parent={"program": text_of(BEST_FIT), "breed": [text_of(drawn(BEST_FIT, LAWS[law], rng))]})
        assert len(loop.propose(later).examples.labels) == 2 * (2 + 38 + 28), "only the first round is wide"
    assert tried_by["weibull"] >= 89 > 60 > tried_by["uniform"]


def test_each_law_has_the_lists_that_its_claim_needs() -> None:
    uniform, weibull = (Pack(law=law, judge="tree").suite() for law in LAWS)
    assert [(suite.block, suite.axes[0].sealed_items) for suite in (uniform, weibull)] == [(150, 300), (36, 240)]
    assert weibull.axes[0].sealed_items > 219, "with fewer the plan calls the default claim out of reach"
    assert [one.name for one in weibull.axes] == ["lists", "shorter", "long_uniform"]
    asked = QUESTIONS["weibull", 5000](1, 2)[0]
    assert asked["law"] == "weibull" and asked["length"] == 5000, "the law of the sealed set is the one that was asked"


def view(**more: Any) -> View:
    system = Pack(judge="tree").start(None).system
    given: dict[str, Any] = {
        "parent": system, "improver": system, "state": None, "accepted": None, "feedback": Feedback(), "dev": (),
        "budget": Budget(), "rng": np.random.default_rng(5), "round": 1,
    }  # fmt: skip
    return View(**{**given, **more})


def test_every_proposal_spends_what_is_due_and_no_budget_changes_nothing() -> None:
    loop, first = Pack(judge="tree", size="tiny"), view()
    loop.propose(first)
    due = first.budget.spent["tokens"]
    for propose in (loop.propose, loop.random_search, loop.ordinary):
        asked, nothing = view(budget=Budget(tokens=due)), view(budget=Budget(tokens=0.0))
        change = propose(asked)
        assert asked.budget.spent["tokens"] == pytest.approx(due, rel=0.03)
        assert change.parts[0].evidence["judged"] == level_of("tree")
        still = propose(nothing)
        assert nothing.budget.spent["tokens"] == 0
        assert loop.build(nothing.parent, still, Budget(), None)["program"] == nothing.parent["program"]


def test_the_check_alone_says_what_is_served_and_bred_from() -> None:
    loop, rng = Pack(judge="tree", size="tiny"), np.random.default_rng(1)
    change = loop.propose(view())
    texts, passed = change.examples.labels, change.checks["better"]
    half = len(texts) // 2
    assert texts[:half] == texts[half:] and sum(passed[:half]) == 1 and sum(passed[half:]) == BREED
    kept = [at for at, one in enumerate(passed) if one]
    built = loop.build(view().parent, _only(change, kept), Budget(), rng)
    assert built == {"program": texts[kept[0]], "breed": [texts[at] for at in kept[1:]]}
    everything = loop.build(view().parent, change, Budget(), rng)
    assert everything["program"] == texts[half - 1] and len(everything["breed"]) == BREED, "the newest, and any"


def _only(change: Change, places: list[int]) -> Change:
    held = change.examples
    some = Examples([held.inputs[at] for at in places], [held.labels[at] for at in places])
    return Change([Part("policy", some)])


def test_rounds_and_measurements_never_draw_the_same_list() -> None:
    for (law, length), question in QUESTIONS.items():
        asked = [question(seed, index)[0] for seed in range(3) for index in range(3)]
        assert {(one["law"], one["length"]) for one in asked} == {(law, length)}
        assert all(one["seed"] >= ELSEWHERE for one in asked) and len({one["seed"] for one in asked}) == 9

    class Seeds:
        def integers(self, high: int, size: int) -> Any:
            assert high == ELSEWHERE
            return np.arange(size)

    assert Stages((2, 4, 8), UNIFORM, 100).drawn(1, Seeds()).shape == (20, 100)


@pytest.mark.parametrize("given", [{"law": "normal"}, {"size": "huge"}, {"judge": "me"}, {"laws": "uniform"}])
def test_bad_options_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        build_recipe("pack", {one: two for one, two in given.items() if one != "size"}, given.get("size", "tiny"))


def test_a_small_study_gains_over_best_fit_and_the_verifier_agrees(tmp_path: Path) -> None:
    folder = planted.run_small("pack", tmp_path, starts=2, judge="tree")
    checked = verify(folder)
    assert [one["ok"] for one in checked["checks"]] == [True] * len(checked["checks"])
    assert checked["verdict"] == "INCONCLUSIVE", "two starts decide nothing"
    reading = planted.reading_of(folder)
    own, still = reading.sealed("self"), reading.sealed("frozen")
    assert np.mean(own) > np.mean(still) + 0.02 and min(still) >= 0.0
