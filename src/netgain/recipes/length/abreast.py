"""Many models trained abreast: one step of all of them is one set of batched matrix products.

`train.fit` trains one model. Here each model of a list, of one shape, takes the same steps on its own strings, by the
arithmetic of `model.py` with a leading axis of models; automatic differentiation stands in for its hand-written
backward pass. Sums run in another order, so that weights differ from those of `train.fit` in the last bits, which
training then amplifies; `tests/recipes/test_length_stacked.py` says how far.

What a model becomes must not depend on who is trained beside it, because that is an accident of timing. So strings are
filled up to sizes that follow from the model's own batch, and in each step only batches of one size go together.
`company_matters` looks whether that holds to the bit on this machine.

Shapes: M models, T = rows * W places of a batch, A answer positions, both filled up; V, H, HEAD as in `model.py`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from netgain.recipes.length import model, train
from netgain.recipes.length.model import EPSILON, SCALE, Weights, Work
from netgain.recipes.length.sizes import HEAD, Shape, Size, Stage
from netgain.recipes.length.tasks import PAD, VOCABULARY
from netgain.recipes.length.train import BETAS, TINY, Trained, Training

ROWS, ANSWERS = 2, 16  # rows and answer positions are filled up to multiples of these


class Room(NamedTuple):
    """What a batch is filled up to: rows of so many places, and answer positions."""

    width: int
    rows: int
    answers: int


class Batches(NamedTuple):
    """One step's packed strings of M models, filled up with places that nobody looks at and that carry no loss."""

    tokens: Tensor  # (M, T) int64
    counts: Tensor  # (M, T, 1, V) float32
    mask: Tensor  # (M * rows * H, W, W) float32
    asked: Tensor  # (M * A,) int64, places in (M * T)
    targets: Tensor  # (M * A,) int64
    share: Tensor  # (M, A) float32: 1 / answer positions of the model, 0 where filled in


def fit_abreast(trainings: Sequence[Training]) -> list[Trained]:
    """Train models of one shape abreast; one that has fewer steps than others ends before them.

    The weights that the trainings start from are left as they were.

    Returns:
        One result per training, in their order.
    """
    order = sorted(range(len(trainings)), key=lambda i: -len(trainings[i].order))  # so that who goes on stands first
    longest_first = [trainings[i] for i in order]
    done = _fit(longest_first if not company_matters() else longest_first[:1])
    done += [_fit([one])[0] for one in longest_first[len(done) :]]
    return [done[order.index(i)] for i in range(len(trainings))]


@lru_cache
def company_matters() -> bool:
    """Whether the bits of a model depend on who is trained beside it here: two models, alone and together.

    Does not cover: sizes and company that were not tried.
    """
    size, rng = Size(5, 1, Shape(2, 32, 64), 3, Stage(2, 32)), np.random.default_rng(0)
    tried = [train.base_of("reverse", size, rng) for _ in range(3)]
    alone, together = [_fit([one])[0] for one in tried], _fit(tried)
    return any(
        not torch.equal(one.weights[name], other.weights[name])
        for one, other in zip(alone, together, strict=True)
        for name in one.weights
    )


def _fit(trainings: Sequence[Training]) -> list[Trained]:
    """Train abreast; the trainings come with the longest first."""
    like = {name: trainings[0].weights[name] for name in sorted(trainings[0].weights)}  # a file names them in any order
    flat = torch.stack([torch.cat([one.weights[name].reshape(-1) for name in like]) for one in trainings])
    grads, means, squares = (torch.zeros_like(flat) for _ in range(3))
    rooms = [_room(one) for one in trainings]
    losses, works = [list[float]() for _ in trainings], [Work() for _ in trainings]
    for step in range(len(trainings[0].order)):
        going = [one for one in trainings if step < len(one.order)]
        for room, chosen in _alike(going, rooms, step).items():
            members = list(chosen)
            batches = list(chosen.values())
            each, grads[members] = _slopes(flat[members], like, _together(batches, room))
            for i, loss, batch in zip(members, each, batches, strict=True):
                losses[i].append(loss)
                works[i] += model.training_work(model.shape_of(trainings[i].weights), batch.real, batch.seen)
        _step([one[: len(going)] for one in (flat, grads, means, squares)], going, step)
    views = [_named(flat[i : i + 1], like) for i in range(len(trainings))]
    return [
        Trained({name: view[0].clone() for name, view in views[i].items()}, tuple(losses[i]), works[i])
        for i in range(len(trainings))
    ]


