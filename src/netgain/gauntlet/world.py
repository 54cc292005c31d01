"""What a simulated loop really does, what only its measurements show, and what is done around it: numbers, no labels.

All gains are in score points of [0, 1] (0.01 is one point) and over the whole horizon unless a field says otherwise.
The verdict never sees any of this: it gets the log that `record.py` writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from netgain.claim import ABOUT, ANALYSES, OPEN_STARTS
from netgain.errors import ConfigError

Json = Any
PROFILES = ("steady", "late", "front", "peak", "oscillate")
ROUTES = ("channel", "proposal", "build", "claimed")
MODES = ("strict", "advance", "watch")
CARRIERS = ("examples", "memory")
SCORERS = ("exact", "boastful", "empty", "probability", "hooked")  # what they are: `scorers.py`
CURVES = ("steady", "late", "early")
LEFT = ("module", "environment", "working directory", "home", "temporary files", "outside", "process")  # `leftovers.py`
CLAIMED = ("R1", "R2", "R4", "R5", "R6", "R7")
RECURSIVE = ("R6", "R7")  # of a world that moves its improver


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What is real.

    Attributes:
        base: score of generation 0; `spread` its standard deviation between starts, shared by the arms of a start.
        signal: what the content of the loop's feedback brings.
        proposal: what proposing brings whatever the feedback says (a person, a teacher, a bias of the optimiser).
        compute: what any training at equal spend brings.
        profile: when `signal` comes: steady, late, front, peak (and collapse), oscillate (with a phase by start).
        one_step: share of `signal` that generation 0 reaches in one long step.
        first_improver: share of `signal` that the improver of generation 0 brings if it never changes.
        residual: share of `signal` that the placebo's replacement content still carries.
        edits: standard deviation of the real effect of one proposal; `tries` of them a round are screened on dev items.
        luck: standard deviation of what a run's own seed adds for good, arms independent.
        starve, catastrophe, jackpot, grok: shares of starts in which the signal brings nothing, the last round destroys
            the system, the signal brings `jackpot_gain` more, plain training brings `grok_gain` more.
        harm_ordinary, harm_placebo: what these controls lose by being run badly.
        guard: change on the guard axes that proposing brings (a loss is negative); on one axis a round when `rotate`.
        guards: number of guard axes.
        transfer: share of every gain that the sibling axis shows too.
        quirk: what the claimed axis' own item generator shows beyond the skill, on gate and sealed items alike.
    """

    base: float = 0.35
    spread: float = 0.05
    signal: float = 0.0
    proposal: float = 0.0
    compute: float = 0.0
    profile: str = "steady"
    one_step: float = 0.4
    first_improver: float = 0.6
    residual: float = 0.0
    edits: float = 0.0
    tries: int = 1
    luck: float = 0.01
    starve: float = 0.0
    catastrophe: float = 0.0
    jackpot: float = 0.0
    jackpot_gain: float = 0.0
    grok: float = 0.0
    grok_gain: float = 0.0
    harm_ordinary: float = 0.0
    harm_placebo: float = 0.0
    guard: float = 0.0
    rotate: bool = False
    guards: int = 1
    transfer: float = 1.0
    quirk: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What only a measurement shows.

    Attributes:
        selection, gate, sealed: points shown without skill on a fixed selection set, on fresh gate items, on sealed.
        route: how systems come by it: through the feedback's content, by proposing at all, by any training, or in the
            claimed arm alone (a loop that knows its arm, or is fed from elsewhere).
        challenger: points by which a candidate seems to beat whatever it is compared with in its round.
        drift: points that every measurement gains per round.
        drift_pass: standard deviation, between arms, of a shift during the sealed pass.
        baseline: points by which a stored first score is too low.
        unanswered: share of the items it would get wrong that a system leaves without an answer at the horizon.
        unscorable: share of them on which the metric gives no finite number.
        met: share of sealed items that were trained on word for word, and are then answered right.
        cluster: items that stand or fall together.
        scorer: the scorer of the claimed axis, one of `SCORERS`; `second` puts an independent one beside it.
        exploit: share of the items it would get wrong on which a system gives what its scorer takes for right.
        leak: share of gate and sealed items whose text reached the loop, which then answers them; `reworded` the share
            of words replaced in such a text, `carrier` where it stands: in examples, or in a prompt, memory or skill.
        trend: points by which measurements shift from the first to the last system that is asked in a sealed pass.
    """

    selection: float = 0.0
    gate: float = 0.0
    sealed: float = 0.0
    route: str = "channel"
    challenger: float = 0.0
    drift: float = 0.0
    drift_pass: float = 0.0
    baseline: float = 0.0
    unanswered: float = 0.0
    unscorable: float = 0.0
    met: float = 0.0
    cluster: int = 1
    scorer: str = "exact"
    second: bool = False
    exploit: float = 0.0
    leak: float = 0.0
    reworded: float = 0.0
    carrier: str = "examples"
    trend: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """What is done around the loop.

    Attributes:
        shop: studies that are run, of which the best word is published.
        given_root: the claimant gives the root of all randomness.
        dropped: starts whose claimed arm ends less than this above generation 0 on the report split are never finished.
        underspent: share of the claimed arm's spend that `ordinary` is short of.
        shared_start: all starts have one generation 0, whose own suitability for the loop has deviation `start_luck`.
        changed_loop: the code changes between the first look and the next one.
        people: a person decides what is proposed, and the record says so.
        hidden: what the claimed arm alone gains from work that no meter sees, or from knowing its arm.
        left: places where a loop leaves what that needs, of `LEFT`; nothing is gained where no later task finds it.
        studies_before: promoted studies of the same lineage before this one, each with the same change on the guards.
    """

    shop: int = 1
    given_root: bool = False
    dropped: float | None = None
    underspent: float = 0.0
    shared_start: bool = False
    start_luck: float = 0.0
    changed_loop: bool = False
    people: bool = False
    hidden: float = 0.0
    left: tuple[str, ...] = ()
    studies_before: int = 0


@dataclass(frozen=True, kw_only=True)
class Improver:
    """What one round by an improver adds to generation 0 of another start. What it adds at home stands in `Gain`.

    Attributes:
        moves: whether the loop changes its improver, and can move it to another start.
        worth: of the improver of generation 0.
        content: what the content of its feedback adds to that over the horizon.
        feedback: what feedback of any content adds: as many examples, drawn at random, would do as much.
        change: what any change as large as its own adds.
        curve: when it comes: steady, late (and ever faster), early.
        scatter: standard deviation of each between starts.
    """

    moves: bool = False
    worth: float = 0.1
    content: float = 0.0
    feedback: float = 0.0
    change: float = 0.0
    curve: str = "steady"
    scatter: float = 0.02


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The registered claim, and the mode of the gate; fields as in `netgain.claim.Claim`.

    Open looks (`open_looks`) are taken after every sixth start; the analysis then looks back at each start between.
    """

    by: float = 0.05
    rung: str = "R2"
    beats: tuple[str, ...] = ("frozen",)
    rounds: int = 5
    mode: str = "advance"
    transplant_by: float = 0.02
    looks: tuple[int, ...] = (6, 9, 12)
    open_looks: bool = False
    analysis: str = "typical start"
    share: float = 0.5
    about: str = "loop"
    starve: float = 0.05

    @property
    def usual(self) -> bool:
        """Whether it is a claim that rules of the field make too: a gain, and not what an improver or a share is."""
        asked = (self.analysis, self.share, self.about, self.open_looks)
        return self.rung not in RECURSIVE and asked == ("typical start", 0.5, "loop", False)

    @property
    def taken(self) -> tuple[int, ...]:
        """Numbers of starts at which a study looks, while nothing is decided."""
        if self.about == "version":
            return (1,)
        return tuple(range(6, OPEN_STARTS + 1, 6)) if self.open_looks else self.looks


