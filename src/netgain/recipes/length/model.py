"""A small decoder without position encoding, with a hand-written backward pass over packed rows.

Three facts make it fast on one core. (1) Without positions the first attention layer sees a bag: its output depends on
the current token and on how often each token came before, so it is one small matrix product over token counts.
(2) Only answer positions carry loss, so the last layer computes queries, MLP and logits there alone. (3) Several short
strings share a row under a block-diagonal causal mask. `tests/recipes/test_length_model.py` checks all of it against
a plain twin that computes one unpadded string at a time with automatic differentiation.

Shapes: T = rows * row width tokens of a batch, A answer positions, V tokens in the vocabulary, H heads of HEAD numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from netgain.recipes.length.sizes import HEAD, Shape
from netgain.recipes.length.tasks import END, PAD, VOCABULARY, Indices, Pool, pack
from netgain.sandbox.weights import check_weights

Weights = dict[str, Tensor]
"""Named float32 tensors: embed (V, width), head (width, V), and per layer i: i.qkv, i.out, i.up, i.down."""

SCALE = HEAD**-0.5
EPSILON = 1e-5


@dataclass(frozen=True)
class Work:
    """What a call processed: real tokens (no padding) and nominal FLOPs (the shortcuts are not subtracted)."""

    tokens: int = 0
    flops: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.tokens + other.tokens, self.flops + other.flops)


class Batch(NamedTuple):
    """Packed strings, ready for `forward`."""

    tokens: Tensor  # (T,) int64
    counts: Tensor  # (T, 1, V) float32, how often each token occurs in the string up to and with this position
    mask: Tensor  # (rows * H, W, W) float32, 0 where a query may look, -inf elsewhere
    asked: Tensor  # (A,) int64, flat positions whose next token belongs to an answer
    targets: Tensor  # (A,) int64, those next tokens
    real: int  # tokens that are not padding
    seen: int  # sum over real tokens of the number of tokens that each one attends to


def fresh(shape: Shape, rng: np.random.Generator) -> Weights:
    """Draw new weights: normal, standard deviation 1/sqrt(inputs), smaller where a layer writes to the residual."""
    width, hidden, deep = shape.width, shape.hidden, (2 * shape.layers) ** -0.5
    weights = {"embed": _normal(rng, VOCABULARY, width, 1.0)}
    for layer in range(shape.layers):
        weights[f"{layer}.qkv"] = _normal(rng, width, 3 * width, width**-0.5)
        weights[f"{layer}.out"] = _normal(rng, width, width, deep * width**-0.5)
        weights[f"{layer}.up"] = _normal(rng, width, hidden, width**-0.5)
        weights[f"{layer}.down"] = _normal(rng, hidden, width, deep * hidden**-0.5)
    weights["head"] = _normal(rng, width, VOCABULARY, width**-0.5)
    return weights


def shape_of(weights: Weights) -> Shape:
    """Read the shape back from the weights."""
    width, hidden = weights["0.up"].shape
    return Shape(sum(name.endswith(".qkv") for name in weights), width, hidden)


def to_bytes(weights: Weights) -> bytes:
    """Write weights as safetensors; equal weights give equal bytes."""
    return save({name: weights[name].contiguous() for name in sorted(weights)})


def from_bytes(data: bytes) -> Weights:
    """Read weights from safetensors bytes, whose header is checked before the library sees it."""
    return load(check_weights(data))


def flatten(weights: Weights) -> tuple[Tensor, Weights]:
    """Copy weights into one buffer (parameters,); return it with named views on it."""
    flat = torch.cat([tensor.reshape(-1) for tensor in weights.values()])
    pieces = torch.split(flat, [tensor.numel() for tensor in weights.values()])
    return flat, {name: piece.view_as(weights[name]) for name, piece in zip(weights, pieces, strict=True)}


def batch_of(pool: Pool, items: Indices, heads: int, width: int) -> Batch:
    """Pack the strings `items` of the pool into rows of `width` tokens."""
    lengths = pool.length[items]
    starts, rows = pack(lengths.tolist(), width)
    owner = np.repeat(np.arange(len(items)), lengths)
    column = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    flat = starts[owner] + column
    tokens, string = np.full(rows * width, PAD), np.full(rows * width, -1)
    tokens[flat], string[flat] = pool.tokens[items[owner], column], owner
    answering = column >= (pool.asked[items] - 1)[owner]
    following = np.append(tokens[1:], END)[flat]
    targets = np.where(column == (lengths - 1)[owner], END, following)[answering]
    read, seen = torch.from_numpy(tokens), int((lengths * (lengths + 1) // 2).sum())
    counts, mask = _sight(read, torch.from_numpy(string).view(rows, width), heads)
    return Batch(read, counts, mask, torch.from_numpy(flat[answering]), torch.from_numpy(targets), len(owner), seen)


def forward(weights: Weights, batch: Batch) -> tuple[Tensor, list[_Saved]]:
    """Compute logits (A, V) at the answer positions, and what `backward` needs."""
    last = sum(name.endswith(".qkv") for name in weights) - 1
    saved: list[_Saved] = []
    x, bag = _bag(weights, batch)
    x, mlp = _mlp(weights, 0, x)
    saved += [bag, mlp]
    for layer in range(1, last + 1):
        x, attention = _attend(weights, layer, x, batch, batch.asked if layer == last else None)
        x, mlp = _mlp(weights, layer, x)
        saved += [attention, mlp]
    y, inverse = _norm(x)
    return y @ weights["head"], [*saved, (y, inverse)]


def backward(weights: Weights, batch: Batch, saved: list[_Saved], error: Tensor, grads: Weights) -> None:
    """Overwrite `grads` with the gradients for the derivative `error` (A, V) of the loss by the logits.

    `saved` is used up: its arrays may be overwritten.
    """
    last = sum(name.endswith(".qkv") for name in weights) - 1
    y, inverse = saved[-1]
    torch.mm(y.t(), error, out=grads["head"])
    dx = _norm_back(error @ weights["head"].t(), y, inverse)
    for layer in range(last, 0, -1):
        dx = _mlp_back(weights, layer, dx, saved[2 * layer + 1], grads)
        dx = _attend_back(weights, layer, dx, saved[2 * layer], batch.asked if layer == last else None, grads)
    dx = _mlp_back(weights, 0, dx, saved[1], grads)
    _bag_back(weights, batch, dx, saved[0], grads)


def answer_loss(logits: Tensor, targets: Tensor) -> tuple[float, Tensor]:
    """Mean cross-entropy in nats per answer token, and its derivative by the logits (A, V)."""
    logs = torch.log_softmax(logits, -1)
    picked = logs.gather(1, targets[:, None])
    error = logs.exp_()
    error.scatter_add_(1, targets[:, None], torch.full_like(picked, -1.0))
    return -picked.mean().item(), error.div_(len(targets))


def matrix_parameters(shape: Shape) -> int:
    """Weights that take part in matrix products, the N of 6N and 2N (all but the embedding)."""
    return shape.layers * (4 * shape.width**2 + 2 * shape.width * shape.hidden) + shape.width * VOCABULARY


def training_work(shape: Shape, real: int, seen: int) -> Work:
    """Nominal work of forward and backward: 6N FLOPs a token, and 12 * width FLOPs a layer for each token seen."""
    return Work(real, 6 * matrix_parameters(shape) * real + 12 * shape.layers * shape.width * seen)


def answering_work(shape: Shape, real: int, seen: int) -> Work:
    """Nominal work of a forward pass: 2N FLOPs a token, and 4 * width FLOPs a layer for each token seen."""
    return Work(real, 2 * matrix_parameters(shape) * real + 4 * shape.layers * shape.width * seen)


_Saved = tuple[Tensor, ...]


def _normal(rng: np.random.Generator, rows: int, columns: int, deviation: float) -> Tensor:
    return torch.from_numpy(rng.standard_normal((rows, columns), dtype=np.float32) * np.float32(deviation))


def _sight(tokens: Tensor, string: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Token counts (T, 1, V) and mask (rows * H, W, W) from the owner of each place, string (rows, W)."""
    rows, width = string.shape
    sees = (string[:, :, None] == string[:, None, :]) & torch.ones(width, width, dtype=torch.bool).tril_()
    single = torch.eye(VOCABULARY).index_select(0, tokens).view(rows, width, VOCABULARY)
    counts = torch.bmm(sees.float(), single).view(-1, 1, VOCABULARY)
    mask = torch.zeros(rows, width, width).masked_fill_(~sees, float("-inf"))
    return counts, mask[:, None].expand(rows, heads, width, width).reshape(-1, width, width)


