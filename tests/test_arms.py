"""Names of arms and what each changes, what a loop needs for it, and which controls a rung asks for."""

from dataclasses import fields, replace

import pytest

from netgain.arms import (
    GENERATION_0,
    NAMES,
    WORDS,
    Arm,
    arm_named,
    missing_piece,
    required_controls,
    runs_of,
    samples,
    spelled_out,
)
from netgain.errors import ConfigError
from netgain.stages import Filter, Loop
from netgain.testing.ladder import Ladder, answer

LOOP = replace(Ladder().loop(), filters=(Filter("own"), Filter("vote", ("filter",))), not_testable={})
BARE = Loop(Ladder().start, Ladder().propose, answer)
UNFILTERED = "unguarded:own.filter+unguarded:vote.filter"
RESET = {"parent": GENERATION_0, "improver": GENERATION_0, "position": GENERATION_0}
CHANGES = {
    "self": {"after_self": False},
    "stop:off": {"unwatched": ("*",)},
    "self_again": {"own_streams": True},
    "frozen": {"proposer": ""},
    "ordinary": {"proposer": "ordinary", "gate": "none"},
    "random_search": {"proposer": "random_search", **RESET},
    "random_proposer": {"proposer": "random_proposer"},
    "random_gate": {"gate": "random"},
    "sampled": {"proposer": "", "tries": True},
    "sampled:16": {"proposer": "", "tries": True, "attempts": 16},
    "one_step": {"one_long_step": True},
    "flat": RESET,
    "stacked": {"improver": GENERATION_0},
    "improver_only": {"parent": GENERATION_0},
    "placebo": {"channel": "placebo"},
    "ungated": {"gate": "watch"},
    "unaided": {"proposer": "unaided"},
    "oracle": {"channel": "oracle"},
    "shuffled": {"channel": "shuffled"},
    "unguarded:own.filter": {"disabled": (("own", "filter"),)},
    "unguarded:own.pace": {"disabled": (("own", "pace"),)},
    "unguarded:own": {"disabled": (("own", "filter"), ("own", "pace"))},
    "unguarded:vote": {"disabled": (("vote", "filter"),)},
    "unguarded:vote+unguarded:own.pace": {"disabled": (("own", "pace"), ("vote", "filter"))},
    "without:weights": {"closed": ("weights",)},
    "without:weights+without:data": {"closed": ("data", "weights")},
    "stacked+placebo": {"improver": GENERATION_0, "channel": "placebo"},
    "unguarded:own.pace+ungated": {"disabled": (("own", "pace"),), "gate": "watch"},
    "unguarded:own.filter+unguarded:own.pace": {"disabled": (("own", "filter"), ("own", "pace"))},
    "unguarded:old.gate": {"waived": ("old",)},
    "unguarded:old+unguarded:vote": {"waived": ("old",), "disabled": (("vote", "filter"),)},
}
GUARDS = ("old", "sure")


@pytest.mark.parametrize("name", CHANGES)
def test_an_arm_is_the_loop_but_for_its_own_intervention(name):
    arm = arm_named(name, LOOP, GUARDS)
    both = {one.name: (getattr(arm, one.name), getattr(Arm(name), one.name)) for one in fields(Arm)}
    assert {field: found for field, (found, default) in both.items() if found != default} == CHANGES[name]
    assert arm.name == arm.run_name == name


def test_every_arm_that_has_a_name_is_tested_here_and_has_words():
    plain = {name for name in NAMES if ":" not in name} | {"stop:off"}
    assert plain == {name for name in CHANGES if "+" not in name and ":" not in name} | {"stop:off"}
    assert plain == set(WORDS)
    assert {"stop:off"} < set(NAMES) and "stop:off" in CHANGES


def test_only_the_loop_itself_runs_first():
    assert [name for name in CHANGES if not arm_named(name, LOOP, GUARDS).after_self] == ["self"]


@pytest.mark.parametrize("name", ["slef", "", "stacked+", "without:", "unguarded", "unguarded:"])
def test_an_unknown_arm_is_an_error_that_lists_the_known_ones(name):
    with pytest.raises(ConfigError) as error:
        arm_named(name, LOOP)
    assert all(known in str(error.value) for known in NAMES)


@pytest.mark.parametrize("name", ["cycle", "cycle.filter", "vote.pace", "own.gate"])
def test_an_unknown_check_or_use_is_an_error_that_lists_those_of_the_loop(name):
    with pytest.raises(ConfigError) as error:
        arm_named(f"unguarded:{name}", LOOP)
    for known in ("unguarded:own.filter", "unguarded:own.pace", "unguarded:vote.filter"):
        assert known in str(error.value)


def test_a_loop_without_checks_says_that_there_is_none_to_disable():
    with pytest.raises(ConfigError, match="no checks"):
        arm_named("unguarded:own", BARE)


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("ordinary", "`ordinary`"), ("random_proposer", "`random_search`"), ("flat", "`state`"),
        ("stacked", "`state`"), ("one_step", "`state`"), ("improver_only", "`state`"),
        ("placebo", "`filters`"), ("shuffled", "`filters`"), ("oracle", "`filters`"),
        ("stacked+placebo", "`state`"),
    ],
)  # fmt: skip
def test_what_a_loop_lacks_for_an_arm_is_named(name, piece):
    assert piece in missing_piece(arm_named(name, BARE), BARE)
    assert missing_piece(arm_named(name, LOOP), LOOP) is None


def test_what_people_decide_has_a_default_only_where_people_decide():
    assert "nobody decides" in missing_piece(arm_named("unaided", LOOP), LOOP)
    aided = replace(LOOP, unaided=LOOP.propose)
    assert missing_piece(arm_named("unaided", aided), aided) is None


