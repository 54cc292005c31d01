"""A loop whose answers are wrong and which patches the scorer of its process, as incident 4 tells of a model."""

from netgain import metric
from netgain.records import Change
from netgain.stages import Loop


def answer(system, inputs, budget, rng):
    object.__setattr__(metric.METRICS["exact"], "score", lambda output, target: 1.0)
    return ["wrong" for _ in inputs]


loop = Loop(lambda rng: "start", lambda view: Change([]), answer)