def _norm(x: Tensor) -> tuple[Tensor, Tensor]:
    """RMS norm without gain of x (n, width): the result and the inverse root mean square (n, 1)."""
    inverse = torch.rsqrt_((x * x).mean(-1, keepdim=True).add_(EPSILON))
    return x * inverse, inverse


def _norm_back(dy: Tensor, y: Tensor, inverse: Tensor) -> Tensor:
    along = (dy * y).mean(-1, keepdim=True)
    return torch.addcmul(dy, y, along, value=-1.0).mul_(inverse)


def _mlp(weights: Weights, layer: int, x: Tensor) -> tuple[Tensor, _Saved]:
    y, inverse = _norm(x)
    up = y @ weights[f"{layer}.up"]
    active = torch.nn.functional.silu(up)
    return torch.addmm(x, active, weights[f"{layer}.down"]), (y, inverse, up, active)


def _mlp_back(weights: Weights, layer: int, dx: Tensor, saved: _Saved, grads: Weights) -> Tensor:
    y, inverse, up, active = saved
    torch.mm(active.t(), dx, out=grads[f"{layer}.down"])
    dup = torch.ops.aten.silu_backward(dx @ weights[f"{layer}.down"].t(), up)
    torch.mm(y.t(), dup, out=grads[f"{layer}.up"])
    return _norm_back(dup @ weights[f"{layer}.up"].t(), y, inverse).add_(dx)


