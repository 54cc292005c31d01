"""The incremental tree against the definition of RFC 6962, section 2.1, and its published shape."""

import hashlib

import pytest

from netgain.ledger.merkle import Frontier, leaf_hash, node_hash


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH(D[n]) as the RFC writes it: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(str(index).encode()) for index in range(count)]


@pytest.mark.parametrize("count", range(140))
def test_frontier_is_the_definition_at_every_small_size(count: int) -> None:
    leaves = leaves_of(count)
    assert Frontier(leaves).root() == by_definition(leaves)
    assert Frontier(leaves).size == count


def test_root_of_every_prefix_while_growing() -> None:
    leaves, frontier = leaves_of(70), Frontier()
    for count, leaf in enumerate(leaves, start=1):
        frontier.append(leaf)
        assert frontier.root() == by_definition(leaves[:count])


def test_a_copy_grows_alone() -> None:
    frontier = Frontier(leaves_of(5))
    before = frontier.root()
    twin = frontier.copy()
    twin.append(leaf_hash(b"more"))
    assert (frontier.size, frontier.root()) == (5, before)
    assert twin.root() == by_definition([*leaves_of(5), leaf_hash(b"more")])


def test_known_heads_of_certificate_transparency() -> None:
    # The eight inputs and heads of the reference implementation's test data (google/certificate-transparency).
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(text)) for text in inputs]
    assert Frontier(leaves[:1]).root().hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert Frontier(leaves).root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_leaf_and_node_cannot_be_confused() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)
