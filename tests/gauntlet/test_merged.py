"""A record made of parts says what one run of everything would have said, and each row its commit."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest

from netgain.errors import ConfigError
from netgain.gauntlet.campaign import run
from netgain.gauntlet.found import Size
from netgain.gauntlet.merged import _counted, earlier_of, merged
from netgain.gauntlet.outcome import record
from netgain.gauntlet.population import chosen, development
from netgain.gauntlet.rates import Rate
from netgain.gauntlet.sums import summed

HERE = Path(__file__).parents[2]
TINY = Size(studies=4, truth=30, rules=4, random=0, probe=0, again=0, real=0, engines=0)
SUMS = ("false_supported", "true_supported", "over_claim", "false_refuted", "invalid_honest", "netgain", "rules")
LONG_RUN = json.loads((HERE / "docs" / "error-rates.json").read_text(encoding="utf-8"))
FIRST, SECOND = ("no gain", "true gain, large", "boundary, one control"), ("hooked scorer", "scorer exploit")
ORDER = [one.name for one in development().mechanisms]


def measured(*names, commit):
    population = chosen(development(), names)
    few = replace(population, mechanisms=tuple(replace(one, grid=one.grid[3:5]) for one in population.mechanisms))
    return {**record(run(few, TINY, quick=True, seed=1, workers=1, whole=False)), "commit": commit, "command": "x"}


@pytest.fixture(scope="module")
def first():
    return measured(*FIRST, commit="aaaaaaa")


@pytest.fixture(scope="module")
def second():
    return measured(*SECOND, commit="bbbbbbb")


def older(record):
    """The same as records were before their rows carried counts of their own."""
    gone = ("honest", "rules", "begun", "commit")
    bare = {name: [{key: value for key, value in one.items() if key not in gone} for one in record[name]]
            for name in ("fakes", "genuine", "outside", "boundary")}  # fmt: skip
    return {**record, **bare}


def test_two_parts_say_what_one_run_says(first, second):
    whole, made = measured(*FIRST, *SECOND, commit="c"), merged(first, second, ORDER)
    for name in SUMS:
        assert made[name] == whole[name], name
    assert [one["mechanism"] for one in made["fakes"]] == [one["mechanism"] for one in whole["fakes"]]
    assert made["rules"] != first["rules"] and made["false_supported"]["n"] > first["false_supported"]["n"]


def test_each_row_has_the_commit_at_which_it_was_measured(first, second):
    made = merged(first, second, ORDER)
    found = {
        one["mechanism"]: one["commit"] for name in ("fakes", "genuine", "worst", "boundary") for one in made[name]
    }
    assert {name: found[name] for name in (*FIRST, *SECOND)} == {
        **dict.fromkeys(FIRST, "aaaaaaa"), **dict.fromkeys(SECOND, "bbbbbbb"),
    }  # fmt: skip
    again = merged(made, {**second, "commit": "ddddddd"}, ORDER)
    assert {one["commit"] for one in again["fakes"] if one["mechanism"] in SECOND} == {"ddddddd"}
    assert len(again["fakes"]) == len(made["fakes"]) and again["rules"] == made["rules"]


def test_a_record_whose_rows_carry_no_counts_is_summed_from_what_it_says(first, second):
    whole, made = merged(first, second, ORDER), merged(older(first), second, ORDER)
    for name in SUMS:
        if name != "rules":
            assert made[name] == whole[name], name
    for ours, theirs in zip(made["rules"], whole["rules"], strict=True):
        assert {key: ours[key] for key in ("id", "false_claims", "missed_gains")} == {
            key: theirs[key] for key in ("id", "false_claims", "missed_gains")
        }
        assert abs(ours["evaluations"] - theirs["evaluations"]) <= 1  # a mean that was recorded in whole answers


def test_what_an_old_record_does_not_say_apart_is_not_guessed(first):
    with pytest.raises(ConfigError, match="does not say apart what was counted on 'no gain'"):
        merged(older(first), first, ORDER)


def test_a_part_of_another_size_or_seed_is_refused(first, second):
    with pytest.raises(ConfigError, match="studies 4, and 204"):
        merged({**first, "size": {**first["size"], "studies": 204}}, second, ORDER)
    with pytest.raises(ConfigError, match="seed 1, and 2"):
        merged({**first, "seed": 2}, second, ORDER)
    with pytest.raises(ConfigError, match="unknown mechanism"):
        chosen(development(), ["no gains"])


def test_the_kept_record_is_the_sum_of_its_rows():
    others = [*LONG_RUN["outside"], *LONG_RUN["boundary"]]
    found = summed(LONG_RUN["fakes"], LONG_RUN["genuine"], others, earlier_of(LONG_RUN))
    for name in ("false_supported", "true_supported", "over_claim", "false_refuted", "invalid_honest"):
        assert found[name] == LONG_RUN[name], name
    for ours, theirs in zip(found["rules"], LONG_RUN["rules"], strict=True):
        assert (ours["id"], ours["false_claims"], ours["same_budget"]["missed_gains"]) == (
            theirs["id"], theirs["false_claims"], theirs["same_budget"]["missed_gains"],
        )  # fmt: skip


def test_the_page_has_a_commit_in_each_row_where_they_differ(first, second):
    spec = importlib.util.spec_from_file_location("make_error_rates", HERE / "tools" / "make_error_rates.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    made = tool.into(first, second)
    page = tool.page(made)
    assert "| no gain |" in page and page.count("| engine | aaaaaaa |") >= 1 and "| engine | bbbbbbb |" in page
    assert "hooked scorer, scorer exploit: measured at bbbbbbb" in page
    assert "| NOT BEGUN |" in page and "aaaaaaa" not in tool.page(first)


def test_a_rate_that_is_missing_is_no_count_of_zero():
    assert _counted(None, 0) == Rate(0, 0)
    assert _counted(0.25, 8) == Rate(2, 8)
    for rate in (None, 0.3):
        with pytest.raises(ConfigError, match="is none of 8 runs"):
            _counted(rate, 8)
