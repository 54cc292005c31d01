"""`netgain.record`: the functions of a training script, as a study with control arms.

A script that improves a model round by round has, or is easily cut into, a function that makes the model, one that
labels (or otherwise makes) new examples, and one that trains on them. Given these, netgain runs the script's own loop
in arms and from many starts, with every random stream seeded, every system stored and every batch counted. A script
that cannot be cut gives its whole round as `improve`, and gets fewer controls.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from netgain.arms import arm_named, missing_piece, required_controls
from netgain.budget import Budget
from netgain.claim import RUNGS, Claim
from netgain.errors import ConfigError
from netgain.integrations.stateful import Level, Rows, StatefulCodec, counted, seed_everything
from netgain.records import Change, Examples, Part, Started, View
from netgain.session import Study
from netgain.stages import Filter, Loop
from netgain.suite import Suite, axis

Json = Any
System = Any
PASSED = "passed"  # name of the check: what `label` says of its own examples
OFFERED = ("round", "teacher", "budget", "rng")  # what a function of a script may ask for by name
SLOW = {"data", "curriculum", "weights"}  # surfaces on which single rounds show little: the gate mode is "advance"
STATE = {
    "parent": "the system that a round trains",
    "improver": "the system that labels, or `teacher`",
    "position": "the number of the round",
}


@dataclass(frozen=True)
class Script:
    """The functions of a training script. Either `label` and `train`, or `improve`.

    Each may ask for more by naming a parameter: `round` (from 1), `rng` (a NumPy generator), `budget` (`ng.Budget`, to
    book tokens that no module of torch counts), and in `improve` also `teacher`. All random state (random, NumPy,
    torch) is seeded before each call. A module of torch, an optimiser, or a dict of such is stored by its `state_dict`.

    Attributes:
        start: () -> system; generation 0. Called once more per process to get an empty one, unless `blank` is given.
        label: (system) -> (inputs, labels, passed), each of n rows; what the loop makes for itself, and which of it
            passes its own check. No check: pass all.
        train: (system, inputs, labels) -> None, or the new system; trains on what passed.
        improve: (system) -> None, or the new system; a whole round in one piece.
        plain: (system) -> None, or the new system; the same training without the loop's own signal, for the arm
            `ordinary`.
        answer: (system, inputs) -> outputs; left out: a module of torch as a classifier, the largest of its outputs.
        blank: () -> a system of the same shape, if `start` takes long.
        surfaces: what a round changes; left out: data and weights with `label`, else weights.
    """

    start: Callable[..., System]
    label: Callable[..., Any] | None = None
    train: Callable[..., System | None] | None = None
    improve: Callable[..., System | None] | None = None
    plain: Callable[..., System | None] | None = None
    answer: Callable[..., Sequence[Json]] | None = None
    blank: Callable[[], System] | None = None
    surfaces: Sequence[str] = ()

    def __post_init__(self) -> None:
        for one in fields(self):
            given = getattr(self, one.name)
            if given is not None and one.name != "surfaces" and not callable(given):
                raise ConfigError(
                    f"{one.name} is {given!r}, expected a function", fix=f"give your script's `{one.name}`"
                )
        if (self.label is None) != (self.train is None) or (self.label is None) == (self.improve is None):
            given = [name for name in ("label", "train", "improve") if getattr(self, name)]
            what = f"a round from {', '.join(given) or 'nothing'}, expected `label` and `train`, or `improve`"
            raise ConfigError(what, fix="give both halves of a round, or the whole of it")
        for name in ("label", "train", "improve", "plain", "answer"):
            if (function := getattr(self, name)) is not None:
                _check_parameters(name, function, 3 if name == "train" else 2 if name == "answer" else 1)

    # ---- the loop

    def _started(self, rng: Any) -> Started:
        """Generation 0, and the rows that training it took."""
        seed_everything(rng)
        budget = Budget()
        with counted() as rows:
            system = _call(self.start, (), {"rng": rng, "budget": budget})
        self._book(self.start, budget, rows)
        return Started(system, budget.spent)

    def _proposed(self, view: View) -> Change:
        """A round of `label`, or all of it where it is in one piece."""
        at = (view.state or {"round": 0})["round"] + 1
        return self._labelled(view, at) if self.label else self._improved(view, at)

    def _labelled(self, view: View, at: int) -> Change:
        seed_everything(view.rng)
        inputs: list[Json] = []
        labels: list[Json] = []
        passed: list[bool] = []
        with counted() as rows:
            for _ in range(_times(view.budget)):
                made = _call(self.label, (view.improver,), {"round": at, "rng": view.rng, "budget": view.budget})
                for column, values in zip((inputs, labels, passed), _columns(made), strict=True):
                    column.extend(values)
        self._book(self.label, view.budget, rows)
        view.budget.spend(calls=0)  # rounds of training are counted, and that is none
        data, why = "data" if "data" in self.opened else self.opened[0], f"{len(inputs)} rows that the script labelled"
        part = Part(data, Examples(inputs, labels), reason=why, options=len(inputs))
        return Change([part], {"round": at}, {PASSED: [bool(one) for one in passed]})

    def _improved(self, view: View, at: int) -> Change:
        seed_everything(view.rng)
        offered = {"round": at, "teacher": view.improver, "rng": view.rng}
        system = self._rounds(self.improve, view.parent, (), offered, view.budget)
        return Change([Part(self.opened[0], system, reason="one round of the script")], {"round": at})

    def _built(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """A round of `train` on what passed; a round that was proposed whole is there already."""
        kept = change.examples
        if kept is None:
            budget.spend(tokens=0, calls=0)
            return change.parts[0].payload
        seed_everything(rng)
        columns = (_as_given(kept.inputs), _as_given(kept.labels))
        if not kept.labels:
            budget.spend(tokens=0, calls=0)
            return parent  # nothing passed: nothing to train on, and few scripts expect that
        offered = {"round": (change.state or {"round": 1})["round"], "rng": rng}
        return self._rounds(self.train, parent, columns, offered, budget)

    def _ordinary(self, view: View) -> Change:
        """A round of `plain`."""
        seed_everything(view.rng)
        at = (view.state or {"round": 0})["round"] + 1
        system = self._rounds(self.plain, view.parent, (), {"round": at, "rng": view.rng}, view.budget)
        plain = Part("weights" if "weights" in self.opened else self.opened[0], system, decided_by="rule")
        return Change([plain], {"round": at})

    def _answered(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> Sequence[Json]:
        """What a system answers."""
        seed_everything(rng)
        with counted() as rows:
            given = _call(self.answer or classified, (system, list(inputs)), {"rng": rng, "budget": budget})
        self._book(self.answer, budget, rows)
        budget.spend(calls=len(inputs))
        return [_plain(one) for one in given]

    def _rounds(
        self, function: Any, system: System, given: tuple[Any, ...], offered: dict[str, Any], budget: Budget
    ) -> System:
        """A round; the whole horizon's in one step; and then more of the same until the control is level with the loop.

        The last of these further rounds ends at the batch with which it is level, where the function edits its system
        in place: of one that gives a new system, a round that was cut would be lost.
        """
        done, due, in_place = 0, budget.tokens, True
        while done < _times(budget) or (due is not None and budget.spent.get("tokens", 0) < due):
            before = budget.spent.get("tokens", 0)
            cut = in_place and done >= _times(budget) and not _asks(function)
            enough = due - before if due is not None and cut else None
            with counted(enough) as rows:
                try:
                    made = _call(function, (system, *given), {**offered, "budget": budget})
                    in_place = made is None or made is system
                    system = system if made is None else made
                except Level:
                    pass  # between two batches: what was trained so far stands
            self._book(function, budget, rows)
            budget.spend(calls=1)
            done += 1
            if due is not None and budget.spent.get("tokens", 0) == before:
                break  # it counts nothing, so that no number of rounds would do
        return system

    def _book(self, function: Any, budget: Budget, rows: Rows | None) -> None:
        """Rows that were counted. A function that asks for the budget books itself; what nobody counts is unknown."""
        if rows is not None and not (function and _asks(function)):
            budget.spend(tokens=rows.seen)

    @property
    def opened(self) -> tuple[str, ...]:
        """The surfaces."""
        return tuple(self.surfaces) or (("data", "weights") if self.label else ("weights",))

    def loop(self) -> Loop:
        """The script as a loop, with the controls that its functions allow."""
        teaches = self.label is not None or "teacher" in _parameters(self.improve)
        why = "the round has no `teacher`: what improves and what is improved are one"
        return Loop(
            self._started, self._proposed, self._answered, build=self._built,
            ordinary=self._ordinary if self.plain else None,
            filters=(Filter(PASSED, ("filter",)),) if self.label else (),
            state=STATE, not_testable={} if teaches else {"stacked": why, "improver_only": why},
            surfaces=self.opened, gate="advance" if set(self.opened) <= SLOW else "strict", sees_accepted=False,
            codec=StatefulCodec(self._empty),
        )  # fmt: skip

    def _empty(self) -> System:
        import numpy as np

        make = self.blank or self.start
        return _call(make, (), {"rng": np.random.default_rng(0), "budget": Budget()})


def record(
    script: Script, items: Callable[[int, int], tuple[Json, ...]] | Suite, *, by: float, expected: float | None = None,
    rounds: int = 5, replicas: int = 6, rung: str | None = None,
) -> Study:  # fmt: skip
    """A training script as a study: its loop beside control arms, from many starts, to a verdict.

    Keep it as a name of the script's top level and call `study.run(FOLDER)` below `if __name__ == "__main__":`. What it
    claims can be changed with `dataclasses.replace`, or in the files of `netgain init DIR --from script.py:study`.

    Args:
        script: its functions.
        items: (seed, index) -> (input, target), asked of `script.answer`, scored as equal or not; or a whole
            `ng.Suite`, whose first axis the claim is then about.
        by: claimed net gain, in score units.
        expected: the one that you expect, so that `plan` can say whether the study can show it.
        rounds: of a run.
        replicas: independent starts.
        rung: how much is claimed; left out: R2 where the script has what it needs (`label`, `train`, `plain`), else R1.

    Raises:
        ConfigError: a function is missing or has parameters that nothing fills; a rung needs what the script lacks.
    """
    suite = items if isinstance(items, Suite) else _suite(items)
    loop = script.loop()
    lacking = {name: missing_piece(arm_named(name, loop), loop) for name in required_controls("R2", (), loop)}
    claimed = rung or ("R1" if any(lacking.values()) else "R2")
    if claimed not in RUNGS[1:]:
        raise ConfigError.unknown("rung", claimed, RUNGS[1:])
    needed = required_controls(claimed, (), loop)
    for name in needed:
        if (why := missing_piece(arm_named(name, loop), loop)) is not None:
            raise ConfigError(f"rung {claimed} needs the arm `{name}`: {why}", fix="give it, or claim a lower rung")
    more = [name for name in ("ordinary", "stacked") if missing_piece(arm_named(name, loop), loop) is None]
    beats = ("frozen", "ordinary") if "ordinary" in more else ("frozen",)
    claim = Claim(suite.gate_axis.name, by, beats, claimed, expected=expected)
    return Study(loop, suite, list(dict.fromkeys(("self", *needed, *more))), claim, replicas=replicas, rounds=rounds)


def _suite(items: Any) -> Suite:
    if not callable(items):
        what = f"items is {type(items).__name__} {items!r:.60}, expected a function (seed, index) -> (input, target)"
        raise ConfigError(what, fix="give one that draws an item from its seed, or a whole `ng.Suite`")
    return Suite([axis("right", items, gate_items=100, report_items=100, sealed_items=400)])


def classified(system: System, inputs: Sequence[Json]) -> list[int]:
    """The class that a module of torch gives each input: the place of the largest number on its last axis."""
    import torch

    system.eval()
    with torch.no_grad():
        return [int(one) for one in system(torch.tensor(inputs)).argmax(-1)]


def _check_parameters(name: str, function: Callable[..., Any], given: int) -> None:
    """Refuse a function that wants what nothing fills, before anything runs."""
    every = list(_parameters(function).values())
    plain = [one for one in every if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if every and len(plain) < given and not any(one.kind is one.VAR_POSITIONAL for one in every):
        what = f"{name} takes {len(plain)} arguments, expected {given}"
        raise ConfigError(what, fix="see `netgain.Script` for what it is given")
    free = [*plain[given:], *(one for one in every if one.kind is one.KEYWORD_ONLY)]
    unfilled = [one.name for one in free if one.default is one.empty and one.name not in OFFERED]
    if unfilled:
        raise ConfigError.unknown(f"parameter of {name}", unfilled[0], OFFERED)


def _call(function: Any, given: tuple[Any, ...], offered: dict[str, Any]) -> Any:
    """Call with what is always given, and with what it asks for by name."""
    named = list(_parameters(function))[len(given) :]
    return function(*given, **{name: offered[name] for name in named if name in offered})


def _asks(function: Callable[..., Any]) -> bool:
    return "budget" in _parameters(function)


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    """By name, in order; none for a function in C that does not say, such as `list`."""
    try:
        return dict(inspect.signature(function).parameters)
    except ValueError:
        return {}


def _times(budget: Budget) -> int:
    return max(1, round(budget.scale))


def _columns(made: Any) -> list[list[Json]]:
    """Three columns of equal length, as JSON values.

    Raises:
        ValueError: not three, or not of equal length.
    """
    given = made if isinstance(made, tuple | list) else []
    columns = [list(_plain(one)) for one in given if hasattr(one, "__len__")]
    if len(columns) != 3 or len({len(column) for column in columns}) != 1:
        sizes = [len(column) for column in columns]
        raise ValueError(f"label gave columns of {sizes} rows, expected inputs, labels, passed, of equal length")
    return columns


def _plain(value: Any) -> Any:
    """Tensors and arrays as lists and numbers; anything else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def _as_given(column: Sequence[Json]) -> Any:
    """Numbers as a tensor, where the script has torch, or as an array; anything else as a list."""
    import sys

    import numpy as np

    values = list(column)
    flat = values[0] if values else None
    while isinstance(flat, list):
        flat = flat[0] if flat else None
    if not isinstance(flat, bool | int | float):
        return values
    if (torch := sys.modules.get("torch")) is not None:
        return torch.tensor(values)
    return np.array(values)
