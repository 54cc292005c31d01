"""`gauntlet.html`: one page, no script, no request: the picture, the targets, and every number behind them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from netgain.gauntlet.found import LONG
from netgain.gauntlet.outcome import opening_in_words, percent, targets, took
from netgain.gauntlet.picture import OURS, picture, rows_of
from netgain.ledger.files import write_durably
from netgain.report.page import Header, Section, glyph, prose
from netgain.report.svg import Html
from netgain.report.table import Cell, Figure, Mark, Table

Json = Any
WORDS = ("SUPPORTED", "SUPPORTED WITH LIMITS", "INCONCLUSIVE", "REFUTED", "INVALID", "NOT BEGUN")
SHORT = ("SUPP.", "LIMITS", "INCONCL.", "REFUTED", "INVALID", "NOT BEGUN")


def write_page(found: Mapping[str, Json], path: Path) -> Path:
    """Write the page of a record."""
    write_durably(path, render(found).encode())
    return path


def render(found: Mapping[str, Json]) -> str:
    """The page, equal for equal records."""
    from jinja2 import Environment, StrictUndefined

    source = resources.files("netgain.report")
    style = source.joinpath("style.css").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(prose=prose, glyph=glyph)
    known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{known}'; base-uri 'none'; form-action 'none'"
    return environment.from_string(source.joinpath("page.html").read_text("utf-8")).render(
        title="netgain gauntlet", policy=policy, style=Html(style), header=_header(found), questions=(),
        sections=_sections(found),
    )  # fmt: skip


def _header(found: Mapping[str, Json]) -> Header:
    false, true = found["false_supported"], found["true_supported"]
    missed = [what for what, met, _ in targets(found) if not met]
    words = "All targets met" if not missed else f"{len(missed)} of {len(targets(found))} targets missed"
    population = found["population"]
    opened = f"held out, {opening_in_words(population)}" if population["held_out"] else "public"
    return Header(
        "good" if not missed else "watch", words,
        "How often our own verdicts are wrong, on studies whose truth is known, beside the accept rules of other tools",
        percent(false["rate"]),
        f"of {false['n']} fake studies were SUPPORTED (95 % upper bound {percent(false['upper95'])}); of "
        f"{true['n']} genuine ones that the plan let begin, {percent(true['rate'])} were "
        f"(lower bound {percent(true['lower95'])})",
        [_best(found)],
        [
            ("Population", f"{population['name']} ({opened}), digest `{population['digest'][:12]}`"),
            ("Size", f"{found['size']['studies']} studies per mechanism over six strengths; truth of a world from "
                     f"{found['size']['truth']} starts; {_run(found)}"),
            ("Seed", f"{found['seed']}; simulated studies repeat with it, small real loops draw their own roots"),
            ("Time", took(found)),
        ],
    )  # fmt: skip


def _run(found: Mapping[str, Json]) -> str:
    """Which size this is: a run that is neither quick nor long says so."""
    if found["quick"]:
        return "quick run"
    return "the long run" if found["size"] == vars(LONG) else "a smaller run than the long one, with wider bounds"


def _best(found: Mapping[str, Json]) -> str:
    """The rule of the field with the fewest errors, on both budgets."""
    rules = [row for row in rows_of(found) if row.name != OURS]
    if not rules:
        return "No rule of the field was run."
    best = rules[0]
    large = [row for row in rules if row.false_at_budget is not None and row.missed_at_budget is not None]
    told = (
        f"The rule of the field with the fewest errors is {best.name}: it claims {percent(best.false)} of the same "
        f"fakes and misses {percent(best.missed)} of the same gains."
    )
    if not large:
        return told
    other = min(large, key=lambda row: (row.false_at_budget or 0.0) + (row.missed_at_budget or 0.0))
    return (f"{told} With the items that our study asked spent on more tasks, it is {other.name}: "
            f"{percent(other.false_at_budget)} and {percent(other.missed_at_budget)}.")  # fmt: skip


def _sections(found: Mapping[str, Json]) -> list[Section]:
    return [
        Section("picture", "Rules of the field, and ours", _about(), [Figure(
            "Each row is a rule on the same proposals. Bars: as the rules are used, 100 tasks. Rings: with up to 2,000 "
            "tasks, paid from what our study asks. Ours is one verdict on a whole study with its control arms.",
            [picture(rows_of(found))], [_rules(found)])]),
        Section("targets", "Targets", ["A missed target stands here as it is."], tables=[_targets(found)]),
        Section("fakes", "Fakes", [
            "Over-claim: a word beginning with SUPPORTED at a rung above the true one, or with a claimed effect not "
            "below the true net gain. `detector: guards` waits for detectors that do not exist yet, and counts "
            "nowhere above. Not begun: `plan` refused the scorer, and no study was registered."],
            tables=[_mechanisms("Fake loops", found["fakes"]), _answers(found["fakes"])]),
        Section("worst", "Each fake at its worst", tables=[_worst(found)]),
        Section("genuine", "Genuine gains", tables=[_mechanisms("Genuine loops", found["genuine"]),
                _answers(found["genuine"])]),
        Section("boundary", "At the boundary, and A/A", [
            "The true net gain is the claimed effect, or the control is the same loop once more."],
            tables=[_boundary(found)]),
        Section("power", "Power", [
            "A steady gain whose true net gain is half, once and twice what its claim expects."],
            tables=[_power(found)]),
        Section("outside", "Outside the wall", [
            "A helper hidden inside the loop leaves the record of a genuine one. These rates are expected to be high: "
            "no evidence of this kind can show what is wrong."],
            tables=[_mechanisms("Outside the wall", found["outside"])]),
        Section("real", "Small real loops and real engines", tables=_real(found)),
    ]  # fmt: skip


def _about() -> Sequence[str]:
    return [
        "A rule claims when the gain that it reports is at least the claimed effect. It has no controls: a gain that "
        "the same compute, a teacher or a leak would have given counts as a false claim, as it does for us.",
    ]


def _rules(found: Mapping[str, Json]) -> Table:
    rows = [
        [one["id"], one["name"], percent(one["false_claims"]), percent(one["missed_gains"]), str(one["evaluations"]),
         percent(one["same_budget"]["false_claims"]), percent(one["same_budget"]["missed_gains"])]
        for one in found["rules"]
    ]  # fmt: skip
    columns = (
        "rule",
        "tool",
        "false claims",
        "missed gains",
        "task answers",
        "false, our budget",
        "missed, our budget",
    )
    return Table("Rules of the field", columns, rows, words=(0, 1))


def _targets(found: Mapping[str, Json]) -> Table:
    rows: list[list[Cell]] = [
        [what, Mark("good" if met else "bad", "met" if met else "missed"), figure]
        for what, met, figure in targets(found)
    ]
    return Table("Targets", ("target", "result", "figure"), rows, words=(0, 1, 2))


def _mechanisms(caption: str, listed: Sequence[Mapping[str, Json]]) -> Table:
    rows = [
        [one["mechanism"], *(str(one["words"].get(word, 0)) for word in WORDS), percent(one["over_claim"]["rate"]),
         percent(one["over_claim"]["upper95"]), in_rungs(one["rungs"]),
         "" if one["detector"] == "engine" else f"detector: {one['detector']}"]
        for one in listed
    ]  # fmt: skip
    heads = ("mechanism", *SHORT, "over-claims", "upper 95 %", "highest rung", "")
    return Table(caption, heads, rows, words=(0, len(heads) - 2, len(heads) - 1))


def in_rungs(counts: Mapping[str, int]) -> str:
    """Share of studies by the highest rung that passed, as `R1 40 %, R2 60 %`."""
    total = sum(counts.values())
    return ", ".join(f"{rung} {100 * n / total:.0f} %" for rung, n in counts.items())


def _answers(listed: Sequence[Mapping[str, Json]]) -> Table:
    rows = [
        [one["mechanism"], one["class"], str(one.get("adversarial", "")), one["right"], _strengths(one)]
        for one in listed
    ]
    columns = ("mechanism", "class", "adversarial world", "right answer", "strengths")
    return Table("What each plants, and what is right", columns, rows, words=(0, 1, 3, 4))


def _strengths(one: Mapping[str, Json]) -> str:
    return ", ".join(f"{found['strength']:g}" for found in one["strengths"])


def _worst(found: Mapping[str, Json]) -> Table:
    rows = [
        [one["mechanism"], f"{one['hits']} of {one['n']}", percent(one["rate"]), percent(one["upper95"]), one["source"],
         "yes" if one["fresh_seeds"] else "no", "" if one["detector"] == "engine" else f"detector: {one['detector']}"]
        for one in found["worst"]
    ]  # fmt: skip
    columns = ("mechanism", "over-claims", "rate", "upper 95 %", "found by", "fresh seeds", "")
    return Table("The configuration with the most over-claims of each fake", columns, rows, words=(0, 4, 5, 6))


def _boundary(found: Mapping[str, Json]) -> Table:
    rows = [
        [one["mechanism"], f"{one['hits']} of {one['n']}", percent(one["rate"]), percent(one["level"]),
         "unknown" if one["p_two_sided"] is None else f"{one['p_two_sided']:.3f}"]
        for one in found["boundary"]
    ]  # fmt: skip
    return Table("SUPPORTED at the boundary", ("world", "SUPPORTED", "rate", "registered level", "two-sided p"), rows)


def _power(found: Mapping[str, Json]) -> Table:
    rows = [
        [f"{one['times_expected']:g}", f"{one['gain']:.3f}", f"{one['claimed']:g}", f"{one['hits']} of {one['n']}",
         percent(one["rate"]), percent(one["lower95"]), percent(one["upper95"]), percent(one["promised"])]
        for one in found["power"]
    ]  # fmt: skip
    columns = ("times the expected gain", "true net gain", "claimed", "SUPPORTED", "rate", "lower 95 %", "upper 95 %",
               "`plan` promises")  # fmt: skip
    return Table("SUPPORTED along the true net gain", columns, rows)


def _real(found: Mapping[str, Json]) -> list[Table]:
    loops = [[one["name"], one["kind"], str(one["n"]), *(str(one["words"].get(word, 0)) for word in WORDS),
              str(one["disagreed"])] for one in found["real_loops"]]  # fmt: skip
    engines = [
        [one["name"], one["version"] or "absent", str(one["n"]), percent(one["false_claims"]),
         percent(one["missed_gains"]), str(one["evaluations"]), one["skipped"] or ", ".join(one["on"])]
        for one in found["engines"]
    ]  # fmt: skip
    columns = ("loop", "kind", "studies", *SHORT, "disagreed")
    heads = ("engine", "version", "runs each", "false claims", "missed gains", "task answers", "on")
    tables = [
        Table("NumPy loops through the whole product; words as `verify` computed them", columns, loops, words=(0, 1))
    ]
    return [*tables, Table("Engines by their Python hooks", heads, engines, words=(0, 1, 6))]