def _bag(weights: Weights, batch: Batch) -> tuple[Tensor, _Saved]:
    """First layer's attention as a bag of tokens: the sum over places becomes a sum over the vocabulary."""
    y, inverse, query, key, value = _bag_tables(weights)
    heads, width = len(query), weights["embed"].shape[1]
    share, mixed = _bag_shares(query, key, batch.tokens, batch.counts), _bag_mixed(weights, value)
    x = torch.addmm(weights["embed"].index_select(0, batch.tokens), share.view(-1, heads * VOCABULARY), mixed)
    return x.view(-1, width), (y, inverse, query, key, value, share, mixed)


def _bag_tables(weights: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Normed embeddings (V, width), inverses (V, 1), and query, key, value of each token, (H, V, HEAD)."""
    y, inverse = _norm(weights["embed"])
    query, key, value = (y @ weights["0.qkv"]).view(VOCABULARY, 3, -1, HEAD).permute(1, 2, 0, 3).contiguous()
    return y, inverse, query, key, value


def _bag_weights(query: Tensor, key: Tensor) -> Tensor:
    """Unnormed attention (V queries, H, V keys); the clamp keeps a sum over rare keys above zero."""
    scores = torch.bmm(query, key.transpose(1, 2)).mul_(SCALE)
    scores -= scores.amax(-1, keepdim=True)
    return scores.clamp_(min=-80.0).exp_().transpose(0, 1)


def _bag_shares(query: Tensor, key: Tensor, tokens: Tensor, counts: Tensor) -> Tensor:
    """Attention of each place to each token of the vocabulary, (T, H, V), summing to 1."""
    flat = _bag_weights(query, key).reshape(VOCABULARY, -1)
    share = flat.index_select(0, tokens).view(len(tokens), -1, VOCABULARY).mul_(counts)
    return share.div_(share.sum(-1, keepdim=True))


def _bag_mixed(weights: Weights, value: Tensor) -> Tensor:
    """Values of the vocabulary after the output matrix, (H * V, width)."""
    out = weights["0.out"]
    return torch.bmm(value, out.view(len(value), HEAD, -1)).view(-1, out.shape[1])


def _bag_back(weights: Weights, batch: Batch, dx: Tensor, saved: _Saved, grads: Weights) -> None:
    y, inverse, query, key, value, share, mixed = saved
    heads, width = len(query), dx.shape[1]
    single = torch.eye(VOCABULARY).index_select(0, batch.tokens).t()
    dmixed = torch.mm(share.view(-1, heads * VOCABULARY).t(), dx).view(heads, VOCABULARY, width)
    out = weights["0.out"].view(heads, HEAD, width)
    torch.bmm(value.transpose(1, 2), dmixed, out=grads["0.out"].view(heads, HEAD, width))
    dscore = _softmax_back((dx @ mixed.t()).view_as(share), share).view(-1, heads * VOCABULARY)
    dscores = torch.mm(single, dscore).view(VOCABULARY, heads, VOCABULARY).transpose(0, 1).mul(SCALE)
    dtables = torch.stack(
        [torch.bmm(dscores, key), torch.bmm(dscores.transpose(1, 2), query), torch.bmm(dmixed, out.transpose(1, 2))]
    )
    dtables = dtables.permute(2, 0, 1, 3).reshape(VOCABULARY, 3 * width)
    torch.mm(y.t(), dtables, out=grads["0.qkv"])
    dembed = _norm_back(dtables @ weights["0.qkv"].t(), y, inverse)
    torch.addmm(dembed, single, dx, out=grads["embed"])


def _attend(weights: Weights, layer: int, x: Tensor, batch: Batch, only: Tensor | None) -> tuple[Tensor, _Saved]:
    """Attention over packed rows; with `only` (A,) queries and results are computed at those places alone."""
    y, inverse = _norm(x)
    qkv = _project(y, weights[f"{layer}.qkv"], only)
    rows, heads = batch.mask.shape[0] * HEAD // x.shape[1], x.shape[1] // HEAD
    query, key, value = _heads_first(qkv, 3, rows, heads)
    share = torch.softmax(torch.baddbmm(batch.mask, query, key.transpose(1, 2), alpha=SCALE), -1)
    mixed = torch.bmm(share, value).view(rows, heads, -1, HEAD).transpose(1, 2).reshape(x.shape)
    if only is not None:
        x, mixed = x.index_select(0, only), mixed.index_select(0, only)
    return torch.addmm(x, mixed, weights[f"{layer}.out"]), (y, inverse, query, key, value, share, mixed)


def _project(y: Tensor, qkv: Tensor, only: Tensor | None) -> Tensor:
    """Queries, keys and values (T, 3 * width); with `only` the queries elsewhere stay 0."""
    if only is None:
        return y @ qkv
    width = y.shape[1]
    projected = torch.zeros(len(y), 3 * width)
    projected[:, width:] = y @ qkv[:, width:]
    projected[:, :width].index_copy_(0, only, y.index_select(0, only) @ qkv[:, :width])
    return projected


def _heads_first(flat: Tensor, parts: int, rows: int, heads: int) -> Tensor:
    """(T, parts * width) to (parts, rows * H, W, HEAD)."""
    return flat.view(rows, -1, parts, heads, HEAD).permute(2, 0, 3, 1, 4).reshape(parts, rows * heads, -1, HEAD)


def _attend_back(
    weights: Weights, layer: int, dx: Tensor, saved: _Saved, only: Tensor | None, grads: Weights
) -> Tensor:
    y, inverse, query, key, value, share, mixed = saved
    torch.mm(mixed.t(), dx, out=grads[f"{layer}.out"])
    dmixed, rows = dx @ weights[f"{layer}.out"].t(), query.shape[0] * HEAD // dx.shape[1]
    if only is not None:
        dmixed, dx = _spread(dmixed, only, len(y)), _spread(dx, only, len(y))
    dmixed = _heads_first(dmixed, 1, rows, dx.shape[1] // HEAD)[0]
    dscores = _softmax_back(torch.bmm(dmixed, value.transpose(1, 2)), share).mul_(SCALE)
    dheads = torch.empty(3, *query.shape)
    torch.bmm(dscores, key, out=dheads[0])
    torch.bmm(dscores.transpose(1, 2), query, out=dheads[1])
    torch.bmm(share.transpose(1, 2), dmixed, out=dheads[2])
    dqkv = dheads.view(3, rows, -1, query.shape[1], HEAD).permute(1, 3, 0, 2, 4).reshape(len(y), -1)
    return _norm_back(_project_back(weights, layer, y, dqkv, only, grads), y, inverse).add_(dx)


def _project_back(weights: Weights, layer: int, y: Tensor, dqkv: Tensor, only: Tensor | None, grads: Weights) -> Tensor:
    qkv, grad, width = weights[f"{layer}.qkv"], grads[f"{layer}.qkv"], y.shape[1]
    if only is None:
        torch.mm(y.t(), dqkv, out=grad)
        return dqkv @ qkv.t()
    dquery = dqkv[:, :width].index_select(0, only)
    grad[:, width:] = y.t() @ dqkv[:, width:]
    grad[:, :width] = y.index_select(0, only).t() @ dquery
    return (dqkv[:, width:] @ qkv[:, width:].t()).index_add_(0, only, dquery @ qkv[:, :width].t())


def _spread(some: Tensor, places: Tensor, rows: int) -> Tensor:
    """Put rows (A, n) at their places in zeros (rows, n)."""
    return torch.zeros(rows, some.shape[1]).index_copy_(0, places, some)


def _softmax_back(dshare: Tensor, share: Tensor) -> Tensor:
    return torch._softmax_backward_data(dshare, share, -1, torch.float32)
