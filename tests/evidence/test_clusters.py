"""One bet per cluster: means in one pass, clusters that wait until they are whole, and the level that this keeps."""

import math

import numpy as np
import pytest

from netgain.evidence.betting import log_capital
from netgain.evidence.clusters import cluster_means, cluster_starts


def test_means_are_those_of_a_loop_over_clusters():
    rng = np.random.default_rng(1)
    labels = [f"c{one}" for one in sorted(rng.integers(0, 12, 60))]
    d = rng.uniform(-1.0, 1.0, (3, 60))
    d[rng.random(d.shape) < 0.3] = np.nan
    found = cluster_means(d, cluster_starts(labels, ended=True))
    for stream, row in zip(d, found, strict=True):
        own = [
            np.array([x for x, name in zip(stream, labels, strict=True) if name == one])
            for one in sorted(set(labels), key=labels.index)
        ]
        expected = [np.nanmean(one) if not np.isnan(one).all() else np.nan for one in own]
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-12)


def test_the_last_cluster_waits_while_more_can_come():
    labels = ["a", "a", "b"]
    assert cluster_starts(labels, ended=False).tolist() == [0, 2]
    assert cluster_starts(labels, ended=True).tolist() == [0, 2, 3]
    assert cluster_means(np.array([1.0, 0.0, -1.0]), cluster_starts(labels, ended=False)).tolist() == [0.5]
    assert cluster_means(np.empty(0), cluster_starts([], ended=True)).shape == (0,)


def test_bets_already_placed_stay_as_they_are():
    rng = np.random.default_rng(2)
    labels, d = [f"c{i // 4}" for i in range(40)], rng.uniform(-1.0, 1.0, 40)
    whole = cluster_means(d, cluster_starts(labels, ended=True))
    for n in range(1, 40):
        part = cluster_means(d[:n], cluster_starts(labels[:n], ended=False))
        np.testing.assert_array_equal(part, whole[: part.size])


def test_a_cluster_that_comes_back_is_refused():
    with pytest.raises(ValueError, match="'a' comes back"):
        cluster_starts(["a", "b", "a"], ended=True)


def test_items_of_a_cluster_are_no_new_evidence():
    """statistics.md 2.4, 200 clusters of 10: one bet per item exceeds its level, one per cluster keeps it.

    Cluster effect sd .25, the rest of an item's difference sd .35, cut at 1 on both sides: true mean 0.
    """
    rng, streams = np.random.default_rng(3), 250
    effect = np.repeat(rng.normal(0.0, 0.25, (streams, 200)), 10, axis=1)
    d = np.clip(effect + rng.normal(0.0, 0.35, effect.shape), -1.0, 1.0)
    starts = cluster_starts([str(i // 10) for i in range(2000)], ended=True)
    three_sd = 3.0 * math.sqrt(0.05 * 0.95 / streams)
    wrong = {}
    for name, bets in (("item", d), ("cluster", cluster_means(d, starts))):
        path = log_capital(bets, null=0.0, gain=0.02, planned_second_moment=0.15)
        wrong[name] = (path.max(axis=1) >= math.log(20.0)).mean()
    assert wrong["cluster"] <= 0.05 + three_sd
    assert wrong["item"] > 0.05 + three_sd
