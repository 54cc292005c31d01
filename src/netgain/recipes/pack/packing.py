"""Online packing of many lists by many heuristics at once, and the replay that a scorer trusts.

A heuristic is a table of ranks: for each item and each room that a bin has left, how much it wants the item there. Bins
with equal room are alike to it, so a list is packed with counts of open bins by room. A packing is written down as the
room of the bin that each item went into; the capacity stands for a new bin.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.uint8]
ROWS = 512  # of one pass: about what a processor's cache holds


def ranks_of(wants: Floats) -> Ranks:
    """Ranks of a table of priorities: 0 where the item does not fit, else 1 and up, the largest where it goes first.

    Ties go to the fuller bin, and so to an open one before a new one. (The published program takes the bin that was
    opened first, which bins that are told apart by their room alone cannot say.)

    Args:
        wants: (items, capacity + 1) priority of an item for a bin with room r; NaN where it does not fit.

    Returns:
        (items, capacity + 1) whole numbers.
    """
    order = np.argsort(np.where(np.isnan(wants), np.inf, -wants), axis=1, kind="stable")
    ranks = np.empty(wants.shape, dtype=np.uint8)
    np.put_along_axis(ranks, order, np.arange(wants.shape[1], 0, -1, dtype=np.uint8)[None], axis=1)
    ranks[np.isnan(wants)] = 0
    return ranks


def packed(ranks: Ranks, lists: Ints, least: int) -> Ints:
    """Rooms that the items of lists go into, one item after the other, by each heuristic.

    Args:
        ranks: (s, items, capacity + 1) tables.
        lists: (l, n) items in the order of their arrival.
        least: the item that the first row of a table is about.

    Returns:
        (s, l, n) rooms before placing; the capacity where a bin is opened.
    """
    heuristics, many, items = len(ranks), *lists.shape
    step = max(1, ROWS // many)
    parts = [_pass(ranks[at : at + step], lists, least) for at in range(0, heuristics, step)]
    return np.concatenate(parts).reshape(heuristics, many, items)


def _pass(ranks: Ranks, lists: Ints, least: int) -> Ints:
    """(s * l, n) rooms of one batch."""
    count, items, width = ranks.shape
    rows, flat = count * len(lists), ranks.reshape(count * items, width)
    begins = np.repeat(np.arange(count) * items, len(lists)) - least
    sizes = np.tile(lists.T, (1, count))  # (n, rows)
    there = np.zeros((rows, width), dtype=np.uint8)  # 1 where a bin with this room is open
    there[:, -1] = 1
    bins = np.zeros(rows * width, dtype=np.int32)  # how many are; indices into it and into `there` are flat
    bins[width - 1 :: width] = lists.shape[1] + 1  # new bins do not run out
    flags, row = there.reshape(-1), np.arange(rows) * width
    wanted, rooms = np.empty_like(there), np.empty(sizes.shape, dtype=np.int64)
    for at, size in enumerate(sizes):
        np.take(flat, begins + size, axis=0, out=wanted, mode="clip")  # the other modes buffer
        wanted *= there
        rooms[at] = room = wanted.argmax(axis=1)
        taken = row + room
        left = bins[taken] - 1
        bins[taken] = left
        flags[taken] = left > 0
        taken -= size
        bins[taken] += 1
        flags[taken] = 1
    return rooms.T


def opened(rooms: Ints, capacity: int) -> Ints:
    """Bins of each packing: the items that went into a new one."""
    return np.asarray((rooms == capacity).sum(axis=-1))


def excess(bins: Any, lists: Ints, capacity: int) -> Floats:
    """Bins above the bound that no packing beats, the sum of the items over the capacity rounded up, as a share of it.

    It is the bound of the published notebook; the true optimum may be above it, so an excess is too large rather than
    too small.
    """
    bound = -(-lists.sum(axis=-1) // capacity)
    return np.asarray((bins - bound) / bound, dtype=np.float64)


def replayed(items: Sequence[int], rooms: Any, capacity: int) -> int | None:
    """Bins of a packing that somebody claims to have made, or None where it is none.

    Each item has to fit, and a bin with that room has to be open at that moment, unless it is a new one.
    """
    if type(rooms) is not list or len(rooms) != len(items):
        return None
    bins = [0] * (capacity + 1)
    used = 0
    for item, room in zip(items, rooms, strict=True):
        if type(room) is not int or not item <= room <= capacity:
            return None
        if room == capacity:
            used += 1
        elif bins[room]:
            bins[room] -= 1
        else:
            return None
        bins[room - item] += 1
    return used


def first_fit(lists: Ints, capacity: int) -> Ints:
    """(l,) bins of first fit: each item into the bin that was opened first among those where it fits.

    It goes by age, which no table of rooms knows, so it is packed by itself: of each room the oldest open bin is known,
    and an item looks at the rooms that it fits into, never at the bins.
    """
    return np.array([_first_fit(items, capacity) for items in lists.tolist()])


def _first_fit(items: Sequence[int], capacity: int) -> int:
    """Bins that one list takes."""
    open_: list[list[int]] = [[] for _ in range(capacity + 1)]  # by room, the numbers of the bins, a heap
    oldest = np.full(capacity + 1, len(items))  # by room, the least of them
    used = 0
    for size in items:
        room = size + int(oldest[size:].argmin())
        if oldest[room] < len(items):
            bin_ = heappop(open_[room])
            oldest[room] = open_[room][0] if open_[room] else len(items)
        else:
            bin_, room, used = used, capacity, used + 1
        heappush(open_[room - size], bin_)
        oldest[room - size] = open_[room - size][0]
    return used
