"""One run from a population to its record, its words and its page."""

import json
import re
from dataclasses import replace

import pytest

from netgain.cli import main
from netgain.gauntlet import small
from netgain.gauntlet.campaign import _measure, run
from netgain.gauntlet.found import LONG, QUICK, Size, spread
from netgain.gauntlet.kept import Kept, mechanism_of
from netgain.gauntlet.outcome import in_words, record, targets
from netgain.gauntlet.page import render
from netgain.gauntlet.picture import OURS, rows_of
from netgain.gauntlet.population import development

TINY = Size(studies=6, truth=30, rules=2, random=1, probe=1, again=2, real=0, engines=0)
CHOSEN = ("no gain", "compute only", "hooked scorer", "true gain, large", "boundary, one control", "hidden teacher")
FEW = replace(TINY, rules=0, random=0, again=0)


def chosen(*names):
    """Some mechanisms of the public population, at two of their strengths."""
    public = development()
    kept = tuple(replace(one, grid=one.grid[2:4]) for one in public.mechanisms if one.name in names)
    return replace(public, mechanisms=kept)


@pytest.fixture(scope="module")
def found():
    return record(run(chosen(*CHOSEN), TINY, quick=True, seed=1, workers=1))


def test_sizes_are_those_that_were_asked_for():
    assert QUICK.studies == 60 and LONG.studies >= 200
    assert (LONG.truth, LONG.random, LONG.real) == (10_000, 200, 20)
    assert spread(60, 6) == [10] * 6 and sum(spread(7, 6)) == 7


def test_the_record_has_the_fields_of_its_schema(found):
    assert found["schema"] == "netgain.gauntlet/1"
    assert {"replicas", "seed", "fakes", "genuine", "false_supported", "true_supported", "rules", "worst", "boundary",
            "power", "over_claim", "false_refuted", "invalid_honest"} <= set(found)  # fmt: skip
    for one in (*found["fakes"], *found["genuine"]):
        assert {"mechanism", "n", "supported", "words"} <= set(one)
        assert sum(one["words"].values()) == one["n"] == 6
    assert set(found["false_supported"]) >= {"rate", "upper95"}
    assert set(found["true_supported"]) >= {"rate", "lower95"}
    assert [one["id"] for one in found["rules"]] == [f"K{n}" for n in range(1, 34)]
    assert set(found["rules"][0]) >= {"id", "name", "false_claims", "missed_gains", "evaluations"}
    json.dumps(found, allow_nan=False)


def test_a_null_has_its_reason_beside_it(found):
    def nulls(record):
        if isinstance(record, dict):
            for name, value in record.items():
                assert value is not None or f"{name}_reason" in record, name
                nulls(value)
        for value in record if isinstance(record, list) else ():
            nulls(value)

    nulls({name: value for name, value in found.items() if name != "rules"})


def test_what_has_a_detector_counts_and_what_is_outside_does_not(found):
    assert {one["detector"] for one in found["fakes"]} == {"engine"}
    assert found["false_supported"]["n"] == 18  # three mechanisms of six studies
    assert [one["mechanism"] for one in found["outside"]] == ["hidden teacher"]


def test_the_worst_configuration_is_measured_again_on_fresh_seeds(found):
    worst = {one["mechanism"]: one for one in found["worst"]}
    assert worst["compute only"]["fresh_seeds"] and worst["compute only"]["n"] == 2


def test_numbers_do_not_depend_on_the_number_of_workers():
    runs = [record(run(chosen("no gain", "memorised benchmark"), FEW, quick=True, seed=1, workers=n)) for n in (1, 2)]
    for one in runs:
        one.pop("seconds")
    assert runs[0] == runs[1]


def test_a_missed_target_is_said(found):
    assert all(met for _, met, _ in targets({**found, "false_refuted": {"rate": 0.0}})[3:4])
    missed = {what: met for what, met, _ in targets({**found, "false_refuted": {"rate": 0.2, "n": 5}})}
    assert not missed["false REFUTED at most 5 %"]
    bad = {**found["worst"][0], "detector": "engine", "rate": 0.5, "upper95": 0.6}
    assert not targets({**found, "worst": [bad]})[1][1]
    assert "MISSED" in in_words({**found, "false_refuted": {**found["false_refuted"], "rate": 0.2}})


