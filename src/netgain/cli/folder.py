"""From a folder's two files to a `Study`, and from a recipe to a folder.

`recipe = "NAME"` in netgain.toml takes loop and suite from a recipe. `loop = "mine.py:study"` takes them from a file of
the folder: the name is a `netgain.Study`, or a function like a recipe's, `(options, device="cpu") -> Study`. Claim,
arms, replicas and rounds are in either case what the two files say, so that one place decides them. A study that says
`if __name__ == "__main__": study.run(…)` therefore runs from either side.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tempfile
import tomllib
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from inspect import signature
from pathlib import Path
from typing import Any

from netgain.budget import COUNTED
from netgain.canary_axes import with_canary_axis
from netgain.claim import Claim
from netgain.cli.answer import Reply
from netgain.config import (
    CLAIM_NAME,
    POLICY_NAME,
    STUDY_NAME,
    CanariesFile,
    ClaimFile,
    GateFile,
    ProbationFile,
    Source,
    StudyFile,
    check_claimed_arms,
    read_claim,
    read_policy,
    read_study,
    render_claim,
    render_study,
)
from netgain.contract import beside
from netgain.errors import ConfigError, NetgainError
from netgain.executors import Reference
from netgain.gates import GateOptions
from netgain.ledger.checkpoint import FILE as CHECKPOINTS
from netgain.ledger.files import STOP, translate, write_durably
from netgain.monitors import MONITORS
from netgain.planting import Planted
from netgain.probation import Probation
from netgain.recipes import RECIPES, Built, build_recipe, recipe_named
from netgain.session import Study
from netgain.suite import Suite
from netgain.world import Monitor

STUDIES = Path("studies")
RECORDED = ("ledger.db", "study.sha256", "report.html", "lock", ".secret", "objects/", "inbox/", CHECKPOINTS, STOP)
TABLES: Mapping[str, type] = {
    "study": StudyFile, "claim": ClaimFile, "gate": GateFile, "canaries": CanariesFile, "probation": ProbationFile,
}  # fmt: skip
# Fields of these records that are no keys of their own.
NO_KEYS = ("gate", "monitors", "canaries", "canary_axes", "probation", "options", "budget", "source")


@dataclass(frozen=True)
class Project:
    """A study as its folder describes it.

    Attributes:
        folder: where it is, or will be.
        study: what is run.
        workers: processes, unless the command says otherwise.
    """

    folder: Path
    study: Study
    workers: int


def folder_of(target: str) -> Path:
    """What DIR|RECIPE means: a folder that holds a study, else the recipe's folder in `studies`, else a folder.

    Raises:
        ConfigError: neither a folder nor a recipe.
    """
    path = Path(target)
    if (path / STUDY_NAME).exists() or (path / "ledger.db").exists():
        return path
    if target in RECIPES:
        return STUDIES / target
    if path.is_dir():
        return path
    if path.name != target or target.startswith("."):
        raise ConfigError(f"no folder {target!r}", where=target, fix="`netgain init DIR --from RECIPE` makes one")
    raise ConfigError.unknown("recipe or folder", target, RECIPES)


def need_folder(folder: Path) -> None:
    """Raises ConfigError unless there is such a folder."""
    if not folder.is_dir():
        raise ConfigError(f"no folder {str(folder)!r}", where=str(folder), fix="give the folder of a study")


def need_files(folder: Path) -> None:
    """Raises ConfigError when a study has no files, so that no command can run it."""
    if not (folder / STUDY_NAME).is_file():
        what = f"no {STUDY_NAME} in {str(folder)!r}: this study was started from Python"
        raise ConfigError(what, where=str(folder), fix="call its script again: `Study.run` takes a folder and `extend`")


def need_extras(project: Project) -> None:
    """Raises ConfigError with the install line when a package that the recipe needs is missing."""
    name = str(project.study.about["recipe"])
    for extra in RECIPES[name].needs if name in RECIPES else ():
        if importlib.util.find_spec(extra) is None:
            raise ConfigError(f"recipe {name!r} needs {extra}", fix=f"pip install 'netgain[{extra}]'")


# --- making a folder -------------------------------------------------------------------------------------------------


def init(*, folder: Path, origin: str, size: str | None, settings: Sequence[str], root: str | None) -> Reply:
    """`netgain init`."""
    make_folder(folder, origin, size=size, settings=settings, root=root)
    names = sorted(path.name for path in folder.iterdir())
    following = [f"netgain plan {folder}", f"netgain run {folder}"]
    record = {"schema": "netgain.init/1", "folder": str(folder), "files": names, "next": following}
    return Reply(record, f"made {folder}: {', '.join(names)}\nnext: {', then '.join(following)}")


def make_folder(
    folder: Path, origin: str, *, size: str | None = None, settings: Sequence[str] = (), root: str | None = None
) -> None:
    """Write the files of a new study, all of them or none.

    Raises:
        ConfigError: the folder holds something, or a setting is wrong.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{str(folder)!r} holds something already", where=str(folder), fix="give a new folder")
    given = _settings(settings)
    base = {"size": size, "root": root}
    _write(folder, _from_file(origin, given, base) if ".py:" in origin else _from_recipe(origin, given, base))


