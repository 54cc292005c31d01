"""Incidents of classes B and D of docs/incidents.md: feedback of one's own that spoils, and later edits that do."""

from incidents.small import verdict
from netgain.monitors import MONITORS
from netgain.monitors.flips import flips


def history(key, values):
    return [{"round": n, key: value} for n, value in enumerate(values)]


def first_alarm(monitor, key, values):
    """First round with an alarm; None without one."""
    told = history(key, values)
    return next((n for n in range(len(told)) if monitor.look(told[: n + 1]).alarm), None)


def shares(*hits, of=100):
    return [{"hits": one, "asked": of} for one in hits]


def test_12_copies_of_one_start_are_one_start():
    """Detector: `one_start`, from equal digests of generation 0. Who copied whom among people is not seen."""
    assert (verdict().word, verdict(one_start=True).word) == ("SUPPORTED", "INCONCLUSIVE")


def test_22_labels_by_majority_that_go_wrong_as_tasks_harden():
    """Detector: the monitor `label_accuracy` on a slice with true labels; the majority itself stays sure."""
    assert first_alarm(MONITORS["label_accuracy"](), "audit", shares(98, 95, 91, 79, 63)) == 3
    assert first_alarm(MONITORS["agreement"](), "agreement", shares(95, 96, 96, 97, 97)) is None
    assert first_alarm(MONITORS["label_accuracy"](), "audit", shares(98, 97, 98, 96, 97)) is None


def test_23_an_avalanche_is_seen_outside_the_distribution_and_not_inside():
    """Detectors: the monitors `net_loss`, on items that are longer than those trained on, and `kept_share`."""
    inside = flips([1] * 200, [1] * 200)
    outside = [flips([1] * 150 + [0] * 50, [1] * (150 - lost) + [0] * (50 + lost)) for lost in (0, 2, 12, 60)]
    assert first_alarm(MONITORS["net_loss"](), "flips", [inside] * 4) is None
    assert first_alarm(MONITORS["net_loss"](), "flips", outside) == 2
    assert first_alarm(MONITORS["kept_share"](), "kept", shares(80, 75, 60, 20)) == 3


def test_30_later_edits_that_damage_earlier_ones():
    """Detectors: `net_loss` on the old tasks, and the guard axis that R4 holds against generation 0 at the end."""
    old = [flips([1] * 100, [1] * (100 - lost) + [0] * lost) for lost in (0, 4, 15, 30)]
    assert first_alarm(MONITORS["net_loss"](), "flips", old) == 2
    damaged = verdict(rung="R4", guards={"old tasks": (0.05, [-0.3] * 6)})
    assert damaged.word == "INCONCLUSIVE" and damaged.rung == "R2"
    assert verdict(rung="R4").word == "SUPPORTED"
