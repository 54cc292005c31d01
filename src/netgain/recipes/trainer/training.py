"""Runs inside the sandbox, as text, before the program that is judged: trains one small transformer on each text.

It takes the program's `schedule`, `loss` and `update` and does everything else itself: first weights, batches, forward
pass, gradients, and a locked number of steps. Models of several texts stand in one tensor, since small matrices cost
more to start than to multiply; each has a seed of its own and is what it would be alone. What goes out are weights. No
score is made here, and no held-out letter is here to make one with.
"""

import base64
import math
from collections.abc import Callable
from math import cos
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, layer_norm, one_hot

__all__ = ["cos", "solve_all", "surprise", "trail"]  # what a program may name, and what asks it


def surprise(scores: Tensor, wanted: Tensor) -> Tensor:
    """Mean cross-entropy in nats. scores: (n, letters); wanted: (n,)."""
    return cross_entropy(scores, wanted)


def trail(memory: dict[str, Any], name: str, keep: float, value: Tensor) -> Tensor:
    """Running mean of a value under a name, without the pull towards its start (Kingma and Ba 2015, section 3)."""
    mean, left = memory.get(name, (torch.zeros_like(value), 1.0))
    mean, left = keep * mean + (1.0 - keep) * value, left * keep
    memory[name] = (mean, left)
    whole: Tensor = mean / (1.0 - left)
    return whole


def drawn(shapes: list[list[Any]], lots: torch.Generator) -> Tensor:
    """First weights of one model, as one vector."""
    return torch.cat([spread * torch.randn(rows * columns, generator=lots) for rows, columns, spread in shapes])


def scores_of(flat: Tensor, windows: Tensor, asked: dict[str, Any]) -> Tensor:
    """(models, batch * window, letters) scores of the next letter. flat: (models, weights); windows: letters."""
    models, batch, window = windows.shape
    heads, sizes = asked["heads"], [rows * columns for rows, columns, _ in asked["shapes"]]
    parts = zip(torch.split(flat, sizes, dim=1), asked["shapes"], strict=True)
    letters, places, seen, out, wide, narrow, said = (
        part.view(models, rows, columns) for part, (rows, columns, _) in parts
    )
    width = letters.shape[2]
    held = one_hot(windows, letters.shape[1]).to(flat.dtype).view(models, batch * window, -1) @ letters
    held = held + places.repeat(1, batch, 1)
    split = (layer_norm(held, (width,)) @ seen).view(models * batch, window, 3, heads, width // heads)
    query, key, value = split.permute(2, 0, 3, 1, 4)
    later = torch.full((window, window), -math.inf).triu(1)
    match = (query @ key.transpose(-1, -2) / math.sqrt(width / heads) + later).softmax(-1)
    held = held + (match @ value).transpose(1, 2).reshape(models, batch * window, width) @ out
    held = held + (layer_norm(held, (width,)) @ wide).relu() @ narrow
    return layer_norm(held, (width,)) @ said


def slopes_of(flat: Tensor, windows: Tensor, asked: dict[str, Any], loss: Callable[..., Tensor]) -> Tensor:
    """(models, weights) gradients of the program's loss."""
    flat = flat.requires_grad_(True)
    scores = scores_of(flat, windows[:, :, :-1], asked)
    wanted = windows[:, :, 1:].reshape(len(windows), -1)
    whole = torch.stack([loss(one, other) for one, other in zip(scores, wanted, strict=True)]).sum()
    return torch.autograd.grad(whole, flat)[0]


def solve_all(asked: dict[str, Any], schedule: Any, loss: Any, update: Any) -> list[str]:
    """Weights of a model of each text, single precision, in base64.

    Args:
        asked: "texts", each a list of letters as numbers, and "seeds"; "shapes", "heads", "window", "batch", "steps".
        schedule: share of the training that is done -> a rate.
        loss: scores (n, letters), wanted (n,) -> a scalar to be made small.
        update: weights, slopes (both one vector), memory (a dict of its own for every model), rate -> new weights.
    """
    torch.set_num_threads(1)
    lots = [torch.Generator().manual_seed(seed) for seed in asked["seeds"]]
    texts = torch.tensor(asked["texts"])
    flat = torch.stack([drawn(asked["shapes"], one) for one in lots])
    memories: list[dict[str, Any]] = [{} for _ in lots]
    last, steps = texts.shape[1] - asked["window"], asked["steps"]
    reach = torch.arange(asked["window"] + 1)
    for step in range(steps):
        places = [torch.randint(0, last, (asked["batch"], 1), generator=one) + reach for one in lots]
        windows = torch.stack([text[place] for text, place in zip(texts, places, strict=True)])
        slopes, rate = slopes_of(flat, windows, asked, loss), schedule(step / steps)
        with torch.no_grad():
            every = zip(flat.detach(), slopes, memories, strict=True)
            flat = torch.stack([update(weights, slope, memory, rate) for weights, slope, memory in every])
    return [base64.b64encode(bytes(one.view(torch.uint8).tolist())).decode() for one in flat.detach().float()]
