"""The control conditions: each is one intervention on the step, written as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from netgain.errors import ConfigError
from netgain.stages import Loop

GENERATION_0 = "generation 0"
OWN = "own"
GATE = "gate"  # the use of a guard axis; checks of the loop have those of `stages.USES`


@dataclass(frozen=True)
class Arm:
    """One condition. The defaults are the loop itself.

    Attributes:
        name: as in the study file.
        proposer: which function of the loop proposes: "propose", "ordinary", "random_search", or "" for none.
        parent: what a change is applied to: the arm's own working system, or generation 0 every round.
        improver: what proposes, filters and paces: own, or generation 0 for ever.
        position: counters, curriculum, pool: own, or as at the start every round.
        channel: what replaces the checks' feedback: "true", "placebo", "oracle", "shuffled".
        disabled: (check, use) pairs whose verdict is computed but not used.
        waived: guard axes whose tests are computed and recorded but bind nothing.
        gate: gate mode of its own, or "" for the study's; "none": nothing decided, the best on the report split served.
        one_long_step: the whole horizon's budget in one round.
        tries: the arm answers with several tries per item.
        own_streams: draws its own randomness from round 1 on; every other arm shares that of its replica.
        after_self: runs after `self` of its replica and is given its spend (numbers only).
        variant: entry of a menu, or "".
    """

    name: str
    proposer: str = "propose"
    parent: str = OWN
    improver: str = OWN
    position: str = OWN
    channel: str = "true"
    disabled: tuple[tuple[str, str], ...] = ()
    waived: tuple[str, ...] = ()
    gate: str = ""
    one_long_step: bool = False
    tries: bool = False
    own_streams: bool = False
    after_self: bool = True
    variant: str = ""

    @property
    def run_name(self) -> str:
        """The arm with its menu entry, as in run ids."""
        return f"{self.name}.{self.variant}" if self.variant else self.name


_RESET = {"parent": GENERATION_0, "improver": GENERATION_0, "position": GENERATION_0}
_PLAIN: Mapping[str, Mapping[str, object]] = {
    "self": {"after_self": False},
    "self_again": {"own_streams": True},  # the same loop once more: the A/A control
    "frozen": {"proposer": ""},
    "ordinary": {"proposer": "ordinary", "gate": "none"},
    "random_search": {"proposer": "random_search", **_RESET},
    "sampled": {"proposer": "", "tries": True},
    "one_step": {"one_long_step": True},
    "flat": _RESET,
    "stacked": {"improver": GENERATION_0},
    "placebo": {"channel": "placebo"},
    "ungated": {"gate": "watch"},
    "oracle": {"channel": "oracle"},
    "shuffled": {"channel": "shuffled"},
}
NAMES = (*_PLAIN, "unguarded:NAME.USE", "unguarded:NAME")
WORDS = {
    "frozen": "no change at all",
    "ordinary": "the same spend on plain training",
    "random_search": "as many independent proposals from generation 0",
    "sampled": "more answers per question from generation 0",
    "one_step": "one long step by generation 0",
    "flat": "every round from generation 0, best one served",
    "stacked": "generation 0 keeps answering, checking and pacing",
    "placebo": "as many answers kept, drawn at random",
    "ungated": "gate and guards only watch",
    "oracle": "the truth in place of the own check",
    "shuffled": "labels destroyed",
    "self_again": "the same loop once more, blinded",
    "self": "the loop",
}


def arm_named(name: str, loop: Loop, guards: Sequence[str] = ()) -> Arm:
    """The arm of a name; several interventions are joined by "+", as in `stacked+placebo`.

    Args:
        name: as in the study file.
        loop: whose checks `unguarded:` may name.
        guards: the suite's guard axes, which `unguarded:` may name as well; their one use is the gate.

    Raises:
        ConfigError: an unknown arm, check, guard or use.
    """
    arm = Arm(name)
    for piece in name.split("+"):
        changed = _PLAIN[piece] if piece in _PLAIN else _unguarded(piece, arm, loop, guards)
        arm = replace(arm, **changed)  # type: ignore[arg-type]
    return arm


def _unguarded(piece: str, arm: Arm, loop: Loop, guards: Sequence[str]) -> Mapping[str, object]:
    """What `unguarded:NAME[.USE]` takes away, beside what the arm does without already."""
    head, _, rest = piece.partition(":")
    if head != "unguarded" or not rest:
        raise ConfigError(f"unknown arm {piece!r}", fix=f"choose from {', '.join(NAMES)}")
    name, _, use = rest.partition(".")
    known = [(one.name, each) for one in loop.filters for each in one.uses] + [(axis, GATE) for axis in guards]
    gone = [pair for pair in known if pair[0] == name and use in ("", pair[1])]
    if not gone:
        named = [f"unguarded:{check}.{each}" for check, each in known]
        what = f"arm {piece!r} names no check or guard of this study, and no use of it"
        raise ConfigError(what, fix=f"choose from {named or 'none: no checks, no guards'}")
    return {
        "disabled": (*arm.disabled, *(pair for pair in gone if pair[1] != GATE)),
        "waived": (*arm.waived, *(axis for axis, each in gone if each == GATE)),
    }


def missing_piece(arm: Arm, loop: Loop) -> str | None:
    """Why the loop cannot support an arm, or None when it can."""
    if arm.name in loop.not_testable:
        return loop.not_testable[arm.name]
    if arm.proposer == "ordinary" and not loop.menu:
        return "the loop has no `ordinary`: plain training or tuning without its signal"
    if arm.tries and loop.sampled is None:
        return "the loop has no `sampled`: several answers per item, picked by its own check"
    if (arm.improver == GENERATION_0 or arm.one_long_step) and loop.state is None and arm.proposer != "random_search":
        return "the loop does not declare its `state`: which part is parent, improver, position"
    if arm.channel != "true" and not loop.filters:
        return "the loop declares no `filters`: there is no feedback channel to replace"
    if arm.channel == "oracle" and loop.oracle is None:
        return "the loop has no `oracle`: the truth of its own labels"
    return None


def runs_of(arm: Arm, loop: Loop) -> tuple[Arm, ...]:
    """The runs that make up an arm: one, or one per entry of the menu of plain training."""
    if arm.proposer != "ordinary":
        return (arm,)
    return tuple(replace(arm, variant=name) for name in loop.menu)


def required_controls(rung: str, arms: Sequence[str], loop: Loop) -> tuple[str, ...]:
    """Controls that a rung needs, from `R1` up (design: rungs); a search control depends on the loop's surfaces."""
    level = int(rung[1:])
    needed = ["frozen"]
    if level >= 2:
        needed += ["ordinary", "placebo"]
        searched = {"training", "architecture", "policy", "tools", "improver"} & set(loop.surfaces)
        needed += ["random_search"] if searched else []
    if level >= 5:
        needed += ["flat", "one_step"]
    return tuple(needed)
