"""Incidents of class L of docs/incidents.md: what is measured with was there to be read."""

import random
from collections import Counter
from datetime import date

import pytest

from incidents.test_scorer_exploits import refused
from netgain.evaluation import Asking, evaluate
from netgain.guards import Canaries, Protected, index_of
from netgain.items import Block, Dealer, fingerprint
from netgain.jobs import Jobs
from netgain.metric import answer_of
from netgain.records import Change
from netgain.stages import Loop
from netgain.stores import ObjectStore
from netgain.suite import axis
from netgain.testing.inprocess import InProcess
from netgain.wire import pack

ISSUE = "the parser drops the last row of a table when the file ends without a line feed"
PATCH = """def rows(text):
    lines = text.split(newline)
    if lines and not lines[-1]:
        lines = lines[:-1]
    return [split_row(line, separator) for line in lines if line.strip()]
"""
HELD = index_of([Protected("fix-1", "gate", ISSUE, PATCH)])
DAY = date(2030, 1, 1)
CANARIES = Canaries(b"a secret of sixteen bytes", "leak-test", DAY)


def test_07_a_history_that_holds_the_fix_is_blocked():
    """Detector: runs of 13 words of `guards.contamination`; and a canary planted in the history, whoever reads it."""
    history = f"commit 5f2e\n\n    parser: keep the last row\n\n{PATCH}"
    assert HELD.scan([("git log -p", history)]).blocked == ("git log -p",)
    assert HELD.scan([("git log", "commit 5f2e\n\n    parser: keep the last row\n")]).clean
    assert HELD.scan([("clone", f"commit 77aa\n\n{CANARIES.lines()[0]}\n")]).blocked == ("clone",)


@pytest.mark.parametrize(
    "dressed", [ISSUE.upper() + "!", ISSUE.replace(" ", "  ") + ".", f"task 9: {ISSUE}; please fix"]
)
def test_09_evaluation_items_renamed_synthetic_are_blocked(dressed):
    """Detector: whole questions but for spelling, and runs of 13 words, of `guards.contamination`."""
    made = [("synthetic-1", {"prompt": "write a haiku about tables"}), ("synthetic-2", {"prompt": dressed})]
    found = HELD.scan(made)
    assert found.blocked == ("synthetic-2",) and found.affected == {"fix-1"}


def test_09_items_that_were_trained_on_ten_times_have_no_score(tmp_path):
    """Detector: the quarantine of `evaluation`: what a run trained on counts neither for it nor against it."""
    items = [{"input": f"question {n}", "target": f"answer {n}"} for n in range(4)]
    exam = axis("exam", items)
    learnt = {one["input"]: one["target"] for one in items[:2] * 10}
    loop = Loop(
        lambda rng: "start", lambda view: Change([]),
        lambda system, inputs, budget, rng: [learnt.get(one, "?") for one in inputs],
    )  # fmt: skip
    store = ObjectStore(tmp_path)
    systems, block = {"served": store.put(pack("trained"))}, Block("sealed", exam.source_key, "r0", 0, tuple(items))
    asked = Asking(0, "1f", trained_on=frozenset(fingerprint(one) for one in learnt))
    (sheet,), _, _ = evaluate(Jobs(InProcess(loop), store), [exam], {"exam": block}, systems, asked)
    assert sheet.values == (None, None, 0.0, 0.0)
    assert sheet.status["0"].startswith("quarantined")


def test_11_a_scorer_that_learns_from_the_targets_it_has_scored_is_refused():
    """Detector: the check "causality" of `netgain.evaluators`: asked again, the same answer has to score the same."""
    seen: Counter[str] = Counter()

    def cached(output, target):  # as an n-gram cache that is updated on the text it is tested on
        seen[target] += 1
        return float(answer_of(output) == target) * seen[target] / (1 + seen[target]) if output != {} else 0.0

    assert "causality" in refused(cached)


def test_17_a_system_that_completes_half_of_what_was_released_has_seen_it():
    """Detector: the exact test of `Canaries.exposure`: 17 of 32 completions, where a stranger has 4."""
    drawn = random.Random(1)
    planted = [CANARIES.planted(group) for group in range(CANARIES.groups)]
    knows = [one if group < 17 else (one + 1) % CANARIES.codes for group, one in enumerate(planted)]
    guesses = [drawn.randrange(CANARIES.codes) for _ in planted]
    assert CANARIES.exposure(knows, DAY).p < 1e-6
    assert CANARIES.exposure(guesses, DAY).p > 0.05


def test_34_what_a_loop_chooses_on_is_never_among_what_it_is_tested_on():
    """Detector: a bank is cut by content, so that development, gate, report and sealed items are never the same."""
    games = axis("games", [{"input": f"game {n}", "target": n} for n in range(600)], report_items=50, sealed_items=50)
    dealer = Dealer(b"s" * 32, 2, 2)
    chosen_on = set(dealer.dev(games, 0, 1, 200).inputs)
    tested_on = {*dealer.gate(games, "a|b", 0, 50, 1).inputs, *dealer.sealed(games, 0, b"t" * 32).inputs}
    assert len(chosen_on) > 100 and len(tested_on) > 50 and not chosen_on & tested_on
