"""One round of asking: edits of one parent, each tried on the same development items, and what passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from netgain.recipes.scaffold import editing
from netgain.recipes.scaffold.calls import KEPT, Call
from netgain.recipes.scaffold.chat import Chat, Message
from netgain.recipes.scaffold.trials import Trial, tried
from netgain.records import Change, Examples, Part, View

Json = Any
Asking = Callable[[], Sequence[Message]]
WARM = 1.0  # temperature of proposals
REMEMBERED = 5  # earlier rounds that a request tells of
FIRST_SHARE = 2 / 3  # of what is due goes into edits under the present instructions
AT_MOST = 8  # times the planned edits, however little each of them spends
NOTHING_LEFT = "nothing is left to spend"


@dataclass(frozen=True)
class Edit:
    """One reply to a request for an edit.

    Attributes:
        text: the edited text, None where the reply has none.
        improver: instructions under which it was asked for.
        trial: what it was worth; one without a score has the reason.
    """

    text: str | None
    improver: str
    trial: Trial


class Round:
    """What one proposal asks and tries.

    Args:
        view: of the run.
        chat: the calls of this stage.
        kind: of text that is edited.
        planned: edits under the present instructions, times the scale of the budget.
    """

    def __init__(self, view: View, chat: Chat, kind: str, planned: int) -> None:
        self._view = view
        self._chat = chat
        self._kind = kind
        self._planned = max(1, round(planned * view.budget.scale))
        self._more = max(1, self._planned // 2)
        self._text: str = view.parent["policy"]
        self._improver: str = view.improver["improver"]
        self._history: list[list[float]] = list((view.state or {}).get("history", []))

    # ---- the three ways of proposing

    def own(self, closed: bool) -> Change:
        """Edits, better instructions, edits under those.

        Args:
            closed: leave the instructions alone; what that saves goes into edits.
        """
        if self._spent_up():
            return self._nothing()
        edits = self._edits(self._improver, self._planned, FIRST_SHARE)
        parts: list[Part] = []
        if closed:
            edits += self._edits(self._improver, self._more + 1)
        else:
            better = self._rewritten(edits)
            edits += self._edits(better or self._improver, self._more)
            parts = [self._instructions(better, edits)]
        return self._change(edits, "the best of the model's edits on development items", parts)

    def blind(self) -> Change:
        """As many edits, asked for without example, score or history."""
        if self._spent_up():
            return self._nothing()
        kind, text = self._kind, self._text
        edits = self._asked(self._improver, self._planned + self._more + 1, 1.0, lambda: editing.blind(kind, text))
        return self._change(edits, "the best of edits made without looking", [])

    def plain(self) -> Change:
        """Rewriting from worked examples, each from the last usable reply; none is tried."""
        if self._spent_up():
            return self._nothing()
        text, done = self._text, 0
        while not self._enough(done, self._planned + self._more + 1, 1.0):
            call = self._chat.ask(
                editing.plain(self._kind, text, self._shown(self._view.dev)), seed=self._seed(), temperature=WARM
            )
            text, done = self._edited(call)[0] or text, done + 1
        self._chat.require_answers()
        self._chat.book(self._view.budget)
        reason = "plain requests with worked examples, none of whose replies was tried"
        part = Part("policy", {"policy": text}, decided_by="rule", reason=reason, evidence={"asked": done})
        return Change([part], self._position(None))

    # ---- asking

    def _edits(self, improver: str, count: int, share: float = 1.0) -> list[Edit]:
        def asking() -> Sequence[Message]:
            return editing.edit(
                improver, self._kind, self._text, self._before.right, self._shown(self._wrong),
                len(self._view.dev), self._history,
            )  # fmt: skip

        return self._asked(improver, count, share, asking)

    def _asked(self, improver: str, count: int, share: float, asking: Asking) -> list[Edit]:
        """Edits by so many requests at a time; one by one where something is due, until so much of it is spent."""
        assert self._before is not None  # asked for first: its calls come before those of the edits
        edits: list[Edit] = []
        at_once = count if self._view.budget.tokens is None else 1
        while not self._enough(len(edits), count, share):
            calls = self._chat.ask_all([(asking(), self._seed(), WARM) for _ in range(at_once)])
            edits += [self._tried(call, improver) for call in calls]
        return edits

    def _enough(self, done: int, planned: int, share: float) -> bool:
        """Whether as many requests were made as planned or, where tokens are due, so many of those were spent."""
        due, spent = self._view.budget.tokens, self._chat.tokens
        if due is None or spent is None:  # unknown tokens cannot be matched: as many requests instead
            return done >= planned
        return spent >= share * due or done >= AT_MOST * planned

    def _rewritten(self, edits: Sequence[Edit]) -> str | None:
        """Better instructions, None where the reply has none."""
        scores = [None if one.trial.right is None else self._share(one.trial.right) for one in edits]
        before = None if self._before.right is None else self._share(self._before.right)
        messages = editing.rewrite(self._improver, self._kind, before, scores)
        call = self._chat.ask(messages, seed=self._seed(), temperature=WARM)
        return None if call.text is None else editing.text_in(call.text)

    # ---- trying

    @cached_property
    def _before(self) -> Trial:
        return self._trial(self._text)

    def _trial(self, text: str) -> Trial:
        return tried(self._kind, text, self._view.dev, self._chat, self._view.budget, self._view.rng)

    def _tried(self, call: Call, improver: str) -> Edit:
        text, why = self._edited(call)
        return Edit(text, improver, self._trial(text) if text is not None else Trial(None, why))

    def _edited(self, call: Call) -> tuple[str | None, str]:
        """The text in a reply, or None with the reason."""
        if call.text is None:
            return None, str(call.failure)
        text = editing.text_in(call.text)
        if text is None:
            return None, "no text in the reply"
        if text == self._text:
            return None, "unchanged"
        return (text, "") if editing.admissible(self._kind, text) else (None, f"no {self._kind}")

    @property
    def _wrong(self) -> list[Json]:
        """Development items that the parent gets wrong, with what it says; none where it has no score."""
        pairs = zip(self._view.dev, self._before.outputs, strict=False)
        told = [{"input": item["input"], "expected": item["target"], "got": _said(output)} for item, output in pairs]
        return [one for one in told if one["got"] != one["expected"]]

    def _shown(self, examples: Sequence[Any]) -> list[Json]:
        """Some of them, drawn: {"input", "expected"}, and what else they say."""
        chosen = self._view.rng.permutation(len(examples))[: editing.SHOWN]
        told = [dict(examples[int(at)]) for at in chosen]
        return [{"expected" if name == "target" else name: one for name, one in each.items()} for each in told]

    def _share(self, right: int) -> float:
        return round(right / max(1, len(self._view.dev)), 6)

    def _seed(self) -> int:
        return int(self._view.rng.integers(1 << 31))

    # ---- what comes of it

    def _change(self, edits: Sequence[Edit], reason: str, parts: list[Part]) -> Change:
        """The usable edits as examples, of which the best passes where it beats the parent."""
        self._chat.require_answers()
        self._chat.book(self._view.budget)
        usable = [one for one in edits if one.trial.right is not None]
        best = max(usable, key=lambda one: one.trial.right or 0, default=None)
        before = self._before.right
        better = best is not None and before is not None and (best.trial.right or 0) > before
        labels = [{"policy": one.text, "improver": one.improver} for one in usable]
        examples = Examples([f"{self._view.round}/{at}" for at in range(len(usable))], labels)
        seen = {
            "before": None if before is None else self._share(before),
            "best": None if best is None else self._share(best.trial.right or 0),
            "edits": len(edits), "usable": len(usable), "without score": _counted(edits),
        }  # fmt: skip
        part = Part("policy", examples, decided_by="model", reason=reason, options=len(edits), evidence=seen)
        after = [seen["before"], seen["best"] if better else seen["before"]]
        passed = [better and one is best for one in usable]
        return Change([part, *parts], self._position(after if before is not None else None), {"better": passed})

    def _instructions(self, better: str | None, edits: Sequence[Edit]) -> Part:
        """The rewritten instructions, which go along with the edits that they made."""
        made = sum(one.improver == better for one in edits)
        reason = "instructions rewritten by the model" if better else "the model gave no other instructions"
        return Part("improver", None, decided_by="model", reason=reason, options=2, evidence={"edits under them": made})

    def _position(self, gained: list[Any] | None) -> dict[str, Json]:
        history = [*self._history, *([gained] if gained else [])][-REMEMBERED:]
        return {"history": history, KEPT: [call.record() for call in self._chat.calls]}

    def _spent_up(self) -> bool:
        return self._view.budget.tokens is not None and self._view.budget.tokens <= 0

    def _nothing(self) -> Change:
        self._chat.book(self._view.budget)
        return Change([Part("policy", None, decided_by="rule", reason=NOTHING_LEFT)], self._position(None))


def _said(output: Json) -> Json:
    return output["answer"] if isinstance(output, dict) and "answer" in output else output


def _counted(edits: Sequence[Edit]) -> dict[str, int]:
    """Reason -> edits that have no score for it; of an invalid program only that it is one."""
    reasons = Counter(one.trial.why.partition(":")[0] for one in edits if one.trial.right is None)
    return dict(sorted(reasons.items()))
