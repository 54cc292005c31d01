"""The three string tasks: questions, right answers, token arrays and the packing of many strings into few rows.

NumPy only. A question is a string such as ``31415>`` (reverse, copy) or ``12+34>`` (addition, least significant digit
first); the answer is a string such as ``51413``. A malformed question holds the foreign symbol or lacks the separator,
and the right answer to it is the refusal ``!``. Lengths count symbols (addition: digits of one operand).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.uint8]
Indices = NDArray[np.int64]

ALPHABET = "0123456789>$_#!+"
"""Character of each token; ``$`` ends an answer and ``_`` pads a row, both internal."""
VOCABULARY = len(ALPHABET)
SEPARATOR, END, PAD, FOREIGN, REFUSAL, PLUS = 10, 11, 12, 13, 14, 15

CHECKS: dict[str, tuple[str, ...]] = {
    "reverse": ("cycle", "vote", "none"),
    "copy": ("vote", "none"),
    "addition": ("commute", "vote", "none"),
}
"""Own checks that make sense for each task; the first is the default."""
TASKS = tuple(CHECKS)


@dataclass(frozen=True)
class Pairs:
    """Questions with answers, as strings; the answers may be the system's own and wrong."""

    questions: tuple[str, ...]
    answers: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.questions) != len(self.answers):
            raise ValueError(f"{len(self.questions)} questions with {len(self.answers)} answers; give one answer each")

    def __len__(self) -> int:
        return len(self.questions)

    def keep(self, which: Indices | NDArray[np.bool_]) -> Pairs:
        """Return the pairs at these indices, or where the mask (one entry per pair) is true."""
        chosen = np.flatnonzero(which) if which.dtype == np.bool_ else which
        return Pairs(tuple(self.questions[i] for i in chosen), tuple(self.answers[i] for i in chosen))


@dataclass(frozen=True)
class Pool:
    """Training strings as padded token rows.

    tokens: (n, widest), question then answer then padding; asked: (n,) tokens of the question;
    length: (n,) tokens of question and answer (the end token is a target only, never an input).
    """

    tokens: Tokens
    asked: Indices
    length: Indices


def require_pair(task: str, check: str) -> None:
    """Raise ValueError unless `check` is an own check of `task`."""
    if task not in CHECKS:
        raise ValueError(f"task {task!r} is unknown; choose one of {', '.join(TASKS)}")
    if check not in CHECKS[task]:
        raise ValueError(f"check {check!r} does not fit task {task!r}; choose one of {', '.join(CHECKS[task])}")


def questions(task: str, length: int, count: int, rng: np.random.Generator) -> list[str]:
    """Draw `count` well-formed questions of `length` symbols."""
    return texts(draw(task, length, count, rng))


def malformed(task: str, length: int, count: int, rng: np.random.Generator) -> list[str]:
    """Draw `count` questions of `length` symbols that the right answer refuses."""
    return [text.rstrip(ALPHABET[PAD]) for text in texts(spoil(draw(task, length, count, rng), rng))]


def truth(task: str, question: str) -> str:
    """Return the right answer to one question, the refusal for a malformed one."""
    body = question[:-1]
    if question[-1:] != ALPHABET[SEPARATOR] or not _well_formed(task, body):
        return ALPHABET[REFUSAL]
    if task == "addition":
        left, right = body.split(ALPHABET[PLUS])
        return str(int(left[::-1]) + int(right[::-1])).zfill(len(left) + 1)[::-1]
    return body[::-1] if task == "reverse" else body


def length_of(task: str, question: str) -> int:
    """Return the length of a well-formed question in symbols (addition: digits of one operand)."""
    return (len(question) - 2) // 2 if task == "addition" else len(question) - 1


def draw(task: str, length: int, count: int, rng: np.random.Generator) -> Tokens:
    """Draw well-formed questions as tokens, shape (count, tokens of a question)."""
    if task not in CHECKS:
        raise ValueError(f"task {task!r} is unknown; choose one of {', '.join(TASKS)}")
    ends = np.full((count, 1), SEPARATOR, dtype=np.uint8)
    digits = rng.integers(0, 10, (count, length * (2 if task == "addition" else 1)), dtype=np.uint8)
    if task != "addition":
        return np.hstack([digits, ends])
    return np.hstack([digits[:, :length], np.full_like(ends, PLUS), digits[:, length:], ends])


def solve(task: str, asked: Tokens) -> Tokens:
    """Answer well-formed questions of one length rightly: (n, question) to (n, answer) tokens."""
    if task != "addition":
        return asked[:, -2::-1] if task == "reverse" else asked[:, :-1]
    digits = asked.shape[1] // 2 - 1
    sums = asked[:, :digits].astype(np.int64) + asked[:, digits + 1 : -1]
    answer, carry = np.zeros((len(asked), digits + 1), dtype=np.uint8), np.zeros(len(asked), dtype=np.int64)
    for place in range(digits):
        total = sums[:, place] + carry
        answer[:, place], carry = total % 10, total // 10
    answer[:, digits] = carry
    return answer