def test_the_page_has_no_script_and_asks_nobody(found):
    page = render(found)
    assert page == render(found)
    assert not re.search(r"<script|https?://(?!www\.w3\.org)|src=|url\((?!#)", page)
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    rows = rows_of(found)
    assert rows[0].name == OURS and len(rows) == 34
    assert all(f"{one['id']} {one['name']}" in page for one in found["rules"])
    wrong = [row.wrong for row in rows[1:]]
    assert wrong == sorted(wrong)


def test_the_command_prints_one_object_and_books_the_look(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("netgain.cli.measuring.QUICK", FEW)
    path = tmp_path / "mine.json"
    one = {"mechanism": "x", "kind": "fake", "class": "N", "strength": ["gain.luck"],
           "grid": [0.01, 0.02, 0.03, 0.04, 0.05, 0.06], "world": {}}  # fmt: skip
    path.write_text(json.dumps({"schema": "netgain.population/1", "name": "mine", "mechanisms": [one]}))
    page = tmp_path / "gauntlet.html"
    asked = ["gauntlet", "--quick", "--json", "--population", str(path), "--page", str(page), "--workers", "1"]
    assert main.main(asked, standalone_mode=False) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["population"]["looks"] == 1 and found["population"]["held_out"]
    assert "opening 1" in printed.err
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_page_that_cannot_be_written_costs_no_figures(found, tmp_path, capsys):
    from netgain.cli.measuring import _written

    assert _written(found, tmp_path / "absent" / "gauntlet.html") == "no page"
    assert "no page" in capsys.readouterr().err


def test_a_wrong_population_is_the_callers_mistake(tmp_path, capsys):
    path = tmp_path / "wrong.json"
    path.write_text("{}")
    assert main.main(["gauntlet", "--population", str(path), "--json"], standalone_mode=False) == 2
    assert json.loads(capsys.readouterr().out)["error"] == "ConfigError"


@pytest.mark.nightly
def test_a_small_real_loop_gets_its_word_and_verify_agrees():
    genuine, fake = (small.run_loop(name, 1) for name in small.QUICK_KINDS)
    assert genuine.disagreed == fake.disagreed == 0
    assert "INVALID" not in {**genuine.words, **fake.words}
    assert not any(word.startswith("SUPPORTED") for word in fake.words)


def test_a_killed_run_goes_on_where_it_was_and_ends_the_same(tmp_path, monkeypatch):
    two, kept = chosen("no gain", "memorised benchmark"), Kept(tmp_path / "kept")
    whole = record(run(two, FEW, quick=True, seed=1, workers=1))
    calls = []

    def measured(mechanism, size, seed):
        calls.append(mechanism.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return _measure(mechanism, size, seed)

    monkeypatch.setattr("netgain.gauntlet.campaign._measure", measured)
    with pytest.raises(KeyboardInterrupt):
        run(two, FEW, quick=True, seed=1, workers=1, kept=kept)
    again = record(run(two, FEW, quick=True, seed=1, workers=1, kept=kept))
    assert len(set(calls)) == 2 and len(calls) == 3  # the first one is not measured again
    assert (whole.pop("resumed"), again.pop("resumed")) == (0, 1)
    assert [one.pop("seconds") for one in (whole, again)] and whole == again


def test_what_was_kept_is_not_read_for_another_seed_size_or_strength(tmp_path):
    one = chosen("no gain").mechanisms[0]
    asked = [(one, FEW, 1), (one, FEW, 2), (one, TINY, 1), (replace(one, grid=one.grid[:1]), FEW, 1)]
    assert len({json.dumps(mechanism_of(*each)) for each in asked}) == 4
    assert mechanism_of(one, replace(FEW, real=9), 1) == mechanism_of(one, FEW, 1)


def test_changed_code_is_another_name(tmp_path, monkeypatch):
    kept = Kept(tmp_path)
    assert kept.get(["a"], lambda: 1) == kept.get(["a"], lambda: 2) == 1
    monkeypatch.setattr("netgain.gauntlet.kept._code", lambda: "changed")
    assert kept.get(["a"], lambda: 2) == 2
