"""`trainer` at size `code`: entropies are exact, weights are scored outside, edits stay code, a failure is no score."""

from __future__ import annotations

import ast
import base64
import shutil
from collections.abc import Sequence
from typing import Any

import numpy as np
import planted
import pytest

from netgain.budget import Budget
from netgain.errors import ConfigError, EvaluateError
from netgain.evidence.betting import items_to_reach, log_capital
from netgain.gates.gate import plan_of
from netgain.items import split_of
from netgain.recipes import build_recipe
from netgain.recipes.trainer import apart, code, rewriting, transformer
from netgain.recipes.trainer.code import (
    ELSEWHERE,
    GATE,
    MOST_PAIRS,
    OWN,
    REPORT,
    ROUNDS,
    SEALED,
    SHARES,
    STARTS,
    CodeTrainer,
    Own,
    Record,
    bank,
    climb,
    near,
    own_of,
)
from netgain.recipes.trainer.language import LETTERS, Language, _stationary, language
from netgain.records import Change, Examples, Feedback, Part, View
from netgain.verify import verify

needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bwrap: apt-get install bubblewrap")
approx = pytest.approx
COUNT = len(LETTERS)
DIVERGES = rewriting.PLAIN.replace("rate = 0.1", "rate = float('nan')")


def told(weights: Any) -> str:
    return base64.b64encode(np.asarray(weights, dtype="<f4").tobytes()).decode()


def random_weights(seed: int) -> Any:
    return np.random.default_rng(seed).normal(size=transformer.SIZE).astype(np.float32)


# ---- languages


