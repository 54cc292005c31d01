"""Mechanisms that only a guard can find: found with the detector of a real study, over-claimed without it."""

from dataclasses import replace

import numpy as np
import pytest

from netgain import protecting
from netgain import suite as suites
from netgain.errors import ConfigError
from netgain.evaluation import asking_order
from netgain.executors import Reference
from netgain.executors.fence import version
from netgain.gauntlet import exploits, leaks, leftovers, lineage, sealed
from netgain.gauntlet.exploits import SCORER, as_scored, axis_of, refusal, sheet_of
from netgain.gauntlet.lineage import AXIS, draw_starts, run_arms, suite
from netgain.gauntlet.population import development
from netgain.gauntlet.studies import run_studies
from netgain.gauntlet.truth import truth_of
from netgain.gauntlet.world import LEFT, SCORERS, Asked, Conduct, Faults, World

SCANNED = leaks.scanned
PUBLIC = {one.name: one for one in development().mechanisms}
TASK = suite(1)[AXIS]


@pytest.fixture
def blind(monkeypatch):
    """What a scan that finds nothing finds, in place of what was kept of the real one."""
    return lambda: monkeypatch.setattr(leaks, "scanned", lambda reworded: nothing(reworded, monkeypatch))


def nothing(reworded, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(leaks, "Scanner", lambda suite: lambda documents: {})
        patched.setattr(leaks, "POOL", 20)
        return SCANNED.__wrapped__(reworded)


def words_of(name, *, place=4, studies=3):
    """Words of a few studies of a mechanism at one strength; its claim is false there."""
    world = PUBLIC[name].at(PUBLIC[name].grid[place])
    assert not truth_of(world, starts=50).bears(world)
    return [one.word for one in run_studies(world, studies, [1])]


def claimed(words):
    return sum(word.startswith("SUPPORTED") for word in words)


# --- Items in the loop's material: the scan of proposals -------------------------------------------------------------
@pytest.mark.parametrize("name", ["leaked sealed items", "contaminated self-data", "paraphrased sealed items"])
def test_items_in_the_material_of_a_loop_are_found_by_the_scan_and_by_nothing_else(name, blind):
    assert not claimed(words_of(name))
    blind()
    assert claimed(words_of(name)) >= 2


def test_a_scan_finds_copies_and_rewording_and_loses_other_words():
    shares = [leaks.scanned(rate).mean() for rate in (0.0, 0.1, 0.35, 0.7)]
    assert shares[0] == shares[1] == 1.0 and shares[2] > 0.95 and shares[3] < 0.12


def test_rewording_is_found_by_the_words_that_are_an_items_own(monkeypatch):
    monkeypatch.setattr(protecting.Reworded, "found", lambda self, document: frozenset())
    assert leaks.scanned.__wrapped__(0.35).mean() < 0.12
    assert 0.85 < leaks.scanned.__wrapped__(0.1).mean() < 0.97


def test_items_in_other_words_are_outside_the_wall():
    assert claimed(words_of("sealed items in other words")) >= 2
    assert PUBLIC["sealed items in other words"].kind == "outside"


def test_a_found_example_is_not_trained_on_and_a_found_memory_is_scored_for_nobody():
    place, found = np.array([[0.1, 0.1, 0.9]]), np.array([[True, False, True]])
    share = np.array([0.5])
    examples, memory = (leaks.Leaked(place, found, carrier) for carrier in ("examples", "memory"))
    assert examples.taught(share).tolist() == [[False, True, False]] and not examples.quarantined(share).any()
    assert memory.taught(share).tolist() == [[True, True, False]]
    assert memory.quarantined(share).tolist() == [[True, False, False]]


# --- Scorers: tested before a run, and by a second one ---------------------------------------------------------------
@pytest.fixture
def uncrossed(monkeypatch):
    """Scores without the question whether an answer passes for other items too."""
    exploits.leaves_out.cache_clear()
    monkeypatch.setattr(suites, "crossed", lambda *_: [])
    yield
    exploits.leaves_out.cache_clear()


@pytest.mark.parametrize("name", ["scorer exploit", "scorer that passes what it cannot read", "metric sum ≠ 1"])
def test_a_scorer_that_a_planted_cheat_passes_lets_no_study_begin(name, monkeypatch, uncrossed):
    assert set(words_of(name)) == {"NOT BEGUN"}
    monkeypatch.setattr(exploits, "require_sound", lambda findings: None)
    assert claimed(words_of(name)) >= 2


def test_a_hooked_scorer_beside_a_second_one_is_found_by_that_alone(uncrossed):
    assert not claimed(words_of("hooked scorer beside a second one"))


def test_a_hooked_scorer_alone_is_found_by_what_passes_for_other_items_too():
    assert not claimed(words_of("hooked scorer"))


def test_a_hooked_scorer_alone_is_found_by_nothing_else(uncrossed):
    assert claimed(words_of("hooked scorer")) >= 2


def test_two_scorers_leave_out_what_one_of_them_takes_for_right_and_one_sound_scorer_nothing(uncrossed):
    assert exploits.leaves_out("hooked", True) and not exploits.leaves_out("hooked", False)


# --- What a loop leaves for itself: workers ---------------------------------------------------------------------------
@pytest.mark.skipif(not version(), reason="no Landlock in this kernel: a file outside is found again")
@pytest.mark.parametrize("name", ["arm detection", "shared cache"])
def test_a_loop_finds_nothing_that_it_left_in_another_arm(name, monkeypatch):
    assert not claimed(words_of(name))
    assert leftovers.found_again(LEFT) == ()
    monkeypatch.setattr(lineage, "found_again", lambda places: places)
    assert claimed(words_of(name)) >= 2


def test_in_a_process_that_does_task_after_task_the_loop_finds_what_it_left(tmp_path, monkeypatch):
    """The same places, and workers without isolation: the detector is the process, and neither the world nor a name."""
    kept = tmp_path / "kept.py"
    kept.write_text("from dataclasses import replace\nfrom netgain.gauntlet import leftovers\n"
                    "loop = replace(leftovers.loop, apart=False)\n")  # fmt: skip
    monkeypatch.setattr(leftovers, "Reference", lambda target: Reference(f"{kept}:loop"))
    found = leftovers.found_again.__wrapped__(tuple(leftovers.PLACES))
    assert set(found) == {"module", "environment", "outside", "process"}  # each task still has folders of its own


def test_the_places_that_a_world_may_name_are_those_that_are_tried():
    assert tuple(leftovers.PLACES) == LEFT
    with pytest.raises(ConfigError, match="place"):
        World(conduct=Conduct(left=("under the carpet",)))


def test_each_scorer_takes_its_cheat_for_right_and_the_sound_one_does_not():
    assert tuple(SCORER) == SCORERS
    for name, one in SCORER.items():
        assert one.metric.score(one.says("ab"), "ab") == 1.0
        assert one.metric.score(one.says("not ab"), "ab") == 0.0
        assert one.metric.score(one.cheat("ab"), "ab") == (name != "exact")
    assert refusal(TASK, Faults()) == "" and "boast" in refusal(TASK, Faults(scorer="boastful"))


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("share", [0.01, 0.5])
def test_the_gate_scores_an_exploit_as_the_axis_does(second, share):
    """The gate's array against `suite.score_axis`, answer by answer: two scorers differ on too many items or not."""
    faults = Faults(scorer="hooked", second=second)
    rng = np.random.default_rng(3)
    answers = rng.random((4, 100)) < 0.4
    fast = as_scored(faults, answers, np.full(4, share), np.random.default_rng(5))
    cheated = ~answers & (np.random.default_rng(5).random(answers.shape) < share)
    items = [TASK.source.draw(f"{n:032x}", n) for n in range(100)]
    for start in range(4):
        scores, missing = sheet_of(axis_of(TASK, faults), items, answers[start], cheated[start])
        gone = np.logical_or.reduce([np.zeros(100, dtype=bool), *missing.values()])
        assert np.array_equal(np.isnan(fast[start]), gone)
        assert np.array_equal(fast[start][~gone], scores[~gone])


def test_two_detectors_in_one_world_take_nothing_from_each_other():
    """As a held-out population may combine them: what was quarantined stays so beside what two scorers see apart."""
    faults = Faults(scorer="hooked", second=True, exploit=0.4, leak=0.3, carrier="memory")
    world = World(faults=faults, asked=Asked(mode="watch"))
    starts = draw_starts(world, np.random.default_rng(1), 4, 1)
    ran = run_arms(world, starts, np.random.SeedSequence(1))
    _, status = sealed.ask(world, starts, ran, np.random.default_rng(2))["self", "served", AXIS].record(0)
    reasons = {why.partition(":")[0] for why in status.values()}
    assert reasons == {"scorers disagree", "quarantined"}


def test_an_exploit_needs_a_scorer_that_can_be_exploited():
    with pytest.raises(ConfigError, match="takes nothing else for right"):
        World(faults=Faults(exploit=0.1))


# --- Measurements that shift while arms are asked --------------------------------------------------------------------
def test_arms_are_asked_in_an_order_that_no_role_decides(monkeypatch):
    assert not claimed(words_of("harness drift"))
    last = [("self", "served")]
    monkeypatch.setattr(sealed, "asking_order", lambda asked, seed: [one for one in asked if one not in last] + last)
    assert claimed(words_of("harness drift")) >= 2


def test_the_order_of_asking_is_drawn_and_can_be_drawn_again():
    orders = [asking_order(["a", "b", "c"], str(seed)) for seed in range(60)]
    assert orders == [asking_order({"c", "b", "a"}, str(seed)) for seed in range(60)]
    assert {order[-1] for order in orders} == {"a", "b", "c"}


def test_a_world_without_these_faults_is_drawn_as_before():
    """Nothing new is drawn where nothing of it is asked: earlier figures stay what they are."""
    plain = World()
    asked = replace(plain, faults=replace(plain.faults, reworded=0.2, carrier="memory"))
    assert run_studies(plain, 2, [4]) == run_studies(asked, 2, [4])
