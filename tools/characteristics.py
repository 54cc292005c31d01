"""Operating characteristics of every analysis of a claim: `python tools/characteristics.py [--write]`.

Simulates studies of known truth (`netgain.testing.claim_worlds`) from one fixed seed and prints the tables of
docs/analyses.md; with --write it puts them there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from netgain.evidence.version import version_gain
from netgain.testing.claim_worlds import analyses, characteristics, worlds

PAGE = Path(__file__).parents[1] / "docs" / "analyses.md"
STUDIES = 1000
VERSIONS = 300
SEED = 31
MARKS = ("<!-- made by tools/characteristics.py -->\n", "<!-- end -->\n")


def loops(studies: int) -> str:
    """A row per world, a column per analysis: SUPPORTED / REFUTED in percent, and starts taken."""
    columns = analyses()
    rows = ["| World (claimed effect) | " + " | ".join(columns) + " |", "|---" * (1 + len(columns)) + "|"]
    for name, (world, delta) in worlds().items():
        cells = []
        for analysis in columns.values():
            found = characteristics(world, delta, analysis, np.random.default_rng(SEED), studies=studies)
            cells.append(f"{100 * found.supported:.1f} / {100 * found.refuted:.1f}, {found.starts:.1f}")
        rows.append(f"| {name} ({delta:g}) | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def versions(studies: int) -> str:
    """A row per true gain, a column per number of items, at a discordance of .2: SUPPORTED / REFUTED in percent."""
    sizes = (200, 500, 2000)
    rows = ["| True gain (claimed effect) | " + " | ".join(f"{n} items" for n in sizes) + " |", "|---|---|---|---|"]
    for gain, delta in ((0.0, 0.0), (0.02, 0.0), (0.05, 0.0), (0.1, 0.0), (0.05, 0.05), (0.1, 0.05)):
        cells = []
        for n in sizes:
            rng = np.random.default_rng(SEED)
            d = rng.choice([-1, 1, 0], p=[0.1 - gain / 2, 0.1 + gain / 2, 0.8], size=(studies, n))
            words = [version_gain((row > 0).astype(float), (row < 0).astype(float), delta=delta).word for row in d]
            up, down = (100 * words.count(word) / studies for word in ("SUPPORTED", "REFUTED"))
            cells.append(f"{up:.1f} / {down:.1f}")
        rows.append(f"| {gain:g} ({delta:g}) | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def tables(studies: int = STUDIES, version_studies: int = VERSIONS) -> str:
    """What stands between the marks of the page."""
    said = f"{studies} studies a cell, seed {SEED}; SUPPORTED / REFUTED in percent, then the starts that it took."
    return f"{said}\n\n{loops(studies)}\n\nOne version, {version_studies} a cell:\n\n{versions(version_studies)}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/analyses.md")
    made = tables()
    if not parser.parse_args().write:
        print(made)
        return 0
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
    PAGE.write_text(before + MARKS[0] + made + MARKS[1] + rest.partition(MARKS[1])[2], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
