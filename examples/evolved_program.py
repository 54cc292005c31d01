"""A program that is edited at random: every candidate runs in a sandbox, and is scored outside of it."""

import re

import numpy as np

import netgain as ng
from netgain.metric import METRICS
from netgain.sandbox.judge import Judge
from netgain.sandbox.server import ForkServer

FIRST = "def solve(x):\n    return int(0 * x[0] - 0 * x[1] + 0 * x[2] > 0)"
judge = Judge(backend=ForkServer())  # started when it is first asked; no target goes in, no score comes out


def item(seed, index):  # one question and its answer, made from a seed
    x = np.random.default_rng(seed).integers(-9, 10, 3)
    return x.tolist(), int(3 * x[0] - 2 * x[1] + x[2] > 0)


def right(source, items):  # an invalid program, and an input that it fails on, count as wrong
    scored = judge.score(source, items, METRICS["exact"])
    return np.mean([value or 0.0 for value in scored.values])


def edit(view):  # one or two characters, which may well break the program
    text = list(view.parent)
    places = [found.start() for found in re.finditer("[0-9+-]", view.parent)]
    for place in view.rng.choice(places, view.rng.integers(1, 3)):
        text[place] = str(view.rng.choice(list("+-" if text[place] in "+-" else "0123456789")))
    return ng.Change([ng.Part("policy", "".join(text))])


def propose(view):  # the best of twenty edits on development items
    return max((edit(view) for _ in range(20)), key=lambda change: right(change.parts[0].payload, view.dev))


loop = ng.Loop(lambda rng: FIRST, propose, judge.answer, random_search=edit, surfaces=["policy"],
               gate="advance", sandbox=2, ready=judge.ready)  # fmt: skip
suite = ng.Suite([ng.axis("right", item, gate_items=200, report_items=50, sealed_items=300, moment=0.3)],
                 design_gain=0.15, dev_items=80)  # fmt: skip
claim = ng.Claim("right", 0.05, ["frozen", "random_search"], expected=0.3, starts="this generation 0")
study = ng.Study(loop, suite, ["self", "frozen", "random_search"], claim, replicas=6, rounds=5)

if __name__ == "__main__":
    print(study.run("studies/evolved"))
