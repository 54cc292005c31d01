"""A loop of your own in 25 lines: a linear rule edits itself by what it sees on development items."""

import numpy as np

import netgain as ng


def item(seed, index):  # one question and its answer, made from a seed
    x = np.random.default_rng(seed).normal(size=4)
    return x.tolist(), int(x @ [1.0, -2.0, 3.0, 0.5] > 0)


def right(rule, items):
    return np.mean([(np.dot(one["input"], rule) > 0) == one["target"] for one in items])


def edit(view):  # a random edit of whatever may be edited
    return ng.Change([ng.Part("policy", (np.array(view.parent) + 0.5 * view.rng.normal(size=4)).tolist())])


def propose(view):  # the best of twenty edits on development items; gate and sealed items are never in the view
    return max((edit(view) for _ in range(20)), key=lambda change: right(change.parts[0].payload, view.dev))


def answer(rule, inputs, budget, rng):
    return [int(np.dot(x, rule) > 0) for x in inputs]


loop = ng.Loop(lambda rng: [0.0, 0.0, 0.0, 0.0], propose, answer, random_search=edit, surfaces=["policy"])
suite = ng.Suite([ng.axis("right", item, gate_items=100, report_items=100, sealed_items=400)], dev_items=100)
claim = ng.Claim("right", 0.05, ["frozen", "random_search"], expected=0.2, starts="this generation 0")
study = ng.Study(loop, suite, ["self", "frozen", "random_search"], claim, replicas=6, rounds=6)

if __name__ == "__main__":
    print(study.run("studies/first"))
