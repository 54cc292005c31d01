"""Which items a block holds: from a secret and a name, the same for all who may compare, new for all who may not."""

import hashlib
import itertools
from dataclasses import replace

import numpy as np
import pytest

from netgain import items as dealing
from netgain.evidence.betting import log_capital
from netgain.generators import Strings
from netgain.items import Dealer, fingerprint
from netgain.seeding import gate_key, sealed_secret
from netgain.suite import Bank, axis

SECRET = b"s" * 32
ROUNDS, REPLICAS = 4, 6
# Of 20 digits no two are equal by chance.
STRINGS = axis("long", Strings("copy", (20,)), gate_items=30, report_items=30, sealed_items=30)
DEALER = Dealer(SECRET, ROUNDS, REPLICAS)


def bank(count=600, **counts):
    items = [{"input": f"question {number}", "target": number} for number in range(count)]
    return axis("bank", Bank(items), **{"gate_items": 10, "report_items": 10, "sealed_items": 5, **counts})


def questions(*blocks):
    return [question for block in blocks for question in block.inputs]


def secret_of(replica, root="ab" * 32, claim="cd" * 32):
    return sealed_secret(claim, root, replica)


def test_a_report_block_depends_on_replica_and_round_and_on_nothing_else():
    again = Dealer(SECRET, ROUNDS, REPLICAS)  # another arm's coordinator, another session
    assert DEALER.report(STRINGS, 1, 2) == again.report(STRINGS, 1, 2)
    different = [DEALER.report(STRINGS, 1, 2), DEALER.report(STRINGS, 1, 3), DEALER.report(STRINGS, 2, 2)]
    assert len(set(questions(*different))) == 90


def test_every_pair_of_systems_gets_gate_items_of_its_own():
    pairs = [("a", "b"), ("b", "a"), ("a", "c"), ("c", "b")]
    blocks = [DEALER.gate(STRINGS, gate_key(*pair), 0, 30, 1) for pair in pairs]
    assert len(set(questions(*blocks))) == 120


def test_the_next_look_at_one_pair_goes_on_where_the_last_one_ended():
    key = gate_key("a", "b")
    whole = DEALER.gate(STRINGS, key, 0, 20, 1)
    parts = [DEALER.gate(STRINGS, key, 0, 10, 1), DEALER.gate(STRINGS, key, 10, 10, 1)]
    assert questions(whole) == questions(*parts)


def test_splits_share_no_item():
    blocks = [
        DEALER.dev(STRINGS, 0, 1, 30),
        DEALER.report(STRINGS, 0, 1),
        DEALER.anchor(STRINGS, 0),
        DEALER.gate(STRINGS, gate_key("a", "b"), 0, 30, 1),
        DEALER.sealed(STRINGS, 0, secret_of(0)),
    ]
    assert len(set(questions(*blocks))) == 150


def test_another_secret_is_another_study():
    other = Dealer(b"t" * 32, ROUNDS, REPLICAS)
    assert not {*questions(DEALER.report(STRINGS, 0, 1))} & {*questions(other.report(STRINGS, 0, 1))}


def test_a_sealed_block_is_the_same_for_all_arms_and_apart_from_every_other_start():
    blocks = [DEALER.sealed(STRINGS, replica, secret_of(replica)) for replica in range(REPLICAS)]
    assert len(set(questions(*blocks))) == 30 * REPLICAS
    assert DEALER.sealed(STRINGS, 3, secret_of(3)) == blocks[3]


def test_a_sealed_block_cannot_be_known_before_the_last_event():
    # All that a claimant knows before the seal is the claim and the study's secret; the block depends on neither alone.
    block = DEALER.sealed(STRINGS, 0, secret_of(0))
    assert Dealer(b"t" * 32, ROUNDS, REPLICAS).sealed(STRINGS, 0, secret_of(0)) == block
    one_event_more = hashlib.sha256(b"the log, one event longer").hexdigest()
    assert not {*block.inputs} & {*questions(DEALER.sealed(STRINGS, 0, secret_of(0, root=one_event_more)))}
    assert not {*block.inputs} & {*questions(DEALER.sealed(STRINGS, 0, secret_of(0, claim="ef" * 32)))}


def test_a_bank_is_cut_into_splits_that_share_no_item():
    one = bank(sealed_items=50)
    dealt = {
        "dev": DEALER.dev(one, 0, 1, 600),
        "gate": DEALER.gate(one, "k", 0, 600, 1),
        "report": DEALER.report(bank(report_items=600), 0, 1),
        "sealed": DEALER.sealed(one, 0, secret_of(0)),
    }
    assert all(block.items for block in dealt.values())
    every = questions(*dealt.values())
    assert len(every) == len(set(every))


def test_which_split_a_bank_item_is_in_depends_on_its_content_and_on_no_secret():
    other = Dealer(b"t" * 32, ROUNDS, REPLICAS)
    one = bank(report_items=600)
    assert {*questions(DEALER.report(one, 0, 1))} == {*questions(other.report(one, 0, 1))}
    assert questions(DEALER.report(one, 0, 1)) != questions(other.report(one, 0, 1))


