"""`verify.py` and the code that runs a study are written twice: here they are held against each other.

Where the two agree on random input, a mistake would have to be made in both.
"""

import math
import pickle
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netgain import canonical, seeding, verify
from netgain.arms import required_controls
from netgain.budget import UNITS
from netgain.case import case_of
from netgain.claim import RUNGS, Claim
from netgain.errors import ConfigError
from netgain.evidence.exposure import Exposure
from netgain.evidence.looks import default_looks, derived_looks, log_e_share, looks_of, typical_start
from netgain.evidence.means import mean_gain, sign_flip_lower
from netgain.evidence.shapley import shapley, subset_of
from netgain.evidence.student import mean_interval, t_quantile
from netgain.evidence.verdict import decide_verdict
from netgain.evidence.version import version_gain
from netgain.facts import reduce
from netgain.gates import AxisScores, GatePlan, GuardRule, decide
from netgain.gates.questions import questions
from netgain.generators import FORMS, TASKS, Strings
from netgain.ledger import Event, Stored
from netgain.ledger.merkle import Frontier
from netgain.stages import Filter, Loop
from netgain.testing.ladder import Ladder
from study_forgery import entries, ladder_study, shared

# --- shares ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 3, 4])
def test_shares_of_surfaces_are_the_same(count: int) -> None:
    rng, players = np.random.default_rng(count), [f"s{at}" for at in range(count)]
    scores = rng.random((7, 1 << count))
    scores[2, 1] = np.nan
    closed = [frozenset(players) - {*subset_of(mask, players)} for mask in range(1 << count)]
    columns = {one: [None if np.isnan(x) else float(x) for x in scores[:, at]] for at, one in enumerate(closed)}
    found, each = verify.shared_out(players, columns), shapley(scores)
    for name, column in zip([*players, "together"], [*each.T, each.sum(axis=1)], strict=True):
        ours = mean_interval(column)
        theirs = [found[name][which] for which in ("mean", "low", "high", "starts")]
        assert theirs == pytest.approx([ours.mean, ours.low, ours.high, 6], abs=1e-6)


def test_shares_without_spread_have_no_interval_and_without_scores_no_mean() -> None:
    def columns(full: list[Any]) -> dict[frozenset[str], list[Any]]:
        half = [None if one is None else one / 2 for one in full]
        return {frozenset("ab"): [0.0, 0.0], frozenset("a"): half, frozenset("b"): half, frozenset(): full}

    alike, gone = (verify.shared_out(["a", "b"], columns(full)) for full in ([0.4, 0.4], [None, None]))
    assert (alike["a"]["mean"], alike["a"]["low"], alike["a"]["starts"]) == (pytest.approx(0.2), None, 2)
    assert (gone["together"]["mean"], gone["together"]["starts"]) == (None, 0)
    assert "interval" in alike["a"]["reason"] and gone["a"]["reason"]


# --- items and bytes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("form", FORMS)
def test_items_are_the_same_ones(task: str, form: str) -> None:
    symbols = "0123456789" if task == "addition" else "abcdefg"
    source = Strings(task, (2, 4, 6), form=form, symbols=symbols, separator="=>")
    for index in range(60):
        seed = seeding.item_seed(b"k" * 32, "gate", "source", "key", index)
        item = source.draw(seed, index)
        assert verify.draw(source.spec(), seed, index) == [item["input"], item["target"]]


@pytest.mark.parametrize("size", [*range(34), 100, 1000])
def test_tree_heads_are_the_same(size: int) -> None:
    leaves = [verify.sha(str(index).encode()) for index in range(size)]
    assert verify.tree_head(leaves) == Frontier(leaves).root().hex()


def test_digests_are_the_same() -> None:
    value = {"b": [1, 2.5, None, True, "é\n"], "a": {"nested": 1e-300}}
    assert verify.digest(value) == canonical.digest(value)


# --- the gate --------------------------------------------------------------------------------------------------------


def drawn_plan(rng: random.Random) -> GatePlan:
    guards = tuple(
        GuardRule(name, rng.uniform(0.01, 0.2), rng.uniform(0.01, 0.2), rng.uniform(0.01, 0.3))
        for name in ("retention", "calibration")[: rng.randint(0, 2)]
    )
    return GatePlan(
        axis="ladder",
        mode=rng.choice(["strict", "advance", "watch"]),
        confirmations=rng.choice([None, 1, 5, 20]),
        block=20,
        max_pairs=rng.choice([60, 1000]),
        design_gain=rng.uniform(0.02, 0.3),
        planned_second_moment=rng.uniform(0.02, 0.5),
        futility_level=rng.choice([None, 0.1]),
        step_margin=rng.uniform(0.0, 0.2),
        total_margin=rng.uniform(0.0, 0.2),
        guards=guards,
        waived=tuple(sorted(guard.axis for guard in guards if rng.random() < 0.3)),
        **drawn_form(rng),
    )


