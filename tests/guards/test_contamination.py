"""Protected items in documents: a scan finds what a slow search over sets of words finds, and nothing else."""

import unicodedata
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from netgain.errors import ConfigError
from netgain.guards import Protected, contamination, index_of
from netgain.guards.grams import Collision, run_table

SYLLABLES = ["ba", "do", "ki", "lu", "me", "no", "pa", "ri", "su", "te", "vo", "za"]


def vocabulary(rng, size):
    return ["".join(rng.choice(SYLLABLES, rng.integers(1, 5))) for _ in range(size)]


def text(rng, words, count):
    return " ".join(rng.choice(words, count))


def item(number, question, answer=""):
    return Protected(f"q{number}", "gate", question, answer)


def found(index, content):
    """{rule: ids} of one document."""
    findings = index.scan([("d", content)]).findings
    return {hit.rule: hit.items for finding in findings for hit in finding.hits}


# The slow twin: sets of tuples of words, one document and item at a time.


@lru_cache(maxsize=4096)
def slow_words(content):
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", content).casefold())
    kept = [char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in folded
            if unicodedata.category(char) != "Cf"]  # fmt: skip
    return tuple("".join(kept).split())


@lru_cache(maxsize=4096)
def slow_runs(content, length):
    words = slow_words(content)
    return frozenset(words[place : place + length] for place in range(len(words) - length + 1))


def slow_scan(items, document, background=()):
    """(blocked items, items for review) of a document, by the rules as they are written."""
    runs = {one.id: [slow_runs(part, 8) for part in (one.question, one.answer) if part != ""] for one in items}
    runs = {name: set().union(*parts) for name, parts in runs.items()}
    kinds = {one.id: (slow_words(one.question), slow_words(one.answer)) for one in items}
    known = set().union(*(slow_runs(text, 8) for text in background))
    rare = {name: {run for run in mine - known if len({kinds[other] for other in runs if run in runs[other]}) == 1}
            for name, mine in runs.items()}  # fmt: skip
    long, short = slow_runs(document, 13), slow_runs(document, 8)
    blocked = {one.id for one in items for part in (one.question, one.answer) if slow_runs(part, 13) & long}
    review = {name for name, mine in rare.items() if mine and len(mine & short) >= min(2, len(mine))} - blocked
    return blocked, review


def perturbed(rng, words, question, share):
    parts = question.split()
    return " ".join(w if rng.random() >= share else rng.choice(words) for w in parts)


@pytest.mark.parametrize("seed", range(4))
def test_a_scan_finds_what_sets_of_words_find(seed):
    rng = np.random.default_rng(seed)
    words = vocabulary(rng, 12 if seed % 2 else 300)  # few words: runs that several items share
    items = [item(k, text(rng, words, rng.integers(1, 40)), text(rng, words, rng.integers(0, 20))) for k in range(40)]
    items += [item("twin", items[0].question, items[0].answer), item("None", "", None)]
    documents = [text(rng, words, rng.integers(0, 200)) for _ in range(60)]
    for place in range(0, 60, 2):
        one = items[rng.integers(len(items) - 1)]
        copy = perturbed(rng, words, one.question + " " + one.answer, rng.choice([0.0, 0.05, 0.1, 0.2]))
        documents[place] = f"{documents[place]}, {copy.title()}!\n{text(rng, words, 30)}"
    background = documents[1:9:2]
    index = index_of(items).with_background((str(k), one) for k, one in enumerate(background))
    scan = {
        finding.document: finding for finding in index.scan((str(k), one) for k, one in enumerate(documents)).findings
    }
    told = 0
    for number, document in enumerate(documents):
        hits = {hit.rule: set(hit.items) for hit in scan[str(number)].hits} if str(number) in scan else {}
        wanted = slow_scan([one for one in items if one.answer is not None], document, background)
        assert (hits.get("block", set()), hits.get("review", set())) == wanted
        told += bool(wanted[0]) + bool(wanted[1])
    assert told > 10


