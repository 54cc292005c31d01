"""Tries texts on questions: a program in the sandbox, a prompt or a skill by asking the model. Scores are made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from netgain.budget import Budget
from netgain.errors import EvaluateError, Outage, SandboxError
from netgain.metric import exact
from netgain.recipes.scaffold.chat import Chat
from netgain.recipes.scaffold.editing import number_in, question
from netgain.sandbox.choice import warm
from netgain.sandbox.judge import Judge
from netgain.sandbox.seam import Limits

Json = Any
LIMITS = Limits(wall_s=10.0, cpu_s=2.0)


@dataclass(frozen=True)
class Trial:
    """What a text was worth on development items.

    Attributes:
        right: items that it gets right; None where it has no score, for the reason `why`.
        outputs: (n,) what it answered; empty without a score.
    """

    right: int | None
    why: str = ""
    outputs: Sequence[Json] = ()


def tried(kind: str, text: str, items: Sequence[Mapping[str, Json]], chat: Chat, budget: Budget, rng: Any) -> Trial:
    """A text on items. An evaluation that is invalid, or lacks an answer, is no score.

    Raises:
        Outage: the sandbox or the endpoint failed, which says nothing about the text.
    """
    try:
        outputs = answers(kind, text, [item["input"] for item in items], chat, budget, rng)
    except EvaluateError as error:
        return Trial(None, f"invalid: {error.what}")
    missing = sum(one is None for one in outputs)
    if missing:
        return Trial(None, f"{missing} of {len(outputs)} items have no answer")
    right = sum(exact(one, item["target"]) for one, item in zip(outputs, items, strict=True))
    return Trial(int(right), "", outputs)


def answers(
    kind: str, text: str, inputs: Sequence[Json], chat: Chat, budget: Budget, rng: Any, *, temperature: float = 0.0
) -> list[Json]:
    """Outputs of a text, one per input; None where the model gave no complete reply.

    Raises:
        EvaluateError: a program has no valid evaluation.
        Outage: the sandbox or the endpoint failed.
    """
    if kind == "program":
        try:
            return judge().answer(text, inputs, budget, rng)
        except SandboxError as error:
            raise Outage(f"the sandbox failed: {error}") from None
    seeds = rng.integers(1 << 31, size=len(inputs)).tolist()
    calls = chat.ask_all(
        (question(kind, text, one), seed, temperature) for one, seed in zip(inputs, seeds, strict=True)
    )
    return [None if call.text is None else {"answer": number_in(call.text)} for call in calls]


@lru_cache(maxsize=1)
def judge() -> Judge:
    """The judge of this process; its sandbox is started at the first question.

    Raises:
        SandboxError: no sandbox of level S2 works here; the message has the remedy.
    """
    return Judge(backend=warm(), limits=LIMITS)
