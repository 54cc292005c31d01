"""The smallest loop that gets a verdict: a system is a number, and each round adds to it. Milliseconds a stage."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from netgain.claim import Claim
from netgain.executors import Reference
from netgain.generators import Strings
from netgain.records import Change, Part, View
from netgain.session import Study
from netgain.stages import Loop
from netgain.suite import Suite, axis

STEP = 0.35


def start(rng: Any) -> dict[str, Any]:
    return {"skill": 0.2, "mark": int(rng.integers(1 << 30))}


def propose(view: View) -> Change:
    print("thinking aloud", flush=True)  # noqa: T201  loop code prints; the pipe has to survive it
    view.budget.spend(tokens=100)
    better = {"skill": min(0.95, view.parent["skill"] + STEP), "mark": int(view.rng.integers(1 << 30))}
    return Change([Part("policy", better)], state=(view.state or 0) + 1)


def answer(system: Any, inputs: Sequence[str], budget: Any, rng: Any) -> list[str]:
    return [question.rstrip(">") if knows(system, question) else "?" for question in inputs]


def knows(system: Any, question: str) -> bool:
    """Whether a system of this skill can answer a question: the same whenever it is asked."""
    drawn = hashlib.sha256(f"{system['mark']}|{question}".encode()).digest()
    return int.from_bytes(drawn[:4], "big") / 2**32 < system["skill"]


loop = Loop(start, propose, answer, surfaces=["policy"], gate="strict", apart=False)
seen_by_a_worker = Loop(
    lambda rng: {"environment": dict(os.environ), "arguments": sys.argv, "folder": os.getcwd(), "file": str(sys.stdin)},
    propose,
    answer,
)


def suite() -> Suite:
    """One axis, re-derivable from its seeds, on which the gate sees a round's gain whatever the root is."""
    echo = axis("echo", Strings("copy", (6,)), gate_items=120, report_items=20, sealed_items=60, moment=0.5)
    return Suite([echo], block=120, max_pairs=240, design_gain=0.3)


def study(**more: Any) -> Study:
    """Six starts of two rounds, the loop against its own standstill."""
    claim = Claim("echo", by=0.2, beats=["frozen"], expected=0.5)
    reference = Reference(f"{Path(__file__)}:loop")
    return Study(
        loop,
        **{"suite": suite(), "arms": ("self", "frozen"), "claim": claim, "rounds": 2, "reference": reference, **more},
    )
