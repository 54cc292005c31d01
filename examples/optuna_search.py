"""A search by Optuna beside as many random draws: what a kernel's width and penalty are worth on new points."""

import numpy as np

import netgain as ng
from netgain.integrations.tuning import Tuning


def points(count, rng):  # the inside of a flower is 1; a tenth of the labels is wrong
    x = rng.uniform(-1, 1, (count, 2))
    inside = np.hypot(*x.T) < 0.6 + 0.25 * np.cos(5 * np.arctan2(*x.T))
    return x, inside ^ (rng.random(count) < 0.1)


def fitted(found, x, y, asked):  # kernel ridge regression of the labels
    def kernel(a, b):
        return np.exp(-found["width"] * ((a[:, None] - b[None]) ** 2).sum(-1))

    weights = np.linalg.solve(kernel(x, x) + found["penalty"] * np.eye(len(x)), 2.0 * y - 1)
    return kernel(asked, x) @ weights > 0


def objective(trial):  # as for Optuna: accuracy on half of some points of its own, fitted to the other half
    found = {name: trial.suggest_float(name, 1e-3, 1e3, log=True) for name in ("width", "penalty")}
    x, y = points(160, np.random.default_rng(np.random.randint(1 << 30)))
    return float((fitted(found, x[:80], y[:80], x[80:]) == y[80:]).mean())


def answer(found, inputs):
    return [bool(one) for one in fitted(found, *points(80, np.random.default_rng(0)), np.array(inputs))]


def item(seed, index):
    x, y = points(1, np.random.default_rng(seed))
    return x[0].tolist(), bool(y[0])


loop = Tuning(objective, answer, {"width": 0.01, "penalty": 100.0}, trials=5).loop()
suite = ng.Suite([ng.axis("right", item, gate_items=100, report_items=100, sealed_items=400)])
claim = ng.Claim("right", 0.02, ["frozen", "random_search"], starts="this generation 0")
study = ng.Study(loop, suite, ["self", "frozen", "random_search"], claim, replicas=6, rounds=4)

if __name__ == "__main__":
    print(study.run("studies/search"))
