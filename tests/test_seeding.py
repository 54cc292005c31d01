"""Streams and seeds are what the contract says, byte for byte, and differ whenever their names do."""

import hashlib
import hmac
import itertools

from netgain import seeding

ROOT = seeding.root("ab" * 32, "00" * 16)


def test_root_covers_claim_and_bits() -> None:
    assert hashlib.sha256(("ab" * 32 + "00" * 16).encode()).hexdigest() == ROOT
    assert seeding.root("ab" * 32, "00" * 15 + "01") != ROOT


def test_stream_is_the_hash_of_its_names() -> None:
    text = f"stream|{ROOT}|3|2|build|order"
    assert seeding.stream(ROOT, 3, 2, "build", "order") == int(hashlib.sha256(text.encode()).hexdigest()[:32], 16)


def test_every_name_makes_another_stream() -> None:
    names = itertools.product((0, 1), (0, 1), ("propose", "build"), ("a", "b"), (None, "placebo"))
    drawn = [seeding.stream(ROOT, r, k, stage, use, arm=arm) for r, k, stage, use, arm in names]
    assert len(set(drawn)) == len(drawn)
    assert all(0 <= value < 2**128 for value in drawn)


def test_item_seed_is_an_hmac_under_the_secret() -> None:
    expected = hmac.new(b"s" * 32, b"gate|src|a|b|7", "sha256").hexdigest()
    assert seeding.item_seed(b"s" * 32, "gate", "src", seeding.gate_key("a", "b"), 7) == expected


def test_splits_keys_and_indices_share_no_seed() -> None:
    keys = [("dev", seeding.dev_key(0, 1)), ("report", seeding.report_key(0, 1)), ("anchor", seeding.anchor_key(0))]
    keys += [
        ("gate", seeding.gate_key("a", "b")),
        ("gate", seeding.gate_key("b", "a")),
        ("sealed", seeding.sealed_key(0)),
    ]
    seeds = [seeding.item_seed(b"s" * 32, split, "src", key, i) for split, key in keys for i in range(20)]
    assert len(set(seeds)) == len(seeds)


def test_sealed_secret_depends_on_the_last_tree_head_and_the_replica() -> None:
    made = seeding.sealed_secret("c" * 64, "d" * 64, 2)
    assert made == hashlib.sha256(f"seal|{'c' * 64}|{'d' * 64}|2".encode()).digest()
    assert len({made, seeding.sealed_secret("c" * 64, "e" * 64, 2), seeding.sealed_secret("c" * 64, "d" * 64, 1)}) == 3
