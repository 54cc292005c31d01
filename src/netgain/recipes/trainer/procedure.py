"""A training procedure as eleven numbers, each in a box: optimiser, schedule, loss, augmentation, width and depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SLICES = 4  # parts of a training; a procedure has numbers for each of them
BOXES = {
    "log10 of the rate": (-2.5, 0.3),
    "digits of the momentum": (0.0, 1.5),  # 1 - 10^-x
    "log10 of the weight decay": (-6.0, -1.5),
    "log2 of the batch": (4.0, 7.0),
    "fall of the rate": (0.0, 1.0),  # share of it that is gone at the end
    "Adam above one half": (0.0, 1.0),
    "label smoothing": (0.0, 0.3),
    "share of images moved by a pixel": (0.0, 1.0),
    "pixel noise": (0.0, 0.3),
    "log2 of the width": (3.0, 6.0),
    "hidden layers": (0.5, 3.49),
}
NAMES = tuple(BOXES)
LOW, HIGH = (np.array([box[side] for box in BOXES.values()]) for side in (0, 1))
UNIT = (HIGH - LOW) / 4.0  # what a step of 1 means
ARCHITECTURE = np.arange(len(NAMES)) >= 9  # width and depth; the others are training
PLAIN = np.array([-0.7, 0.0, -4.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 1.0])  # generation 0: 64-32-10, SGD at .2
RATE = 0


@dataclass(frozen=True)
class Procedure:
    """What a row of numbers means; shares in [0, 1], noise in pixel units of [0, 1]."""

    rate: float
    momentum: float
    decay: float
    batch: int
    fall: float
    adam: bool
    smoothing: float
    moved: float
    noise: float
    width: int
    depth: int


def procedure(row: Floats) -> Procedure:
    """The procedure of (11,) numbers."""
    rate, digits, decay, batch, fall, adam, smoothing, moved, noise, width, depth = (float(one) for one in row)
    return Procedure(
        10.0**rate, 1.0 - 10.0**-digits, 10.0**decay, round(2.0**batch), fall, adam > 0.5, smoothing, moved, noise,
        round(2.0**width), round(depth),
    )  # fmt: skip


def admissible(rows: Floats) -> Floats:
    """Into the boxes."""
    return np.clip(rows, LOW, HIGH)
