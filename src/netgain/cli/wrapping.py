"""The command init --wrap: reads a training script, and proposes; nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netgain.cli.answer import Reply
from netgain.config import ClaimFile, render_claim
from netgain.errors import ConfigError
from netgain.integrations.script import Found, read_script
from netgain.integrations.wrapping import BY, Wrapped, wrap


def propose(*, file: Path) -> Reply:
    """`netgain init --wrap FILE`.

    Raises:
        ConfigError: no such file, no Python, or no loop in it that could be found.
    """
    try:
        text = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fix = "give a Python file in UTF-8"
        raise ConfigError(f"cannot read {str(file)!r}: {error}", where=str(file), fix=fix) from None
    found = read_script(str(file), text)
    made = wrap(found)
    beats = tuple(name for name in ("frozen", "ordinary") if name in made.arms)
    claim = render_claim(ClaimFile(metric="right", by=BY, beats=beats, rung=made.rung))  # type: ignore[arg-type]
    following = [f"netgain init studies/{file.stem} --from {file}:study", f"netgain plan studies/{file.stem}"]
    record: dict[str, Any] = {
        "schema": "netgain.wrap/1", "file": str(file), "found": _told(found), "diff": made.diff, "added": made.added,
        "claim": claim, "arms": list(made.arms), "fill_in": list(made.fill_in), "next": following,
    }  # fmt: skip
    return Reply(
        record, "\n".join([*_heading(found, made), made.diff + "# claim.toml", claim.rstrip("\n"), _last(following)])
    )


def _told(found: Found) -> dict[str, Any]:
    """What was found, by line."""
    return {
        "loop": list(found.loop), "model": found.model, "rounds": found.rounds, "start": found.start,
        "label": found.label.name if found.label else None, "train": found.train, "plain": found.plain,
        "evaluate": found.evaluate, "seeds": {str(line): call for line, call in found.seeds.items()},
    }  # fmt: skip


def _heading(found: Found, made: Wrapped) -> list[str]:
    """Comment lines: `patch` skips them, and what stands behind the diff."""
    told = _told(found)
    parts = [
        f"{name} {told[name]}" for name in ("model", "rounds", "start", "label", "train", "evaluate") if told[name]
    ]
    seeds = ", ".join(f"{call} (line {line})" for line, call in found.seeds.items()) or "none"
    return [
        f"# {found.file}: loop in lines {found.loop[0]} to {found.loop[1]}; {', '.join(parts)}",
        f"# seeds: {seeds}; netgain seeds every call anew, a seed inside a function of a round would undo that",
        f"# {made.added} lines to add, nothing is written; to fill in:",
        *(f"#   {one}" for one in made.fill_in or ("nothing",)),
    ]


def _last(following: list[str]) -> str:
    return "\n".join(["# next, with these lines in the script:", *(f"#   {one}" for one in following)])