def test_windows_and_long_words_cut_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    words = [*vocabulary(rng, 200), "x" * 700, "averylongwordofmorethansixteen", "averylongwordofmorethansixteeX"]
    items = [item(k, text(rng, words, 30)) for k in range(30)]
    document = " ".join(f"{text(rng, words, 50)}\n{one.question}" for one in items) + " end"
    monkeypatch.setattr("netgain.guards.words.WINDOW", 512)
    monkeypatch.setattr(contamination, "BUFFER", 2048)
    scan = index_of(items).scan([("a", text(rng, words, 900)), ("all", document), ("b", "")])
    assert scan.blocked == ("all",) and scan.affected == {one.id for one in items} and scan.documents == 3
    (hit,) = scan.findings[0].hits
    assert (hit.runs, hit.line) == (30 * 18, 2)


def test_no_run_goes_over_the_edge_of_a_document_or_of_a_text():
    question, answer = "a b c d e f g h i j k l m n", "o p q r s t u v w x y z 1 2"
    index = index_of([item(1, question, answer)])
    assert found(index, "g h i j k l m n o p q r s t u") == {}  # seven of each
    assert index.scan([("one", "a b c d e f g"), ("two", "h i j k l m n")]).findings == ()
    assert found(index, answer) == {"block": ("q1",)} and found(index, "x " + question)["block"] == ("q1",)


def test_equal_hashes_of_other_words_are_no_match(monkeypatch):
    question = "the quick brown fox jumps over a tired dog and runs far away from here"
    index, honest = index_of([item(1, question)]), contamination.word_hashes
    monkeypatch.setattr(contamination, "word_hashes", lambda data, *rest: honest(data.replace(b"z", b"o"), *rest))
    assert found(index, question.replace("o", "z")) == {}
    assert found(index, question) != {}


def test_an_equal_hash_of_13_words_is_confirmed_too(monkeypatch):
    first, second = "a b c d e f g h i j k l m", "f g h x y z u v"
    index, honest = index_of([item(1, first), item(2, second)]), contamination.run_hashes
    one_hash = replace(index.long, hashes=np.zeros(1, np.uint64), places=np.ones_like(index.long.places))
    monkeypatch.setattr(
        contamination, "run_hashes", lambda words, length: honest(words, length) * np.uint64(length == 8)
    )
    index = replace(index, long=one_hash)
    assert "block" in found(index, f"see {first}")
    assert found(index, "see a b c d e f g h x y z u v") == {"review": ("q2",)}


def test_long_words_that_differ_at_their_end_are_other_words():
    start, ends = (
        " ".join(f"word{k}" for k in range(12)),
        ("averylongwordofmorethansixteen1", "averylongwordofmorethansixteen2"),
    )
    index = index_of([item(k, f"{start} {end}") for k, end in enumerate(ends)])
    assert [found(index, f"see {start} {end}")["block"] for end in ends] == [("q0",), ("q1",)]


def test_items_with_colliding_runs_take_another_salt(monkeypatch):
    ids, one = np.arange(16), np.zeros(16, np.int64)
    with pytest.raises(Collision):
        run_table(8, ids, np.zeros(16, np.uint64), one, one)
    honest, salts = contamination.word_hashes, []

    def colliding(data, words, salt):
        salts.append(salt)
        return honest(data, words, salt) * np.uint64(0 if salt < 2 else 1)

    monkeypatch.setattr(contamination, "word_hashes", colliding)
    question = " ".join(map(str, range(20)))
    assert found(index_of([item(1, question)]), "x " + question) == {"block": ("q1",)}
    assert salts[:3] == [0, 1, 2]


QUESTION = "Où ǝst l'école que Straße und Fluß „verbinden“, and why do 12 of them not fit?"


@pytest.mark.parametrize(
    "copy",
    [
        unicodedata.normalize("NFD", QUESTION),
        QUESTION.upper(),
        QUESTION.replace(" ", "\u2003\n "),
        QUESTION.replace("école", "é\u00adco\u200ble"),
        QUESTION.translate({ord("„"): '"', ord("“"): '"', ord(","): " —", ord("?"): "？"}),
        QUESTION.replace("12", "１２"),
        QUESTION.replace("ǝ", "ᴲ"),
        QUESTION.replace("fi", "ﬁ"),
    ],
)
def test_other_spellings_are_the_same_words(copy):
    index = index_of([item(1, QUESTION)])
    assert found(index, f"Someone asked: {copy} Nobody knew.") == {"block": ("q1",)}
    assert found(index, copy)["normalised"] == ("q1",)


