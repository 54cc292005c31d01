"""Training of the `length` recipe: the base stage on true strings, and one round on the system's own answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from netgain.recipes.length.model import (
    HEAD,
    Shape,
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
from netgain.recipes.length.tasks import Indices, Pairs, Pool, joined, pool_of, row_width, true_pool


@dataclass(frozen=True)
class Stage:
    """Learning rate over the steps of one stage: linear warm-up, flat, then linear to `floor` * peak."""

    steps: int
    peak: float = 2e-3
    warmup: int = 0
    fall: float = 0.25
    floor: float = 0.02

    def rate(self, step: int) -> float:
        """Learning rate at a step counted from 0; `fall` is the share of the steps on the way down."""
        left = (self.steps - step) / max(1.0, self.fall * self.steps)
        return self.peak * min((step + 1) / max(1, self.warmup), 1.0, self.floor + (1 - self.floor) * left)


@dataclass(frozen=True)
class Size:
    """All numbers of a run that can move its result, in steps, strings and symbols."""

    target: int
    rounds: int
    shape: Shape = field(default_factory=Shape)
    base_length: int = 5
    base: Stage = field(default_factory=lambda: Stage(2000, warmup=100))
    round: Stage = field(default_factory=lambda: Stage(200, fall=0.5))
    batch: int = 64
    own: int = 2000
    advance: float = 0.5
    refused: float = 0.02
    decay: float = 0.01


SIZES = {
    "tiny": Size(6, 5, Shape(2, 32, 128), 3, Stage(800, warmup=50), Stage(80, fall=0.5), own=400),
    "default": Size(10, 6),
    "full": Size(12, 9),
}


@dataclass(frozen=True)
class Trained:
    """New weights, the loss of each step in nats per answer token, and the nominal work."""

    weights: Weights
    losses: tuple[float, ...]
    work: Work


def train_base(task: str, size: Size, rng: np.random.Generator) -> Trained:
    """Train generation 0 from scratch on true strings of lengths 1 to `size.base_length`."""
    pool, groups = _base_pool(task, size, size.base.steps * size.batch, rng)
    order = _interleave(groups, size.base.steps * size.batch, rng).reshape(size.base.steps, size.batch)
    return _fit(fresh(size.shape, rng), pool, order, size.base, size.decay)


def train_round(
    weights: Weights,
    task: str,
    size: Size,
    rng: np.random.Generator,
    newest: Pairs | None,
    older: Sequence[Pairs] = (),
    steps: int | None = None,
) -> Trained:
    """Train one round from `weights`: half of every batch from `newest`, the rest evenly over base lengths and `older`.

    Without a newest set (None or empty) the whole batch is the rest; `steps` replaces the size's number of steps.
    """
    stage = size.round if steps is None else Stage(steps, size.round.peak, size.round.warmup, size.round.fall)
    own = size.batch // 2 if newest else 0
    rest = stage.steps * (size.batch - own)
    pool, groups = _base_pool(task, size, rest, rng)
    sets = [pool_of(pairs) for pairs in [*older, newest] if pairs]
    edges = np.cumsum([len(part.asked) for part in [pool, *sets]])
    groups += [np.arange(start, end) for start, end in zip(edges[:-1], edges[1:], strict=True)]
    drawn = [_draws(groups.pop(), stage.steps * own, rng).reshape(stage.steps, own)] if own else []
    drawn.append(_interleave(groups, rest, rng).reshape(stage.steps, -1))
    return _fit(weights, joined([pool, *sets]), np.hstack(drawn), stage, size.decay)


def _base_pool(task: str, size: Size, slots: int, rng: np.random.Generator) -> tuple[Pool, list[Indices]]:
    """Fresh true strings, enough that no slot repeats one, and the indices of each length."""
    each, lengths = -(-slots // size.base_length), range(1, size.base_length + 1)
    pool = joined([true_pool(task, length, each, size.refused, rng) for length in lengths])
    return pool, list(np.arange(each * size.base_length).reshape(size.base_length, each))


def _interleave(groups: Sequence[Indices], slots: int, rng: np.random.Generator) -> Indices:
    """Deal the slots to the groups in turn, so that every batch holds the same mix: (slots,) pool indices."""
    each = -(-slots // len(groups))
    return np.stack([_draws(group, each, rng) for group in groups], axis=1).reshape(-1)[:slots]


def _draws(group: Indices, count: int, rng: np.random.Generator) -> Indices:
    """Draw `count` of the group in shuffled passes, each member once a pass."""
    passes = [rng.permutation(group) for _ in range(-(-count // len(group)))]
    return np.concatenate(passes)[:count]


def _fit(weights: Weights, pool: Pool, order: Indices, stage: Stage, decay: float) -> Trained:
    """Take one AdamW step for each row of `order` (steps, batch); `weights` is left as it was."""
    shape = shape_of(weights)
    flat, views = flatten(weights)
    slopes, grads = flatten(weights)
    flat.grad = slopes
    optimiser = torch.optim.AdamW([flat], lr=stage.peak, betas=(0.9, 0.98), weight_decay=decay, fused=True)
    width, losses, work = row_width(pool.length[order[0]].tolist()), [], Work()
    for step, items in enumerate(order):
        batch = batch_of(pool, items, shape.width // HEAD, width)
        logits, saved = forward(views, batch)
        loss, error = answer_loss(logits, batch.targets)
        backward(views, batch, saved, error, grads)
        optimiser.param_groups[0]["lr"] = stage.rate(step)
        optimiser.step()
        losses.append(loss)
        work += training_work(shape, batch.real, batch.seen)
    return Trained({name: view.clone() for name, view in views.items()}, tuple(losses), work)
