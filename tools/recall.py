"""Prints the recall table of docs/contamination.md: planted, perturbed items, and what the rules find of them.

python tools/recall.py [SEED]     default 13; half a minute
"""

import sys

from netgain.testing.planted import ITEMS, RATES, recall


def main(seed: int) -> None:
    """Print one row per rule and one column per rate of replaced words."""
    found = [recall(rate, seed=seed) for rate in RATES]
    print(f"{ITEMS} items, seed {seed}")
    print("| Rule |" + "".join(f" {100 * rate:.0f} % |" for rate in RATES))
    print("|---|" + "---|" * len(RATES))
    rules = (("any run of 13 words", "any_13"), ("any run of 8 words", "any_8"), ("ours: blocked", "blocked"),
             ("ours: blocked or for review", "found"), ("ours, in a study: by own words", "own_words"))  # fmt: skip
    for name, field in rules:
        print(f"| {name} |" + "".join(f" {getattr(one, field):.3f} |" for one in found))
    print("| documents connected with a wrong item |" + "".join(f" {one.wrong} |" for one in found))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 13)
