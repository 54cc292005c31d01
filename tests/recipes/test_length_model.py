"""The fast decoder of `length` against a plain twin: one unpadded string at a time, automatic differentiation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from netgain.recipes.length import model, tasks
from netgain.recipes.length.sizes import Shape

SMALL = Shape(3, 32, 64)


def plain_logits(weights: model.Weights, tokens: Tensor) -> Tensor:
    """Textbook forward pass: tokens (n,) to logits (n, V)."""
    x, n = weights["embed"][tokens], len(tokens)
    for layer in range(model.shape_of(weights).layers):
        query, key, value = (plain_norm(x) @ weights[f"{layer}.qkv"]).view(n, 3, -1, 16).permute(1, 2, 0, 3)
        scores = query @ key.transpose(1, 2) / 4
        share = scores.masked_fill(torch.ones(n, n).triu(1).bool(), float("-inf")).softmax(-1)
        x = x + (share @ value).transpose(0, 1).reshape(n, -1) @ weights[f"{layer}.out"]
        hidden = torch.nn.functional.silu(plain_norm(x) @ weights[f"{layer}.up"])
        x = x + hidden @ weights[f"{layer}.down"]
    return plain_norm(x) @ weights["head"]


def plain_norm(x: Tensor) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True) + model.EPSILON).sqrt()


def mixed_pool(task: str) -> tasks.Pool:
    rng = np.random.default_rng(3)
    return tasks.joined([tasks.true_pool(task, length, 6, 0.2, rng) for length in range(1, 6)])


def sharp(shape: Shape) -> model.Weights:
    """Weights whose first attention is far from uniform, so that the bag's arithmetic is really used."""
    weights = model.fresh(shape, np.random.default_rng(5))
    return {name: tensor * (4.0 if name == "0.qkv" else 1.0) for name, tensor in weights.items()}


@pytest.mark.parametrize("task", tasks.TASKS)
@pytest.mark.parametrize("layers", [2, 3])
def test_packed_loss_and_gradients_equal_the_plain_twin(task: str, layers: int) -> None:
    pool, weights = mixed_pool(task), sharp(Shape(layers, 32, 64))
    items = np.arange(len(pool.asked))
    batch = model.batch_of(pool, items, 2, tasks.row_width(pool.length.tolist()))
    logits, saved = model.forward(weights, batch)
    loss, error = model.answer_loss(logits, batch.targets)
    grads = {name: torch.full_like(tensor, 7.0) for name, tensor in weights.items()}
    model.backward(weights, batch, saved, error, grads)
    twins = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    expected = plain_loss(twins, pool)
    expected.backward()  # type: ignore[no-untyped-call]
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    for name, twin in twins.items():
        assert twin.grad is not None
        torch.testing.assert_close(grads[name], twin.grad, rtol=1e-4, atol=1e-6)


def plain_loss(weights: model.Weights, pool: tasks.Pool) -> Tensor:
    logits, targets = [], []
    for row, asked, length in zip(pool.tokens, pool.asked, pool.length, strict=True):
        tokens = torch.from_numpy(row[:length].astype(np.int64))
        logits.append(plain_logits(weights, tokens)[asked - 1 :])
        targets.append(torch.cat([tokens[asked:], torch.tensor([tasks.END])]))
    return torch.nn.functional.cross_entropy(torch.cat(logits), torch.cat(targets))


def test_a_batch_counts_real_tokens_and_what_they_see() -> None:
    pool = mixed_pool("reverse")
    batch = model.batch_of(pool, np.array([0, 29]), 2, 16)
    lengths = pool.length[[0, 29]]
    assert batch.real == lengths.sum()
    assert batch.seen == sum(length * (length + 1) // 2 for length in lengths)


def test_work_follows_the_formulas() -> None:
    shape = Shape()
    parameters = 3 * (4 * 64 * 64 + 2 * 64 * 256) + 64 * 16
    assert model.matrix_parameters(shape) == parameters
    assert model.training_work(shape, 10, 55) == model.Work(10, 60 * parameters + 12 * 3 * 64 * 55)
    assert model.answering_work(shape, 10, 55) == model.Work(10, 20 * parameters + 4 * 3 * 64 * 55)
    assert model.Work(1, 2) + model.Work(3, 4) == model.Work(4, 6)


def test_safetensors_round_trip_has_stable_bytes() -> None:
    weights = model.fresh(SMALL, np.random.default_rng(1))
    data = model.to_bytes(weights)
    again = model.from_bytes(data)
    assert model.to_bytes(dict(reversed(again.items()))) == data
    assert all(torch.equal(again[name], tensor) for name, tensor in weights.items())
    assert model.shape_of(again) == SMALL


def test_flat_buffer_and_views_share_memory() -> None:
    weights = model.fresh(SMALL, np.random.default_rng(1))
    flat, views = model.flatten(weights)
    assert all(torch.equal(views[name], tensor) for name, tensor in weights.items())
    flat.zero_()
    assert all(not view.any() for view in views.values()) and weights["embed"].any()
