"""`blend`: one loop that changes its data, its policy and its training, each of which can be closed alone.

On the task of `length` the system answers questions one symbol longer and keeps what passes its own check (data), tries
how often it should answer a question before it gives one answer (policy), and tries the learning rate of its rounds
(training), all by its own check. Its study runs all eight combinations of open and closed surfaces, so that the gain
over a loop with none of them open can be shared out, start by start. Numbers: docs/recipes/blend.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from netgain.arms import spelled_out
from netgain.claim import Claim
from netgain.errors import ConfigError
from netgain.generators import Strings
from netgain.recipes import Built, options_of, with_options
from netgain.recipes.blend.sizes import CHECK, SIZES, TASK, Numbers
from netgain.stages import Filter, Loop, Separable
from netgain.suite import Suite, axis

PLAYERS = ("data", "training", "policy")
SURFACES = ("data", "weights", "training", "policy")
ARMS = spelled_out(("self", "frozen", f"subsets:{','.join(PLAYERS)}"), SURFACES)
NONE_OPEN = ARMS[-1]  # plain rounds of training, and nothing else
LABELS = ("policy", "greedy")
NOTES = {"labels": "how it answers its own questions: policy (as it is asked, so that data and policy meet), or greedy"}
STATE = {
    "parent": "weights, policy and rate that are edited",
    "improver": "the weights that answer, check and try, and their policy",
    "position": "pool of kept answers, length, and what passed",
}


@dataclass(frozen=True)
class Blend:
    """The loop of one setting.

    Attributes:
        labels: how own questions are answered: under the own "policy", or "greedy".
        size: of `SIZES`.
    """

    labels: str = "policy"
    size: str = "default"

    def __post_init__(self) -> None:
        for kind, value, known in (("labels", self.labels, LABELS), ("size", self.size, SIZES)):
            if value not in known:
                raise ConfigError.unknown(f"{kind} of recipe 'blend'", value, known)

    @property
    def numbers(self) -> Numbers:
        """The numbers of the size."""
        return SIZES[self.size]


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options. Torch is imported when a worker first runs the loop, not here.

    Raises:
        ConfigError: an unknown option, value or device.
    """
    made = with_options(Blend, "blend", given, device)
    claim = Claim("ladder", by=0.02, beats=("frozen", NONE_OPEN), rung="R1", expected=0.15)
    return Built(
        loop_of(made.numbers, made.labels == "greedy"), suite_of(made.numbers), claim, ARMS, made.numbers.length.rounds,
        made.numbers.starts, options=options_of(made), notes=NOTES,
        imports=("netgain.recipes.blend.steps",),
    )  # fmt: skip


def loop_of(numbers: Numbers, greedy: bool = False) -> Loop:
    """The loop with the controls that it supports. The gate only watches: shares are of what the surfaces made."""
    sized, plain = _Late((numbers,)), _Late()
    proposing = _Late((numbers, greedy))
    return Loop(
        sized("start"), proposing("propose"), plain("answer"), build=sized("build"), ordinary=plain("ordinary"),
        random_search=proposing("random_search"), sampled=plain("sampled"), oracle=plain("oracle"),
        own_score=sized("own_score"), filters=(Filter(CHECK),), state=STATE,
        surfaces=SURFACES, closable=PLAYERS, gate="watch", codec=_Codec(),
        sees_accepted=False, separable=Separable(("weights", "policy"), plain("split"), plain("join")),
    )  # fmt: skip


@dataclass(frozen=True)
class _Late:
    """Functions of `steps.py`, imported (and torch with it) when they are first called."""

    first: tuple[Any, ...] = ()

    def __call__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            from netgain.recipes.blend import steps

            return getattr(steps, name)(*self.first, *arguments)

        return call


class _Codec:
    """Weights as safetensors, beside the policy and the rate."""

    def encode(self, system: Any) -> bytes:
        from netgain.recipes.blend import steps

        return steps.encode(system)

    def decode(self, data: bytes) -> Any:
        from netgain.recipes.blend import steps

        return steps.decode(data)


def suite_of(numbers: Numbers) -> Suite:
    """The ladder of lengths that the base was not taught decides; the lengths that it was taught are watched."""
    size = numbers.length
    taught = tuple(range(1, size.base_length + 1))
    ladder = tuple(range(size.base_length + 1, size.target + 1))
    gate, report, sealed = (len(ladder) * one for one in (numbers.gate, numbers.report, numbers.sealed))
    known = dict(zip(("gate_items", "report_items", "sealed_items"), numbers.known, strict=True))
    return Suite(
        (
            axis("ladder", Strings(TASK, ladder), "exact", gate_items=gate, report_items=report, sealed_items=sealed,
                 margin=0.10, moment=0.15),
            axis("retention", Strings(TASK, taught), "exact", kind="retention", guard=True, moment=0.03, overlap=True,
                 **known),
        ),
        block=gate, max_pairs=gate, design_gain=0.1,
    )  # fmt: skip
