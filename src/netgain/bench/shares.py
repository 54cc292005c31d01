"""Shapley shares of five surfaces, against shapiq on the same values."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from netgain.bench.measurement import Measurement, Scale, in_turn

PLAYERS, STARTS = 5, 12
MODULE = "netgain.evidence.shapley"


def measure(scale: Scale) -> list[Measurement]:
    """All shares of twelve starts, from the scores of their 32 subsets."""
    name, what = "shapley.five", f"exact shares of {PLAYERS} surfaces in {STARTS} starts"
    if importlib.util.find_spec(MODULE) is None:
        return [Measurement(name=name, what=what, unit="starts/s", skipped=f"{MODULE} is not there yet")]
    shares = importlib.import_module(MODULE).shapley
    values, often = np.random.default_rng(7).random((STARTS, 1 << PLAYERS)), scale.of(20)
    rival = _shapiq(values)
    calls: list[Callable[[], object]] = [lambda: [shares(values) for _ in range(often)]]
    taken = in_turn(scale.repeats, *calls, *([rival] if rival else []))
    return [
        Measurement(
            name=name, what=what, unit="starts/s", values=[STARTS * often / row[0] for row in taken],
            rival="shapiq.ExactComputer" if rival else None, no_rival="shapiq: not installed",
            ratios=[row[-1] * often / row[0] for row in taken] if rival else (),
        )
    ]  # fmt: skip


def _shapiq(values: Any) -> Callable[[], object] | None:
    if importlib.util.find_spec("shapiq") is None:
        return None
    import shapiq

    def game(row: Any) -> Callable[[Any], Any]:
        return lambda coalitions: row[np.asarray(coalitions) @ (1 << np.arange(PLAYERS))]

    return lambda: [shapiq.ExactComputer(n_players=PLAYERS, game=game(row))("SV", 1) for row in values]
