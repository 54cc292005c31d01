"""One constraint at several strengths: what it costs on the axis of the claim, and what it saves on the worst guard.

    python tools/constraint_study.py --write

runs the recipe `goodhart` with its policy held within so many nats of generation 0, one study per strength under the
same root, prints the table of docs/recipes/constraint.md and, with --write, puts it and its plot there.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netgain.claim import Claim
from netgain.evidence.student import MeanInterval, mean_interval
from netgain.executors import Reference
from netgain.ledger import Ledger
from netgain.recipes import build_recipe
from netgain.report.reading import Reading, read
from netgain.report.svg import Html, Scale, dot, drawing, line, spread, text
from netgain.seal import facts_of
from netgain.session import Study, run_study

STRENGTHS = (0.05, 0.2, 0.5, 1.0, 3.0, 0.0)
DOCS = Path(__file__).parents[1] / "docs" / "recipes"
BEGIN, END = "<!-- strengths, by tools/constraint_study.py -->", "<!-- end -->"
WIDTH, HEIGHT, EDGE = 560, 300, 56
STYLE = """text{font:12px sans-serif;fill:#1b1e23}line.axis{stroke:#565c66}line.zero{stroke:#d9dbdf}
circle{fill:#0a58a8}line.ends{stroke:#0a58a8;opacity:.4}@media(prefers-color-scheme:dark){text{fill:#e9ebee}
line.axis{stroke:#a9b0ba}line.zero{stroke:#3a3f47}circle{fill:#72b4f8}line.ends{stroke:#72b4f8}}"""


@dataclass(frozen=True)
class Point:
    """One strength: gain on the axis of the claim and change on the guard that lost most, means over starts."""

    nats: float
    gain: MeanInterval
    guard: str
    change: MeanInterval

    @property
    def name(self) -> str:
        """The strength in words."""
        return f"{self.nats:g}" if self.nats else "none"


def measured(nats: float, starts: int, root: str) -> Point:
    """The study of one strength, run in a folder that is thrown away."""
    built = build_recipe("goodhart", {"nats": nats}, "default")
    own = built.claim
    claim = Claim(own.metric, by=own.by, beats=("frozen",), rung="R1", expected=own.expected)
    reference = Reference("netgain.recipes.goodhart:make", {"nats": nats, "size": "default"})
    study = Study(built.loop, built.suite, ("self", "frozen"), claim, replicas=starts, rounds=built.rounds,
                  reference=reference, root=root)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = str(Path(folder) / "state")
        run_study(study, Path(folder) / "study", workers=1)
        with Ledger.open(Path(folder) / "study", readonly=True) as log:
            return point(nats, read(facts_of(log)))


def point(nats: float, reading: Reading) -> Point:
    """Gain and worst guard of a finished study."""
    guards = [name for name, axis in reading.facts.axes.items() if axis["guard"]]
    changes = {name: _mean(reading, name) for name in guards}
    worst = min(guards, key=lambda name: changes[name].mean if changes[name].mean is not None else 0.0)
    return Point(nats, _mean(reading, reading.metric), worst, changes[worst])


def _mean(reading: Reading, axis: str) -> MeanInterval:
    return mean_interval(np.array([np.nan if one is None else one for one in reading.differences("frozen", axis)]))


def table(points: list[Point], starts: int) -> str:
    """A row per strength."""
    rows = [f"| Limit in nats | Gain on `gold`, {starts} starts | Worst guard | Its change |", "|---|---|---|---|"]
    rows += [f"| {one.name} | {_said(one.gain)} | `{one.guard}` | {_said(one.change)} |" for one in points]
    return "\n".join(rows) + "\n"


def _said(found: MeanInterval) -> str:
    ends = "no spread" if found.low is None else f"[{found.low:+.3f}, {found.high:+.3f}]"
    return "unknown" if found.mean is None else f"{found.mean:+.3f} {ends}"


def plot(points: list[Point]) -> Html:
    """Gain along, change on the worst guard upwards; bars are the intervals of the table."""
    ends = [[_ends(one.gain) for one in points], [_ends(one.change) for one in points]]
    x, y = (
        Scale(min(0.0, *(a for a, _ in side)) - 0.02, max(0.0, *(b for _, b in side)) + 0.02, *to)
        for side, to in zip(ends, ((EDGE, WIDTH - 20), (HEIGHT - 40, 16)), strict=True)
    )
    parts = [Html(f"<style>{STYLE}</style>"), line(x(0), 16, x(0), HEIGHT - 40, "zero")]
    parts += [line(EDGE, y(0), WIDTH - 20, y(0), "zero"), line(EDGE, HEIGHT - 40, WIDTH - 20, HEIGHT - 40, "axis")]
    parts += [line(EDGE, 16, EDGE, HEIGHT - 40, "axis")]
    for tick in x.ticks(7):
        parts.append(text(x(tick), HEIGHT - 24, f"{tick:g}", anchor="middle"))
    for tick in y.ticks(7):
        parts.append(text(EDGE - 6, y(tick) + 4, f"{tick:g}", anchor="end"))
    places = spread({one.name: y(one.change.mean or 0.0) - 3 for one in points}, 13, 22, HEIGHT - 44)
    for one, across, up in zip(points, *ends, strict=True):
        px, py = x(one.gain.mean or 0.0), y(one.change.mean or 0.0)
        parts += [line(x(across[0]), py, x(across[1]), py, "ends"), line(px, y(up[0]), px, y(up[1]), "ends")]
        parts += [dot(px, py, 4, "point"), text(px + 10, places[one.name], one.name)]
    parts += [text(WIDTH - 20, HEIGHT - 8, "gain on gold", anchor="end"), text(4, 12, "change on the worst guard")]
    said = "; ".join(f"{one.name}: gain {_said(one.gain)}, {one.guard} {_said(one.change)}" for one in points)
    return drawing("constraint", WIDTH, HEIGHT, "One constraint at several strengths, in nats", said, parts)


def _ends(found: MeanInterval) -> tuple[float, float]:
    mean = found.mean or 0.0
    return (mean if found.low is None else found.low, mean if found.high is None else found.high)


def main() -> None:
    """Print the table; write it and the plot where they are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=6)
    parser.add_argument("--root", default="c0" * 32, help="64 hex digits; the same root gives the same figures")
    parser.add_argument("--write", action="store_true", help="write docs/recipes/constraint.md and constraint.svg")
    given = parser.parse_args()
    points = [measured(nats, given.starts, given.root) for nats in STRENGTHS]
    shown = table(points, given.starts)
    print(shown)
    if given.write:
        page = DOCS / "constraint.md"
        head, rest = page.read_text("utf-8").split(BEGIN)
        page.write_text(f"{head}{BEGIN}\n\n{shown}\n{END}{rest.partition(END)[2]}", "utf-8")
        (DOCS / "constraint.svg").write_text(str(plot(points)) + "\n", "utf-8")


if __name__ == "__main__":
    main()
