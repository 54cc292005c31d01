"""A study in which everything is as claimed, so that one incident at a time can be planted in it."""

import math

from netgain.evidence.transplant import Moved
from netgain.evidence.verdict import Case, decide_verdict

STARTS = 6
PLAIN = ["frozen", "ordinary", "placebo"]
REQUIRED = {
    "R1": ["frozen"], "R2": PLAIN, "R4": PLAIN, "R5": [*PLAIN, "flat", "one_step"],
    "R6": [*PLAIN, "flat", "one_step", "stacked"],
}  # fmt: skip
SCORES = {"self": 0.9, "frozen": 0.3, "ordinary": 0.4, "placebo": 0.4, "flat": 0.5, "one_step": 0.45, "stacked": 0.5}


def verdict(starts=STARTS, scores=None, **more):
    """The verdict on six such starts, R2 claimed by .1, with `scores` replaced by arm and other fields of `Case`."""
    columns = {
        arm: one if isinstance(one, list) else [one] * starts for arm, one in {**SCORES, **(scores or {})}.items()
    }
    ready = {
        "arm": "self", "metric": "score", "by": 0.1, "rung": "R2", "beats": ["frozen"], "looks": [6, 9, 12],
        "required": REQUIRED, "rounds": 5, "scores": columns, "lost": [False] * starts,
        "guards": {"retention": (0.05, [0.0] * starts)}, "late": (0.05, [0.1] * starts), "changed": [True] * starts,
        "sibling": [0.2] * starts, "underspent": {arm: 0.0 for arm in SCORES if arm not in ("self", "frozen")},
    }  # fmt: skip
    return decide_verdict(Case(**{**ready, **more}))


def moved(starts=STARTS, **worth):
    """What moved improvers are worth on foreign starts, by name; the same in every start, None where there is none."""
    return {
        name: [None if one is None else Moved(one, math.log(one / (1 - one)))] * starts for name, one in worth.items()
    }


def rung(found, name):
    """How a rung's own test ended."""
    return next(one.result for one in found.rungs if one.name == name)
