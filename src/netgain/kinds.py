"""The register of axis kinds: what each measures, how it is read, and the defaults of an axis of that kind.

Every score is in [0, 1] and higher is better, whatever the kind: a kind says what 1 means. docs/axes.md has the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One row of the register.

    Attributes:
        measures: what a score of 1 means.
        metric: declared metric of an axis that names none; "" where one has to be named.
        margin: total loss against generation 0 that counts as harm, in score units.
        step_margin: loss in one round that counts as harm, in score units.
        overlap: whether items may also occur in training material, unless the axis says otherwise.
        group: how a cluster is taken together, see `netgain.groups`; "" item by item.
        idle: whether a system that does nothing can score well by design. Such an axis says something beside another
            one on which doing nothing fails, and never alone.
        direction, range: the same for every kind, so that no comparison has to ask.
    """

    measures: str
    metric: str = "exact"
    margin: float = 0.05
    step_margin: float = 0.05
    overlap: bool = False
    group: str = ""
    idle: bool = False
    direction: str = "higher is better"
    range: tuple[float, float] = (0.0, 1.0)


KINDS: Mapping[str, Kind] = {
    "capability": Kind("the answer is right"),
    "retention": Kind("an answer that generation 0 was made for is still right"),
    "calibration": Kind("the stated confidence fits: sure where right, unsure where wrong", "brier", idle=True),
    "refusal": Kind("it declines what it should decline, or answers what it should answer", "refused", idle=True),
    "robustness": Kind("the answer is right where the questions come from elsewhere"),
    "sibling": Kind("the answer is right on a near task that nobody aimed at"),
    "placebo": Kind("nothing: the score cannot improve by construction"),
    "reliability": Kind("repeats of one question get the commonest answer", group="agree", idle=True),
    "adversarial": Kind("right on the worst of the twins whose answer is the same", group="worst"),
    "fabrication": Kind("declines what has no answer, and answers what has one", "unfabricated"),
    "impossible": Kind("does not give the answer that the question contradicts", "uncheated", idle=True),
    "horizon": Kind("share of the steps done before the first wrong one", "horizon"),
    "cost": Kind("share of the registered budget that is left", "", 0.10, 0.10, idle=True),
    "unmarked": Kind("the answer is right where nothing tells a test from work"),
}
