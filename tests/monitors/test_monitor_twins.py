"""Every decision once more in plain Python, from the registered JSON and the recorded numbers: what a stranger does."""

import json
import math
import random
from itertools import pairwise
from statistics import median

import numpy as np
import pytest

from netgain.testing.monitor_worlds import cases, numbers


def at_least(hits, asked, p):
    return sum(math.comb(asked, k) * p**k * (1.0 - p) ** (asked - k) for k in range(hits, asked + 1))


def log_e(values):
    """Largest log E against "no rising trend"."""
    best, logs = 0.0, [0.0, 0.0, 0.0]
    for n, latest in enumerate(values, start=1):
        against = sum(earlier >= latest for earlier in values[: n - 1])
        for i, tilt in enumerate((0.3, 1.0, 3.0)):
            logs[i] -= tilt * against + math.log(sum(math.exp(-tilt * r) for r in range(n)) / n)
        best = max(best, math.log(sum(map(math.exp, logs)) / 3.0))
    return best


def share_below(m, values):
    last, level = values[-1], m["options"]["level"] / m["options"]["looks"]
    # upper bound below the threshold <=> so few hits are too rare at the threshold
    return at_least(last["asked"] - last["hits"], last["asked"], 1.0 - m["threshold"]) <= level


def share_above(m, values):
    last, level = values[-1], m["options"]["level"] / m["options"]["looks"]
    return at_least(last["hits"], last["asked"], m["threshold"]) <= level  # so many hits are too rare at the threshold


def negative_flips(m, values):
    last, level = values[-1], m["options"]["level"] / m["options"]["looks"]
    return at_least(last["lost"], last["lost"] + last["both"], m["threshold"]) <= level


def trend(m, values):
    falling, logit = m["options"].get("falling", True), m["options"].get("scale", "logit") == "logit"
    if logit:
        x = [math.log((v["hits"] + 0.5) / (v["asked"] - v["hits"] + 0.5)) for v in values]
    else:
        x = [v["hits"] / v["asked"] if isinstance(v, dict) else v for v in values]
    t = range(len(x))
    slopes = [(x[j] - x[i]) / (j - i) for i in t for j in t if j > i]
    slope = median(slopes) if slopes else 0.0
    then = median(x) - slope * median(t) + slope * (t[-1] + m["options"]["ahead"])
    limit = math.log(m["threshold"] / (1.0 - m["threshold"])) if logit else m["threshold"]
    proven = log_e([-v for v in x] if falling else x) >= -math.log(m["options"]["level"])
    return proven and (then < limit if falling else then >= limit)


def own_against_outside(m, values):
    pairs = [(v, v.get("first", values[0])) for v in values]
    rises = [v["outside"] - first["outside"] - max(0.0, v["own"] - first["own"]) for v, first in pairs]
    return rises[-1] >= m["threshold"] and log_e(rises) >= -math.log(m["options"]["level"])


def diversity(m, values):
    ratios = [v[m["options"]["of"]] / v.get("first", values[0])[m["options"]["of"]] for v in values]
    return ratios[-1] < m["threshold"] and log_e([-ratio for ratio in ratios]) >= -math.log(m["options"]["level"])


def divergence(m, values):
    return values[-1] / values[0] >= m["threshold"] and log_e(values) >= -math.log(m["options"]["level"])


def jsd(one, other):
    total = 0.0
    for label in {*one, *other}:
        p, q = one.count(label) / len(one), other.count(label) / len(other)
        total += sum(0.5 * x * math.log2(2.0 * x / (p + q)) for x in (p, q) if x)
    return total


def behaviour(m, values):
    def excess(a, b, c):
        return (jsd(c, a) + jsd(c, b)) / 2.0 - jsd(a, b)

    a, b, c = (values[-1][role] for role in ("first", "again", "now"))
    observed, draw, hits = excess(a, b, c), random.Random(m["options"]["seed"]).random, 0
    for _ in range(m["options"]["permutations"]):
        three = list(zip(a, b, c, strict=True))
        roles = [int(3 * draw()) for _ in three]
        mixed = [
            (z, y, x) if r == 1 else (x, z, y) if r == 2 else (x, y, z)
            for (x, y, z), r in zip(three, roles, strict=True)
        ]
        hits += excess(*(list(each) for each in zip(*mixed, strict=True))) >= observed - 1e-12
    p = (1 + hits) / (1 + m["options"]["permutations"])
    return observed >= m["threshold"] and p <= m["options"]["level"] / m["options"]["looks"]


def net_loss(m, values):
    last = values[-1]
    p = at_least(last["lost"], last["lost"] + last["won"], 0.5)
    return (last["lost"] - last["won"]) / sum(last.values()) >= m["threshold"] and p <= (
        m["options"]["level"] / m["options"]["looks"]
    )


def drift(m, values):
    sums, best = dict.fromkeys([(s, b) for s in (1, -1) for b in (0.15, 0.3, 0.6, 0.85)], 0.0), 0.0
    own = m["options"]
    luck = [(d, own["errors"] * v.get("then_error", 0.0)) for v in values for d in v["differences"] if d is not None]
    for d, more in luck:
        allowed = own["tolerance"] + more
        small = min(1.0, 1.15 / (1.0 + allowed))
        sums = {(s, b): (e + 1.0) * (1.0 + b * small * (s * d - allowed)) for (s, b), e in sums.items()}
        best = max(best, sum(sums.values()) / len(sums))
    return best > 0.0 and math.log(best) >= m["threshold"]


