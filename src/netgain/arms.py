"""The control conditions: each is one intervention on the step, written as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from netgain.errors import ConfigError
from netgain.evidence.shapley import MOST_PLAYERS
from netgain.stages import Loop

GENERATION_0 = "generation 0"
OWN = "own"
STOP = "stop"  # the use of a monitor
SAMPLED, SUBSETS = "sampled", "subsets:"
MOST_TRIES = 4096
GATE = "gate"  # the use of a guard axis; checks of the loop have those of `stages.USES`


@dataclass(frozen=True)
class Arm:
    """One condition. The defaults are the loop itself.

    Attributes:
        name: as in the study file.
        proposer: which function of the loop proposes: "propose", "ordinary", "random_search", "random_proposer",
            "unaided", or "" for none. Both random ones are `Loop.random_search`; the second has no stand-in.
        parent: what a change is applied to: the arm's own working system, or generation 0 every round.
        improver: what proposes, filters and paces: own, or generation 0 for ever.
        position: counters, curriculum, pool: own, or as at the start every round.
        channel: what replaces the checks' feedback: "true", "placebo", "oracle", "shuffled".
        disabled: (check, use) pairs whose verdict is computed but not used.
        waived: guard axes whose tests are computed and recorded but bind nothing.
        unwatched: monitors whose alarms are recorded but act on nothing; "*" for all.
        closed: surfaces that the proposer is told are closed.
        gate: gate mode of its own, or "" for the study's; "none": nothing decided, the best on the report split served;
            "random": as many promotions as `self` had, in rounds drawn at random.
        one_long_step: the whole horizon's budget in one round.
        tries: the arm answers with several tries per item.
        attempts: how many; 0: as many as the study registers.
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
    closed: tuple[str, ...] = ()
    unwatched: tuple[str, ...] = ()
    gate: str = ""
    one_long_step: bool = False
    tries: bool = False
    attempts: int = 0
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
    "stop:off": {"unwatched": ("*",)},
    "self_again": {"own_streams": True},  # the same loop once more: the A/A control
    "frozen": {"proposer": ""},
    "ordinary": {"proposer": "ordinary", "gate": "none"},
    "random_search": {"proposer": "random_search", **_RESET},
    "random_proposer": {"proposer": "random_proposer"},
    "random_gate": {"gate": "random"},
    "sampled": {"proposer": "", "tries": True},
    "one_step": {"one_long_step": True},
    "flat": _RESET,
    "stacked": {"improver": GENERATION_0},
    "improver_only": {"parent": GENERATION_0},
    "placebo": {"channel": "placebo"},
    "ungated": {"gate": "watch"},
    "unaided": {"proposer": "unaided"},
    "oracle": {"channel": "oracle"},
    "shuffled": {"channel": "shuffled"},
}
NAMES = (*_PLAIN, "sampled:TRIES", "unguarded:NAME.USE", "unguarded:NAME", "without:SURFACE")
WORDS = {
    "frozen": "no change at all",
    "ordinary": "the same spend on plain training",
    "random_search": "as many independent proposals from generation 0",
    "random_proposer": "random admissible edits before the same gate",
    "random_gate": "as many promotions, in rounds drawn at random",
    "sampled": "more answers per question from generation 0",
    "one_step": "one long step by generation 0",
    "flat": "every round from generation 0, best one served",
    "stacked": "generation 0 keeps answering, checking and pacing",
    "improver_only": "its own improver, applied to generation 0 every round",
    "placebo": "as many answers kept, drawn at random",
    "ungated": "gate and guards only watch",
    "unaided": "the default in place of people's decisions",
    "oracle": "the truth in place of the own check",
    "shuffled": "labels destroyed",
    "stop:off": "no monitor stops or rejects anything",
    "self_again": "the same loop once more, blinded",
    "self": "the loop",
}


def arm_named(name: str, loop: Loop, guards: Sequence[str] = (), monitors: Sequence[str] = ()) -> Arm:
    """The arm of a name; several interventions are joined by "+", as in `stacked+placebo`.

    Args:
        name: as in the study file.
        loop: whose checks `unguarded:` may name.
        guards: the suite's guard axes, which `unguarded:` may name as well; their one use is the gate.
        monitors: the study's monitors, likewise; their one use is to stop.

    Raises:
        ConfigError: an unknown arm, check, guard, monitor or use.
    """
    arm = Arm(name)
    for piece in name.split("+"):
        arm = _with(arm, _intervention(piece, loop, {GATE: guards, STOP: monitors}))
    return arm


def _with(arm: Arm, intervention: Mapping[str, object]) -> Arm:
    """One more intervention; what is a list, as closed surfaces are, adds up, in an order that no name decides."""
    lists = {field: tuple(sorted({*getattr(arm, field), *one})) for field, one in intervention.items()
             if isinstance(one, tuple)}  # fmt: skip
    return replace(arm, **{**intervention, **lists})  # type: ignore[arg-type]


