"""What programs of `pack` are worth on the published laws and lengths, in per cent of excess over the bound.

    python tools/pack_laws.py [STUDY] [--law weibull] [--most 10000]
    python tools/pack_laws.py [STUDY] --lists bin_packing.ipynb

packs fresh lists with best fit and first fit, and with what every arm of a finished study served where one is named,
and prints the tables of docs/recipes/pack.md beside the published cells; with a study, at the end, what asking a
program costs in a sandbox and from its tree. The lists are drawn from seeds of this tool: they decide nothing, and are
no sealed items.

With `--lists` it packs published lists instead: those of the notebook `bin_packing/bin_packing.ipynb` that its authors
published beside their paper (github: google-deepmind/funsearch; data under CC BY 4.0), which is read and never run. Its
excess is bins over bounds, both summed over the lists, as there.
"""

from __future__ import annotations

import argparse
import ast
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from netgain.codecs import PlainCodec
from netgain.ledger import Ledger
from netgain.recipes.pack.asking import SANDBOX, judged_in_sandbox, level_of, ranks_asked, way_of
from netgain.recipes.pack.grammar import BEST_FIT, read, table_of, text_of
from netgain.recipes.pack.laws import LAWS, lists_of
from netgain.recipes.pack.packing import excess, first_fit, opened, packed
from netgain.stores.objects import ObjectStore

SEEDS = 1 << 61  # neither rounds nor axes draw from there
# law -> items of a list and how many lists
LENGTHS = {
    "uniform": ((120, 400), (250, 400), (500, 400), (1000, 200), (5000, 20), (10000, 10), (100000, 2)),
    "weibull": ((500, 200), (1000, 100), (5000, 20), (10000, 10), (100000, 2)),
}
FIRST, BEST, FOUND = "first fit, printed", "best fit, printed", "FunSearch, printed"
# Romera-Paredes et al., Nature 625 (2024), table 1: OR1 to OR3 (OR4 has 1,000 items), and the three Weibull columns
PRINTED = {
    ("uniform", 120): {FIRST: 6.42, BEST: 5.81, FOUND: 5.30},
    ("uniform", 250): {FIRST: 6.45, BEST: 6.06, FOUND: 4.19},
    ("uniform", 500): {FIRST: 5.74, BEST: 5.37, FOUND: 3.11},
    ("uniform", 1000): {FIRST: 5.23, BEST: 4.94, FOUND: 2.47},
    ("weibull", 5000): {FIRST: 4.23, BEST: 3.98, FOUND: 0.68},
    ("weibull", 10000): {FIRST: 4.20, BEST: 3.90, FOUND: 0.32},
    ("weibull", 100000): {FIRST: 4.00, BEST: 3.79, FOUND: 0.03},
}


def served(folder: Path) -> dict[str, list[str]]:
    """Arm -> programs that its starts serve."""
    found: dict[str, list[str]] = defaultdict(list)
    store = ObjectStore(folder / "objects")
    with Ledger.open(folder, readonly=True) as log:
        seals = [event.data["served"] for event in log.events("seal_opened")]  # one a look
        for run, digest in sorted(one for served in seals for one in served.items()):
            found[run.split("/", 1)[1]].append(PlainCodec().decode(store.get(digest))["program"])
    return found


def measured(programs: dict[str, list[str]], law: str, length: int, many: int, way: str) -> dict[str, Any]:
    """Name -> (n, many) excess of each of its programs on the same lists, as a share; first fit is always there."""
    given = LAWS[law]
    lists = lists_of(given, range(SEEDS, SEEDS + many), length)
    texts = list(dict.fromkeys(text for some in programs.values() for text in some))
    ranks = np.stack([ranks_asked(text, law, way) for text in texts])
    shares = excess(opened(packed(ranks, lists, given.least), given.capacity), lists, given.capacity)
    found = {name: np.stack([shares[texts.index(text)] for text in some]) for name, some in programs.items()}
    return {**found, "first fit": excess(first_fit(lists, given.capacity), lists, given.capacity)[None]}


