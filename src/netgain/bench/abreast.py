"""Training models of `length` abreast, against the same trainings one by one: CPU seconds on one thread, size tiny.

Both ways run in as many workers as a study has, so the ratio of one worker is that of all.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import replace

from netgain.bench.measurement import Measurement, Scale

MODELS = (1, 2, 6, 12)
STEPS = 40


def measure(scale: Scale) -> list[Measurement]:
    """Milliseconds of CPU per model and step, for several numbers of models; the two ways in turn."""
    if importlib.util.find_spec("torch") is None:
        return [Measurement(name="abreast.12", what="models abreast", unit="ms of CPU", skipped="torch: not installed")]
    return [_measured(count, scale) for count in (MODELS if scale.share == 1.0 else MODELS[:2])]


def _measured(count: int, scale: Scale) -> Measurement:
    import numpy as np
    import torch

    from netgain.recipes.length import abreast, train
    from netgain.recipes.length.sizes import SIZES

    torch.set_num_threads(1)
    steps = scale.of(STEPS, 2)
    size = replace(SIZES["tiny"], base=replace(SIZES["tiny"].base, steps=steps))
    given = [train.base_of("reverse", size, np.random.default_rng(seed)) for seed in range(count)]
    abreast.fit_abreast(given[:2])  # what is paid once
    ours, theirs = [], []
    for _ in range(scale.repeats):
        theirs.append(_cpu(lambda: [train.fit(one) for one in given]))
        ours.append(_cpu(lambda: abreast.fit_abreast(given)))
    return Measurement(
        name=f"abreast.{count}", what=f"{count} models of `length` abreast, {steps} steps: per model and step",
        unit="ms of CPU", values=[1e3 * one / (count * steps) for one in ours], rival="separate trainings",
        ratios=[one / other for one, other in zip(theirs, ours, strict=True)],
    )  # fmt: skip


def _cpu(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began
