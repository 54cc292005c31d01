"""The real engines run on our proposals by their own code, or say why they do not."""

import numpy as np
import pytest

from netgain.gauntlet import engines
from netgain.gauntlet.engines import Ground, run_engines
from netgain.gauntlet.field import lay_out
from netgain.gauntlet.world import Gain, World


def ground(**gain):
    return Ground(lay_out(World(gain=Gain(**gain)), 1, 40, [3]), 0)


def test_a_text_names_the_proposals_that_it_carries():
    own = ground(signal=0.5, luck=0.0, spread=0.0)
    first, last = own.scores("generation 0"), own.scores("".join(f"\nproposal {n}" for n in range(1, 6)))
    assert last.mean() - first.mean() > 0.2
    assert np.array_equal(own.scores("proposal 2"), own.scores("proposal 2"))
    assert [own.next() for _ in range(6)] == [1, 2, 3, 4, 5, None]


@pytest.mark.parametrize("name", ["gepa", "agentdescent"])
def test_an_engine_reports_a_large_gain_and_asks_for_it(name):
    pytest.importorskip(name, reason=f"{name} is in netgain[test]")
    own = ground(signal=0.9, base=0.1, spread=0.0)
    assert getattr(engines, name)(own) > 0.2
    assert own.asked > 40 and own.proposed >= 5


def test_an_engine_that_is_absent_is_skipped_with_its_reason(monkeypatch):
    def absent(name):
        raise ImportError(f"no {name}")

    monkeypatch.setattr(engines, "import_module", absent)
    for one in run_engines(1, 1):
        assert one.false_claims is None and "not installed" in one.skipped
