"""A script without torch that learns from its own labels: a cut between two clouds on a line, which move a little."""

import numpy as np

import netgain as ng


def points(count, shift):  # drawn from the global generator, as scripts do
    side = np.random.randint(2, size=count)
    return 2.0 * side - 1.0 + shift + 0.3 * np.random.normal(size=count), side


def start():
    return {"cut": 0.0}


def label(rule, round):
    x, _ = points(60, 0.2 * round)
    return x, (x > rule["cut"]).astype(int), abs(x - rule["cut"]) > 0.3


def train(rule, x, y, budget):
    budget.spend(tokens=len(x))
    return {"cut": float((x[y == 1].mean() + x[y == 0].mean()) / 2)}


def plain(rule, budget):
    return train(rule, *points(60, 0.0), budget)


def answer(rule, inputs):
    return [int(x > rule["cut"]) for x in inputs]


def item(seed, index):
    np.random.seed(seed % (1 << 32))
    x, y = points(1, 1.0)
    return float(x[0]), int(y[0])


suite = ng.Suite([ng.axis("right", item, gate_items=40, report_items=20, sealed_items=60)], block=40, max_pairs=80)
script = ng.Script(start, label=label, train=train, plain=plain, answer=answer)
study = ng.record(script, suite, by=0.05, rounds=2, replicas=2)
