"""Exact bounds of shares and Fisher's test, against scipy; levels shared over looks."""

import pytest
from scipy.stats import binomtest, fisher_exact

from netgain.monitors import MONITORS
from netgain.monitors.agreement import alike, majority_share
from netgain.monitors.bounds import Share, lower_bound, spent_at, upper_bound
from netgain.monitors.raters import fisher


@pytest.mark.parametrize(("hits", "asked"), [(0, 10), (1, 10), (9, 10), (10, 10), (37, 100), (1900, 2000)])
@pytest.mark.parametrize("level", [0.05, 0.0025])
def test_bounds_are_clopper_pearson(hits, asked, level):
    for alternative, ours in (("greater", lower_bound), ("less", upper_bound)):
        theirs = binomtest(hits, asked, alternative=alternative).proportion_ci(1.0 - level)
        wanted = theirs.low if alternative == "greater" else theirs.high
        assert ours(hits, asked, level) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("counts", [(8, 20, 2, 30), (0, 5, 0, 5), (5, 5, 1, 9), (1, 4, 9, 10)])
def test_fisher_is_scipys(counts):
    a, n, c, m = counts
    theirs = fisher_exact([[a, n - a], [c, m - c]], alternative="greater").pvalue
    assert fisher(Share(a, n), Share(c, m)) == pytest.approx(theirs, rel=1e-9)


def test_a_level_is_shared_and_runs_out():
    assert spent_at(20, level=0.05, looks=20) == pytest.approx(0.0025)
    kept = MONITORS["kept_share"](looks=2)
    history = [{"round": r, "kept": {"hits": 1, "asked": 100}} for r in range(3)]
    assert kept.look(history[:2]).alarm is True
    late = kept.look(history)
    assert late.alarm is None and "registered looks" in late.reason


def test_a_slice_of_100_labels_alarms_at_80_right_ones_or_fewer():
    audit = MONITORS["label_accuracy"]()
    alarms = [k for k in range(101) if audit.look([{"round": 0, "audit": {"hits": k, "asked": 100}}]).alarm]
    assert alarms == list(range(max(alarms) + 1)) and max(alarms) == 80


def test_nothing_asked_is_no_share():
    for wrong in ({"hits": 0, "asked": 0}, {"hits": 3, "asked": 2}, {"hits": 0.5, "asked": 2}):
        assert MONITORS["kept_share"]().look([{"round": 0, "kept": wrong}]).alarm is None


def test_silence_is_no_agreement():
    assert alike([["a", None, "c"], ["a", None, "d"]]) == {"hits": 1, "asked": 3}
    assert majority_share([["a", "b", None], ["a", "c", None], ["b", "c", "x"]]) == pytest.approx(
        (2 / 3 + 2 / 3 + 1 / 3) / 3
    )
    for wrong in ([["a"]], [["a"], ["a", "b"]]):
        with pytest.raises(ValueError, match="two or more"):
            alike(wrong)