@dataclass(frozen=True, kw_only=True)
class World:
    """One population of starts of one loop."""

    gain: Gain = field(default_factory=Gain)
    faults: Faults = field(default_factory=Faults)
    conduct: Conduct = field(default_factory=Conduct)
    asked: Asked = field(default_factory=Asked)
    improver: Improver = field(default_factory=Improver)

    def __post_init__(self) -> None:
        for name, value, known in (
            ("profile", self.gain.profile, PROFILES), ("route", self.faults.route, ROUTES),
            ("mode", self.asked.mode, MODES), ("rung", self.asked.rung, CLAIMED),
            ("scorer", self.faults.scorer, SCORERS), ("carrier", self.faults.carrier, CARRIERS),
            ("curve", self.improver.curve, CURVES), ("analysis", self.asked.analysis, ANALYSES),
            ("about", self.asked.about, ABOUT), *(("place", one, LEFT) for one in self.conduct.left),
        ):  # fmt: skip
            if value not in known:
                raise ConfigError.unknown(f"{name} of a world", value, known)
        if self.gain.tries < 1 or self.faults.cluster < 1 or self.conduct.shop < 1 or not 1 <= self.gain.guards <= 8:
            raise ConfigError("tries, cluster, shop and guards of a world are counts from 1 (guards at most 8)")
        if self.asked.rung in RECURSIVE and not self.improver.moves:
            what = f"rung {self.asked.rung} claimed in a world that moves no improver"
            raise ConfigError(what, fix="set improver.moves, or claim a rung up to R5")
        if self.faults.exploit and self.faults.scorer == "exact":
            raise ConfigError(
                "scorer 'exact' takes nothing else for right", fix=f"name one of {', '.join(SCORERS[1:])}"
            )

    def at(self, path: str, value: Json) -> World:
        """The world with one number replaced, named `part.field` as in a population file."""
        part, _, name = path.partition(".")
        held: Any = getattr(self, part, None)
        if part not in PARTS or name not in {one.name for one in fields(PARTS[part])}:
            raise ConfigError(
                f"no number {path!r} in a world", fix=f"name PART.FIELD with a part of {', '.join(PARTS)}"
            )
        kind = type(getattr(PARTS[part](), name))
        changed: dict[str, Any] = {part: replace(held, **{name: kind(value) if kind is int else value})}
        return replace(self, **changed)

    def to_json(self) -> dict[str, Json]:
        """Only what differs from the defaults, by part; `from_json` is its inverse."""
        found: dict[str, Json] = {}
        for part, kind in PARTS.items():
            plain, own = asdict(kind()), asdict(getattr(self, part))
            differing = {name: value for name, value in own.items() if value != plain[name]}
            found |= {part: differing} if differing else {}
        return found

    @classmethod
    def from_json(cls, record: Mapping[str, Json]) -> World:
        """The world of a record.

        Raises:
            ConfigError: an unknown part or field, or a value of another type.
        """
        for part in record:
            if part not in PARTS:
                raise ConfigError.unknown("part of a world", part, PARTS)
        return cls(**{part: _part(PARTS[part], part, own) for part, own in record.items()})


PARTS: dict[str, type[Any]] = {"gain": Gain, "faults": Faults, "conduct": Conduct, "asked": Asked, "improver": Improver}
Part = TypeVar("Part")


def _part(kind: type[Part], part: str, record: Mapping[str, Json]) -> Part:
    known = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    plain = kind()
    for name, value in record.items():
        if name not in known:
            raise ConfigError.unknown(f"field of {part!r}", name, known)
        held = getattr(plain, name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = {float: number, int: number, type(None): number}.get(type(held), isinstance(value, type(held)))
        if not fits and not (isinstance(held, tuple) and isinstance(value, list)):
            raise ConfigError(f"{part}.{name} is {value!r}", fix=f"give a value like {held!r}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in record.items()})
