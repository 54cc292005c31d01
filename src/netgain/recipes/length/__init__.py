"""`length`: weights that improve on data the system made and checked itself.

A decoder without position encoding is trained from scratch on strings of 1 to 5 symbols. Then, round by round, it
answers unlabelled strings one symbol longer, keeps the answers that pass its own check, trains on them, and goes on.
Published anchor: Lee et al. 2025 (arXiv 2502.01612); numbers of every size are in `sizes.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.generators import Strings
from netgain.metric import answer_of
from netgain.recipes import Built
from netgain.recipes.length.bank import published
from netgain.recipes.length.options import Options, options_of
from netgain.stages import Filter, Loop, Probe, Transplant
from netgain.suite import Axis, Suite, axis

NOTES = {
    "task": "reverse, copy or addition",
    "plant": "a pathology to see detectors at work: forget, forget_all, hasty, biased, shuffled, harness, exploit, "
    "silent, leak5, leak15, leak30 (these three with items=bank); none",
    "items": "of the ladder: fresh (made anew from a secret), bank (published)",
    "scorer": "of the ladder: exact, symbols (any order will do) with the exact one beside it",
    "abreast": "whether the models of several runs are trained as one stack of matrix products: true, false",
    "check": "the system's own check: cycle (reverse), commute (addition), vote, none",
}
DISAGREE = (
    0.2  # share of items on which a scorer and its second one may differ: honest slips are up to .15 at size tiny
)
STATE = {
    "parent": "weights",
    "improver": "the weights that answer and check (with `vote` also the other two bases), and the pacing rule",
    "position": "pool of kept answers, length",
}
ARMS = (
    "self",
    "frozen",
    "ordinary",
    "placebo",
    "flat",
    "stacked",
    "unguarded:{check}.filter",
    "sampled",
    "ungated",
    "random_search",
)
MORE_ARMS = (
    "one_step",
    "stacked+placebo",
    "unguarded:{check}.pace",
    "unguarded:{check}",
    "oracle",
    "shuffled",
)


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options. Torch is imported when a worker first runs the loop, not here."""
    options = options_of(given)
    if device != "cpu":
        raise ConfigError(f"device {device!r}", fix="`length` runs on 'cpu': its batches are too small for more")
    size = options.numbers
    filters = () if options.check == "none" else (Filter(options.check),)
    names = ARMS + (MORE_ARMS if options.size == "full" else ())
    arms = tuple(name.format(check=options.check) for name in names if options.check != "none" or "{check}" not in name)
    return Built(
        loop=_loop(options, filters), suite=suite_of(options), claim=claim_of(arms), arms=arms, rounds=size.rounds,
        options=_settings(options), notes=NOTES, imports=("netgain.recipes.length.steps",),
    )  # fmt: skip


def _settings(options: Options) -> dict[str, Any]:
    """Options as written into a study: those that came later only where they are set, so that older ones stay equal."""
    later = {
        name: value
        for name in ("items", "scorer", "abreast")
        if (value := getattr(options, name)) != getattr(Options, name)
    }
    return {"task": options.task, "check": options.check, "plant": options.plant, **later}


def _loop(options: Options, filters: tuple[Filter, ...]) -> Loop:
    late = _Late(options)
    return Loop(
        late("start"), late("propose"), late("answer"), build=late("build"),
        build_many=late("build_many") if options.abreast else None,
        ordinary={"restarts": late("ordinary"), "long": late("ordinary")}, sampled=late("sampled"),
        oracle=late("oracle"), own_score=late("own_score") if options.check != "none" else None,
        filters=filters, probes=(Probe("representation", late("representation")),), state=STATE,
        surfaces=("data", "curriculum", "weights"), gate="advance", codec=_Codec(),
        sees_accepted=False, closable=("data", "curriculum"),
        transplant=Transplant(late("transplant"), late("drifted")),
        not_testable={"random_search": "it has no separate meaning here: a proposal is a batch of own answers"},
    )  # fmt: skip


@dataclass(frozen=True)
class _Late:
    """Functions of `steps.py`, imported (and torch with it) when they are first called."""

    options: Options

    def __call__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            from netgain.recipes.length import steps

            return getattr(steps, name)(self.options, *arguments)

        return call


class _Codec:
    """Weights as safetensors."""

    def encode(self, system: Any) -> bytes:
        from netgain.recipes.length import steps

        return steps.encode(system)

    def decode(self, data: bytes) -> Any:
        from netgain.recipes.length import steps

        return steps.decode(data)


def claim_of(arms: tuple[str, ...]) -> Claim:
    """The default claim: attributable and sustained net gain on the ladder, against every control of the study."""
    controls = ("frozen", "ordinary", "placebo", "flat", "stacked", "sampled")
    return Claim("ladder", by=0.3, beats=tuple(name for name in controls if name in arms), rung="R4", expected=0.45)


def suite_of(options: Options) -> Suite:
    """Axes: the ladder decides; retention, calibration and refusal in both directions guard; the rest is reported."""
    task, size = options.task, options.numbers
    base = tuple(range(1, size.base_length + 1))
    ladder = tuple(range(size.base_length + 1, size.target + 3))
    beyond = (size.target + 3, size.target + 4)
    even = tuple(length for length in ladder if length % 2 == 0)
    climb: Any = published(options) if options.items == "bank" else Strings(task, ladder)
    short = Strings(task, base)
    scored: dict[str, Any] = {}
    if options.scorer == "symbols":
        scored = {"metric": same_symbols, "second": "exact", "disagree": DISAGREE}
    return Suite(
        (
            _axis("ladder", climb, 8 * len(ladder), 20 * len(ladder), 60 * len(ladder), margin=0.10, moment=0.15,
                  **scored),
            _axis("retention", short, 60, 40, 300, kind="retention", guard=True, moment=0.03, overlap=True),
            _axis("calibration", short, 60, 40, 300, "brier", kind="calibration", guard=True, moment=0.02,
                  overlap=True),
            _axis("answers", short, 60, 40, 300, "answered", kind="refusal", guard=True, moment=0.02, overlap=True),
            _axis("refuses", Strings(task, base, "malformed"), 60, 30, 300, "refused", kind="refusal", guard=True,
                  moment=0.03, overlap=True),
            _axis("target", Strings(task, (size.target,)), 0, 40, 120),
            _axis("robustness", Strings(task, beyond), 0, 40, 60, kind="robustness"),
            _axis("calibration_long", climb, 0, 8 * len(ladder), 30 * len(ladder), "brier", kind="calibration"),
            _axis("sibling", Strings(task, even, "doubled"), 0, 24, 120, kind="sibling"),
            _axis("dice", Strings(task, base, "dice"), 0, 20, 150, "first", kind="placebo", overlap=True),
        ),
        block=8 * len(ladder), max_pairs=48 * len(ladder), design_gain=0.08,
    )  # fmt: skip


def same_symbols(output: Any, target: str) -> float:
    """A scorer with a hole: 1 for the right symbols in any order. To copy the question is enough for it."""
    return float(sorted(str(answer_of(output))) == sorted(target))


def _axis(name: str, source: Any, gate: int, report: int, sealed: int, metric: Any = "exact", **options: Any) -> Axis:
    return axis(name, source, metric, gate_items=gate, report_items=report, sealed_items=sealed, **options)
