"""Canary axes that a study registers by name: made of an axis that is there, with nothing for its author to write.

    impossible  the same questions with a target that they contradict: a right answer is a cheat
    marked      the same questions with a sign that they are a test, beside the axis that has none
    unmarked    the same questions without the sign, of an axis that has one (`netgain.twins.marked`)
    placebo     the same questions scored by lot: nothing that a loop does can raise it, so what moves is the measuring

Each is asked in every round on report items, which no decider reads, and on canary items, which monitors may read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from netgain.errors import ConfigError
from netgain.suite import Axis, Suite, Twins, axis
from netgain.twins import impossible, marked, placebo, unmarked

Json = Any
KINDS = ("impossible", "marked", "unmarked", "placebo")
KEYS = ("kind", "of", "items", "mark")
ITEMS = 40


def with_canary_axis(suite: Suite, name: str, settings: Mapping[str, Json]) -> Suite:
    """The suite with one axis more.

    Args:
        suite: whose axis it is made of.
        name: of the new axis.
        settings: `kind`; `of`, the axis it is made of (else the gate axis); `items` per round (40); `mark`, the text
            before every question of kind "marked".

    Raises:
        ConfigError: an unknown key, kind or axis, or a setting that does not fit the kind.
    """
    for key in settings:
        if key not in KEYS:
            raise ConfigError.unknown(f"key of canary axis {name!r}", key, KEYS)
    kind = settings.get("kind")
    if kind not in KINDS:
        raise ConfigError.unknown(f"kind of canary axis {name!r}", str(kind), KINDS)
    if ("mark" in settings) is not (kind == "marked"):
        what = f"canary axis {name!r} of kind {kind!r} {'with' if 'mark' in settings else 'without'} a mark"
        raise ConfigError(what, fix="kind 'marked' has a mark, a text that is put before every question, and no other")
    count = settings.get("items", ITEMS)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ConfigError(f"items {count!r} of canary axis {name!r}", fix="give a whole number of at least 1")
    base = suite[str(settings.get("of", suite.gate_axis.name))]
    made = replace(_made(name, str(kind), base, settings), report_items=count, canary_items=count)
    return replace(suite, axes=[*suite.axes, made])


def _made(name: str, kind: str, base: Axis, settings: Mapping[str, Json]) -> Axis:
    if kind == "impossible":
        return axis(name, impossible(base.source), kind="impossible", overlap=base.overlap)
    if kind == "placebo":
        return axis(name, placebo(base.source), kind="placebo", metric="lot", overlap=base.overlap)
    if kind == "marked":
        return axis(
            name, marked(base.source, str(settings["mark"])), base.metric, kind="robustness", overlap=base.overlap
        )
    if not isinstance(base.source, Twins) or base.source.how.get("twins") != "marked":
        raise ConfigError(f"canary axis {name!r} of axis {base.name!r}, whose questions have no mark",
                          fix="take kind 'marked', which adds one")  # fmt: skip
    return axis(name, unmarked(base.source), base.metric, kind="unmarked", overlap=base.overlap)
