"""An Optuna search as a loop: does what it found hold on sealed items, and is it more than random draws find?

The objective is the user's own and unchanged: `(trial) -> float`, on data that the search may look at. What it likes
best so far is the system. Every round adds trials; what earlier rounds tried is the loop's position. A trial that
failed, or whose value is no finite number, is a failed trial, not a bad one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from netgain.budget import Budget
from netgain.errors import ConfigError
from netgain.integrations.stateful import SEEDS, seed_everything
from netgain.records import Change, Part, Started, View
from netgain.stages import Loop

Json = Any
DIRECTIONS = ("maximize", "minimize")
STATE = {
    "parent": "the parameters that a search begins with",
    "improver": "the sampler, which never changes",
    "position": "all trials so far, with their values",
}


@dataclass(frozen=True)
class Tuning:
    """A search for parameters.

    Attributes:
        objective: (trial) -> float; as for `optuna.Study.optimize`.
        answer: (parameters, inputs) -> outputs; how the tuned system is asked.
        first: parameters of generation 0; also the first trial of every search.
        trials: of one round; each is booked as one call.
        direction: "maximize" or "minimize".
        sampler: seed -> a sampler; left out: `TPESampler(seed=seed)`.
        surfaces: what the parameters belong to.
    """

    objective: Callable[[Any], float]
    answer: Callable[[Mapping[str, Any], Sequence[Json]], Sequence[Json]]
    first: Mapping[str, Any]
    trials: int = 10
    direction: str = "maximize"
    sampler: Callable[[int], Any] | None = None
    surfaces: Sequence[str] = field(default=("training",))

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise ConfigError.unknown("direction", self.direction, DIRECTIONS)
        if self.trials < 1:
            raise ConfigError(f"trials {self.trials!r} of a round", fix="give a whole number of at least 1")

    def loop(self) -> Loop:
        """The search as a loop, beside random draws of as many trials."""
        return Loop(
            self._started, self._proposed, self._answered, random_search=self._random, state=STATE,
            not_testable=dict.fromkeys(("stacked", "improver_only"), "the sampler never changes"),
            surfaces=self.surfaces, sees_accepted=False,
        )  # fmt: skip

    def _started(self, rng: Any) -> Started:
        return Started(dict(self.first), {"calls": 0})

    def _proposed(self, view: View) -> Change:
        return self._round(view, (self.sampler or _tree_structured)(_seed(view)), "the sampler")

    def _random(self, view: View) -> Change:
        return self._round(view, optuna().samplers.RandomSampler(seed=_seed(view)), "random draws")

    def _round(self, view: View, sampler: Any, who: str) -> Change:
        """So many more trials, and the parameters that are best of all so far."""
        library = optuna()
        search = library.create_study(direction=self.direction, sampler=sampler)
        past = (view.state or {"trials": []})["trials"]
        for one in past:
            search.add_trial(_trial(one))
        if not past:
            search.enqueue_trial(dict(view.parent))
        seed_everything(view.rng)
        tried = self.trials * max(1, round(view.budget.scale))
        search.optimize(self._finite, n_trials=tried, catch=(Exception,))
        view.budget.spend(calls=tried)
        records = [_record(one) for one in search.trials]
        right = [one for one in records if one["value"] is not None]
        best = dict(search.best_params) if right else dict(view.parent)
        seen = {"best": search.best_value if right else None, "failed": len(records) - len(right)}
        part = Part(
            self.surfaces[0], best, reason=f"best of {len(records)} trials by {who}", options=tried, evidence=seen
        )
        return Change([part], {"trials": records})

    def _finite(self, trial: Any) -> float:
        """The objective's value.

        Raises:
            ValueError: it is no finite number.
        """
        value = float(self.objective(trial))
        if not math.isfinite(value):
            raise ValueError(f"objective gave {value!r}, expected a finite number")
        return value

    def _answered(self, system: Mapping[str, Any], inputs: Sequence[Json], budget: Budget, rng: Any) -> Sequence[Json]:
        seed_everything(rng)
        budget.spend(calls=len(inputs))
        return list(self.answer(system, inputs))


def optuna() -> Any:
    """The library, quiet.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import optuna as library
    except ImportError:
        raise ConfigError("a search by Optuna needs the package optuna", fix="pip install 'netgain[optuna]'") from None
    library.logging.set_verbosity(library.logging.ERROR)
    return library


def _tree_structured(seed: int) -> Any:
    return optuna().samplers.TPESampler(seed=seed)


def _seed(view: View) -> int:
    return int(view.rng.integers(SEEDS) % (1 << 32))


def _record(trial: Any) -> dict[str, Json]:
    """A trial as JSON; value None: it failed."""
    as_text = optuna().distributions.distribution_to_json
    spaces = {name: as_text(one) for name, one in trial.distributions.items()}
    return {
        "params": dict(trial.params),
        "spaces": spaces,
        "value": trial.value if trial.state.name == "COMPLETE" else None,
    }


def _trial(record: Mapping[str, Json]) -> Any:
    library = optuna()
    spaces = {name: library.distributions.json_to_distribution(one) for name, one in record["spaces"].items()}
    states = library.trial.TrialState
    return library.trial.create_trial(
        params=record["params"], distributions=spaces, value=record["value"],
        state=states.FAIL if record["value"] is None else states.COMPLETE,
    )  # fmt: skip
