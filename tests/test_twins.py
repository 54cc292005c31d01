"""Twins: dealt with their originals, changed as they say and no further, and known by what they were made of."""

from collections import Counter

import pytest

from netgain.attempts import gate_banks
from netgain.errors import ConfigError
from netgain.evaluation import Asking, evaluate
from netgain.evidence.clusters import cluster_starts
from netgain.gates import GateOptions
from netgain.gates.gate import plan_of
from netgain.generators import Strings
from netgain.items import Dealer, fingerprint, gate_questions, questions_of
from netgain.jobs import Jobs
from netgain.records import Change
from netgain.seeding import gate_key, sealed_secret
from netgain.stages import Loop
from netgain.stores import ObjectStore
from netgain.suite import Bank, Generated, Suite, Twins, axis
from netgain.testing.inprocess import InProcess
from netgain.twins import impossible, marked, perturbed, repeated, unmarked
from netgain.wire import pack

DEALER = Dealer(b"s" * 32, 4, 6)
SECRET = sealed_secret("cd" * 32, "ab" * 32, 0)
COUNTS = {"gate_items": 12, "report_items": 12, "sealed_items": 12}


def words(seed, index):
    return f"name the {seed % 97} red and blue birds", seed % 97


def bank(count=2000):
    return Bank([{"input": f"what is the number {n} of all", "target": n} for n in range(count)])


ALL = [Generated(words), bank(), Strings("copy", (12,))]
SOURCES = pytest.mark.parametrize("base", ALL, ids=lambda one: type(one).__name__)


def blocks(of):
    """A block of every split."""
    key = gate_key("a", "b")
    return {
        "dev": DEALER.dev(of, 0, 1, 12), "gate": DEALER.gate(of, key, 0, 12, 1), "report": DEALER.report(of, 0, 1),
        "anchor": DEALER.anchor(of, 0), "sealed": DEALER.sealed(of, 0, SECRET),
    }  # fmt: skip


@SOURCES
def test_an_axis_and_one_of_twins_are_asked_about_the_same_originals(base):
    plain = blocks(axis("a", base, **COUNTS))
    twins = blocks(axis("b", perturbed(base, "whitespace", copies=2), **COUNTS))
    for split in plain:
        originals = twins[split].inputs[::3]
        assert originals == plain[split].inputs[:4], split
        targets = [one["target"] for one in plain[split].items[:4]]
        assert [one["target"] for one in twins[split].items] == [one for one in targets for _ in range(3)]
        assert len(twins[split].items) == 12


def test_a_twin_of_an_item_of_one_split_is_in_no_other():
    found = blocks(axis("a", repeated(bank(), 2), **COUNTS))
    del found["anchor"]  # shares the report items of a bank
    seen = [text for block in found.values() for text in set(block.inputs)]
    assert len(seen) == len(set(seen)) == 24


@SOURCES
def test_the_next_block_goes_on_inside_a_cluster(base):
    of, key = axis("a", perturbed(base, "case", copies=3), **COUNTS), gate_key("a", "b")
    whole = DEALER.gate(of, key, 0, 12, 1)
    parts = [DEALER.gate(of, key, start, count, 1) for start, count in ((0, 5), (5, 2), (7, 5))]
    assert [one for part in parts for one in part.items] == list(whole.items)
    assert Counter(whole.clusters).most_common()[-1][1] == 4 and len(set(whole.clusters)) == 3