def copy_folder(first: Path, folder: Path, changed: Mapping[str, bytes]) -> None:
    """Make the folder of a study from another's files, all that its record did not add; some of them changed.

    Raises:
        ConfigError: the folder holds something, or the first study was started from Python and has no files.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{str(folder)!r} holds something already", where=str(folder), fix="give a new folder")
    need_files(first)
    paths = [path for path in sorted(first.rglob("*")) if path.is_file()]
    names = {path.relative_to(first).as_posix(): path for path in paths}
    own = {name: path for name, path in names.items() if not name.startswith(RECORDED)}
    _write(folder, {**{name: path.read_bytes() for name, path in own.items()}, **changed})


def _write(folder: Path, parts: Mapping[str, bytes]) -> None:
    """Write all files of a new folder or none, and read them back as `run` will."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".netgain-", dir=folder.parent) as name:
            made = Path(name) / "study"
            made.mkdir()
            for file, data in parts.items():
                (made / file).parent.mkdir(parents=True, exist_ok=True)
                write_durably(made / file, data)
            _read_back(made)
            os.replace(made, folder)
    except OSError as error:
        raise translate(error, folder) from error


def _from_recipe(name: str, given: Mapping[str, Mapping[str, Any]], base: Mapping[str, Any]) -> dict[str, bytes]:
    recipe_named(name)
    built = build_recipe(name, given["options"], base["size"])
    keys = {"recipe": name, "arms": tuple(built.arms), "replicas": built.replicas, "options": built.options, **base}
    return _files(keys, built.claim, given, built.notes)


def _from_file(origin: str, given: Mapping[str, Mapping[str, Any]], base: Mapping[str, Any]) -> dict[str, bytes]:
    path, _, name = origin.rpartition(":")
    own, _ = _own_study(Path(path), name, {**given["options"], "size": base["size"] or "default"}, "cpu")
    file = Path(path)
    keys = {
        "loop": f"{file.name}:{name}", "arms": tuple(own.arms), "replicas": own.replicas, "rounds": own.rounds,
        "gate": vars(own.gate),
        "canaries": own.canaries.to_json() if own.canaries else {},
        "probation": own.probation.to_json() if own.probation else {},
    }  # fmt: skip
    code = {path.relative_to(file.parent).as_posix(): path.read_bytes() for path in (file, *beside(file))}
    return {**code, **_files({**keys, **base}, own.claim, given, {})}


def _files(
    keys: Mapping[str, Any], claim: Claim, given: Mapping[str, Mapping[str, Any]], notes: Mapping[str, str]
) -> dict[str, bytes]:
    """Both files, from defaults and what was set."""
    options = {**keys.get("options", {}), **given["options"]}
    gate = GateFile(**{**keys.get("gate", {}), **given["gate"]})
    canaries, probation = ({**keys.get(name, {}), **given[name]} for name in ("canaries", "probation"))
    study = StudyFile(**{**keys, **given["study"], "gate": gate, "options": options, "budget": given["budget"],
                            "monitors": _nested(given["monitors"]), "canary_axes": _nested(given["canary_axes"]),
                            "canaries": CanariesFile(**canaries) if canaries else None,
                            "probation": ProbationFile(**probation) if probation else None})  # fmt: skip
    said = {one.name: getattr(claim, one.name) for one in fields(Claim)}
    beats = tuple(name for name in claim.beats if name in study.arms and name != given["claim"].get("arm", claim.arm))
    looks = claim.looks if isinstance(claim.looks, str) else tuple(claim.looks)
    claims = ClaimFile(**{**said, "looks": looks, "beats": beats, **given["claim"]})
    return {CLAIM_NAME: render_claim(claims).encode(), STUDY_NAME: render_study(study, notes=notes).encode()}


