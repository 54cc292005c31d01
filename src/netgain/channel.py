"""What an arm does to the feedback of the loop's own checks, on our side of the wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netgain.arms import Arm
from netgain.records import Change, Examples

if TYPE_CHECKING:
    import numpy as np

    Bools = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Passed:
    """What came through the channel.

    Attributes:
        kept: examples that the build gets to see.
        shares: check name -> share shown to the pacing rule, in [0, 1].
        record: counts for the ledger: channel, kept, of, agreement with the true feedback (None without one).
    """

    kept: Examples
    shares: dict[str, float]
    record: dict[str, Any]


def pass_through(
    arm: Arm, change: Change, truth: Sequence[bool] | None, quarantined: frozenset[int], rng: np.random.Generator
) -> Passed | None:
    """Apply the arm's operation to the verdicts of all checks; None when the change holds no examples.

    Args:
        truth: (n,) whether each label is right, or None when the loop has no oracle. Used by the arm `oracle` only.
        quarantined: indices dropped on our side because they equal a measured item.
        rng: the arm's own stream: the placebo's permutation, destroyed labels.
    """
    import numpy as np

    examples = change.examples
    if examples is None:
        return None
    clean = np.array([index not in quarantined for index in range(len(examples.inputs))], dtype=bool)
    verdicts = {name: np.asarray(values, dtype=bool) for name, values in change.checks.items()}
    keep = clean & _mask(arm, verdicts, truth, clean, rng)
    shares = {name: _share(arm, name, values, truth) for name, values in verdicts.items()}
    labels = list(examples.labels)
    chosen = [int(index) for index in np.flatnonzero(keep)]
    order = [int(index) for index in rng.permutation(chosen)] if arm.channel == "shuffled" else chosen
    kept = Examples([examples.inputs[i] for i in chosen], [labels[i] for i in order])
    return Passed(kept, shares, _record(arm, verdicts, keep, len(quarantined)))


def _mask(
    arm: Arm, verdicts: dict[str, Bools], truth: Sequence[bool] | None, clean: Bools, rng: np.random.Generator
) -> Bools:
    import numpy as np

    if arm.channel == "oracle":
        return np.asarray(truth, dtype=bool)
    active = [values for name, values in verdicts.items() if (name, "filter") not in arm.disabled]
    passed: Bools = np.logical_and.reduce([clean, *active])
    if arm.channel != "placebo":
        return passed
    drawn = np.zeros(len(clean), dtype=bool)
    drawn[rng.choice(np.flatnonzero(clean), size=int(passed.sum()), replace=False)] = True
    return drawn


def _share(arm: Arm, name: str, verdicts: Bools, truth: Sequence[bool] | None) -> float:
    if (name, "pace") in arm.disabled:
        return 1.0
    values = truth if arm.channel == "oracle" and truth is not None else verdicts
    return float(sum(bool(value) for value in values)) / max(1, len(values))


def _record(arm: Arm, verdicts: dict[str, Bools], keep: Bools, quarantined: int) -> dict[str, Any]:
    """Residual agreement is the share of examples on which what was used equals the check's own verdict."""
    import numpy as np

    true_keep = np.logical_and.reduce(list(verdicts.values())) if verdicts else None
    return {
        "channel": arm.channel,
        "disabled": [".".join(pair) for pair in arm.disabled],
        "kept": int(keep.sum()),
        "of": len(keep),
        "passed": {name: int(values.sum()) for name, values in verdicts.items()},
        "agreement": float((keep == true_keep).mean()) if true_keep is not None and len(keep) else None,
        "quarantined": quarantined,
    }