def test_no_place_in_a_gate_block_tells_which_length_comes_next():
    """A candidate that wins on short strings what it loses on long ones gains nothing; in order of length the bets
    would run ahead on the short ones, every time."""
    lengths = tuple(range(1, 21))
    ladder = axis("ladder", Strings("copy", lengths), gate_items=200)

    def highest(blocks):
        scores = [[0.5 if len(item["input"]) - 1 <= 10 else -0.5 for item in block.items] for block in blocks]
        return log_capital(np.array(scores), null=0.0, gain=0.1, planned_second_moment=0.1).max(axis=1)

    keys = 300
    through = highest(DEALER.gate(ladder, f"key {number}", 0, 200, 1) for number in range(keys)) >= np.log(20.0)
    assert through.sum() <= 0.05 * keys + 3 * np.sqrt(0.05 * 0.95 * keys)
    assert highest([DEALER.report(replace(ladder, report_items=200), 0, 1)]) >= np.log(20.0)


def test_gate_items_of_a_bank_are_dealt_in_one_shard_a_round():
    one = bank()
    shards = [DEALER.gate(one, "k", 0, 600, round) for round in range(1, ROUNDS + 1)]
    assert all(shard.items for shard in shards)
    assert len(set(questions(*shards))) == len(questions(*shards))


def test_a_bank_that_is_used_up_gives_fewer_items_and_then_none():
    one = bank(80)
    whole = questions(DEALER.gate(one, "k", 0, 600, 1))
    assert 0 < len(whole) < 20
    first = DEALER.gate(one, "k", 0, len(whole) - 2, 1)
    assert questions(first, DEALER.gate(one, "k", len(whole) - 2, 10, 1)) == whole
    assert DEALER.gate(one, "k", len(whole), 10, 1).items == ()


@pytest.mark.parametrize("items", [5, 100])
def test_no_two_starts_share_a_sealed_item_of_a_bank_in_one_look_or_two(items):
    one = bank(sealed_items=items)
    roots = ["ab" * 32] * 4 + ["cd" * 32] * 2  # the last two are of a further look, with a seal of its own
    blocks = [DEALER.sealed(one, replica, secret_of(replica, root)) for replica, root in enumerate(roots)]
    assert all(block.items for block in blocks)
    assert len(set(questions(*blocks))) == len(questions(*blocks))


def test_which_of_a_banks_sealed_items_are_asked_depends_on_the_seal():
    one = bank()
    assert questions(DEALER.sealed(one, 0, secret_of(0))) != questions(DEALER.sealed(one, 0, secret_of(0, "ef" * 32)))


def test_a_system_is_asked_questions_without_targets():
    block = DEALER.report(bank(), 0, 1)
    assert block.inputs == [item["input"] for item in block.items]
    assert "target" not in repr(block.inputs)


def test_a_fingerprint_tells_questions_apart():
    block = DEALER.report(STRINGS, 0, 1)
    assert len(block.fingerprints) == 30
    assert fingerprint(block.inputs[0]) in block.fingerprints
    assert fingerprint("another") not in block.fingerprints


def test_a_cluster_is_dealt_as_a_whole():
    """No split, no shard and no start shares a passage with another, and its items follow each other."""
    items = [{"input": f"q{n}", "target": n, "cluster": n // 5} for n in range(600)]
    clustered = axis("bank", Bank(items), gate_items=400, report_items=300, sealed_items=300)
    dealer = Dealer(b"s" * 32, 4, 3)
    blocks = [dealer.gate(clustered, "key", 0, 400, at) for at in (1, 2, 3, 4)]
    blocks += [dealer.report(clustered, 0, 0), dealer.dev(clustered, 0, 1, 400)]
    blocks += [dealer.sealed(clustered, start, secret_of(start)) for start in range(3)]
    seen = [set(block.clusters) for block in blocks]
    assert all(seen) and sum(map(len, seen)) == len(set.union(*seen))
    for block in blocks:
        labels = block.clusters
        assert sum(a != b for a, b in itertools.pairwise(labels)) == len(set(labels)) - 1
        assert len({item["cluster"] for item in block.items}) == len(set(labels))
    assert dealer.dev(bank(), 0, 1, 20).clusters is None


def test_a_bank_is_ranked_once_for_each_split_and_dealt_as_if_it_were_ranked_each_time(monkeypatch):
    one = bank()
    asked = [("report", 0, 1), ("report", 2, 2), ("gate", "pair", 0, 5, 1), ("gate", "pair", 0, 5, 3), ("anchor", 1),
             ("sealed", 0, SECRET), ("sealed", 3, SECRET), ("report", 0, 1)]  # fmt: skip
    alone = [getattr(Dealer(SECRET, ROUNDS, REPLICAS), split)(one, *how) for split, *how in asked]
    ranked, plain = [], dealing._ranked
    monkeypatch.setattr(dealing, "_ranked", lambda *given: ranked.append(given[1]) or plain(*given))
    dealer = Dealer(SECRET, ROUNDS, REPLICAS)
    assert [getattr(dealer, split)(one, *how) for split, *how in asked] == alone
    assert sorted(ranked) == ["anchor", "gate", "report", "sealed"]