def _settings(pairs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """KEY=VALUE by table; a value is TOML, or plain text."""
    found: dict[str, dict[str, Any]] = {
        "options": {},
        "study": {},
        "claim": {},
        "gate": {},
        "monitors": {},
        "canaries": {},
        "canary_axes": {},
        "probation": {},
        "budget": {},
    }
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not key or not equals:
            raise ConfigError(f"{pair!r} is no KEY=VALUE", where="--set", fix="write for example --set claim.by=0.3")
        table, dot, name = key.partition(".")
        if not dot:
            table, name = "options", key
        if table not in found:
            raise ConfigError.unknown("table", table, found, where=f"--set {key}")
        known = [one.name for one in fields(TABLES[table]) if one.name not in NO_KEYS] if table in TABLES else [name]
        if name not in known:
            raise ConfigError.unknown("key", name, known, where=f"--set {key}")
        found[table][name] = _value(text)
    return found


def _nested(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """{"NAME.KEY": value} by name; a bare NAME registers a monitor with its defaults."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in settings.items():
        name, dot, option = key.partition(".")
        found.setdefault(name, {}).update({option: value} if dot else {})
    return found


def _value(text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return tuple(value) if isinstance(value, list) else value


def _read_back(folder: Path) -> None:
    """Read what was written as `run` will, so that a wrong setting is found now."""
    try:
        open_project(folder)
    except NetgainError as error:
        error.where = f"--set, as {error.where}" if error.where else None
        raise


# --- reading a folder ------------------------------------------------------------------------------------------------


def open_project(folder: Path, *, device: str = "cpu", root: str | None = None) -> Project:
    """The study that a folder's files describe.

    Args:
        device: where loop code computes.
        root: a root given on the command line.

    Raises:
        ConfigError: a file is missing or wrong; says where.
    """
    file, claim = read_study(folder / STUDY_NAME), read_claim(folder / CLAIM_NAME)
    check_claimed_arms(file, claim)
    names = [name for name in (CLAIM_NAME, STUDY_NAME, POLICY_NAME) if (folder / name).exists()]
    texts = {name: (folder / name).read_bytes().decode() for name in names}
    base = _with_loop(folder, file, device) if file.loop else _with_recipe(file, device)
    if root is not None and not re.fullmatch("[0-9a-f]{64}", root):
        raise ConfigError(f"{root!r} is no root", where="--root", fix="give 64 lower-case hex digits, or leave it out")
    if root and file.root and root != file.root:
        where = file.source.where("study", "root")
        raise ConfigError("--root differs from the file's", where=where, fix="keep one of them")
    limits = {unit: limit for unit, limit in file.budget.items() if unit in COUNTED}
    pause_at = {unit: limit for unit, limit in file.budget.items() if unit not in COUNTED}
    with _placed(claim.source, "claim", "metric"):
        base.suite[claim.metric]  # the axis has to exist
    with _placed(file.source, "study", "arms"):
        study = replace(
            base, claim=_claim(claim), arms=file.arms, replicas=file.replicas, rounds=file.rounds or base.rounds,
            root=root or file.root, limits=limits, pause_at=pause_at, files=texts, gate=GateOptions(**vars(file.gate)),
            deadline_seconds=file.deadline_seconds,
            about={"recipe": file.recipe or file.loop, "size": file.size, "options": _plain(file), "device": device},
        )  # fmt: skip
        study = replace(study, suite=_suite(file, base), monitors=_monitors(file, base))
    with _placed(file.source, "probation"):
        study = replace(study, probation=Probation(**vars(file.probation))) if file.probation else study
    with _placed(file.source, "canaries"):
        study = replace(study, canaries=Planted(**vars(file.canaries))) if file.canaries else study
    with _placed(file.source, "study", "arms"):
        study.chosen()  # the arms have to exist
    policy = read_policy(folder / POLICY_NAME) if POLICY_NAME in texts else base.policy
    with _placed(Source(POLICY_NAME)):
        study = replace(study, policy=policy)
    with _placed(file.source, "gate"):
        study.gate_plan()
    return Project(folder, study, file.workers)


def _suite(file: StudyFile, base: Study) -> Suite:
    """The suite with the canary axes and the canary items that the file asks for."""
    suite = base.suite
    for name, settings in file.canary_axes.items():
        with _placed(file.source, "canary_axes", name):
            suite = with_canary_axis(suite, name, settings)
    return suite.with_canaries(file.canary_items)


def _monitors(file: StudyFile, base: Study) -> Sequence[Monitor]:
    """The registered monitors: those of the file, else those of a study of one's own."""
    made = []
    for name, settings in file.monitors.items():
        where = file.source.where("monitors", name)
        if name not in MONITORS:
            raise ConfigError.unknown("monitor", name, MONITORS, where=where)
        known = list(signature(MONITORS[name]).parameters)
        for key in settings:
            if key not in known:
                raise ConfigError.unknown(f"key of monitor {name!r}", key, known,
                                          where=file.source.where("monitors", name, key))  # fmt: skip
        with _placed(file.source, "monitors", name):
            made.append(MONITORS[name](**settings))
    return made or base.monitors


def project_of_recipe(name: str, *, size: str | None, device: str) -> Project:
    """A recipe with its defaults, for planning before there is a folder."""
    with tempfile.TemporaryDirectory(prefix="netgain-") as parent:
        folder = Path(parent) / name
        make_folder(folder, name, size=size)
        return replace(open_project(folder, device=device), folder=STUDIES / name)


def _with_recipe(file: StudyFile, device: str) -> Study:
    name = str(file.recipe)
    if name not in RECIPES:
        raise ConfigError.unknown("recipe", name, RECIPES, where=file.source.where("study", "recipe"))
    with _placed(file.source, "options"):
        built: Built = build_recipe(name, _plain(file), file.size, device)
    reference = Reference(f"{RECIPES[name].module}:make", {**_plain(file), "size": file.size or "default"}, device)
    return Study(built.loop, built.suite, built.arms, built.claim, built.replicas, built.rounds, reference=reference)


def _with_loop(folder: Path, file: StudyFile, device: str) -> Study:
    path, _, name = str(file.loop).rpartition(":")
    with _placed(file.source, "study", "loop"):
        study, called = _own_study(folder / path, name, {**_plain(file), "size": file.size or "default"}, device)
    options = {**_plain(file), "size": file.size or "default"} if called else None
    return replace(study, reference=Reference(f"{(folder / path).resolve()}:{name}", options, device))


def _own_study(path: Path, name: str, options: Mapping[str, Any], device: str) -> tuple[Study, bool]:
    """The Study that a user's file holds under a name, and whether a function made it."""
    module = _loaded(path)
    if not hasattr(module, name):
        names = [one for one in vars(module) if not one.startswith("_")]
        raise ConfigError.unknown("name", name, names, where=str(path))
    found = getattr(module, name)
    called = not isinstance(found, Study)
    if device != "cpu" and not called:
        fix = "leave --device out, or give a function of (options, *, device) that returns the Study"
        raise ConfigError(f"{name!r} is a Study that knows no device {device!r}", where=str(path), fix=fix)
    try:
        study = found(dict(options), device=device) if called else found
    except NetgainError:
        raise
    except Exception as error:  # broad: the user's code; whatever it raises is told with its place
        raise _theirs(error, path) from error
    if not isinstance(study, Study):
        what = f"{name!r} gives {type(study).__name__}, expected a netgain.Study or a function that returns one"
        raise ConfigError(what, where=str(path), fix=f"write `{name} = ng.Study(loop=…, suite=…, arms=…, claim=…)`")
    return study, called


def _loaded(path: Path) -> Any:
    if not path.is_file():
        raise ConfigError(f"no file {str(path)!r}", where=str(path), fix="name a file of the study's folder")
    spec = importlib.util.spec_from_file_location("__netgain_study__", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # a sealed folder's list does not name a cache file
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except NetgainError:
        raise
    except Exception as error:  # broad: the user's code; whatever it raises is told with its place
        raise _theirs(error, path) from error
    finally:
        sys.dont_write_bytecode = before
    return module


def _theirs(error: Exception, path: Path) -> ConfigError:
    line = error.lineno if isinstance(error, SyntaxError) else _line_in(error, path)
    where = f"{path}:{line}" if line else str(path)
    return ConfigError(f"{type(error).__name__}: {error}", where=where, fix="mend the file: opening a study runs it")


def _line_in(error: Exception, path: Path) -> int | None:
    lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == str(path)]
    return lines[-1] if lines else None


def _plain(file: StudyFile) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in file.options.items()}


def _claim(file: ClaimFile) -> Claim:
    return Claim(**{one.name: getattr(file, one.name) for one in fields(Claim)})


@contextmanager
def _placed(source: Source, *path: str) -> Iterator[None]:
    """Say where in the file the mistake stands."""
    try:
        yield
    except ConfigError as error:
        error.where = error.where or source.where(*path)
        raise
