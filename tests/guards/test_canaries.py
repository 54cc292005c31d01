"""Keyed canaries: whose they are, how long they are a test, and how often the test of exposure errs."""

import math
from datetime import date

import numpy as np
import pytest

from netgain.errors import ConfigError
from netgain.guards import Canaries
from netgain.guards.canaries import first_line

SECRET, LAST = bytes(range(32)), date(2026, 6, 30)
OURS = Canaries(SECRET, "gate-1", LAST)
BEFORE, AFTER = date(2026, 6, 30), date(2026, 7, 1)


def states(text, today=BEFORE, canaries=OURS):
    return [one.state for one in canaries.sightings(text, today)]


def test_planted_lines_are_recognised_in_documents_and_outputs():
    text = "An output:\n" + "\n".join(f"# {line}." for line in OURS.lines())
    seen = OURS.sightings(text, BEFORE)
    assert [(one.group, one.line) for one in seen] == [(group, group + 2) for group in range(32)]
    assert set(states(text)) == {"live"} and first_line(text) == 2
    assert states("nothing") == [] and first_line("netgain-canary is a word") is None


def test_a_canary_expires_after_its_last_day_and_is_still_seen():
    assert states(OURS.lines()[0], BEFORE) == ["live"] and states(OURS.lines()[0], AFTER) == ["expired"]
    assert first_line(OURS.lines()[0]) == 1


def test_another_secret_release_day_or_code_is_foreign():
    line = OURS.lines()[3]
    others = [Canaries(bytes(32), "gate-1", LAST), Canaries(SECRET, "gate-2", LAST), Canaries(SECRET, "gate-1", AFTER)]
    assert [states(line, canaries=other) for other in others] == [["foreign"]] * 3
    later = line.replace("2026-06-30", "2027-06-30")  # moving the day breaks the code
    assert states(later) == ["foreign"] and states(line[:-1] + "g") == []
    assert states(line[:-1] + ("0" if line[-1] != "0" else "1")) == ["foreign"]
    moved = f"{OURS.prompt(4)} {line.split()[-1]}"
    assert states(moved) == ["foreign"] and states(line.replace(" 03 ", " 99 ")) == ["foreign"]


def test_a_code_that_was_never_planted_is_told_apart():
    choices, planted = OURS.choices(5), OURS.planted(5)
    assert len(set(choices)) == 8
    wanted = ["live" if number == planted else "unplanted" for number in range(8)]
    assert [states(f"{OURS.prompt(5)} {code}")[0] for code in choices] == wanted


def test_who_knows_the_release_is_found_and_who_guesses_is_not():
    known = OURS.exposure([OURS.planted(group) for group in range(32)], BEFORE)
    assert (known.hits, known.groups) == (32, 32) and known.p == pytest.approx(8.0**-32)
    some = OURS.exposure([OURS.planted(group) if group < 4 else None for group in range(32)], BEFORE)
    assert (some.hits, some.groups) == (4, 4) and some.p == pytest.approx(8.0**-4)
    silent = OURS.exposure([None] * 32, BEFORE)
    assert silent.p is None and silent.reason
    assert OURS.exposure([(OURS.planted(group) + 1) % 8 for group in range(32)], BEFORE).p == 1.0


def test_twelve_of_32_is_the_first_count_below_one_in_a_thousand():
    def p(hits):
        return OURS.exposure([(OURS.planted(group) + (group >= hits)) % 8 for group in range(32)], BEFORE).p

    exact = sum(math.comb(32, k) * 7 ** (32 - k) for k in range(12, 33)) / 8**32
    assert p(12) == pytest.approx(exact) and p(12) < 0.001 < p(11)


def test_false_alarms_are_as_rare_as_the_p_value_says():
    # 2,000 releases and a system that always prefers the first code: the secret is what makes it a fair draw.
    rng = np.random.default_rng(8)
    values = [Canaries(rng.bytes(32), "r", LAST, groups=16).exposure([0] * 16, BEFORE).p for _ in range(2000)]
    for level in (0.01, 0.05, 0.2):
        alarms = sum(value <= level for value in values)
        assert alarms <= 2000 * level + 4 * math.sqrt(2000 * level)
    assert np.mean([value <= 0.2 for value in values]) > 0.1  # and it can alarm


def test_after_its_last_day_there_is_no_test():
    with pytest.raises(ConfigError, match="were a test until 2026-06-30"):
        OURS.exposure([0] * 32, AFTER)


@pytest.mark.parametrize("preferred", [[0] * 31, [8] * 32, [-1] * 32])
def test_an_impossible_preference_is_refused(preferred):
    with pytest.raises(ConfigError):
        OURS.exposure(preferred, BEFORE)


@pytest.mark.parametrize("wrong", [{"secret": b"short"}, {"release": "Gate 1"}, {"groups": 0}, {"codes": 1}])
def test_canaries_that_would_protect_nothing_are_refused(wrong):
    with pytest.raises(ConfigError):
        Canaries(**{"secret": SECRET, "release": "r", "expires": LAST, **wrong})