def published(path: Path) -> dict[str, tuple[int, Any]]:
    """Name -> capacity and (lists, items) of each data set that the notebook assigns to `datasets[name]`."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    found = {}
    for one in (part for text in code if "datasets[" in text for part in ast.walk(ast.parse(text))):
        named = isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Subscript)
        if named and isinstance(one.value, ast.Dict) and ast.unparse(one.targets[0].value) == "datasets":
            lists = ast.literal_eval(one.value).values()
            (capacity,) = {entry["capacity"] for entry in lists}
            items = np.array([entry["items"] for entry in lists], dtype=np.int64)
            found[str(ast.literal_eval(one.targets[0].slice))] = int(capacity), items
    return found


def on_published(programs: dict[str, list[str]], capacity: int, lists: Any, way: str) -> dict[str, Any]:
    """Name -> (n,) excess of each program on published lists, bins over bounds, both summed over the lists."""
    law = next(name for name, one in LAWS.items() if one.capacity == capacity)
    bound = int((-(-lists.sum(axis=1) // capacity)).sum())
    found = {"first fit": np.array([first_fit(lists, capacity).sum() / bound - 1])}
    for name, texts in programs.items():
        rooms = packed(np.stack([ranks_asked(text, law, way) for text in texts]), lists, LAWS[law].least)
        found[name] = opened(rooms, capacity).sum(axis=1) / bound - 1
    return found


def lines(shares: dict[str, Any], law: str, length: int) -> list[str]:
    """One line a name, the least excess first: mean, its standard error over lists, the best and the worst program."""
    rows = [(100 * float(one.mean()), name, one) for name, one in shares.items()]
    rows += [(cell, name, None) for name, cell in PRINTED.get((law, length), {}).items()]
    return [_line(mean, name, one) for mean, name, one in sorted(rows, key=lambda row: row[:2])]


def _line(mean: float, name: str, shares: Any) -> str:
    said = f"  {name:<24} {mean:6.2f}"
    if shares is None:
        return said
    if shares.shape[1] > 1:
        said += f" ± {100 * shares.mean(axis=0).std(ddof=1) / np.sqrt(shares.shape[1]):.2f}"
    each = 100 * shares.mean(axis=1)
    return said if len(each) == 1 else f"{said}  of {len(each)}: {each.min():.2f} to {each.max():.2f}"


def costs(texts: list[str]) -> dict[str, float]:
    """Milliseconds of CPU time for one program: from its tree, in the sandbox, and there on our side of the wall."""
    law, many = LAWS["uniform"], len(texts)
    began = time.process_time()
    for text in texts:
        table_of(read(text), law)
    found = {"from the tree": time.process_time() - began}
    if way_of("auto") == SANDBOX:
        judged_in_sandbox(texts[0], law)  # it starts the sandbox
        began = time.process_time()
        told = [judged_in_sandbox(text, law).cpu_s or float("nan") for text in texts]
        found |= {"beside the sandbox": time.process_time() - began, "in the sandbox": sum(told)}
    return {name: round(1000 * seconds / many, 2) for name, seconds in found.items()}


def main() -> None:
    """Print the tables."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("study", type=Path, nargs="?")
    asked.add_argument("--law", choices=list(LAWS), action="append", help="one law; both where none is named")
    asked.add_argument("--most", type=int, default=100000, help="items of the longest lists")
    asked.add_argument("--lists", type=Path, help="the published notebook, to pack its lists")
    given = asked.parse_args()
    kept = served(given.study) if given.study else {}
    programs, way = {"best fit": [text_of(BEST_FIT)], **kept}, way_of("auto")
    print(f"programs judged: {level_of(way)}")
    for name, (capacity, lists) in published(given.lists).items() if given.lists else ():
        print(f"{name}, {len(lists)} published lists of {lists.shape[1]}:")
        shares = on_published(programs, capacity, lists, way)
        law = next(one for one, law in LAWS.items() if law.capacity == capacity)
        print("\n".join(lines({one: told[:, None] for one, told in shares.items()}, law, lists.shape[1])))
    if given.lists:
        return
    for law in given.law or LAWS:
        for length, many in LENGTHS[law]:
            if length <= given.most:
                print(f"{law}, {many} lists of {length}:")
                print("\n".join(lines(measured(programs, law, length, many, way), law, length)), flush=True)
    if kept:
        print("asking a program, ms of CPU:", costs([text for some in programs.values() for text in some][:20]))
        print(f"the shortest that `self` serves:\n{min(kept['self'], key=len)}")


if __name__ == "__main__":
    main()
