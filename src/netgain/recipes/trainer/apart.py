"""Programs trained apart: their text goes into a sandbox with the training texts, and weights of a model come back.

What a program is worth is found out here, outside, from the weights. It has no held-out letter, no language and no
score, so it can say nothing about itself. A sandbox server imports torch once and forks a child for every training.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from netgain.errors import ConfigError, EvaluateError
from netgain.recipes.trainer.language import Ints
from netgain.recipes.trainer.rewriting import PLAIN
from netgain.recipes.trainer.transformer import COUNT, HEADS, SHAPES, SIZE, WINDOW, weights_of

STEPS, BATCH = 60, 32  # the lock: steps of a training, windows of a step
AT_ONCE = 8  # models in one tensor
MIB = 1 << 20
AROUND = "\n\ndef solve(asked):\n    return solve_all(asked, schedule, loss, update)\n"


class NoModel(ValueError):
    """A program that gave no model: what it did instead. It is the program's own fault."""


def cost(models: int, windows: int) -> tuple[int, int]:
    """Characters and operations of trainings, each model asked so many windows afterwards.

    Booked whole, also where a program fails on the way. Operations: two for each weight and character forward, four
    backward (Kaplan et al. 2020, arXiv 2001.08361, section 2.1); those of attention and of the update are left out.
    """
    learned, asked = STEPS * BATCH * WINDOW, windows * WINDOW
    return models * (learned + asked), models * SIZE * (6 * learned + 2 * asked)


def trained(program: str, texts: Sequence[Ints], seeds: Sequence[int]) -> list[Any]:
    """What a program answers for each text: base64 of weights, if it is a program that behaves.

    Raises:
        NoModel: it raised, or answered something else than one text for each.
        EvaluateError: the evaluation is invalid, as after a deadline; it has no score.
        SandboxError: our side failed.
    """
    found: list[Any] = []
    for at in range(0, len(texts), AT_ONCE):
        found += _trained(program, texts[at : at + AT_ONCE], seeds[at : at + AT_ONCE])
    return found


def _trained(program: str, texts: Sequence[Ints], seeds: Sequence[int]) -> list[Any]:
    asked = {"texts": [one.tolist() for one in texts], "seeds": list(seeds), "shapes": [list(one) for one in SHAPES],
             "heads": HEADS, "window": WINDOW, "batch": BATCH, "steps": STEPS}  # fmt: skip
    judged = _judge().ask(source_of(program), [asked])
    if judged.answers is None:
        raise EvaluateError(f"the evaluation is invalid: {judged.reason}", fix="the program has no score")
    ((status, said),) = judged.per_input(1)
    if status != "value":
        raise NoModel(judged.answers.said.get(0, status))
    if type(said) is not list or len(said) != len(texts):
        raise NoModel("it answered something else than weights")
    return said


def source_of(program: str) -> str:
    """What runs in the sandbox: our part, the program, and the function that is asked."""
    own = resources.files("netgain.recipes.trainer").joinpath("training.py").read_text(encoding="utf-8")
    return f"{own}\n\n{program}{AROUND}"


def level() -> str:
    """Backend and level that programs run in, as it stands in the record."""
    backend = _judge().backend
    return f"{backend.name}, level {backend.level.name}"


def ready() -> None:
    """Attack the sandbox, then train the plain program: what fails on it would look like every program's own fault.

    Raises:
        ConfigError: torch is missing, or does not work in the sandbox.
        SandboxError: no sandbox of level S2 works here, or an attack succeeded.
    """
    _judge().ready()
    text = np.arange(2 * WINDOW + 2) % COUNT
    try:
        (told,) = trained(PLAIN, [text], [1])
    except (NoModel, EvaluateError) as error:
        raise ConfigError(f"torch does not train in the sandbox: {error}", fix="see netgain doctor --sandbox") from None
    if weights_of(told) is None:
        raise ConfigError("a plain training in the sandbox gave no weights", fix="see netgain doctor --sandbox")


def packages() -> str:
    """The folder that torch is installed in.

    Raises:
        ConfigError: it is not.
    """
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        raise ConfigError("recipe 'trainer', size 'code', needs torch", fix="pip install 'netgain[torch]'")
    return str(Path(spec.origin).parents[1])


@lru_cache(maxsize=1)
def _judge() -> Any:
    """The judge of this process; its sandbox is started at the first question."""
    from netgain.sandbox.choice import warm  # the other sizes need none of it
    from netgain.sandbox.judge import Judge
    from netgain.sandbox.seam import Limits

    site = (packages(),)
    # A training takes a second or two of one core; the wall clock allows for a machine that many share.
    limits = Limits(wall_s=300.0, cpu_s=60.0, memory=1024 * MIB)
    backend = warm(site=site, preload=("torch",), room=2048 * MIB, patience_s=120.0)
    return Judge(backend=backend, limits=limits, site=site)
