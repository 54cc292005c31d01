"""Training of the `length` recipe: the base stage on true strings, and one round on the system's own answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.optim.adamw import adamw

from netgain.recipes.length.model import (
    Weights,
    Work,
    answer_loss,
    backward,
    batch_of,
    flatten,
    forward,
    fresh,
    shape_of,
    training_work,
)
from netgain.recipes.length.sizes import HEAD, Size, Stage
from netgain.recipes.length.tasks import Indices, Pairs, Pool, joined, pool_of, row_width, true_pool

BETAS, TINY = (0.9, 0.98), 1e-8  # of AdamW


@dataclass(frozen=True)
class Training:
    """What one model is to be trained on: `order` (steps, batch) holds indices into the pool."""

    weights: Weights
    pool: Pool
    order: Indices
    stage: Stage
    decay: float


@dataclass(frozen=True)
class Trained:
    """New weights, the loss of each step in nats per answer token, and the nominal work."""

    weights: Weights
    losses: tuple[float, ...]
    work: Work


def train_base(task: str, size: Size, rng: np.random.Generator) -> Trained:
    """Train generation 0 from scratch on what `base_of` draws for it."""
    return fit(base_of(task, size, rng))


def base_of(task: str, size: Size, rng: np.random.Generator) -> Training:
    """Draw new weights, and true strings of lengths 1 to `size.base_length` for them."""
    slots = size.base.steps * size.base.batch
    pool, groups = _base_pool(task, size.base_length, slots, size.refused, rng)
    order = _interleave(groups, slots, rng).reshape(size.base.steps, size.base.batch)
    return Training(fresh(size.shape, rng), pool, order, size.base, size.decay)


def train_round(
    weights: Weights,
    task: str,
    size: Size,
    rng: np.random.Generator,
    newest: Pairs | None,
    older: Sequence[Pairs] = (),
    steps: int | None = None,
    *,
    base: bool = True,
) -> Trained:
    """Train one round from `weights` on what `round_of` draws for it."""
    return fit(round_of(weights, task, size, rng, newest, older, steps, base=base))


def round_of(
    weights: Weights,
    task: str,
    size: Size,
    rng: np.random.Generator,
    newest: Pairs | None,
    older: Sequence[Pairs] = (),
    steps: int | None = None,
    *,
    base: bool = True,
) -> Training:
    """Draw a round from `weights`: half of every batch from `newest`, the rest evenly over base lengths and `older`.

    Without a newest set (None or empty) the whole batch is the rest; `steps` replaces the size's number of steps.
    With `base=False` and own sets there are no base strings at all, which forgets them.
    Malformed questions stay at `size.refused` of all strings, however few of them are base strings.
    """
    stage = size.round if steps is None else replace(size.round, steps=steps)
    older = [pairs for pairs in older if pairs]
    if not base and newest:
        return _without_base(weights, size, stage, rng, [*older, newest])
    own = stage.batch // 2 if newest else 0
    rest = stage.steps * (stage.batch - own)
    true = rest * size.base_length / (size.base_length + len(older))
    refused = min(1.0, size.refused * stage.steps * stage.batch / true)
    pool, groups = _base_pool(task, size.base_length, math.ceil(true), refused, rng)
    sets = [pool_of(pairs) for pairs in [*older, newest] if pairs]
    edges = np.cumsum([len(part.asked) for part in [pool, *sets]])
    groups += [np.arange(start, end) for start, end in pairwise(edges)]
    drawn = [_draws(groups.pop(), stage.steps * own, rng).reshape(stage.steps, own)] if own else []
    drawn.append(_interleave(groups, rest, rng).reshape(stage.steps, -1))
    return Training(weights, joined([pool, *sets]), np.hstack(drawn), stage, size.decay)


def _without_base(
    weights: Weights, size: Size, stage: Stage, rng: np.random.Generator, own: Sequence[Pairs]
) -> Training:
    """Own sets alone, evenly."""
    sets = [pool_of(pairs) for pairs in own]
    edges = [0, *np.cumsum([len(part.asked) for part in sets])]
    groups = [np.arange(start, end) for start, end in pairwise(edges)]
    order = _interleave(groups, stage.steps * stage.batch, rng).reshape(stage.steps, stage.batch)
    return Training(weights, joined(sets), order, stage, size.decay)


def _base_pool(
    task: str, longest: int, slots: int, refused: float, rng: np.random.Generator
) -> tuple[Pool, list[Indices]]:
    """Draw true strings of lengths 1 to `longest`, one for each slot; return them and the indices of each length."""
    each = -(-slots // longest)
    pool = joined([true_pool(task, length, each, refused, rng) for length in range(1, longest + 1)])
    return pool, list(np.arange(each * longest).reshape(longest, each))


def _interleave(groups: Sequence[Indices], slots: int, rng: np.random.Generator) -> Indices:
    """Deal the slots to the groups in turn, so that every batch holds the same mix: (slots,) pool indices."""
    each = -(-slots // len(groups))
    return np.stack([_draws(group, each, rng) for group in groups], axis=1).reshape(-1)[:slots]


def _draws(group: Indices, count: int, rng: np.random.Generator) -> Indices:
    """Draw `count` of the group in shuffled passes, each member once a pass."""
    passes = [rng.permutation(group) for _ in range(-(-count // len(group)))]
    return np.concatenate(passes)[:count]


def fit(training: Training) -> Trained:
    """Take one AdamW step for each row of the order; the weights that it starts from are left as they were."""
    weights, pool, order, stage = training.weights, training.pool, training.order, training.stage
    shape = shape_of(weights)
    flat, views = flatten(weights)
    slopes, grads = flatten(weights)
    step_of = _adamw(flat, slopes, training.decay)
    width, losses, work = row_width(pool.length[order[0]].tolist()), [], Work()
    for step, items in enumerate(order):
        batch = batch_of(pool, items, shape.width // HEAD, width)
        logits, saved = forward(views, batch)
        loss, error = answer_loss(logits, batch.targets)
        backward(views, batch, saved, error, grads)
        step_of(stage.rate(step))
        losses.append(loss)
        work += training_work(shape, batch.real, batch.seen)
    return Trained({name: view.clone() for name, view in views.items()}, tuple(losses), work)


def _adamw(flat: Tensor, slopes: Tensor, decay: float) -> Callable[[float], None]:
    """A function that takes one step of AdamW on a buffer (parameters,), in place, at the rate it is given.

    `torch.optim.AdamW` itself would load torch's compiler, which takes a new process as long as torch does.
    """
    held = [flat], [slopes], [torch.zeros_like(flat)], [torch.zeros_like(flat)], list[Tensor](), [torch.zeros(())]
    return lambda rate: adamw(
        *held, lr=rate, beta1=BETAS[0], beta2=BETAS[1], eps=TINY, weight_decay=decay, amsgrad=False, maximize=False,
        fused=True,
    )  # fmt: skip
