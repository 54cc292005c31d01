"""What a run of the gauntlet prints: one JSON record, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from netgain.evidence.looks import default_looks
from netgain.gauntlet.campaign import Measured, Run
from netgain.gauntlet.found import Found
from netgain.gauntlet.population import Population
from netgain.gauntlet.power import Powered
from netgain.gauntlet.rates import Rate, two_sided
from netgain.gauntlet.studies import NOT_BEGUN, rungs, words
from netgain.gauntlet.sums import POWER, Claims, lower, summed, upper

Json = Any
SCHEMA = "netgain.gauntlet/1"


def record(run: Run) -> dict[str, Json]:
    """The whole record, schema `netgain.gauntlet/1`."""
    rows = rows_of(run.measured)
    return {
        "schema": SCHEMA, "quick": run.quick, "seed": run.seed, "replicas": [6, 9, 12],
        "population": population_record(run.population), "size": vars(run.size), "seconds": round(run.seconds, 1),
        "resumed": run.resumed, **rows, "power": [_power(one) for one in run.power],
        **summed(rows["fakes"], rows["genuine"], [*rows["outside"], *rows["boundary"]]),
        "real_loops": [vars(one) for one in run.real], "engines": [vars(one) for one in run.engines],
    }  # fmt: skip


def rows_of(measured: Sequence[Measured]) -> dict[str, list[dict[str, Json]]]:
    """One row per mechanism in the list of its kind, and one per fake at its worst."""
    fakes = _of(measured, "fake")
    return {
        "fakes": [entry(one) for one in fakes], "genuine": [entry(one) for one in _of(measured, "genuine")],
        "outside": [entry(one) for one in _of(measured, "outside")],
        "worst": [_worst(one) for one in fakes if one.worst is not None],
        "boundary": [_boundary(one) for one in measured if one.mechanism.kind in ("boundary", "a/a")],
    }  # fmt: skip


def _of(measured: Sequence[Measured], kind: str) -> list[Measured]:
    return [one for one in measured if one.mechanism.kind == kind]


def population_record(own: Population) -> dict[str, Json]:
    """Which population was run, and what is known of its openings."""
    named = {"name": own.name, "digest": own.digest, "held_out": own.held_out}
    if own.opening is None:
        return named
    reasons = {"looks_reason": "the list of openings cannot be kept here"} if own.opening.number is None else {}
    if own.opening.changed is None:
        reasons["verdict_changed_reason"] = reasons.get("looks_reason", "it was not opened here before")
    return {**named, "looks": own.opening.number, "verdict_changed": own.opening.changed, **reasons}


def honest(found: Found) -> bool:
    """Whether nothing was done to the record that would make it INVALID."""
    faults = found.world.faults
    return not (faults.met or faults.leak or found.world.conduct.changed_loop)


def entry(one: Measured) -> dict[str, Json]:
    """One mechanism."""
    outcomes, mechanism = one.outcomes, one.mechanism
    begun = [outcome.evaluations for outcome in outcomes if outcome.word != NOT_BEGUN]
    adversarial = {"adversarial": mechanism.adversarial} if mechanism.adversarial else {}
    return {
        "mechanism": mechanism.name, "class": mechanism.letter, "detector": mechanism.detector, **adversarial,
        "n": len(outcomes), "supported": sum(found.supported for found in one.found), "words": words(outcomes),
        "rungs": rungs(outcomes), "evaluations": round(fmean(begun)) if begun else 0, "begun": len(begun),
        "over_claim": upper(Rate(sum(found.over_claims for found in one.found), len(outcomes))),
        "right": mechanism.right, "strengths": [_strength(found) for found in one.found],
        "honest": _honest(one), "rules": [Claims.of(rule).to_json() for rule in one.rules],
    }  # fmt: skip


def _honest(one: Measured) -> list[int]:
    """INVALID words of honest studies, and these."""
    fair = [found for found in one.found if honest(found)]
    return [sum(found.invalid for found in fair), sum(len(found.outcomes) for found in fair)]


def _strength(found: Found) -> dict[str, Json]:
    truth = {"rung": found.truth.rung, "gain": round(found.truth.gain, 4), "error": round(found.truth.error, 4)}
    if truth["rung"] is None:
        truth["rung_reason"] = "no gain over generation 0 above the claimed effect"
    return {"strength": found.strength, "n": len(found.outcomes), "supported": found.supported, "true": found.true,
            "promised": round(found.promised, 3), "truth": truth, "words": words(found.outcomes)}  # fmt: skip


def _worst(one: Measured) -> dict[str, Json]:
    found = one.worst
    assert found is not None
    return {"mechanism": one.mechanism.name, "detector": one.mechanism.detector, "source": found.source,
            "fresh_seeds": found.again, **upper(found.rate), "world": found.world.to_json()}  # fmt: skip


def _boundary(one: Measured) -> dict[str, Json]:
    """A world at the claimed effect: its rate against the registered level, exact and two-sided."""
    level = default_looks().levels[0]
    rate = Rate(sum(found.supported for found in one.found), len(one.outcomes))
    p = two_sided(rate.hits, rate.n, level) if rate.n else None
    above = p is not None and rate.value is not None and rate.value > level and p < 0.05
    return {"mechanism": one.mechanism.name, "level": level, **upper(rate), "p_two_sided": p, "above_level": above,
            "honest": _honest(one),
            **({} if p is not None else {"p_two_sided_reason": "nothing was run"})}  # fmt: skip


def _power(one: Powered) -> dict[str, Json]:
    """A point of the power curve, with the chance that `plan` would have promised."""
    rate, found = Rate(one.found.supported, len(one.found.outcomes)), one.found
    return {"times_expected": one.times, "gain": round(found.truth.gain, 4), "error": round(found.truth.error, 4),
            "claimed": found.world.asked.by, "promised": round(found.promised, 3), "upper95": rate.upper,
            **lower(rate)}  # fmt: skip


def targets(found: Mapping[str, Json]) -> list[tuple[str, bool, str]]:
    """Each target of method 5.2: what it is, whether it was met, and the figure."""
    engine = [one for one in found["worst"] if one["detector"] == "engine"]
    bad = [one for one in engine if one["rate"] > 0.05]
    wide = [one for one in engine if one["fresh_seeds"] and one["upper95"] > 0.10 and one not in bad]
    levels = [one for one in found["boundary"] if one["above_level"]]
    weighted, true = found["over_claim"]["weighted"], found["true_supported"]
    return [
        ("boundary worlds and A/A at the registered level", not levels,
         ", ".join(f"{one['mechanism']} {percent(one['rate'])}" for one in (levels or found["boundary"]))),
        ("every mechanism at its worst strength at most 5 % over-claims, upper bound 10 %", not bad and not wide,
         _at_worst(engine, bad, wide)),
        ("class-weighted over-claims at most 2 %", weighted is not None and weighted <= 0.02, percent(weighted)),
        ("false REFUTED at most 5 %", _at_most(found["false_refuted"], 0.05), percent(found["false_refuted"]["rate"])),
        ("honest studies INVALID at most 1 %", _at_most(found["invalid_honest"], 0.01),
         percent(found["invalid_honest"]["rate"])),
        ("genuine worlds SUPPORTED at least 80 % where `plan` promised it",
         true["rate"] is not None and true["rate"] >= POWER, percent(true["rate"])),
    ]  # fmt: skip


def _at_worst(
    engine: Sequence[Mapping[str, Json]], bad: Sequence[Mapping[str, Json]], wide: Sequence[Mapping[str, Json]]
) -> str:
    """Fakes that were supported too often, and those of which too few studies were run to bound the rate."""
    told = [f"{one['mechanism']} {percent(one['rate'])}" for one in bad]
    if not told:
        told = [f"{len(engine)} mechanisms, the worst {percent(max((one['rate'] for one in engine), default=None))}"]
    few = f"; of {len(wide)} more too few studies were run for a bound of 10 %" if wide else ""
    return ", ".join(told) + few


def _at_most(rate: Mapping[str, Json], most: float) -> bool:
    return rate["rate"] is not None and rate["rate"] <= most


def opening_in_words(population: Mapping[str, Json]) -> str:
    """What is known of the openings of a held-out population."""
    if population["looks"] is None:
        return "this opening cannot be booked here: how often it was opened is unknown"
    code = {True: "changed", False: "did not change"}.get(population["verdict_changed"])
    since = f"; the code of the verdict {code} since the last one" if code else ""
    return f"opening {population['looks']} on this machine, booked{since}; openings elsewhere are unknown"


def percent(value: float | None) -> str:
    """A share for people."""
    return "unknown" if value is None else f"{100 * value:.1f} %"


def took(found: Mapping[str, Json]) -> str:
    """Wall time of the run, and what that time leaves out."""
    resumed = found.get("resumed", 0)
    left_out = f" beside {resumed} mechanisms that an earlier call had finished" if resumed else ""
    return f"{found['seconds']:.0f} s{left_out}"


def in_words(found: Mapping[str, Json]) -> str:
    """The record for people."""
    lines = [f"gauntlet, population {found['population']['name']}, seed {found['seed']}, {took(found)}"]
    if found["population"]["held_out"]:
        lines.append(f"held-out population: {opening_in_words(found['population'])}")
    for title, kind in (("fakes", "fakes"), ("genuine", "genuine"), ("outside the wall", "outside")):
        lines += ["", f"{title:<48}{'n':>5}  SUPP  LIMITS  INCONCL  REFUTED  INVALID"]
        lines += [_line(one) for one in found[kind]]
    lines += [
        "",
        *(_bounded(found, name) for name in ("false_supported", "true_supported", "false_refuted", "invalid_honest")),
    ]
    lines += ["", "targets"]
    lines += [f"  {'met   ' if met else 'MISSED'}  {what}: {figure}" for what, met, figure in targets(found)]
    lines += ["", f"{'rules of the field':<34}false claims  missed gains  evaluations"]
    lines += [f"  {one['id']:<4}{one['name']:<28}{percent(one['false_claims']):>12}{percent(one['missed_gains']):>14}"
              f"{one['evaluations']:>13}" for one in found["rules"]]  # fmt: skip
    lines += ["", *(_real(one) for one in found["real_loops"]), *(_engine(one) for one in found["engines"])]
    return "\n".join(lines)


def _line(one: Mapping[str, Json]) -> str:
    counts = [
        one["words"][word] for word in ("SUPPORTED", "SUPPORTED WITH LIMITS", "INCONCLUSIVE", "REFUTED", "INVALID")
    ]
    note = "   detector: guards" if one["detector"] == "guards" else ""
    note += f"   {one['words'][NOT_BEGUN]} not begun" if NOT_BEGUN in one["words"] else ""
    told = "".join(f"{count:>{width}}" for count, width in zip(counts, (6, 8, 9, 9, 9), strict=True))
    return f"  {one['mechanism'][:44]:<46}{one['n']:>5}{told}{note}"


def _bounded(found: Mapping[str, Json], name: str) -> str:
    one = found[name]
    end = "lower95" if "lower95" in one else "upper95"
    words = "lower" if end == "lower95" else "upper"
    told = f"({one['hits']} of {one['n']}, {words} 95 % bound {percent(one[end])})"
    return f"{name.replace('_', ' '):<18}{percent(one['rate'])}  {told}"


def _real(one: Mapping[str, Json]) -> str:
    told = ", ".join(f"{count} {word}" for word, count in one["words"].items() if count)
    return f"real loop {one['name']} ({one['kind']}): {told} of {one['n']}"


def _engine(one: Mapping[str, Json]) -> str:
    if one["skipped"]:
        return f"engine {one['name']}: skipped, {one['skipped']}"
    return (f"engine {one['name']} {one['version']}: claims {percent(one['false_claims'])} of fakes, misses "
            f"{percent(one['missed_gains'])} of genuine gains in {one['n']} runs each")  # fmt: skip