def _room(training: Training) -> Room:
    """Room for nearly every batch of a training, from all its strings: alike for trainings of alike lengths."""
    pool, batch = training.pool, training.order.shape[1]
    length, asked = pool.length[training.order], pool.asked[training.order]
    width = _up(int(length.max()), 16)
    rows, answers = 1 + 1.05 * batch * length.mean() / width, 1.08 * batch * (length - asked + 1).mean()
    return Room(width, _up(math.ceil(rows), ROWS), _up(math.ceil(answers), ANSWERS))


def _alike(going: Sequence[Training], rooms: Sequence[Room], step: int) -> dict[Room, dict[int, model.Batch]]:
    """The batches of a step, by the room that they are filled up to and by model."""
    groups: dict[Room, dict[int, model.Batch]] = defaultdict(dict)
    for i, (one, room) in enumerate(zip(going, rooms, strict=False)):
        batch = model.batch_of(one.pool, one.order[step], model.shape_of(one.weights).width // HEAD, room.width)
        rows, answers = _up(len(batch.tokens) // room.width, ROWS), _up(len(batch.asked), ANSWERS)
        groups[Room(room.width, max(room.rows, rows), max(room.answers, answers))][i] = batch
    return groups


def _up(count: int, of: int) -> int:
    return -(-count // of) * of


def _together(batches: Sequence[model.Batch], room: Room) -> Batches:
    """Put batches side by side, each filled up."""
    (width, rows, answers), count = room, len(batches)
    heads, places = len(batches[0].mask) * width // len(batches[0].tokens), rows * width
    tokens, counts = torch.full((count, places), PAD), torch.zeros(count, places, 1, VOCABULARY)
    counts[..., PAD] = 1.0
    mask, share = torch.zeros(count, rows * heads, width, width), torch.zeros(count, answers)
    asked = torch.arange(count)[:, None].mul(places).repeat(1, answers)
    targets = torch.zeros(count, answers, dtype=torch.int64)
    for i, one in enumerate(batches):
        here, told = len(one.tokens), len(one.asked)
        tokens[i, :here], counts[i, :here], mask[i, : len(one.mask)] = one.tokens, one.counts, one.mask
        asked[i, :told] += one.asked
        targets[i, :told], share[i, :told] = one.targets, 1.0 / told
    return Batches(tokens, counts, mask.view(-1, width, width), asked.view(-1), targets.view(-1), share)


def _named(flat: Tensor, like: Weights) -> Weights:
    """Views on buffers (M, parameters), each tensor with a leading axis of models."""
    pieces = torch.split(flat, [tensor.numel() for tensor in like.values()], 1)
    return {name: piece.view(len(flat), *like[name].shape) for name, piece in zip(like, pieces, strict=True)}


def _slopes(flat: Tensor, like: Weights, batch: Batches) -> tuple[list[float], Tensor]:
    """Mean loss of each model in nats per answer token, and the gradients (M, parameters)."""
    leaves = {name: one.contiguous().requires_grad_() for name, one in _named(flat, like).items()}
    logs = torch.log_softmax(logits_of(leaves, batch), -1).gather(1, batch.targets[:, None])
    losses = -(logs.view_as(batch.share) * batch.share).sum(1)
    slopes = torch.autograd.grad(losses.sum(), list(leaves.values()))
    return losses.tolist(), torch.cat([one.reshape(len(flat), -1) for one in slopes], 1)


def _step(buffers: Sequence[Tensor], going: Sequence[Training], step: int) -> None:
    """AdamW (Loshchilov and Hutter 2019, algorithm 2) on buffers (M, parameters), each model at its own rate."""
    flat, grads, means, squares = buffers
    rate = torch.tensor([[one.stage.rate(step)] for one in going])
    decay = torch.tensor([[one.decay] for one in going])
    means.lerp_(grads, 1 - BETAS[0])
    squares.mul_(BETAS[1]).addcmul_(grads, grads, value=1 - BETAS[1])
    first, second = (1 - beta ** (step + 1) for beta in BETAS)
    flat.mul_(1 - rate * decay).sub_(means / (squares.sqrt() / second**0.5 + TINY) * (rate / first))


def logits_of(weights: Weights, batch: Batches) -> Tensor:
    """Logits (M * A, V) at the answer positions."""
    last = sum(name.endswith(".qkv") for name in weights) - 1
    x = _mlp(weights, 0, _bag(weights, batch))
    for layer in range(1, last + 1):
        x = _mlp(weights, layer, _attend(weights, layer, x, batch, batch.asked if layer == last else None))
    return torch.bmm(_norm(x), weights["head"]).view(-1, VOCABULARY)


def _norm(x: Tensor) -> Tensor:
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPSILON)


def _mlp(weights: Weights, layer: int, x: Tensor) -> Tensor:
    active = torch.nn.functional.silu(torch.bmm(_norm(x), weights[f"{layer}.up"]))
    return torch.baddbmm(x, active, weights[f"{layer}.down"])


def _bag(weights: Weights, batch: Batches) -> Tensor:
    """First layer's attention as a bag of tokens (`model._bag`): (M, T, width)."""
    count, width = len(batch.tokens), weights["embed"].shape[2]
    tables = torch.bmm(_norm(weights["embed"]), weights["0.qkv"]).view(count, VOCABULARY, 3, -1, HEAD)
    query, key, value = tables.permute(2, 0, 3, 1, 4).reshape(3, -1, VOCABULARY, HEAD)
    scores = torch.bmm(query, key.transpose(1, 2)) * SCALE
    scores = (scores - scores.detach().amax(-1, keepdim=True)).clamp(min=-80.0).exp()
    table = scores.view(count, -1, VOCABULARY, VOCABULARY).transpose(1, 2).reshape(count * VOCABULARY, -1)
    place = (batch.tokens + VOCABULARY * torch.arange(count)[:, None]).view(-1)
    share = table.index_select(0, place).view(count, -1, width // HEAD, VOCABULARY) * batch.counts
    share = (share / share.sum(-1, keepdim=True)).flatten(2)
    mixed = torch.bmm(value, weights["0.out"].view(-1, HEAD, width)).view(count, -1, width)
    return torch.baddbmm(weights["embed"].flatten(0, 1).index_select(0, place).view(count, -1, width), share, mixed)


def _attend(weights: Weights, layer: int, x: Tensor, batch: Batches, only: Tensor | None) -> Tensor:
    """Attention over packed rows (`model._attend`); with `only` (M * A,) results at those places alone."""
    count, _, width = x.shape
    heads, places = width // HEAD, batch.mask.shape[1]
    qkv = torch.bmm(_norm(x), weights[f"{layer}.qkv"]).view(-1, places, 3, heads, HEAD)
    query, key, value = qkv.permute(2, 0, 3, 1, 4).reshape(3, -1, places, HEAD)
    share = torch.softmax(torch.baddbmm(batch.mask, query, key.transpose(1, 2), alpha=SCALE), -1)
    mixed = torch.bmm(share, value).view(-1, heads, places, HEAD).transpose(1, 2).reshape(count, -1, width)
    if only is not None:
        x, mixed = (one.flatten(0, 1).index_select(0, only).view(count, -1, width) for one in (x, mixed))
    return torch.baddbmm(x, mixed, weights[f"{layer}.out"])
