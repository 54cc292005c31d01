"""All candidates of the claimed arm reviewed together, after the run: which are better than what was then released.

The gate bounds the chance of any false promotion in a run, one candidate at a time. Whoever looks back on all starts
asks another question: how many of these many candidates were false. e-BH (Wang & Ramdas, JRSS-B 2022) answers it on the
stopped e-values of the same release tests, at any dependence. It promotes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netgain.evidence.spending import e_bh
from netgain.report.figures import counted, named, percent
from netgain.report.reading import Reading

Json = Any


def said(reading: Reading) -> list[str]:
    """The review in one sentence; nothing where no candidate was judged."""
    tests = [(one["outcome"], test) for one in reading.decisions(reading.arm) for test in _release(one)]
    if not tests:
        return []
    if any(test["form"] == "exact" for _, test in tests):
        return ["A review of all candidates together needs e-values, which the exact test of this gate does not give."]
    plan = reading.facts.registration["contract"]["gate"]
    log_e = np.array([test["log_e"] - plan["log_raise"] for _, test in tests], dtype=np.float64)
    better = e_bh(log_e, float(plan["level"]))
    promoted = np.array([outcome == "promote" for outcome, _ in tests])
    return [
        f"Reviewed together (e-BH on the release tests of {counted(len(tests), 'candidate')} of {named(reading.arm)} "
        f"in all starts), {int(better.sum())} are better than what was then released, at a false discovery rate of at "
        f"most {percent(plan['level'])}; {int((better & ~promoted).sum())} of them the gate had not promoted, and "
        f"{int((promoted & ~better).sum())} that it promoted are not among them."
    ]


def _release(decision: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    return [one for one in decision["tests"] if one["kind"] == "release" and one["pairs"]]