def drawn_form(rng: random.Random) -> dict[str, Any]:
    form = rng.choice(["betting", "grid", "group_sequential", "fixed"])
    ledgers = [None, "spending"] if form in ("group_sequential", "fixed") else [None, "spending", "e-lond"]
    return {"form": form, "ledger": rng.choice(ledgers), "analyses": rng.choice([1, 3, 5])}


ROLES = ("candidate", "released", "anchor")


def drawn_scores(plan: GatePlan, rng: random.Random) -> dict[str, dict[str, Any]]:
    missing = rng.choice([0.0, 0.0, 0.03, 0.2])
    count, binary = rng.choice([0, 20, 40, 60]), 1.0 if plan.looks and rng.random() < 0.8 else 0.7
    clustered = rng.random() < 0.3

    def column() -> list[float | None]:
        share = rng.random()
        drawn = [float(rng.random() < share) if rng.random() < binary else rng.random() for _ in range(count)]
        return [None if rng.random() < missing else value for value in drawn]

    def clusters() -> list[str]:
        labels = sorted(rng.randint(0, max(1, count // 3)) for _ in range(count))
        return [f"c{one}" for one in labels]

    scores: dict[str, dict[str, Any]] = {axis: {role: column() for role in ROLES} for axis in plan.axes}
    return {axis: {**one, "clusters": clusters()} if clustered else one for axis, one in scores.items()}


def in_verify(plan: GatePlan, k: int, columns: dict[str, Any]) -> verify.Study:
    """A study of one decision on these scores, as the verifier sees it; the decision itself is filled in later."""
    study = verify.Study.__new__(verify.Study)
    study.record = {"contract": {"gate": {**plan.to_json(), "waived": []}}}
    study.axes = {axis: {"gate_items": plan.block, "source": {"generator": "bank"}} for axis in plan.axes}
    arm = "+".join(["self", *(f"unguarded:{axis}.gate" for axis in plan.waived)])
    study.rows = {"r0/self": {"arm": arm, "anchor": "anchor"}}
    study.kinds = defaultdict(list)
    return study


def sheets_of(k: int, columns: dict[str, Any]) -> dict[tuple[str, int, str, str], verify.Entry]:
    def sheet(role: str, roles: dict[str, Any]) -> verify.Entry:
        data = {"system": role, "key": "candidate|released", "start": 0, "values": roles[role], "status": {}}
        data |= {"clusters": roles["clusters"]} if "clusters" in roles else {}
        return verify.Entry(seq=0, run="r0/self", data=data)

    return {("r0/self", k, axis, role): sheet(role, roles) for axis, roles in columns.items() for role in ROLES}


def first_ruling(plan: GatePlan, k: int, promoted: int, columns: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Look block by block as the engine does; the decision and the scores that had been asked for."""
    size, most = len(columns[plan.axis]["candidate"]), plan.max_pairs // plan.block
    for look in range(most):
        seen = min(size, (look + 1) * plan.block)
        part = {axis: {role: column[:seen] for role, column in roles.items()} for axis, roles in columns.items()}
        scores = {
            axis: AxisScores(
                **{role: [np.nan if v is None else v for v in roles[role]] for role in ROLES},
                clusters=roles.get("clusters"),
            )
            for axis, roles in part.items()
        }
        decision = decide(plan, k, scores, exhausted=look == most - 1, promoted=promoted)
        if decision.final:
            return decision, part
    raise AssertionError("an exhausted decision is final")


def decided_before(study: verify.Study, k: int, promoted: int, rng: random.Random) -> None:
    """Earlier confirmations of the run in its log, with candidates among them that a screen had stopped."""
    outcomes = ["promote"] * promoted + ["undecided"] * (k - 1 - promoted)
    rng.shuffle(outcomes)
    history = [{"outcome": one, "reason": "better"} for one in outcomes]
    history.append({"outcome": "undecided", "reason": "screened"})
    study.kinds["gate_decision", "r0/self"] = [verify.Entry(seq=0, run="r0/self", data=one) for one in history]


@pytest.mark.parametrize("seed", range(150))
def test_decisions_are_the_same(seed: int) -> None:
    rng = random.Random(seed)
    plan = drawn_plan(rng)
    k = rng.randint(1, plan.confirmations or 9)
    promoted = rng.randint(0, k - 1)
    decision, columns = first_ruling(plan, k, promoted, drawn_scores(plan, rng))
    record = {"round": k, "candidate": "candidate", "released": "released", **decision.to_json()}
    study, sheets = in_verify(plan, k, columns), sheets_of(k, columns)
    decided_before(study, k, promoted, rng)
    entry = verify.Entry(seq=1, run="r0/self", data=record)
    assert verify._decide_again(study, entry, sheets) == ""
    for name, wrong in (("outcome", "promote" if decision.outcome != "promote" else "reject"), ("level", 0.7)):
        other = verify.Entry(seq=1, run="r0/self", data={**record, name: wrong})
        assert f"recorded {name}" in verify._decide_again(study, other, sheets)


@pytest.mark.parametrize("counts", [(0, 0, 0, 0.0), (1, 0, 0, 0.0), (9, 3, 0, 0.0), (40, 5, 30, 2.5), (0, 0, 0, 3.0)])
def test_the_rise_for_used_items_is_the_same(counts: tuple[int, int, int, float]) -> None:
    asked = Exposure(*counts)
    assert verify.used(vars(asked)) == pytest.approx(asked.log_raise, abs=1e-12)


def test_asking_on_after_a_decision_is_found() -> None:
    plan = GatePlan(axis="ladder", confirmations=1, block=20, max_pairs=100, design_gain=0.2, step_margin=0.1)
    columns = {"ladder": {"candidate": [1.0] * 100, "released": [0.0] * 100, "anchor": [0.0] * 100}}
    scores = {"ladder": AxisScores(**columns["ladder"])}
    record = {"round": 1, "candidate": "candidate", "released": "released", **decide(plan, 1, scores).to_json()}
    entry = verify.Entry(seq=1, run="r0/self", data=record)
    assert "already said promote" in verify._decide_again(in_verify(plan, 1, columns), entry, sheets_of(1, columns))


def test_every_test_of_a_plan_is_asked() -> None:
    plan = GatePlan(axis="ladder", guards=(GuardRule("retention", 0.1, 0.1),))
    assert len(questions(plan, 1)) == 7, "a new kind of test needs its twin in verify.py"


# --- the analysis of starts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sizes", [(6, 9, 12), (6,), (5, 10, 15), (1, 2, 3), (8, 12, 16), (4,), (20,), (3, 6, 9, 12), "open"]
)
@pytest.mark.parametrize("share", [0.5, 0.3, 0.8])
def test_looks_are_the_same(sizes: Any, share: float) -> None:
    theirs, ours = looks_of(sizes, share=share), verify.looks_of(sizes, share)
    assert ours == ([*theirs.sizes], [*theirs.support], [*theirs.refute])
    assert verify.chances(ours, share) == pytest.approx(theirs.levels, abs=1e-12)


def test_default_looks_are_the_derived_ones() -> None:
    assert verify.looks_of((6, 9, 12)) == ([6, 9, 12], [6, 8, 10], [0, 1, 2])
    assert default_looks() == derived_looks((6, 9, 12))


@pytest.mark.parametrize("seed", range(300))
def test_the_typical_start_is_the_same(seed: int) -> None:
    rng = random.Random(seed)
    looks = derived_looks(rng.choice([(6, 9, 12), (6,), (2, 4), (5, 10)]))
    starts = rng.randint(1, 13)
    gains = [rng.choice([None, 0.1, rng.uniform(-1, 1), rng.uniform(0, 1)]) for _ in range(starts)]
    lost = [rng.random() < 0.08 for _ in range(starts)]
    plain = [
        float("nan") if gone else -np.inf if gain is None else gain for gain, gone in zip(gains, lost, strict=True)
    ]
    theirs = typical_start(plain, delta=0.1, looks=looks, lost=lost)
    ours = verify.typical(gains, 0.1, ([*looks.sizes], [*looks.support], [*looks.refute]), lost)
    assert (ours.word, ours.look, ours.starts, ours.successes) == (
        theirs.word,
        theirs.look,
        theirs.starts,
        theirs.successes,
    )
    assert ours.numbers == {"estimate": theirs.estimate, "low": theirs.low, "high": theirs.high}
    high = looks_of((4, 9), share=0.8)
    theirs = typical_start(plain, delta=0.1, looks=high, lost=lost)
    ours = verify.typical(gains, 0.1, ([*high.sizes], [*high.support], [*high.refute]), lost, 0.8)
    assert (ours.word, ours.numbers["estimate"]) == (theirs.word, theirs.estimate)


@pytest.mark.parametrize(("k", "n", "q"), [(5, 5, 0.5), (11, 12, 0.5), (3, 9, 0.2), (0, 4, 0.7), (20, 24, 0.9)])
def test_the_open_e_value_is_the_same(k: int, n: int, q: float) -> None:
    assert math.log(verify.e_value(k, n, q)) == pytest.approx(log_e_share(k, n, share=q), abs=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 9, 10, 11, 19])
@pytest.mark.parametrize("level", [0.05, 0.025, 0.01, 0.05 / 9])
def test_quantiles_of_t_are_the_same(freedom: int, level: float) -> None:
    assert verify.t_point(level, freedom) == pytest.approx(t_quantile(1.0 - level, freedom), abs=1e-9)


@pytest.mark.parametrize("starts", [5, 10, 13, 16])
def test_bounds_by_sign_flips_are_the_same(starts: int) -> None:
    rng = random.Random(starts)
    for grid in (500, 3):  # the second has many ties
        values = [rng.randint(-grid, grid) / grid for _ in range(starts)]
        for level in (0.05, 0.05 / 3, 1e-9):
            assert verify.flips(values, level) == pytest.approx(float(sign_flip_lower(values, level)), abs=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_means_are_the_same(seed: int) -> None:
    rng = random.Random(seed)
    sizes, starts = rng.choice([(10,), (10, 12)]), rng.randint(8, 13)
    shift, level = rng.choice([-0.1, 0.05, 0.1, 0.2]), rng.choice([0.05, 0.01])
    lost = [rng.random() < 0.05 for _ in range(starts)]
    columns = {
        name: [None if rng.random() < 0.02 else round(rng.gauss(shift, 0.05), 3) for _ in range(starts)]
        for name in ("frozen", "ordinary", "placebo")[: rng.randint(1, 3)]
    }
    plain = {
        name: [np.nan if gone or one is None else one for one, gone in zip(column, lost, strict=True)]
        for name, column in columns.items()
    }
    theirs = mean_gain(plain, delta=0.1, sizes=sizes, level=level, lost=lost)
    ours = verify.means([*columns.values()], 0.1, sizes, lost, level)
    wanted = (theirs.word, theirs.look, theirs.starts, theirs.successes)
    assert (ours.word, ours.look, ours.starts, ours.successes) == wanted
    numbers = {name: getattr(theirs, name) if theirs.look else None for name in ours.numbers}
    assert verify.differs(ours.numbers, numbers, "the engine's") == ""


@pytest.mark.parametrize("seed", range(60))
def test_versions_are_the_same(seed: int) -> None:
    rng = random.Random(seed)
    better, graded = rng.choice([0.5, 0.55, 0.7]), rng.random() < 0.3

    def drawn(p: float) -> Any:
        return None if rng.random() < 0.02 else rng.betavariate(4 * p, 4 - 4 * p) if graded else int(rng.random() < p)

    own, first = ([drawn(p) for _ in range(rng.choice([0, 1, 200]) or 40)] for p in (better, 0.5))
    size, effect = min(len(own), len(first)), rng.choice([0.0, 0.0, 0.05])
    own, first = own[:size], first[:size]
    numbers = [[np.nan if one is None else one for one in column] for column in (own, first)]
    theirs, ours = version_gain(*numbers, delta=effect), verify.version(own, first, effect, 0.05)
    assert (ours.word, ours.look, ours.successes) == (theirs.word, theirs.look, theirs.wins)
    wanted = {name: getattr(theirs, name) for name in ours.numbers}
    assert verify.differs(ours.numbers, wanted, "the engine's") == ""


@pytest.mark.parametrize("surfaces", [("data", "weights"), ("policy",), ("improver", "data")])
def test_controls_of_a_rung_are_the_same(surfaces: tuple[str, ...]) -> None:
    checks = [Filter("own"), Filter("pacing", ("pace",)), Filter("other", ("filter",))][: len(surfaces) + 1]
    loop = Loop(
        start=lambda rng: 0,
        propose=lambda view: None,
        answer=lambda *a: [],
        surfaces=surfaces,
        filters=checks,  # type: ignore[arg-type,return-value]
    )
    case = verify.Case.__new__(verify.Case)
    filters = [{"name": one.name, "uses": list(one.uses)} for one in checks]
    case.study = {"surfaces": list(surfaces), "untestable": {}, "arms": [], "filters": filters}
    case.claim, case.arm, case.underspent = {"beats": []}, "self", lambda name: 0.0  # type: ignore[method-assign]
    case.uninformative = lambda name: ""  # type: ignore[method-assign]
    for rung in RUNGS[1:]:
        assert set(case.controls(rung, "", "self")[0]) == set(required_controls(rung, (), loop))


# --- whole verdicts --------------------------------------------------------------------------------------------------
ROUNDS = 5


def seeds(least: int, in_the_night: int) -> pytest.MarkDecorator:
    """At least so many random studies, in the test command and in `make nightly`."""
    return pytest.mark.parametrize("least", [least, pytest.param(in_the_night, marks=pytest.mark.nightly)])


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five rounds with the controls of R4 and the arm that the mark asks for."""
    arms = ("self", "frozen", "ordinary", "placebo", "unguarded:own.filter", "ungated")
    claim = claimed(rung="R4")
    settings = {"arms": arms, "claim": claim, "rounds": ROUNDS, "replicas": 5}
    return shared(tmp_path_factory, "base", lambda folder: ladder_study(folder, **settings))


def copied(data: Mapping[str, Any]) -> dict[str, Any]:
    """All of it, to be edited; many times as fast as `copy.deepcopy`."""
    return dict(pickle.loads(pickle.dumps(dict(data))))


def edits(events: list[Event], rng: random.Random, **analysis: Any) -> Iterator[Event]:
    """The same study with another claim, other sealed scores, spends and deciders, and starts that did not end."""
    claim = {
        "by": rng.choice([0.0, 0.05, 0.05, 0.7]),
        "rung": rng.choice(RUNGS[1:]),
        "beats": rng.choice([["frozen"], ["placebo"]]),
        "starts": rng.choice(["fresh", "fresh", "this generation 0"]),
        **analysis,
    }
    flags = {"exploratory": rng.random() < 0.05, "given_root": rng.random() < 0.1}
    shift = {"self": rng.uniform(-0.1, 0.4), "guard": rng.choice([0.0] * 3 + [-0.4]), "": rng.uniform(-0.6, 0.0)}
    gone, spend = rng.choice([0.0] * 6 + [0.01, 0.1, 1.0]), rng.choice([1.0] * 4 + [0.95, 0.5, 1.05, 1.5, None])
    agreed = rng.choice([0.0] * 7 + [0.1])
    arms = rng.choice([[], [], [], ["ungated"], ["placebo"], ["unguarded:own.filter"]])  # left out
    halted, person = rng.choice([None, None, None, "r1/self"]), rng.random() < 0.15
    alike = rng.random() < 0.1
    copies_of = rng.choice([{}, {}, {"placebo": "x", "frozen": "x"}, {"placebo": "x", "self": "x", "ungated": "x"}])
    dev, strict, restores = 10 * (rng.random() < 0.15), rng.random() < 0.3, int(rng.random() < 0.3)
    for event in events:
        data = copied(event.data)
        arm = (event.run or "/").split("/")[1].split(".")[0]
        if event.kind == "claim_registered":
            data["claim"] |= claim
            data["contract"]["suite"]["dev_items"] = dev
            data["study"]["arms"] = [name for name in data["study"]["arms"] if name not in arms]
            data["study"]["untestable"] = {"ordinary": "no menu"} if rng.random() < 0.1 else {}
            data |= flags
        if event.kind == "scores" and data["split"] == "sealed":
            kind = "guard" if data["axis"] in ("retention", "calibration") else ""
            moved = shift["guard"] * (arm == "self") if kind else shift.get(arm, shift[""])
            _rescored(data, moved + rng.uniform(-0.05, 0.05), gone if rng.random() < 0.3 else 0.0, rng)
        if event.kind == "scores" and data["split"] == "sealed" and data["axis"] == "ladder" and arm in copies_of:
            data["outputs"] = copies_of[arm] if rng.random() < 0.9 else data["outputs"]
        if event.kind == "decision" and person:
            data["decided_by"] = "person"
        if event.kind == "stage_done" and arm == "placebo" and "agreement" in data["out"].get("channel", {}):
            data["out"]["channel"]["agreement"] = agreed and data["out"]["channel"]["agreement"] + agreed
        if event.kind == "gate_decision" and strict:
            data["mode"] = "strict"
        if event.kind == "stage_done" and arm != "self" and data["row"]["build"].get("tokens"):
            data["row"]["build"]["tokens"] = spend and data["row"]["build"]["tokens"] * spend
        if alike and "row" in data and data["row"]["anchor"]:
            data["row"]["anchor"] = "0" * 64
        if event.kind == "stage_done" and arm == "self":
            data["row"] |= {"restores": restores, "stage": "judge" if event.run == halted else data["row"]["stage"]}
        yield Event(event.kind, event.run, data)


def _rescored(data: dict[str, Any], shift: float, gone: float, rng: random.Random) -> None:
    values = [min(1.0, max(0.0, (value or 0.0) + shift)) for value in data["values"]]
    drawn = {index for index in range(len(values)) if rng.random() < gone}
    data["values"] = [None if index in drawn else value for index, value in enumerate(values)]
    data["status"] = {str(index): rng.choice(["quarantined: seen", "no answer"]) for index in drawn}


def both(events: list[Event]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the verifier makes of these events, and what the engine does."""
    study = verify.Study.__new__(verify.Study)
    study.kinds, study.rows = defaultdict(list), {}
    for seq, event in enumerate(events):
        entry = verify.Entry(seq=seq, run=event.run or "", data=event.data)
        for kind in (event.kind, (event.kind, entry.run)):
            study.kinds[kind].append(entry)
        if event.run and "row" in event.data:
            study.rows[event.run] = event.data["row"]
    study.record = study.kinds["claim_registered"][0].data
    study.axes = {axis["name"]: axis for axis in study.record["contract"]["suite"]["axes"]}
    study.replicas = sorted(entry.data["replica"] for entry in study.kinds["replica_enrolled"])
    stored = [Stored(seq, "", e.kind, e.run, None, "", dict(e.data)) for seq, e in enumerate(events)]
    ours = verify.decide(study)
    theirs = decide_verdict(case_of(reduce(stored))).to_json()
    assert ours["vacuous"] == theirs["vacuous"]
    assert len(ours["limits"]) == len(theirs["limits"]), (ours["limits"], theirs["limits"])
    return {name: ours[name] for name in ours if name not in ("reasons", "limits")}, theirs


@pytest.fixture(scope="session")
def record(base: Path) -> list[Event]:
    """What a verdict rests on: the rest of the log would only have to be copied."""
    events = [Event(entry.kind, entry.run, entry.data) for entry in entries(base)]
    rest = [event for event in events if event.kind != "scores" or event.data["split"] == "sealed"]
    return [event for event in rest if event.kind != "stage_started"]


@seeds(8, 40)
def test_verdicts_are_the_same_and_of_every_word(record: list[Event], least: int) -> None:
    wanted, words = {"SUPPORTED", "SUPPORTED WITH LIMITS", "REFUTED", "INCONCLUSIVE", "INVALID"}, set()
    for seed in range(80):
        if seed >= least and words == wanted:
            break
        ours, theirs = both([*edits(record, random.Random(seed))])
        assert verify.differs(ours, theirs, f"seed {seed}: the engine's") == ""
        words.add(theirs["verdict"])
    assert words == wanted


def with_epoch(events: list[Event], at: int, unbridged: dict[str, str] | None, by: float) -> list[Event]:
    """The study with another claimed effect and an epoch that is opened before its event `at`; None: no bridge."""
    events = [Event(event.kind, event.run, copied(event.data)) for event in events]
    held: Any = next(event.data for event in events if event.kind == "claim_registered")
    held["claim"] |= {"by": by, "rung": "R1", "beats": ["frozen"]}
    opened = {"epoch": 1, "contract": held["contract"], "contract_digest": held["contract_digest"]}
    bridged = [] if unbridged is None else [Event("epoch_bridged", None, {"epoch": 1, "unbridged": unbridged})]
    return [*events[:at], Event("epoch_opened", None, opened), *bridged, *events[at:]]


def one_sided(event: Event) -> Event:
    """The event with sealed scores that no root can change: .6 for `self`, .2 for the others, alike on the guards."""
    if event.kind != "scores":
        return event
    score = 0.6 if (event.run or "").endswith("/self") and event.data["axis"] == "ladder" else 0.2
    return Event(event.kind, event.run, {**event.data, "values": [score] * len(event.data["values"]), "status": {}})


def test_verdicts_under_two_epochs_are_the_same_and_unbridged_ones_decide_nothing(record: list[Event]) -> None:
    first = next(i for i, event in enumerate(record) if event.kind == "claim_registered") + 1
    middle = next(i for i, event in enumerate(record) if event.kind == "seal_opened") // 2
    certain, found = [one_sided(event) for event in record], {}
    for by, at, unbridged in product((0.05, 0.7), (first, middle), ({}, {"axis": "why"}, None)):
        ours, theirs = both(with_epoch(certain, at, unbridged, by))
        assert verify.differs(ours, theirs, f"{by}, {at}, {unbridged}: the engine's") == ""
        found[by, at, str(unbridged)] = (theirs["verdict"], theirs["level"])
    tied = {(by, at): found[by, at, "{}"] for by in (0.05, 0.7) for at in (first, middle)}
    assert set(tied.values()) == {("SUPPORTED WITH LIMITS", 3), ("REFUTED", 3)}
    for unbridged in (str({"axis": "why"}), "None"):
        assert {found[by, middle, unbridged] for by in (0.05, 0.7)} == {("INCONCLUSIVE", 2)}
        assert {by: found[by, first, unbridged] for by in (0.05, 0.7)} == {by: tied[by, first] for by in (0.05, 0.7)}


def repeated(events: list[Event], times: int) -> list[Event]:
    """The same study with each start run so many times over, under other names."""
    starts = 1 + max(event.data["replica"] for event in events if event.kind == "replica_enrolled")
    found: list[Event] = []
    for event in events:
        copies_of = times if event.run or event.kind == "replica_enrolled" else 1
        for more in range(copies_of):
            data, run = copied(event.data), event.run
            if run is not None:
                replica, _, rest = run[1:].partition("/")
                run = f"r{int(replica) + more * starts}/{rest}"
            if "row" in data:
                data["row"]["replica"] += more * starts
                data["row"]["anchor"] = data["row"]["anchor"] and f"{more}{data['row']['anchor'][1:]}"
                data["row"]["released"] = data["row"]["released"] and f"{more}{data['row']['released'][1:]}"
                data["row"]["working"] = data["row"]["working"] and f"{more}{data['row']['working'][1:]}"
            if event.kind == "replica_enrolled":
                data["replica"] += more * starts
            found.append(Event(event.kind, run, data))
    return found


@pytest.mark.parametrize(
    ("analysis", "times"),
    [
        ({"analysis": "mean", "looks": [10]}, 2),
        ({"looks": "open"}, 2),
        ({"looks": [4, 5], "share": 0.4}, 1),
    ],
    ids=["mean", "open", "share"],
)
@seeds(6, 30)
def test_verdicts_of_other_analyses_are_the_same(
    record: list[Event], analysis: dict[str, Any], times: int, least: int
) -> None:
    events, words = repeated(record, times), set()
    for seed in range(80):
        if seed >= least and len(words) > 2:
            break
        ours, theirs = both([*edits(events, random.Random(seed), **analysis)])
        assert verify.differs(ours, theirs, f"seed {seed}: the engine's") == ""
        words.add(theirs["verdict"])
    assert len(words) > 2


def test_verdicts_about_a_version_are_the_same(record: list[Event]) -> None:
    one = [event for event in record if not (event.run or "r0/").startswith(("r1/", "r2/", "r3/", "r4/"))]
    one = [event for event in one if event.kind != "replica_enrolled" or event.data["replica"] == 0]
    about, words = {"about": "version", "rung": "R1", "beats": ["frozen"]}, set()
    for seed in range(12):
        ours, theirs = both([*edits(one, random.Random(seed), **about)])
        assert verify.differs(ours, theirs, f"seed {seed}: the engine's") == ""
        words.add(theirs["verdict"])
        assert theirs["verdict"] == "INVALID" or "says nothing about the loop" in theirs["reasons"][-1]
    assert len(words) > 2


@pytest.mark.parametrize("share", [1.0, 1.05, 1.2])
def test_verdicts_are_the_same_when_a_control_spends_more(record: list[Event], share: float) -> None:
    """A control that is level with the loop refutes the claim, unless it was given over a tenth more."""
    events = []
    for event in record:
        data = copied(event.data)
        arm = (event.run or "/").split("/")[1].split(".")[0]
        if event.kind == "scores" and arm in ("self", "placebo"):
            data["values"], data["status"] = [1] * len(data["values"]), {}
        build = data.get("row", {}).get("build")
        if event.kind == "stage_done" and arm == "placebo" and build:
            data["row"]["build"] = {unit: amount and share * amount for unit, amount in build.items()}
        events.append(Event(event.kind, event.run, data))
    ours, theirs = both(events)
    assert verify.differs(ours, theirs, "the engine's") == ""
    assert theirs["verdict"] == ("INCONCLUSIVE" if share > 1.1 else "REFUTED")
    assert any("% more than `self`" in reason for reason in theirs["reasons"]) == (share > 1.0)


@pytest.mark.parametrize("share", [1.0, 0.97, 0.93, 0.8, 0.5])
def test_verdicts_are_the_same_when_a_control_spends_less(record: list[Event], share: float) -> None:
    events = list(record)
    for place, event in enumerate(events):
        build = event.data.get("row", {}).get("build", {})
        if event.kind == "stage_done" and (event.run or "").endswith("/placebo") and build:
            changed = {"build": {unit: amount and share * amount for unit, amount in build.items()}}
            events[place] = Event(event.kind, event.run, {**event.data, "row": {**event.data["row"], **changed}})
    ours, theirs = both(events)
    assert verify.differs(ours, theirs, "the engine's") == ""
    assert any("placebo" in reason for reason in theirs["reasons"]) == (share < 0.98)


def claimed(**changes: Any) -> Claim:
    return Claim("ladder", **{"by": 0.05, "rung": "R1", "looks": (5,), **changes})


# Roots are drawn anew for each study, as they must be: a code is asserted only where no luck can change it.
STUDIES: dict[str, tuple[dict[str, Any], set[int]]] = {
    "an effect that is not there": ({"claim": claimed(by=0.9)}, {3}),
    "a loop that learns nothing": ({"options": {"gain": 0.0}, "claim": claimed(by=0.3)}, {3}),
    "a root given by the claimant": ({"root": "ab" * 32}, {4}),
    "an exploratory study": ({"exploratory": True}, {4}),
    "too few starts": ({"replicas": 2}, {4}),
    "controls of the rung not run": ({"claim": claimed(rung="R2")}, {4}),
    "plain training as the claimed arm": ({"claim": claimed(by=0.3, arm="ordinary")}, {3}),
    "a strict gate": ({"claim": claimed(mode="strict"), "rounds": 2}, {0, 4}),
}


@pytest.mark.parametrize("name", STUDIES)
def test_studies_of_every_kind_are_verified(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings, codes = STUDIES[name]
    folder = ladder_study(tmp_path / "study", **{"rounds": 1, **settings})
    code = verify.main([str(folder)])
    assert "FAIL" not in capsys.readouterr().out
    assert code in codes


def test_an_extended_study_is_verified_at_both_looks(tmp_path: Path) -> None:
    claim = claimed(looks=(2, 4))
    folder = ladder_study(tmp_path / "study", claim=claim, replicas=2)
    first = verify.verify(folder)
    shutil.copytree(folder, tmp_path / "before")
    ladder_study(folder, claim=claim, replicas=2, extend=True)
    second = verify.verify(folder)
    assert [check["ok"] for check in first["checks"] + second["checks"]] == [True] * 2 * len(verify.CHECKS)
    assert (first["effect"]["n"], second["effect"]["n"]) == (2, 4)
    with pytest.raises(ConfigError, match="no registered look is left"):
        ladder_study(folder, claim=claim, replicas=2, extend=True)


# --- R6 and R7 -------------------------------------------------------------------------------------------------------
CONTROLS = ("flat", "one_step", "stacked")


def with_moves(record: list[Event], rng: random.Random) -> Iterator[Event]:
    """The same study with the controls of R7 and improvers that were moved, with scores drawn around known ones."""
    rung, margin = rng.choice(["R5", "R6", "R7"]), rng.choice([0.0, 0.05, 0.2])
    missing = rng.choice(["", "", "", "the loop has no `transplant`"])
    stacked = rng.choice([-0.6, -0.6, 0.5])
    for event in record:
        data, arm = copied(event.data), (event.run or "/").split("/")[1]
        if event.kind == "claim_registered":
            data["claim"] |= {"rung": rung, "by": 0.0, "transplant_by": margin}
            data["study"]["arms"] += CONTROLS
            data["study"]["transplant"] = {"starts": 2, "missing": missing}
            data["study"]["required"] = {one: list(required_controls(one, (), Ladder().loop())) for one in RUNGS[1:]}
        if event.kind == "scores" and arm.partition(".")[0] in ("frozen", "placebo", "ordinary", "unguarded:own"):
            _rescored(data, -0.6, 0.0, rng)
        if event.kind == "scores" and arm == "self" and data["axis"] == "ladder" and data["role"] == "served":
            _rescored(data, 0.4, 0.0, rng)
        yield Event(event.kind, event.run, data)
        for control in CONTROLS if arm == "placebo" else ():
            theirs = copied(data)
            if event.kind == "scores":
                _rescored(theirs, stacked if control == "stacked" else -0.6, 0.0, rng)
            if "row" in theirs:
                theirs["row"]["arm"] = control
            yield Event(event.kind, (event.run or "").replace("placebo", control), theirs)
    if not missing:
        yield from _moves(rng)


def _moves(rng: random.Random) -> Iterator[Event]:
    curve = rng.choice([(0.7, 0.25, 0.1), (0.7, 0.65, 0.1), (0.5, 0.2, 0.03), (0.1, 0.1, 0.1)])
    nulls = {"drifted": rng.choice([0.05, 0.9]), "shuffled": rng.choice([0.1, 0.1, 0.8])}
    worth = dict(zip(("last", "half", "first"), curve, strict=True)) | nulls
    gone, given = rng.choice([0.0, 0.01, 0.1]), rng.choice([100.0] * 10 + [95.0, 70.0, None])
    alike = rng.choice([0, 0, 0, 2, 3, 4, 5])  # starts whose placebo kept no change
    for replica, arm in ((r, arm) for r in range(5) for arm in ("self", "ungated")):
        for improver, start in ((name, one) for name in worth for one in (replica + 1, replica + 2)):
            failed = rng.random() < 0.01
            system = "first" if improver == "shuffled" and replica < alike else improver
            place = {"improver": improver, "improver_system": system, "start": start % 5, "round": ROUNDS,
                     "system": None if failed else "s"}  # fmt: skip
            spend = {**dict.fromkeys(UNITS), "tokens": given if improver == "drifted" else 100.0, "device_seconds": 1.0}
            yield Event("transplanted", f"r{replica}/{arm}", {**place, "spend": {"transplant": spend}})
            values = [float(i < 60 * worth[improver]) for i in range(60)]
            data = {"split": "transplant", "axis": "ladder", "role": f"{improver}|{start % 5}", "values": values,
                    "status": {}, "outputs": "o", "round": ROUNDS}  # fmt: skip
            if not failed:
                _rescored(data, 0.0, gone if rng.random() < 0.3 else 0.0, rng)
                yield Event("scores", f"r{replica}/{arm}", data)


@seeds(10, 60)
def test_the_rungs_of_the_improver_are_the_same(record: list[Event], least: int) -> None:
    rungs = set()
    for seed in range(120):
        if seed >= least and {"R5", "R6", "R7"} <= rungs:
            break
        ours, theirs = both([*with_moves(record, random.Random(seed))])
        assert verify.differs(ours, theirs, f"seed {seed}: the engine's") == ""
        rungs.add(theirs["rung"])
    assert {"R5", "R6", "R7"} <= rungs


def test_a_study_with_open_looks_goes_on_one_start_at_a_time(tmp_path: Path) -> None:
    """Four starts cannot decide by the e-process, the fifth can."""
    claim = claimed(looks="open")
    settings = {"arms": ("self", "frozen"), "claim": claim, "replicas": 4, "rounds": 1}
    folder = ladder_study(tmp_path / "study", **settings)
    first = verify.verify(folder)
    ladder_study(folder, **settings, extend=True)
    second = verify.verify(folder)
    assert [check["ok"] for check in first["checks"] + second["checks"]] == [True] * 2 * len(verify.CHECKS)
    assert (first["verdict"], first["effect"]["n"]) == ("INCONCLUSIVE", 4)
    assert (second["effect"]["n"], second["effect"]["confidence"] > 0.9) == (5, True)
