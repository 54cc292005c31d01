"""RFC 6962 Merkle tree (section 2.1): the head of the log after any number of events."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


def leaf_hash(body: bytes) -> bytes:
    """SHA-256(0x00 ‖ body), 32 bytes."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right), 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The tree so far, as the heads of its perfect subtrees: one per set bit of the size, largest first."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._size = 0
        self._heads: list[bytes] = []
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._size

    def append(self, leaf: bytes) -> None:
        """Add the next leaf hash; subtrees of equal size merge, as a binary counter carries."""
        head, carry = leaf, self._size
        while carry & 1:
            head = node_hash(self._heads.pop(), head)
            carry >>= 1
        self._heads.append(head)
        self._size += 1

    def root(self) -> bytes:
        """Tree head, 32 bytes; of the empty tree SHA-256 of nothing."""
        if not self._heads:
            return sha256(b"").digest()
        head = self._heads[-1]
        for left in reversed(self._heads[:-1]):
            head = node_hash(left, head)
        return head

    def copy(self) -> Frontier:
        """A second tree that can grow on its own: what `append` tries before the transaction is committed."""
        twin = Frontier()
        twin._size, twin._heads = self._size, list(self._heads)
        return twin
