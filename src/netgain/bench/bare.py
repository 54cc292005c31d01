"""The flagship loop as a bare script: the same training and answering, called one after the other, and nothing else.

`python -m netgain.bench.bare SIZE CALLS.jsonl` does the calls that `netgain.bench.flagship` wrote down while the
runtime did them: same streams, same questions, its own systems handed on. No pipe, no bytes, no log, no gate, no
scoring. Prints the digest of every system it made, so that nobody has to believe that these were the same steps.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

Json = Any


def replay(options: dict[str, Json], calls: list[dict[str, Json]]) -> list[str]:
    """Do the calls; the digest of each system made, in order."""
    import numpy as np

    from netgain.budget import Budget
    from netgain.recipes.length import steps
    from netgain.recipes.length.options import options_of
    from netgain.records import Change, Examples, Feedback, Part, View

    numbers, made = options_of(options), list[Any]()

    def rng(call: dict[str, Json]) -> Any:
        return np.random.Generator(np.random.Philox(key=int(call["key"], 16)))

    for call in calls:
        if call["op"] == "start":
            made.append(steps.start(numbers, rng(call)).system)
        elif call["op"] == "propose":
            feedback = Feedback(Examples(call["inputs"], call["labels"]), call["shares"])
            view = View(made[call["parent"]], made[call["improver"]], call["state"], None, feedback, (),
                        Budget(**call["budget"]), rng(call), call["round"])  # fmt: skip
            steps.propose(numbers, view)
        elif call["op"] == "build":
            change = Change([Part("data", Examples(call["inputs"], call["labels"]))], call["state"])
            made.append(steps.build(numbers, made[call["parent"]], change, Budget(**call["budget"]), rng(call)))
        else:
            steps.answer(numbers, made[call["system"]], call["inputs"], Budget(**call["budget"]), rng(call))
    return [hashlib.sha256(steps.encode(system)).hexdigest() for system in made]


if __name__ == "__main__":
    asked = [json.loads(line) for line in Path(sys.argv[2]).read_text().splitlines()]
    sys.stdout.write(json.dumps(replay({"size": sys.argv[1]}, asked)) + "\n")
