"""Cached answers, own checks and best of n of `length`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from netgain.recipes.length import ask, model, tasks, train
from netgain.recipes.length.sizes import Shape, Size, Stage

LITTLE = Size(5, 1, Shape(2, 32, 64), 2, Stage(250, 32, 8e-3, warmup=20), Stage(20, 32), own=50)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def weights() -> model.Weights:
    """A model that reverses one and two symbols well and longer strings badly."""
    torch.set_num_threads(1)
    return train.train_base("reverse", LITTLE, rng(1)).weights


def plain_answer(weights: model.Weights, question: str) -> tuple[str, float]:
    """Greedy answer without a cache: the whole string again for every token."""
    pool = tasks.pool_of(tasks.Pairs((question,), ("",)))
    tokens, sure = pool.tokens[0, : len(question)].tolist(), 1.0
    for _ in range(len(question) + 1):
        string = tasks.Pool(np.array([tokens], dtype=np.uint8), np.array([len(tokens)]), np.array([len(tokens)]))
        logits = model.forward(weights, model.batch_of(string, np.array([0]), 2, 48))[0][-1]
        token = int(logits.argmax())
        sure *= float(torch.softmax(logits, -1)[token])
        if token == tasks.END:
            break
        tokens.append(token)
    return "".join(tasks.ALPHABET[token] for token in tokens[len(question) :]), sure


def test_cached_answers_of_mixed_lengths_equal_uncached_ones(weights: model.Weights) -> None:
    asked = [text for n in (1, 2, 3, 5, 8) for text in tasks.questions("reverse", n, 6, rng(n))]
    asked += tasks.malformed("reverse", 2, 6, rng())
    answers = ask.answer(weights, asked)
    for question, text, sure in zip(asked, answers.texts, answers.confidence, strict=True):
        plain, probability = plain_answer(weights, question)
        assert text == plain
        assert sure == pytest.approx(probability, rel=1e-3)


def test_answers_do_not_depend_on_order_and_may_be_empty(weights: model.Weights) -> None:
    asked = tasks.questions("reverse", 2, 10, rng()) + tasks.questions("reverse", 4, 10, rng())
    assert ask.answer(weights, asked[::-1]).texts == ask.answer(weights, asked).texts[::-1]
    assert ask.answer(weights, []) == ask.Answers((), (), model.Work())


def test_agrees_is_equality_with_the_greedy_answer(weights: model.Weights) -> None:
    asked = tuple(text for n in (1, 2, 3, 4) for text in tasks.questions("reverse", n, 20, rng(n)))
    own = ask.answer(weights, asked).texts
    right = [tasks.truth("reverse", question) for question in asked]
    claimed = (*own[::2], *right[1::2])
    asked, own = asked[::2] + asked[1::2], own[::2] + own[1::2]
    agreed, _ = ask.agrees(weights, tasks.Pairs(asked, claimed))
    assert agreed.tolist() == [mine == other for mine, other in zip(own, claimed, strict=True)]
    assert not agreed.all()


def test_cycle_asks_the_model_about_its_own_answer(weights: model.Weights) -> None:
    asked = tuple(tasks.questions("reverse", 2, 30, rng()) + tasks.questions("reverse", 3, 30, rng()))
    own = ask.answer(weights, asked).texts
    passed, work = ask.passes("cycle", weights, "reverse", tasks.Pairs(asked, own))
    back = ask.answer(weights, [text + ">" for text in own]).texts
    assert passed.tolist() == [text == question[:-1] for text, question in zip(back, asked, strict=True)]
    assert work.tokens == sum(len(text) + len(question) for question, text in zip(asked, own, strict=True))


def test_commute_swaps_the_operands() -> None:
    turned = ask._turned("commute", tasks.Pairs(("12+34>",), ("460",)))
    assert turned == tasks.Pairs(("34+12>",), ("460",))


def test_vote_needs_every_voter(weights: model.Weights) -> None:
    other = model.fresh(LITTLE.shape, rng(9))
    asked = tuple(tasks.questions("copy", 2, 20, rng()))
    pairs = tasks.Pairs(asked, ask.answer(weights, asked).texts)
    assert ask.passes("vote", weights, "copy", pairs, [weights, weights])[0].all()
    assert not ask.passes("vote", weights, "copy", pairs, [weights, other])[0].any()
    with pytest.raises(ValueError, match="other bases"):
        ask.passes("vote", weights, "copy", pairs)


def test_none_passes_all_and_costs_nothing(weights: model.Weights) -> None:
    passed, work = ask.passes("none", weights, "copy", tasks.Pairs(("1>",), ("2",)))
    assert passed.all() and work == model.Work()


def test_sampling_is_a_function_of_the_generator(weights: model.Weights) -> None:
    asked = tasks.questions("reverse", 4, 40, rng())
    first = ask.answer(weights, asked, temperature=1.0, rng=rng(3))
    assert first == ask.answer(weights, asked, temperature=1.0, rng=rng(3))
    assert first.texts != ask.answer(weights, asked, temperature=1.0, rng=rng(4)).texts
    with pytest.raises(ValueError, match="needs rng"):
        ask.answer(weights, asked, temperature=1.0)


def test_best_of_prefers_tries_that_pass_the_check(weights: model.Weights) -> None:
    asked = tasks.questions("reverse", 3, 60, rng())
    best = ask.best_of(weights, "reverse", "cycle", asked, 6, 1.0, rng(3))
    passed, _ = ask.passes("cycle", weights, "reverse", tasks.Pairs(tuple(asked), best.texts))
    greedy, _ = ask.passes("cycle", weights, "reverse", tasks.Pairs(tuple(asked), ask.answer(weights, asked).texts))
    assert passed.sum() > greedy.sum()
    assert ask.best_of(weights, "reverse", "none", asked, 1, 1.0, rng(3)).texts == ask.answer(weights, asked).texts


def test_answering_counts_the_tokens_that_were_read(weights: model.Weights) -> None:
    answers = ask.answer(weights, ["12>", "7>"])
    read = sum(len(question) + len(text) for question, text in zip(["12>", "7>"], answers.texts, strict=True))
    assert answers.work.tokens == read
    assert answers.work.flops > 2 * model.matrix_parameters(LITTLE.shape) * read
