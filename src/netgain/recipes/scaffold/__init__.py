"""`scaffold`: a language model edits a program, a prompt or a skill file, and the instructions under which it edits.

The system is two texts. Each round a model behind an OpenAI-compatible endpoint is asked for edits of the first under
the instructions of the second, then for better instructions, and for edits under those; the edits are tried on
development items, a program in the sandbox, and the best one is taken with the instructions that made it where it beats
what there is. URL, model and key come from the environment, and there is no default model. The calls of every round are
kept, so a study of programs can be done again without the endpoint. Details and limits: docs/recipes/scaffold.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netgain.budget import Budget
from netgain.claim import Claim
from netgain.errors import ConfigError, Outage
from netgain.recipes import Built, options_of, with_options
from netgain.recipes.scaffold.calls import recorded
from netgain.recipes.scaffold.chat import Chat, Terms, prices_of
from netgain.recipes.scaffold.editing import FIRST_IMPROVER
from netgain.recipes.scaffold.endpoint import ENVIRONMENT, MODEL, from_environment
from netgain.recipes.scaffold.parcels import KINDS, first, parcel
from netgain.recipes.scaffold.round import Round
from netgain.recipes.scaffold.trials import answers, judge
from netgain.records import Change, Started, View
from netgain.stages import Filter, Loop
from netgain.suite import Suite, axis

Json = Any
System = dict[str, str]

# rounds, starts, edits under the present instructions; development, gate, report and sealed items
SIZES = {"tiny": (2, 6, 2, 40, 24, 8, 24), "default": (6, 6, 4, 60, 60, 20, 100)}
TRANSPORTS = ("whole", "stream")
NOTES = {
    "edits": "what the model edits: program (judged in the sandbox), prompt or skill (judged by asking the model)",
    "transport": "whole or stream: how replies come",
    "price": "USD per million tokens read/written, such as 2.5/10; unknown: money stays unknown",
    "seconds": "for one reply, from the first byte to the last",
    "patience": "seconds of waiting for an endpoint in one stage, after which the command ends and can be given again",
    "longest": "tokens of one reply; one that is cut off there is no answer",
    "parallel": "requests at a time",
}
STATE = {
    "parent": "the text under edit",
    "improver": "the instructions under which it is edited",
    "position": "what earlier rounds gained, and the calls of the last one",
}
CONTROLS = (
    "frozen", "ordinary", "placebo", "unguarded:better.filter", "random_search", "random_proposer", "stacked",
)  # fmt: skip


@dataclass(frozen=True)
class Scaffold:
    """The loop of one setting.

    Attributes:
        edits: of `parcels.KINDS`.
        transport: of `TRANSPORTS`.
        price: "unknown", or USD per million tokens read and written.
        seconds, patience: see `NOTES`.
        longest: tokens of one reply.
        parallel: requests at a time.
        size: of `SIZES`.
    """

    edits: str = "program"
    transport: str = "whole"
    price: str = "unknown"
    seconds: float = 120.0
    patience: float = 600.0
    longest: int = 2000
    parallel: int = 4
    size: str = "default"

    def __post_init__(self) -> None:
        closed = (("edits", KINDS), ("transport", TRANSPORTS), ("size", SIZES))
        for name, known in closed:
            if (value := getattr(self, name)) not in known:
                raise ConfigError.unknown(f"{name} of recipe 'scaffold'", value, known)
        for name, kind in (("seconds", float), ("patience", float), ("longest", int), ("parallel", int)):
            value = getattr(self, name)
            if not isinstance(value, int | kind) or not 0 < value < float("inf"):
                what = "whole number" if kind is int else "number"
                raise ConfigError(f"{name} {value!r} of recipe 'scaffold'", fix=f"give a {what} above 0")
        prices_of(self.price)

    # ---- the loop

    def ready(self) -> None:
        """Look for the endpoint, or the study that is replayed, and attack the sandbox of programs.

        Raises:
            ConfigError: the environment does not say whom to ask, or names a study that holds no calls.
            SandboxError: no sandbox works here, or an attack succeeded.
        """
        folder = from_environment().replayed
        if folder is not None:
            recorded(folder)
        if self.edits == "program":
            judge().ready()

    def start(self, rng: Any) -> Started:
        """Generation 0: a text that knows a third of the tariff, and plain instructions. It names the model."""
        made = {"policy": first(self.edits), "improver": FIRST_IMPROVER, "model": from_environment().model}
        return Started(made, {"tokens": 0, "calls": 0, "cost_usd": 0})

    def propose(self, view: View) -> Change:
        """Edits under the present instructions, better instructions, edits under those; the best edit passes."""
        return self._round(view).own("improver" in view.closed)

    def random_search(self, view: View) -> Change:
        """As many edits without examples, scores or history, tried in the same way."""
        return self._round(view).blind()

    def ordinary(self, view: View) -> Change:
        """The model is asked for a better text from worked examples, over and over; no reply is tried."""
        return self._round(view).plain()

    def build(self, parent: System, change: Change, budget: Budget, rng: Any) -> System:
        """The first edit that passed is the new system, with the instructions that made it."""
        budget.spend(tokens=0, calls=0, cost_usd=0)
        kept = change.examples
        if kept is not None:
            return {**parent, **kept.labels[0]} if kept.labels else dict(parent)
        found: dict[str, str] = next((part.payload for part in change.parts if part.payload is not None), {})
        return {**parent, **found}

    def answer(self, system: System, inputs: Sequence[Json], budget: Budget, rng: Any) -> list[Json]:
        """What the text answers; None where a reply is missing or cut off."""
        chat = self._chat(system)
        found = answers(self.edits, system["policy"], inputs, chat, budget, rng, temperature=self._warmth(budget))
        chat.book(budget)
        return found

    @staticmethod
    def _warmth(budget: Budget) -> float:
        return 0.0 if budget.tries == 1 else 1.0

    def _round(self, view: View) -> Round:
        return Round(view, self._chat(view.improver), self.edits, SIZES[self.size][2])

    def _chat(self, system: System) -> Chat:
        endpoint = from_environment()
        if endpoint.model != system["model"]:
            told = f"this run was begun with model {system['model']!r}, and {MODEL} is {endpoint.model!r}"
            raise Outage(f"{told}: set it back, or begin a new study")
        terms = Terms(
            stream=self.transport == "stream", seconds=self.seconds, patience_seconds=self.patience,
            longest=self.longest, parallel=self.parallel, prices=prices_of(self.price),
        )  # fmt: skip
        return Chat(endpoint, terms)

    def suite(self) -> Suite:
        """Parcels that nobody has seen decide."""
        _, _, _, dev, gate, report, sealed = SIZES[self.size]
        one = axis("price", parcel, "exact", gate_items=gate, report_items=report, sealed_items=sealed, moment=0.2)
        return Suite([one], block=gate // 2, max_pairs=gate, design_gain=0.1, dev_items=dev)

    def loop(self) -> Loop:
        """The loop with the controls that it supports."""
        return Loop(
            self.start, self.propose, self.answer, build=self.build, ordinary=self.ordinary,
            random_search=self.random_search, filters=(Filter("better", ("filter",)),), state=STATE,
            surfaces=("policy", "improver"), closable=("improver",), gate="advance", sees_accepted=False,
            not_testable=self._untestable(), keeps_positions=True, environment=ENVIRONMENT, ready=self.ready,
            sandbox=2 if self.edits == "program" else None, apart=self.edits != "program",
        )  # fmt: skip

    def _untestable(self) -> dict[str, str]:
        alike = {"sampled": "a program gives the same answer however often it is asked"}
        return alike if self.edits == "program" else {}


def make(given: Mapping[str, Any], *, device: str = "cpu") -> Built:
    """The recipe with these options.

    Raises:
        ConfigError: an unknown option, value or device.
    """
    made = with_options(Scaffold, "scaffold", given, device)
    rounds, starts, *_ = SIZES[made.size]
    claim = Claim("price", by=0.05, beats=("frozen", "random_search"), rung="R2", expected=0.3,
                  starts="this generation 0")  # fmt: skip
    return Built(
        made.loop(), made.suite(), claim, ("self", *CONTROLS), rounds, starts, options=options_of(made), notes=NOTES
    )
