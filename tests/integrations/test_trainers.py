"""The meter of a trainer: against the protocol with a plain loop, and against transformers where it is installed."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from netgain.budget import Budget
from netgain.integrations.trainers import TrainerMeter

STEPS, BATCH, LENGTH = 5, 4, 6


@dataclass
class Said:
    """State and control of a trainer, as far as a callback reads and sets them."""

    global_step: int = 0
    should_training_stop: bool = False


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 3)
        self.head = nn.Linear(3, 9)

    def forward(self, input_ids: Any, labels: Any = None) -> Any:
        logits = self.head(self.embed(input_ids))
        if labels is None:
            return {"logits": logits}
        return {"loss": nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten()), "logits": logits}


def tokens() -> Any:
    return torch.zeros(BATCH, LENGTH, dtype=torch.long)


def plain_training(model: nn.Module, meter: TrainerMeter, steps: int = STEPS) -> int:
    """The order of calls that a trainer makes, with an evaluation in the middle; returns the steps that it did."""
    state, control = Said(), Said()
    model.train()
    meter.on_init_end(None, state, control)  # an event that the meter does not know
    meter.on_train_begin(None, state, control, model=model, optimizer=None)
    for _ in range(steps):
        meter.on_step_begin(None, state, control, model=model)
        model(input_ids=tokens())
        state.global_step += 1
        meter.on_step_end(None, state, control, model=model)
        meter.on_log(None, state, control, logs={"loss": 1.0}, model=model)
        if control.should_training_stop:
            break
        model.eval()
        model(input_ids=tokens())
        model.train()
    meter.on_train_end(None, state, control, model=model)
    return state.global_step


def test_tokens_of_training_passes_are_booked_and_those_of_an_evaluation_are_not() -> None:
    budget, model = Budget(), Words()
    meter = TrainerMeter(budget)
    assert plain_training(model, meter) == STEPS
    assert budget.spent == {"tokens": STEPS * BATCH * LENGTH}
    assert meter.logs[-1] == {"step": STEPS, "loss": 1.0}
    model(input_ids=tokens())
    assert budget.spent == {"tokens": STEPS * BATCH * LENGTH}, "the hook is gone"


def test_a_normal_round_is_never_cut_and_a_further_one_ends_level() -> None:
    budget, model = Budget(tokens=1), Words()
    assert plain_training(model, TrainerMeter(budget)) == STEPS
    budget = Budget(tokens=(STEPS + 2) * BATCH * LENGTH)
    assert plain_training(model, TrainerMeter(budget)) == STEPS
    assert plain_training(model, TrainerMeter(budget)) == 2, "with the step in which it is level"


def test_a_training_that_failed_leaves_no_second_count() -> None:
    budget, model = Budget(), Words()
    meter = TrainerMeter(budget)
    meter.on_train_begin(None, Said(), Said(), model=model)  # and nothing more of it
    plain_training(model, meter)
    assert budget.spent == {"tokens": STEPS * BATCH * LENGTH}


def test_what_is_no_event_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'budgets'"):
        TrainerMeter(Budget()).budgets  # noqa: B018 - the access is the test


@pytest.mark.nightly
@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="transformers is not installed")
@pytest.mark.filterwarnings("ignore")  # those of transformers are its own
def test_a_trainer_of_transformers_is_metered_and_ended(tmp_path: Path) -> None:
    from transformers import Trainer, TrainingArguments

    rows = [{"input_ids": tokens()[0], "labels": tokens()[0]} for _ in range(BATCH * STEPS)]

    def trained(model: nn.Module, budget: Budget) -> Any:
        arguments = TrainingArguments(
            str(tmp_path), per_device_train_batch_size=BATCH, num_train_epochs=1, report_to=[], save_strategy="no",
            logging_steps=1, disable_tqdm=True, use_cpu=True, seed=3,
        )  # fmt: skip
        meter = TrainerMeter(budget)
        trainer = Trainer(model, arguments, train_dataset=rows, callbacks=[meter])
        trainer.train()
        return trainer.state.global_step, meter

    model, budget = Words(), Budget(tokens=(STEPS + 2) * BATCH * LENGTH)
    steps, meter = trained(model, budget)
    assert (steps, budget.spent) == (STEPS, {"tokens": STEPS * BATCH * LENGTH})
    assert [one["step"] for one in meter.logs if "loss" in one] == list(range(1, STEPS + 1))
    assert trained(model, budget)[0] == 2
    assert budget.spent == {"tokens": (STEPS + 2) * BATCH * LENGTH}