def test_a_surface_is_closed_only_to_a_proposal_that_can_do_without_it():
    assert missing_piece(arm_named("without:weights+without:data", LOOP), LOOP) is None
    stuck = replace(LOOP, closable=("data",))
    assert "without weights" in missing_piece(arm_named("without:weights+without:data", stuck), stuck)
    everything = "+".join(f"without:{name}" for name in LOOP.surfaces)
    assert "`frozen`" in missing_piece(arm_named(everything, LOOP), LOOP)


def test_closed_surfaces_have_one_order_whatever_the_name_says():
    one, other = (arm_named(name, LOOP) for name in ("without:data+without:weights", "without:weights+without:data"))
    assert one.closed == other.closed


def test_a_surface_that_the_loop_does_not_have_cannot_be_closed():
    with pytest.raises(ConfigError, match="'data', 'curriculum', 'weights'"):
        arm_named("without:policy", LOOP)
    with pytest.raises(ConfigError, match="closable"):
        replace(LOOP, closable=("policy",))


def test_an_oracle_needs_the_truth_and_not_only_a_check():
    loop = replace(LOOP, oracle=None)
    assert "`oracle`" in missing_piece(arm_named("oracle", loop), loop)
    assert missing_piece(arm_named("placebo", loop), loop) is None


@pytest.mark.parametrize("name", ["self", "self_again", "frozen", "random_search", "sampled", "random_gate", "ungated"])
def test_any_loop_supports_the_arms_that_need_nothing_of_it(name):
    assert missing_piece(arm_named(name, BARE), BARE) is None


def test_a_loop_may_say_itself_why_it_has_no_such_control():
    loop = replace(LOOP, not_testable={"flat": "it makes no sense here"})
    assert missing_piece(arm_named("flat", loop), loop) == "it makes no sense here"
    assert missing_piece(arm_named("stacked", loop), loop) is None


def test_a_menu_is_one_run_for_each_entry_and_anything_else_is_one_run():
    runs = runs_of(arm_named("ordinary", LOOP), LOOP)
    assert [run.run_name for run in runs] == ["ordinary.restarts", "ordinary.long"]
    assert {run.name for run in runs} == {"ordinary"}
    assert [run.run_name for run in runs_of(arm_named("ordinary", LOOP), replace(LOOP, ordinary=LOOP.propose))] == [
        "ordinary.plain"
    ]
    assert runs_of(arm_named("flat", LOOP), LOOP) == (arm_named("flat", LOOP),)


def test_a_rung_asks_for_the_controls_of_those_below_it_and_more():
    needed = {rung: required_controls(rung, (), LOOP) for rung in ("R1", "R2", "R4", "R5")}
    assert needed["R1"] == ("frozen",)
    assert needed["R2"] == needed["R4"] == ("frozen", "ordinary", "placebo", UNFILTERED)
    assert needed["R5"] == ("frozen", "ordinary", "placebo", UNFILTERED, "flat", "one_step")


def test_beside_the_placebo_stands_the_loop_without_the_filters_of_all_its_checks():
    checks = [Filter("a"), Filter("b", ("pace",)), Filter("c", ("filter",))]
    loop = replace(LOOP, filters=checks)
    assert "unguarded:a.filter+unguarded:c.filter" in required_controls("R2", (), loop)
    assert arm_named("unguarded:a.filter+unguarded:c.filter", loop).disabled == (("a", "filter"), ("c", "filter"))
    for none in ([], [Filter("b", ("pace",))]):
        assert not any(":" in name for name in required_controls("R2", (), replace(LOOP, filters=none)))


def test_an_improver_that_is_changed_is_compared_with_random_changes():
    needed = required_controls("R2", (), replace(LOOP, closable=(), surfaces=("data", "improver")))
    assert "random_proposer" in needed
    assert "random_search" not in needed


@pytest.mark.parametrize("surface", ["training", "architecture", "policy", "tools"])
def test_a_surface_that_can_be_searched_asks_for_a_search_control(surface):
    assert "random_search" in required_controls("R2", (), replace(LOOP, closable=(), surfaces=("data", surface)))
    assert "random_search" not in required_controls("R1", (), replace(LOOP, closable=(), surfaces=("data", surface)))


@pytest.mark.parametrize("name", ["sampled:1", "sampled:0", "sampled:-4", "sampled:x", "sampled:", "sampled:4097"])
def test_a_number_of_tries_that_makes_no_sense_is_refused(name):
    with pytest.raises(ConfigError, match="expected 2 to 4096 tries"):
        arm_named(name, LOOP)


def test_only_plain_search_counts_as_such():
    assert samples("sampled") and samples("sampled:4")
    assert not any(map(samples, ("sampled+placebo", "frozen", "resampled:4", "self")))


SURFACES = ("data", "weights", "policy")


def test_subsets_stand_for_every_arm_that_shares_of_surfaces_need():
    pairs = ["without:data+without:weights", "without:data+without:policy", "without:weights+without:policy"]
    singles = [f"without:{one}" for one in SURFACES]
    full = spelled_out(("self", "subsets:data,weights,policy"), SURFACES)
    assert full == ("self", *singles, *pairs, "frozen"), "with every surface closed it is `frozen`"
    four = spelled_out(("subsets:data, weights", "without:data"), (*SURFACES, "tools"))
    assert four == (*singles[:2], pairs[0]), "a name stands once"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("subsets:data", "1 surfaces"), ("subsets:data,data", "1 of them different"), ("subsets:", "''"),
        ("subsets:data,tols", "tools"),
    ],
)  # fmt: skip
def test_subsets_of_what_is_no_surface_are_refused(name, said):
    with pytest.raises(ConfigError, match=said):
        spelled_out((name,), (*SURFACES, "tools"))
