"""Asking the `length` system: cached batched answers, its own checks on them, self-made sets, and best of n."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netgain.recipes.length import model
from netgain.recipes.length.model import SCALE, Weights, Work, answering_work, shape_of
from netgain.recipes.length.sizes import HEAD
from netgain.recipes.length.tasks import (
    ALPHABET,
    END,
    PAD,
    PLUS,
    SEPARATOR,
    VOCABULARY,
    Indices,
    Pairs,
    Tokens,
    pool_of,
    questions,
    read,
    require_pair,
    row_width,
)

Flags = NDArray[np.bool_]

CHUNK = 256
"""Strings decoded together: their cache (2 layers of keys and values) stays within the core's share of the L3."""


@dataclass(frozen=True)
class Answers:
    """Answers in the order of the questions; confidence: probability that the model gives each whole answer."""

    texts: tuple[str, ...]
    confidence: tuple[float, ...]
    work: Work


@dataclass(frozen=True)
class Made:
    """A self-made set: all own answers, which of them passed the own check, and what answering and checking took."""

    pairs: Pairs
    passed: Flags
    work: Work


def answer(
    weights: Weights, asked: Sequence[str], *, temperature: float = 0.0, rng: np.random.Generator | None = None
) -> Answers:
    """Answer questions greedily, or by sampling at a temperature above 0 (needs `rng`).

    Questions of similar length are decoded together; an answer that is not ended after one token more than its question
    is cut there.
    """
    if temperature > 0 and rng is None:
        raise ValueError(f"temperature {temperature!r} needs rng, a numpy random generator")
    tokens, lengths = read(asked)
    texts, confidence, work = [""] * len(asked), [0.0] * len(asked), Work()
    for part in _together(lengths):
        said, logs = _decode(weights, tokens[part], lengths[part], _chooser(temperature, rng))
        work += _decoding_work(weights, lengths[part], said)
        for item, row, log in zip(part, said, logs, strict=True):
            texts[item], confidence[item] = _text(row), float(np.exp(log))
    return Answers(tuple(texts), tuple(confidence), work)


