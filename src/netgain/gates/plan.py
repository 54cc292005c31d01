"""The registered rule of a gate: everything a gate decision depends on except the scores."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, Self, get_args

from netgain import canonical
from netgain.errors import ConfigError
from netgain.evidence.exact import scheduled_looks
from netgain.evidence.spending import ErrorLedger, Spending

GateMode = Literal["strict", "advance", "watch"]
GateForm = Literal["betting", "grid", "group_sequential", "fixed"]
GateShow = Literal["ladder"]
EXACT = ("group_sequential", "fixed")
LARGEST_GRID_MARGIN = 0.5  # the largest fixed bet, .64, must leave capital at every null
_SHOWN = ("show", "show_step")  # written where they are set: plans without them keep their digests
LARGEST_RAISE = 600.0  # nats; a level of exp(-600) is still a number


@dataclass(frozen=True, kw_only=True)
class GateOptions:
    """What a study file may choose of its gate, before data.

    Attributes:
        form: how the release test is made; see `GatePlan`.
        ledger: how the error budget is shared out over confirmations (`netgain.evidence.spending`).
        analyses: scheduled looks of form `group_sequential`.
        screen_items: development items on which a candidate is screened before it may be confirmed; 0: no screen.
        screen_z: standard errors above the released system that the screen asks for.
        draws: answers per item and system, averaged inside the item.
        show: "ladder" tells the loop the largest gain over generation 0 at the gate so far, in steps; None: no number.
        show_step: width of a step, in score units; None: 1/sqrt(pairs that a decision may use).
    """

    form: GateForm = "betting"
    ledger: ErrorLedger = "uniform"
    analyses: int = 5
    screen_items: int = 0
    screen_z: float = 1.0
    draws: int = 1
    show: GateShow | None = None
    show_step: float | None = None


@dataclass(frozen=True)
class GuardRule:
    """One guard axis: how much of it may be lost, in score points of [0, 1], higher is better.

    ``step_margin``: loss against the released system that counts as harm (mode advance, and early rejection in strict).
    ``total_margin``: loss against frozen generation 0 that no promotion may exceed.
    ``planned_second_moment``: expected squared paired difference (discordance for 0/1 scores), in (0, 1].
    ``log_raise``: nats by which its threshold is raised, because its items were asked before.
    """

    axis: str
    step_margin: float
    total_margin: float
    planned_second_moment: float = 0.05
    log_raise: float = 0.0

    def __post_init__(self) -> None:
        _check_range(f"guard {self.axis!r}: step_margin", self.step_margin, 0.0, 1.0)
        _check_range(f"guard {self.axis!r}: total_margin", self.total_margin, 0.0, 1.0)
        _check_second_moment(f"guard {self.axis!r}: planned_second_moment", self.planned_second_moment)
        _check_raise(self.axis, self.log_raise)


@dataclass(frozen=True, kw_only=True)
class GatePlan:
    """The gate of one run, part of its claim.

    Attributes:
        axis: The gate axis: registered, fixed over rounds, higher is better, scores in [0, 1].
        mode: ``strict`` promotes on evidence, rejects on shown harm or futility; ``advance`` rejects (working returns
            to released) on shown harm only; ``watch`` computes what ``advance`` would and acts on nothing.
        level: P(any false promotion in the run) <= level.
        harm_level: P(any false harm verdict in the run) <= harm_level.
        confirmations: Declared number K of decisions; None is an open-ended run with decreasing levels.
        block: Pairs that the caller adds between two looks.
        max_pairs: Pairs per axis after which an open decision ends as undecided.
        design_gain: Gain on the gate axis that bets are tuned for, and that futility excludes; in (0, 1).
        planned_second_moment: Expected squared paired difference on the gate axis, in (0, 1].
        futility_level: b: at most this share of power at ``design_gain`` is given up; None never stops for futility.
        void_share: A larger share of missing pairs on any axis makes the decision undecided.
        step_margin: Loss against the released system on the gate axis that counts as harm; in [0, 1).
        total_margin: Loss against generation 0 on the gate axis that counts as harm; in [0, 1).
        guards: The guard axes, each with its margins.
        waived: Guard axes whose tests are computed and recorded but bind nothing (arm `unguarded:AXIS.gate`).
        form: The release test. ``betting``: e-process of the design mixture, any looks. ``grid``: fixed bets,
            order-free, in all tests. ``group_sequential`` and ``fixed``: exact McNemar test at ``analyses`` scheduled
            looks, or once, at ``max_pairs``: more powerful when the number of pairs is capped, and for scores of 0 and
            1 only. Guards, harm and futility stay e-processes in the exact forms: their nulls have a margin, for which
            no exact conditional test exists.
        ledger: How ``level`` is shared out; None: uniform where ``confirmations`` are declared, else spending. Harm
            verdicts draw on a budget of their own by the same weights, without e-LOND's growth.
        analyses: Scheduled looks of form ``group_sequential``.
        screen_items, screen_z: A candidate whose mean gain on so many development items is not above ``screen_z``
            standard errors is not confirmed: it spends nothing. Mode strict only.
        draws: Answers per item and system that were averaged inside the item.
        log_raise: Nats by which the threshold of the release test is raised, because its items were asked before.
        show, show_step: The number that a loop is shown, and the width of its steps (`netgain.evidence.ladder`); None:
            decisions alone are told.
    """

    axis: str
    mode: GateMode = "strict"
    level: float = 0.05
    harm_level: float = 0.10
    confirmations: int | None = 20
    block: int = 100
    max_pairs: int = 1000
    design_gain: float = 0.02
    planned_second_moment: float = 0.10
    futility_level: float | None = 0.10
    void_share: float = 0.05
    step_margin: float = 0.01
    total_margin: float = 0.02
    guards: tuple[GuardRule, ...] = ()
    waived: tuple[str, ...] = ()
    form: GateForm = "betting"
    ledger: ErrorLedger | None = None
    analyses: int = 5
    screen_items: int = 0
    screen_z: float = 1.0
    draws: int = 1
    log_raise: float = 0.0
    show: GateShow | None = None
    show_step: float | None = None

    def __post_init__(self) -> None:
        self._check_form()
        self._check_shown()
        if self.mode not in get_args(GateMode):
            raise ConfigError.unknown("gate mode", self.mode, get_args(GateMode))
        for name in ("level", "harm_level", "design_gain"):
            _check_range(name, getattr(self, name), 0.0, 1.0)
        if self.futility_level is not None:
            _check_range("futility_level", self.futility_level, 0.0, 1.0)
        for name in ("void_share", "step_margin", "total_margin"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ConfigError(f"{name} {getattr(self, name)!r} is outside [0, 1)")
        _check_second_moment("planned_second_moment", self.planned_second_moment)
        for name in ("block", "max_pairs"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} {getattr(self, name)!r} must be at least 1 pair")
        if self.confirmations is not None and self.confirmations < 1:
            raise ConfigError(f"confirmations {self.confirmations!r} must be at least 1, or None for an open-ended run")
        if repeated := sorted({axis for axis in self.axes if self.axes.count(axis) > 1}):
            raise ConfigError(f"axes {repeated!r} appear twice: the gate axis and every guard axis need their own name")
        if odd := sorted(set(self.waived) - {guard.axis for guard in self.guards}):
            raise ConfigError(f"waived axes {odd!r} are no guards", fix=f"guards are {list(self.axes[1:])!r}")

    def _check_form(self) -> None:
        if self.form not in get_args(GateForm):
            raise ConfigError.unknown("gate form", self.form, get_args(GateForm))
        if self.ledger is not None and self.ledger not in get_args(ErrorLedger):
            raise ConfigError.unknown("error ledger", self.ledger, get_args(ErrorLedger))
        if self.ledger == "uniform" and self.confirmations is None:
            raise ConfigError("ledger 'uniform' without declared confirmations", fix="declare them, or take 'spending'")
        if self.ledger == "e-lond" and self.form in EXACT:
            what = f"ledger 'e-lond' needs e-values, form {self.form!r} gives p-values"
            raise ConfigError(what, fix="take form 'betting' or 'grid', or another ledger")
        for name, least in (("analyses", 1), ("draws", 1), ("screen_items", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} {getattr(self, name)!r} must be at least {least}")
        if self.screen_items == 1:
            raise ConfigError("a screen on 1 item has no standard error", fix="screen on at least 2, better 200")
        if not 0.0 <= self.screen_z < 10.0:
            raise ConfigError(f"screen_z {self.screen_z!r} is outside [0, 10)", fix="1 is usual")
        if self.form in EXACT and self.draws > 1:
            what = f"form {self.form!r} with {self.draws} draws an item: their mean is graded"
            raise ConfigError(what, fix="take draws = 1 or form 'betting'")
        margins = [self.step_margin, self.total_margin]
        margins += [margin for guard in self.guards for margin in (guard.step_margin, guard.total_margin)]
        if self.form == "grid" and max(margins) > LARGEST_GRID_MARGIN:
            what = f"form 'grid' with a margin of {max(margins):g}: its largest fixed bet could lose all capital"
            raise ConfigError(what, fix=f"take form 'betting', or margins up to {LARGEST_GRID_MARGIN:g}")
        _check_raise(self.axis, self.log_raise)

    def _check_shown(self) -> None:
        if self.show is not None and self.show not in get_args(GateShow):
            raise ConfigError.unknown("number that a gate shows", self.show, get_args(GateShow))
        if (self.show is None) is not (self.show_step is None):
            what = f"show {self.show!r} with show_step {self.show_step!r}: a shown number moves in steps"
            raise ConfigError(what, fix="give both, or neither")
        if self.show_step is not None:
            _check_range("show_step", self.show_step, 0.0, 1.0)

    @property
    def looks(self) -> tuple[int, ...]:
        """Pairs asked at which an exact release test is looked at; empty in the betting forms."""
        if self.form not in EXACT:
            return ()
        return scheduled_looks(self.max_pairs, self.analyses if self.form == "group_sequential" else 1)

    @property
    def axes(self) -> tuple[str, ...]:
        """The gate axis, then the guard axes."""
        return (self.axis, *(guard.axis for guard in self.guards))

    @property
    def acts(self) -> bool:
        """False for a gate that only watches."""
        return self.mode != "watch"

    @property
    def promotion_spending(self) -> Spending:
        """The error budget of promotions."""
        return Spending(self.level, self.confirmations, self.ledger)

    @property
    def harm_spending(self) -> Spending:
        """The error budget of harm verdicts, before it is split over the harm tests of a round."""
        ledger = "spending" if self.ledger == "e-lond" else self.ledger
        return Spending(self.harm_level, self.confirmations, ledger)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON values, a shown number where there is one; ``from_json`` is its inverse."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        record = {key: value for key, value in known.items() if not (key in _SHOWN and value is None)}
        return record | {"guards": [dict(vars(guard)) for guard in self.guards], "waived": list(self.waived)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """Return the plan of ``to_json``; an unknown key is an error that lists the known ones."""
        known = [field.name for field in fields(cls)]
        for key in sorted(set(record) - set(known)):
            raise ConfigError.unknown("key of a gate plan", key, known)
        guards = tuple(GuardRule(**guard) for guard in record.get("guards", ()))
        return cls(**{**record, "guards": guards, "waived": tuple(record.get("waived", ()))})

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON: names the rule in receipts."""
        return canonical.digest(self.to_json())


def _check_raise(axis: str, log_raise: float) -> None:
    if not 0.0 <= log_raise <= LARGEST_RAISE:
        raise ConfigError(
            f"the gate items of axis {axis!r} have answered so much that their threshold rises by {log_raise:.0f} nats",
            fix="the set is used up: take new items",
        )


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise ConfigError(f"{name} {value!r} is outside ({low:g}, {high:g})")


def _check_second_moment(name: str, value: float) -> None:
    if not 0.0 < value <= 1.0:
        raise ConfigError(f"{name} {value!r} is outside (0, 1]")
