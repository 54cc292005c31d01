"""Monitors of a loop: pure functions of recorded numbers, with stated error rates, registered in the claim.

`MONITORS` maps the name of a monitor to its constructor, whose defaults can all be overridden by keyword; `from_json`
makes one from what a claim holds. docs/monitors.md has the table of what each reads and how often it errs.
"""

from collections.abc import Callable, Mapping
from typing import Any

from netgain.errors import ConfigError
from netgain.monitors.agreement import agreement
from netgain.monitors.audit import label_accuracy
from netgain.monitors.behaviour import behaviour
from netgain.monitors.cheats import cheats
from netgain.monitors.diversity import fewer
from netgain.monitors.drift import drift
from netgain.monitors.flips import negative_flips, net_loss
from netgain.monitors.kept import kept_share, kept_trend
from netgain.monitors.leaks import leak
from netgain.monitors.losses import non_finite, own_against_outside, spikes
from netgain.monitors.metering import unbooked
from netgain.monitors.overoptimisation import proxy_gold_gap, yardstick
from netgain.monitors.progress import convergence, futility, harm
from netgain.monitors.raters import self_preference
from netgain.monitors.representation import cka, norm, rank
from netgain.monitors.signal import Action, Monitor, Signal, reasons_to_stop
from netgain.monitors.stopping import budget, canary, divergence, oscillation, rollbacks
from netgain.monitors.trend import trend

__all__ = ["MONITORS", "Action", "Monitor", "Signal", "from_json", "reasons_to_stop"]

MONITORS: dict[str, Callable[..., Monitor]] = {
    "agreement": agreement,
    "behaviour": behaviour,
    "budget": budget,
    "canary": canary,
    "cheats": cheats,
    "cka": cka,
    "convergence": convergence,
    "divergence": divergence,
    "diversity": fewer,
    "drift": drift,
    "effective_rank": rank,
    "futility": futility,
    "harm": harm,
    "kept_share": kept_share,
    "kept_trend": kept_trend,
    "label_accuracy": label_accuracy,
    "leak": leak,
    "negative_flips": negative_flips,
    "net_loss": net_loss,
    "non_finite": non_finite,
    "norm": norm,
    "oscillation": oscillation,
    "own_against_outside": own_against_outside,
    "proxy_gold_gap": proxy_gold_gap,
    "rollbacks": rollbacks,
    "self_preference": self_preference,
    "spikes": spikes,
    "trend": trend,
    "unbooked": unbooked,
    "yardstick": yardstick,
}
"""Every monitor that can be registered, by name."""


def from_json(record: Mapping[str, Any]) -> Monitor:
    """Return the monitor of ``Monitor.to_json``; what differs from the record is an error, not a default.

    Raises:
        ConfigError: unknown name or option, or a monitor that this version would make otherwise than it was registered.
    """
    if absent := sorted({"name", "reads", "threshold", "action", "options"} - set(record)):
        raise ConfigError(f"a registered monitor lacks {absent!r}", fix="register what `Monitor.to_json` returns")
    if record["name"] not in MONITORS:
        raise ConfigError.unknown("monitor", record["name"], MONITORS)
    chosen = {key: record[key] for key in ("reads", "threshold", "action")}
    try:
        made = MONITORS[record["name"]](**chosen, **record["options"])
    except TypeError as error:
        raise ConfigError(f"monitor {record['name']!r}: {error}", fix="take the options of its docstring") from error
    for key, value in made.to_json().items():
        if key != "false_alarm" and record.get(key) != value:
            raise ConfigError(
                f"monitor {record['name']!r} was registered with {key} {record.get(key)!r}, not {value!r}"
            )
    return made
