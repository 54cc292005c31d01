"""The files of a study, netgain.toml, claim.toml and policy.toml: read with line numbers, written with comments.

A key is declared once, in StudyFile, ClaimFile, LimitsFile or SurfacesFile: its type, its limits, what it means.
Reading, the error for a wrong value and the comment in a written file all come from that declaration.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from netgain.budget import UNITS
from netgain.claim import EXTENDS, registered_sizes
from netgain.errors import ConfigError
from netgain.policy import A_YEAR, Policy

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

Scalar = str | int | float | bool
Option = Scalar | tuple[Scalar, ...]
Rung = Literal["R1", "R2", "R4", "R5", "R6", "R7"]
GateMode = Literal["strict", "advance", "watch"]
GateForm = Literal["betting", "grid", "group_sequential", "fixed"]
GateShow = Literal["ladder"]
ErrorLedger = Literal["uniform", "spending", "e-lond"]
Rule = Literal["unattended", "one", "two", "forbidden"]

STUDY_NAME = "netgain.toml"
CLAIM_NAME = "claim.toml"
POLICY_NAME = "policy.toml"


@dataclass(frozen=True)
class Key:
    """What one key of a file accepts and means.

    Attributes:
        expects: The admissible values, in words that complete "expected ...".
        means: The comment above the key in a written file.
        example: A value that is accepted.
        limits: Keywords of pydantic's Field (ge, gt, le, lt, min_length, pattern) that say `expects` to the machine.
    """

    expects: str
    means: str
    example: Option
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """Where the keys of a file stand, for errors that are found after reading."""

    name: str = "(not from a file)"
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)

    def where(self, *path: str) -> str:
        """Return ``file:line`` of a key, or of the nearest table around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return f"{self.name}:{self.lines[path[:length]]}"
        return self.name


_NAMES = {"min_length": 1}


