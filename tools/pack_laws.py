"""What the programs of a finished study of `pack` are worth on the published laws and lengths, in per cent of excess.

    python tools/pack_laws.py STUDY

packs fresh lists with what every arm served, best fit and first fit beside them, and prints the tables of
docs/recipes/pack.md; at the end what asking a program costs in a sandbox and from its tree. The lists are drawn from
seeds of this tool: they decide nothing, and are no sealed items.
"""

from __future__ import annotations

import argparse
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
LENGTHS = (("uniform", 500, 400), ("uniform", 5000, 20), ("weibull", 5000, 20), ("weibull", 10000, 10),
           ("weibull", 100000, 1))  # fmt: skip


def served(folder: Path) -> dict[str, list[str]]:
    """Arm -> programs that its starts serve."""
    found: dict[str, list[str]] = defaultdict(list)
    store = ObjectStore(folder / "objects")
    with Ledger.open(folder, readonly=True) as log:
        (seal,) = (event.data for event in log.events("seal_opened"))
        for run, digest in sorted(seal["served"].items()):
            found[run.split("/", 1)[1]].append(PlainCodec().decode(store.get(digest))["program"])
    return found


def measured(programs: dict[str, list[str]], law: str, length: int, many: int, way: str) -> dict[str, Any]:
    """Name -> (n,) mean excess of each of its programs over the same lists."""
    given = LAWS[law]
    lists = lists_of(given, range(SEEDS, SEEDS + many), length)
    texts = list(dict.fromkeys(text for some in programs.values() for text in some))
    ranks = np.stack([ranks_asked(text, law, way) for text in texts])
    shares = excess(opened(packed(ranks, lists, given.least), given.capacity), lists, given.capacity).mean(axis=1)
    found = {name: np.array([shares[texts.index(text)] for text in some]) for name, some in programs.items()}
    if length <= 10000:  # it keeps every bin, and there are too many of them in longer lists
        found["first fit"] = excess(first_fit(lists, given.capacity), lists, given.capacity).mean(keepdims=True)
    return found


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
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("study", type=Path)
    programs = {"best fit": [text_of(BEST_FIT)], **served(asked.parse_args().study)}
    way = way_of("auto")
    print(f"programs judged: {level_of(way)}")
    for law, length, many in LENGTHS:
        print(f"{law}, {many} lists of {length}:")
        for name, shares in sorted(measured(programs, law, length, many, way).items(), key=lambda one: one[1].mean()):
            print(f"  {name:<24} {100 * shares.mean():6.2f}  best of {len(shares)}: {100 * shares.min():.2f}")
    texts = [text for some in programs.values() for text in some][:20]
    print("asking a program, ms of CPU:", costs(texts))
    best = min(programs["self"], key=lambda one: len(one))
    print(f"the shortest that `self` serves:\n{best}")


if __name__ == "__main__":
    main()
