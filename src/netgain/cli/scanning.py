"""`netgain scan`: protected items in documents, by the rules of `netgain.guards.contamination`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netgain.cli.answer import Reply
from netgain.errors import ConfigError
from netgain.guards import Finding, Hit, Near, Protected, Scan, index_of, near_duplicates
from netgain.guards.near import not_run

Json = Any
LINES = (".jsonl", ".ndjson")  # one document a line; any other file is one document of text
OPEN = "dev"  # the split that a loop may use as it likes
UNSTATED = "unstated"
BLOCKED, FOR_REVIEW = 3, 4
TOLD_ITEMS = 8  # ids in a line for people; JSON has all


def scan(
    *, documents: Sequence[Path], items: Path, splits: Sequence[str], background: Sequence[Path], near: bool
) -> Reply:
    """Look for the items of a file in documents; exit code 0 only when nothing was found."""
    wanted = protected_in(items, splits)
    index = index_of(wanted).with_background(_documents(background))
    found = index.scan(_documents(documents))
    if not found.documents:
        raise ConfigError(f"no document in {', '.join(map(str, documents))}", fix="name a file or a folder with files")
    sweep = near_duplicates(wanted, _documents(documents)) if near else not_run("not asked for: --near")
    record = _record(found, sweep, wanted)
    code = BLOCKED if found.blocked else FOR_REVIEW if found.review or sweep.pairs else 0
    return Reply(record, _words(found, sweep, record), code)


def protected_in(path: Path, splits: Sequence[str]) -> list[Protected]:
    """Read items: JSON Lines of objects with `input`, and `target`, `id`, `split` where they have them.

    Args:
        path: the file.
        splits: those to look for; none: all but dev. A row without a split belongs to every one.

    Raises:
        ConfigError: a row that is no item, a split that no row has, or nothing to look for.
    """
    rows = list(_rows(path))
    for where, row in rows:
        if not isinstance(row, dict) or "input" not in row:
            raise ConfigError("no object with the key 'input'", where=where, fix='one item a line, as {"input": …}')
    present = {str(row.get("split", UNSTATED)) for _, row in rows}
    for split in splits:
        if split not in present and UNSTATED not in present:
            raise ConfigError.unknown("split", split, sorted(present), where=str(path))
    kept = [_item(where, row) for where, row in rows]
    kept = [one for one in kept if one.split == UNSTATED or (one.split in splits if splits else one.split != OPEN)]
    if not kept:
        raise ConfigError("no item to look for", where=str(path), fix=f"items of split {OPEN!r} need --split {OPEN}")
    return kept


def _item(where: str, row: dict[str, Json]) -> Protected:
    name = str(row["id"]) if row.get("id") is not None else where.rpartition(":")[2]
    return Protected(name, str(row.get("split", UNSTATED)), row["input"], row.get("target", ""))


def _documents(paths: Sequence[Path]) -> Iterator[tuple[str, Json]]:
    """Every file below some paths: (path, text), or (path:line, JSON) of the lines of JSON Lines."""
    for path in paths:
        if not path.exists():
            raise ConfigError(f"there is no {str(path)!r}", fix="name a file or a folder")
        for file in sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]:
            if file.suffix in LINES:
                yield from _rows(file)
            else:
                yield str(file), _text(file)


def _rows(path: Path) -> Iterator[tuple[str, Json]]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            try:
                yield f"{path}:{number}", json.loads(line)
            except ValueError as error:
                fix = "one JSON value a line; give text another ending than .jsonl"
                raise ConfigError(f"not JSON: {error}", where=f"{path}:{number}", fix=fix) from None


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text, why = "\0", f"byte {error.start} is no UTF-8"
    else:
        why = "it holds a zero byte"
    if "\0" in text:
        raise ConfigError(f"not text: {why}", where=str(path), fix="turn it into text, or leave it out of what is used")
    return text


def _record(found: Scan, sweep: Near, wanted: Sequence[Protected]) -> dict[str, Json]:
    missing = {} if sweep.run else {"library_reason": sweep.reason, "pairs_reason": sweep.reason}
    pairs = [{"document": name, "item": item, "similarity": alike} for name, item, alike in sweep.pairs]
    return {
        "schema": "netgain.scan/1", "documents": found.documents, "characters": found.characters,
        "items": len(wanted), "splits": dict(Counter(one.split for one in wanted)), "clean": found.clean,
        "blocked": [_found(one) for one in found.findings if one.blocked],
        "review": [_found(one) for one in found.findings if not one.blocked],
        "affected": sorted(found.affected), "doubtful": sorted(found.doubtful),
        "near": {"run": sweep.run, "library": sweep.library, "pairs": pairs if sweep.run else None, **missing},
    }  # fmt: skip


def _found(finding: Finding) -> dict[str, Json]:
    return {"document": finding.document, "hits": [_hit(hit) for hit in finding.hits]}


def _hit(hit: Hit) -> dict[str, Json]:
    reason = {} if hit.line is not None else {"line_reason": "a value of JSON, or the whole document"}
    return {**asdict(hit), "items": list(hit.items), **reason}


def _words(found: Scan, sweep: Near, record: dict[str, Json]) -> str:
    lines = [_line(one, hit) for one in sorted(found.findings, key=lambda one: not one.blocked) for hit in one.hits]
    lines += [f"near        {name}  {item}  similarity {alike:.2f}" for name, item, alike in sweep.pairs]
    if found.affected:
        lines.append(f"affected    {_listed(record['affected'])}: no gain should rest on them")
    splits = ", ".join(f"{count} {split}" for split, count in record["splits"].items())
    lines.append(f"scanned     {found.documents} documents, {found.characters} characters, for items: {splits}")
    lines.append(f"result      {len(found.blocked)} blocked, {len(found.review)} for review")
    lines.append("near        " + (f"run with {sweep.library}" if sweep.run else f"not run ({sweep.reason})"))
    return "\n".join(lines)


def _line(finding: Finding, hit: Hit) -> str:
    place = f"{finding.document}{'' if hit.line is None else f':{hit.line}'}"
    items = _listed(hit.items) if hit.items else "all that was released with it"
    runs = f", {hit.runs} runs of words" if hit.runs else ""
    return f"{'blocked' if hit.rule != 'review' else 'review':<12}{place}  {hit.rule}  {items}{runs}"


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - TOLD_ITEMS} more" if len(ids) > TOLD_ITEMS else ""
    return ", ".join(ids[:TOLD_ITEMS]) + more