def test_a_cluster_of_the_original_stays_the_cluster_of_its_twins():
    items = [{"input": f"q {n}", "target": n, "cluster": n // 3} for n in range(900)]
    of = axis("a", perturbed(Bank(items), "whitespace"), **COUNTS)
    for item in DEALER.report(of, 0, 1).items:
        assert item["cluster"] == item["target"] // 3


def test_an_original_that_comes_twice_has_two_clusters_because_a_gate_refuses_one_that_comes_back():
    of = axis("a", repeated(lambda seed, index: (index % 2, "same"), 3), **COUNTS)
    block = DEALER.gate(of, gate_key("a", "b"), 0, 12, 1)
    assert set(block.inputs) == {0, 1} and len(set(block.clusters)) == 4
    assert cluster_starts(block.clusters, ended=True).tolist() == [0, 3, 6, 9, 12]
    later = DEALER.gate(of, gate_key("a", "b"), 12, 12, 1)
    assert not set(later.clusters) & set(block.clusters)


def test_provenance_and_canary_stay_with_us_and_do_not_decide_what_is_dealt():
    marked_items = [{"input": n, "target": n, "provenance": f"book {n}", "canary": "canary 7"} for n in range(900)]
    plain = [{"input": n, "target": n} for n in range(900)]
    with_both, without = (axis("a", Bank(items), **COUNTS) for items in (marked_items, plain))
    for split, block in blocks(with_both).items():
        assert block.inputs == blocks(without)[split].inputs
        assert all(("canary" in one) == ("provenance" in one) == (split != "dev") for one in block.items)
    texts = [{**one, "input": f"q {one['input']}"} for one in marked_items]
    twins = axis("a", perturbed(Bank(texts), "typos"), **COUNTS)
    assert all(one["canary"] == "canary 7" for one in DEALER.report(twins, 0, 1).items)  # a twin has its original's
    assert not any({"canary", "provenance", "origin"} & one.keys() for one in DEALER.dev(twins, 0, 1, 12).items)


def test_a_twin_of_what_a_run_trained_on_is_quarantined(tmp_path):
    of = axis("a", perturbed(bank(), "whitespace", original=False), **COUNTS)
    block = DEALER.report(of, 0, 1)
    original = {"input": block.items[3]["input"].replace("  ", " ").strip(), "target": None}
    assert fingerprint(original["input"]) in questions_of(block.items[3]) and original["input"] not in block.inputs
    assert fingerprint(original["input"]) in block.fingerprints
    store = ObjectStore(tmp_path)
    loop = Loop(lambda rng: "s", lambda view: Change([]), lambda system, inputs, budget, rng: ["x" for _ in inputs])
    asking = Asking(0, "1f", trained_on=frozenset([fingerprint(original["input"])]))
    jobs, systems = Jobs(InProcess(loop), store), {"released": store.put(pack("s"))}
    (sheet,), _, _ = evaluate(jobs, [of], {"a": block}, systems, asking)
    assert [one is None for one in sheet.values] == [place == 3 for place in range(12)]


def test_twins_of_a_bank_are_as_used_as_the_bank():
    plain, twins = axis("a", bank(), **COUNTS), axis("b", repeated(perturbed(bank(), "case"), 2), **COUNTS)
    assert gate_questions(plain) == gate_questions(twins) != frozenset()
    assert gate_banks(Suite([twins])) == [twins]
    assert gate_banks(Suite([axis("c", repeated(words, 2), **COUNTS)])) == []


def test_an_exact_test_on_twins_is_refused_because_clusters_have_means():
    with pytest.raises(ConfigError, match="items have clusters"):
        plan_of(Suite([axis("a", repeated(words, 2), **COUNTS)]), "strict", 3, GateOptions(form="fixed"))


def test_counts_that_cut_a_group_of_twins_are_refused():
    with pytest.raises(ConfigError, match="cuts a group of 5 twins"):
        Suite([axis("a", repeated(words, 5), gate_items=10, report_items=12)])


# --- The ways --------------------------------------------------------------------------------------------------------
def changed(way, text, **options):
    """Inputs of 40 twins of one question."""
    of = perturbed([{"input": text, "target": 1}], way, copies=40, original=False, **options)
    return [one["input"] for one in of.make({"input": text, "target": 1})]


def test_whitespace_adds_spaces_and_nothing_else():
    found = changed("whitespace", "a red bird  sings", rate=0.5)
    assert len(set(found)) > 4
    assert all(one.split() == ["a", "red", "bird", "sings"] and one != "a red bird  sings" for one in found)
    assert changed("whitespace", "one") == ["one "] * 40


def test_case_changes_letters_at_its_rate():
    text = "abcdefghijklmnopqrstuvwxyz" * 4
    found = changed("case", text, rate=0.2)
    assert all(one.lower() == text for one in found)
    share = sum(map(str.isupper, "".join(found))) / (40 * len(text))
    assert share == pytest.approx(0.2, abs=0.02)  # 4160 letters: three standard errors are .019


def test_typos_swap_neighbours_and_keep_every_letter():
    text = "the quick brown fox jumps 1234 times"
    found = changed("typos", text, rate=0.3)
    assert len(set(found)) > 20
    assert all(sorted(one) == sorted(text) and "1234" in one for one in found)
    assert all(len(a) == len(b) for one in found for a, b in zip(one.split(" "), text.split(" "), strict=True))


def test_order_shuffles_entries_lines_or_keys():
    assert {tuple(one) for one in changed("order", [1, 2, 3])} == {
        (1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)
    }  # fmt: skip
    assert set(changed("order", "a\nb")) == {"a\nb", "b\na"}
    assert {tuple(one) for one in changed("order", {"x": 1, "y": 2})} == {("x", "y"), ("y", "x")}


def test_renaming_replaces_in_one_pass_so_that_names_can_change_places():
    assert set(changed("renaming", "Ann met Bo. Anna too", names={"Ann": "Bo", "Bo": "Ann", "Anna": "Eve"})) == {
        "Bo met Ann. Eve too"
    }
    with pytest.raises(ConfigError, match="without names"):
        perturbed(words, "renaming")


def test_a_way_of_ones_own_gets_input_and_seed_and_is_on_record():
    seeds = set(changed(lambda value, seed: seed, "a"))
    assert len(seeds) == 40 and all(0 <= one < 2**63 for one in seeds)
    one = perturbed(words, lambda value, seed: value + "?").spec()
    assert one["code"] != perturbed(words, lambda value, seed: value + "!").spec()["code"] is not None


def test_texts_inside_lists_and_mappings_are_changed_and_keys_are_not():
    assert changed("case", {"ab": ["cd", 3, {"ef": "gh"}]}, rate=1.0) == [{"ab": ["CD", 3, {"ef": "GH"}]}] * 40


def test_a_twin_follows_from_content_alone():
    assert changed("typos", "the quick brown fox") == changed("typos", "the quick brown fox")
    other = perturbed(words, "typos", copies=40, original=False).make({"input": "the quick brown fox", "target": 2})
    assert [one["input"] for one in other] != changed("typos", "the quick brown fox")


@pytest.mark.parametrize("options", [{"copies": 0}, {"rate": 0.0}, {"rate": 1.1}, {"how": "speling"}])
def test_twins_that_cannot_be_are_refused(options):
    with pytest.raises(ConfigError):
        perturbed(words, **{"how": "case", **options})


# --- Impossible, marked, unmarked, repeated --------------------------------------------------------------------------
def test_an_impossible_twin_asks_the_same_and_wants_what_nobody_can_find():
    plain, twins = axis("a", words, **COUNTS), axis("b", impossible(words), kind="impossible", **COUNTS)
    asked, twisted = DEALER.report(plain, 0, 1), DEALER.report(twins, 0, 1)
    assert asked.inputs == twisted.inputs
    assert not {str(one["target"]) for one in asked.items} & {str(one["target"]) for one in twisted.items}
    assert len({one["target"] for one in twisted.items}) == len(set(twisted.inputs))
    assert twins.metric.name == "uncheated"


def test_an_impossible_twin_that_wants_the_right_answer_is_refused():
    of = axis("b", impossible(words, lambda target, seed: target), **COUNTS)
    with pytest.raises(ConfigError, match="with the target .* of its original"):
        DEALER.report(of, 0, 1)
    other = axis("b", impossible(words, lambda target, seed: target + 1), **COUNTS)
    plain = DEALER.report(axis("a", words, **COUNTS), 0, 1)
    assert [one["target"] for one in DEALER.report(other, 0, 1).items] == [one["target"] + 1 for one in plain.items]
    with pytest.raises(ConfigError, match="unknown way of impossible twins 'number'"):
        impossible(words, "number")


def test_unmarked_questions_are_the_marked_ones_without_the_mark():
    source = marked(words, "[test] ")
    shown, hidden = (DEALER.sealed(axis("a", one, **COUNTS), 0, SECRET) for one in (source, unmarked(source)))
    assert shown.inputs == ["[test] " + text for text in hidden.inputs]
    stripped = unmarked(source, lambda text: text.removeprefix("[test] "))
    assert DEALER.sealed(axis("c", stripped, **COUNTS), 0, SECRET).inputs == hidden.inputs
    with pytest.raises(ConfigError, match="not marked"):
        unmarked(words)
    with pytest.raises(ConfigError, match="give a function"):
        marked(words, "[test] ").make({"input": [1], "target": 1})


def test_repeats_ask_one_question_again_and_bet_once():
    block = DEALER.report(axis("a", repeated(words, 4), kind="reliability", **COUNTS), 0, 1)
    assert [len(set(block.inputs[start : start + 4])) for start in (0, 4, 8)] == [1, 1, 1]
    assert len(set(block.clusters)) == 3
    with pytest.raises(ConfigError, match="at least twice"):
        repeated(words, 1)


def test_another_number_of_twins_than_said_is_refused():
    of = axis("a", Twins(Generated(words), lambda item: [item], 2, {}), **COUNTS)
    with pytest.raises(ConfigError, match="1 twins of one item, expected 2"):
        DEALER.report(of, 0, 1)