def agrees(weights: Weights, pairs: Pairs) -> tuple[Flags, Work]:
    """Tell for each pair whether the greedy answer to the question is exactly the given answer.

    One parallel pass: greedy decoding follows an answer to its end just when every token of it is the best guess after
    the ones before. (The guesses come from another kernel than in `answer`: near-exact ties may fall the other way.)
    """
    pool, shape = pool_of(pairs), shape_of(weights)
    agreed, work = np.ones(len(pairs), dtype=bool), Work()
    order = np.argsort(pool.length, kind="stable")
    for items in np.split(order, range(CHUNK, len(order), CHUNK)) if len(order) else []:
        batch = model.batch_of(pool, items, shape.width // HEAD, row_width(pool.length[items].tolist()))
        wrong = model.forward(weights, batch)[0].argmax(-1) != batch.targets
        owner = np.repeat(items, (pool.length - pool.asked + 1)[items])
        agreed[owner[wrong.numpy()]] = False
        work += answering_work(shape, batch.real, batch.seen)
    return agreed, work


def passes(check: str, weights: Weights, task: str, pairs: Pairs, voters: Sequence[Weights] = ()) -> tuple[Flags, Work]:
    """Apply the own check to own answers: which pass, and the work.

    cycle: the model applied to its answer gives back the question; commute: b+a gets the same answer as a+b;
    vote: every one of `voters` gives the same answer; none: all pass.
    """
    require_pair(task, check)
    if check == "none":
        return np.ones(len(pairs), dtype=bool), Work()
    if check != "vote":
        return agrees(weights, _turned(check, pairs))
    if not voters:
        raise ValueError("check 'vote' needs the other bases; pass them as voters")
    votes = [agrees(voter, pairs) for voter in voters]
    return np.logical_and.reduce([flags for flags, _ in votes]), sum((work for _, work in votes), Work())


def make_set(
    weights: Weights,
    task: str,
    check: str,
    length: int,
    count: int,
    rng: np.random.Generator,
    voters: Sequence[Weights] = (),
) -> Made:
    """Draw `count` unlabelled questions, answer them greedily and check the answers; nothing is dropped."""
    asked = questions(task, length, count, rng)
    answers = answer(weights, asked)
    pairs = Pairs(tuple(asked), answers.texts)
    passed, work = passes(check, weights, task, pairs, voters)
    return Made(pairs, passed, answers.work + work)


def best_of(
    weights: Weights,
    task: str,
    check: str,
    asked: Sequence[str],
    tries: int,
    temperature: float,
    rng: np.random.Generator,
    voters: Sequence[Weights] = (),
) -> Answers:
    """Answer each question `tries` times (greedily first, then sampled) and keep the best try.

    A try that passes the own check beats one that does not; then the more frequent answer, then the more confident.
    """
    runs = [answer(weights, asked)]
    runs += [answer(weights, asked, temperature=temperature, rng=rng) for _ in range(tries - 1)]
    checked = [passes(check, weights, task, Pairs(tuple(asked), run.texts), voters) for run in runs]
    votes = [Counter(run.texts[item] for run in runs) for item in range(len(asked))]
    ranks = [
        [(bool(ok), vote[text], p) for ok, vote, text, p in zip(flags, votes, run.texts, run.confidence, strict=True)]
        for run, (flags, _) in zip(runs, checked, strict=True)
    ]
    chosen = [max(range(tries), key=[rank[item] for rank in ranks].__getitem__) for item in range(len(asked))]
    work = sum((run.work for run in runs), Work()) + sum((spent for _, spent in checked), Work())
    texts = tuple(runs[index].texts[item] for item, index in enumerate(chosen))
    return Answers(texts, tuple(runs[index].confidence[item] for item, index in enumerate(chosen)), work)


_Chooser = Callable[[Tensor], Tensor]


def _chooser(temperature: float, rng: np.random.Generator | None) -> _Chooser:
    """Rule from log-probabilities (n, V) to tokens (n,): the best, or a draw by the Gumbel trick."""
    if temperature <= 0 or rng is None:
        return lambda logs: logs.argmax(-1)
    return lambda logs: (logs / temperature + torch.from_numpy(rng.gumbel(size=tuple(logs.shape)))).argmax(-1)


def _text(said: Tokens) -> str:
    ended = np.flatnonzero(said == END)
    return "".join(ALPHABET[token] for token in said[: ended[0] if len(ended) else len(said)])


def _turned(check: str, pairs: Pairs) -> Pairs:
    """The pairs that the model must agree with for its answers to pass `cycle` or `commute`."""
    end, plus = ALPHABET[SEPARATOR], ALPHABET[PLUS]
    if check == "cycle":
        return Pairs(tuple(text + end for text in pairs.answers), tuple(text[:-1] for text in pairs.questions))
    halves = [question[:-1].split(plus) for question in pairs.questions]
    return Pairs(tuple(f"{right}{plus}{left}{end}" for left, right in halves), pairs.answers)


def _together(lengths: Indices) -> Iterator[Indices]:
    """Places of strings that are decoded together: at most CHUNK, none more than twice as long as another.

    A step costs nearly the same for few strings as for many, and a string waits for the longest of its company.
    """
    order = np.argsort(lengths, kind="stable")
    while len(order):
        near = int(np.searchsorted(lengths[order], 2 * lengths[order[0]], side="right"))
        yield order[: min(near, CHUNK)]
        order = order[min(near, CHUNK) :]


def _decoding_work(weights: Weights, asked: Indices, said: Tokens) -> Work:
    """Work on real tokens: questions (n,) and each answer token that was read again, up to the end token."""
    ended = said == END
    fed = np.minimum(np.where(ended.any(axis=1), ended.argmax(axis=1), said.shape[1] - 1), asked) + asked
    return answering_work(shape_of(weights), int(fed.sum()), int((fed * (fed + 1) // 2).sum()))


def _decode(weights: Weights, asked: Tokens, lengths: Indices, choose: _Chooser) -> tuple[Tokens, NDArray[np.float64]]:
    """Continue questions (n, widest) of these lengths (n,).

    Returns:
        Tokens said (n, up to one more than the longest question), END from where an answer ended or was cut; summed
        log-probabilities of what was said (n,).
    """
    longest, most = int(lengths.max()), torch.from_numpy(lengths)
    cache = _Cache(weights, longest - lengths, 2 * longest + 1)
    logits = cache.feed(torch.from_numpy(_aligned(asked, lengths).astype(np.int64)))
    said, total, open_ = [], torch.zeros(len(lengths), dtype=torch.float64), torch.ones(len(lengths), dtype=torch.bool)
    for place in range(longest + 1):
        logs = torch.log_softmax(logits, -1)
        token = choose(logs)
        total += torch.where(open_, logs.gather(1, token[:, None])[:, 0], 0.0)
        said.append(torch.where(open_, token, END))
        open_ &= (token != END) & (place < most)
        if not open_.any():
            break
        logits = cache.feed(token[:, None])
    return torch.stack(said, 1).numpy().astype(np.uint8), total.numpy()


def _aligned(asked: Tokens, lengths: Indices) -> Tokens:
    """Questions (n, widest), padded on the right, as rows (n, longest) that end together, padded on the left."""
    place = np.arange(lengths.max()) - (lengths.max() - lengths)[:, None]
    return np.where(place < 0, PAD, np.take_along_axis(asked, np.maximum(place, 0), axis=1)).astype(np.uint8)


class _Cache:
    """Keys, values and token counts of strings that are being continued; `before` (n,) places of padding lead them.

    A place of padding sees itself alone, and no other place sees it.
    """

    def __init__(self, weights: Weights, before: Indices, longest: int) -> None:
        strings = len(before)
        self.weights, self.strings, self.used = weights, strings, 0
        self.before = torch.from_numpy(before) if before.any() else None
        self.layers, width = shape_of(weights).layers, weights["embed"].shape[1]
        # At 32 places and more, torch hands the tiny products to MKL, which is about twice as fast as its own loop.
        self.places, self.heads = max(32, -(-longest // 16) * 16), width // HEAD
        self.counts = torch.zeros(strings, VOCABULARY)
        self.keys = torch.zeros(self.layers, strings * self.heads, HEAD, self.places)
        self.values = torch.zeros(self.layers, strings * self.heads, self.places, HEAD)
        self.tables = model._bag_tables(weights)
        self.mixed = model._bag_mixed(weights, self.tables[4])

    def feed(self, tokens: Tensor) -> Tensor:
        """Read new tokens (n, k) and return the logits (n, V) after the last."""
        x = self._bag(tokens)
        x = model._mlp(self.weights, 0, x)[0]
        for layer in range(1, self.layers):
            x = self._attend(layer, x, tokens.shape[1])
            x = model._mlp(self.weights, layer, x)[0]
        self.used += tokens.shape[1]
        return model._norm(x)[0] @ self.weights["head"]

    def _bag(self, tokens: Tensor) -> Tensor:
        """First layer, (n * k, width): counts stand for its cache."""
        single = torch.eye(VOCABULARY)[tokens]
        if self.before is None:
            counts = single.cumsum(1) + self.counts[:, None]
        else:
            padding = (torch.arange(self.used, self.used + tokens.shape[1]) < self.before[:, None])[:, :, None]
            counts = single.masked_fill(padding, 0.0).cumsum(1) + self.counts[:, None]
            counts = torch.where(padding, single, counts)
        self.counts = counts[:, -1]
        _, _, query, key, _ = self.tables
        share = model._bag_shares(query, key, tokens.reshape(-1), counts.view(-1, 1, VOCABULARY))
        return torch.addmm(self.weights["embed"][tokens.reshape(-1)], share.flatten(1), self.mixed)

    def _attend(self, layer: int, x: Tensor, new: int) -> Tensor:
        """One later layer's attention; in the last layer only the newest place goes on."""
        y, width = model._norm(x)[0], x.shape[1]
        query, key, value = model._heads_first(y @ self.weights[f"{layer}.qkv"], 3, self.strings, self.heads)
        end = self.used + new
        self.keys[layer, :, :, self.used : end] = key.transpose(1, 2)
        self.values[layer, :, self.used : end] = value
        if layer == self.layers - 1:
            query, x, new = query[:, -1:], x.view(self.strings, new, width)[:, -1], 1
        share = torch.softmax(torch.baddbmm(self._mask(end - new, end), query, self.keys[layer], alpha=SCALE), -1)
        mixed = torch.bmm(share, self.values[layer]).view(self.strings, self.heads, new, HEAD)
        return torch.addmm(x, mixed.transpose(1, 2).reshape(-1, width), self.weights[f"{layer}.out"])

    def _mask(self, first: int, end: int) -> Tensor:
        """What the places from `first` to `end` do not see, as -inf: (places asked, places), or so for each head."""
        keys, asked = torch.arange(self.places), torch.arange(first, end)[:, None]
        hidden = keys > asked
        if self.before is not None:
            hidden = (hidden | ((keys < self.before[:, None, None]) & (keys != asked))).repeat_interleave(self.heads, 0)
        return torch.zeros(hidden.shape).masked_fill_(hidden, float("-inf"))