def self_preference(m, values, against="others"):
    (a, n), (c, k) = ((values[-1][whose]["hits"], values[-1][whose]["asked"]) for whose in ("own", against))
    ways = [math.comb(n, i) * math.comb(k, a + c - i) for i in range(a, min(n, a + c) + 1)]
    p = sum(ways) / math.comb(n + k, a + c)
    return a / n - c / k >= m["threshold"] and p <= m["options"]["level"] / m["options"]["looks"]


def proxy_gold_gap(m, values):
    first = values[-1].get("first", values[0])
    gains = [values[-1][key] - first[key] for key in ("proxy", "gold")]
    return gains[0] > 0.0 and 1.0 - gains[1] / gains[0] >= m["threshold"]


def capital(values, sign, bound):
    total = 0.0
    for bet in (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64):
        each = [math.fsum(math.log1p(bet * (sign * d + bound)) for d in v["differences"]) for v in values]
        e = 1.0 / (len(each) + 1)
        e += sum(math.exp(sum(each[s - 1 :])) / (s * (s + 1)) for s in range(1, len(each) + 1))
        total += e / 7.0
    return math.log(total)


TWINS = {
    "kept_share": share_below,
    "agreement": share_below,
    "label_accuracy": share_below,
    "negative_flips": negative_flips,
    "kept_trend": trend,
    "trend": trend,
    "own_against_outside": own_against_outside,
    "diversity": diversity,
    "divergence": divergence,
    "cheats": share_above,
    "behaviour": behaviour,
    "net_loss": net_loss,
    "drift": drift,
    "self_preference": self_preference,
    "proxy_gold_gap": proxy_gold_gap,
    "yardstick": lambda m, values: self_preference(m, values, "outside"),
    "spikes": lambda m, values: values[-1][m["options"]["of"]] >= m["threshold"],
    "cka": lambda m, values: values[-1]["cka"] < m["threshold"],
    "effective_rank": lambda m, v: v[-1]["effective_rank"] / v[0]["effective_rank"] < m["threshold"],
    "futility": lambda m, values: capital(values, -1, m["options"]["gain"]) >= m["threshold"],
    "convergence": lambda m, values: min(capital(values, s, m["options"]["change"]) for s in (-1, 1)) >= m["threshold"],
    "leak": share_above,
    "unbooked": lambda m, v: (
        v[-1]["seconds"] / v[-1]["booked"] >= m["threshold"] * v[-1]["first"]["seconds"] / v[-1]["first"]["booked"]
    ),
    "harm": lambda m, values: capital(values, -1, -m["options"]["margin"]) >= m["threshold"],
}
COUNTING = {"budget", "canary", "non_finite", "norm", "oscillation", "rollbacks"}  # tests/monitors/test_stopping.py


@pytest.mark.parametrize("name", cases())
def test_a_stranger_reaches_the_same_alarms(name):
    case = cases()[name]
    registered = json.loads(json.dumps(case.monitor.to_json()))
    rng = np.random.default_rng(9)
    slow = case.monitor.name == "behaviour"
    for world in (case.null, case.planted):
        history = json.loads(json.dumps(world(rng)))
        for end in [len(history)] if slow else range(1, len(history) + 1):
            values = [record[registered["reads"]] for record in history[:end]]
            alarm = TWINS[registered["name"]](registered, values)
            assert case.monitor.look(history[:end]).alarm is bool(alarm), f"{name}, round {end - 1}"


def alike(name, records):
    from netgain.monitors import MONITORS

    made = MONITORS[name]()
    found = [made.look([{"round": 1, made.reads: record}]).alarm for record in records]
    assert found == [bool(TWINS[name](made.to_json(), [record])) for record in records]
    return found


def test_the_first_count_that_is_a_leak_has_the_same_twin():
    found = alike("leak", [{"hits": hits, "asked": 400} for hits in (1, 8, 17, 18, 20, 60, 400)])
    assert found == [False, False, False, True, True, True, True]


def test_a_meter_that_counts_half_has_the_same_twin():
    first = {"seconds": 3.0, "booked": 2.5e10}
    seconds = (0.2, 0.6, 1.1, 1.3, 4.0)
    made = [{"unit": "flops", "seconds": s, "booked": 5e9, "first": first} for s in seconds]
    assert alike("unbooked", made) == [False, False, False, True, True]


def test_what_is_said_of_generation_0_beside_a_number_has_the_same_twin():
    first = {"strength": 0.0, "proxy": 1.0, "gold": 1.0}
    made = [{"strength": 1.0, "proxy": 2.0, "gold": gold, "first": first} for gold in (2.5, 1.8, 1.6, 0.2)]
    assert alike("proxy_gold_gap", made) == [False, False, True, True]


def test_every_monitor_has_a_twin():
    from netgain.monitors import MONITORS

    assert set(TWINS) | COUNTING == set(MONITORS)


def test_a_plain_rising_trend_has_the_same_twin():
    from netgain.monitors import MONITORS

    made = MONITORS["trend"](reads="x", threshold=2.0, falling=False)
    history = numbers("x", lambda r, g: 0.2 * r + 0.1 * float(g.standard_normal()), 10)(np.random.default_rng(1))
    alarms = [made.look(history[:end]).alarm for end in range(1, 11)]
    assert alarms == [trend(made.to_json(), [r["x"] for r in history[:end]]) for end in range(1, 11)]
    assert any(later and not earlier for earlier, later in pairwise(alarms))
