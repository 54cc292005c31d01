"""Runs of n words by rolling hashes: a table of the runs of protected items, and which of them some words hold.

A word is hashed from its bytes (16 at once, longer ones by BLAKE2), a run by the polynomial of its words' hashes modulo
2^64. A hash only says where to look: a run counts as found when its words are the same, word by word. So collisions
cannot make a match, and equal runs have equal hashes, so none is missed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netgain.guards.words import Ints, Words

Hashes = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]
UNKNOWN = -1  # id of a word that no protected item holds
MIXERS = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93))
HALF, AT_ONCE = np.uint64(32), 16  # bits; bytes of a word that are hashed without a loop
MASKS = np.array([(1 << 8 * kept) - 1 for kept in range(9)], np.uint64)  # the first 0 to 8 bytes
SPARE, LEAST, MOST = 4, 16, 26  # log2 of places per run, of the smallest and of the largest table of places


class Collision(Exception):
    """Two different runs of the protected items have one hash: take another salt."""


class Held(NamedTuple):
    """Runs that were found: (k,) places of their first words, and their numbers in the table."""

    places: Ints
    runs: Ints


def word_hashes(data: bytes, words: Words, salt: int = 0) -> Hashes:
    """Return (n,) hashes of words; `data` has 16 bytes behind the last of them."""
    starts, sizes = words.starts, words.ends - words.starts
    eights: Hashes = np.ndarray((max(len(data) - 7, 0),), "<u8", data, 0, (1,))  # the eight bytes from each place on
    found: Hashes = (eights[starts] & MASKS[np.minimum(sizes, 8)]) * (MIXERS[0] + np.uint64(2 * salt))
    more = np.flatnonzero(sizes > 8)
    found[more] += (eights[starts[more] + 8] & MASKS[np.minimum(sizes[more] - 8, 8)]) * MIXERS[1]
    found ^= found >> HALF
    found *= MIXERS[2]
    for place in more[sizes[more] > AT_ONCE].tolist():
        word = data[starts[place] : words.ends[place]]
        found[place] = int.from_bytes(hashlib.blake2b(word, digest_size=8, salt=bytes([salt])).digest(), "little")
    return found


def run_hashes(words: Hashes, length: int) -> Hashes:
    """Return the hashes of all runs of so many words along the last axis, (…, n) -> (…, n - length + 1)."""
    if length == 1 or words.shape[-1] < length:
        return words[..., : max(words.shape[-1] - length + 1, 0)]
    half, count = length // 2, words.shape[-1] - length + 1
    left = run_hashes(words, half)
    right = left if length == 2 * half else run_hashes(words, length - half)
    weight = np.uint64(pow(int(MIXERS[1]), length - half, 2**64))
    joined: Hashes = left[..., :count] * weight + right[..., half : half + count]
    return joined


@dataclass(frozen=True)
class RunTable:
    """The distinct runs of `length` words in the protected items.

    Attributes:
        hashes: (m,) ascending, one per run.
        rows: (m, length) ids of the words of each run.
        edges: (m + 1,); run k occurs in the items `items[edges[k]:edges[k + 1]]`.
        places: table of booleans by the leading bits of a hash: False where no run has them.
    """

    length: int
    hashes: Hashes
    rows: Ints
    edges: Ints
    items: Ints
    places: Bools

    def find(self, hashes: Hashes) -> Held:
        """Return the places whose hash is that of a run; to be confirmed by the words."""
        at = np.flatnonzero(self.places[hashes >> _shift(self.places)])
        spot = np.searchsorted(self.hashes, hashes[at])
        same = np.flatnonzero(self.hashes[np.minimum(spot, len(self.hashes) - 1)] == hashes[at]) if len(at) else spot
        return Held(at[same], spot[same])

    def confirmed(self, held: Held, ids: Ints) -> Held:
        """Return those whose words are the words of the run; `ids`: (n,) word ids of the place's surroundings."""
        same = (ids[spread(held.places, self.length)] == self.rows[held.runs]).all(axis=1)
        return Held(held.places[same], held.runs[same])

    def owners(self, runs: Ints) -> tuple[Ints, Ints]:
        """Return each pair of a run and an item that holds it: (p,) positions in `runs` and (p,) items."""
        often = self.edges[runs + 1] - self.edges[runs]
        position = np.repeat(np.arange(len(runs)), often)
        within = np.arange(len(position)) - np.repeat(np.cumsum(often) - often, often)
        return position, self.items[self.edges[runs][position] + within]


def run_table(length: int, ids: Ints, hashes: Hashes, texts: Ints, items: Ints) -> RunTable:
    """Make the table of all runs that lie inside one text.

    Args:
        ids, hashes, texts, items: (n,) of each word of all protected texts in a row: its id and hash, the text in which
            it stands and the item that the text belongs to.

    Raises:
        Collision: different runs with one hash.
    """
    whole = np.flatnonzero(texts[: max(len(texts) - length + 1, 0)] == texts[length - 1 :])
    keys = run_hashes(hashes, length)[whole]
    order = np.argsort(keys, kind="stable")
    first, keys = whole[order], keys[order]
    new = np.ones(len(keys), np.bool_)
    new[1:] = keys[1:] != keys[:-1]
    rows, run = ids[spread(first, length)], np.cumsum(new) - 1
    if (rows[1:] != rows[:-1])[~new[1:]].any():
        raise Collision
    pairs = np.unique(np.stack([run, items[first]], axis=1), axis=0).reshape(-1, 2)
    edges = np.searchsorted(pairs[:, 0], np.arange(int(new.sum()) + 1))
    return RunTable(length, keys[new], rows[new], edges, pairs[:, 1], _places(keys[new]))


def word_ids(data: bytes, words: Words, held: Ints, known: Mapping[bytes, int]) -> Ints:
    """Return (n,) ids of words, looked up at the places `held` only and UNKNOWN elsewhere."""
    ids, asked = np.full(len(words.starts), UNKNOWN, np.int64), np.zeros(len(words.starts), np.bool_)
    asked[held] = True
    where = np.flatnonzero(asked)
    spans = zip(words.starts[where].tolist(), words.ends[where].tolist(), strict=True)
    ids[where] = [known.get(data[start:end], UNKNOWN) for start, end in spans]
    return ids


def spread(places: Ints, length: int) -> Ints:
    """Return (k, length): each place and those that follow it."""
    return places[:, None] + np.arange(length)


def _places(hashes: Hashes) -> Bools:
    size = min(max(LEAST, len(hashes).bit_length() + SPARE), MOST)
    places = np.zeros(1 << size, np.bool_)
    places[hashes >> _shift(places)] = True
    return places


def _shift(places: Bools) -> np.uint64:
    return np.uint64(64 - (len(places).bit_length() - 1))
