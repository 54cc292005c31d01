"""All numbers of the `length` recipe that can move a result, by size. No torch: the coordinator reads them too."""

from __future__ import annotations

from dataclasses import dataclass, field

HEAD = 16  # width of an attention head


@dataclass(frozen=True)
class Shape:
    """Size of the decoder: at least 2 layers, `width` a multiple of HEAD."""

    layers: int = 3
    width: int = 64
    hidden: int = 256

    def __post_init__(self) -> None:
        if self.layers < 2 or self.width % HEAD:
            raise ValueError(f"{self!r}: layers must be at least 2 and width a multiple of {HEAD}")


@dataclass(frozen=True)
class Stage:
    """Learning rate over the steps of one stage: linear warm-up, flat, then linear to `floor` * peak."""

    steps: int
    batch: int = 64
    peak: float = 2e-3
    warmup: int = 0
    fall: float = 0.25
    floor: float = 0.02

    def rate(self, step: int) -> float:
        """Learning rate at a step counted from 0; `fall` is the share of the steps on the way down."""
        left = (self.steps - step) / max(1.0, self.fall * self.steps)
        return self.peak * min((step + 1) / max(1, self.warmup), 1.0, self.floor + (1 - self.floor) * left)


@dataclass(frozen=True)
class Size:
    """All numbers of a run that can move its result, in steps, strings and symbols."""

    target: int
    rounds: int
    shape: Shape = field(default_factory=Shape)
    base_length: int = 5
    base: Stage = field(default_factory=lambda: Stage(1500, 32, peak=4e-3, warmup=100))
    round: Stage = field(default_factory=lambda: Stage(160, 32, peak=3e-3, warmup=10, fall=0.5))
    own: int = 1000
    advance: float = 0.5
    refused: float = 0.02
    decay: float = 0.01


# Strings of these tasks take longer to learn; measured on a few seeds: with the numbers of `reverse` the base of
# `addition` knows a fifth of its own lengths.
SLOWER_BASE = Stage(4000, 64, peak=3e-3, warmup=100)
SLOWER_ROUND = Stage(200, 64, peak=2e-3, warmup=10, fall=0.5)

SIZES = {
    "tiny": Size(
        target=6,
        rounds=5,
        shape=Shape(3, 32, 128),
        base_length=3,
        base=Stage(700, 32, peak=6e-3, warmup=50),
        round=Stage(100, 32, peak=4e-3, warmup=10, fall=0.5),
        own=400,
    ),
    "default": Size(
        target=12,
        rounds=7,
        base=Stage(2200, 32, peak=4e-3, warmup=100),  # a base that knows its own lengths well: weak ones stall
        round=Stage(140, 32, peak=3e-3, warmup=10, fall=0.5),
        advance=0.35,
    ),
    "full": Size(12, 8),
}
