"""A callback for the `Trainer` of transformers, and what is built on it (TRL): books what training takes.

It is told by its methods: nothing of transformers is imported, and an event of a later version that it does not know
is answered by nothing. Give it to the trainer that a function of a script, or the `build` of a loop, makes:

    def train(model, inputs, labels, budget, rng):
        arguments = TrainingArguments(..., seed=int(rng.integers(2**31)))  # else every start shuffles alike
        Trainer(model, arguments, train_dataset=..., callbacks=[TrainerMeter(budget)]).train()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netgain.budget import Budget
from netgain.integrations.stateful import rows_of


class TrainerMeter:
    """Books the tokens of training passes after each step.

    A control that owes more than a normal round trains once more, and that training ends with the step in which it is
    level. Not covered: passes of a compiled model, or of a copy on another machine, where hooks do not run.

    Args:
        budget: of the stage, as `build`, `train` or `improve` is given it.

    Attributes:
        logs: what the trainer logged, in order: step, and name -> number.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.logs: list[dict[str, float]] = []
        self._seen = 0
        self._again = False
        self._hook: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, *, model: Any, **_: Any) -> None:
        """Begin to count what goes through the model while it trains."""
        self._release()
        self._again = self.budget.spent.get("tokens", 0) > 0
        self._hook = model.register_forward_hook(self._count, with_kwargs=True)

    def _count(self, module: Any, given: tuple[Any, ...], named: Mapping[str, Any], result: Any) -> None:
        if module.training:
            self._seen += rows_of(given, named)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Book the step, and end a further training that has reached what is due."""
        self._book()
        due = self.budget.tokens
        if self._again and due is not None and self.budget.spent.get("tokens", 0) >= due:
            control.should_training_stop = True
        return control

    def on_log(self, args: Any, state: Any, control: Any, *, logs: Mapping[str, Any], **_: Any) -> None:
        """Keep what is logged."""
        self.logs.append({"step": state.global_step, **logs})

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Book the rest."""
        self._book()
        self._release()

    def _book(self) -> None:
        self.budget.spend(tokens=self._seen)
        self._seen = 0

    def _release(self) -> None:
        if self._hook is not None:
            self._hook.remove()
        self._hook = None

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Any other event of a trainer: nothing."""
        if not name.startswith("on_"):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        return lambda *_, **__: None