def spoil(asked: Tokens, rng: np.random.Generator) -> Tokens:
    """Make well-formed questions malformed: a foreign symbol, or (about half) the separator replaced by padding."""
    spoiled, where = asked.copy(), rng.integers(0, asked.shape[1] - 1, len(asked))
    cut = rng.random(len(asked)) < 0.5
    spoiled[np.arange(len(asked)), where] = np.where(cut, asked[np.arange(len(asked)), where], FOREIGN)
    spoiled[cut, -1] = PAD
    return spoiled


def texts(tokens: Tokens) -> list[str]:
    """Write token rows (n, width) as strings of `width` characters."""
    if not tokens.size:
        return [""] * len(tokens)
    letters = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)[tokens]
    return [row.decode() for row in letters.view(f"S{tokens.shape[1]}")[:, 0].tolist()]


def read(strings: Sequence[str]) -> tuple[Tokens, Indices]:
    """Read strings as padded token rows (n, widest) and their lengths (n,)."""
    lengths = np.fromiter(map(len, strings), dtype=np.int64, count=len(strings))
    widest = int(lengths.max(initial=1))
    joined = "".join(text.ljust(widest, ALPHABET[PAD]) for text in strings)
    table = np.full(256, 255, dtype=np.uint8)
    table[np.frombuffer(ALPHABET.encode(), dtype=np.uint8)] = np.arange(VOCABULARY)
    tokens = table[np.frombuffer(joined.encode("latin-1", "replace"), dtype=np.uint8)].reshape(len(strings), widest)
    if (tokens == 255).any():
        bad = strings[int(np.flatnonzero((tokens == 255).any(axis=1))[0])]
        raise ValueError(f"{bad!r} holds a character outside {ALPHABET!r}")
    return tokens, lengths


def pool_of(pairs: Pairs) -> Pool:
    """Turn string pairs into a pool."""
    tokens, length = read([question + answer for question, answer in zip(pairs.questions, pairs.answers, strict=True)])
    return Pool(tokens, np.fromiter(map(len, pairs.questions), dtype=np.int64, count=len(pairs)), length)


def true_pool(task: str, length: int, count: int, refused: float, rng: np.random.Generator) -> Pool:
    """Draw `count` true strings of one length; a share `refused` of them malformed and answered by the refusal."""
    asked = draw(task, length, count, rng)
    tokens = np.hstack([asked, solve(task, asked)])
    bad = np.flatnonzero(rng.random(count) < refused)
    tokens[bad] = PAD
    tokens[bad, : asked.shape[1]] = spoil(asked[bad], rng)
    ask = np.full(count, asked.shape[1], dtype=np.int64)
    ask[bad] -= tokens[bad, asked.shape[1] - 1] == PAD
    tokens[bad, ask[bad]] = REFUSAL
    total = np.full(count, tokens.shape[1], dtype=np.int64)
    total[bad] = ask[bad] + 1
    return Pool(tokens, ask, total)


def joined(pools: Sequence[Pool]) -> Pool:
    """Put pools behind each other, padding to the widest."""
    widest = max(pool.tokens.shape[1] for pool in pools)
    padded = [np.pad(p.tokens, ((0, 0), (0, widest - p.tokens.shape[1])), constant_values=PAD) for p in pools]
    return Pool(np.vstack(padded), np.concatenate([p.asked for p in pools]), np.concatenate([p.length for p in pools]))


def row_width(lengths: Sequence[int]) -> int:
    """Return the row width in tokens that packs strings of these lengths cheapest.

    Widths are multiples of 16, where the softmax kernel is fast; attention adds about 1/300 of a token's cost per
    place of its row (measured).
    """
    least = -(-max(lengths) // 16) * 16
    return min(range(least, least + 64, 16), key=lambda width: pack(lengths, width)[1] * width * (300 + width))


def pack(lengths: Sequence[int], width: int) -> tuple[Indices, int]:
    """Best-fit decreasing: give each string a start in rows of `width` tokens.

    Returns the flat start (row * width + column) of each string, and the number of rows.
    """
    room: list[list[int]] = [[] for _ in range(width + 1)]  # room[c]: flat positions where c free tokens begin
    starts, rows = np.zeros(len(lengths), dtype=np.int64), 0
    for item in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        need = lengths[item]
        free = next((c for c in range(need, width) if room[c]), width)
        if free == width:
            start, rows = rows * width, rows + 1
        else:
            start = room[free].pop()
        starts[item] = start
        room[free - need].append(start + need)
    return starts, rows


def _well_formed(task: str, body: str) -> bool:
    parts = body.split(ALPHABET[PLUS]) if task == "addition" else [body]
    digits = all(part.isascii() and part.isdigit() for part in parts)
    return digits and (task != "addition" or (len(parts) == 2 and len(parts[0]) == len(parts[1])))
