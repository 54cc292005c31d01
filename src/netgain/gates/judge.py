"""The sequential gate decision: all scores so far in, one of promote, reject, undecided, continue out.

Pure: the caller draws items after the candidate is frozen, re-measures the released system and generation 0 with it,
appends a block and asks again with everything so far. Each test is an e-process, so looking after every block costs
nothing, and a test that reached its threshold once has reached it (Ville's bound is over all times).

What is tested against what, and at which level, is in ``questions.py``. In the exact forms the release test is the one
of ``evidence/exact.py``; all others are e-processes in every form.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from netgain.evidence.betting import FloatArray, log_capital, log_capital_grid
from netgain.evidence.clusters import cluster_means, cluster_starts
from netgain.evidence.exact import SMALLEST, exact_sequential
from netgain.gates.plan import EXACT, GateMode, GatePlan
from netgain.gates.questions import Question, System, TestKind, questions

Outcome = Literal["promote", "reject", "undecided", "continue"]
TestForm = Literal["betting", "grid", "exact"]
Reason = Literal["better", "harm", "futility", "exhausted", "missing", "unreadable", "collecting", "screened"]


@dataclass(frozen=True, eq=False)
class AxisScores:
    """Item scores of the three systems on one axis, same items in the same order; (n,) in [0, 1].

    NaN (or None) is an answer that could not be scored: it is missing, never 0. ``clusters`` (n,) names what each item
    belongs to (a passage, a repository, a template), items of a cluster together: a cluster bets once.
    """

    candidate: npt.ArrayLike
    released: npt.ArrayLike
    anchor: npt.ArrayLike
    clusters: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class GateTest:
    """The state of one test: log E now and at its highest, against its threshold (natural logs).

    In form ``exact`` the two are -log p at the look that it stands at, and the threshold is -log of what may be spent
    up to there. ``pairs`` are the bets made (a cluster is one), ``asked`` the item pairs asked, ``missing`` those
    without a score on either side; ``missing_plus`` and ``missing_minus`` count the sides apart.
    """

    kind: TestKind
    axis: str
    form: TestForm
    log_e: float
    log_e_peak: float
    log_threshold: float
    pairs: int
    asked: int
    missing: int
    missing_plus: int
    missing_minus: int

    @property
    def reached(self) -> bool:
        """True when the null was rejected at some item so far."""
        return self.pairs > 0 and self.log_e_peak >= self.log_threshold


@dataclass(frozen=True, kw_only=True)
class GateDecision:
    """What the gate says about confirmation ``k``, with every number it rests on.

    ``axis`` is the axis that decided, None when none did. ``acts`` is False for a gate that only watches. ``k`` counts
    the confirmations of the run, this one included (0 for a candidate that was screened out), ``promoted`` the
    promotions among those before. ``level`` is a_k, before it is raised for items that were asked before;
    ``harm_level`` is b_k before the split over harm tests. Tests on ``waived`` axes were not asked.
    """

    outcome: Outcome
    reason: Reason
    sentence: str
    axis: str | None
    mode: GateMode
    acts: bool
    k: int
    promoted: int
    level: float
    harm_level: float
    tests: tuple[GateTest, ...]
    waived: tuple[str, ...] = ()

    @property
    def final(self) -> bool:
        """False while more pairs are wanted."""
        return self.outcome != "continue"

    def to_json(self) -> dict[str, Any]:
        """Return the decision as plain JSON values; ``from_json`` is its inverse."""
        return _plain(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """Return the decision of ``to_json``."""
        return cls(**_read(record))


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Permission to move the released pointer, issued by ``issue`` only and checked again whenever it is built or read.

    A receipt whose tests do not reach their thresholds, or that misses its release test, cannot be constructed; guards
    on ``waived`` axes are not asked. In mode ``watch`` the gate decides nothing, so the receipt says so in ``mode`` and
    carries the verdict as ``outcome``.
    It does not prove that scores are genuine: the ledger's raw scores do, re-judged by ``verify``.
    """

    plan_digest: str
    mode: GateMode
    round: int
    outcome: Outcome
    level: float
    tests: tuple[GateTest, ...]
    candidate_digest: str
    released_digest: str
    waived: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mode == "watch" and self.outcome != "continue":
            return
        needed = [test for test in _binding(self.tests, self.waived) if test.kind in ("release", "guard")]
        if self.outcome != "promote" or sum(test.kind == "release" for test in needed) != 1:
            raise ValueError(f"{self.outcome!r} of round {self.round} is no promotion: no receipt can exist for it")
        for test in needed:
            if not test.reached or test.log_threshold < math.log(1.0 / self.level) - 1e-12:
                raise ValueError(
                    f"{test.kind} on {test.axis!r} did not reach its threshold: no receipt can exist for it"
                )

    def to_json(self) -> dict[str, Any]:
        """Return the receipt as plain JSON values; ``from_json`` is its inverse."""
        return _plain(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """Return the receipt of ``to_json``, or raise when its numbers do not carry a promotion."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(record) - known):
            raise ValueError(f"receipt has unknown keys {unknown!r}")
        return cls(**_read(record))


def _plain(record: GateDecision | Receipt) -> dict[str, Any]:
    return {**vars(record), "tests": [dict(vars(test)) for test in record.tests], "waived": list(record.waived)}


def _read(record: dict[str, Any]) -> dict[str, Any]:
    tests = tuple(GateTest(**test) for test in record["tests"])
    return {**record, "tests": tests, "waived": tuple(record.get("waived", ()))}


def _binding(tests: Sequence[GateTest], waived: Sequence[str]) -> tuple[GateTest, ...]:
    """Return the tests that a decision rests on: those on waived axes are computed and recorded, and bind nothing."""
    return tuple(test for test in tests if test.axis not in waived)


def decide(
    plan: GatePlan, k: int, scores: Mapping[str, AxisScores], *, exhausted: bool = False, promoted: int = 0
) -> GateDecision:
    """Judge confirmation ``k`` on all item scores so far.

    Args:
        plan: The registered rule.
        k: Number of this confirmation, from 1; fixes its share of the error budgets.
        scores: Axis name to item scores of candidate, released and anchor (generation 0), in the order of collection;
            every look needs pairs on every axis. An axis of the plan that is absent, or holds no pair, cannot be
            computed: the decision is undecided, never a promotion.
        exhausted: No further pair can be had. Also assumed once every axis holds ``plan.max_pairs``.
        promoted: Promotions among the confirmations before; only the ledger ``e-lond`` makes use of them.

    Returns:
        The decision; ``outcome == "continue"`` asks for the next block.

    Raises:
        ValueError: A score outside [0, 1], arrays of different length, an axis that the plan does not name, a cluster
            whose items do not stand together, or ``k`` outside the declared confirmations.
    """
    collected = _collected(plan, scores, exhausted=exhausted)
    asked = questions(plan, k, promoted)
    bets = [collected.bets(question) for question in asked]
    return _decided(plan, k, promoted, collected, _answer(plan, asked, collected, bets, _capital(plan, asked, bets)))


def decide_all(plan: GatePlan, candidates: Sequence[Mapping[str, AxisScores]]) -> tuple[GateDecision, ...]:
    """Judge a run's finished confirmations at once: candidate i is confirmation i + 1, nothing more can be had.

    The capital of every test of every candidate is one array, computed in one pass; the levels, which may depend on
    earlier promotions, are applied after it. Equal to ``decide`` one by one.
    """
    sheets = [_collected(plan, scores, exhausted=True) for scores in candidates]
    asked = [questions(plan, k) for k in range(1, len(sheets) + 1)]
    bets = [[sheet.bets(one) for one in own] for sheet, own in zip(sheets, asked, strict=True)]
    flat = [one for own in asked for one in own]
    paths = _capital(plan, flat, [one for own in bets for one in own])
    decisions: list[GateDecision] = []
    for k, (sheet, own) in enumerate(zip(sheets, bets, strict=True), start=1):
        promoted = sum(one.outcome == "promote" for one in decisions)
        mine, paths = paths[: len(own)], paths[len(own) :]
        tests = _answer(plan, questions(plan, k, promoted), sheet, own, mine)
        decisions.append(_decided(plan, k, promoted, sheet, tests))
    return tuple(decisions)


def screened_out(plan: GatePlan, promoted: int, sentence: str) -> GateDecision:
    """Return the decision on a candidate that is not confirmed: no test was made, and nothing is spent."""
    return GateDecision(
        outcome="undecided", reason="screened", sentence=sentence, axis=plan.axis, mode=plan.mode, acts=plan.acts, k=0,
        promoted=promoted, level=0.0, harm_level=0.0, tests=(), waived=plan.waived,
    )  # fmt: skip


def _decided(
    plan: GatePlan, k: int, promoted: int, collected: "_Collected", tests: tuple[GateTest, ...]
) -> GateDecision:
    outcome, reason, axis, sentence = _judge(plan, _binding(tests, plan.waived), exhausted=collected.ended)
    return GateDecision(
        outcome=outcome,
        reason=reason,
        sentence=sentence,
        axis=axis,
        mode=plan.mode,
        acts=plan.acts,
        k=k,
        promoted=promoted,
        level=plan.promotion_spending.level(k, promoted),
        harm_level=plan.harm_spending.level(k),
        tests=tests,
        waived=plan.waived,
    )


def issue(plan: GatePlan, decision: GateDecision, *, candidate_digest: str, released_digest: str) -> Receipt:
    """Return the receipt of a promotion (or of a concluded look of a watching gate).

    Raises:
        ValueError: The decision is no promotion, or was made under another mode or level than the plan's.
    """
    if decision.mode != plan.mode or decision.level != _level(plan, decision):
        made = f"in mode {decision.mode!r} at level {decision.level!r}"
        raise ValueError(f"decision {decision.k} was made {made}, not under this plan")
    if decision.waived != plan.waived:
        raise ValueError(f"decision {decision.k} waived {decision.waived!r}, this plan {plan.waived!r}")
    guarded = sorted(test.axis for test in decision.tests if test.kind == "guard")
    if guarded != sorted(guard.axis for guard in plan.guards):
        raise ValueError(f"decision {decision.k} tested the guards {guarded!r}, not those of this plan")
    return Receipt(
        plan_digest=plan.digest,
        mode=decision.mode,
        round=decision.k,
        outcome=decision.outcome,
        level=decision.level,
        tests=decision.tests,
        candidate_digest=candidate_digest,
        released_digest=released_digest,
        waived=decision.waived,
    )


def _level(plan: GatePlan, decision: GateDecision) -> float | None:
    """Return the level that the plan gives a decision; None for one that is no confirmation."""
    return plan.promotion_spending.level(decision.k, decision.promoted) if decision.k else None


Ruling = tuple[Outcome, Reason, str | None, str]


def _judge(plan: GatePlan, tests: tuple[GateTest, ...], *, exhausted: bool) -> Ruling:
    """Return the first ruling that holds; missing data comes first, so that it can never promote or reject."""
    if (broken := _broken(plan, tests, exhausted=exhausted)) is not None:
        return broken
    reached = [test for test in tests if test.reached]
    required = [test for test in tests if test.kind in ("release", "guard")]
    if all(test.reached for test in required):
        return "promote", "better", plan.axis, f"{_words(required[0])}; {len(required) - 1} guards held"
    if harmed := [test for test in reached if test.kind in ("harm_step", "harm_total")]:
        return "reject", "harm", harmed[0].axis, _words(harmed[0])
    futile = [test for test in reached if test.kind == "futility" and not required[0].reached]
    if futile:
        return "reject" if plan.mode == "strict" else "undecided", "futility", plan.axis, _words(futile[0])
    open_test = next(test for test in required if not test.reached)
    if exhausted:
        return "undecided", "exhausted", open_test.axis, f"no more pairs, and {_words(open_test)}"
    return "continue", "collecting", None, _words(open_test)


def _broken(plan: GatePlan, tests: tuple[GateTest, ...], *, exhausted: bool) -> Ruling | None:
    """Return the ruling on data that cannot carry a decision: too much missing, or nothing at all at the end."""
    for test in tests:
        if test.asked and test.missing > plan.void_share * test.asked:
            share = f"{test.missing} of {test.asked} pairs of the {test.kind} test on {test.axis!r} are missing"
            sides = f"{test.missing_plus} and {test.missing_minus} by side"
            return "undecided", "missing", test.axis, f"{share} ({sides}), allowed is a share of {plan.void_share:g}"
    started = any(test.asked for test in tests)
    for test in tests:
        waits = test.asked > test.missing and not exhausted and test.form != "exact"  # for its first whole cluster
        if test.pairs == 0 and (started or exhausted) and not waits:
            return "undecided", "unreadable", test.axis, f"the {test.kind} test on {test.axis!r} has no pair to judge"
    return None


def _words(test: GateTest) -> str:
    """Return the one-line account of a test."""
    relation = "reached" if test.reached else "has not reached"
    value = f"{'-log p' if test.form == 'exact' else 'log E'} {test.log_e_peak:.2f} {relation} {test.log_threshold:.2f}"
    return f"{test.kind} on {test.axis!r}: {value} after {test.pairs} pairs"


def _columns(axis: str, scores: AxisScores) -> dict[str, FloatArray]:
    """Return the three score arrays, or raise naming what is wrong."""
    columns = {name: np.asarray(getattr(scores, name), dtype=np.float64) for name in get_args(System)}
    shapes = {name: column.shape for name, column in columns.items()}
    if len(set(shapes.values())) != 1 or columns["candidate"].ndim != 1:
        raise ValueError(f"axis {axis!r}: scores must be three arrays of one shape (n,), got {shapes!r}")
    for name, column in columns.items():
        wrong = ~np.isnan(column) & ~((column >= 0.0) & (column <= 1.0))
        if wrong.any():
            item = int(wrong.argmax())
            value = float(column[item])
            raise ValueError(f"axis {axis!r}: score {value!r} of the {name} on item {item} is outside [0, 1]")
    return columns


@dataclass(frozen=True)
class _Collected:
    """The scores so far: {axis: {system: (n,)}}, where clusters begin, and whether more can come."""

    columns: Mapping[str, Mapping[str, FloatArray]]
    starts: Mapping[str, npt.NDArray[np.intp]]
    ended: bool

    def asked(self, axis: str) -> int:
        """Item pairs asked on an axis."""
        return self.columns[axis]["candidate"].size if axis in self.columns else 0

    def differences(self, question: Question) -> FloatArray:
        """(n,) differences of the items."""
        column = self.columns.get(question.axis)
        return column[question.plus] - column[question.minus] if column else np.empty(0)

    def bets(self, question: Question) -> FloatArray:
        """The differences that are bet on: of items, or of whole clusters."""
        found = self.differences(question)
        return cluster_means(found, self.starts[question.axis]) if question.axis in self.starts else found

    def missing(self, question: Question) -> tuple[int, int, int]:
        """Pairs without a score, and of them those without one of ``plus`` and of ``minus``."""
        if question.axis not in self.columns:
            return 0, 0, 0
        plus, minus = (np.isnan(self.columns[question.axis][side]) for side in (question.plus, question.minus))
        return int((plus | minus).sum()), int(plus.sum()), int(minus.sum())


def _collected(plan: GatePlan, scores: Mapping[str, AxisScores], *, exhausted: bool) -> _Collected:
    if unknown := sorted(set(scores) - set(plan.axes)):
        raise ValueError(f"scores name the axes {unknown!r}, which the gate plan does not: it has {list(plan.axes)!r}")
    columns = {axis: _columns(axis, scores[axis]) for axis in plan.axes if axis in scores}
    full = all(axis in columns and columns[axis]["candidate"].size >= plan.max_pairs for axis in plan.axes)
    starts = {}
    for axis in columns:
        labels = scores[axis].clusters
        if labels is not None and len(labels) != columns[axis]["candidate"].size:
            raise ValueError(f"axis {axis!r}: {len(labels)} cluster names for {columns[axis]['candidate'].size} items")
        if labels is not None:
            starts[axis] = cluster_starts(labels, ended=exhausted or full)
    return _Collected(columns, starts, exhausted or full)


def _capital(plan: GatePlan, asked: Sequence[Question], bets: Sequence[FloatArray]) -> FloatArray:
    """Return the capital of every test, (tests, n), in one pass: shorter ones are padded, which bets nothing."""
    differences = np.full((len(asked), max((one.size for one in bets), default=0)), np.nan)
    for row, one in enumerate(bets):
        differences[row, : one.size] = one
    null = np.array([question.null for question in asked])
    if plan.form == "grid":
        return log_capital_grid(differences, null=null)
    return log_capital(
        differences,
        null=null,
        gain=np.array([question.gain for question in asked]),
        planned_second_moment=np.array([question.planned_second_moment for question in asked]),
    )


def _answer(
    plan: GatePlan, asked: Sequence[Question], collected: _Collected, bets: Sequence[FloatArray], paths: FloatArray
) -> tuple[GateTest, ...]:
    """Return every test on the scores so far, from the paths of its capital."""
    tests = []
    for question, bet, path in zip(asked, bets, paths, strict=True):
        missing, plus, minus = collected.missing(question)
        exact = plan.form in EXACT and question.kind == "release"
        now, peak, threshold, pairs = (
            _exact(plan, question, collected)
            if exact
            else (_last(path), _peak(path), math.log(1.0 / question.level), int((~np.isnan(bet)).sum()))
        )
        form: TestForm = "exact" if exact else "grid" if plan.form == "grid" else "betting"
        tests.append(
            GateTest(
                kind=question.kind,
                axis=question.axis,
                form=form,
                log_e=now,
                log_e_peak=peak,
                log_threshold=threshold,
                pairs=pairs,
                asked=collected.asked(question.axis),
                missing=missing,
                missing_plus=plus,
                missing_minus=minus,
            )
        )
    return tuple(tests)


def _last(path: FloatArray) -> float:
    return float(path[-1]) if path.size else 0.0


def _peak(path: FloatArray) -> float:
    return float(path.max(initial=0.0))


def _exact(plan: GatePlan, question: Question, collected: _Collected) -> tuple[float, float, float, int]:
    """Return -log p twice, its threshold and the pairs; no pairs where scores are graded: no exact test reads those.

    A graded score that nobody announced therefore leaves the decision undecided: the test cannot be computed.
    """
    d = collected.differences(question)
    present = d[~np.isnan(d)]
    if question.axis in collected.starts or not np.isin(present, (-1.0, 0.0, 1.0)).all():
        return 0.0, 0.0, math.log(1.0 / question.level), 0
    state = exact_sequential(d, looks=plan.looks, level=question.level, ended=collected.ended)
    found = 0.0 - math.log(max(state.p, SMALLEST))
    return found, found, -math.log(state.spendable), int(present.size)