def test_the_entropy_is_that_of_the_letters_that_really_come() -> None:
    source = language(3)
    text = source.text(60_000, np.random.default_rng(1))
    pairs = text[:-2] * COUNT + text[1:-1]
    counts = np.zeros((COUNT**2, COUNT))
    np.add.at(counts, (pairs, text[2:]), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    assert shares == approx(source.chances, abs=0.05)
    assert counts.sum(axis=1) / counts.sum() == approx(source.often, abs=0.02)
    surprise = -np.log2(source.chances[pairs, text[2:]]).mean()
    assert source.entropy == approx(surprise, abs=0.02)


def test_known_sources_have_the_entropy_of_the_books() -> None:
    even = np.full((COUNT**2, COUNT), 1 / COUNT)
    assert Language(even, _stationary(even)).entropy == approx(2.0)
    half = np.tile([0.5, 0.5 - 2e-9, 1e-9, 1e-9], (COUNT**2, 1))
    assert Language(half, _stationary(half)).entropy == approx(1.0, abs=1e-6)


# ---- scores


def test_the_true_chances_score_1_and_equal_ones_0(monkeypatch: pytest.MonkeyPatch) -> None:
    source, zeros = language(5), np.zeros(transformer.SIZE)
    assert transformer.scored(told(zeros), source, 7) == approx(0.0, abs=0.1), "what no weight tells is chance"
    held = source.text(400, np.random.default_rng(1)).reshape(50, 8)
    true = source.chances[np.concatenate([held[:, :1], held[:, :-1]], axis=1) * COUNT + held]
    monkeypatch.setattr(transformer, "chances", lambda weights, windows: true)
    assert transformer.excess(zeros, source, held) == approx(0.0, abs=1e-12)
    monkeypatch.setattr(transformer, "chances", lambda weights, windows: np.full_like(true, 1 / COUNT))
    bits = transformer.excess(zeros, source, held)
    pairs = held[:, :-1] * COUNT + held[:, 1:]
    entropies = -(source.chances * np.log2(source.chances)).sum(axis=1)
    assert bits == approx(2.0 - entropies[pairs].mean())
    assert transformer.nearness(0.0, source) == 1.0 and transformer.nearness(9.0, source) == 0.0
    assert transformer.nearness((2.0 - source.entropy) / 4, source) == approx(0.75)


@pytest.mark.parametrize("said", [
    None, 3, "", "!" * 4 * -(-4 * transformer.SIZE // 3), told(random_weights(1))[:-4], told(np.zeros(9)),
    told(np.full(transformer.SIZE, np.nan)), told(np.full(transformer.SIZE, np.inf)), [0.0] * transformer.SIZE,
    "é" * 4 * -(-4 * transformer.SIZE // 3),
])  # fmt: skip
def test_what_is_no_model_has_no_weights_and_scores_nothing(said: Any) -> None:
    assert transformer.weights_of(said) is None
    target = {"language": 1, "held": 2}
    assert near({"weights": said}, target) == near({"fault": "raised"}, target) == near("", target) == 0.0


def test_no_finite_weights_are_too_large_for_a_score() -> None:
    largest = np.full(transformer.SIZE, np.finfo(np.float32).max) * np.sign(random_weights(2))
    assert 0.0 <= near({"weights": told(largest)}, {"language": 1, "held": 2}) <= 1.0


def test_what_a_model_says_does_not_hang_on_letters_that_come_later() -> None:
    weights, windows = random_weights(3), np.random.default_rng(1).integers(COUNT, size=(5, transformer.WINDOW))
    other = windows.copy()
    other[:, 5:] = (other[:, 5:] + 1) % COUNT
    one, two = transformer.chances(weights, windows), transformer.chances(weights, other)
    assert one[:, :5] == approx(two[:, :5]) and np.abs(one[:, 5:] - two[:, 5:]).max() > 0.01
    assert one.sum(axis=-1) == approx(1.0)


# ---- trainings, in this process


def task(texts: Sequence[Any], seeds: Sequence[int], steps: int = 4) -> dict[str, Any]:
    return {"texts": [one.tolist() for one in texts], "seeds": list(seeds), "steps": steps, "batch": 6,
            "shapes": [list(one) for one in transformer.SHAPES], "heads": transformer.HEADS,
            "window": transformer.WINDOW}  # fmt: skip


def here(program: str, texts: Sequence[Any], seeds: Sequence[int]) -> list[Any]:
    """`apart.trained` without a sandbox, for programs that are ours: a few steps."""
    names: dict[str, Any] = {"__name__": "candidate"}
    exec(compile(apart.source_of(program), "candidate.py", "exec"), names)
    try:
        return list(names["solve"](task(texts, seeds)))
    except Exception as error:  # noqa: BLE001 - the boundary to a program, as in the sandbox
        raise apart.NoModel(str(error)) from None


@pytest.fixture
def without_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr(apart, "trained", here)
    monkeypatch.setattr(apart, "level", lambda: "none, level S0")
    monkeypatch.setattr(apart, "ready", lambda: None)
    monkeypatch.setattr("netgain.recipes.trainer.code.LEAST", None)


TEXTS = [language(seed).text(300, np.random.default_rng(seed)) for seed in (1, 2, 3)]


def test_the_model_that_is_scored_is_the_one_that_was_trained() -> None:
    torch = pytest.importorskip("torch")
    from netgain.recipes.trainer import training

    weights, windows = random_weights(4) / 4, np.random.default_rng(2).integers(COUNT, size=(7, transformer.WINDOW))
    scores = training.scores_of(torch.tensor(weights)[None], torch.tensor(windows)[None], task(TEXTS, [1]))
    theirs = scores.softmax(-1).view(7, transformer.WINDOW, COUNT).numpy()
    assert transformer.chances(weights, windows) == approx(theirs, abs=1e-5)


def test_many_trainings_at_once_are_what_each_is_alone() -> None:
    pytest.importorskip("torch")
    adam = rewriting.PLAIN.replace("    weights =", f"    {rewriting.CATALOGUE['update'][1]}\n    weights =")
    adam = adam.format(own="b", keep=0.9)
    together = [transformer.weights_of(one) for one in here(adam, TEXTS, [4, 5, 6])]
    (alone,) = (transformer.weights_of(one) for one in here(adam, TEXTS[1:2], [5]))
    (other,) = (transformer.weights_of(one) for one in here(adam, TEXTS[1:2], [6]))
    assert together[1] == approx(alone, abs=1e-4)
    assert np.abs(other - alone).max() > 0.01, "another seed is another training"


def test_a_running_mean_is_that_of_its_formula() -> None:
    torch = pytest.importorskip("torch")
    from netgain.recipes.trainer.training import trail

    memory: dict[str, Any] = {}
    found = [float(trail(memory, "m", 0.8, torch.tensor([value]))[0]) for value in (1.0, 4.0)]
    assert found == approx([1.0, (0.8 * 1.0 + 4.0) / 1.8])


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name, known in rewriting.CATALOGUE.items() for line in known]
)
def test_every_statement_of_the_catalogue_trains_where_it_belongs(name: str, line: str) -> None:
    pytest.importorskip("torch")
    tree = rewriting.parsed(rewriting.PLAIN)
    body = rewriting._function(tree, name).body
    said = line.format(share=0.3, keep=0.9, some=0.7, few=0.01, own="m0")
    place = 0 if "scores *" in line or name == "update" else len(body) - 1
    body.insert(place, ast.parse(said).body[0])
    (changed,), (plain,) = (here(text, TEXTS[:1], [1]) for text in (ast.unparse(tree), rewriting.PLAIN))
    assert transformer.weights_of(changed) is not None and changed != plain, "it does something"


# ---- edits


def test_edits_change_the_text_and_leave_a_program_of_three_functions() -> None:
    rng, text = np.random.default_rng(1), rewriting.generation_0(np.random.default_rng(0))
    seen = set()
    for _ in range(300):
        found = rewriting.edited(text, rng)
        assert found != text and rewriting.parsed(found)
        assert len([one for one in ast.walk(ast.parse(found)) if isinstance(one, ast.stmt)]) <= rewriting.MOST + 3
        seen.add(found)
        text = found
    assert len(seen) > 290


@pytest.mark.parametrize("operator", rewriting.EDITS)
def test_each_operator_does_something_and_only_what_it_says(operator: Any) -> None:
    first = rewriting.PLAIN.replace("    return weights", "    slopes = slopes.sign()\n    return weights")
    changed, rng = set(), np.random.default_rng(2)
    for _ in range(40):
        tree = rewriting.parsed(first)
        operator(tree, rng)
        changed.add(ast.unparse(tree))
    before, lengths = ast.unparse(ast.parse(first)), {len(one.splitlines()) for one in changed}
    assert changed - {before}
    more = {rewriting._added: {1}, rewriting._removed: {0, -1}}.get(operator, {0})
    assert {length - len(before.splitlines()) for length in lengths} <= more


def test_plain_tuning_moves_the_constant_rate_alone() -> None:
    first = rewriting.generation_0(np.random.default_rng(0))
    rates = []
    for seed in range(200):
        found = rewriting.rate_alone(first, np.random.default_rng(seed))
        assert found.splitlines()[2:] == first.splitlines()[2:]
        rates.append(float(found.splitlines()[1].split("=")[1]))
    assert min(rates) < 0.01 and max(rates) > 3 and min(rates) >= rewriting.LOW and max(rates) <= rewriting.HIGH
    middle = (np.log(rewriting.LOW) + np.log(rewriting.HIGH)) / 2
    assert np.log(rates).mean() == approx(middle, abs=0.6), "even in its logarithm"


def test_a_program_without_a_search_comes_from_generation_0_wherever_one_stands() -> None:
    edit = rewriting.anything(rewriting.PLAIN)
    one, two = (edit(text, np.random.default_rng(3)) for text in (rewriting.PLAIN, "what there is"))
    assert one == two != rewriting.PLAIN


@pytest.mark.parametrize("text", ["def schedule(done:", "x = 1", "def schedule(done):\n    return 1.0", "import os"])
def test_what_is_no_program_of_three_functions_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        rewriting.parsed(text)


# ---- a round


class Scripted(Own):
    """Scores by the text of a program, and what was asked; a text that is no number fails."""

    def __init__(self) -> None:
        super().__init__([], [])

    def score(self, program: str, seed: int) -> float | None:
        self.trainings += 1
        return float(program) if program[:1].isdigit() else None


def scripted(*texts: str) -> Any:
    left = iter(texts)
    return lambda text, rng: next(left)


def test_the_ratchet_takes_what_beats_its_record_and_no_failure() -> None:
    own = Scripted()
    tried = climb(Record(0.3, "start", 1), scripted("0.2", "broken", "0.5", "0.5", "0.6"), own, 5,
                  np.random.default_rng(1))  # fmt: skip
    assert tried.taken == [False, False, True, False, True]
    assert (tried.record.score, tried.record.program) == (0.6, "0.6") and own.trainings == 5
    only = climb(Record(None, "broken", 1), scripted("broken", "0.0"), Scripted(), 2, np.random.default_rng(1))
    assert only.taken == [False, True], "a start that fails is beaten by any score, and by no failure"


def test_what_is_tried_again_has_to_be_better_in_the_mean() -> None:
    own = Scripted()
    tried = climb(Record(0.1, "0.4", 1), scripted("0.2", "0.5"), own, 9, np.random.default_rng(1), again=True)
    assert tried.taken == [False, True], "the record of .1 was luck, and three trainings more of it say .4"
    assert tried.record.score == 0.5 and own.trainings == 14


def test_a_training_that_fails_has_no_score_and_is_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    own = own_of({"deal": 4})
    for fault in (apart.NoModel("raised"), EvaluateError("the evaluation is invalid")):
        monkeypatch.setattr(apart, "trained", lambda *given, fault=fault: (_ for _ in ()).throw(fault))
        assert own.score("any", 1) is None
    monkeypatch.setattr(apart, "trained", lambda *given: [told(random_weights(1)), "no weights"])
    assert own.score("any", 1) is None, "half a score is none"
    assert (own.trainings, own.failed) == (3 * OWN, 3)
    budget = Budget()
    own.book(budget)
    assert budget.spent["calls"] == 6 and budget.spent["tokens"] == 6 * apart.cost(1, transformer.HELD)[0]


def view(system: Any, **given: Any) -> View:
    given = {"state": None, "budget": Budget(), "rng": np.random.default_rng(5), "round": 1, **given}
    return View(parent=system, improver=system, accepted=None, feedback=Feedback(), dev=(), **given)


def kept(change: Change) -> Change:
    """The change as the channel lets it through: the tries that passed."""
    labels = [one for one, passed in zip(change.examples.labels, change.checks["record"], strict=True) if passed]
    return Change([Part("training", Examples(list(range(len(labels))), labels))], change.state)


def test_a_round_serves_what_holds_the_record_and_claims_its_score(without_sandbox: None) -> None:
    loop = CodeTrainer()
    first = loop.start(np.random.default_rng(2)).system
    asked = view(first, budget=Budget(scale=3.0))
    change = loop.propose(asked)
    assert any(change.checks["record"]), "from so slow a rate something is taken"
    served = loop.build(first, kept(change), Budget(), None)
    assert served["program"] == change.state["program"] != first["program"] == served["first"]
    assert loop.own_score(first, served, Budget(), None) == approx(change.parts[0].evidence["after"])
    control = view(first, budget=Budget(tokens=asked.budget.spent["tokens"], flops=asked.budget.spent["flops"]))
    drawn = loop.random_search(control)
    assert control.budget.spent == asked.budget.spent and len(drawn.examples.labels) == len(change.examples.labels)
    again = view(served, state=change.state, round=2)
    assert len(loop.propose(again).examples.labels) == code.TRIES, "the record is known and costs no training"
    assert loop.tuned(view(first)).parts[0].decided_by == "rule"


def test_a_study_passes_the_verifier_and_its_record_never_goes_back(without_sandbox: None, tmp_path: Any) -> None:
    folder = planted.run_small("trainer", tmp_path, starts=2, size="code")
    found, reading = verify(folder), planted.reading_of(folder)
    assert not [check for check in found["checks"] if check["ok"] is False]
    claimed = planted.risen(reading.round_0_scores())
    assert len(claimed) == 2 and min(claimed) >= 0, "a record never goes back by its own lights"
    assert max(claimed) > 0, "and something beat it"


def test_with_nothing_but_seeds_the_code_stays_what_it_was(without_sandbox: None) -> None:
    loop = CodeTrainer(edits="seed")
    first = loop.start(np.random.default_rng(2)).system
    change = loop.propose(view(first))
    assert {one["program"] for one in change.examples.labels} == {first["program"]}
    assert len({one["seed"] for one in change.examples.labels}) == len(change.examples.labels)


def test_who_has_nothing_to_spend_changes_nothing() -> None:
    loop = CodeTrainer()
    first = loop.start(np.random.default_rng(2)).system
    change = loop.propose(view(first, budget=Budget(tokens=0.0, flops=0.0)))
    assert loop.build(first, change, Budget(), None) == first and loop.answer(first, [], Budget(), None) == []


def test_a_program_that_fails_answers_and_is_wrong(without_sandbox: None) -> None:
    loop, items = CodeTrainer(), bank().items[:2]
    inputs = [one["input"] for one in items]
    first = loop.start(np.random.default_rng(2)).system
    good = loop.answer(first, inputs, Budget(), np.random.default_rng(1))
    assert all(transformer.weights_of(one["weights"]) is not None for one in good)
    raises = first["program"].replace("rate * slopes", "rate * nowhere")
    lost = first["program"].replace("rate * slopes", "rate * slopes * float('inf')")
    for program in (raises, lost):
        answers = loop.answer({**first, "program": program}, inputs, Budget(), np.random.default_rng(1))
        assert [near(one, item["target"]) for one, item in zip(answers, items, strict=True)] == [0.0, 0.0]


# ---- the wall


def test_a_text_that_is_asked_says_nothing_of_its_language_and_has_one_role() -> None:
    items = bank().items
    assert all(set(one["input"]) == {"text"} and one["target"]["language"] >= ELSEWHERE for one in items)
    assert len({one["input"]["text"] for one in items}) == len(items)
    roles = [split_of(one, SHARES) for one in items]
    counts = {role: roles.count(role) for role in SHARES}
    assert counts["gate"] >= ROUNDS * MOST_PAIRS and counts["report"] >= REPORT and counts["sealed"] >= STARTS * SEALED
    for deal in range(3):
        drawn = np.random.default_rng(deal).integers(ELSEWHERE, size=OWN)
        assert (drawn < ELSEWHERE).all()


def test_the_sandbox_is_given_training_texts_and_nothing_to_be_scored_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Recorder:
        def ask(self, source: str, inputs: Any) -> Any:
            asked.extend(inputs)
            raise EvaluateError("recorded")

    monkeypatch.setattr(apart, "_judge", Recorder)
    with pytest.raises(EvaluateError, match="recorded"):
        apart.trained(rewriting.PLAIN, TEXTS[:2], [7, 8])
    (given,) = asked
    assert set(given) == {"texts", "seeds", "shapes", "heads", "window", "batch", "steps"}
    assert given["texts"] == [one.tolist() for one in TEXTS[:2]] and given["steps"] == apart.STEPS


@needs_bwrap
def test_programs_train_in_the_sandbox_and_fail_by_themselves() -> None:
    pytest.importorskip("torch")
    apart.ready()
    text = language(1).text(400, np.random.default_rng(1))
    (one,), (two,) = (apart.trained(rewriting.PLAIN, [text], [3]) for _ in range(2))
    assert one == two and transformer.weights_of(one) is not None, "a seed gives one model"
    with pytest.raises(apart.NoModel, match="nowhere"):
        apart.trained(rewriting.PLAIN.replace("rate * slopes", "rate * nowhere"), [text], [3])
    with pytest.raises(apart.NoModel, match="OSError|PermissionError|FileNotFound"):
        apart.trained(rewriting.PLAIN.replace("    rate = 0.1", "    rate = open('/etc/shadow')"), [text], [3])
    with pytest.raises(EvaluateError, match="invalid"):
        apart.trained(rewriting.PLAIN.replace("    rate = 0.1", "    raise SystemExit(3)"), [text], [3])
    (lost,) = apart.trained(DIVERGES, [text], [3])
    assert transformer.weights_of(lost) is None


@pytest.mark.parametrize("fault", [apart.NoModel("no torch"), EvaluateError("invalid"), ["no weights"]])
def test_a_machine_on_which_plain_training_fails_begins_no_study(monkeypatch: pytest.MonkeyPatch, fault: Any) -> None:
    def broken(*given: Any) -> Any:
        if isinstance(fault, Exception):
            raise fault
        return fault

    monkeypatch.setattr(apart, "trained", broken)
    with pytest.raises(ConfigError, match="sandbox"):
        apart.ready()
    monkeypatch.setattr(apart, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="torch"):
        apart.packages()


# ---- the recipe


def test_the_gate_has_the_pairs_that_small_gains_alike_on_all_languages_take() -> None:
    """Differences of an earlier study's decisions, scaled to a mean of .1: 80 of 100 decisions reach the threshold."""
    built = build_recipe("trainer", {}, "code")
    plan = plan_of(built.suite, "watch", built.rounds)
    seen = np.array([[.21, .11, .02, .39, .39, .15], [.1, .1, .01, .08, .07, .05], [.05, .35, -.02, .37, .18, -.02],
                     [.06, .13, .09, .24, .22, .18], [.07, .12, .02, .12, .12, .1]])  # fmt: skip
    drawn = np.random.default_rng(1).choice((seen / seen.mean(axis=1, keepdims=True)).ravel(), (400, MOST_PAIRS)) / 10
    path = log_capital(drawn, null=0.0, gain=plan.design_gain, planned_second_moment=plan.planned_second_moment)
    needed = np.quantile(items_to_reach(path, -np.log(plan.promotion_spending.level(ROUNDS))), 0.8)
    assert GATE < needed <= plan.max_pairs == MOST_PAIRS


def test_the_size_is_a_study_of_its_own() -> None:
    built = build_recipe("trainer", {"check": "again"}, "code")
    assert built.claim.rung == "R1" and set(built.claim.beats) <= set(built.arms) and built.loop.ready is apart.ready
    assert dict(built.options) == {"edits": "all", "check": "again"} and set(built.loop.menu) == {"rate", "reseed"}
    for wrong in ({"engine": "pbt"}, {"edits": "none"}, {"width": 3}):
        with pytest.raises(ConfigError):
            build_recipe("trainer", wrong, "code")