@dataclass(frozen=True, kw_only=True)
class GateFile:
    """What [gate] of netgain.toml says: how the gate tests, chosen before data (`netgain.gates.GateOptions`)."""

    form: Annotated[
        GateForm,
        Key(
            "one of 'betting', 'grid', 'group_sequential', 'fixed'",
            "how a gain is tested: e-process (any looks), order-free e-process, or an exact test for a capped number "
            "of pairs and scores of 0 and 1",
            "betting",
        ),
    ] = "betting"
    ledger: Annotated[
        ErrorLedger,
        Key(
            "one of 'uniform', 'spending', 'e-lond'",
            "how the error budget is shared out: evenly over the rounds, ever less (both: no false promotion in the "
            "run), or by promotions so far (share of false promotions)",
            "uniform",
        ),
    ] = "uniform"
    analyses: Annotated[
        int, Key("a whole number from 1 to 100", "looks of form 'group_sequential'", 5, {"ge": 1, "le": 100})
    ] = 5
    screen_items: Annotated[
        int,
        Key("a whole number of at least 0", "development items that screen a candidate first; 0: none", 200, {"ge": 0}),
    ] = 0
    screen_z: Annotated[
        float,
        Key("a number from 0 to below 10", "standard errors of gain that the screen wants", 1.0, {"ge": 0, "lt": 10}),
    ] = 1.0
    draws: Annotated[
        int, Key("a whole number of at least 1", "answers per gate item, averaged inside the item", 1, {"ge": 1})
    ] = 1
    show: Annotated[
        GateShow | None,
        Key(
            "'ladder'",
            "number that the loop is shown: largest gain over generation 0, in steps; none unless set",
            "ladder",
        ),
    ] = None
    show_step: Annotated[
        float | None,
        Key(
            "a number between 0 and 1",
            "width of these steps; unless set 1/sqrt(pairs of a decision)",
            0.05,
            {"gt": 0, "lt": 1},
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class CanariesFile:
    """What [canaries] of netgain.toml says: strings that the study plants in its own items (`netgain.planting`)."""

    expires: Annotated[
        str,
        Key(
            "a day, 'YYYY-MM-DD'", "last day on which they are a test", "2027-06-30", {"pattern": r"^\d{4}-\d\d-\d\d$"}
        ),
    ]
    carried: Annotated[
        Literal["asked", "aside"],
        Key(
            "'asked' or 'aside'",
            "last line of every question of a test (finds what comes back), or only on our side (finds who reads it)",
            "asked",
        ),
    ]
    answers: Annotated[
        bool,
        Key(
            "true or false",
            "keep what the claimed arm answers to report and canary items, so that a verifier can search it too",
            True,
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ProbationFile:
    """What [probation] of netgain.toml says: how long a promoted generation is on trial (`netgain.probation`)."""

    rounds: Annotated[
        int, Key("a whole number of at least 1", "rounds of the trial, the one of the promotion included", 2, {"ge": 1})
    ]
    items: Annotated[
        int,
        Key("a whole number of at least 2", "new items per round of the gate axis and of every guard", 100, {"ge": 2}),
    ] = 100
    level: Annotated[
        float,
        Key(
            "a number above 0 and up to 0.5",
            "chance of taking back what loses no more than the step margin",
            0.05,
            {"gt": 0, "le": 0.5},
        ),
    ] = 0.05


@dataclass(frozen=True, kw_only=True)
class StudyFile:
    """What netgain.toml says. Fields without a Key are tables of their own."""

    recipe: Annotated[
        str | None, Key("the name of a recipe", "a built-in loop; `netgain recipes` lists them", "length", _NAMES)
    ] = None
    loop: Annotated[
        str | None,
        Key(
            "a file and a name, 'file.py:name'",
            "a study of your own, in place of a recipe: a file of this folder, and the name of its Study",
            "mine.py:study",
            {"pattern": r"^[^:]+\.py:[A-Za-z_]\w*$"},
        ),
    ] = None
    size: Annotated[
        str | None, Key("the name of a size", "one of the recipe's sizes; left out: its default", "tiny", _NAMES)
    ] = None
    replicas: Annotated[int, Key("a whole number of at least 1", "independent starts of the whole loop", 6, {"ge": 1})]
    rounds: Annotated[
        int | None,
        Key("a whole number of at least 1", "rounds of the loop; left out: what the size says", 8, {"ge": 1}),
    ] = None
    canary_items: Annotated[
        int,
        Key(
            "a whole number of at least 0",
            "items of the gate axis and of every guard that monitors see answered in each round; 0: none",
            40,
            {"ge": 0},
        ),
    ] = 0
    arms: Annotated[
        tuple[str, ...],
        Key("a list with at least one arm", "the loop itself and its controls", ("self", "frozen"), _NAMES),
    ]
    workers: Annotated[
        int, Key("a whole number of at least 1", "processes side by side; no result depends on it", 2, {"ge": 1})
    ] = 2
    deadline_seconds: Annotated[
        float | None,
        Key(
            "a number above 0",
            "a worker that takes longer over one task is ended, and a task for which that was done three times has no "
            "result; left out: none is ended",
            3600.0,
            {"gt": 0},
        ),
    ] = None
    root: Annotated[
        str | None,
        Key(
            "64 lower-case hexadecimal digits",
            "root of all randomness, for repeating a result: evidence level 2 at most; left out: drawn when registered",
            "0123456789abcdef" * 4,
            {"pattern": r"^[0-9a-f]{64}$"},
        ),
    ] = None
    gate: GateFile = field(default_factory=GateFile)
    monitors: Mapping[str, Mapping[str, Option]] = field(default_factory=dict)
    canaries: CanariesFile | None = None
    canary_axes: Mapping[str, Mapping[str, Option]] = field(default_factory=dict)
    probation: ProbationFile | None = None
    options: Mapping[str, Option] = field(default_factory=dict)
    budget: Mapping[str, float] = field(default_factory=dict)
    source: Source = field(default_factory=Source, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class ClaimFile:
    """What claim.toml says: the sentence that gets a verdict, before any gate, control or seal is looked at."""

    arm: Annotated[str, Key("the name of an arm", "the arm that the claim is about", "self", _NAMES)] = "self"
    metric: Annotated[str, Key("the name of an axis", "the axis of the suite that decides", "ladder", _NAMES)]
    by: Annotated[
        float,
        Key(
            "a number from 0 to below 1", "the net gain has to exceed this, on the axis' scale", 0.3, {"ge": 0, "lt": 1}
        ),
    ]
    beats: Annotated[
        tuple[str, ...],
        Key("a list with at least one control arm", "every one of these has to be beaten", ("frozen",), _NAMES),
    ]
    rung: Annotated[
        Rung,
        Key(
            "one of 'R1', 'R2', 'R4', 'R5', 'R6', 'R7' (R3 is a mark that a verdict carries)",
            "the highest rung that is claimed; those below it are tested first",
            "R2",
        ),
    ]
    alpha: Annotated[
        float,
        Key("a number above 0 and at most 0.05", "chance of a false word, one side", 0.05, {"gt": 0, "le": 0.05}),
    ] = 0.05
    looks: Annotated[
        tuple[int, ...] | Literal["open"],
        Key(
            "a rising list of whole numbers of at least 1, or 'open'",
            "replicas at which one may look; 'open': any number up to 24, at the price of a later decision",
            (6, 9, 12),
        ),
    ] = (6, 9, 12)
    expected: Annotated[
        float | None,
        Key("a number above 0 and at most 1", "the net gain you expect, for `netgain plan`", 0.5, {"gt": 0, "le": 1}),
    ] = None
    starve: Annotated[
        float,
        Key(
            "a number from 0 to below 1",
            "share of starts expected to stall, for `netgain plan`",
            0.05,
            {"ge": 0, "lt": 1},
        ),
    ] = 0.05
    starts: Annotated[
        Literal["fresh", "this generation 0"],
        Key(
            "'fresh' or 'this generation 0'",
            "what a replica draws anew: all of it, or only what follows generation 0",
            "fresh",
        ),
    ] = "fresh"
    analysis: Annotated[
        Literal["typical start", "mean"],
        Key(
            "'typical start' or 'mean'",
            "what is inferred from the replicas: more than a share of starts, or (from 10 replicas) their mean",
            "typical start",
        ),
    ] = "typical start"
    mode: Annotated[
        GateMode | None,
        Key("'strict', 'advance' or 'watch'", "how the gate acts; left out: the loop's own mode", "advance"),
    ] = None
    share: Annotated[
        float,
        Key("a number between 0 and 1", "in more than which share of starts it holds", 0.5, {"gt": 0, "lt": 1}),
    ] = 0.5
    about: Annotated[
        Literal["loop", "version"],
        Key(
            "'loop' or 'version'",
            "what is claimed: of the loop over starts, or of the one version that a study of one start serves",
            "loop",
        ),
    ] = "loop"
    transplant_by: Annotated[
        float,
        Key(
            "a number from 0 to below 1",
            "R6: what one round by the last improver has to gain on one by its nulls, on foreign starts",
            0.05,
            {"ge": 0, "lt": 1},
        ),
    ] = 0.0
    extends: Annotated[
        str | None,
        Key(
            "a claim digest and a tree head, 64 hexadecimal digits each, joined by @",
            "the earlier INCONCLUSIVE claim that this one follows; `netgain extend` writes it",
            f"{'ab' * 32}@{'cd' * 32}",
            {"pattern": f"^{EXTENDS}$"},
        ),
    ] = None
    source: Source = field(default_factory=Source, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class LimitsFile:
    """What [policy] of policy.toml says: how large a change may be, and how long it waits for an answer."""

    max_parts: Annotated[
        int | None, Key("a whole number of at least 1", "parts of a change; left out: no limit", 3, {"ge": 1})
    ] = None
    max_bytes: Annotated[
        int | None, Key("a whole number of at least 1", "bytes of a packed change; left out: no limit", 9999, {"ge": 1})
    ] = None
    max_examples: Annotated[
        int | None,
        Key("a whole number of at least 1", "examples that a change trains on; left out: no limit", 500, {"ge": 1}),
    ] = None
    expires_hours: Annotated[
        float,
        Key(
            f"a number above 0 and at most {A_YEAR:g}",
            "a change that waits longer for an answer is denied, never approved",
            72.0,
            {"gt": 0, "le": A_YEAR},
        ),
    ] = 72.0


def _rule(surface: str) -> Key:
    return Key("one of 'unattended', 'one', 'two', 'forbidden'", f"changes of {surface}", "one")


@dataclass(frozen=True, kw_only=True)
class SurfacesFile:
    """What [surfaces] of policy.toml says: unattended, wait for one or two people, or forbidden; by surface."""

    data: Annotated[Rule, _rule("what it trains on")] = "unattended"
    curriculum: Annotated[Rule, _rule("the order of its tasks")] = "unattended"
    weights: Annotated[Rule, _rule("what it has learnt")] = "unattended"
    training: Annotated[Rule, _rule("how it learns")] = "unattended"
    architecture: Annotated[Rule, _rule("its structure")] = "unattended"
    policy: Annotated[Rule, _rule("its prompts, programs and rules of behaviour")] = "unattended"
    tools: Annotated[Rule, _rule("what it may call")] = "unattended"
    improver: Annotated[Rule, _rule("the part that proposes changes")] = "unattended"


def read_policy(path: Path) -> Policy:
    """Read policy.toml; both of its tables may be left out.

    Raises:
        ConfigError: the file is missing or malformed, or a key is unknown or impossible; says ``file:line``.
    """
    document, source = _load(path)
    _only_tables(document, ("policy", "surfaces"), source)
    limits = _checked("policy", document, LimitsFile, source) if "policy" in document else {}
    surfaces = _checked("surfaces", document, SurfacesFile, source) if "surfaces" in document else {}
    return Policy(surfaces=surfaces, **limits)


def read_study(path: Path) -> StudyFile:
    """Read netgain.toml.

    Raises:
        ConfigError: the file is missing or malformed, or a key is unknown, missing or impossible; says ``file:line``.
    """
    document, source = _load(path)
    tables = ("study", "gate", "monitors", "canaries", "canary_axes", "probation", "options", "budget")
    _only_tables(document, tables, source)
    study = StudyFile(
        **_checked("study", document, StudyFile, source),
        gate=GateFile(**_checked("gate", document, GateFile, source)) if "gate" in document else GateFile(),
        monitors=_monitors(document.get("monitors", {}), source),
        canaries=CanariesFile(**_checked("canaries", document, CanariesFile, source))
        if "canaries" in document
        else None,
        canary_axes=_monitors(document.get("canary_axes", {}), source, "canary_axes"),
        probation=ProbationFile(**_checked("probation", document, ProbationFile, source))
        if "probation" in document
        else None,
        options=_options(document.get("options", {}), source),
        budget=_budget(document.get("budget", {}), source),
        source=source,
    )
    if (study.recipe is None) == (study.loop is None):
        given = "both 'recipe' and 'loop'" if study.recipe else "neither 'recipe' nor 'loop'"
        fix = "keep one of them" if study.recipe else 'write for example `recipe = "length"`'
        raise ConfigError(f"[study] has {given}, expected one", where=source.where("study"), fix=fix)
    _no_twins("study", "arms", study.arms, source)
    return study


def read_claim(path: Path) -> ClaimFile:
    """Read claim.toml.

    Raises:
        ConfigError: the file is missing or malformed, or a key is unknown, missing or impossible; says ``file:line``.
    """
    document, source = _load(path)
    _only_tables(document, ("claim",), source)
    claim = ClaimFile(**_checked("claim", document, ClaimFile, source), source=source)
    _no_twins("claim", "beats", claim.beats, source)
    if claim.arm in claim.beats:
        where = source.where("claim", "beats")
        raise ConfigError(f"beats names {claim.arm!r}, the claimed arm itself", where=where, fix="name its controls")
    sizes = registered_sizes(claim.looks)
    if not sizes or list(sizes) != sorted(set(sizes)) or sizes[0] < 1:
        raise _wrong("looks", list(sizes), _keys(ClaimFile)["looks"], source.where("claim", "looks"))
    return claim


def check_claimed_arms(study: StudyFile, claim: ClaimFile) -> None:
    """Check that the study runs every arm that its claim speaks of.

    Raises:
        ConfigError: an arm of the claim is not among the study's arms.
    """
    for key, names in (("arm", (claim.arm,)), ("beats", claim.beats)):
        for name in names:
            if name not in study.arms:
                raise ConfigError.unknown("arm of this study", name, study.arms, where=claim.source.where("claim", key))


def render_study(study: StudyFile, *, notes: Mapping[str, str] | None = None) -> str:
    """Write netgain.toml: every key with its meaning, unset ones as a comment.

    Args:
        study: What to write; reading the result gives an equal value.
        notes: The recipe's own sentence for each of its options.
    """
    lines = ["# How this study runs; what it claims stands in claim.toml. An unknown key is an error.", "", "[study]"]
    lines += _rendered(study, _keys(StudyFile))
    lines += ["", "[gate]", *_rendered(study.gate, _keys(GateFile))]
    lines += ["", *MONITORS_NOTE]
    for name, settings in study.monitors.items():
        lines += ["", f"[monitors.{_toml_key(name)}]"]
        lines += [f"{_toml_key(key)} = {_toml(value)}" for key, value in settings.items()]
    lines += ["", *CANARIES_NOTE]
    for table, record in (("canaries", study.canaries), ("probation", study.probation)):
        lines += ["", f"[{table}]", *_rendered(record, _keys(type(record)))] if record else []
    for name, settings in study.canary_axes.items():
        lines += ["", f"[canary_axes.{_toml_key(name)}]"]
        lines += [f"{_toml_key(key)} = {_toml(value)}" for key, value in settings.items()]
    lines += ["", "[options]", "# the recipe's own settings"]
    for name, value in study.options.items():
        note = (notes or {}).get(name)
        lines += [f"# {note}"] if note else []
        lines.append(f"{_toml_key(name)} = {_toml(value)}")
    lines += ["", "[budget]", *BUDGET_NOTE]
    lines += [f"{unit} = {_toml(float(limit))}" for unit, limit in study.budget.items()]
    return "\n".join(lines) + "\n"


MONITORS_NOTE = (
    "# A table [monitors.NAME] registers a monitor, which looks at every candidate before the gate: docs/monitors.md",
    "# Its keys: threshold, action (watch, freeze, pause, reject, roll_back, halt), reads, and options of its own.",
)
CANARIES_NOTE = (
    "# [canaries] plants keyed strings in every text item of a list; [canary_axes.NAME] adds an impossible, marked,",
    "# unmarked or placebo axis; [probation] puts promoted generations on trial: docs/canaries.md",
)
BUDGET_NOTE = (
    "# tokens, flops and calls end a run of `self`; device_seconds, cost_usd and human_minutes pause the study",
    "# each time that so much more is spent; a unit left out has no limit",
)


def render_claim(claim: ClaimFile) -> str:
    """Write claim.toml: every key with its meaning, unset ones as a comment; reading it gives an equal value."""
    lines = ["# The sentence that gets a verdict. It is registered before generation 1; a later edit is a new claim."]
    return "\n".join([*lines, "", "[claim]", *_rendered(claim, _keys(ClaimFile))]) + "\n"


# --- reading ---------------------------------------------------------------------------------------------------------


def _load(path: Path) -> tuple[dict[str, Any], Source]:
    """Parse a file; every way in which that can fail becomes one ConfigError with the line where there is one."""
    try:
        text = path.read_bytes().decode("utf-8")
        return tomllib.loads(text), Source(path.name, _line_numbers(text))
    except FileNotFoundError:
        fix = "`netgain init DIR --from RECIPE` makes one"
        raise ConfigError(f"no such file {str(path)!r}", where=path.name, fix=fix) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        what = f"byte {error.object[error.start]:#04x} is not UTF-8, as TOML requires"
        raise ConfigError(what, where=f"{path.name}:{line}", fix="save the file as UTF-8") from None
    except OSError as error:
        what = f"cannot read {str(path)!r}: {error.strerror}"
        raise ConfigError(what, where=path.name, fix="mend the path or its permissions") from None
    except tomllib.TOMLDecodeError as error:
        raise _malformed(str(error), text, path.name) from None
    except RecursionError:
        raise ConfigError("not TOML: nested too deeply", where=path.name, fix="flatten the file") from None


def _malformed(message: str, text: str, name: str) -> ConfigError:
    """Turn the parser's message into ours; it names the line in words ("at line 3, column 5", "at end of document")."""
    found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    rows = text.split("\n")
    line = int(found[1]) if found and found[1] else len(rows)
    shown = _shown(rows[min(line, len(rows)) - 1].strip())
    what = f"not TOML: {message[: found.start()] if found else message} in {shown}"
    return ConfigError(what, where=f"{name}:{line}", fix="write `key = value`, with text in quotes")


_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # several lines, escapes
    r"|'''.*?'{3,5}"  # several lines, literal
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*|\n|[\[\]{}=,.]"
    r"""|[^\s"'#\[\]{}=,.]+""",
    re.DOTALL,
)


def _line_numbers(text: str) -> dict[tuple[str, ...], int]:
    """Map each table and key of a valid TOML text to its line; keys inside inline tables are left out."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    parts: list[str] = []
    line, depth, header, in_value = 1, 0, False, False
    for token in _TOKEN.findall(text):
        if token == "\n" and depth == 0:
            parts, header, in_value = [], False, False
        elif in_value:
            depth += (token in "[{") - (token in "]}")
        elif token == "[":
            header = True
        elif token == "]" and header:
            table = tuple(parts)
            lines.setdefault(table, line)
        elif token == "=":
            lines.setdefault((*table, *parts), line)
            in_value = True
        elif token != "." and not token.startswith("#"):
            parts.append(token[1:-1] if token[0] in "\"'" else token)
        line += token.count("\n")
    return lines


def _only_tables(document: Mapping[str, Any], known: tuple[str, ...], source: Source) -> None:
    """Refuse a top-level name that is no table of this file, and a table's name that holds something else."""
    for name, value in document.items():
        if name not in known:
            raise _unknown("table", name, known, source.where(name))
        if not isinstance(value, dict):
            what = f"{name} is {_shown(value)}, expected a table"
            raise ConfigError(what, where=source.where(name), fix=f"write `[{name}]` and its keys below")


def _unknown(kind: str, name: str, known: Iterable[str], where: str) -> ConfigError:
    """Return the error for a name that this place does not know; says so where another table knows it."""
    error = ConfigError.unknown(kind, name, known, where=where)
    homes = {
        f"[study] of {STUDY_NAME}": _keys(StudyFile),
        f"[gate] of {STUDY_NAME}": _keys(GateFile),
        f"[canaries] of {STUDY_NAME}": _keys(CanariesFile),
        f"[probation] of {STUDY_NAME}": _keys(ProbationFile),
        f"[budget] of {STUDY_NAME}": UNITS,
        f"[claim] of {CLAIM_NAME}": _keys(ClaimFile),
        f"[policy] of {POLICY_NAME}": _keys(LimitsFile),
        f"[surfaces] of {POLICY_NAME}": _keys(SurfacesFile),
    }
    if elsewhere := [home for home, names in homes.items() if name in names]:
        error.fix = f"it belongs under {elsewhere[0]}"
    return error


def _keys(schema: type) -> dict[str, Key]:
    """Return the declared keys of a file's dataclass, in order."""
    hints = get_type_hints(schema, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")}


@cache
def _model(schema: type) -> type[BaseModel]:
    """Return the parsing model of a file's dataclass: strict types, no unknown keys, no NaN or infinity."""
    from pydantic import ConfigDict, Field, create_model  # at first use: most commands read no file

    hints = get_type_hints(schema)
    definitions: dict[str, Any] = {}
    defaults = {f.name: ... if f.default is MISSING else f.default for f in fields(schema)}
    for name, key in _keys(schema).items():
        definitions[name] = (_lists_too(hints[name]), Field(default=defaults[name], **key.limits))
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    return create_model(schema.__name__, __config__=config, **definitions)


def _lists_too(hint: Any) -> Any:
    """The same type, taking lists where it has a tuple: TOML has lists, records have tuples."""
    from pydantic import Field

    if get_origin(hint) is tuple:
        return Annotated[hint, Field(strict=False)]
    if get_origin(hint) is UnionType or get_origin(hint) is Union:
        return Union[tuple(_lists_too(one) for one in get_args(hint))]  # noqa: UP007  members are known at run time only
    return hint


def _checked(table: str, document: Mapping[str, Any], schema: type, source: Source) -> dict[str, Any]:
    """Return the values of one table, or raise its first mistake by line."""
    from pydantic import ValidationError

    if table not in document:
        fix = f"write `[{table}]` and its keys below, or let `netgain init` do it"
        raise ConfigError(f"no [{table}] table, expected one", where=source.name, fix=fix)
    try:
        return dict(_model(schema).model_validate(document[table]))
    except ValidationError as error:
        mistake = error
    # A misspelt key is missing under its right name as well: the line that is there goes first.
    raise min(_mistakes(table, mistake, schema, source), key=lambda found: (found.line is None, found.line)).error


class _Mistake(NamedTuple):
    line: int | None
    error: ConfigError


def _mistakes(table: str, invalid: ValidationError, schema: type, source: Source) -> Iterator[_Mistake]:
    """Put each of pydantic's findings into our words, with its place in the file."""
    keys = _keys(schema)
    for found in invalid.errors(include_url=False):
        name, *rest = map(str, found["loc"])
        where = source.where(table, name)
        if found["type"] == "extra_forbidden":
            error = _unknown("key", name, keys, where)
        elif found["type"] == "missing":
            what = f"[{table}] has no {name!r}, expected {keys[name].expects}"
            error = ConfigError(what, where=where, fix=_for_example(name, keys[name]))
        else:
            element = next((f"[{one}]" for one in rest if one.isdigit()), "")  # of a union, behind the member's name
            error = _wrong(name + element, found["input"], keys[name], where, written=name)
        yield _Mistake(source.lines.get((table, name)), error)


def _wrong(name: str, value: object, key: Key, where: str, *, written: str | None = None) -> ConfigError:
    fix = _for_example(written or name, key)
    return ConfigError(f"{name} is {_shown(value)}, expected {key.expects}", where=where, fix=fix)


def _for_example(name: str, key: Key) -> str:
    return f"write for example `{name} = {_toml(key.example)}`"


def _shown(value: object) -> str:
    """Quote a value of the user's, at most 80 characters of it."""
    quoted = repr(value)
    return quoted if len(quoted) <= 80 else quoted[:77] + "..."


def _no_twins(table: str, name: str, values: tuple[str, ...], source: Source) -> None:
    """Refuse a list that names one arm twice."""
    for value in values:
        if values.count(value) > 1:
            what = f"{name} lists {value!r} {values.count(value)} times, expected each once"
            raise ConfigError(what, where=source.where(table, name), fix="remove the repetition")


_LIMIT = Key("a finite number above 0", "", 3600.0)
_OPTION = Key("text, a finite number, true or false, or a list of these", "", "cycle")


def _budget(table: Mapping[str, Any], source: Source) -> dict[str, float]:
    """Read [budget]: unit -> limit of the whole study."""
    for unit, limit in table.items():
        where = source.where("budget", unit)
        if unit not in UNITS:
            raise _unknown("key", unit, UNITS, where)
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < float("inf"):
            raise _wrong(unit, limit, _LIMIT, where)
    return {unit: float(limit) for unit, limit in table.items()}


def _options(table: Mapping[str, Any], source: Source) -> dict[str, Option]:
    """Read [options], whose keys the recipe checks; only the shape is checked here."""
    options: dict[str, Option] = {}
    for name, value in table.items():
        elements = value if isinstance(value, list) else [value]
        if not all(_is_scalar(element) for element in elements):
            raise _wrong(name, value, _OPTION, source.where("options", name))
        options[name] = tuple(value) if isinstance(value, list) else value
    return options


def _monitors(table: Mapping[str, Any], source: Source, of: str = "monitors") -> dict[str, dict[str, Option]]:
    """Read [monitors.NAME] or [canary_axes.NAME]: only the shape is checked here, the rest where they are made."""
    monitors: dict[str, dict[str, Option]] = {}
    for name, settings in table.items():
        if not isinstance(settings, dict):
            raise _wrong(name, settings, Key(f"a table, [{of}.NAME]", "", f"[{of}.{name}]"), source.where(of, name))
        odd = [key for key, value in settings.items() if not _is_scalar(value)]
        if odd:
            raise _wrong(odd[0], settings[odd[0]], _OPTION, source.where(of, name, odd[0]))
        monitors[name] = dict(settings)
    return monitors


def _is_scalar(value: object) -> bool:
    """Whether a value survives a trip through JSON: no date, no table, no NaN."""
    return isinstance(value, str | int) or (isinstance(value, float) and abs(value) < float("inf"))


# --- writing ---------------------------------------------------------------------------------------------------------


def _rendered(
    record: StudyFile | ClaimFile | GateFile | CanariesFile | ProbationFile, keys: Mapping[str, Key]
) -> Iterable[str]:
    """Yield the lines of one table: meaning, then the key, as a comment where it is not set."""
    for name, key in keys.items():
        value = getattr(record, name)
        yield f"# {key.means}"
        yield f"# {name} = {_toml(key.example)}" if value is None else f"{name} = {_toml(value)}"


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: Option) -> str:
    """Write one value. JSON's strings are TOML's, but for DEL, which TOML wants escaped."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