def test_scripts_without_spaces_have_words_too():
    question = "北京是中华人民共和国的首都位于华北平原的北部"
    index = index_of([item(1, question)])
    assert found(index, f"他说{question[2:18]}等等") == {"block": ("q1",)}
    assert found(index, f"他说{question[2:12]}等等") == {"review": ("q1",)}


def test_only_rare_runs_ask_for_a_review():
    shared = "answer with one single word and nothing else please"
    items = [item(1, f"{shared} first"), item(2, f"{shared} second thing that is rather long in its own way")]
    index = index_of(items)
    assert found(index, f"Do {shared}!") == {}
    own = "thing that is rather long in its own way"
    assert found(index, f"some {own}") == {"review": ("q2",)}
    assert found(index, f"some {own[:33]} x") == {}  # one run of eight is not enough
    known = index.with_background([("b", own)])
    assert found(known, f"some {own}") == {} and found(index, f"some {own}") != {}
    blocked = f"else please second {own}"
    assert found(known, blocked) == found(index, blocked)  # what blocks needs no rarity


def test_items_of_the_same_words_count_as_one():
    index = index_of([item(1, "one two three four, five six seven eight nine ten"),
                      item(2, "One, two - three four five six seven eight nine ten!")])  # fmt: skip
    assert found(index, "so one two three four five six seven eight nine") == {"review": ("q1", "q2")}


def test_an_item_of_one_run_is_reviewed_by_it():
    index = index_of([item(1, "eight words are all that this has got"), item(2, "seven words are all this one has")])
    assert found(index, "it says: eight words are all that this has got.") == {"review": ("q1",)}
    assert found(index, "it says: seven words are all this one has.") == {}


def test_nothing_looked_at_is_not_clean():
    index = index_of([item(1, "some question")])
    assert not index.scan([]).clean
    assert index.scan([("d", "")]).clean and index.scan([("d", " \n\t")]).clean


@pytest.mark.parametrize("content", [b"bytes", float("nan"), {1: "x"}, object(), ["a", {"b": b"c"}]])
def test_what_is_neither_text_nor_json_is_an_error_with_its_name(content):
    index = index_of([item(1, "some question")])
    with pytest.raises(ConfigError, match="document 'odd'"):
        index.scan([("fine", "text"), ("odd", content)])


def test_the_words_of_json_are_those_of_its_values():
    question = {"context": "a b c\nd e f", "choices": ["g h", "i j", "k", 7], "deep": {"last": "m n"}}
    index = index_of([item(1, question)])
    assert found(index, "x a b c d e f g h i j k 7 m") == {"block": ("q1",)}
    row = {
        "id": 3,
        "messages": [{"role": "user", "content": "a b c d e f g h i"}, {"role": "assistant", "content": "j k 7 m"}],
    }
    assert found(index, row) == {"review": ("q1",)}
    assert found(index, {"messages": [{"content": "x a b c d e f"}, {"content": "g h i j k 7 m n"}]}) == {
        "block": ("q1",)
    }


def test_an_index_of_nothing_or_of_doubles_is_refused():
    with pytest.raises(ConfigError, match="no items"):
        index_of([])
    with pytest.raises(ConfigError, match="'q1'"):
        index_of([item(1, "a"), item(1, "b")])


def test_half_a_surrogate_pair_is_text_as_well():
    index = index_of([item(1, "a b c d e f g h i j k l \ud800 m n")])
    assert "block" in found(index, "x a b c d e f g h i j k l \ud800 m n")


def test_a_canary_blocks_whoever_made_it():
    index = index_of([item(1, "some question")])
    scan = index.scan(
        [("leak", "x\ny netgain-canary r1 2026-01-01 03 0123456789abcdef\n"), ("talk", "a netgain-canary is a string")]
    )
    assert scan.blocked == ("leak",) and scan.affected == frozenset()
    assert [(hit.rule, hit.line) for hit in scan.findings[0].hits] == [("canary", 2)]
