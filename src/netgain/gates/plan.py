"""The registered rule of a gate: everything a gate decision depends on except the scores."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

from netgain import canonical
from netgain.errors import ConfigError
from netgain.evidence.spending import Spending

GateMode = Literal["strict", "advance", "watch"]


@dataclass(frozen=True)
class GuardRule:
    """One guard axis: how much of it may be lost, in score points of [0, 1], higher is better.

    ``step_margin``: loss against the released system that counts as harm (mode advance, and early rejection in strict).
    ``total_margin``: loss against frozen generation 0 that no promotion may exceed.
    ``planned_second_moment``: expected squared paired difference (discordance for 0/1 scores), in (0, 1].
    """

    axis: str
    step_margin: float
    total_margin: float
    planned_second_moment: float = 0.05

    def __post_init__(self) -> None:
        _check_range(f"guard {self.axis!r}: step_margin", self.step_margin, 0.0, 1.0)
        _check_range(f"guard {self.axis!r}: total_margin", self.total_margin, 0.0, 1.0)
        _check_second_moment(f"guard {self.axis!r}: planned_second_moment", self.planned_second_moment)


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

    def __post_init__(self) -> None:
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
        return Spending(self.level, self.confirmations)

    @property
    def harm_spending(self) -> Spending:
        """The error budget of harm verdicts, before it is split over the harm tests of a round."""
        return Spending(self.harm_level, self.confirmations)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON values; ``from_json`` is its inverse."""
        record = asdict(self)
        record |= {"guards": [asdict(guard) for guard in self.guards], "waived": list(self.waived)}
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """Return the plan of ``to_json``; an unknown key is an error that lists the known ones."""
        known = [field.name for field in fields(cls)]
        for key in sorted(set(record) - set(known)):
            raise ConfigError.unknown("key of a gate plan", key, known)
        guards = tuple(GuardRule(**guard) for guard in record.get("guards", ()))
        return cls(**{**record, "guards": guards, "waived": tuple(record.get("waived", ()))})

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON: names the rule in receipts."""
        return canonical.digest(self.to_json())


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise ConfigError(f"{name} {value!r} is outside ({low:g}, {high:g})")


def _check_second_moment(name: str, value: float) -> None:
    if not 0.0 < value <= 1.0:
        raise ConfigError(f"{name} {value!r} is outside (0, 1]")