def _intervention(piece: str, loop: Loop, watchers: Mapping[str, Sequence[str]]) -> Mapping[str, object]:
    if piece in _PLAIN:
        return _PLAIN[piece]
    head, _, rest = piece.partition(":")
    if head == "without" and rest:
        if rest not in loop.surfaces:
            raise ConfigError.unknown("surface of this loop", rest, loop.surfaces)
        return {"closed": (rest,)}
    if head == SAMPLED:
        return {**_PLAIN[SAMPLED], "attempts": _tries(piece, rest)}
    if head != "unguarded" or not rest:
        raise ConfigError(f"unknown arm {piece!r}", fix=f"choose from {', '.join(NAMES)}")
    name, _, use = rest.partition(".")
    known = [(one.name, each) for one in loop.filters for each in one.uses] + [
        (one, use) for use, names in watchers.items() for one in names
    ]
    gone = [pair for pair in known if pair[0] == name and use in ("", pair[1])]
    if not gone:
        named = [f"unguarded:{check}.{each}" for check, each in known]
        what = f"arm {piece!r} names no check, guard or monitor of this study, and no use of it"
        raise ConfigError(what, fix=f"choose from {named or 'none: no checks, guards, monitors'}")
    return {
        "disabled": tuple(pair for pair in gone if pair[1] not in (GATE, STOP)),
        "waived": tuple(axis for axis, each in gone if each == GATE),
        "unwatched": tuple(one for one, each in gone if each == STOP),
    }


def _tries(piece: str, said: str) -> int:
    number = int(said) if said.isascii() and said.isdigit() else 0
    if not 2 <= number <= MOST_TRIES:
        fix = "write for example 'sampled:4'; one try is the arm `frozen`"
        raise ConfigError(f"arm {piece!r}: expected 2 to {MOST_TRIES} tries after the colon", fix=fix)
    return number


def samples(name: str) -> bool:
    """Whether an arm is generation 0 with several answers per question, and nothing else."""
    return name == SAMPLED or name.startswith(f"{SAMPLED}:")


def spelled_out(names: Sequence[str], surfaces: Sequence[str]) -> tuple[str, ...]:
    """Names of arms with `subsets:A,B,C` written out: every arm that closes some of these surfaces, `self` aside.

    They are the arms that Shapley shares of surfaces need (``method.md`` 1.3): 2^k - 1 of them, without the one that
    closes every surface of the loop, which is `frozen`. What is listed twice stands once.

    Raises:
        ConfigError: fewer than two or more than five surfaces, or an unknown one.
    """
    return tuple(dict.fromkeys(each for name in names for each in _told_closed(name, surfaces)))


def _told_closed(name: str, surfaces: Sequence[str]) -> list[str]:
    if not name.startswith(SUBSETS):
        return [name]
    players = [one.strip() for one in name.removeprefix(SUBSETS).split(",")]
    for one in players:
        if one not in surfaces:
            raise ConfigError.unknown("surface of this loop", one, surfaces)
    if not 2 <= len(set(players)) == len(players) <= MOST_PLAYERS:
        fix = f"name two to {MOST_PLAYERS} surfaces, each once"
        raise ConfigError(f"arms {name!r}: {len(players)} surfaces, {len(set(players))} of them different", fix=fix)
    closed = [subset for size in range(1, len(players) + 1) for subset in combinations(players, size)]
    return ["frozen" if set(one) == set(surfaces) else "+".join(f"without:{each}" for each in one) for one in closed]


def answers_per_item(arm: Arm, registered: int) -> int:
    """How often an arm answers a question: once, as the study registers, or as its own name says."""
    return (arm.attempts or registered) if arm.tries else 1


def missing_piece(arm: Arm, loop: Loop) -> str | None:
    """Why the loop cannot support an arm, or None when it can."""
    if arm.name in loop.not_testable:
        return loop.not_testable[arm.name]
    return _missing_function(arm, loop) or _missing_state(arm, loop) or _missing_channel(arm, loop)


def _missing_function(arm: Arm, loop: Loop) -> str | None:
    if arm.proposer == "ordinary" and not loop.menu:
        return "the loop has no `ordinary`: plain training or tuning without its signal"
    if arm.proposer == "random_proposer" and loop.random_search is None:
        return "the loop has no `random_search`: one random admissible edit"
    if arm.proposer == "unaided" and loop.unaided is None:
        return "the loop has no `unaided`: nobody decides in it, or no default stands for what people decide"
    return None


def _missing_state(arm: Arm, loop: Loop) -> str | None:
    stuck = [name for name in arm.closed if name not in loop.closable]
    if stuck:
        return f"the loop does not say that its proposal can do without {', '.join(stuck)}: `closable`"
    if arm.closed and set(loop.surfaces) <= set(arm.closed):
        return "it closes every surface of the loop: that is `frozen`"
    held = arm.proposer != "random_search" and GENERATION_0 in (arm.parent, arm.improver)
    if (held or arm.one_long_step) and loop.state is None:
        return "the loop does not declare its `state`: which part is parent, improver, position"
    return None


def _missing_channel(arm: Arm, loop: Loop) -> str | None:
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
    """Controls that a rung needs, from `R1` up (design: rungs); a search control depends on the loop's surfaces.

    An improver that is changed itself is compared with random changes under the same gate: what selection alone makes.
    Beside the placebo stands the loop without its checks' filters: a placebo that does harm is never released behind a
    gate, and then looks like an inert one (decision 0034).
    """
    level = int(rung[1:])
    needed = ["frozen"]
    if level >= 2:
        needed += ["ordinary", "placebo", *_unfiltered(loop)]
        searched = {"training", "architecture", "policy", "tools"} & set(loop.surfaces)
        needed += ["random_search"] if searched else []
        needed += ["random_proposer"] if "improver" in loop.surfaces else []
    if level >= 5:
        needed += ["flat", "one_step"]
    if level >= 6:
        needed += ["stacked"]
    return tuple(needed)


def _unfiltered(loop: Loop) -> list[str]:
    """The arm that keeps every example, whatever the checks say; none where no check filters."""
    filters = [f"unguarded:{one.name}.filter" for one in loop.filters if "filter" in one.uses]
    return ["+".join(filters)] if filters else []
