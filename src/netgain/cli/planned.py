"""`netgain plan`, and the table that `run` prints before it starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from netgain.cli.answer import Reply, note
from netgain.cli.folder import Project, folder_of, need_extras, open_project, project_of_recipe
from netgain.config import STUDY_NAME
from netgain.errors import ConfigError
from netgain.planning import Plan, plan_study
from netgain.session import Study

Json = Any
REFUSED = 4


def plan(*, target: str, size: str | None, workers: int | None, device: str) -> Reply:
    """`netgain plan`."""
    project = project_at(target, size=size, device=device)
    found = planned(project, workers)
    record = {**found.to_json(), "folder": str(project.folder)}
    following = f"netgain run {target}" if found.answerable else "change the study, or run it with --exploratory"
    text = f"{table(project.study, found)}\nnext     {following}"
    return Reply(record, text, 0 if found.answerable else REFUSED)


def project_at(target: str, *, size: str | None, device: str) -> Project:
    """The study of a folder, or a recipe with its defaults where there is no folder yet."""
    folder = folder_of(target)
    if folder.is_dir():
        no_size(size, folder)
        return open_project(folder, device=device)
    return project_of_recipe(target, size=size, device=device)


def no_size(size: str | None, folder: Path) -> None:
    """Raises ConfigError: the size of a study that has its files is what they say."""
    if size is not None:
        raise ConfigError(
            f"--size {size}, but {str(folder)!r} has its files already", where=str(folder / STUDY_NAME),
            fix=f"set `size` there, or make another folder: netgain init DIR --from RECIPE --size {size}",
        )  # fmt: skip


def planned(project: Project, workers: int | None) -> Plan:
    """Calibrate and plan, saying so on stderr."""
    need_extras(project)
    return plan_study(project.study, workers=workers or project.workers, watch=note)


def table(study: Study, plan: Plan) -> str:
    """A plan for people."""
    return "\n".join(f"{name:<9}{text}" for name, text in _rows(study, plan))


def _rows(study: Study, plan: Plan) -> Iterator[tuple[str, str]]:
    claim, low, high = study.claim, *plan.minutes
    over = ", ".join(claim.beats)
    what = f"the version that `{claim.arm}` serves" if claim.about == "version" else f"`{claim.arm}`"
    yield "claim", f"{what} gains more than {claim.by:g} on {claim.metric} over {over} ({claim.rung})"
    looks = f"any number up to {claim.sizes[-1]}" if claim.looks == "open" else ", ".join(map(str, claim.sizes))
    runs = f"{len(plan.runs)} runs × {plan.replicas} starts = {len(plan.runs) * plan.replicas}"
    yield "design", f"{runs}, {plan.rounds} rounds each; looks at {looks} starts"
    yield "time", f"{_minutes(low)} to {_minutes(high)} on {plan.workers} workers"
    slow = sorted(plan.runs.items(), key=lambda run: -run[1])
    yield "runs", ", ".join(f"{name} {seconds:.1f} s" for name, seconds in slow)
    booked = [f"{unit} {amount:.3g}" for unit, amount in plan.spend.items() if amount and unit != "device_seconds"]
    yield "cost", f"building takes about {', '.join(booked) or 'what the loop does not book'}; money is {_money(plan)}"
    yield "power", _power(plan, "items" if claim.about == "version" else "starts")
    if plan.required["by_analysis"]:
        yield "needs", _needs(plan.required, study.suite[claim.metric].sealed_items)
    need, most, least = (plan.gate[name] for name in ("pairs_at_design_gain", "pairs_at_most", "smallest_gain"))
    planned = f"{need:.0f} pairs a decision at the design gain of a round, {most:.0f} at most"
    yield "gate", f"{planned}; smallest gain it resolves {least:.3f}"
    if need > most:
        yield "warning", "too few pairs for that gain: expect decisions that end open, or raise max_pairs of the suite"
    yield "answers", _responsive(plan.responsive)
    yield "policy", study.policy.sentence()
    for arm, why in study.untestable().items():
        yield "without", f"{arm}: {why}"
    for why in plan.unsupportable:
        yield "limit", f"this claim can be refuted, and not supported: {why}"
    for number, reason in enumerate(plan.reasons):
        yield ("refused" if number == 0 else ""), reason
    if plan.answerable:
        yield "ok", "this plan can answer the claim"


def _minutes(minutes: float) -> str:
    return f"{60 * minutes:.0f} s" if minutes < 2 else f"{minutes:.0f} min"


def _money(plan: Plan) -> str:
    cost = plan.spend["cost_usd"]
    return "unknown: the loop books none" if cost is None else f"about {cost:.2f} USD"


def _power(plan: Plan, unit: str) -> str:
    smallest = "no net gain" if plan.smallest_net_gain is None else f"a net gain of {plan.smallest_net_gain:.2f}"
    resolved = f"the {unit} resolve {smallest} at 80 %"
    if plan.power is None:
        return f"{resolved}; name `expected` in claim.toml to see the chances"
    chance = f"SUPPORTED with chance {plan.power['supported']:.2f} at the expected net gain"
    return f"{chance}, after {plan.starts:.1f} starts on average; {resolved}"


def _needs(required: Mapping[str, Any], sealed: int) -> str:
    """What 80 % take, in words: nothing unknown becomes a number."""

    def said(number: int | None, what: str) -> str:
        return f"no number of {what}" if number is None else f"{number} {what}"

    others = [f"{name} {n or 'none'}" for name, n in required["by_analysis"].items() if name != "version"]
    cost = required["cost_usd"]
    money = "money unknown" if cost is None else f"about {cost:.2f} USD for building"
    return (
        f"80 % at the expected net gain take {said(required['starts'], 'starts')} ({', '.join(others)}), "
        f"{said(required['sealed_items'], 'sealed items')} each ({sealed} registered), "
        f"{required['gate_items']} pairs a gate decision; {money}"
    )


def _responsive(found: Mapping[str, float]) -> str:
    both = f"{100 * found['both_right']:.0f} % right, {100 * found['both_wrong']:.0f} % wrong"
    return f"generation 0 and its plainly trained twin agree on {both} of {found['items']:.0f} gate items"
