"""All numbers of the `blend` recipe that can move a result, by size. No torch: the coordinator reads them too."""

from __future__ import annotations

from dataclasses import dataclass

from netgain.recipes.length.sizes import Shape, Size, Stage

TASK, CHECK = "reverse", "cycle"  # of `length`
FIRST_RATE = 1e-3  # of a round by generation 0: what the optimiser takes when nobody says anything
SLOWEST, FASTEST = 2.5e-4, 1.6e-2
FACTORS = (1.0, 2.0, 0.5)  # of the rate in use; the first is kept on a tie
POLICIES = ((1, "first"), (2, "check"), (6, "check"), (3, "vote"))  # tries, and how one of them is picked
WORTH = 0.02  # by how much more has to pass under a policy with more tries
TEMPERATURE = 0.7  # of all tries but the first


@dataclass(frozen=True)
class Numbers:
    """A size.

    Attributes:
        length: decoder, base, rounds and own questions, as of the recipe `length`.
        starts: of a study.
        trial: steps of a trial of one learning rate.
        asked: own questions of a trial.
        gate, report, sealed: items of the ladder for each of its lengths.
        known: gate, report and sealed items of lengths that the base was taught.
    """

    length: Size
    starts: int
    trial: int
    asked: int
    gate: int
    report: int
    sealed: int
    known: tuple[int, int, int]


SIZES = {
    "tiny": Numbers(
        Size(
            target=5,
            rounds=2,
            shape=Shape(3, 32, 128),
            base_length=3,
            base=Stage(250, 96, peak=1.2e-2, warmup=25, fall=0.4),
            round=Stage(25, 96, peak=FIRST_RATE, warmup=3, fall=0.5),
            own=150,
            advance=0.5,
        ),
        starts=6, trial=8, asked=40, gate=10, report=6, sealed=60, known=(10, 6, 60),
    ),
    "default": Numbers(
        Size(
            target=6,
            rounds=3,
            shape=Shape(3, 32, 128),
            base_length=3,
            base=Stage(400, 96, peak=1.2e-2, warmup=30, fall=0.4),
            round=Stage(40, 96, peak=FIRST_RATE, warmup=4, fall=0.5),
            own=200,
            advance=0.4,
        ),
        starts=6,
        trial=8,
        asked=50,
        gate=10,
        report=6,
        sealed=80,
        known=(10, 6, 80),
    ),
}  # fmt: skip
