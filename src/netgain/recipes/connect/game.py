"""Connect Four on four columns of four, many positions at a time: rules, text and features; nothing of who should win.

A position is two numbers, the stones of the side to move and all stones, with five bits a column: bit 5 c + r is row r
of column c, and the fifth bit of a column stays empty so that no line runs from one column into the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgain.errors import ConfigError

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

SIDE = 4
CELLS = SIDE * SIDE
WIDTH = SIDE + 1  # bits of a column
COLUMNS = 1 << (WIDTH * np.arange(SIDE))  # lowest cell of each column
COLUMN = (1 << SIDE) - 1
BITS = np.array([WIDTH * (at // SIDE) + at % SIDE for at in range(CELLS)])  # cells column by column, from below
LINES = (1, WIDTH, WIDTH - 1, WIDTH + 1)  # steps within a column, along a row, and along both diagonals
OWN, OTHER, EMPTY = "x", "o", "."


@dataclass(frozen=True)
class Positions:
    """Positions: own (n,) stones of the side to move, filled (n,) all stones."""

    own: Ints
    filled: Ints

    def __len__(self) -> int:
        return len(self.own)

    def __getitem__(self, which: Ints | Bools) -> Positions:
        return Positions(self.own[which], self.filled[which])

    @property
    def stones(self) -> Ints:
        """(n,) stones on the board."""
        return np.bitwise_count(self.filled).astype(np.int64)

    @property
    def keys(self) -> Ints:
        """(n,) one number for each position; different ones differ."""
        return (self.filled << (SIDE * WIDTH)) | self.own


def empty(count: int) -> Positions:
    """So many empty boards."""
    return Positions(np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64))


def from_keys(keys: Ints) -> Positions:
    """The positions of `Positions.keys`."""
    return Positions(keys & ((1 << (SIDE * WIDTH)) - 1), keys >> (SIDE * WIDTH))


def legal(positions: Positions) -> Bools:
    """(n, 4) whether a column has room."""
    return np.asarray((positions.filled[:, None] & (COLUMNS << (SIDE - 1))) == 0)


def after(positions: Positions, moves: Ints) -> tuple[Positions, Bools]:
    """The positions that (n,) legal moves lead to, seen by the other side, and (n,) whether the move made four."""
    lowest = COLUMNS[moves]
    stone = (positions.filled + lowest) & (lowest * COLUMN)
    return Positions(positions.filled ^ positions.own, positions.filled | stone), four(positions.own | stone)


def four(stones: Ints) -> Bools:
    """(n,) whether these stones hold four in a line."""
    found = np.zeros(stones.shape, dtype=np.bool_)
    for step in LINES:
        pairs = stones & (stones >> step)
        found |= (pairs & (pairs >> 2 * step)) != 0
    return found


def full(positions: Positions) -> Bools:
    """(n,) whether no column has room."""
    return np.asarray(positions.stones == CELLS)


def winning(positions: Positions) -> Bools:
    """(n, 4) whether a legal move makes four at once."""
    found = np.zeros((len(positions), SIDE), dtype=np.bool_)
    can = legal(positions)
    for column in range(SIDE):
        _, found[:, column] = after(positions, np.full(len(positions), column))
    return found & can


def passed(positions: Positions) -> Positions:
    """The same stones with the other side to move: what it threatens."""
    return Positions(positions.filled ^ positions.own, positions.filled)


def cells(positions: Positions) -> tuple[Bools, Bools]:
    """(n, 16) own stones and the other side's, column by column from below."""
    own = (positions.own[:, None] >> BITS) & 1 == 1
    return own, ((positions.filled ^ positions.own)[:, None] >> BITS) & 1 == 1


def features(positions: Positions) -> Floats:
    """(n, 32) what the network sees: 1 for an own stone, then 1 for one of the other side."""
    return np.hstack(cells(positions)).astype(np.float32)


def mirrored(seen: Floats) -> Floats:
    """Features (n, 32) of the boards with left and right exchanged."""
    return np.ascontiguousarray(seen.reshape(-1, 2, SIDE, SIDE)[:, :, ::-1].reshape(len(seen), 2 * CELLS))


def texts(positions: Positions) -> list[str]:
    """Each position as 16 letters, column by column from below: x own, o the other side's, . empty."""
    own, other = cells(positions)
    letters = np.where(own, ord(OWN), np.where(other, ord(OTHER), ord(EMPTY))).astype(np.uint8)
    return [row.tobytes().decode() for row in letters]


def read(said: Sequence[str]) -> Positions:
    """The positions of `texts`.

    Raises:
        ConfigError: a text that is no board.
    """
    odd = next((one for one in said if len(one) != CELLS or not set(one) <= {OWN, OTHER, EMPTY}), None)
    if odd is not None:
        raise ConfigError(f"board {odd!r}", fix=f"give {CELLS} letters of {OWN!r}, {OTHER!r} and {EMPTY!r}")
    letters = np.frombuffer("".join(said).encode(), dtype=np.uint8).reshape(-1, CELLS)
    own, other = ((letters == ord(one)) @ (1 << BITS) for one in (OWN, OTHER))
    return Positions(own.astype(np.int64), (own + other).astype(np.int64))


def openings(count: int, most: int, rng: np.random.Generator) -> Positions:
    """Positions after 0 to `most` moves drawn evenly, none of them decided; a move that would decide is left out."""
    there, length = empty(count), rng.integers(most + 1, size=count)
    for at in range(most):
        further, over = after(there, drawn(legal(there).astype(np.float64), rng))
        on = (at < length) & ~over & ~full(further)
        there = Positions(np.where(on, further.own, there.own), np.where(on, further.filled, there.filled))
    return there


def drawn(weights: npt.NDArray[np.float64], rng: np.random.Generator) -> Ints:
    """(n,) one column a row, with these weights (n, 4); one of weight 0 is never drawn."""
    lots = (1.0 - rng.random((len(weights), 1))) * weights.sum(axis=1, keepdims=True)  # above 0
    return np.asarray((np.cumsum(weights, axis=1) < lots).sum(axis=1), dtype=np.int64).clip(max=SIDE - 1)
